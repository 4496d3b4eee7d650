// Compiles an expression into a predicate. Fields and values are checked once, here; asking costs a few closures. What is wrong is a
// FilterSyntaxError with its column.

import { ADDRESS_WORDS, formatAddress, isV4, parseAddress, sameAddress } from '../net/address.ts';
import { servicePorts } from '../net/services.ts';
import { type FilterSubject, fieldOf, type NetField, type NumberField, nearestField, type TextField, wordOf } from './fields.ts';
import { compilePattern, PatternError, type TextMatcher } from './pattern.ts';
import { type Expression, FilterSyntaxError, type Value } from './syntax.ts';

/** True for a subject that matches; `now` is epoch ms, for `age` and `idle`. */
export type Predicate = (subject: FilterSubject, now: number | undefined) => boolean;

type Comparison = Extract<Expression, { kind: 'compare' }>;
/** Addresses whose membership is cached. */
const MAX_ADDRESSES = 4096;

/** Compiles an expression. @throws FilterSyntaxError for an unknown field, an operator that the field lacks, or an invalid value */
export function compileExpression(expression: Expression): Predicate {
  switch (expression.kind) {
    case 'every':
      return () => true;
    case 'or':
      return some(expression.terms.map(compileExpression));
    case 'and':
      return all(expression.terms.map(compileExpression));
    case 'not':
      return not(compileExpression(expression.term));
    case 'search':
      return expression.value.regex ? searchPattern(patternOf(expression.value)) : searchText(expression.value.text);
    case 'word':
      return wordOf(expression.text)?.holds ?? searchText(expression.text);
    case 'compare':
      return compare(expression);
  }
}

function compare(comparison: Comparison): Predicate {
  const field = fieldOf(comparison.field);
  if (field === undefined) throw unknownField(comparison);
  if (comparison.operator === '!=') return not(compare({ ...comparison, operator: '=' }));
  switch (field.kind) {
    case 'text':
    case 'address':
      return compareText(field, comparison);
    case 'net':
      return compareNet(field, comparison);
    default:
      return compareNumber(field, comparison);
  }
}

function compareText(field: TextField, comparison: Comparison): Predicate {
  const { operator, value } = comparison;
  if (operator !== ':' && operator !== '=' && operator !== '~') throw refused(comparison, ': = != or ~');
  if (operator === '~' || value.regex) return anyText(field, patternOf(value));
  const wanted = value.text.toLowerCase();
  if (field.kind === 'address') return compareAddress(field, operator, wanted);
  if (field.values !== undefined) {
    const named = expand(field.values, wanted);
    if (!field.values.some((known) => (operator === '=' ? known === named : known.includes(wanted))))
      throw new FilterSyntaxError(
        `${comparison.field} is ${field.values.slice(0, -1).join(', ')} or ${field.values.at(-1)}`,
        value.column,
      );
    return operator === '=' ? anyText(field, (text) => text === named) : anyText(field, (text) => text.includes(wanted));
  }
  const byText =
    operator === '='
      ? anyText(field, (text) => text.toLowerCase() === wanted)
      : anyText(field, (text) => text.toLowerCase().includes(wanted));
  if (field.numbers === undefined || !/^\d{1,10}$/.test(wanted)) return byText;
  const number = Number(wanted);
  return some([byText, anyNumber(field.numbers, (amount) => amount === number)]);
}

/** Expands a beginning that only one value has: `dir=out` means outbound. */
function expand(values: readonly string[], wanted: string): string {
  const begun = values.filter((value) => value.startsWith(wanted));
  return begun.length === 1 ? (begun[0] as string) : wanted;
}

/** Compares addresses in their canonical spelling, whatever was typed. Takes a network, too. */
function compareAddress(field: TextField, operator: ':' | '=', wanted: string): Predicate {
  const blocks = wanted.includes('/') ? readBlocks(wanted) : [];
  if (typeof blocks !== 'string' && blocks.length > 0) return anyText(field, within(blocks));
  const words = new Int32Array(ADDRESS_WORDS);
  const canonical = parseAddress(wanted, words) ? formatAddress(words) : wanted;
  if (operator === '=') return anyText(field, (text) => text === canonical || text.toLowerCase() === wanted);
  return anyText(field, (text) => text === canonical || text.toLowerCase().includes(wanted));
}

