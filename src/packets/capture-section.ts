// One section of a capture file: puts the blocks in front of a frame that it refers to, namely its interface, its processes and the name of
// the other end, and comments on each flow's first frame. It asks for a flow's facts once in a while, never for each frame.

import { PLACE } from '../capture/file/pcapng-format.ts';
import type { CaptureInterface } from '../capture/source.ts';
import type { KeptFlow } from '../model/packets.ts';
import { FLOW_DIRECTIONS, type Process } from '../model/terms.ts';
import { DIRECTION, LINK } from '../net/numbers.ts';
import type { Framing } from './framing.ts';
import { COARSE, COARSE_FROM_MS, type EncodedFrame, type EncodedProcess, FINE, type PcapngEncoder } from './pcapng-encoder.ts';

/** Frames are written with what was known of their flow at most this long ago, ms of packet time. */
const FRESH_MS = 1000;
/** Flows whose facts are remembered. One that is forgotten gets its comment again. */
const MAX_FLOWS = 32_768;
/** Names of addresses that are remembered as written. */
const MAX_NAMES = 32_768;
/** Process blocks of a section. Our own reader takes 2^20. */
const MAX_PROCESSES = 1 << 19;
const NO_PROCESS = -1;
const NO_BYTES = new Uint8Array(0);

/** A frame without its bytes, as the ring has it. */
export interface SectionFrame {
  /** It is `bytes[offset..offset + captured)`. */
  readonly offset: number;
  readonly captured: number;
  readonly wire: number;
  /** Epoch ms. */
  readonly time: number;
  /** Index into the source's interfaces. */
  readonly iface: number;
  /** DIRECTION as the capture tells it. */
  readonly direction: number;
  /** True if the flow's local end sent it. */
  readonly isSent: boolean;
  /** Row and serial number of its flow; -1 and 0 for a frame without addresses. */
  readonly row: number;
  readonly serial: number;
}

/** What is the same in every section of a run. */
export interface SectionParts {
  /** Frames refer to it by index; it only grows. */
  readonly interfaces: readonly CaptureInterface[];
  /** Of the file in which the section is. */
  readonly framing: Framing;
  /** What is known of a flow; null for one that was forgotten. */
  readonly flowOf: (row: number, serial: number) => KeptFlow | null;
  /** False for frames that are left out. Asked once a second of packet time for each flow, and for each frame without one. */
  readonly wants: (flow: KeptFlow | null, row: number) => boolean;
  /** The operating system; empty leaves it out. */
  readonly system: string;
  readonly application: string;
  /** For people; empty for none. */
  readonly comment: string;
  /** Whether owners are known at all. A reader decides by it how to find them, before it has seen the first. */
  readonly namesProcesses: boolean;
}

/** Frames that are missing from a section. */
export interface SectionLosses {
  readonly bySystem: number | null;
  readonly byInterface: number | null;
}

/** What is known of the flow in a row. */
interface Known {
  readonly serial: number;
  readonly flow: KeptFlow | null;
  /** For people; empty if there is nothing to say. */
  readonly comment: string;
  readonly isWanted: boolean;
  /** Packet time at which it was asked for. */
  time: number;
  /** True until the comment is written. */
  isNews: boolean;
  /** Numbers of process blocks; null until they are declared. */
  processes: { readonly owner: number; readonly peer: number; readonly behalf: number } | null;
}

/** The kernel, whose block comes first in a section that names processes. No frame refers to it. */
const KERNEL: EncodedProcess = { pid: 0, name: 'kernel_task', exe: null, user: null, script: null, unit: null };

