// Takes sockets' byte counts from nettop, for the view without packets. It merges sockets with the same ends and skips rows without counts.
// It needs no rights.

import { PROTOCOL } from '../../../net/numbers.ts';
import type { Edges } from '../../../system/edges.ts';
import { ANY_ADDRESS, emptyCount, type SocketCount, type SocketCounts, TCP_LISTEN } from '../socket-table.ts';
import { busiestLast, type NettopRecord } from './nettop.ts';
import { NettopPoll } from './nettop-poll.ts';

const LISTEN = /^listen/i;
/** Lists for which a missing socket is remembered, about two minutes. Otherwise a process that is missing for a while would have all its bytes counted again. */
const LINGERS = 120;

/** Runs nettop repeatedly. `ask` delivers each list once. */
export class NettopCounts implements SocketCounts {
  readonly driver = 'nettop';
  readonly lingers = LINGERS;
  readonly #poll: NettopPoll;
  readonly #now: () => number;
  readonly #count = emptyCount(PROTOCOL.TCP);
  /** Whether a list has arrived. The first run after a boot takes 4 to 6 s. */
  #hasAnswered = false;
  #list: readonly NettopRecord[] | null = null;

  /** @param now monotonic ms */
  constructor(edges: Edges, now: () => number) {
    this.#poll = new NettopPoll(edges);
    this.#now = now;
  }

  get note(): string {
    if (this.#poll.failure !== null) return `nettop failed: ${this.#poll.failure}`;
    return this.#hasAnswered ? '' : 'nettop is starting, which can take a few seconds';
  }

  ask(each: (count: SocketCount) => void): boolean {
    if (this.#poll.isReady(this.#now())) {
      this.#poll.start({
        read: ({ records }) => {
          this.#list = records;
          this.#hasAnswered = true;
        },
        again: () => undefined,
        failed: () => undefined,
      });
    }
    if (this.#list === null) return false;
    const sockets = socketsOf(this.#list);
    this.#list = null;
    for (const listens of [true, false])
      for (const [cookie, record] of sockets) if (listens === isListening(record)) each(this.#fill(cookie, record));
    return true;
  }

  close(): void {
    this.#poll.close();
    this.#list = null;
  }

  #fill(cookie: string, record: NettopRecord): SocketCount {
    const { local, remote, family, protocol, pid, name } = record;
    const count = this.#count;
    const any = ANY_ADDRESS[family];
    for (let i = 0; i < 4; i++) {
      count.words[i] = (local.words ?? any)[i] as number;
      count.words[4 + i] = (remote?.words ?? any)[i] as number;
    }
    count.ownPort = local.port;
    count.otherPort = remote?.port ?? 0;
    count.protocol = protocol;
    count.cookie = cookie;
    count.state = isListening(record) ? TCP_LISTEN : 0;
    count.rxBytes = record.rxBytes ?? 0;
    count.txBytes = record.txBytes ?? 0;
    count.process = { pid, name, exact: remote !== null };
    count.interface = record.interface;
    return count;
  }
}

function isListening({ protocol, state, remote }: NettopRecord): boolean {
  return protocol === PROTOCOL.TCP && (remote === null || LISTEN.test(state ?? ''));
}

/**
 * One record for each process and pair of ends, busiest first. Unconnected sockets are summed. A connection that nettop lists both as QUIC and
 * as the UDP beneath it counts once.
 */
function socketsOf(records: readonly NettopRecord[]): ReadonlyMap<string, NettopRecord> {
  const sockets = new Map<string, NettopRecord>();
  for (const record of busiestLast(records).toReversed()) {
    const { local, remote, protocol, family, pid, name } = record;
    if (remote === null && local.port === 0) continue; // can't be told from others
    if (!isListening(record) && (record.rxBytes === null || record.txBytes === null)) continue;
    const ends = [local, remote].map((end) => `${end?.words?.join('.') ?? '*'}:${end?.port ?? 0}`);
    const cookie = [protocol, family, pid, name, ...ends].join(' ');
    const known = sockets.get(cookie);
    if (known === undefined) sockets.set(cookie, record);
    else if (remote === null)
      sockets.set(cookie, { ...known, rxBytes: sum(known.rxBytes, record.rxBytes), txBytes: sum(known.txBytes, record.txBytes) });
  }
  return sockets;
}

function sum(a: number | null, b: number | null): number {
  return (a ?? 0) + (b ?? 0);
}