function compareNet(field: NetField, comparison: Comparison): Predicate {
  const { operator, value } = comparison;
  if ((operator !== ':' && operator !== '=') || value.regex) throw refused(comparison, ': = or !=');
  return anyText(field, within(read(readBlocks(value.text), value)));
}

/** Membership, cached by address, because parsing one costs far more than looking it up. */
function within(blocks: readonly AddressBlock[]): TextMatcher {
  const words = new Int32Array(ADDRESS_WORDS);
  const answers = new Map<string, boolean>();
  return (address) => {
    let answer = answers.get(address);
    if (answer === undefined) {
      if (answers.size >= MAX_ADDRESSES) answers.clear();
      answer = parseAddress(address, words) && blocks.some((block) => inBlock(words, block));
      answers.set(address, answer);
    }
    return answer;
  };
}

function compareNumber(field: NumberField, comparison: Comparison): Predicate {
  const { operator, value } = comparison;
  if (operator === '~' || value.regex) throw refused(comparison, ': = != < <= > or >=');
  const ranges = rangesOf(field, value);
  const [low, high] = ranges[0] as Range;
  switch (operator) {
    case ':':
    case '=':
      return anyNumber(field.read, (amount) => ranges.some((range) => amount >= range[0] && amount <= range[1]));
    default:
      if (ranges.length > 1 || low !== high)
        throw new FilterSyntaxError(`${comparison.field}${operator} takes one number`, value.column);
  }
  if (operator === '<') return anyNumber(field.read, (amount) => amount < low);
  if (operator === '<=') return anyNumber(field.read, (amount) => amount <= low);
  if (operator === '>') return anyNumber(field.read, (amount) => amount > low);
  return anyNumber(field.read, (amount) => amount >= low);
}

function rangesOf(field: NumberField, value: Value): readonly Range[] {
  if (field.kind === 'port') return read(readPorts(value.text), value);
  if (field.kind === 'number') return read(readNumbers(value.text), value);
  const single =
    field.kind === 'size'
      ? read(readSize(value.text), value)
      : read(readDuration(value.text, field.kind === 'seconds' ? 's' : 'ms'), value);
  return [[single, single]];
}

/** The value that a reader returned. @throws FilterSyntaxError if it returned what is wrong */
function read<Type>(result: Type | string, value: Value): Type {
  if (typeof result === 'string') throw new FilterSyntaxError(result, value.column);
  return result;
}

function patternOf(value: Value): TextMatcher {
  try {
    return compilePattern(value.text);
  } catch (error) {
    if (error instanceof PatternError) throw new FilterSyntaxError(error.message, value.column + error.column);
    throw error;
  }
}

function anyText(field: TextField | NetField, matches: TextMatcher): Predicate {
  const reads = field.read;
  return (subject) => {
    for (const readText of reads) {
      const text = readText(subject);
      if (text !== null && text !== undefined && matches(text)) return true;
    }
    return false;
  };
}

function anyNumber(reads: NumberField['read'], matches: (amount: number) => boolean): Predicate {
  return (subject, now) => {
    for (const readAmount of reads) {
      const amount = readAmount(subject, now);
      if (amount !== null && amount !== undefined && matches(amount)) return true;
    }
    return false;
  };
}

function not(term: Predicate): Predicate {
  return (subject, now) => !term(subject, now);
}

function some(terms: readonly Predicate[]): Predicate {
  return (subject, now) => {
    for (const term of terms) if (term(subject, now)) return true;
    return false;
  };
}

function all(terms: readonly Predicate[]): Predicate {
  return (subject, now) => {
    for (const term of terms) if (!term(subject, now)) return false;
    return true;
  };
}

