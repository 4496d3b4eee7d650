// The pipeline: batches of frames in, snapshots out. It runs frames through decode and flow, starts the lookup of new flows, and counts losses.
// This folder opens no capture and draws nothing; it joins the parts of a run and paces them, live or in a replay.

import { Aggregator, type LastTick, type SnapshotLimits } from '../aggregate/aggregator.ts';
import type { EventLog } from '../aggregate/event-log.ts';
import type { HistoryCollector } from '../aggregate/history-collector.ts';
import { copyFacts, PacketBatch } from '../capture/batch.ts';
import type { CounterTracker } from '../capture/devices/counters.ts';
import { countsPackets, type OpenedSource, type RecordedFlow, readsFrames } from '../capture/source.ts';
import { Decoder } from '../decode/decode.ts';
import { Packet, STATUS } from '../decode/packet.ts';
import { AggregateRest, isWireless } from '../decode/wireless.ts';
import { FLOW_DIRECTION } from '../flow/direction.ts';
import { MAX_WARMED } from '../flow/flow-index.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { registrableDomain } from '../identify/name/domain.ts';
import type { Places } from '../identify/place/places.ts';
import type { Directory } from '../identify/process/directory.ts';
import type { Listeners } from '../identify/process/listening/listeners.ts';
import type { Owners } from '../identify/process/owners.ts';
import { CapturedSource } from '../identify/process/recorded.ts';
import type { WatchStatus } from '../model/delivery.ts';
import type { ExportStatus } from '../model/export.ts';
import type { HistoryStatus } from '../model/history.ts';
import type { Listener, Reach } from '../model/listeners.ts';
import type { PacketPage } from '../model/packet-page.ts';
import type { KeepOptions, KeptStatus, WritingStatus } from '../model/packets.ts';
import type { PrivilegeStatus } from '../model/privileges.ts';
import type { LinkQuality } from '../model/quality.ts';
import type { CaptureStatus, Gap, Matching, Snapshot, TickInterface, Traffic } from '../model/snapshot.ts';
import type { Fallback, InterfaceKind } from '../model/terms.ts';
import type { Watcher } from '../model/watch.ts';
import { DIRECTION, LINK } from '../net/numbers.ts';
import { EPHEMERAL } from '../net/services.ts';
import { type Kept, KeptFlows } from '../packets/kept-flows.ts';
import { LOGGED_PACKETS, PacketLog } from '../packets/packet-log.ts';
import { KeptFrame, PacketRing } from '../packets/packet-ring.ts';
import type { Publishers } from '../publisher/publishers.ts';
import type { Inspection } from './inspection.ts';
import { UnreadFrames } from './unread.ts';

/** Most flows kept at once. Beyond that, it evicts those that have been silent longest (docs/limits.md). */
export const MAX_FLOWS = 1 << 18;
/**
 * Layout of `frames`, 8 doubles per interface:
 *
 *     packets | frame bytes | received frame bytes | sent frame bytes
 *     network-layer bytes of frames that passed by | 0
 *     network-layer bytes, then packets, received but booked as sent, minus those sent but booked as received
 */
const FRAME_COLUMNS = 8;
const PASSED = 4;
const REVERSED = 6;
const MAX_INTERFACES = 1024;
const ETHERNET_BYTES = 14;
/** Interfaces looked up in one go. Frames of `any` may bring hundreds at once, and each takes a dozen system calls. */
export const LEARNT_AT_ONCE = 32;
/** Kept frames that a tick drops because they are too old. More than are ever captured in a tick, and a few milliseconds' work. */
const EXPIRED_AT_ONCE = 1 << 20;
const NO_FLOWS: readonly RecordedFlow[] = [];
/** Frames decoded before any of them is counted. */
const BLOCK = MAX_WARMED;

