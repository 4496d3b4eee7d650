// What waits for connections: listening sockets with the processes that hold them. Polled on the tick clock; nothing here sees a packet.

import type { Listener } from '../../../model/listeners.ts';
import { PROTOCOL } from '../../../net/numbers.ts';
import { type ContainerSource, contained, foldApp, type Users } from '../directory.ts';
import type { ProcessFacts } from '../process-facts.ts';
import type { StartClock } from '../start-clock.ts';
import { boundAddress, type ListeningSocket, MAX_LISTENERS, reachOf } from './sockets.ts';

/** A listening socket and the process that holds it; null if none is known. */
export interface HeldSocket {
  readonly socket: ListeningSocket;
  readonly holder: ProcessFacts | null;
}

/** Lists listening sockets from time to time. */
export interface ListeningSource {
  /** Why there is no list now; null if nothing is wrong. */
  readonly failure: string | null;
  /** Why some listeners or their processes are missing; empty if none are. */
  readonly note: string;
  /** Does a few milliseconds of work at most. @param now monotonic ms @returns the whole list, if it was read again */
  work(now: number): readonly HeldSocket[] | null;
  close(): void;
}

/** The listeners of this machine. */
export class Listeners {
  /** By protocol, port and address; a new list whenever something changed. null until the first list is there. */
  rows: readonly Listener[] | null = null;
  readonly #source: ListeningSource;
  readonly #users: Users;
  readonly #starts: StartClock | null;
  readonly #containers: ContainerSource | null;
  readonly #since = new Map<string, number | null>();

  /** @param starts null if start times aren't in ticks @param containers null leaves containers without names */
  constructor(source: ListeningSource, users: Users, starts: StartClock | null, containers: ContainerSource | null = null) {
    this.#containers = containers;
    this.#source = source;
    this.#users = users;
    this.#starts = starts;
  }

  get failure(): string | null {
    return this.#source.failure;
  }

  get note(): string {
    return this.#source.note;
  }

  /**
   * Does pending work.
   *
   * @param now monotonic ms
   * @param time epoch ms
   * @returns listeners that weren't in the list before; empty for the first list
   */
  work(now: number, time: number): readonly Listener[] {
    const held = this.#source.work(now);
    if (held === null) return [];
    const isFirst = this.rows === null;
    const rows = new Map<string, Listener>();
    for (const each of held) {
      const row = this.#row(each, isFirst ? null : time);
      if (rows.size < MAX_LISTENERS && !rows.has(row.id)) rows.set(row.id, row);
    }
    const fresh = isFirst ? [] : [...rows.values()].filter(({ id }) => !this.#since.has(id));
    this.#since.clear();
    for (const { id, since } of rows.values()) this.#since.set(id, since);
    this.rows = [...rows.values()].sort(
      (a, b) => a.port - b.port || compare(a.protocol, b.protocol) || compare(a.address, b.address) || compare(a.id, b.id),
    );
    return fresh;
  }

  close(): void {
    this.#source.close();
  }

  #row({ socket, holder: held }: HeldSocket, time: number | null): Listener {
    const [holder, container] = held === null ? [null, null] : contained(held, this.#containers);
    const { port, elsewhere, inode } = socket;
    const protocol = socket.protocol === PROTOCOL.TCP ? 'tcp' : 'udp';
    const address = boundAddress(socket.words);
    // Sockets for both families, on any address, are one to the person who asks. So are those of a process that listens several times.
    const id = `${protocol} ${address} ${port} ${holder === null ? `inode ${inode}` : `${holder.pid} ${holder.startTime ?? ''}`}`;
    const known = this.#since.get(id);
    return {
      id,
      protocol,
      address,
      port,
      reach: reachOf(socket.words),
      app: holder === null ? null : foldApp(holder).name,
      exe: holder?.exe ?? null,
      pid: holder?.pid ?? null,
      user: this.#users.name(holder?.uid ?? socket.uid),
      unit: holder?.unit ?? null,
      container,
      startedAt: this.#starts?.time(holder?.startTime ?? null) ?? null,
      since: known === undefined ? time : known,
      elsewhere,
    };
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
