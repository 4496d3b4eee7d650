// Sockets that the kernel reported, by their ends: the newest tens of thousands, in two generations, so that nothing is ever searched to be thrown away.

import { SocketTable } from './socket-table.ts';

/** Sockets in a generation; two are kept, so at least this many of the newest are known. */
const GENERATION = 32_768;
const ANY = new Int32Array(4);

/** Holders by the ends of their sockets. */
export class ReportedSockets {
  #newer = new SocketTable();
  #former = new SocketTable();
  /** How the last `find` was answered. */
  match: 'exact' | 'wildcard' | 'listener' = 'exact';

  /**
   * Enters a socket whose own address lies in `words` at `near`, the other end's at the other half.
   *
   * @param isOpen it is not connected: it will speak to others from the same port; each is reported too, unless the ring overflows
   */
  enter(
    protocol: number,
    words: Int32Array,
    near: number,
    nearPort: number,
    farPort: number,
    isOpen: boolean,
    holder: number,
  ): void {
    if (this.#newer.count >= GENERATION) {
      const spent = this.#former;
      this.#former = this.#newer;
      spent.clear();
      this.#newer = spent;
    }
    this.#newer.add(protocol, words, near, nearPort, words, 4 - near, farPort, holder);
    if (isOpen && nearPort !== 0) this.#newer.add(protocol, ANY, 0, nearPort, ANY, 0, 0, holder);
  }

  /** Holder of the socket that was reported with just these ends, or 0. */
  findExact(protocol: number, words: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    return (
      this.#newer.findExact(protocol, words, near, nearPort, far, farPort) ||
      this.#former.findExact(protocol, words, near, nearPort, far, farPort)
    );
  }

  /** Holder of the socket with these ends, or 0. */
  find(protocol: number, words: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    for (const table of [this.#newer, this.#former]) {
      const holder = table.find(protocol, words, near, nearPort, far, farPort);
      if (holder === 0) continue;
      this.match = table.match === 'none' ? 'exact' : table.match;
      return holder;
    }
    return 0;
  }
}