/** What a monitor works with. */
interface MonitorParts {
  readonly opened: OpenedSource;
  /** Interfaces that the user named; empty for the default. */
  readonly named: readonly string[];
  /** Path shown in a replay; null live. */
  readonly file: string | null;
  readonly started: number;
  readonly directory: Directory;
  readonly flows: FlowTable;
  readonly owners: Owners;
  /** Attribution sources that could not be opened, and why. */
  readonly skipped: readonly Fallback[];
  readonly tracker: CounterTracker | null;
  /** Whether the machine has a physical interface that is up; false in a replay. */
  readonly hasPhysical: boolean;
  /** Inspects and names flows; null leaves them with addresses. */
  readonly inspection: Inspection | null;
  readonly places: Places | null;
  readonly reverseDns: boolean;
  /** Keeps what happens; null without a screen. */
  readonly events: EventLog | null;
  /** Watches flows; null if nothing is watched. */
  readonly watcher: Watcher | null;
  /** What waits for connections; null if nobody asks. */
  readonly listeners?: Listeners | null;
  /** Finds out who made programs; null if nobody asks. */
  readonly publishers?: Publishers | null;
  /** How frames are kept; null keeps none. */
  readonly keep: KeepOptions | null;
  /** Finds the kinds of interfaces by name. */
  readonly kindsOf: (names: readonly string[]) => readonly InterfaceKind[];
  /** Whether an interface is a port of a bridge. */
  readonly repeats: (name: string) => boolean;
  /** Names of the interfaces below one, which carry its frames again; empty if unknown. */
  readonly lower: (name: string) => readonly string[];
  /** The interface's own hardware address; null if it has none, or it is unknown. */
  readonly hardware: (name: string) => Uint8Array | null;
  /** How good an interface's radio link is; null for a cable. */
  readonly link: (name: string) => LinkQuality | null;
  /** Hash seed of the tables. */
  readonly seed: number;
}

/** Splits frames that hold several packets. */
interface Aggregates {
  readonly walk: AggregateRest;
  readonly batch: PacketBatch;
}

/** One run's pipeline. `ingest` runs on the packet clock, `tick` on the tick clock. */
export class Monitor {
  readonly flows: FlowTable;
  readonly aggregator: Aggregator;
  readonly owners: Owners;
  /** Frames that are kept; null if none are. */
  readonly kept: Kept | null;
  readonly #parts: MonitorParts;
  readonly #captured: CapturedSource | null;
  readonly #packets = Array.from({ length: BLOCK }, () => new Packet());
  readonly #hashes = new Int32Array(BLOCK);
  readonly #decoder = new Decoder();
  readonly #frames = new Float64Array(MAX_INTERFACES * FRAME_COLUMNS);
  readonly #kinds: InterfaceKind[] = [];
  readonly #repeats: boolean[] = [];
  readonly #lower: (readonly string[])[] = [];
  /** Our own hardware addresses, for interfaces whose frames don't carry a direction. */
  #hardware: (Uint8Array | null)[] = [];
  #hardwareAsked = false;
  /** Bytes per frame that the interface itself doesn't count: the fake Ethernet header of Linux's lo. */
  readonly #uncounted = new Uint8Array(MAX_INTERFACES);
  #counted = new Set<string>();
  /** Interfaces that were not captured for a while, so their counters include traffic that the capture missed. */
  readonly #left = new Set<string>();
  #historyStatus: (() => HistoryStatus) | null = null;
  #watchStatus: () => WatchStatus = () => NO_WATCH;
  #keptWriting: (() => KeptStatus['writing']) | null = null;
  #privileges: PrivilegeStatus | null = null;
  #writing: (() => WritingStatus) | null = null;
  #exports: (() => ExportStatus) | null = null;
  #interfaceCount = -1;
  #processesBegun = 0;
  #packetCount = 0;
  #frameBytes = 0;
  #undecoded = 0;
  readonly #unread = new UnreadFrames();
  readonly #log: PacketLog;
  /** Further packets in 802.11 frames; null without such frames. */
  #aggregates: Aggregates | null = null;
  readonly #statuses = new Float64Array(4);
  /** Time of the newest frame, epoch ms. */
  lastTime = 0;

  constructor(parts: MonitorParts) {
    this.#parts = parts;
    this.flows = parts.flows;
    this.#log = new PacketLog(parts.flows);
    this.owners = parts.owners;
    this.#captured = parts.owners.source instanceof CapturedSource ? parts.owners.source : null;
    const captured = this.#captured;
    const onBehalfOf = captured === null ? null : (row: number) => captured.onBehalfOf(row);
    const { flows, directory, started, seed, events, watcher, inspection } = parts;
    const questions = inspection === null ? null : { exchanges: inspection.exchanges, domainOf: registrableDomain };
    this.aggregator = new Aggregator({
      ...{ flows, directory, started, seed, events, watcher, onBehalfOf, questions },
      facts: parts.inspection?.names ?? null,
      listeners: parts.listeners == null ? null : () => parts.listeners?.rows ?? null,
    });
    this.kept = parts.keep === null ? null : this.#keep(parts.keep, onBehalfOf);
  }

