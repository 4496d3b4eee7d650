// Owners as the kernel reports them: the socket programs' reports are drained before each batch, so a packet's owner is known first.

import { FLOW_DIRECTION } from '../../../../flow/direction.ts';
import { type FlowTable, NO_OWNER } from '../../../../flow/flow-table.ts';
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
import { REPORT, WAY } from './socket-programs.ts';

/** Reports taken between two batches at the most; the ring holds ten thousand. */
const MAX_REPORTS = 16_384;
/** Flows whose owner is still being found out. */
const MAX_WAITING = 16_384;
/** Added to the protocol of sockets in other network namespaces: the same address there may be another machine's here. */
const ELSEWHERE = 0x1_0000;

/** A flow's end that waits for its socket's owner to be settled. */
interface Waiting {
  readonly row: number;
  readonly serial: number;
  readonly isPeer: boolean;
  readonly socketOwner: number;
  readonly match: 'exact' | 'wildcard' | 'listener';
  /** The socket is in another network namespace: it is in none of our tables, though one there may look like it. */
  readonly isElsewhere: boolean;
}

/** Owners from the kernel, and from procfs for sockets older than the start. */
export class EbpfSource implements OwnerSource {
  readonly kind = 'ebpf';
  readonly everyProtocol = true;
  readonly #parts: EbpfParts;
  readonly #fallback: ProcfsSource;
  /** Source and destination of the report at hand, as it went over the wire. */
  readonly #words = new Int32Array(8);
  readonly #sockets = new ReportedSockets();
  readonly #transfers = new TransferredTuples();
  readonly #namespaceLow: number;
  readonly #namespaceHigh: number;
  #waiting: Waiting[] = [];
  /** A socket of another network namespace was reported: else none is looked for. */
  #hasElsewhere = false;
  /** By row: socket owner that the kernel reported for the local end, 0 before. Cleared when a new flow takes the row. */
  #told = new Int32Array(0);
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
    const local = this.#transfers.toldAt(flows, row) || newest;
    const elsewhere = this.#hasElsewhere ? this.#find(row, protocol | ELSEWHERE, true) : 0;
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
    for (const { words, sourcePort, destinationPort, protocol, told } of this.#transfers.take(time)) {
      for (let iface = interfaces() - 1; iface >= 0; iface--) {
        const row = flows.lookup(words, sourcePort, destinationPort, protocol, iface);
        if (row >= 0 && flows.lastSent) this.#part(row, told);
      }
    }
  }

  claim(row: number): boolean {
    const { flows } = this.#parts;
    const protocol = flows.protocol(row);
    this.#begin(row);
    const socketOwner = this.#find(row, protocol | ELSEWHERE, false);
    if (socketOwner === 0) return false;
    this.#assign(row, false, socketOwner, this.#sockets.match, true);
    return true;
  }

  work(now: number): void {
    this.beforeBatch();
    if (this.#waiting.length > 0) {
      this.#parts.watch?.refresh();
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const each of waiting) this.#settle(each, now);
    }
    this.#parts.older?.work();
    this.#fallback.work(now);
  }

  finish(now: number): void {
    this.#fallback.finish(now);
  }

  get thread(): OwnThread | null {
    return this.#parts.watch;
  }

  close(): void {
    this.#fallback.close();
    this.#parts.watch?.close();
    this.#parts.programs.close();
  }

  /** Gives an end of a flow its owner where the socket is older than the programs. @returns whether it is */
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

  /** Another flow took the row. */
  #begin(row: number): void {
    if (row >= this.#told.length) this.#told = widened(this.#told, this.#parts.flows.capacity);
    this.#told[row] = 0;
  }

  #find(row: number, protocol: number, isPeer: boolean): number {
    const { flows } = this.#parts;
    const [local, remote] = [flows.localAt(row), flows.remoteAt(row)];
    const [localPort, remotePort] = [flows.localPort(row), flows.remotePort(row)];
    return isPeer
      ? this.#sockets.find(protocol, flows.words, remote, remotePort, local, localPort)
      : this.#sockets.find(protocol, flows.words, local, localPort, remote, remotePort);
  }

  /** Owner of a flow whose address was translated on its way, by the ends that its socket has: mostly a container's. */
  #ownBehind(row: number, protocol: number, { words, ownPort, otherPort }: Ends): boolean {
    const socketOwner =
      this.#sockets.find(protocol | ELSEWHERE, words, 0, ownPort, 4, otherPort) ||
      this.#sockets.find(protocol, words, 0, ownPort, 4, otherPort);
    // Its socket has other ends than the flow: it can't be looked up by them again, wherever it is.
    if (socketOwner !== 0) this.#assign(row, false, socketOwner, this.#sockets.match, true);
    return socketOwner !== 0;
  }

  /** One report: the socket is entered, and flows that are there already get their owner. */
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
      sourcePort = echo === ECHO.ASKS ? identifier : ECHO_PORT;
      destinationPort = echo === ECHO.ASKS ? ECHO_PORT : identifier;
    }
    const elsewhere =
      this.#namespaceLow >= 0 &&
      (u32le(bytes, at + REPORT.NAMESPACE) !== this.#namespaceLow ||
        u32le(bytes, at + REPORT.NAMESPACE + 4) !== this.#namespaceHigh);
    if (elsewhere && scopeOf(words, 0) === 'loopback') return; // another namespace's loopback is never seen here
    const sent = bytes[at + REPORT.WAY] === WAY.EGRESS;
    // A raw socket of ping gets everybody's ICMP: only what it sends is its own.
    if (!sent && (protocol === PROTOCOL.ICMP || protocol === PROTOCOL.ICMPV6)) return;
    const socketOwner = socketOwners.ofReport(bytes, at, now());
    if (elsewhere) this.#hasElsewhere = true;
    const key = elsewhere ? protocol | ELSEWHERE : protocol;
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
        // It passes through: its opener may be a container's process, its other end is not here even if that is.
        if (ownerIsLocal) this.#correct(row, protocol, true, socketOwner, true);
      } else if (!ownerIsLocal) {
        this.#parts.flows.joinEnds(row);
        this.#correct(row, protocol, false, socketOwner, true);
      }
    }
  }

  /** The tuple was another process's: packets of both may wait to be read. A hair early, as packets' times are cut to microseconds. */
  #noteTransfer(at: number, protocol: number, sourcePort: number, destinationPort: number, socketOwner: number): void {
    const told = this.#sockets.findExact(protocol, this.#words, 0, sourcePort, 4, destinationPort);
    if (told === 0 || told === socketOwner) return;
    const { ring, clockOffsetMs } = this.#parts.programs;
    const time = u64le(ring.bytes, at + REPORT.TIME) / 1e6 + clockOffsetMs() - 0.005;
    this.#transfers.add({ time, words: this.#words.slice(), sourcePort, destinationPort, protocol, told });
  }

  /** A flow that stands already: it waits for this owner, or its tuple now belongs to another process. */
  #correct(row: number, protocol: number, ownerIsLocal: boolean, socketOwner: number, isElsewhere: boolean): void {
    const { flows } = this.#parts;
    if (!ownerIsLocal && !flows.isLocal(row)) return;
    const told = ownerIsLocal ? (this.#told[row] ?? 0) : 0;
    if (told === socketOwner) return; // nothing new, though the flow may have been handed on meanwhile
    const known = ownerIsLocal ? flows.owner(row) : flows.peer(row);
    const process = this.#parts.socketOwners.process(socketOwner, this.#parts.now());
    if (known !== NO_OWNER && known === process) return;
    // Only TCP has a SYN to show that a tuple was taken over; elsewhere the other process's packets are another flow.
    if (told !== 0 && protocol !== PROTOCOL.TCP) this.#part(row, told);
    else if (known !== NO_OWNER && process >= 0 && ownerIsLocal && protocol !== PROTOCOL.TCP) flows.retire(row);
    else this.#assign(row, !ownerIsLocal, socketOwner, 'exact', isElsewhere);
  }

  /** Ends a flow whose tuple another process took over: it keeps the owner that it had, as far as that is known by now. */
  #part(row: number, told: number): void {
    const { flows, socketOwners } = this.#parts;
    if (flows.owner(row) === NO_OWNER) {
      const process = socketOwners.process(told, Number.POSITIVE_INFINITY);
      if (process >= 0) flows.own(row, process, 'exact');
    }
    flows.retire(row);
  }

  #assign(row: number, isPeer: boolean, socketOwner: number, match: Waiting['match'], isElsewhere: boolean): void {
    const serial = this.#parts.flows.serial(row);
    if (!isPeer && row < this.#told.length) this.#told[row] = socketOwner;
    this.#settle({ row, serial, isPeer, socketOwner, match, isElsewhere }, this.#parts.now());
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
    if (!each.isElsewhere) this.#parts.transferred?.add(each.row, each.isPeer, process, now);
  }
}

