// Addresses as short texts, sixteen bytes each: there may be eight for each of tens of thousands of names, and few are ever shown.

import { formatAddress } from '../net/address.ts';

/** UTF-16 units of an address: its four words, halved. */
const UNITS = 8;

/** A list with one address more; the same list where it has it, or has `most` already. */
export function withAddress(list: string, words: Int32Array, at: number, most: number): string {
  if (list.length >= most * UNITS) return list;
  for (let from = 0; from < list.length; from += UNITS) if (isAt(list, from, words, at)) return list;
  const units: number[] = [];
  for (let i = 0; i < list.length; i++) units.push(list.charCodeAt(i));
  for (let i = 0; i < UNITS; i++) units.push(unit(words, at, i));
  return String.fromCharCode(...units);
}

/** The addresses of a list, in the order in which they came. */
export function addressesOf(list: string): string[] {
  const words = new Int32Array(4);
  const addresses: string[] = [];
  for (let from = 0; from < list.length; from += UNITS) {
    for (let i = 0; i < 4; i++) words[i] = (list.charCodeAt(from + 2 * i) << 16) | list.charCodeAt(from + 2 * i + 1);
    addresses.push(formatAddress(words, 0));
  }
  return addresses;
}

function isAt(list: string, from: number, words: Int32Array, at: number): boolean {
  for (let i = 0; i < UNITS; i++) if (list.charCodeAt(from + i) !== unit(words, at, i)) return false;
  return true;
}

function unit(words: Int32Array, at: number, i: number): number {
  const word = words[at + (i >> 1)] as number;
  return i % 2 === 0 ? word >>> 16 : word & 0xffff;
}