  #keep({ bytes, forMs }: KeepOptions, onBehalfOf: ((row: number) => number) | null): Kept {
    const { flows } = this;
    const { directory, inspection } = this.#parts;
    const ring = new PacketRing(flows, bytes, forMs);
    const facts = inspection?.names ?? null;
    const { interfaceName } = this.aggregator;
    return { ring, flows: new KeptFlows({ flows, ring, directory, facts, interfaceName, onBehalfOf }) };
  }

  /** Keeps the last packets of this flow from now on, and those that the ring still has. @param id of its row in a snapshot */
  watchPackets(id: string): void {
    const { flows } = this;
    const serial = Number(id);
    let row = flows.rows - 1;
    while (row >= 0 && !flows.holds(row, serial)) row--;
    if (row >= 0 && this.#log.watch(row) && this.kept !== null) this.#logKept(this.kept.ring, row, serial);
  }

  /** The last packets of the flow that is watched; null if none is. */
  get packetPage(): PacketPage | null {
    return this.#log.page();
  }

  /** Adds the frames of a flow that the ring has. */
  #logKept(ring: PacketRing, row: number, serial: number): void {
    const frame = new KeptFrame();
    const packet = this.#packets[0] as Packet;
    const found: number[] = [];
    for (let at = this.flows.keptAt(row); ring.has(at) && found.length < LOGGED_PACKETS * 2; at = frame.previous) {
      ring.read(at, frame);
      if (frame.serial !== serial) break;
      found.push(at);
    }
    for (const at of found.reverse()) {
      ring.read(at, frame);
      this.#decoder.decode(ring.bytes, frame.offset, frame.captured, frame.wire, frame.link, packet);
      packet.time = frame.time;
      if (packet.hasAddresses) this.#log.add(packet, ring.bytes, frame.isSent);
    }
  }

  /** Says how far alerts got, and what is silenced. */
  setWatch(status: () => WatchStatus): void {
    this.#watchStatus = status;
  }

  /** Packets are kept for the user, who may have them written. @param status how far that got */
  setKeptWriting(status: () => KeptStatus['writing']): void {
    this.#keptWriting = status;
  }

  /** Says how far engines got. */
  setExports(status: () => ExportStatus): void {
    this.#exports = status;
  }

  /** Says how far the capture file got. */
  setWriting(status: () => WritingStatus): void {
    this.#writing = status;
  }

  /** Sets the privileges to show, once root is dropped. Until then snapshots have null. */
  setPrivileges(privileges: PrivilegeStatus): void {
    this.#privileges = privileges;
  }

  /** Starts collecting history. @param status returns the state of recording; called once a tick */
  record(collector: HistoryCollector, status: () => HistoryStatus): void {
    this.aggregator.record(collector);
    this.#historyStatus = status;
  }

  /** Takes the frames `from` to `to` of a batch. Allocates nothing per packet. */
  ingest(batch: PacketBatch, from: number, to: number): void {
    if (this.#parts.opened.source.interfaces.length !== this.#interfaceCount) this.learnInterfaces();
    this.owners.beforeBatch();
    const ring = this.kept?.ring ?? null;
    if (ring !== null) this.#followProcesses(ring);
    const { recorded = NO_FLOWS } = this.#parts.opened.source;
    if (recorded.length > 0) this.#ingestRecorded(recorded, batch, from, to, ring);
    else this.#ingestFrames(batch, from, to, ring);
    if (this.#aggregates !== null) this.#ingestAggregates(batch, from, to);
    if (to > from) {
      const newest = batch.time[to - 1] as number;
      if (newest > this.lastTime) this.lastTime = newest;
    }
    this.admitNew();
    this.aggregator.dns?.takeEarly(this.lastTime);
  }

  #ingestFrames(batch: PacketBatch, from: number, to: number, ring: PacketRing | null): void {
    for (let at = from; at < to; at += BLOCK) this.#ingestBlock(batch, at, Math.min(at + BLOCK, to), ring);
  }

  /** Takes frames of a capture of our own, which tells at some of them how their flow is placed. */
  #ingestRecorded(
    recorded: readonly RecordedFlow[],
    batch: PacketBatch,
    from: number,
    to: number,
    ring: PacketRing | null,
  ): void {
    let at = from;
    for (const told of recorded) {
      if (told.frame < from || told.frame >= to || told.direction < 0) continue;
      this.#ingestFrames(batch, at, told.frame, ring);
      at = told.frame;
      const { flows } = this;
      const row = this.#rowOf(batch, at);
      if (row === null) continue;
      if (row < 0) flows.expect(told.direction, told.isSent);
      else if (told.direction === FLOW_DIRECTION.LOCAL) flows.joinEnds(row);
    }
    this.#ingestFrames(batch, at, to, ring);
    this.#takeRecorded(recorded, batch, from, to);
  }

  /** Names the other ends of flows, and the process there if they are within the machine. */
  #takeRecorded(recorded: readonly RecordedFlow[], batch: PacketBatch, from: number, to: number): void {
    const { inspection } = this.#parts;
    for (const told of recorded) {
      const { frame } = told;
      if (frame < from || frame >= to) continue;
      const row = this.#rowOf(batch, frame) ?? -1;
      if (row < 0) continue;
      if (told.name !== '') inspection?.told(row, told);
      if (told.otherEnd === 0 || !this.flows.isLocal(row)) continue;
      // The frame's own process is at the local end, but for a loopback packet, which names its sender.
      const isOwner = this.#kinds[batch.iface[frame] as number] === 'loopback' && !this.flows.lastSent;
      this.#captured?.see(row, !isOwner, DIRECTION.IN, told.otherEnd, 0);
    }
  }

  /** Row of a frame's flow; -1 if it has none yet, null if the frame has no addresses. */
  #rowOf(batch: PacketBatch, i: number): number | null {
    const packet = this.#packets[0] as Packet;
    const [offset, captured, wire] = [batch.offset[i], batch.captured[i], batch.wire[i]] as [number, number, number];
    this.#decoder.decode(batch.bytes, offset, captured, wire, batch.link[i] as number, packet);
    if (!packet.hasAddresses) return null;
    const { words, sourcePort, destinationPort, protocol } = packet;
    return this.flows.lookup(words, sourcePort, destinationPort, protocol, batch.iface[i] as number);
  }

  /** Tells the ring if the source has numbered its processes anew. */
  #followProcesses(ring: PacketRing): void {
    const begun = this.#parts.opened.source.processesBegun ?? 0;
    if (begun !== this.#processesBegun) ring.renumberProcesses();
    this.#processesBegun = begun;
  }

  /** Closes the sources of owners, listeners and publishers. */
  close(): void {
    this.owners.close();
    this.#parts.listeners?.close();
    this.#parts.publishers?.close();
  }

  /** Looks for publishers of new processes, in other threads. @param now monotonic ms */
  lookUpPublishers(now: number): void {
    this.#parts.publishers?.work(now);
  }

  /** Computes the SHA-256 of a process's executable. @returns why it can't; null if it is being done */
  digest(process: number): string | null {
    const { publishers = null } = this.#parts;
    return publishers === null ? 'a recording has no executables' : publishers.digest(process);
  }

  /** Looks for new listeners; a few milliseconds at most. @param now monotonic ms @param time epoch ms */
  listen(now: number, time: number): void {
    const { listeners = null, events } = this.#parts;
    if (listeners === null) return;
    for (const listener of listeners.work(now, time)) if (isTold(listener)) events?.tell('listening', listeningText(listener));
  }

  /** Starts the lookup of new flows, including those created without packets. */
  admitNew(): void {
    this.owners.admitNew(this.#parts.inspection?.admit ?? null);
  }

  /** Takes the second and further packets of a frame; each counts as a frame of its own. */
  #ingestAggregates(batch: PacketBatch, from: number, to: number): void {
    const { walk, batch: rest } = this.#aggregates as Aggregates;
    rest.bytes = batch.bytes;
    rest.count = 0;
    for (let i = from; i < to; i++) {
      const link = batch.link[i] as number;
      if (!isWireless(link)) continue;
      if (!walk.begin(link, batch.bytes, batch.offset[i] as number, batch.captured[i] as number, batch.wire[i] as number))
        continue;
      while (walk.next()) {
        copyFacts(batch, i, rest, rest.count);
        rest.offset[rest.count] = walk.offset;
        rest.captured[rest.count] = walk.captured;
        rest.wire[rest.count] = walk.wire;
        rest.link[rest.count] = LINK.ETHERNET;
        if (++rest.count < BLOCK) continue;
        this.#ingestBlock(rest, 0, BLOCK, null);
        rest.count = 0;
      }
    }
    this.#ingestBlock(rest, 0, rest.count, null);
  }

  /**
   * Decodes a few frames, then counts them. In between it prefetches the rows of all their flows.
   *
   * @param ring keeps them; null if the frames are parts of others
   */
  #ingestBlock(batch: PacketBatch, from: number, to: number, ring: PacketRing | null): void {
    const { bytes, offset, captured, wire, link, time, iface, direction } = batch;
    const packets = this.#packets;
    const hashes = this.#hashes;
    const decoder = this.#decoder;
    const flows = this.flows;
    for (let i = from; i < to; i++) {
      const packet = packets[i - from] as Packet;
      decoder.decode(bytes, offset[i] as number, captured[i] as number, wire[i] as number, link[i] as number, packet);
      hashes[i - from] = flows.hash(packet, iface[i] as number);
    }
    flows.warm(hashes, to - from);
    const frames = this.#frames;
    const uncounted = this.#uncounted;
    const sources = this.#captured;
    const { inspection } = this.#parts;
    const log = this.#log;
    const watched = log.row;
    const interfaces = this.#parts.opened.source.interfaces;
    let nextChange = this.owners.nextChange;
    for (let i = from; i < to; i++) {
      const packet = packets[i - from] as Packet;
      const index = iface[i] as number;
      const reported = (direction[i] as number) || packet.linkDirection;
      const twice = (interfaces[index]?.deliversTwice ?? false) && reported === DIRECTION.IN;
      if (twice) {
        // PKTAP's second copy of a loopback packet only says who received it.
        if (sources !== null && packet.hasAddresses) {
          const row = flows.lookup(packet.words, packet.sourcePort, packet.destinationPort, packet.protocol, index);
          if (row >= 0) sources.see(row, flows.lastSent, reported, batch.process[i] as number, batch.effective[i] as number);
        }
        continue;
      }
      packet.frameBytes -= uncounted[index] as number;
      packet.time = time[i] as number;
      const base = index * FRAME_COLUMNS;
      frames[base] = (frames[base] as number) + 1;
      frames[base + 1] = (frames[base + 1] as number) + packet.frameBytes;
      this.#packetCount++;
      this.#frameBytes += packet.frameBytes;
      if (packet.status !== STATUS.COMPLETE) this.#statuses[packet.status] = (this.#statuses[packet.status] as number) + 1;
      if (!packet.hasAddresses) {
        this.#undecoded++;
        this.#unread.add(packet);
        if (ring !== null) ring.keep(batch, i, -1, reported, false);
        continue;
      }
      if (packet.time >= nextChange) {
        this.owners.change(packet.time);
        nextChange = this.owners.nextChange;
      }
      if (packet.longHeader && inspection !== null) this.#splitConnections(inspection, packet, bytes, index);
      const row = flows.touch(packet, index, reported, hashes[i - from] as number);
      if (row === watched) log.add(packet, bytes, flows.lastSent);
      const isTransit = flows.direction(row) === FLOW_DIRECTION.TRANSIT;
      let way: number = flows.lastSent ? DIRECTION.OUT : DIRECTION.IN;
      if (isTransit) way = this.#transitDirection(row, index, reported, packet, batch, i);
      if (ring !== null) ring.keep(batch, i, row, isTransit ? way : reported, flows.lastSent);
      const column = way === DIRECTION.OUT ? base + 3 : base + 2;
      frames[column] = (frames[column] as number) + packet.frameBytes;
      if (sources !== null) sources.see(row, flows.lastSent, reported, batch.process[i] as number, batch.effective[i] as number);
      if (inspection !== null && (packet.payloadCaptured > 0 || packet.insideCaptured > 0))
        inspection.packet(row, packet, bytes, flows.lastSent);
    }
  }

  /** Retires a flow if this packet opens a new QUIC connection between the same ends. Datagrams have no SYN, so only this packet shows it. */
  #splitConnections(inspection: Inspection, packet: Packet, bytes: Uint8Array, iface: number): void {
    const { flows } = this;
    const row = flows.lookup(packet.words, packet.sourcePort, packet.destinationPort, packet.protocol, iface);
    if (row >= 0 && inspection.isAnother(row, packet, bytes, flows.lastSent)) flows.retire(row);
  }

  /** Direction in which an interface moved a transit flow's frame. Counts frames that passed by, and those opposite to how the flow is booked. @returns DIRECTION */
  #transitDirection(row: number, index: number, reported: number, packet: Packet, batch: PacketBatch, i: number): number {
    let way = reported === DIRECTION.UNKNOWN ? this.#directionByAddress(index, batch, i) : reported;
    // A bridge port also carries frames for other hosts; the address alone doesn't say which of them go out.
    if (way === DIRECTION.PASSING && this.#repeats[index] === true) way = reported === way ? DIRECTION.IN : DIRECTION.UNKNOWN;
    const booked = this.flows.bookedDirection(row, way);
    const frames = this.#frames;
    const base = index * FRAME_COLUMNS;
    if (way === DIRECTION.PASSING) frames[base + PASSED] = (frames[base + PASSED] as number) + packet.networkBytes;
    else if (way === DIRECTION.UNKNOWN) return booked;
    if ((booked === DIRECTION.OUT) !== (way === DIRECTION.OUT)) {
      const sign = way === DIRECTION.OUT ? -1 : 1;
      frames[base + REVERSED] = (frames[base + REVERSED] as number) + sign * packet.networkBytes;
      frames[base + REVERSED + 1] = (frames[base + REVERSED + 1] as number) + sign;
    }
    return way;
  }

  #directionByAddress(index: number, batch: PacketBatch, i: number): number {
    const own = this.#hardware[index] ?? null;
    if (own === null || (batch.captured[i] as number) < ETHERNET_BYTES) return DIRECTION.UNKNOWN;
    this.#hardwareAsked = true;
    const { bytes } = batch;
    const at = batch.offset[i] as number;
    let isSource = true;
    let isDestination = true;
    for (let byte = 0; byte < 6; byte++) {
      if (bytes[at + byte] !== own[byte]) isDestination = false;
      if (bytes[at + 6 + byte] !== own[byte]) isSource = false;
    }
    if (isSource) return DIRECTION.OUT;
    return isDestination || ((bytes[at] as number) & 1) !== 0 ? DIRECTION.IN : DIRECTION.PASSING;
  }

  /** Names of the interfaces whose bytes are in the total. */
  get counted(): readonly string[] {
    return [...this.#counted];
  }

  /** Captured frame bytes by interface, to compare with its counters. */
  capturedBytes(): Map<string, { rxBytes: number; txBytes: number }> {
    const seen = new Map<string, { rxBytes: number; txBytes: number }>();
    for (const [index, { name }] of this.#parts.opened.source.interfaces.entries()) {
      const base = index * FRAME_COLUMNS;
      seen.set(name, { rxBytes: this.#frames[base + 2] as number, txBytes: this.#frames[base + 3] as number });
    }
    return seen;
  }

  /** Closes a tick. */
  tick(time: number, intervalMs: number, gaps: readonly Gap[], limits: SnapshotLimits): Snapshot {
    while (!this.learnInterfaces());
    const interfaces = this.#interfaces();
    this.kept?.ring.expire(time, EXPIRED_AT_ONCE);
    this.kept?.flows.sweep();
    const made = this.aggregator.tick({ time, intervalMs, capture: this.#status(interfaces), interfaces, gaps }, limits);
    const snapshot = this.packetPage === null ? made : { ...made, packets: this.packetPage };
    return countsPackets(this.#parts.opened.source) ? snapshot : withoutPackets(snapshot);
  }

  /** Closes the last tick of a run: see `Aggregator.last`. */
  last(time: number, intervalMs: number, gaps: readonly Gap[]): LastTick {
    while (!this.learnInterfaces());
    const interfaces = this.#interfaces();
    const last = this.aggregator.last({ time, intervalMs, capture: this.#status(interfaces), interfaces, gaps });
    return countsPackets(this.#parts.opened.source) ? last : lastWithoutPackets(last);
  }

  /**
   * Looks up the next few new interfaces. Their bytes are booked once all are known, according to their kinds.
   *
   * @returns whether all are known
   */
  learnInterfaces(): boolean {
    const { source } = this.#parts.opened;
    if (source.interfaces.length === this.#interfaceCount && !this.#hardwareAsked) return true;
    let fresh = source.interfaces.slice(this.#kinds.length);
    if (fresh[0]?.link === LINK.LINUX_SLL2 && this.#parts.file === null) fresh = fresh.slice(0, LEARNT_AT_ONCE);
    const kinds = this.#parts.kindsOf(fresh.map(({ name }) => name));
    for (const [i, { name, link }] of fresh.entries()) {
      const kind = kinds[i] as InterfaceKind;
      this.#uncounted[this.#kinds.length] = kind === 'loopback' && link === LINK.ETHERNET ? ETHERNET_BYTES : 0;
      this.#kinds.push(kind);
      if (isWireless(link)) this.#aggregates ??= aggregates();
      this.#repeats.push(this.#parts.repeats(name));
      this.#lower.push(this.#parts.lower(name));
    }
    if (this.#kinds.length < source.interfaces.length) return false;
    this.#interfaceCount = source.interfaces.length;
    if (this.#hardware.length < this.#interfaceCount || this.#hardwareAsked) this.#readHardware();
    const known = source.interfaces.map(({ name }, index) => ({ name, kind: this.#kinds[index] ?? 'physical' }));
    this.#counted = countedInterfaces(known, this.#parts.named, this.#parts.hasPhysical);
    this.aggregator.setInterfaces(this.#interfaces());
    return true;
  }

  /** Rereads hardware addresses, which may change: once a tick, if frames were compared with them. */
  #readHardware(): void {
    this.#hardwareAsked = false;
    const { source } = this.#parts.opened;
    if (this.#parts.file !== null) return;
    this.#hardware = source.interfaces.map(({ name, link }, index) => {
      const isMute = link === LINK.ETHERNET && !source.namesProcesses && this.#kinds[index] !== 'loopback';
      return isMute ? this.#parts.hardware(name) : null;
    });
  }

  /** Whether we know which of an interface's frames pass by. */
  #knowsPassing(index: number, link: number): boolean {
    const { file, opened } = this.#parts;
    if (file !== null || !readsFrames(opened.source) || isWireless(link)) return false;
    if (link !== LINK.ETHERNET || opened.source.namesProcesses || this.#kinds[index] === 'loopback') return true;
    return this.#hardware[index] !== null && this.#repeats[index] !== true;
  }

  #interfaces(): TickInterface[] {
    const { source } = this.#parts.opened;
    const active = source.active === undefined ? null : new Set(source.active);
    const hasFrames = readsFrames(source);
    return source.interfaces.map(({ name, kind: byName, link }, index) => {
      const base = index * FRAME_COLUMNS;
      if (active?.has(name) === false) this.#left.add(name);
      const delta = this.#parts.tracker?.delta(name) ?? null;
      const dropped =
        delta === null || (delta.rxDropped === null && delta.txDropped === null)
          ? null
          : (delta.rxDropped ?? 0) + (delta.txDropped ?? 0);
      const kind = this.#kinds[index] ?? byName;
      const sent = kind === 'loopback' ? 0 : (delta?.txBytes ?? 0); // loopback receives what it sends; count it once, as captured
      return {
        name,
        kind,
        isCounted: this.#counted.has(name),
        repeats: this.#repeats[index] ?? false,
        lower: this.#lower[index] ?? [],
        passingBytes: this.#knowsPassing(index, link) ? (this.#frames[base + PASSED] as number) : null,
        reversedBytes: this.#frames[base + REVERSED] as number,
        reversedPackets: this.#frames[base + REVERSED + 1] as number,
        frameBytes: hasFrames ? (this.#frames[base + 1] as number) : null,
        // The counter includes what it moved while it wasn't captured.
        counterBytes: delta === null || delta.rxBytes === null || this.#left.has(name) ? null : delta.rxBytes + sent,
        counterDropped: dropped,
        counterErrors: delta?.errors ?? null,
        link: this.aggregator.measuresQuality ? this.#parts.link(name) : null,
      };
    });
  }

  /** Why the counters of the counted interfaces are unknown; empty if they aren't. */
  #countedNote(counted: readonly TickInterface[]): string {
    const unknown = counted.find(({ counterBytes }) => counterBytes === null);
    const { tracker } = this.#parts;
    if (unknown === undefined || tracker === null) return '';
    const reason = this.#left.has(unknown.name) ? 'it was not captured all the time' : tracker.note(unknown.name);
    return reason === '' ? '' : `${unknown.name}: ${reason}`;
  }

  #keptStatus(): KeptStatus | null {
    const { keep } = this.#parts;
    // A ring that only serves `--write` holds nothing for the user.
    if (this.kept === null || keep === null || this.#keptWriting === null) return null;
    const { kept: packets, used, size: bytes, since, tooLong } = this.kept.ring;
    return { bytes, forMs: keep.forMs, packets, used, since, tooLong, writing: this.#keptWriting() };
  }

  #status(interfaces: readonly TickInterface[]): CaptureStatus {
    const { opened, file, places, reverseDns } = this.#parts;
    const { source, fallbacks } = opened;
    const stats = source.stats();
    const kernel = stats.droppedByKernel;
    const dropped = kernel === null && stats.droppedByInterface === null ? null : (kernel ?? 0) + (stats.droppedByInterface ?? 0);
    const owners = this.owners.source;
    const notes = [source.note, this.owners.note, this.#unread.note(file !== null)].filter((note) => note !== '');
    const counted = interfaces.filter(({ isCounted }) => isCounted);
    return {
      driver: source.driver,
      interfaces: source.active ?? interfaces.map(({ name }) => name),
      attribution: owners?.kind ?? 'none',
      packets: readsFrames(source) ? this.#packetCount : null,
      frameBytes: readsFrames(source) ? this.#frameBytes : null,
      dropped,
      shed: stats.shed,
      undecoded: this.#undecoded + stats.malformed,
      truncated: this.#statuses[STATUS.TRUNCATED] as number,
      malformed: (this.#statuses[STATUS.MALFORMED] as number) + stats.malformed,
      unsupported: this.#statuses[STATUS.UNSUPPORTED] as number,
      interfaceBytes: sumOrNull(interfaces.map(({ counterBytes }) => counterBytes)),
      countedFrameBytes: sumOrNull(counted.map(({ frameBytes }) => frameBytes)),
      countedInterfaceBytes: sumOrNull(counted.map(({ counterBytes }) => counterBytes)),
      countedNote: this.#countedNote(counted),
      interfaceDropped: sumOrNull(interfaces.map(({ counterDropped }) => counterDropped)),
      fallbacks: [...fallbacks, ...this.#parts.skipped],
      snapLength: source.snapLength,
      bufferBytes: source.bufferBytes,
      note: notes.join('; '),
      file,
      reverseDns,
      places: places?.dates ?? [],
      placesNote: places?.note ?? '',
      privileges: this.#privileges,
      history: this.#historyStatus?.() ?? null,
      ...this.#watchStatus(),
      kept: this.#keptStatus(),
      exports: this.#exports?.() ?? null,
      writing: this.#writing?.() ?? null,
    };
  }
}

const NO_WATCH: WatchStatus = { delivery: null, mutes: [] };

/** Clients open sockets for answers, at ports that the system picks: they wait for nobody. */
function isTold({ protocol, port }: Listener): boolean {
  return protocol === 'tcp' || port < EPHEMERAL;
}

const REACHED: Readonly<Record<Reach, string>> = {
  loopback: 'from this machine alone',
  network: 'from this network',
  everywhere: 'from everywhere',
};

function listeningText({ app, protocol, port, reach }: Listener): string {
  return `${app ?? 'an unknown process'} on ${protocol} port ${port}, ${REACHED[reach]}`;
}

function aggregates(): Aggregates {
  return { walk: new AggregateRest(new Packet()), batch: new PacketBatch(BLOCK, new Uint8Array(0)) };
}

/**
 * Names of the interfaces whose bytes are in the total.
 *
 * Each byte must count once, however many interfaces it crosses. If the user named interfaces, all of those count. Otherwise physical ones and
 * loopback do, because what a tunnel, a bridge or a virtual pair carries also crosses a physical one. Without a physical one (in a container, or
 * with only a VPN), all count.
 *
 * @param hasPhysical whether the machine has one, even if it hasn't delivered a packet yet
 */
export function countedInterfaces(
  interfaces: readonly { readonly name: string; readonly kind: InterfaceKind }[],
  named: readonly string[],
  hasPhysical: boolean,
): Set<string> {
  const asked = named.filter((name) => name !== 'any');
  const all = asked.length > 0 || !(hasPhysical || interfaces.some(({ kind }) => kind === 'physical'));
  return new Set(interfaces.filter(({ kind }) => all || kind === 'physical' || kind === 'loopback').map(({ name }) => name));
}

/** Sum of values; null if one is unknown, because a partial sum would look like the whole. */
function sumOrNull(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

/** A snapshot from a source that counts only bytes: packets are NaN, shown as unknown and written as null. */
export function withoutPackets(snapshot: Snapshot): Snapshot {
  const { matching } = snapshot;
  return { ...unknownIn(snapshot), matching: matching === null ? null : unknownIn(matching) };
}

function unknownIn<Part extends Snapshot | Matching>(part: Part): Part {
  const { total, apps, hosts, categories, interfaces, branches, flows } = part;
  return {
    ...part,
    total: unknown(total),
    apps: apps.map(unknown),
    hosts: hosts.map(unknown),
    categories: categories.map(unknown),
    interfaces: interfaces.map(unknown),
    branches: branches?.map(unknown) ?? null,
    flows: flows.map(unknown),
  };
}

/** `withoutPackets` for the last tick, whose long lists are generated lazily. */
export function lastWithoutPackets({ snapshot, hosts, flows }: LastTick): LastTick {
  return { snapshot: withoutPackets(snapshot), hosts: each(hosts), flows: each(flows) };
}

function* each<Row extends Traffic>(rows: Iterable<Row>): Iterable<Row> {
  for (const row of rows) yield unknown(row);
}

function unknown<Row extends Traffic>(row: Row): Row {
  return { ...row, rxPackets: Number.NaN, txPackets: Number.NaN };
}
