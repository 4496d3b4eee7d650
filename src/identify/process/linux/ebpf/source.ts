// Takes owners from the kernel's reports. It drains them before each batch, so a packet's owner is known before the packet is counted.

import { FLOW_DIRECTION } from '../../../../flow/direction.ts';
import type { FlowTable } from '../../../../flow/flow-table.ts';
import { NO_OWNER } from '../../../../model/terms.ts';
import { sameAddress, scopeOf } from '../../../../net/address.ts';
import { u16, u32le, u64le, widened } from '../../../../net/bytes.ts';
import { ECHO, ECHO_PORT, echoOf, hasPorts, PROTOCOL } from '../../../../net/numbers.ts';
import type { OwnerSource, OwnThread } from '../../owner-source.ts';
import { SocketTable } from '../../socket-table.ts';
import type { ExecWatch } from '../exec-watch.ts';
import type { Ends } from '../netlink/conntrack.ts';
import type { OlderSockets } from '../older-sockets.ts';
import type { BehindTranslation, ProcfsSource } from '../procfs/source.ts';
import { KERNEL_THREAD, type SocketOwners } from '../socket-owners.ts';
import type { TransferredSockets } from '../transferred-sockets.ts';
import type { LoadedPrograms } from './loader.ts';
import { readReportAddress } from './report-ring.ts';
import { REPORT, REPORT_DIRECTION } from './socket-programs.ts';

/** Most reports taken between two batches; the ring holds ten thousand. */
const MAX_REPORTS = 16_384;
/** Most flows whose owner is still being resolved. */
const MAX_WAITING = 16_384;
/** Added to the protocol of sockets in other network namespaces, where an address may mean a different machine than here. */
const OTHER_NAMESPACE = 0x1_0000;

/** One end of a flow whose socket's owner is not resolved yet. */
interface Waiting {
  readonly row: number;
  readonly serial: number;
  readonly isPeer: boolean;
  readonly socketOwner: number;
  readonly match: 'exact' | 'wildcard' | 'listener';
  /** The socket is in another network namespace. Our tables don't list it, though one of theirs may have the same ends. */
  readonly isOtherNamespace: boolean;
}

/** Owners from kernel reports; from procfs for sockets older than the programs. */
export class EbpfSource implements OwnerSource {
  readonly kind = 'ebpf';
  readonly everyProtocol = true;
  readonly #parts: EbpfParts;
  readonly #fallback: ProcfsSource;
  /** Source and destination of the current report, as on the wire. */
  readonly #words = new Int32Array(8);
  readonly #sockets = new ReportedSockets();
  readonly #transfers = new TransferredTuples();
  readonly #namespaceLow: number;
  readonly #namespaceHigh: number;
  #waiting: Waiting[] = [];
  /** Whether a socket of another network namespace was ever reported; if not, `admit` skips that lookup. */
  #hasOtherNamespace = false;
  /** By row: the socket owner that the kernel reported for the local end; 0 if none yet. Cleared when a new flow takes the row. */
  #reported = new Int32Array(0);
  readonly #take = (at: number) => this.#report(at);

  constructor(parts: EbpfParts) {
    this.#parts = parts;
    const { namespace } = parts.programs;
    this.#namespaceLow = namespace === null ? -1 : Number(namespace & 0xffff_ffffn);
    this.#namespaceHigh = namespace === null ? -1 : Number(namespace >> 32n);
    this.#fallback = parts.openFallback((row, protocol, ends) => this.#ownBehind(row, protocol, ends));
  }

  get note(): string {
    const { programs, watch } = this.#parts;
    return [
      programs.missing.length > 0 ? `kernel sources are incomplete: ${programs.missing[0]}` : '',
      watch?.note ?? '',
      this.#fallback.note,
    ]
      .filter((note) => note !== '')
      .join('; ');
  }

