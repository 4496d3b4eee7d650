// Listening sockets and their processes from lsof, on a Mac. It takes some 190 ms of CPU a run, so it runs once a minute.

import { PROTOCOL } from '../../../net/numbers.ts';
import { ChildPoll } from '../../../system/child-poll.ts';
import type { Edges } from '../../../system/edges.ts';
import { LSOF_ARGUMENTS, type LsofRecord, parseLsof } from '../macos/lsof.ts';
import { ANY_ADDRESS } from '../socket-table.ts';
import type { HeldSocket, ListeningSource } from './listeners.ts';
import { MAX_LISTENERS } from './sockets.ts';

const PAUSE_MS = 60_000;
const LIMITS = { timeoutMs: 10_000, maxBytes: 16 << 20 };

/** Polls `lsof -F`. Without root it lists only the user's own processes. */
export class LsofListeningSource implements ListeningSource {
  readonly #edges: Edges;
  readonly #pathOf: (pid: number) => string | null;
  readonly #poll: ChildPoll;
  #found: readonly HeldSocket[] | null = null;

  /** @param pathOf path of a process's executable; null if unknown */
  constructor(edges: Edges, pathOf: (pid: number) => string | null) {
    this.#edges = edges;
    this.#pathOf = pathOf;
    this.#poll = new ChildPoll(edges, { path: edges.paths.lsof, pauseMs: PAUSE_MS, limits: LIMITS });
  }

  get failure(): string | null {
    return this.#poll.failure === null ? null : `lsof failed: ${this.#poll.failure}`;
  }

  get note(): string {
    return this.#edges.euid() === 0 ? '' : 'lsof lists only your own processes';
  }

  work(now: number): readonly HeldSocket[] | null {
    if (this.#poll.isReady(now)) {
      this.#poll.start({
        args: LSOF_ARGUMENTS,
        read: ({ stdout }) => {
          this.#found = parseLsof(stdout)
            .filter(isListening)
            .slice(0, MAX_LISTENERS)
            .map((record) => this.#held(record));
          return null;
        },
        failed: () => undefined,
      });
    }
    const found = this.#found;
    this.#found = null;
    return found;
  }

  close(): void {
    this.#poll.close();
  }

  #held({ pid, name, uid, protocol, family, local }: LsofRecord): HeldSocket {
    const exe = this.#pathOf(pid);
    const words = local.words ?? ANY_ADDRESS[family];
    const socket = { protocol, words, port: local.port, inode: 0, uid, elsewhere: false };
    return {
      socket,
      holder: { pid, name, exe, uid, parentPid: null, startTime: null, script: null, unit: null },
    };
  }
}

function isListening({ protocol, state, local, remote }: LsofRecord): boolean {
  if (local.port === 0 || remote !== null) return false;
  return protocol === PROTOCOL.UDP || (protocol === PROTOCOL.TCP && state === 'LISTEN');
}