/** Writes frames and what belongs to them. A new file is a new section, which says everything again. */
export class CaptureSection {
  frames = 0;
  /** Times of the first and the last frame, epoch ms; null before the first. */
  since: number | null = null;
  until: number | null = null;
  /** Of the block that is being written. */
  #encoder: PcapngEncoder;
  readonly #parts: SectionParts;
  /** Number of the interface block by index of the source's list, once for each kind of time stamp. */
  readonly #numbers: (number | undefined)[] = [];
  readonly #declared: { readonly digits: number; readonly link: number; frames: number }[] = [];
  /** Number of the process block. A process of which more is learnt is another object, and gets another block. */
  readonly #processes = new Map<Process, number>();
  #processCount = 0;
  /** The frame that is being written; one object serves all of them. */
  readonly #out: { -readonly [Key in keyof EncodedFrame]: EncodedFrame[Key] } = {
    ...{ iface: 0, digits: FINE, time: 0, wire: 0, direction: DIRECTION.UNKNOWN, process: NO_PROCESS, effective: NO_PROCESS },
    ...{ otherEnd: NO_PROCESS, place: -1, dropped: 0, comment: null, host: null, hostSource: 'none' },
    ...{ head: NO_BYTES, headBytes: 0, skipped: 0 },
  };
  /** By row. */
  readonly #flows = new Map<number, Known>();
  readonly #names = new Set<string>();

  /** Begins the section. */
  constructor(encoder: PcapngEncoder, parts: SectionParts) {
    this.#encoder = encoder;
    this.#parts = parts;
    encoder.section(parts.system, parts.application, parts.comment);
  }

  /**
   * Writes a frame, unless it isn't wanted.
   *
   * @param dropped frames lost just before it
   * @returns false if the encoder has no room for it: take what is there, and try again
   */
  write(encoder: PcapngEncoder, bytes: Uint8Array, frame: SectionFrame, dropped: number): boolean {
    const known = frame.row < 0 ? null : this.#knownOf(frame);
    if (known === null ? !this.#parts.wants(null, frame.row) : !known.isWanted) return true;
    if (!encoder.fits(frame.captured)) return false;
    this.#encoder = encoder;
    const digits = frame.time < COARSE_FROM_MS ? FINE : COARSE;
    const iface = this.#interfaceOf(frame.iface, digits);
    const declared = this.#declared[iface] as { readonly link: number; frames: number };
    const out = this.#out;
    this.#describe(known, frame);
    const news = known?.isNews === true ? known : null;
    const flow = news?.flow ?? null;
    if (flow !== null) this.#nameOf(flow);
    out.iface = iface;
    out.digits = digits;
    out.time = frame.time;
    out.wire = frame.wire;
    out.dropped = dropped;
    out.comment = news?.comment ?? null;
    out.host = flow?.name ?? null;
    out.hostSource = flow?.nameSource ?? 'none';
    const { framing, interfaces } = this.#parts;
    const { link } = interfaces[frame.iface] as CaptureInterface;
    framing.read(link, declared.link, bytes, frame.offset, frame.captured, frame.wire);
    out.head = framing.head;
    out.headBytes = framing.headBytes;
    out.skipped = framing.skipped;
    encoder.frame(bytes, frame.offset, frame.captured, out);
    if (news !== null) news.isNews = false;
    this.frames++;
    declared.frames++;
    this.since ??= frame.time;
    this.until = frame.time;
    return true;
  }

  /** Whether `write` would write it. */
  isWanted(frame: SectionFrame): boolean {
    return frame.row < 0 ? this.#parts.wants(null, frame.row) : this.#knownOf(frame).isWanted;
  }

  /** Interfaces declared so far. */
  get interfaces(): number {
    return this.#declared.length;
  }

  /** True when no reader may be expected to take more processes: it is time for another section. */
  get isExhausted(): boolean {
    return this.#processCount >= MAX_PROCESSES;
  }

  /** Ends the section: says how many frames each interface delivered, and how many are missing. */
  end(encoder: PcapngEncoder, { bySystem, byInterface }: SectionLosses): void {
    this.#encoder = encoder;
    if (this.#declared.length === 0) this.#declareAny();
    const [start, end] = [this.since ?? 0, this.until ?? 0];
    for (const [number, { digits, frames }] of this.#declared.entries()) {
      if (!encoder.fits(0)) return;
      // What is missing is known of all interfaces together, so the first one bears it.
      const droppedBySystem = number === 0 ? bySystem : null;
      const droppedByInterface = number === 0 ? byInterface : null;
      encoder.statistics(number, digits, start, end, { droppedBySystem, droppedByInterface, delivered: frames });
    }
  }

  /** libpcap refuses a file without an interface, so one without frames names the first that there is. */
  #declareAny(): void {
    const [first] = this.#parts.interfaces;
    if (first !== undefined) this.#interfaceOf(0, FINE);
    else {
      this.#encoder.interface(LINK.ETHERNET, '', FINE);
      this.#declared.push({ digits: FINE, link: LINK.ETHERNET, frames: 0 });
    }
  }

  #interfaceOf(index: number, digits: number): number {
    const at = index * 2 + (digits === FINE ? 0 : 1);
    const known = this.#numbers[at];
    if (known !== undefined) return known;
    const declared = this.#parts.interfaces[index] as CaptureInterface;
    const link = this.#parts.framing.linkOf(declared);
    this.#encoder.interface(link, declared.name, digits);
    const number = this.#declared.push({ digits, link, frames: 0 }) - 1;
    // Behind an interface: Wireshark's editcap and mergecap take a file that begins otherwise for one without a link type, and refuse it.
    if (number === 0 && this.#parts.namesProcesses) this.#declareProcess(KERNEL);
    this.#numbers[at] = number;
    return number;
  }

  /** What the frame's options say of direction and processes. */
  #describe(known: Known | null, frame: SectionFrame): void {
    const out = this.#out;
    // A loopback packet is there once, as it was sent: readers of PKTAP take received ones for the second copy.
    const isLoopback = this.#parts.interfaces[frame.iface]?.kind === 'loopback';
    out.direction = isLoopback ? DIRECTION.OUT : frame.direction;
    out.process = NO_PROCESS;
    out.effective = NO_PROCESS;
    out.otherEnd = NO_PROCESS;
    out.place = -1;
    if (known === null || known.flow === null) return;
    known.processes ??= {
      owner: this.#processOf(known.flow.owner),
      peer: this.#processOf(known.flow.peer),
      behalf: this.#processOf(known.flow.onBehalfOf),
    };
    const { owner, peer, behalf } = known.processes;
    if (known.isNews) {
      out.place = FLOW_DIRECTIONS.indexOf(known.flow.direction) | (frame.isSent ? PLACE.SENT : 0);
      if (known.flow.direction === 'local') out.otherEnd = isLoopback && !frame.isSent ? owner : peer;
    }
    if (isLoopback && !frame.isSent) {
      out.process = peer;
      return;
    }
    out.process = owner;
    out.effective = behalf;
    if (!isLoopback && known.flow.direction !== 'transit') out.direction = frame.isSent ? DIRECTION.OUT : DIRECTION.IN;
  }

  /** Names the flow's other end, for readers that know only addresses. */
  #nameOf(flow: KeptFlow): void {
    const { remoteWords, name, nameSource } = flow;
    // What a tunnel carries isn't the name of the tunnel's end.
    if (name === null || nameSource === 'inner') return;
    const key = `${remoteWords.join(' ')} ${name}`;
    if (this.#names.has(key)) return;
    if (this.#names.size >= MAX_NAMES) this.#names.clear();
    this.#names.add(key);
    this.#encoder.names(remoteWords, 0, name);
  }

  #processOf(process: Process | null): number {
    if (process === null) return NO_PROCESS;
    const known = this.#processes.get(process);
    if (known !== undefined) return known;
    const number = this.#declareProcess(process);
    this.#processes.set(process, number);
    return number;
  }

  #declareProcess(process: EncodedProcess): number {
    this.#encoder.process(process);
    return this.#processCount++;
  }

  #knownOf({ row, serial, time }: SectionFrame): Known {
    const found = this.#flows.get(row);
    const before = found?.serial === serial ? found : null;
    if (before !== null && Math.abs(time - before.time) < FRESH_MS) return before;
    const flow = this.#parts.flowOf(row, serial) ?? before?.flow ?? null;
    const comment = flow === null ? '' : commentOf(flow);
    const isNews =
      flow !== null &&
      (before === null || before.isNews || comment !== before.comment || flow.direction !== before.flow?.direction);
    const known = { serial, time, flow, comment, isNews, processes: null, isWanted: this.#parts.wants(flow, row) };
    if (found !== undefined) this.#flows.delete(row);
    else if (this.#flows.size >= MAX_FLOWS) this.#flows.delete(this.#flows.keys().next().value as number);
    this.#flows.set(row, known);
    return known;
  }
}

/** One line on a flow, for people. */
function commentOf({ owner, peer, onBehalfOf, app, peerApp, reason, name, nameSource, category }: KeptFlow): string {
  const parts: string[] = [];
  if (owner === null) parts.push(`no app: ${reason ?? 'unknown'}`);
  else parts.push(`app ${app ?? owner.name}`, ...idOf(owner));
  if (onBehalfOf !== null) parts.push(`for ${onBehalfOf.name}`);
  if (peer !== null) parts.push(`to app ${peerApp ?? peer.name}`, ...idOf(peer));
  if (name !== null) parts.push(`host ${name} (${nameSource})`);
  if (category !== null) parts.push(`category ${category}`);
  return parts.join(', ');
}

function idOf({ pid, user }: Process): string[] {
  return [...(pid < 0 ? [] : [`pid ${pid}`]), ...(user === null ? [] : [`user ${user}`])];
}