  beforeBatch(): void {
    const { ring } = this.#parts.programs;
    if (!ring.hasReports) return;
    this.#parts.watch?.refresh();
    ring.drain(this.#take, MAX_REPORTS);
  }

  admit(row: number): void {
    const { flows } = this.#parts;
    const protocol = flows.protocol(row);
    this.#begin(row);
    if (flows.isRetired(row)) {
      this.#fallback.admit(row);
      return;
    }
    const newest = this.#find(row, protocol, false);
    const match = this.#sockets.match;
    const local = this.#transfers.formerOwner(flows, row) || newest;
    const elsewhere = this.#hasOtherNamespace ? this.#find(row, protocol | OTHER_NAMESPACE, true) : 0;
    if (elsewhere !== 0) flows.joinEnds(row);
    if (flows.isLocal(row)) {
      const peer = elsewhere || this.#find(row, protocol, true);
      if (peer !== 0) this.#assign(row, true, peer, this.#sockets.match, elsewhere !== 0);
      else this.#ownOlder(row, protocol, true);
    }
    if (local !== 0) this.#assign(row, false, local, match, false);
    else if (!this.#ownOlder(row, protocol, false)) this.#fallback.admit(row);
  }

  get nextChange(): number {
    return this.#transfers.next;
  }

  change(time: number): void {
    const { flows, interfaces } = this.#parts;
    for (const { words, sourcePort, destinationPort, protocol, formerOwner } of this.#transfers.take(time)) {
      for (let iface = interfaces() - 1; iface >= 0; iface--) {
        const row = flows.lookup(words, sourcePort, destinationPort, protocol, iface);
        if (row >= 0 && flows.lastSent) this.#endFlow(row, formerOwner);
      }
    }
  }

  claim(row: number): boolean {
    const { flows } = this.#parts;
    const protocol = flows.protocol(row);
    this.#begin(row);
    const socketOwner = this.#find(row, protocol | OTHER_NAMESPACE, false);
    if (socketOwner === 0) return false;
    this.#assign(row, false, socketOwner, this.#sockets.match, true);
    return true;
  }

  work(now: number): void {
    this.beforeBatch();
    this.#settleAll(now);
    this.#parts.older?.work();
    this.#fallback.work(now);
  }

  finish(now: number): void {
    this.#settleAll(Number.POSITIVE_INFINITY); // there is no later for what may still come
    this.#fallback.finish(now);
  }

  #settleAll(now: number): void {
    if (this.#waiting.length === 0) return;
    this.#parts.watch?.refresh();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) this.#settle(each, now);
  }

  get thread(): OwnThread | null {
    return this.#parts.watch;
  }

  close(): void {
    this.#fallback.close();
    this.#parts.watch?.close();
    this.#parts.programs.close();
  }

  /** Assigns the owner of one end if its socket is older than the programs. @returns whether it found one */
  #ownOlder(row: number, protocol: number, isPeer: boolean): boolean {
    const { flows, older } = this.#parts;
    if (older === null) return false;
    const [local, remote] = [flows.localAt(row), flows.remoteAt(row)];
    const [localPort, remotePort] = [flows.localPort(row), flows.remotePort(row)];
    const process = isPeer
      ? older.find(protocol, flows.words, remote, remotePort, local, localPort)
      : older.find(protocol, flows.words, local, localPort, remote, remotePort);
    if (process < 0 || older.match === 'none') return false;
    if (isPeer) flows.ownPeer(row, process);
    else flows.own(row, process, older.match);
    this.#parts.transferred?.track(row, isPeer, process);
    return true;
  }

  /** A new flow took the row. */
  #begin(row: number): void {
    if (row >= this.#reported.length) this.#reported = widened(this.#reported, this.#parts.flows.capacity);
    this.#reported[row] = 0;
  }

  #find(row: number, protocol: number, isPeer: boolean): number {
    const { flows } = this.#parts;
    const [local, remote] = [flows.localAt(row), flows.remoteAt(row)];
    const [localPort, remotePort] = [flows.localPort(row), flows.remotePort(row)];
    return isPeer
      ? this.#sockets.find(protocol, flows.words, remote, remotePort, local, localPort)
      : this.#sockets.find(protocol, flows.words, local, localPort, remote, remotePort);
  }