function unknownField(comparison: Comparison): FilterSyntaxError {
  const name = comparison.field;
  const near = nearestField(name);
  const way = near === null ? 'put the text in quotes to search for it' : `did you mean ${near}?`;
  return new FilterSyntaxError(`unknown field '${name}' - ${way}`, comparison.fieldColumn);
}

function refused(comparison: Comparison, operators: string): FilterSyntaxError {
  const what = comparison.value.regex && comparison.operator !== '~' ? 'a regular expression' : `'${comparison.operator}'`;
  return new FilterSyntaxError(`${comparison.field} has no use for ${what}: it takes ${operators}`, comparison.operatorColumn);
}

// Readers of values: sizes, durations, lists of numbers and ports, address blocks. Each returns the value, or a text that says what to type.

/** Numbers from `low` to `high`, both included. */
type Range = readonly [low: number, high: number];

/** An address block: its first address, and how many of the 128 bits count. */
interface AddressBlock {
  readonly words: Int32Array;
  readonly bits: number;
}

/** Most items of a list. */
const MAX_ITEMS = 64;
const SCALES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
  ti: 1024 ** 4,
};
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads `1500`, `1.5M` (1000) or `2Gi` (1024), with or without `B` and `/s`. A lower-case `b` behind a scale is bits, as on the screen.
 *
 * @returns the number, or what is wrong.
 */
function readSize(text: string): number | string {
  const parts = /^(\d+(?:\.\d+)?|\.\d+)\s*((?:[kmgt]i?)?)(bit|b)?(?:\/s|ps)?$/i.exec(text);
  if (parts === null) return `'${text}' is not a size: write 1500, 1.5M (1000) or 2Mi (1024)`;
  const unit = parts[3] ?? '';
  const bits = unit.toLowerCase() === 'bit' || (unit === 'b' && parts[2] !== '');
  return (Number(parts[1]) * (SCALES[(parts[2] as string).toLowerCase()] as number)) / (bits ? 8 : 1);
}

/** Reads `10s`, `500ms`, `1h30m`; a bare number counts in `unit`. @returns milliseconds, or what is wrong. */
function readDuration(text: string, unit: 's' | 'ms'): number | string {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * (UNITS[unit] as number);
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/i.test(text)) return `'${text}' is not a duration: write 500ms, 10s, 5m or 1h30m`;
  let total = 0;
  for (const part of text.matchAll(/([\d.]+)([a-z]+)/gi))
    total += Number(part[1]) * (UNITS[(part[2] as string).toLowerCase()] as number);
  return total;
}

/** Reads `443`, `80,443` or `8000-8100`. @returns the ranges, or what is wrong. */
function readNumbers(text: string): readonly Range[] | string {
  return readList(text, (item) => {
    const parts = /^(?:AS)?(\d{1,10})(?:-(\d{1,10}))?$/i.exec(item);
    if (parts === null) return `'${item}' is not a number`;
    return range(item, Number(parts[1]), Number(parts[2] ?? parts[1]));
  });
}

/** `readNumbers` for ports, up to 65535, where the name of a service stands for its ports. */
function readPorts(text: string): readonly Range[] | string {
  return readList(text, (item) => {
    const parts = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(item);
    if (parts === null) {
      const ports = servicePorts(item.toLowerCase());
      return ports.length > 0
        ? ports.map((port) => [port, port] as const)
        : `'${item}' is not a port: write 443, 80,443 or 8000-8100`;
    }
    const high = Number(parts[2] ?? parts[1]);
    return high > 65_535 ? `'${item}' is not a port: the highest is 65535` : range(item, Number(parts[1]), high);
  });
}

/** Reads `10.0.0.0/8`, `fd00::/8`, a single address, or several with commas. @returns the blocks, or what is wrong. */
function readBlocks(text: string): readonly AddressBlock[] | string {
  return readList(text, (item) => {
    const slash = item.indexOf('/');
    const words = new Int32Array(ADDRESS_WORDS);
    const length = slash < 0 ? null : item.slice(slash + 1);
    if (!parseAddress(slash < 0 ? item : item.slice(0, slash), words) || (length !== null && !/^\d{1,3}$/.test(length)))
      return `'${item}' is not a network: write 10.0.0.0/8 or fd00::/8`;
    const most = isV4(words, 0) && !item.includes(':') ? 32 : 128;
    const bits = length === null ? most : Number(length);
    if (bits > most) return `'${item}' is not a network: /${most} is the longest`;
    return [{ words, bits: bits + 128 - most }];
  });
}

