// Cuts the text of a filter into words, values and operators. Knows where a token ends, not what it means.

import { FilterSyntaxError, OPERATORS, type Operator, type Value } from './syntax.ts';

const SPACE = /\s/;
/** Only what an address can be made of, so that `fe80::1` and `ab:cd` are words and not fields with a value. */
const ADDRESS_LIKE = /^[0-9a-f:.]*:[0-9a-f:.]*(?:%\w*)?$/i;

/** A position in the text of a filter, with the few steps that the parser takes. */
export class Scanner {
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

  /** True when `token` is next; it is then taken. */
  take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** True when `token` is next; it stays. */
  sees(token: string): boolean {
    return this.text.startsWith(token, this.at);
  }

  /** The next operator, taken; null when there is none. */
  operator(): Operator | null {
    for (const operator of OPERATORS) if (this.take(operator)) return operator;
    return null;
  }

  /** The operator in `app = curl`, written apart from its field. A colon must stand alone there: `app ::1` is two words. */
  spacedOperator(): Operator | null {
    const before = this.at;
    if (!this.skipSpace() && !(this.sees(':') && !this.isEnd(this.at + 1))) {
      const operator = this.operator();
      if (operator !== null) return operator;
    }
    this.at = before;
    return null;
  }

  /** A run up to a space, a bracket, a quote, `&&`, `||` or an operator, taken. A colon within an address or behind a dotted name is part of it. */
  word(): string {
    const from = this.at;
    let end = from;
    while (end < this.text.length && !this.isEnd(end) && !'("'.includes(this.text.charAt(end))) end++;
    const run = this.text.slice(from, end);
    const cut = operatorIn(run);
    this.at = from + (cut < 0 || joins(run, cut) ? run.length : cut);
    return this.text.slice(from, this.at);
  }

  /** What stands behind an operator: quoted, a regular expression, or plain up to a space or a bracket that it did not open. */
  value(): Value {
    if (this.sees('"')) return this.quoted();
    return this.regex() ?? this.plain();
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

  /** `/.../` when that is next and a token ends behind it (else it is a path); `\/` is a slash. */
  regex(): Value | null {
    if (!this.sees('/')) return null;
    const from = this.at + 1;
    for (let i = from; i < this.text.length; i++) {
      const c = this.text.charAt(i);
      if (c === '\\') i++;
      else if (c === '/') {
        if (i === from || !this.isEnd(i + 1)) return null;
        this.at = i + 1;
        return { text: this.text.slice(from, i), column: from, regex: true };
      }
    }
    return null;
  }

  private plain(): Value {
    const from = this.at;
    let depth = 0;
    while (this.at < this.text.length) {
      const c = this.text.charAt(this.at);
      if (SPACE.test(c) || (depth === 0 && this.isEnd(this.at))) break;
      if (c === '(') depth++;
      if (c === ')') depth--;
      this.at++;
    }
    return { text: this.text.slice(from, this.at), column: from, regex: false };
  }

  private isEnd(at: number): boolean {
    if (at >= this.text.length) return true;
    const c = this.text.charAt(at);
    return SPACE.test(c) || c === ')' || this.text.startsWith('&&', at) || this.text.startsWith('||', at);
  }
}

function operatorIn(run: string): number {
  for (let i = 0; i < run.length; i++) if (OPERATORS.some((operator) => run.startsWith(operator, i))) return i;
  return -1;
}

/** True when the colon at `cut` does not end a field's name: in an address, `example.com:443`, `[::1]:80` or `:443`. */
function joins(run: string, cut: number): boolean {
  if (run[cut] !== ':') return false;
  return ADDRESS_LIKE.test(run) || /[.[]|^\d/.test(run.slice(0, cut));
}
