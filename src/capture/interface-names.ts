// The interfaces that a capture names, as a bounded table of Uint16 indexes. The list only grows: new tunnels appear while it runs.

import { sanitize } from '../net/text.ts';
import { interfaceKind } from './interface-kind.ts';
import { NameIndex } from './name-index.ts';
import type { CaptureInterface } from './source.ts';

const LIMIT = 1_024;
const NAME_BYTES = 64;
const PKTAP_BIT = 0x1_0000;

const decoder = new TextDecoder('utf-8');
const encoder = new TextEncoder();

/**
 * Interfaces by name and link type. When the table is full, its last entry, `other interfaces`, stands for all that come after.
 */
export class InterfaceTable {
  readonly interfaces: CaptureInterface[] = [];
  readonly #index = new NameIndex(LIMIT, NAME_BYTES);

  /**
   * Index of an interface.
   *
   * @param link LINKTYPE of its frames
   * @param pktap true where PKTAP delivered them: then loopback packets come twice
   * @param from the name is `bytes[from..to)`, without its NUL; 64 bytes count
   */
  indexOf(link: number, pktap: boolean, bytes: Uint8Array, from: number, to: number): number {
    const key = pktap ? link | PKTAP_BIT : link;
    const found = this.#index.find(key, bytes, from, to);
    if (found >= 0) return found;
    return this.#enter(key, link, pktap, bytes, from, to);
  }

  /** `indexOf` for a name that is text. */
  named(link: number, pktap: boolean, name: string): number {
    const bytes = encoder.encode(name);
    return this.indexOf(link, pktap, bytes, 0, bytes.length);
  }

  #enter(key: number, link: number, pktap: boolean, bytes: Uint8Array, from: number, to: number): number {
    if (this.interfaces.length >= LIMIT) return LIMIT - 1;
    this.#index.add(key, bytes, from, to);
    const last = this.interfaces.length === LIMIT - 1;
    const name = sanitize(decoder.decode(bytes.subarray(from, Math.min(to, from + NAME_BYTES))));
    const kind = last ? 'virtual' : interfaceKind(name);
    const deliversTwice = pktap && kind === 'loopback';
    return this.interfaces.push({ name: last ? 'other interfaces' : name, kind, link, deliversTwice }) - 1;
  }
}
