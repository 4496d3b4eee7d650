// What can be had without any rights on Linux: the bytes that each TCP socket counted itself, given to flows as if packets had brought them.
// There are no frames, no UDP, no names from the wire; all of that is unknown, and said to be.

import type { NetworkInterfaceInfo } from 'node:os';
import type { CaptureInterface, OpenedSource, PacketSource, SourceState } from '../capture/source.ts';
import { permissionHint } from '../cli/sudo-command.ts';
import type { Clock } from '../clock.ts';
import { Packet } from '../decode/packet.ts';
import { NetmonError, reasonOf } from '../errors.ts';
import { COUNTERS, FLOW_STATE, INTS, RX_PACKETS, SERIAL, STATE, TX_PACKETS } from '../flow/layout.ts';
import type { SocketCount } from '../identify/process/sock-diag.ts';
import { TCP_CLOSE, TCP_LISTEN } from '../identify/process/sock-diag.ts';
import { parseAddress, sameAddress } from '../net/address.ts';
import type { Edges } from '../net/edges.ts';
import { DIRECTION, LINK, PROTOCOL, TCP_FLAG } from '../net/numbers.ts';
import { sanitize } from '../net/text.ts';
import type { Monitor } from './monitor.ts';

/** Asks the kernel; SockDiag in production. */
export interface SocketCounts {
  ask(each: (count: SocketCount) => void): boolean;
  close(): void;
}

/** Shortest pause between two askings; one that took t ms is followed by a rest of twenty times this. */
const PAUSE_MS = 250;
const REST = 20;
/** Sockets whose counters are remembered. */
const MOST_SOCKETS = 65_536;

interface Known {
  rxBytes: number;
  txBytes: number;
  rxSegments: number;
  txSegments: number;
  /** Asking in which it was last told. */
  round: number;
  /** Its flow; -1 before it moved anything. */
  row: number;
  serial: number;
}

/** Stands where a capture stands; `read` never gives a frame, and feeds the flow table on its way. */
export class ReducedSource implements PacketSource {
  readonly driver = 'sock_diag';
  readonly processes = [];
  readonly namesProcesses = false;
  readonly snapLength = { bulk: 0, whole: 0 };
  readonly bufferBytes = null;
  readonly interfaces: readonly CaptureInterface[];
  state: SourceState = 'open';
  readonly #counts: SocketCounts;
  readonly #note: string;
  readonly #now: () => number;
  readonly #wall: () => number;
  readonly #addresses: { readonly words: Int32Array; readonly iface: number }[] = [];
  readonly #known = new Map<number, Known>();
  readonly #listening = new Set<number>();
  readonly #packet = new Packet();
  #monitor: Monitor | null = null;
  #next = Number.NEGATIVE_INFINITY;
  #round = 0;
  #failing = false;

  /** @param note what to tell the user for as long as this is all @param now monotonic ms @param wall epoch ms */
  constructor(
    counts: SocketCounts,
    networks: NodeJS.Dict<NetworkInterfaceInfo[]>,
    note: string,
    now: () => number,
    wall: () => number,
  ) {
    this.#counts = counts;
    this.#note = note;
    this.#now = now;
    this.#wall = wall;
    const names = Object.keys(networks);
    this.interfaces = names.map((name) => ({
      name,
      kind: name === 'lo' ? 'loopback' : 'physical',
      link: LINK.RAW,
      deliversTwice: false,
    }));
    for (const [iface, name] of names.entries())
      for (const { address } of networks[name] ?? []) {
        const words = new Int32Array(4);
        if (parseAddress(address, words, 0)) this.#addresses.push({ words, iface });
      }
  }

  get note(): string {
    return this.#failing ? `${this.#note}; the kernel did not tell of all sockets` : this.#note;
  }

  /** Whose flows are fed. */
  feed(monitor: Monitor): void {
    this.#monitor = monitor;
  }

