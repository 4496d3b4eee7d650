// The view without any rights: reads the sockets' own counters and books the bytes into flows as if packets had brought them. There are no frames,
// no names from the wire, and on Linux no UDP; all of that is unknown.

import { interfaceKind } from '../capture/devices/kind.ts';
import type { CaptureInterface, PacketSource, SourceState } from '../capture/source.ts';
import { Packet } from '../decode/packet.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { FLOW_STATE } from '../flow/tcp.ts';
import type { Directory } from '../identify/process/directory.ts';
import { type SocketCount, type SocketCounts, TCP_CLOSE, TCP_LISTEN } from '../identify/process/socket-table.ts';
import { NO_OWNER } from '../model/terms.ts';
import { parseAddress, sameAddress } from '../net/address.ts';
import { DIRECTION, LINK, PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import type { Edges } from '../system/edges.ts';
import type { Monitor } from './monitor.ts';

/** Shortest pause between two readings. After one that took t ms it rests for 20 t. */
const PAUSE_MS = 250;
const REST = 20;
/** Most sockets whose counters are remembered. */
const MAX_SOCKETS = 65_536;

/** Most interfaces. */
const MAX_INTERFACES = 256;
/** How often the machine's addresses are read again. */
const ADDRESSES_MS = 2000;

const NOTHING = { rxBytes: 0, txBytes: 0, rxSegments: 0, txSegments: 0 } as const;

interface Known {
  rxBytes: number;
  txBytes: number;
  rxSegments: number;
  txSegments: number;
  /** Reading that last had it. */
  round: number;
  /** Its flow; -1 before it moved anything. */
  row: number;
  serial: number;
}

/** Stands in for a capture: `read` never returns a frame, but feeds the flow table. */
export class ReducedSource implements PacketSource {
  readonly processes = [];
  readonly namesProcesses = false;
  readonly snapLength = { bulk: 0, whole: 0 };
  readonly bufferBytes = null;
  state: SourceState = 'open';
  readonly #counts: SocketCounts;
  readonly #interfaces: OwnInterfaces;
  readonly #note: string;
  readonly #now: () => number;
  readonly #wall: () => number;
  #sockets: SocketFlows | null = null;
  #next = Number.NEGATIVE_INFINITY;

  /** @param note says what is missing; shown all the time @param now monotonic ms @param wall epoch ms */
  constructor(counts: SocketCounts, networks: Edges['networkInterfaces'], note: string, now: () => number, wall: () => number) {
    this.#counts = counts;
    this.#interfaces = new OwnInterfaces(networks, now);
    this.#note = note;
    this.#now = now;
    this.#wall = wall;
  }

  get driver(): SocketCounts['driver'] {
    return this.#counts.driver;
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.#interfaces.list;
  }

  get note(): string {
    const { note } = this.#counts;
    return note === '' ? this.#note : `${note}; ${this.#note}`;
  }

  /** Starts feeding a monitor. This can't be in the constructor, because the monitor needs the source. @param directory takes the owners of sockets */
  feed(monitor: Monitor, directory: Directory): void {
    this.#sockets = new SocketFlows(this.#counts, this.#interfaces, monitor, directory, this.#wall);
  }

  read(): null {
    const now = this.#now();
    if (this.#sockets === null || now < this.#next) return null;
    this.#interfaces.refresh();
    this.#sockets.ask();
    this.#next = now + Math.max(PAUSE_MS, (this.#now() - now) * REST);
    return null;
  }

  stats() {
    return { received: null, droppedByKernel: null, droppedByInterface: null, shed: 0, malformed: 0 };
  }

  close(): void {
    this.state = 'ended';
    this.#counts.close();
  }
}

/** Books what sockets moved into flows, as packets. */
class SocketFlows {
  readonly #counts: SocketCounts;
  readonly #interfaces: OwnInterfaces;
  readonly #monitor: Monitor;
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #wall: () => number;
  readonly #known = new Map<number | string, Known>();
  readonly #listening = new Set<number>();
  readonly #packet = new Packet();
  #round = 0;

  constructor(counts: SocketCounts, interfaces: OwnInterfaces, monitor: Monitor, directory: Directory, wall: () => number) {
    this.#counts = counts;
    this.#interfaces = interfaces;
    this.#monitor = monitor;
    this.#flows = monitor.flows;
    this.#directory = directory;
    this.#wall = wall;
  }

  /** Reads the counters of all sockets. */
  ask(): void {
    this.#round++;
    this.#listening.clear();
    if (this.#counts.ask((count) => this.#take(count))) {
      this.#forgetGone();
      this.#monitor.admitNew();
    } else this.#round--;
  }

  #take(count: SocketCount): void {
    if (count.state === TCP_LISTEN) {
      this.#listening.add(count.ownPort);
      return;
    }
    let known = this.#known.get(count.cookie);
    if (known === undefined) {
      if (this.#known.size >= MAX_SOCKETS) this.#forget(this.#round - 1);
      if (this.#known.size >= MAX_SOCKETS) return;
      // Bytes from before the first reading don't belong to this run.
      const isOlder = this.#round === 1;
      const { rxBytes, txBytes, rxSegments, txSegments } = count;
      const before = isOlder ? { rxBytes, txBytes, rxSegments, txSegments } : NOTHING;
      known = { ...before, round: 0, row: -1, serial: 0 };
      this.#known.set(count.cookie, known);
    }
    known.round = this.#round;
    // If both are lower, this is another socket between the same ends, or one socket of a sum is gone. If only one is, the figure was cut off: ignore it.
    if (count.rxBytes < known.rxBytes && count.txBytes < known.txBytes) {
      const { rxBytes, txBytes } = (count.process?.exact ?? true) ? NOTHING : count;
      Object.assign(known, { rxBytes, txBytes });
    }
    const rx = Math.max(0, count.rxBytes - known.rxBytes);
    const tx = Math.max(0, count.txBytes - known.txBytes);
    const [rxSegments, txSegments] = [count.rxSegments - known.rxSegments, count.txSegments - known.txSegments];
    known.rxBytes += rx;
    known.txBytes += tx;
    known.rxSegments = count.rxSegments;
    known.txSegments = count.txSegments;
    if (rxSegments > 0 || txSegments > 0 || tx > 0 || rx > 0) this.#book(known, count, rx, tx, rxSegments, txSegments);
    if (count.state === TCP_CLOSE) {
      this.#end(known);
      this.#known.delete(count.cookie);
    }
  }

  #book(known: Known, count: SocketCount, rx: number, tx: number, rxSegments: number, txSegments: number): void {
    const flows = this.#flows;
    const iface = this.#interfaces.of(count);
    const { words, ownPort, otherPort, protocol } = count;
    const isNew = flows.lookup(words, ownPort, otherPort, protocol, iface) < 0;
    const opened = protocol !== PROTOCOL.TCP || !this.#listening.has(ownPort);
    if (isNew) this.#touch(count, iface, opened, 0, TCP_FLAG.SYN); // the opener speaks first
    const row = flows.lookup(words, ownPort, otherPort, protocol, iface);
    if (row < 0) return;
    const isLocalEnd = flows.lastSent;
    if (count.process !== null) this.#own(row, count.process, isLocalEnd);
    // A connection within this machine has a socket at each end. Count only the one at the flow's local end.
    if (!isLocalEnd) return;
    this.#touch(count, iface, true, tx, TCP_FLAG.ACK);
    this.#touch(count, iface, false, rx, TCP_FLAG.ACK);
    // Each touch counted a packet, so subtract it from the socket's own count.
    flows.addPackets(row, rxSegments - 1 - (isNew && !opened ? 1 : 0), txSegments - 1 - (isNew && opened ? 1 : 0));
    known.row = row;
    known.serial = flows.serial(row);
    flows.setState(row, FLOW_STATE.ESTABLISHED);
  }

  /** Sets the owner of a flow unless it has one. Of several processes that share a socket, the busiest comes first. */
  #own(row: number, { pid, name, exact }: NonNullable<SocketCount['process']>, isLocalEnd: boolean): void {
    const flows = this.#flows;
    if ((isLocalEnd ? flows.owner(row) : flows.peer(row)) !== NO_OWNER) return;
    const facts = { pid, name, exe: null, uid: null, parentPid: null, startTime: null, script: null, unit: null };
    const id = this.#directory.learn(facts);
    if (isLocalEnd) flows.own(row, id, exact ? 'exact' : 'wildcard');
    else flows.ownPeer(row, id);
  }

  /** Counts bytes in one direction. @param sent by the socket's own end */
  #touch(count: SocketCount, iface: number, sent: boolean, bytes: number, flags: number): void {
    const packet = this.#packet;
    const [source, destination] = sent ? [0, 4] : [4, 0];
    for (let i = 0; i < 4; i++) {
      packet.words[i] = count.words[source + i] as number;
      packet.words[4 + i] = count.words[destination + i] as number;
    }
    packet.sourcePort = sent ? count.ownPort : count.otherPort;
    packet.destinationPort = sent ? count.otherPort : count.ownPort;
    packet.protocol = count.protocol;
    packet.hasAddresses = true;
    packet.transportOffset = -1; // no TCP segment
    packet.tcpFlags = flags;
    packet.networkBytes = bytes;
    packet.frameBytes = 0;
    packet.time = this.#wall();
    this.#flows.touch(packet, iface, sent ? DIRECTION.OUT : DIRECTION.IN);
  }

  /** Closes the flows of sockets missing from two readings. A socket may end between two parts of a reading, and is then reported in the next. */
  #forgetGone(): void {
    for (const known of this.#known.values()) if (known.round === this.#round - 2) this.#end(known);
    this.#forget(this.#round - this.#counts.lingers);
  }

  /** Forgets sockets that were last seen before a reading. */
  #forget(round: number): void {
    for (const [cookie, known] of this.#known) {
      if (known.round >= round) continue;
      this.#end(known);
      this.#known.delete(cookie);
    }
  }

  #end({ row, serial }: Known): void {
    const flows = this.#flows;
    if (flows.holds(row, serial)) flows.setState(row, FLOW_STATE.CLOSED);
  }
}

