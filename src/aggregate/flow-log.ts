// The log of flows that closed, for history: so many a second, the rest counted.

import type { LoggedFlow } from './history-batch.ts';
import type { FlowRow } from './snapshot.ts';

/** Flows a second; each costs text. */
const PER_SECOND = 200;
const MOST_WAITING = 1000;

/** Gathers flows between two collections. */
export class FlowLog {
  readonly #rowOf: (row: number) => FlowRow;
  readonly #exeOf: (row: number) => string | null;
  #flows: LoggedFlow[] = [];
  #unlogged = 0;
  #room = PER_SECOND;
  #filledAt = Number.NaN;

  /** @param rowOf, exeOf of a row of the flow table */
  constructor(rowOf: (row: number) => FlowRow, exeOf: (row: number) => string | null) {
    this.#rowOf = rowOf;
    this.#exeOf = exeOf;
  }

  /** Forgets what was gathered. */
  clear(): void {
    this.#flows = [];
    this.#unlogged = 0;
  }

  /** A flow that is over. */
  add(row: number): void {
    if (this.#room < 1) {
      this.#unlogged++;
      return;
    }
    this.#room--;
    this.#flows.push(loggedFlow(this.#rowOf(row), this.#exeOf(row)));
  }

  /** What was gathered; then there is room for what the time up to the next may bring. @param time epoch ms */
  take(time: number): { readonly flows: readonly LoggedFlow[]; readonly unlogged: number } {
    const taken = { flows: this.#flows, unlogged: this.#unlogged };
    this.clear();
    const passed = Number.isNaN(this.#filledAt) ? 1000 : Math.max(0, time - this.#filledAt);
    this.#filledAt = time;
    this.#room = Math.min(MOST_WAITING, this.#room + (passed * PER_SECOND) / 1000);
    return taken;
  }
}

function loggedFlow(row: FlowRow, exe: string | null): LoggedFlow {
  const { protocol, direction, app, reason, pid, attribution, host, nameSource, domain, application, category } = row;
  const { rxBytes, txBytes, rxPackets, txPackets, firstSeen, lastSeen, local, remote } = row;
  const ends = {
    localAddress: local.address,
    localPort: local.port,
    remoteAddress: remote.address,
    remotePort: remote.port,
  };
  const owner = { app, reason, exe, pid, attribution };
  const facts = { host, nameSource, domain, application, category };
  const traffic = { rxBytes, txBytes, rxPackets, txPackets };
  return {
    start: firstSeen,
    end: lastSeen,
    protocol,
    direction,
    interface: row.interface,
    ...ends,
    ...owner,
    ...facts,
    ...traffic,
  };
}
