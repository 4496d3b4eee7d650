// Rows as CSV after RFC 4180: a header line, CRLF, quotes where they are needed. Text that a spreadsheet would run is defused; numbers stay numbers.

/** What a cell may hold; null is an empty one. */
export type CsvValue = string | number | boolean | null;

/**
 * A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection"), some the full-width signs, too. Where numbers have a
 * decimal comma it begins cells at each semicolon.
 */
const FORMULA = /(^|;)(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])/g;
const NEEDS_QUOTES = /[",\r\n]/;

/** One line with its CRLF. */
export function csvLine(values: readonly CsvValue[]): string {
  // a line of one empty cell would be an empty line, which readers skip
  if (values.length === 1 && cell(values[0] as CsvValue) === '') return '""\r\n';
  return `${values.map(cell).join(',')}\r\n`;
}

function cell(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  if (typeof value === 'boolean') return String(value);
  // NUL ends a text for half of the readers
  const bare = value.replaceAll('\0', '');
  const text = bare.replace(FORMULA, "$1'");
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