/** This machine's interfaces, by their addresses. */
class OwnInterfaces {
  readonly list: CaptureInterface[] = [];
  readonly #networks: Edges['networkInterfaces'];
  readonly #now: () => number;
  #addresses: { readonly words: Int32Array; readonly iface: number }[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(networks: Edges['networkInterfaces'], now: () => number) {
    this.#networks = networks;
    this.#now = now;
    this.refresh();
  }

  /** Index of the interface of a socket's own end. */
  of({ words, interface: named }: SocketCount): number {
    if (named !== null) return this.#indexOf(named);
    return this.#addresses.find((each) => sameAddress(words, 0, each.words, 0))?.iface ?? 0;
  }

  /** Rereads the addresses if the last read is old enough. */
  refresh(): void {
    if (this.#now() - this.#readAt < ADDRESSES_MS) return;
    this.#readAt = this.#now();
    this.#addresses = Object.entries(this.#networks()).flatMap(([name, addresses = []]) =>
      addresses.flatMap(({ address }) => {
        const words = new Int32Array(4);
        return parseAddress(address, words, 0) ? [{ words, iface: this.#indexOf(name) }] : [];
      }),
    );
  }

  #indexOf(name: string): number {
    const known = this.list.findIndex((each) => each.name === name);
    if (known >= 0) return known;
    if (this.list.length >= MAX_INTERFACES) return 0;
    return this.list.push({ name, kind: interfaceKind(name), link: LINK.RAW, deliversTwice: false }) - 1;
  }
}