  read(): null {
    const now = this.#now();
    if (this.#monitor === null || now < this.#next) return null;
    this.#round++;
    this.#listening.clear();
    this.#failing = !this.#counts.ask((count) => this.#take(count));
    this.#forgetGone();
    this.#monitor.admitFresh();
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

  #take(count: SocketCount): void {
    if (count.state === TCP_LISTEN) {
      this.#listening.add(count.ownPort);
      return;
    }
    let known = this.#known.get(count.cookie);
    if (known === undefined) {
      if (this.#known.size >= MOST_SOCKETS) return;
      // What a socket moved before we came is no traffic of this run.
      const isOlder = this.#round === 1;
      const { rxBytes, txBytes, rxSegments, txSegments } = count;
      const before = isOlder
        ? { rxBytes, txBytes, rxSegments, txSegments }
        : { rxBytes: 0, txBytes: 0, rxSegments: 0, txSegments: 0 };
      known = { ...before, round: 0, row: -1, serial: 0 };
      this.#known.set(count.cookie, known);
    }
    known.round = this.#round;
    const [rx, tx] = [count.rxBytes - known.rxBytes, count.txBytes - known.txBytes];
    const [rxSegments, txSegments] = [count.rxSegments - known.rxSegments, count.txSegments - known.txSegments];
    known.rxBytes = count.rxBytes;
    known.txBytes = count.txBytes;
    known.rxSegments = count.rxSegments;
    known.txSegments = count.txSegments;
    if (rxSegments > 0 || txSegments > 0 || tx > 0)
      this.#book(known, count, Math.max(0, rx), Math.max(0, tx), rxSegments, txSegments);
    if (count.state === TCP_CLOSE) this.#end(count.cookie, known);
  }

  #book(known: Known, count: SocketCount, rx: number, tx: number, rxSegments: number, txSegments: number): void {
    const { flows } = this.#monitor as Monitor;
    const iface = this.#ifaceOf(count.words);
    const { words, ownPort, otherPort } = count;
    const isNew = flows.lookup(words, ownPort, otherPort, PROTOCOL.TCP, iface) < 0;
    const opened = !this.#listening.has(ownPort);
    if (isNew) this.#touch(count, iface, opened, 0, TCP_FLAG.SYN); // the one that opened it speaks first
    const row = flows.lookup(words, ownPort, otherPort, PROTOCOL.TCP, iface);
    // A connection within this machine has a socket at each end: that of the flow's local end counts for both.
    if (row < 0 || !flows.lastSent) return;
    this.#touch(count, iface, true, tx, TCP_FLAG.ACK);
    this.#touch(count, iface, false, rx, TCP_FLAG.ACK);
    const at = row * COUNTERS;
    flows.counters[at + TX_PACKETS] = (flows.counters[at + TX_PACKETS] as number) + txSegments - 1 - (isNew && opened ? 1 : 0);
    flows.counters[at + RX_PACKETS] = (flows.counters[at + RX_PACKETS] as number) + rxSegments - 1 - (isNew && !opened ? 1 : 0);
    known.row = row;
    known.serial = flows.counters[at + SERIAL] as number;
    this.#setState(row, FLOW_STATE.ESTABLISHED);
  }

  /** Counts bytes one way. @param sent by the socket's own end */
  #touch(count: SocketCount, iface: number, sent: boolean, bytes: number, flags: number): void {
    const packet = this.#packet;
    const [source, destination] = sent ? [0, 4] : [4, 0];
    for (let i = 0; i < 4; i++) {
      packet.words[i] = count.words[source + i] as number;
      packet.words[4 + i] = count.words[destination + i] as number;
    }
    packet.sourcePort = sent ? count.ownPort : count.otherPort;
    packet.destinationPort = sent ? count.otherPort : count.ownPort;
    packet.protocol = PROTOCOL.TCP;
    packet.hasAddresses = true;
    packet.transportOffset = -1; // there is no segment to follow
    packet.tcpFlags = flags;
    packet.networkBytes = bytes;
    packet.frameBytes = 0;
    packet.time = this.#wall();
    (this.#monitor as Monitor).flows.touch(packet, iface, sent ? DIRECTION.OUT : DIRECTION.IN);
  }

  /** Sockets that are gone: their flows are closed. One that ended between our hearing of ends and the list is heard of in the next round. */
  #forgetGone(): void {
    for (const [cookie, known] of this.#known) if (known.round < this.#round - 1) this.#end(cookie, known);
  }

  #end(cookie: number, { row, serial }: Known): void {
    const { flows } = this.#monitor as Monitor;
    this.#known.delete(cookie);
    if (row >= 0 && flows.isLive(row) && flows.counters[row * COUNTERS + SERIAL] === serial)
      this.#setState(row, FLOW_STATE.CLOSED);
  }

  #setState(row: number, state: number): void {
    const { flows } = this.#monitor as Monitor;
    const at = row * INTS + STATE;
    flows.ints[at] = ((flows.ints[at] as number) & 0xff_ffff) | (state << 24);
    flows.mark(row);
  }

  #ifaceOf(words: Int32Array): number {
    return this.#addresses.find((each) => sameAddress(words, 0, each.words, 0))?.iface ?? 0;
  }
}

/**
 * Opens it, on Linux. @param refused why there is no capture; null where none was wanted
 *
 * @throws NetmonError `usage` on another system, `no-device` where the kernel does not tell of sockets
 */
export async function reducedCapture(edges: Edges, clock: Clock, refused: NetmonError | null): Promise<OpenedSource> {
  if (edges.platform !== 'linux') throw new NetmonError('usage', '--reduced works on Linux only', 'as root: leave --reduced out');
  const words = process.argv.slice(2).filter((word) => word !== '--reduced');
  const node = process.execPath;
  const script = process.argv[1] ?? 'netmon-tui';
  const euid = edges.euid();
  const command = permissionHint({ platform: edges.platform, euid, node, script, folder: process.cwd(), words }).replace(
    /^type: /,
    '',
  );
  const note = `reduced: TCP payload of sockets, no packets. For all of it: ${euid === 0 ? 'leave --reduced out' : command}`;
  const { SockDiag } = await import('../identify/process/sock-diag.ts');
  let counts: SocketCounts;
  try {
    counts = new SockDiag();
  } catch (thrown) {
    throw refused ?? new NetmonError('no-device', `sockets can't be asked for: ${reasonOf(thrown)}`, command, thrown);
  }
  const monotonic = () => clock.monotonic();
  const source = new ReducedSource(counts, edges.networkInterfaces(), note, monotonic, () => clock.now());
  const fallbacks = refused === null ? [] : [{ driver: 'libpcap', reason: sanitize(refused.message) }];
  return { source, fallbacks };
}