  /** Finds the owner of a flow behind address translation (mostly a container's) by the ends that its socket has. */
  #ownBehind(row: number, protocol: number, { words, ownPort, otherPort }: Ends): boolean {
    const socketOwner =
      this.#sockets.find(protocol | OTHER_NAMESPACE, words, 0, ownPort, 4, otherPort) ||
      this.#sockets.find(protocol, words, 0, ownPort, 4, otherPort);
    // The socket's ends differ from the flow's, so it can't be looked up by the flow's ends later. Treat it like one of another namespace.
    if (socketOwner !== 0) this.#assign(row, false, socketOwner, this.#sockets.match, true);
    return socketOwner !== 0;
  }

  /** Handles one report: remembers the socket and gives existing flows their owner. */
  #report(at: number): void {
    const { programs, socketOwners, now } = this.#parts;
    const bytes = programs.ring.bytes;
    const version = bytes[at + REPORT.PROTOCOL + 1] as number;
    const protocol = bytes[at + REPORT.PROTOCOL] as number;
    const words = this.#words;
    readReportAddress(bytes, at + REPORT.SOURCE, version, words, 0);
    readReportAddress(bytes, at + REPORT.DESTINATION, version, words, 4);
    const ported = hasPorts(protocol);
    let sourcePort = ported ? u16(bytes, at + REPORT.PORTS) : 0;
    let destinationPort = ported ? u16(bytes, at + REPORT.PORTS + 2) : 0;
    const echo = echoOf(protocol, bytes[at + REPORT.PORTS] as number);
    if (echo !== ECHO.NONE) {
      const identifier = u16(bytes, at + REPORT.PORTS + 2);
      sourcePort = echo === ECHO.REQUEST ? identifier : ECHO_PORT;
      destinationPort = echo === ECHO.REQUEST ? ECHO_PORT : identifier;
    }
    const elsewhere =
      this.#namespaceLow >= 0 &&
      (u32le(bytes, at + REPORT.NAMESPACE) !== this.#namespaceLow ||
        u32le(bytes, at + REPORT.NAMESPACE + 4) !== this.#namespaceHigh);
    if (elsewhere && scopeOf(words, 0) === 'loopback') return; // we never see another namespace's loopback
    const sent = bytes[at + REPORT.DIRECTION] === REPORT_DIRECTION.EGRESS;
    // ping's raw socket receives everybody's ICMP: only what it sends belongs to it.
    if (!sent && (protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6)) return;
    const socketOwner = socketOwners.ofReport(bytes, at, now());
    if (elsewhere) this.#hasOtherNamespace = true;
    const key = elsewhere ? protocol | OTHER_NAMESPACE : protocol;
    if (sent && !elsewhere && protocol !== PROTOCOL.TCP)
      this.#noteTransfer(at, protocol, sourcePort, destinationPort, socketOwner);
    const isOpen = !elsewhere && ported && bytes[at + REPORT.CONNECTED] === 0;
    if (sent) this.#sockets.enter(key, words, 0, sourcePort, destinationPort, isOpen, socketOwner);
    else this.#sockets.enter(key, words, 4, destinationPort, sourcePort, isOpen, socketOwner);
    for (let iface = this.#parts.interfaces() - 1; iface >= 0; iface--) {
      const row = this.#parts.flows.lookup(words, sourcePort, destinationPort, protocol, iface);
      if (row < 0) continue;
      const ownerIsLocal = this.#parts.flows.lastSent === sent;
      if (!elsewhere) this.#correct(row, protocol, ownerIsLocal, socketOwner, false);
      else if (this.#parts.flows.direction(row) === FLOW_DIRECTION.TRANSIT) {
        // Transit: a container's process may have opened it, but neither end is this machine's.
        if (ownerIsLocal) this.#correct(row, protocol, true, socketOwner, true);
      } else if (!ownerIsLocal) {
        this.#parts.flows.joinEnds(row);
        this.#correct(row, protocol, false, socketOwner, true);
      }
    }
  }

  /**
   * Notes that a tuple moved to another process, because packets of both may still be waiting to be read. The time is 5 µs early: packet times
   * are truncated to microseconds.
   */
  #noteTransfer(at: number, protocol: number, sourcePort: number, destinationPort: number, socketOwner: number): void {
    const formerOwner = this.#sockets.findExact(protocol, this.#words, 0, sourcePort, 4, destinationPort);
    if (formerOwner === 0 || formerOwner === socketOwner) return;
    const { ring, clockOffsetMs } = this.#parts.programs;
    const time = u64le(ring.bytes, at + REPORT.TIME) / 1e6 + clockOffsetMs() - 0.005;
    this.#transfers.add({ time, words: this.#words.slice(), sourcePort, destinationPort, protocol, formerOwner });
  }

  /** Applies a report to an existing flow: it was waiting for this owner, or its tuple moved to another process. */
  #correct(row: number, protocol: number, ownerIsLocal: boolean, socketOwner: number, isOtherNamespace: boolean): void {
    const { flows } = this.#parts;
    if (!ownerIsLocal && !flows.isLocal(row)) return;
    const formerOwner = ownerIsLocal ? (this.#reported[row] ?? 0) : 0;
    if (formerOwner === socketOwner) return; // nothing new, even if the socket was transferred meanwhile
    const known = ownerIsLocal ? flows.owner(row) : flows.peer(row);
    const process = this.#parts.socketOwners.process(socketOwner, this.#parts.now());
    if (known !== NO_OWNER && known === process) return;
    // TCP shows a reused tuple by its SYN. For other protocols, end the flow: the new process's packets start another one.
    if (formerOwner !== 0 && protocol !== PROTOCOL.TCP) this.#endFlow(row, formerOwner);
    else if (known !== NO_OWNER && process >= 0 && ownerIsLocal && protocol !== PROTOCOL.TCP) flows.retire(row);
    else this.#assign(row, !ownerIsLocal, socketOwner, 'exact', isOtherNamespace);
  }

  /** Ends a flow whose tuple moved to another process. The flow keeps its former owner if that is known by now. */
  #endFlow(row: number, formerOwner: number): void {
    const { flows, socketOwners } = this.#parts;
    if (flows.owner(row) === NO_OWNER) {
      const process = socketOwners.process(formerOwner, Number.POSITIVE_INFINITY);
      if (process >= 0) flows.own(row, process, 'exact');
    }
    flows.retire(row);
  }

  #assign(row: number, isPeer: boolean, socketOwner: number, match: Waiting['match'], isOtherNamespace: boolean): void {
    const serial = this.#parts.flows.serial(row);
    if (!isPeer && row < this.#reported.length) this.#reported[row] = socketOwner;
    this.#settle({ row, serial, isPeer, socketOwner, match, isOtherNamespace }, this.#parts.now());
  }

  #settle(each: Waiting, now: number): void {
    const { flows, socketOwners } = this.#parts;
    if (!flows.holds(each.row, each.serial)) return;
    const process = socketOwners.process(each.socketOwner, now);
    if (process === KERNEL_THREAD) {
      if (!each.isPeer) flows.disown(each.row, 'no process: the kernel itself');
      return;
    }
    if (process < 0) {
      if (this.#waiting.length < MAX_WAITING && socketOwners.has(each.socketOwner)) this.#waiting.push(each);
      return;
    }
    if (each.isPeer) flows.ownPeer(each.row, process);
    else flows.own(each.row, process, each.match);
    if (!each.isOtherNamespace) this.#parts.transferred?.add(each.row, each.isPeer, process, now);
  }
}