/** What the source is made of. */
interface EbpfParts {
  readonly flows: FlowTable;
  readonly programs: LoadedPrograms;
  readonly socketOwners: SocketOwners;
  readonly watch: ExecWatch | null;
  /** Sockets that existed before the programs; null where they are not asked for. */
  readonly older: OlderSockets | null;
  /** Opens what is asked for sockets that were never reported and are not older than the programs. */
  readonly openFallback: (behind: BehindTranslation) => ProcfsSource;
  /** Looks again at flows whose socket may have been transferred, whenever the fallback works; null where there is no procfs. */
  readonly transferred: TransferredSockets | null;
  /** How many interfaces flows may be on. */
  readonly interfaces: () => number;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** Sockets in a generation. Two generations are kept: at least this many of the newest are known, and no search is needed to drop the oldest. */
const GENERATION = 32_768;
const ANY = new Int32Array(4);

/** Owners of the sockets that the kernel reported, by the ends of the sockets. */
class ReportedSockets {
  #newer = new SocketTable();
  #former = new SocketTable();
  /** How the last `find` was answered. */
  match: 'exact' | 'wildcard' | 'listener' = 'exact';

  /**
   * Enters a socket whose own address lies in `words` at `near`, the other end's at the other half.
   *
   * @param isOpen it is not connected: it will speak to others from the same port; each is reported too, unless the ring overflows
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

  /** Owner of the socket that was reported with exactly these ends, or 0. */
  findExact(protocol: number, words: Int32Array, near: number, nearPort: number, far: number, farPort: number): number {
    return (
      this.#newer.findExact(protocol, words, near, nearPort, far, farPort) ||
      this.#former.findExact(protocol, words, near, nearPort, far, farPort)
    );
  }