/** True if an address lies within a block. IPv4 addresses are kept v4-mapped, but an IPv6 block doesn't contain them. */
function inBlock(words: Int32Array, block: AddressBlock): boolean {
  if (block.bits < 96 && isV4(words, 0)) return false;
  if (block.bits === 128) return sameAddress(words, 0, block.words, 0);
  for (let i = 0; i < ADDRESS_WORDS; i++) {
    const bits = Math.min(32, block.bits - 32 * i);
    if (bits <= 0) return true;
    if (((words[i] as number) ^ (block.words[i] as number)) >>> (32 - bits) !== 0) return false;
  }
  return true;
}

function range(item: string, low: number, high: number): readonly Range[] | string {
  return high < low ? `'${item}' runs backwards` : [[low, high]];
}

function readList<Item>(text: string, read: (item: string) => readonly Item[] | string): readonly Item[] | string {
  const items = text.split(',');
  if (items.length > MAX_ITEMS) return `a list has at most ${MAX_ITEMS} items`;
  const all: Item[] = [];
  for (const item of items) {
    if (item.trim() === '') return `'${text}' has a comma too many`;
    const found = read(item.trim());
    if (typeof found === 'string') return found;
    all.push(...found);
  }
  return all;
}

/** A bare word searches app, host, address, port and category of a flow, at either end, and the name that a look-up asked for. */
type Search = (subject: FilterSubject) => boolean;

/** Searches for a text, without regard to case. Digits are also a whole port, and `name:443` is an end with that port. */
function searchText(text: string): Search {
  const wanted = text.toLowerCase();
  const contains: TextMatcher = (value) => value.toLowerCase().includes(wanted);
  const port = /^\d{1,5}$/.test(wanted) ? Number(wanted) : -1;
  const end = endOf(wanted);
  return (subject) =>
    anyTextOf(subject, contains) || (port >= 0 && hasPort(subject, port)) || (end !== null && hasEnd(subject, end));
}

/** Searches for a regular expression; ports count as text. */
function searchPattern(matches: TextMatcher): Search {
  return (subject) =>
    anyTextOf(subject, matches) ||
    (isNumber(subject.local?.port) && matches(String(subject.local.port))) ||
    (isNumber(subject.remote?.port) && matches(String(subject.remote.port)));
}

/** A name or address with a port behind it; the name is empty in `:443`. */
interface End {
  readonly name: string;
  readonly port: number;
}

function endOf(text: string): End | null {
  const parts = /^(\[[0-9a-f:.]+\]|[^:]*):(\d{1,5})$/.exec(text);
  if (parts === null) return null;
  return { name: (parts[1] as string).replace(/^\[|\]$/g, ''), port: Number(parts[2]) };
}

function anyTextOf(subject: FilterSubject, matches: TextMatcher): boolean {
  return (
    is(subject.app, matches) ||
    is(subject.host, matches) ||
    is(subject.asked?.name, matches) ||
    is(subject.remote?.address, matches) ||
    is(subject.local?.address, matches) ||
    is(subject.category, matches) ||
    is(subject.peerApp, matches)
  );
}

function hasPort(subject: FilterSubject, port: number): boolean {
  return subject.local?.port === port || subject.remote?.port === port;
}

function hasEnd(subject: FilterSubject, end: End): boolean {
  const { local, remote, host } = subject;
  if (remote?.port === end.port && (remote.address.includes(end.name) || (host?.toLowerCase().includes(end.name) ?? false)))
    return true;
  return local?.port === end.port && local.address.includes(end.name);
}

function is(text: string | null | undefined, matches: TextMatcher): boolean {
  return text !== null && text !== undefined && matches(text);
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}
