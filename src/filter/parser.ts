// Text -> Expression, by recursive descent over the grammar below. Knows no field: names and values are checked when compiling.
//
//     expr := or ; or := and (("or" | "||") and)* ; and := not (("and" | "&&")? not)* ; not := ("not" | "!" | "-") not | atom
//     atom := "(" expr ")" | field op value | word | "quoted words" | /regex/

import { Scanner } from './scanner.ts';
import { type Expression, FilterSyntaxError, OPERATORS } from './syntax.ts';

/** Longest filter, in UTF-16 units. */
const LONGEST_FILTER = 2000;
/** Deepest nesting of brackets and negations. */
const DEEPEST = 50;
const FIELD = /^[a-z][a-z_-]*$/i;

/**
 * Parses the text of a filter; empty text is the filter that matches all.
 *
 * @throws FilterSyntaxError where the text is none.
 */
export function parseFilter(text: string): Expression {
  if (text.length > LONGEST_FILTER)
    throw new FilterSyntaxError(`a filter has at most ${LONGEST_FILTER} characters`, LONGEST_FILTER);
  const scanner = new Scanner(text);
  if (scanner.skipSpace()) return { kind: 'every' };
  const expression = parseOr(scanner, 0);
  if (!scanner.skipSpace()) throw new FilterSyntaxError("this ')' closes nothing", scanner.at);
  return expression;
}

function parseOr(scanner: Scanner, depth: number): Expression {
  const terms = [parseAnd(scanner, depth)];
  while (takeKeyword(scanner, 'or', '||')) terms.push(parseAnd(scanner, depth));
  return terms.length === 1 ? (terms[0] as Expression) : { kind: 'or', terms };
}

function parseAnd(scanner: Scanner, depth: number): Expression {
  const terms = [parseNot(scanner, depth)];
  for (;;) {
    const joined = takeKeyword(scanner, 'and', '&&');
    if (!joined && (scanner.skipSpace() || scanner.sees(')') || seesKeyword(scanner, 'or', '||'))) break;
    terms.push(parseNot(scanner, depth));
  }
  return terms.length === 1 ? (terms[0] as Expression) : { kind: 'and', terms };
}

function parseNot(scanner: Scanner, depth: number): Expression {
  let negated = false;
  let levels = depth;
  for (;;) {
    scanner.skipSpace();
    if (scanner.sees('!=')) break;
    if (!takeKeyword(scanner, 'not', '!') && !scanner.take('-')) break;
    negated = !negated;
    if (++levels > DEEPEST) throw new FilterSyntaxError('this is nested too deeply', scanner.at - 1);
  }
  const term = parseAtom(scanner, levels);
  return negated ? { kind: 'not', term } : term;
}

function parseAtom(scanner: Scanner, depth: number): Expression {
  if (scanner.skipSpace()) throw new FilterSyntaxError('something is missing at the end', scanner.at);
  const column = scanner.at;
  if (scanner.take('(')) {
    if (depth >= DEEPEST) throw new FilterSyntaxError('this is nested too deeply', column);
    if (!scanner.skipSpace() && scanner.sees(')')) throw new FilterSyntaxError('these brackets are empty', column);
    const inner = parseOr(scanner, depth + 1);
    if (scanner.skipSpace() || !scanner.take(')')) throw new FilterSyntaxError("this '(' is never closed", column);
    return inner;
  }
  if (scanner.sees('"')) return search(scanner.quoted().text, column, false);
  if (scanner.sees('/')) {
    const regex = scanner.regex();
    if (regex === null) throw new FilterSyntaxError('a regular expression is /text/; put a path in quotes', column);
    return { kind: 'search', value: regex };
  }
  return parseWord(scanner, column);
}

function parseWord(scanner: Scanner, column: number): Expression {
  if (seesKeyword(scanner, 'or', '||') || seesKeyword(scanner, 'and', '&&'))
    throw new FilterSyntaxError('something is missing before this', column);
  const word = scanner.word();
  if (word === '') {
    const found = OPERATORS.find((operator) => scanner.sees(operator)) ?? scanner.text.charAt(column);
    throw new FilterSyntaxError(`a field is missing before '${found}'`, column);
  }
  const wordEnd = scanner.at;
  const operator = scanner.operator() ?? scanner.spacedOperator();
  if (operator === null) {
    if (/^[|&]|[|&]$/.test(word))
      throw new FilterSyntaxError(`write ${word.includes('|') ? 'or' : 'and'} in full, or double the sign`, column);
    return search(word, column, false);
  }
  if (!FIELD.test(word)) throw new FilterSyntaxError(`'${word}' is not a field`, column);
  const operatorColumn = scanner.text.indexOf(operator, wordEnd);
  if (scanner.skipSpace() || scanner.sees(')')) throw new FilterSyntaxError(`${word}${operator} needs a value`, operatorColumn);
  const value = scanner.value();
  if (value.text === '' && scanner.text.charAt(value.column - 1) !== '"')
    throw new FilterSyntaxError(`${word}${operator} needs a value`, operatorColumn);
  return { kind: 'compare', field: word, fieldColumn: column, operator, operatorColumn, value };
}

function search(text: string, column: number, regex: boolean): Expression {
  if (text.trim() === '') throw new FilterSyntaxError('there is nothing between these quotes', column);
  return { kind: 'search', value: { text, column, regex } };
}

/** True when a word or its sign is next. A word counts only by itself: `order` and `or:x` are none. */
function seesKeyword(scanner: Scanner, word: string, sign: string): boolean {
  if (scanner.sees(sign)) return true;
  if (scanner.text.slice(scanner.at, scanner.at + word.length).toLowerCase() !== word) return false;
  return /^(?:$|[\s()"]|&&|\|\|)/.test(scanner.text.slice(scanner.at + word.length));
}

function takeKeyword(scanner: Scanner, word: string, sign: string): boolean {
  scanner.skipSpace();
  if (!seesKeyword(scanner, word, sign)) return false;
  scanner.at += scanner.sees(sign) ? sign.length : word.length;
  return true;
}