  /** Owner of the socket with these ends, or 0. */
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

/** A tuple that passed to another process while packets of both still wait to be read: those from `time` on are the new owner's. */
interface TransferredTuple {
  /** Epoch ms. */
  readonly time: number;
  /** Source and destination as the new owner's report has them. */
  readonly words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
  /** Owner of the socket that had the tuple before. */
  readonly told: number;
}

const MOST = 1024;

/** Transfers that no packet has reached yet, in the order of their time; bounded, the oldest go first. */
class TransferredTuples {
  #list: TransferredTuple[] = [];

  /** Time of the first; Infinity where there is none. */
  get next(): number {
    return this.#list[0]?.time ?? Number.POSITIVE_INFINITY;
  }

  add(transfer: TransferredTuple): void {
    if (this.#list.length >= MOST) this.#list.shift();
    this.#list.push(transfer);
  }

  /** Owner of the socket that a flow began on, if a transfer of its ends is still to come; else 0. */
  toldAt(flows: FlowTable, row: number): number {
    for (const each of this.#list) {
      if (each.time <= flows.firstSeen(row) || each.protocol !== flows.protocol(row)) continue;
      if (each.sourcePort !== flows.localPort(row) || each.destinationPort !== flows.remotePort(row)) continue;
      const { words } = flows;
      if (sameAddress(words, flows.localAt(row), each.words, 0) && sameAddress(words, flows.remoteAt(row), each.words, 4))
        return each.told;
    }
    return 0;
  }

  /** Takes out those that happened by `time`. */
  take(time: number): TransferredTuple[] {
    const later = this.#list.findIndex((each) => each.time > time);
    return this.#list.splice(0, later < 0 ? this.#list.length : later);
  }
}
