// The preferred driver: the system's libpcap, in process. libpcap's own pcap_dump writes records into our buffer, so one foreign call moves
// hundreds of packets; RecordWalk turns them into columns.

import { NetmonError, reasonOf } from '../../model/errors.ts';
import { u32 } from '../../net/bytes.ts';
import { DIRECTION, LINK } from '../../net/numbers.ts';
import type { Clock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { PacketBatch } from '../batch.ts';
import { defaultInterface, deviceNames } from '../devices/devices.ts';
import { linuxState } from '../devices/linux.ts';
import { DriverUnavailable } from '../errors.ts';
import { dumpedLayout, RecordWalk } from '../file/pcap.ts';
import { InterfaceTable } from '../interface-names.ts';
import { isPktap, PktapUnwrapper, pktapNames } from '../pktap.ts';
import { ProcessTable } from '../process-names.ts';
import type { CaptureInterface, CaptureRequest, CaptureStats, PacketSource, SourceState } from '../source.ts';
import { type Dump, type LibpcapCalls, loadLibpcap } from './calls.ts';
import { FrameFilter } from './frame-filter.ts';
import { LibpcapHandle, PKTAP_SNAPLEN } from './handle.ts';
import { BULK_BYTES, FULL_BYTES, WHOLE_BYTES } from './snap-program.ts';

const BATCH_BYTES = 4 << 20;
const RECORD_HEADER = 16;
/** pcap_dump doesn't report a full buffer, so never ask for more records than fit at their largest. */
const recordsOf = (longest: number) => Math.floor((BATCH_BYTES - 4096) / (longest + RECORD_HEADER));
const BATCH_RECORDS = recordsOf(WHOLE_BYTES);
/** Every MiB of ring is resident memory. This much lost nothing at a million packets/s and holds 4 seconds of slow traffic. */
const MIN_RING = 4 << 20;
const REOPEN_MS = 2000;

/** One device, its handle while open, and the walk over its records. */
interface Tap {
  readonly request: { readonly device: string; readonly pktap: boolean };
  handle: LibpcapHandle | null;
  walk: RecordWalk;
  iface: number;
  triedAt: number;
  /** libpcap's error when the device was last lost. */
  cause: string;
  /** The device is gone, so there is nothing to wait for. */
  gone: boolean;
}

/**
 * Opens the interfaces of `request` through libpcap.
 *
 * On macOS one PKTAP handle covers all of them, with pid and name on each packet. Without root, or with an older libpcap, it opens the plain
 * interface. `calls` is the library, loaded by default. Throws DriverUnavailable or a NetmonError.
 */
export async function openLibpcap(
  request: CaptureRequest,
  edges: Edges,
  clock: Clock,
  calls?: LibpcapCalls,
): Promise<PacketSource> {
  const library = calls ?? load(edges.platform);
  const devices = await deviceNames(edges);
  if (edges.platform === 'darwin' && library.setWantPktap !== null) {
    // A filter must only fit the plain interface, which may still open.
    if (request.bpf !== null && edges.euid() !== 0) return plain('without root there is no PKTAP');
    try {
      return new LibpcapSource(library, [`pktap,${pktapNames(request.interfaces)}`], true, request, edges, clock, devices, '');
    } catch (thrown) {
      // Without root a plain interface may still open (Wireshark's ChmodBPF gives the access_bpf group /dev/bpf*).
      if (edges.euid() === 0) throw thrown;
      return plain(`without root there is no PKTAP: ${reasonOf(thrown)}`);
    }
  }
  return plain('');

  async function plain(note: string): Promise<PacketSource> {
    if (request.interfaces.length > 0) return open(request.interfaces);
    const route = await defaultInterface(edges);
    if (route !== null) return open([route]);
    throw new NetmonError('no-device', 'no default route, so no interface to choose', 'name one: netmon-tui --interface NAME');

    function open(names: readonly string[]) {
      return new LibpcapSource(library, names, false, request, edges, clock, devices, note);
    }
  }
}

function load(platform: 'darwin' | 'linux'): LibpcapCalls {
  try {
    return loadLibpcap(platform);
  } catch (thrown) {
    throw new DriverUnavailable(`libpcap could not be loaded: ${reasonOf(thrown)}`, null, thrown);
  }
}

/** Reads one or more libpcap handles, a batch of one handle at a time. */
class LibpcapSource implements PacketSource {
  readonly driver = 'libpcap';
  readonly namesProcesses: boolean;
  readonly snapLength: { readonly bulk: number; readonly whole: number };
  readonly bufferBytes: number;
  state: SourceState = 'open';
  readonly #calls: LibpcapCalls;
  readonly #request: CaptureRequest;
  readonly #edges: Edges;
  readonly #clock: Clock;
  readonly #devices: readonly string[];
  readonly #taps: Tap[] = [];
  readonly #batch = new PacketBatch(BATCH_RECORDS, Buffer.alloc(BATCH_BYTES));
  readonly #dump: Dump;
  readonly #interfaces = new InterfaceTable();
  readonly #processes = new ProcessTable();
  readonly #unwrapper = new PktapUnwrapper(this.#interfaces, this.#processes);
  readonly #cooked: CookedFrames;
  /** The user's filter, if the kernel can't apply it. */
  readonly #filter: FrameFilter | null;
  #note: string;
  #next = 0;
  #gone = { received: 0, dropped: 0, droppedByInterface: 0, malformed: 0 };
  readonly #baseNote: string;
  /** Bytes of kernel ring per handle. */
  readonly #ring: number;
  /** Frames asked for in one go. */
  readonly #records: number;

  constructor(
    calls: LibpcapCalls,
    names: readonly string[],
    pktap: boolean,
    request: CaptureRequest,
    edges: Edges,
    clock: Clock,
    devices: readonly string[],
    note: string,
  ) {
    this.#calls = calls;
    this.#request = request;
    this.#edges = edges;
    this.#clock = clock;
    this.#devices = devices;
    this.#cooked = new CookedFrames((index) => calls.interfaceName(index), this.#interfaces);
    this.#baseNote = note;
    this.#note = note;
    this.#filter = pktap && request.bpf !== null ? new FrameFilter(calls, request.bpf, request.interfaces) : null;
    this.namesProcesses = pktap;
    const isWhole = request.wholePackets === true;
    this.#records = isWhole ? recordsOf(FULL_BYTES) : BATCH_RECORDS;
    const [bulk, whole] = isWhole ? [FULL_BYTES, FULL_BYTES] : pktap ? [PKTAP_SNAPLEN, PKTAP_SNAPLEN] : [BULK_BYTES, WHOLE_BYTES];
    this.snapLength = pktap ? { bulk: bulk - 156, whole: whole - 156 } : { bulk, whole };
    this.#ring = Math.max(MIN_RING, Math.floor(request.bufferBytes / names.length));
    try {
      for (const device of names) this.#taps.push(this.#openTap(device, pktap));
      this.bufferBytes = this.#taps.reduce((sum, { handle }) => sum + (handle?.bufferBytes ?? 0), 0);
      this.#dump = calls.openDump((this.#taps[0] as Tap & { handle: LibpcapHandle }).handle.pointer, this.#batch.bytes as Buffer);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
    if (pktap && !isPktap(this.#taps[0]?.handle?.link ?? -1)) {
      this.close();
      throw new DriverUnavailable('libpcap opened PKTAP, but the kernel does not deliver its headers');
    }
  }

  get note(): string {
    return [this.#note, this.#filter?.note ?? ''].filter((note) => note !== '').join('; ');
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.#interfaces.interfaces;
  }

  get delayMs(): number {
    return Math.max(0, ...this.#taps.map(({ handle }) => handle?.delayMs ?? 0));
  }

  get processes() {
    return this.#processes.processes;
  }

  get processesBegun(): number {
    return this.#processes.begun;
  }

  read(): PacketBatch | null {
    for (let tried = 0; tried < this.#taps.length; tried++) {
      const tap = this.#taps[this.#next] as Tap;
      this.#next = (this.#next + 1) % this.#taps.length;
      if (tap.handle === null) this.#reopen(tap);
      else if (this.#fill(tap, tap.handle)) return this.#batch;
    }
    return null;
  }

  stats(): CaptureStats {
    let { received, dropped, droppedByInterface } = this.#gone;
    received -= this.#filter?.refused ?? 0;
    for (const { handle } of this.#taps) {
      if (handle === null) continue;
      handle.refreshStats();
      received += handle.received;
      dropped += handle.dropped;
      droppedByInterface += handle.droppedByInterface;
    }
    const malformed = this.#taps.reduce((sum, tap) => sum + tap.walk.malformed, this.#unwrapper.malformed + this.#gone.malformed);
    return { received, droppedByKernel: dropped, droppedByInterface, shed: 0, malformed };
  }

  close(): void {
    for (const tap of this.#taps) {
      tap.handle?.close();
      tap.handle = null;
    }
    this.state = 'ended';
  }

  #fill(tap: Tap, handle: LibpcapHandle): boolean {
    const batch = this.#batch;
    if (!handle.hasBegun && !this.#begin(handle)) {
      this.#lose(tap, handle);
      return false;
    }
    this.#dump.rewind();
    const count = this.#calls.dispatch(handle.pointer, this.#records, this.#dump);
    if (count < 0) this.#lose(tap, handle);
    if (count <= 0) return false;
    batch.count = 0;
    tap.walk.fill(batch, 0, this.#dump.flush());
    this.#processes.makeRoom();
    if (tap.request.pktap) {
      this.#unwrapper.unwrap(batch);
      this.#filter?.keep(batch);
    } else if (handle.link === LINK.LINUX_SLL2) this.#cooked.place(batch);
    return batch.count > 0;
  }

  /** Discards frames that arrived before the rejecting filter was set, then begins. */
  #begin(handle: LibpcapHandle): boolean {
    do this.#dump.rewind();
    while (this.#calls.dispatch(handle.pointer, this.#records, this.#dump) > 0);
    return handle.begin();
  }

  #openTap(device: string, pktap: boolean): Tap {
    const handle = this.#open(device, pktap);
    // With PKTAP and `any` each frame names its interface, so this index is unused.
    const iface = pktap || device === 'any' ? 0 : this.#interfaces.named(handle.link, false, device);
    return {
      request: { device, pktap },
      handle,
      walk: new RecordWalk(dumpedLayout(handle.link, iface)),
      iface,
      triedAt: 0,
      cause: '',
      gone: false,
    };
  }

  #open(device: string, pktap: boolean): LibpcapHandle {
    const bpf = pktap ? null : this.#request.bpf;
    const { platform } = this.#edges;
    const wholePackets = this.#request.wholePackets === true;
    const about = { device, pktap, bpf, platform, bufferBytes: this.#ring, devices: this.#devices, wholePackets };
    return new LibpcapHandle(this.#calls, about);
  }

  #lose(tap: Tap, handle: LibpcapHandle): void {
    tap.cause = handle.error();
    handle.refreshStats();
    this.#gone.received += handle.received;
    this.#gone.dropped += handle.dropped;
    this.#gone.droppedByInterface += handle.droppedByInterface;
    handle.close();
    tap.handle = null;
    // PKTAP has no interface to wait for, so it reopens at once, unless it was just opened.
    if (!tap.request.pktap) tap.triedAt = this.#clock.monotonic();
    tap.gone = this.#isAbsent(tap);
    this.#updateState(tap.cause);
  }

  #reopen(tap: Tap): void {
    const now = this.#clock.monotonic();
    if (now - tap.triedAt < REOPEN_MS) return;
    tap.triedAt = now;
    try {
      const opened = this.#open(tap.request.device, tap.request.pktap);
      tap.handle = opened;
      this.#gone.malformed += tap.walk.malformed;
      tap.walk = new RecordWalk(dumpedLayout(opened.link, tap.iface));
      tap.gone = false;
      this.#updateState('');
    } catch (thrown) {
      // On macOS only opening a device shows whether it exists.
      tap.gone = this.#edges.platform === 'darwin' || this.#isAbsent(tap);
      // PKTAP may never open again without root, so report why it was lost.
      this.#updateState(tap.request.pktap ? tap.cause : reasonOf(thrown));
    }
  }

  #isAbsent(tap: Tap): boolean {
    const { device } = tap.request;
    return this.#edges.platform === 'linux' && device !== 'any' && linuxState(this.#edges, device) === 'absent';
  }

  /** Sets state and note. Lost means that every device has vanished; one that is down, or one of several, is waited for. */
  #updateState(reason: string): void {
    const away = this.#taps.filter((tap) => tap.handle === null);
    this.state = away.length < this.#taps.length ? 'open' : away.every((tap) => tap.gone) ? 'lost' : 'waiting';
    this.#note = away.length === 0 ? this.#baseNote : `${away.map((tap) => tap.request.device).join(', ')}: ${reason}`;
  }
}

/** SLL2 packet types (linux/if_packet.h): to another machine's hardware address; sent by this machine. */
const PACKET_OTHERHOST = 3;
const PACKET_OUTGOING = 4;

/** Most interface numbers remembered; when full, all are forgotten. Every interface ever created gets a new number. */
const MAX_KNOWN = 1 << 14;

/** Sets interface and direction of the frames of Linux's `any` (LINKTYPE_LINUX_SLL2), which carry the kernel's interface number. */
export class CookedFrames {
  readonly #nameOf: (index: number) => string | null;
  readonly #interfaces: InterfaceTable;
  /** Kernel interface number -> our index. */
  readonly #known = new Map<number, number>();

  /** @param nameOf asks the kernel for one interface's name; listing hundreds of interfaces would take longer than frames may wait */
  constructor(nameOf: (index: number) => string | null, interfaces: InterfaceTable) {
    this.#nameOf = nameOf;
    this.#interfaces = interfaces;
  }

  /** Sets each frame's interface and direction. */
  place(batch: PacketBatch): void {
    const { bytes, offset, captured } = batch;
    let last = -1;
    let lastKnown = 0;
    for (let i = 0; i < batch.count; i++) {
      if ((captured[i] as number) < 20) continue;
      const at = offset[i] as number;
      const index = u32(bytes, at + 4);
      if (index !== last) {
        last = index;
        lastKnown = this.#known.get(index) ?? this.#learn(index);
      }
      batch.iface[i] = lastKnown;
      const type = bytes[at + 10];
      batch.direction[i] =
        type === PACKET_OUTGOING ? DIRECTION.OUT : type === PACKET_OTHERHOST ? DIRECTION.PASSING : DIRECTION.IN;
    }
  }

  #learn(index: number): number {
    const known = this.#interfaces.named(LINK.LINUX_SLL2, false, this.#nameOf(index) ?? `#${index}`);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(index, known);
    return known;
  }
}
