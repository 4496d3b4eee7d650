// Expression -> predicate: checks fields and values once, so that asking costs no more than a few closures.
// Expected failures are FilterSyntaxError with the column of what is wrong.

import { ADDRESS_WORDS, formatAddress, parseAddress } from '../net/address.ts';
import { fieldOf, type NetField, type NumberField, nearestField, type TextField } from './fields.ts';
import { compilePattern, PatternError, type TextMatcher } from './pattern.ts';
import { searchPattern, searchText } from './search.ts';
import type { FilterSubject } from './subject.ts';
import { type Expression, FilterSyntaxError, type Value } from './syntax.ts';
import { type AddressBlock, inBlock, type Range, readBlocks, readDuration, readNumbers, readPorts, readSize } from './values.ts';

/** Answers for a flow; `now` is epoch milliseconds, for `age` and `idle`. */
export type Predicate = (subject: FilterSubject, now: number | undefined) => boolean;

type Comparison = Extract<Expression, { kind: 'compare' }>;
/** Addresses whose membership is remembered. */
const MOST_ADDRESSES = 4096;

/** @throws FilterSyntaxError for an unknown field, an operator that a field does not have, or a value that is none. */
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
  return operator === '='
    ? anyText(field, (text) => text.toLowerCase() === wanted)
    : anyText(field, (text) => text.toLowerCase().includes(wanted));
}

/** `dir=out` for outbound: a beginning that only one value has. */
function expand(values: readonly string[], wanted: string): string {
  const begun = values.filter((value) => value.startsWith(wanted));
  return begun.length === 1 ? (begun[0] as string) : wanted;
}

/** An address is compared in its one canonical spelling, whichever was typed; a network is accepted too. */
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

/** Membership, remembered per address: reading an address costs far more than asking. */
function within(blocks: readonly AddressBlock[]): TextMatcher {
  const words = new Int32Array(ADDRESS_WORDS);
  const answers = new Map<string, boolean>();
  return (address) => {
    let answer = answers.get(address);
    if (answer === undefined) {
      if (answers.size >= MOST_ADDRESSES) answers.clear();
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
      return anyNumber(field, (amount) => ranges.some((range) => amount >= range[0] && amount <= range[1]));
    default:
      if (ranges.length > 1 || low !== high)
        throw new FilterSyntaxError(`${comparison.field}${operator} takes one number`, value.column);
  }
  if (operator === '<') return anyNumber(field, (amount) => amount < low);
  if (operator === '<=') return anyNumber(field, (amount) => amount <= low);
  if (operator === '>') return anyNumber(field, (amount) => amount > low);
  return anyNumber(field, (amount) => amount >= low);
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

/** A value that was read, or the error that its reader told. */
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

function anyNumber(field: NumberField, matches: (amount: number) => boolean): Predicate {
  const reads = field.read;
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
