// Shapes of what travels as JSON: each makes a clean copy of a value from another machine, bounded and sanitised, or refuses it.

import { sanitize } from '../net/text.ts';
import { StreamFault } from './bytes.ts';

/** The last time that a Date can hold, ms. */
const LAST_MS = 8.64e15;

/** What the reader adds to what it reads. */
export interface Place {
  /** What this machine's clock is ahead of the other's, ms: added to every time. */
  readonly shift: number;
  /** Put before ids, because those of two machines may be the same. */
  readonly prefix: string;
}

/** Copies what fits. @throws StreamFault for what doesn't */
export type Shape<T> = (value: unknown, place: Place) => T;

function refuse(what: string): never {
  throw new StreamFault(`${what} was expected`);
}

export const text: Shape<string> = (value) => (typeof value === 'string' ? sanitize(value) : refuse('a text'));

/** Beyond this a number says nothing exact, and nothing that is measured comes near. */
export const number: Shape<number> = (value) =>
  typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : refuse('a number');

/** How much or how many. */
export const amount: Shape<number> = (value, place) => {
  const read = number(value, place);
  return read >= 0 ? read : refuse('a number from zero');
};

export const flag: Shape<boolean> = (value) => (typeof value === 'boolean' ? value : refuse('yes or no'));

/** A time that a Date can hold, epoch ms, by the clock of whoever says it. */
export const moment: Shape<number> = (value) =>
  typeof value === 'number' && Math.abs(value) <= LAST_MS ? value : refuse('a time');

/** A time by this machine's clock, epoch ms. */
export const time: Shape<number> = (value, { shift }) => shifted(moment(value, NOWHERE), shift);

/** A time by this machine's clock. @param at by the other's */
export function shifted(at: number, shift: number): number {
  return Math.max(-LAST_MS, Math.min(LAST_MS, at + shift));
}

/** The id of a row. */
export const ref: Shape<string> = (value, { prefix }) => prefix + text(value, NOWHERE);

const NOWHERE: Place = { shift: 0, prefix: '' };

export const optional =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value, place) =>
    value === null || value === undefined ? null : shape(value, place);

/** One of a few words. Another one, which a newer version may know, becomes `other`. */
export const word =
  <const T extends string>(words: readonly T[], other: T): Shape<T> =>
  (value) =>
    words.find((one) => one === value) ?? (typeof value === 'string' ? other : refuse('a word'));

/** The first `most` of a list. */
export const list =
  <T>(shape: Shape<T>, most: number): Shape<readonly T[]> =>
  (value, place) =>
    Array.isArray(value) ? value.slice(0, most).map((one) => shape(one, place)) : refuse('a list');

/** The named fields of an object, and no others. */
export const record =
  <T extends object>(shapes: { readonly [Key in keyof T]: Shape<T[Key]> }): Shape<T> =>
  (value, place) => {
    if (typeof value !== 'object' || value === null) return refuse('an object');
    const fields = value as Readonly<Record<string, unknown>>;
    const copy = Object.entries<Shape<unknown>>(shapes).map(([name, shape]) => [
      name,
      shape(Object.hasOwn(fields, name) ? fields[name] : null, place),
    ]);
    return Object.fromEntries(copy) as T;
  };

/** Reads a JSON text. @throws StreamFault */
export function parsed<T>(json: string, shape: Shape<T>, place: Place): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return refuse('JSON');
  }
  return shape(value, place);
}
