// Values as a user types them: sizes, durations, lists of numbers and ports, address blocks. Each reader tells in a user's words what
// it wanted; none throws.

import { ADDRESS_WORDS, isV4, parseAddress, sameAddress } from '../net/address.ts';
import { servicePorts } from '../net/services.ts';

/** Numbers from `low` to `high`, both included. */
export type Range = readonly [low: number, high: number];

/** An address block: the words of its first address, and how many of their 128 bits count. */
export interface AddressBlock {
  readonly words: Int32Array;
  readonly bits: number;
}

/** Most items of a list. */
const MOST_ITEMS = 64;
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
export function readSize(text: string): number | string {
  const parts = /^(\d+(?:\.\d+)?|\.\d+)\s*((?:[kmgt]i?)?)(bit|b)?(?:\/s|ps)?$/i.exec(text);
  if (parts === null) return `'${text}' is no size: write 1500, 1.5M (1000) or 2Mi (1024)`;
  const unit = parts[3] ?? '';
  const bits = unit.toLowerCase() === 'bit' || (unit === 'b' && parts[2] !== '');
  return (Number(parts[1]) * (SCALES[(parts[2] as string).toLowerCase()] as number)) / (bits ? 8 : 1);
}

/** Reads `10s`, `500ms`, `1h30m`; a bare number counts in `unit`. @returns milliseconds, or what is wrong. */
export function readDuration(text: string, unit: 's' | 'ms'): number | string {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * (UNITS[unit] as number);
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/i.test(text)) return `'${text}' is no time: write 500ms, 10s, 5m or 1h30m`;
  let total = 0;
  for (const part of text.matchAll(/([\d.]+)([a-z]+)/gi))
    total += Number(part[1]) * (UNITS[(part[2] as string).toLowerCase()] as number);
  return total;
}

/** Reads `443`, `80,443` or `8000-8100`. @returns the ranges, or what is wrong. */
export function readNumbers(text: string): readonly Range[] | string {
  return readList(text, (item) => {
    const parts = /^(?:AS)?(\d{1,10})(?:-(\d{1,10}))?$/i.exec(item);
    if (parts === null) return `'${item}' is no number`;
    return range(item, Number(parts[1]), Number(parts[2] ?? parts[1]));
  });
}

/** `readNumbers` for ports, up to 65535, where the name of a service stands for its ports. */
export function readPorts(text: string): readonly Range[] | string {
  return readList(text, (item) => {
    const parts = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(item);
    if (parts === null) {
      const ports = servicePorts(item.toLowerCase());
      return ports.length > 0
        ? ports.map((port) => [port, port] as const)
        : `'${item}' is no port: write 443, 80,443 or 8000-8100`;
    }
    const high = Number(parts[2] ?? parts[1]);
    return high > 65_535 ? `'${item}' is no port: the highest is 65535` : range(item, Number(parts[1]), high);
  });
}

/** Reads `10.0.0.0/8`, `fd00::/8`, a single address, or several with commas. @returns the blocks, or what is wrong. */
export function readBlocks(text: string): readonly AddressBlock[] | string {
  return readList(text, (item) => {
    const slash = item.indexOf('/');
    const words = new Int32Array(ADDRESS_WORDS);
    const length = slash < 0 ? null : item.slice(slash + 1);
    if (!parseAddress(slash < 0 ? item : item.slice(0, slash), words) || (length !== null && !/^\d{1,3}$/.test(length)))
      return `'${item}' is no network: write 10.0.0.0/8 or fd00::/8`;
    const most = isV4(words, 0) && !item.includes(':') ? 32 : 128;
    const bits = length === null ? most : Number(length);
    if (bits > most) return `'${item}' is no network: /${most} is the longest`;
    return [{ words, bits: bits + 128 - most }];
  });
}

/** True when an address lies within a block. An IPv6 block holds no IPv4 address, though those are kept v4-mapped. */
export function inBlock(words: Int32Array, block: AddressBlock): boolean {
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
  if (items.length > MOST_ITEMS) return `a list has at most ${MOST_ITEMS} items`;
  const all: Item[] = [];
  for (const item of items) {
    if (item.trim() === '') return `'${text}' has a comma too many`;
    const found = read(item.trim());
    if (typeof found === 'string') return found;
    all.push(...found);
  }
  return all;
}
