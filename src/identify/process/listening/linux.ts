// Lists listening sockets on Linux: those of this network namespace by sock_diag(7), which answers in microseconds however many connections
// there are; those of other namespaces, and ours where the kernel lacks sock_diag, from the tables in /proc.

import { PROTOCOL } from '../../../net/numbers.ts';
import type { Proc } from '../linux/procfs/proc.ts';
import { filesOf, NetNamespaces, ProcNetReader } from '../linux/procfs/tables.ts';
import { SocketTable } from '../socket-table.ts';
import { type ListeningSocket, MAX_LISTENERS } from './sockets.ts';

const PROTOCOLS = [PROTOCOL.TCP, PROTOCOL.UDP] as const;
/** Longest read of other namespaces' tables. */
const TABLES_MS = 100;

/** The kernel's own list of this network namespace. */
export interface KernelListening {
  /** @returns null if the kernel doesn't answer */
  list(): ListeningSocket[] | null;
  close(): void;
}

/** Lists the machine's listening sockets. */
export class LinuxListening {
  readonly #proc: Proc;
  readonly #kernel: KernelListening | null;
  readonly #reader = new ProcNetReader();
  readonly #namespaces: NetNamespaces;

  /** @param kernel null where sock_diag is missing */
  constructor(proc: Proc, kernel: KernelListening | null) {
    this.#proc = proc;
    this.#kernel = kernel;
    this.#namespaces = new NetNamespaces(proc);
  }

  /** Listening sockets of this network namespace; null if they can't be read. */
  own(): ListeningSocket[] | null {
    return this.#kernel?.list() ?? this.#listed([`${this.#proc.path}/net`], false);
  }

  /** Those of all other network namespaces that can be seen. Takes a tenth of a second at most. @param now monotonic ms */
  others(now: number): ListeningSocket[] {
    return this.#listed(this.#namespaces.folders(now), true) ?? [];
  }

  close(): void {
    this.#kernel?.close();
  }

  #listed(folders: readonly string[], elsewhere: boolean): ListeningSocket[] | null {
    const found: ListeningSocket[] = [];
    const until = performance.now() + TABLES_MS;
    let files = 0;
    for (const folder of folders) {
      const table = new SocketTable();
      files += this.#reader.read(folder, table, filesOf(PROTOCOLS), until);
      table.unconnected((protocol, words, port, inode) => {
        if (found.length < MAX_LISTENERS) found.push({ protocol, words, port, inode, uid: null, elsewhere });
      });
    }
    return files > 0 ? found : null;
  }
}
