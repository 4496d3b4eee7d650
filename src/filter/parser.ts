// Parses a filter by recursive descent over the grammar below. It knows no field: the compiler checks names and values.
//
//     expr := or ; or := and (("or" | "||") and)* ; and := not (("and" | "&&")? not)* ; not := ("not" | "!" | "-") not | atom
//     atom := "(" expr ")" | field op value | word | "quoted words" | /regex/

import { type Expression, FilterSyntaxError, OPERATORS, type Operator, type Value } from './syntax.ts';

/** Longest filter, in UTF-16 units. */
const LONGEST_FILTER = 2000;
/** Deepest nesting of brackets and negations. */
const MAX_DEPTH = 50;
const FIELD = /^[a-z][a-z0-9_-]*$/i;

/**
 * Parses the text of a filter; empty text is the filter that matches all.
 *
 * @throws FilterSyntaxError for an invalid filter
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
    if (++levels > MAX_DEPTH) throw new FilterSyntaxError('this is nested too deeply', scanner.at - 1);
  }
  const term = parseAtom(scanner, levels);
  return negated ? { kind: 'not', term } : term;
}

function parseAtom(scanner: Scanner, depth: number): Expression {
  if (scanner.skipSpace()) throw new FilterSyntaxError('something is missing at the end', scanner.at);
  const column = scanner.at;
  if (scanner.take('(')) {
    if (depth >= MAX_DEPTH) throw new FilterSyntaxError('this is nested too deeply', column);
    if (!scanner.skipSpace() && scanner.sees(')')) throw new FilterSyntaxError('these brackets are empty', column);
    const inner = parseOr(scanner, depth + 1);
    if (scanner.skipSpace() || !scanner.take(')')) throw new FilterSyntaxError("this '(' is never closed", column);
    return inner;
  }
  if (scanner.sees('"')) {
    const value = scanner.quoted();
    if (value.text.trim() === '') throw new FilterSyntaxError('there is nothing between these quotes', column);
    return { kind: 'search', value };
  }
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
    return { kind: 'word', text: word };
  }
  if (!FIELD.test(word)) throw new FilterSyntaxError(`'${word}' is not a field`, column);
  const operatorColumn = scanner.text.indexOf(operator, wordEnd);
  if (scanner.skipSpace() || scanner.sees(')')) throw new FilterSyntaxError(`${word}${operator} needs a value`, operatorColumn);
  const value = scanner.value();
  if (value.text === '' && scanner.text.charAt(value.column - 1) !== '"')
    throw new FilterSyntaxError(`${word}${operator} needs a value`, operatorColumn);
  return { kind: 'compare', field: word, fieldColumn: column, operator, operatorColumn, value };
}

/** True if a word or its sign is next. A word must stand alone: `order` and `or:x` don't count. */
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

const SPACE = /\s/;
/** Only characters of an address: `fe80::1` and `ab:cd` are words, not fields with a value. */
const ADDRESS_LIKE = /^[0-9a-f:.]*:[0-9a-f:.]*(?:%\w*)?$/i;

/** A position in the text of a filter. It knows where a word, a value or an operator ends, not what it means. */
class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Moves over white space. @returns true at the end of the text. */
  skipSpace(): boolean {
    while (this.at < this.text.length && SPACE.test(this.text.charAt(this.at))) this.at++;
    return this.at >= this.text.length;
  }

  /** Takes `token`. @returns false if it is not next */
  take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** True if `token` is next. Doesn't take it. */
  sees(token: string): boolean {
    return this.text.startsWith(token, this.at);
  }

  /** Takes the next operator; null if there is none. */
  operator(): Operator | null {
    for (const operator of OPERATORS) if (this.take(operator)) return operator;
    return null;
  }

  /** Takes the operator in `app = curl`, apart from its field. There a colon must stand alone: `app ::1` is two words. */
  spacedOperator(): Operator | null {
    const before = this.at;
    if (!this.skipSpace() && !(this.sees(':') && !this.#isEnd(this.at + 1))) {
      const operator = this.operator();
      if (operator !== null) return operator;
    }
    this.at = before;
    return null;
  }

  /** Takes everything up to a space, a bracket, a quote, `&&`, `||` or an operator. A colon in an address or behind a dotted name doesn't end it. */
  word(): string {
    const from = this.at;
    let end = from;
    while (end < this.text.length && !this.#isEnd(end) && !'("'.includes(this.text.charAt(end))) end++;
    const run = this.text.slice(from, end);
    const cut = operatorIn(run);
    this.at = from + (cut < 0 || joins(run, cut) ? run.length : cut);
    return this.text.slice(from, this.at);
  }

  /** Takes the value behind an operator: quoted, a regular expression, or plain up to a space or a bracket that it didn't open. */
  value(): Value {
    if (this.sees('"')) return this.quoted();
    return this.regex() ?? this.#plain();
  }

  /** Text in double quotes; `\"` and `\\` are escapes, any other backslash stands for itself. */
  quoted(): Value {
    const opened = this.at++;
    let text = '';
    while (this.at < this.text.length) {
      const c = this.text.charAt(this.at++);
      if (c === '"') return { text, column: opened + 1, regex: false };
      const next = this.text.charAt(this.at);
      if (c === '\\' && (next === '"' || next === '\\')) {
        text += next;
        this.at++;
      } else text += c;
    }
    throw new FilterSyntaxError('this quote is never closed', opened);
  }

  /** Takes `/.../` if a token ends behind it (otherwise it is a path); `\/` is a slash. */
  regex(): Value | null {
    if (!this.sees('/')) return null;
    const from = this.at + 1;
    for (let i = from; i < this.text.length; i++) {
      const c = this.text.charAt(i);
      if (c === '\\') i++;
      else if (c === '/') {
        if (i === from || !this.#isEnd(i + 1)) return null;
        this.at = i + 1;
        return { text: this.text.slice(from, i), column: from, regex: true };
      }
    }
    return null;
  }

  #plain(): Value {
    const from = this.at;
    let depth = 0;
    while (this.at < this.text.length) {
      const c = this.text.charAt(this.at);
      if (SPACE.test(c) || (depth === 0 && this.#isEnd(this.at))) break;
      if (c === '(') depth++;
      if (c === ')') depth--;
      this.at++;
    }
    return { text: this.text.slice(from, this.at), column: from, regex: false };
  }

  #isEnd(at: number): boolean {
    if (at >= this.text.length) return true;
    const c = this.text.charAt(at);
    return SPACE.test(c) || c === ')' || this.text.startsWith('&&', at) || this.text.startsWith('||', at);
  }
}

function operatorIn(run: string): number {
  for (let i = 0; i < run.length; i++) if (OPERATORS.some((operator) => run.startsWith(operator, i))) return i;
  return -1;
}

/** True if the colon at `cut` doesn't end a field's name: in an address, `example.com:443`, `[::1]:80` or `:443`. */
function joins(run: string, cut: number): boolean {
  if (run[cut] !== ':') return false;
  return ADDRESS_LIKE.test(run) || /[.[]|^\d/.test(run.slice(0, cut));
}
