// CSV lines after RFC 4180: CRLF, and quotes if needed. Text that a spreadsheet would run as a formula is defused; numbers stay numbers.

/** What a cell may hold; null leaves it empty. */
export type CsvValue = string | number | boolean | null;

/**
 * Begins a formula for a spreadsheet (OWASP, "CSV Injection"); for some the full-width signs do, too. If numbers have a decimal comma, a
 * cell begins at each semicolon.
 */
const FORMULA = /(^|;)(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])/g;
const NEEDS_QUOTES = /[",\r\n]/;

/** One line, with its CRLF. */
export function csvLine(values: readonly CsvValue[]): string {
  // one empty cell would make an empty line, which readers skip
  if (values.length === 1 && cell(values[0] as CsvValue) === '') return '""\r\n';
  return `${values.map(cell).join(',')}\r\n`;
}

function cell(value: CsvValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : '';
  if (typeof value === 'boolean') return String(value);
  // half of all readers stop at NUL
  const bare = value.replaceAll('\0', '');
  const text = bare.replace(FORMULA, "$1'");
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
