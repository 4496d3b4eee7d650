// Finds a device's vendor by the prefix of its hardware address. The table is a file under data/, read on first use: most runs never need it.

import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { readOwnFile } from '../../system/own-files.ts';
import { isDevice, isLocallyAdministered, macOfBytes, parseMac } from './mac.ts';

/** Shown as the vendor of a made-up address. Phones and laptops use a different one on each network. */
export const RANDOMISED = 'randomised address';

/**
 * Unassigned prefixes that virtual machines and containers use: Docker before version 28 (libnetwork, `netutils.GenerateMACFromIP`), QEMU
 * (`qemu_macaddr_default_if_unset`), Lima.
 */
const SELF_MADE: readonly (readonly [prefix: number, bits: number, name: string])[] = [
  [0x525400, 24, 'QEMU virtual machine'],
  [0x525555, 24, 'Lima virtual machine'],
  [0x0242ac, 24, 'Docker container'],
  [0x0242, 32, 'Docker'],
];

/** Assigned blocks of one size, by prefix. */
interface Blocks {
  /** Size of one block. */
  readonly size: number;
  readonly prefixes: Float64Array;
  readonly names: Uint16Array;
}

const HEAD_BYTES = 24;
const TABLE = 'data/vendors.bin';
const LONGEST_TABLE = 4 << 20;
/** Number of addresses under a prefix of 24, 28 and 36 bits. */
const SIZES = [2 ** 24, 2 ** 20, 2 ** 12];

/** The unpacked table: one buffer of names, and sorted prefixes; about 1.2 MB. */
export class Vendors {
  readonly #text: Buffer;
  /** Start of each name, and the end of the last. */
  readonly #starts: Uint32Array;
  /** Smallest blocks first, because they lie inside larger ones. */
  readonly #blocks: readonly Blocks[];

  /** @param table in the layout of scripts/build-vendors.mjs @throws RangeError if it is broken */
  constructor(table: Buffer) {
    const head = Array.from({ length: HEAD_BYTES / 4 }, (_, i) => table.readUInt32LE(i * 4));
    const [nameBytes = 0, nameCount = 0, stepBytes = 0, ...counts] = head;
    const total = counts.reduce((sum, count) => sum + count, 0);
    const lengths = HEAD_BYTES + nameBytes;
    const steps = lengths + nameCount;
    const numbers = steps + stepBytes;
    if (table.length !== numbers + 2 * total) throw new RangeError('the table of vendors is broken');
    this.#text = table.subarray(HEAD_BYTES, lengths);
    this.#starts = new Uint32Array(nameCount + 1);
    for (let i = 0; i < nameCount; i++) this.#starts[i + 1] = (this.#starts[i] as number) + (table[lengths + i] as number);
    let at = steps;
    let entry = 0;
    let fresh = 0;
    this.#blocks = counts
      .map((count, list) => {
        const blocks = { size: SIZES[list] ?? 1, prefixes: new Float64Array(count), names: new Uint16Array(count) };
        let prefix = 0;
        for (let i = 0; i < count; i++, entry++) {
          for (let scale = 1, more = true; more; scale *= 128) {
            const byte = table[at++] as number;
            prefix += (byte & 0x7f) * scale;
            more = byte > 0x7f;
          }
          blocks.prefixes[i] = prefix;
          const number = ((table[numbers + entry] as number) << 8) | (table[numbers + total + entry] as number);
          blocks.names[i] = number === 0 ? fresh++ : number - 1;
        }
        return blocks;
      })
      .reverse();
  }

  /** Loads the program's table. Rejects if the file is missing or broken. */
  static async load(read: () => Buffer = () => readOwnFile(TABLE)): Promise<Vendors> {
    return new Vendors(await promisify(inflate)(read(), { maxOutputLength: LONGEST_TABLE }));
  }

  /**
   * Short name of the vendor that owns the address's block; RANDOMISED for a locally administered address.
   *
   * @param mac six bytes, their text, or their number
   * @returns null for groups, for unknown blocks, and for anything that isn't a hardware address
   */
  vendorOf(mac: Uint8Array | string | number): string | null {
    const value = typeof mac === 'number' ? mac : typeof mac === 'string' ? parseMac(mac) : macOfBytes(mac);
    if (value === null || !isDevice(value)) return null;
    if (isLocallyAdministered(value)) return selfMade(value);
    for (const { size, prefixes, names } of this.#blocks) {
      const at = find(prefixes, Math.floor(value / size));
      if (at >= 0) return this.#name(names[at] as number);
    }
    return null;
  }

  #name(number: number): string | null {
    const start = this.#starts[number];
    const end = this.#starts[number + 1];
    return start === undefined || end === undefined ? null : this.#text.toString('utf8', start, end);
  }
}

/** Name for a locally administered address, by known prefixes. */
function selfMade(mac: number): string {
  for (const [prefix, bits, name] of SELF_MADE) if (Math.floor(mac / 2 ** bits) === prefix) return name;
  return RANDOMISED;
}

/** Index of `wanted` in ascending numbers; -1 if absent. */
function find(sorted: Float64Array, wanted: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle] as number;
    if (value === wanted) return middle;
    if (value < wanted) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
