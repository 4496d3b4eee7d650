// Books what the processes of a command moved from now on, each flow once: as it leaves the table, or at the end. It looks at no flow before that,
// since by then its owner and its name are known.

import type { FlowTable } from '../flow/flow-table.ts';
import { OPENING } from '../flow/tcp.ts';
import type { Moved, ReceiptProcess, ReceiptRow } from '../model/receipt.ts';
import type { FlowRow } from '../model/snapshot.ts';
import { KERNEL_REASONS, NO_OWNER, type Process, type ProcessDirectory } from '../model/terms.ts';
import type { Booking } from './booking.ts';

/** Most rows; what others moved is in the total alone. */
const MOST_ROWS = 50_000;

/** What the books are kept with. */
export interface CommandBooksParts {
  readonly flows: FlowTable;
  readonly booking: Pick<Booking, 'counts' | 'mayCount'>;
  readonly directory: ProcessDirectory;
  readonly rowOf: (row: number) => FlowRow;
  /** How it is known that a process is the command's; null if it isn't. */
  readonly membership: (process: Process) => ReceiptProcess['membership'] | null;
  /** Fewer in tests. */
  readonly most?: number;
}

const NOTHING: Moved = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 };

type Row = { -readonly [K in keyof ReceiptRow]: ReceiptRow[K] };
type Sum = { -readonly [K in keyof Moved]: Moved[K] };

