// Encrypted DNS by app and resolver: connections and bytes, for nothing else of it can be read. Bounded: what finds no room has a row together.

import type { FlowTable } from '../../flow/flow-table.ts';
import type { EncryptedDnsRow, EncryptedTraffic } from '../../model/dns.ts';
import { type EncryptedTransport, type FlowFacts, NO_OWNER, type ProcessDirectory } from '../../model/terms.ts';
import { formatAddress } from '../../net/address.ts';

/** Pairs of an app and a resolver. */
export const MAX_ENCRYPTED = 512;
const OTHERS = 'other resolvers';

interface EncryptedParts {
  readonly flows: FlowTable;
  readonly directory: ProcessDirectory;
  readonly facts: FlowFacts;
}

interface Entry {
  readonly id: string;
  readonly app: string | null;
  readonly reason: string | null;
  readonly host: string;
  readonly transport: EncryptedTransport;
  connections: number;
  rx: number;
  tx: number;
  lastSeen: number;
  /** How much of this was taken. */
  takenConnections: number;
  takenRx: number;
  takenTx: number;
}

/** What was counted of a flow, and where. */
interface Counted {
  readonly serial: number;
  readonly entry: Entry;
  rx: number;
  tx: number;
}

/** Counts the flows that speak encrypted DNS. */
export class EncryptedDns {
  readonly #parts: EncryptedParts;
  readonly #entries = new Map<string, Entry>();
  /** By row, of flows in the table. */
  readonly #counted = new Map<number, Counted>();
  #rows: readonly EncryptedDnsRow[] = [];
  #isChanged = false;

  constructor(parts: EncryptedParts) {
    this.#parts = parts;
  }

  /** Counts what a flow moved last. Call it while its row can still be read. */
  flowLeaves(row: number): void {
    this.flowMoved(row);
    this.#counted.delete(row);
  }

  /** The busiest first; the same list while nothing changes. */
  rows(): readonly EncryptedDnsRow[] {
    if (!this.#isChanged) return this.#rows;
    this.#isChanged = false;
    this.#rows = [...this.#entries.values()]
      .filter(({ connections }) => connections > 0)
      .map((entry) => ({ ...trafficOf(entry), id: entry.id, lastSeen: entry.lastSeen }))
      .sort((a, b) => b.rxBytes + b.txBytes - a.rxBytes - a.txBytes);
    return this.#rows;
  }

  /** What was counted since the last call. An owner or a name that came late takes from one row what it adds to another. */
  take(): readonly EncryptedTraffic[] {
    const taken: EncryptedTraffic[] = [];
    for (const entry of this.#entries.values()) {
      const { takenConnections, takenRx, takenTx, ...now } = entry;
      const more = { connections: now.connections - takenConnections, rx: now.rx - takenRx, tx: now.tx - takenTx };
      if (more.connections === 0 && more.rx === 0 && more.tx === 0) continue;
      taken.push(trafficOf({ ...now, ...more }));
      entry.takenConnections = now.connections;
      entry.takenRx = now.rx;
      entry.takenTx = now.tx;
    }
    return taken;
  }

  /** Counts what a flow moved since it was last seen, if it is one of these. */
  flowMoved(row: number): void {
    const { flows, facts } = this.#parts;
    const transport = facts.encryptedDnsOf(row);
    if (transport === null) return;
    const entry = this.#entryOf(row, transport);
    const serial = flows.serial(row);
    const before = this.#counted.get(row);
    const isKnown = before !== undefined && before.serial === serial;
    const [rx, tx] = [flows.rxBytes(row), flows.txBytes(row)];
    if (isKnown && before.entry === entry) {
      entry.rx += rx - before.rx;
      entry.tx += tx - before.tx;
      before.rx = rx;
      before.tx = tx;
    } else {
      if (isKnown) {
        // Its owner or its name came late.
        before.entry.connections--;
        before.entry.rx -= before.rx;
        before.entry.tx -= before.tx;
      }
      entry.connections++;
      entry.rx += rx;
      entry.tx += tx;
      this.#counted.set(row, { serial, entry, rx, tx });
    }
    entry.lastSeen = Math.max(entry.lastSeen, flows.lastSeen(row));
    this.#isChanged = true;
  }

  #entryOf(row: number, transport: EncryptedTransport): Entry {
    const { flows, directory, facts } = this.#parts;
    const owner = flows.owner(row);
    const process = owner === NO_OWNER ? undefined : directory.process(owner);
    const app = process === undefined ? null : (directory.app(process.app)?.name ?? null);
    const reason = app === null ? flows.reason(row) : null;
    const name = facts.nameOf(row);
    const host = name >= 0 ? facts.nameText(name) : formatAddress(flows.words, flows.remoteAt(row));
    return this.#entry(app, reason, host, transport);
  }

  #entry(app: string | null, reason: string | null, host: string, transport: EncryptedTransport): Entry {
    const id = `${transport}\0${app ?? `\0${reason}`}\0${host}`;
    const known = this.#entries.get(id);
    if (known !== undefined) return known;
    if (this.#entries.size >= MAX_ENCRYPTED && host !== OTHERS) return this.#entry(null, 'more apps', OTHERS, transport);
    const taken = { takenConnections: 0, takenRx: 0, takenTx: 0 };
    const made = { id, app, reason, host, transport, connections: 0, rx: 0, tx: 0, lastSeen: 0, ...taken };
    this.#entries.set(id, made);
    return made;
  }
}

function trafficOf({ app, reason, host, transport, connections, rx, tx }: Omit<Entry, `taken${string}`>): EncryptedTraffic {
  return { app, reason, host, transport, connections, rxBytes: rx, txBytes: tx };
}