/** What `EbpfSource` works with. */
interface EbpfParts {
  readonly flows: FlowTable;
  readonly programs: LoadedPrograms;
  readonly socketOwners: SocketOwners;
  readonly watch: ExecWatch | null;
  /** Sockets older than the programs; null to leave them out. */
  readonly older: OlderSockets | null;
  /** Opens the source for sockets that were never reported and aren't older than the programs. */
  readonly openFallback: (behind: BehindTranslation) => ProcfsSource;
  /** Flows whose socket may be transferred to another process: the fallback checks them again as it works. Null without procfs. */
  readonly transferred: TransferredSockets | null;
  /** Number of interfaces that flows may be on. */
  readonly interfaces: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Sockets in a generation. Keeping two generations bounds memory, keeps at least this many of the newest, and drops the oldest without a search. */
const GENERATION = 32_768;
const ANY = new Int32Array(4);

/** Owners of the sockets that the kernel reported, keyed by the sockets' ends. */
class ReportedSockets {
  #newer = new SocketTable();
  #former = new SocketTable();
  /** How the last `find` matched. */
  match: 'exact' | 'wildcard' | 'listener' = 'exact';

  /**
   * Adds a socket. Its own address is in `words` at `near`, the other end's in the other half.
   *
   * @param isOpen the socket is not connected, so it may talk to other ends from the same port. Each of those is reported too, unless the ring overflows.
   */
  enter(
    protocol: number,
    words: Int32Array,
    near: number,
    nearPort: number,
    farPort: number,
    isOpen: boolean,
    socketOwner: number,
  ): void {
    if (this.#newer.count >= GENERATION) {
      const spent = this.#former;
      this.#former = this.#newer;
      spent.clear();
      this.#newer = spent;
    }
    this.#newer.add(protocol, words, near, nearPort, words, 4 - near, farPort, socketOwner);
    if (isOpen && nearPort !== 0) this.#newer.add(protocol, ANY, 0, nearPort, ANY, 0, 0, socketOwner);
  }