/** Keeps the books. */
export class CommandBooks {
  readonly total: Sum = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0 };
  connections = 0;
  foldedRows = 0;
  /** Connections of processes that nobody could name, and their bytes. */
  unowned = { connections: 0, bytes: 0 };
  readonly #parts: CommandBooksParts;
  readonly #rows = new Map<string, Row>();
  /** By process number; null for one that is no member. */
  readonly #members = new Map<number, ReceiptProcess | null>();
  /** What flows had moved before, by row. */
  readonly #before = new Map<number, Moved & { readonly serial: number }>();

  constructor(parts: CommandBooksParts) {
    this.#parts = parts;
    const { flows } = parts;
    for (let row = 0; row < flows.rows; row++) {
      if (!flows.isLive(row)) continue;
      const [rxBytes, txBytes, rxPackets, txPackets] = [
        flows.rxBytes(row),
        flows.txBytes(row),
        flows.rxPackets(row),
        flows.txPackets(row),
      ];
      this.#before.set(row, { serial: flows.serial(row), rxBytes, txBytes, rxPackets, txPackets });
    }
  }

  /** Books a flow that leaves. */
  flowLeaves(row: number): void {
    const { flows, booking, rowOf } = this.#parts;
    if (!booking.counts(row) && !booking.mayCount(row)) return; // it crosses another interface, where it counts
    const owner = this.#member(flows.owner(row));
    const peer = flows.isLocal(row) ? this.#member(flows.peer(row)) : null;
    if (owner === null && peer === null) {
      const reason = flows.reason(row);
      if (flows.owner(row) !== NO_OWNER || reason === null || KERNEL_REASONS.includes(reason)) return;
      const { rxBytes, txBytes } = this.#sinceNow(row, { ...NOTHING, rxBytes: flows.rxBytes(row), txBytes: flows.txBytes(row) });
      if (rxBytes + txBytes === 0) return;
      this.unowned.connections++;
      this.unowned.bytes += rxBytes + txBytes;
      return;
    }
    const flow = rowOf(row);
    const moved = this.#sinceNow(row, flow);
    if (moved.rxPackets + moved.txPackets === 0) return;
    const opening = flows.opening(row);
    const outcome = { refused: Number(opening === OPENING.REFUSED), unanswered: Number(opening === OPENING.WAITING) };
    add(this.total, owner === null ? turned(moved) : moved);
    this.connections++;
    if (owner !== null) this.#book(owner, flow, moved, outcome);
    if (peer !== null) this.#book(peer, flow, turned(moved), null);
  }

  /** What a flow moved of this since these books are kept. */
  #sinceNow(row: number, moved: Moved): Moved {
    const before = this.#before.get(row);
    if (before === undefined || before.serial !== this.#parts.flows.serial(row)) return moved;
    return {
      rxBytes: moved.rxBytes - before.rxBytes,
      txBytes: moved.txBytes - before.txBytes,
      rxPackets: moved.rxPackets - before.rxPackets,
      txPackets: moved.txPackets - before.txPackets,
    };
  }

  /** Books all flows that are still there. */
  finish(): void {
    const { flows } = this.#parts;
    for (let row = 0; row < flows.rows; row++) if (flows.isLive(row)) this.flowLeaves(row);
  }

  /** By bytes, most first. */
  rows(): ReceiptRow[] {
    return [...this.#rows.values()].sort((a, b) => b.rxBytes + b.txBytes - a.rxBytes - a.txBytes);
  }

  #member(id: number): ReceiptProcess | null {
    if (id === NO_OWNER) return null;
    const known = this.#members.get(id);
    if (known !== undefined) return known;
    const process = this.#parts.directory.process(id);
    const membership = process === undefined ? null : this.#parts.membership(process);
    const member = process === undefined || membership === null ? null : this.#facts(process, membership);
    this.#members.set(id, member);
    return member;
  }

  #facts(process: Process, membership: ReceiptProcess['membership']): ReceiptProcess {
    const { pid, name, exe, app, user, ancestors, startedAt } = process;
    const named = this.#parts.directory.app(app)?.name ?? name;
    return { pid, name, exe, app: named, user, ancestors: ancestors.map((above) => above.name), startedAt, membership };
  }

  /** @param told what became of it; null for its far end, which doesn't tell */
  #book(process: ReceiptProcess, flow: FlowRow, moved: Moved, told: Pick<Row, 'refused' | 'unanswered'> | null): void {
    const outcome = told ?? { refused: 0, unanswered: 0 };
    const { direction, protocol, host, local, remote } = flow;
    const isCalled = direction === 'inbound';
    const port = isCalled ? local.port : remote.port;
    const side = told === null ? 'far' : '';
    const key = `${process.pid} ${process.startedAt} ${process.exe ?? process.name}\0${direction}${side} ${protocol} ${host ?? ''} ${remote.address} ${port}`;
    const known = this.#rows.get(key);
    if (known !== undefined) {
      add(known, moved);
      known.connections++;
      known.refused += outcome.refused;
      known.unanswered += outcome.unanswered;
      known.firstSeen = Math.min(known.firstSeen, flow.firstSeen);
      known.lastSeen = Math.max(known.lastSeen, flow.lastSeen);
      return;
    }
    if (this.#rows.size >= (this.#parts.most ?? MOST_ROWS)) {
      this.foldedRows++;
      return;
    }
    const { rxBytes, txBytes, rxPackets, txPackets } = moved;
    const { domain, nameSource, nameReason, application, asn, attribution, firstSeen, lastSeen } = flow;
    this.#rows.set(key, {
      ...{ process, direction, protocol, host, domain, nameSource, nameReason, address: remote.address, port, application, asn },
      ...{ attribution, connections: 1, ...outcome, rxBytes, txBytes, rxPackets, txPackets, firstSeen, lastSeen },
    });
  }
}

function add(sum: Sum, { rxBytes, txBytes, rxPackets, txPackets }: Moved): void {
  sum.rxBytes += rxBytes;
  sum.txBytes += txBytes;
  sum.rxPackets += rxPackets;
  sum.txPackets += txPackets;
}

/** As the other end saw it. */
function turned({ rxBytes, txBytes, rxPackets, txPackets }: Moved): Moved {
  return { rxBytes: txBytes, txBytes: rxBytes, rxPackets: txPackets, txPackets: rxPackets };
}
