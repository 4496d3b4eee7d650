// The socket tables of the machine: our own network namespace's, and, for what is not in them, those of the other namespaces.

import { scopeOf } from '../../net/address.ts';
import { NetNamespaces } from './net-namespaces.ts';
import type { Proc } from './proc.ts';
import { filesOf, ProcNetReader } from './proc-net.ts';
import { type Match, SocketTable } from './socket-table.ts';

/** Somebody who can be asked for one socket by its ends. */
export interface SingleSockets {
  /** How the last `find` was answered. */
  readonly match: Match;
  answers(protocol: number): boolean;
  find(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number;
}

/** Reads tables and looks ends up in them; the answer is a socket's inode, which is unique over all namespaces. */
export class ProcfsTables {
  readonly #query: SingleSockets | null;
  readonly #folder: string;
  /** Protocols of which our own table was read. */
  #listed = new Set<number>();
  readonly #reader = new ProcNetReader();
  readonly #own = new SocketTable();
  readonly #others = new SocketTable();
  readonly #namespaces: NetNamespaces;
  /** How the last `find` was answered. */
  match: Match = 'none';

  /**
   * @param query asks for single sockets; null where only tables tell
   */
  constructor(proc: Proc, query: SingleSockets | null = null) {
    this.#query = query;
    this.#folder = `${proc.path}/net`;
    this.#namespaces = new NetNamespaces(proc);
  }

  /**
   * Reads the tables anew, as far as look-ups need them.
   *
   * @param protocols of the flows that are looked up
   * @param isWide also the tables of other namespaces
   * @param isDeep also our own of protocols for which single sockets can be asked: those bound to an interface are in them alone
   * @returns false where not even our own can be read
   */
  read(protocols: ReadonlySet<number>, isWide: boolean, isDeep: boolean, now: number): boolean {
    this.#own.clear();
    this.#others.clear();
    this.#listed = new Set(isDeep ? protocols : [...protocols].filter((protocol) => this.#query?.answers(protocol) !== true));
    const files = filesOf(this.#listed);
    const isReadable = files.size === 0 || this.#reader.read(this.#folder, this.#own, files) > 0;
    if (isWide) for (const folder of this.#namespaces.folders(now)) this.#reader.read(folder, this.#others, filesOf(protocols));
    return isReadable;
  }

  /**
   * Inode of the socket whose own address lies in `ends` at `near`, the other end's at `far`; 0 where there is none. The address is one of
   * this namespace: a socket elsewhere that has the port alone is not meant.
   */
  find(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    const inode = this.#findOwn(protocol, ends, near, nearPort, far, farPort);
    if (inode !== 0 || scopeOf(ends, near) === 'loopback') return inode;
    const other = this.#others.find(protocol, ends, near, nearPort, far, farPort);
    if (other === 0 || this.#others.match !== 'exact') return 0;
    this.match = 'exact';
    return other;
  }

  /** As `find`, for an address that may be another namespace's. */
  findAnywhere(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    const inode = this.#findOwn(protocol, ends, near, nearPort, far, farPort);
    if (inode !== 0 || scopeOf(ends, near) === 'loopback') return inode;
    const other = this.#others.find(protocol, ends, near, nearPort, far, farPort);
    this.match = this.#others.match;
    return other;
  }

  #findOwn(protocol: number, ends: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    const query = this.#query?.answers(protocol) === true ? this.#query : null;
    const told = query?.find(protocol, ends, near, nearPort, far, farPort) ?? 0;
    this.match = query?.match ?? 'none';
    if (told !== 0) return told;
    const inode = this.#own.find(protocol, ends, near, nearPort, far, farPort);
    this.match = this.#own.match;
    return inode;
  }

  /** True when at most one socket of our own namespace uses the port. */
  isSole(protocol: number, localPort: number): boolean {
    if (!this.#listed.has(protocol)) {
      this.#listed.add(protocol);
      this.#reader.read(this.#folder, this.#own, filesOf([protocol]));
    }
    return this.#own.isSole(protocol, localPort);
  }
}
