// The parsed form of a filter, and the one error of parser and compiler.

/** Operators of a comparison. The parser tries them in this order, longest first. */
export const OPERATORS = ['!=', '<=', '>=', ':', '=', '~', '<', '>'] as const;
export type Operator = (typeof OPERATORS)[number];

/** A value: its text without quotes or slashes, and where that begins in the input. */
export interface Value {
  readonly text: string;
  /** Column of the first character of `text`, in UTF-16 units. */
  readonly column: number;
  /** Written as `/.../`. */
  readonly regex: boolean;
}

/** A parsed filter. `every` is the empty one, which matches all. */
export type Expression =
  | { readonly kind: 'every' }
  | { readonly kind: 'or'; readonly terms: readonly Expression[] }
  | { readonly kind: 'and'; readonly terms: readonly Expression[] }
  | { readonly kind: 'not'; readonly term: Expression }
  | { readonly kind: 'search'; readonly value: Value }
  /** A bare word: one with a meaning of its own (`in`, `new`), else a search. */
  | { readonly kind: 'word'; readonly text: string }
  | {
      readonly kind: 'compare';
      readonly field: string;
      readonly fieldColumn: number;
      readonly operator: Operator;
      readonly operatorColumn: number;
      readonly value: Value;
    };

/** Why a filter is invalid. Never leaves this folder: `compileFilter` turns it into a result. */
export class FilterSyntaxError extends Error {
  /** Where the offending token begins, in UTF-16 units from 0. */
  readonly column: number;

  constructor(message: string, column: number) {
    super(message);
    this.name = 'FilterSyntaxError';
    this.column = column;
  }
}
