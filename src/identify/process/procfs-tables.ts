// The socket tables of the machine: our own network namespace's, and, for what is not in them, those of the other namespaces.

import { NetNamespaces } from './net-namespaces.ts';
import { ProcNetReader } from './proc-net.ts';
import { type Match, SocketTable } from './socket-table.ts';

/** Reads tables and looks ends up in them; the answer is a socket's inode, which is unique over all namespaces. */
export class ProcfsTables {
  readonly #folder: string;
  readonly #reader = new ProcNetReader();
  readonly #own = new SocketTable();
  readonly #others = new SocketTable();
  readonly #namespaces: NetNamespaces;
  /** How the last `find` was answered. */
  match: Match = 'none';

  /** @param proc `/proc` */
  constructor(proc: string) {
    this.#folder = `${proc}/net`;
    this.#namespaces = new NetNamespaces(proc);
  }

  /**
   * Reads the tables anew.
   *
   * @param wide also those of other namespaces
   * @returns false where not even our own can be read
   */
  read(wide: boolean, now: number): boolean {
    this.#own.clear();
    this.#others.clear();
    const readable = this.#reader.read(this.#folder, this.#own) > 0;
    if (wide) for (const folder of this.#namespaces.folders(now)) this.#reader.read(folder, this.#others);
    return readable;
  }

  /** Inode of the socket whose own address lies in `ends` at `near`, the other end's at `far`; 0 where there is none. */
  find(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    for (const table of [this.#own, this.#others]) {
      const inode = table.find(protocol, ends, near, nearPort, far, farPort);
      this.match = table.match;
      if (inode !== 0) return inode;
    }
    return 0;
  }

  /** True when at most one socket of our own namespace uses the port. */
  isSole(protocol: number, localPort: number): boolean {
    return this.#own.isSole(protocol, localPort);
  }
}