  /** Owner of the socket reported with exactly these ends; 0 if none. */
  findExact(protocol: number, words: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    return (
      this.#newer.findExact(protocol, words, near, nearPort, far, farPort) ||
      this.#former.findExact(protocol, words, near, nearPort, far, farPort)
    );
  }

  /** Owner of the socket that best matches these ends; 0 if none. */
  find(protocol: number, words: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    for (const table of [this.#newer, this.#former]) {
      const socketOwner = table.find(protocol, words, near, nearPort, far, farPort);
      if (socketOwner === 0) continue;
      this.match = table.match === 'none' ? 'exact' : table.match;
      return socketOwner;
    }
    return 0;
  }
}

/** A tuple that moved to another process while packets of both still wait to be read. Packets from `time` on belong to the new owner. */
interface TransferredTuple {
  /** Epoch ms. */
  readonly time: number;
  /** Source and destination as the new owner's report has them. */
  readonly words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
  /** Owner of the socket that had the tuple before. */
  readonly formerOwner: number;
}

const MAX_TRANSFERS = 1024;

/** Transfers that the packet clock hasn't reached yet, by time. Bounded: the oldest are dropped. */
class TransferredTuples {
  #list: TransferredTuple[] = [];

  /** Epoch ms of the earliest; Infinity if there is none. */
  get next(): number {
    return this.#list[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  add(transfer: TransferredTuple): void {
    if (this.#list.length >= MAX_TRANSFERS) this.#list.shift();
    this.#list.push(transfer);
  }

  /** The former owner, if a transfer of this flow's ends is still to come; else 0. */
  formerOwner(flows: FlowTable, row: number): number {
    for (const each of this.#list) {
      if (each.time <= flows.firstSeen(row) || each.protocol !== flows.protocol(row)) continue;
      if (each.sourcePort !== flows.localPort(row) || each.destinationPort !== flows.remotePort(row)) continue;
      const { words } = flows;
      if (sameAddress(words, flows.localAt(row), each.words, 0) && sameAddress(words, flows.remoteAt(row), each.words, 4))
        return each.formerOwner;
    }
    return 0;
  }

  /** Removes and returns the transfers up to `time`. */
  take(time: number): TransferredTuple[] {
    const later = this.#list.findIndex((each) => each.time > time);
    return this.#list.splice(0, later < 0 ? this.#list.length : later);
  }
}
