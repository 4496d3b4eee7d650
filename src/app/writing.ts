// Writes the packets of a run to a capture file, to a row of them or to standard output: `--write`. The files are made as the user that the run
// has become, and what becomes of them is told on the screen and at the end.

import { release, type as systemName } from 'node:os';
import { dirname } from 'node:path';
import type { PacketSource } from '../capture/source.ts';
import type { Filter } from '../filter/filter.ts';
import { NetmonError } from '../model/errors.ts';
import type { WriteOptions } from '../model/options.ts';
import type { WritingStatus } from '../model/packets.ts';
import { counted } from '../net/counted.ts';
import { CaptureFile, CaptureStream, type StatedSink } from '../output/capture-file.ts';
import type { FileOwner } from '../output/output-file.ts';
import type { SectionLosses, SectionParts } from '../packets/capture-section.ts';
import { Framing } from '../packets/framing.ts';
import type { Kept } from '../packets/kept-flows.ts';
import { RingWriter } from '../packets/ring-writer.ts';
import type { Monitor } from '../pipeline/monitor.ts';
import type { Identity } from '../system/accounts.ts';
import { isRootsAlone } from '../system/as-owner.ts';
import { absolutePath } from '../system/files.ts';
import { formatAmount } from '../view/text/format.ts';

/** How often the ring is looked at, ms. */
const LOOK_MS = 100;
/** A sink that is still busy after this time is stuck, ms: the end doesn't wait for it. */
const LONGEST_END_MS = 10_000;

/**
 * Makes the first file ahead of the drop of root if it would be `nobody` who makes it afterwards: root itself asked for it, in a folder that only
 * root changes. Files of a row are made all along, so those are left to the user that the run becomes.
 *
 * @returns null to make it afterwards
 */
export function sinkAsRoot(options: WriteOptions, by: Identity['by'] | null, now: () => number): StatedSink | null {
  const { path, rotate } = options;
  const isEarly = by === 'nobody' && path !== '-' && rotate === null && isRootsAlone(dirname(absolutePath(path)), true);
  return isEarly ? fileOf(options, null, now) : null;
}

/** What a capture file needs of the capture. */
export type WrittenSource = Pick<PacketSource, 'driver' | 'interfaces' | 'namesProcesses' | 'stats'>;

/** What is written, and of what. */
export interface WritingRequest {
  readonly options: WriteOptions;
  readonly owner: FileOwner | null;
  readonly monitor: Monitor;
  readonly source: WrittenSource;
  /** What it doesn't match is left out; null leaves out nothing. */
  readonly filter: Filter | null;
  /** Version of the program. */
  readonly version: string;
  /** Called once, when nothing more can be written. */
  readonly onClosed: () => void;
  /** Epoch ms, for the names of files. */
  readonly now: () => number;
  /** As `sinkAsRoot` made it. */
  readonly sink: StatedSink | null;
  /** True if root became `nobody`, who may write in few folders. */
  readonly isNobody: boolean;
}

/** The writing of one run. `end` it on every way out. */
export class Writing {
  readonly #sink: StatedSink;
  readonly #writer: RingWriter;
  readonly #onClosed: () => void;
  readonly #filter: Filter | null;
  #timer: NodeJS.Timeout | null = null;
  #ending: Promise<void> | null = null;
  #isClosed = false;

  /** Makes the first file. @throws NetmonError `usage` if it can't be made */
  constructor(request: WritingRequest) {
    const { options, monitor, source, onClosed } = request;
    const { ring } = monitor.kept as Kept;
    this.#onClosed = onClosed;
    this.#filter = request.filter;
    this.#sink = request.sink ?? sinkOf(request, () => this.#noteClosed());
    this.#writer = new RingWriter({
      ring,
      from: ring.oldest,
      sink: this.#sink,
      section: sectionOf(request),
      losses: () => lossesOf(source),
      fileBytes: options.rotate?.bytes ?? null,
      fileMs: options.rotate?.ms ?? null,
    });
  }

  get status(): WritingStatus {
    const { packets, lost, since, until } = this.#writer;
    const state = this.#sink.failure !== null ? 'failed' : this.#sink.isClosed || this.#ending !== null ? 'done' : 'writing';
    return { ...this.#sink.status, state, packets, lost, since, until };
  }

  /** Why it stopped; null if it didn't, or was told to. */
  get failure(): NetmonError | null {
    return this.#sink.failure;
  }

  /** Writes by itself from now on: for a live run. @param now ms, by a clock that is never set back */
  start(now: () => number): void {
    this.#timer = setInterval(() => this.work(now()), LOOK_MS);
    this.#timer.unref();
  }

  /** Writes what is a second old. @param now ms: in a replay, the time of packets */
  work(now: number): void {
    if (this.#ending !== null) return;
    this.#writer.work(now);
    if (this.#sink.isClosed) this.#noteClosed();
  }

  /** For a replay, which can wait: resolves when there is room for more packets. @returns null if there is now */
  room(): Promise<void> | null {
    return this.#writer.isBehind && !this.#sink.isClosed ? this.#writer.caughtUp() : null;
  }

  /** Writes the rest, and closes the file. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  /** What it begins, in one line. */
  get beginning(): string {
    const { path } = this.#sink.status;
    return `writing packets to ${path === '-' ? 'standard output' : path}; Ctrl+C ends it`;
  }

  /** What was written, in one line. */
  get summary(): string {
    const { path, packets, bytes, files, lost } = this.status;
    const where = path === '-' ? 'standard output' : files > 1 ? `${counted(files, 'file')}, the last one ${path}` : path;
    const missing = lost === 0 ? '' : `; ${counted(lost, 'packet')} came faster than they could be written`;
    const which = this.#filter === null ? '' : ` that match ${this.#filter.text}`;
    return `wrote ${counted(packets, 'packet')}${which}, ${formatAmount(bytes, 'bytes').trim()}, to ${where}${missing}`;
  }

  async #end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    let timer: NodeJS.Timeout | undefined;
    const stuck = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LONGEST_END_MS);
    });
    await Promise.race([this.#writer.finish().then(() => this.#sink.close()), stuck]);
    clearTimeout(timer);
    this.#writer.close();
  }

  #noteClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClosed();
  }
}

function fileOf({ path, force, rotate, most }: WriteOptions, owner: FileOwner | null, now: () => number): CaptureFile {
  return CaptureFile.open({ path, force, owner, isRow: rotate !== null, most, now });
}

function sinkOf({ options, owner, now, isNobody }: WritingRequest, onClosed: () => void): StatedSink {
  const { path } = options;
  try {
    if (path !== '-') return fileOf(options, owner, now);
  } catch (thrown) {
    if (!isNobody || !(thrown instanceof NetmonError) || !/\((EACCES|EPERM)\)$/.test(thrown.message)) throw thrown;
    throw new NetmonError(
      'usage',
      `${thrown.message}: without sudo, root goes on as nobody`,
      'name a folder that nobody may write to, or add --user NAME or --stay-root',
      thrown,
    );
  }
  if (process.stdout.isTTY)
    throw new NetmonError(
      'usage',
      'standard output is a terminal',
      'pipe the packets into a program: netmon-tui --write - | wireshark -k -i -',
    );
  return new CaptureStream(process.stdout, onClosed);
}

function sectionOf({ monitor, source, filter, version }: WritingRequest): SectionParts {
  const { flows } = monitor.kept as Kept;
  const matches = filter === null ? null : monitor.aggregator.predicateOf(filter);
  return {
    get interfaces() {
      return source.interfaces;
    },
    framing: new Framing(source),
    flowOf: (row, serial) => flows.of(row, serial),
    wants: (flow, row) => {
      if (filter === null || matches === null) return true;
      if (flow === null) return false;
      return monitor.flows.holds(row, flow.serial) ? matches(row) : filter.matches(flow);
    },
    system: `${systemName()} ${release()}`,
    application: `netmon-tui ${version}`,
    comment: filter === null ? '' : `packets that match ${filter.text}`,
    namesProcesses: monitor.owners.source !== null,
  };
}

/** Packets that were lost before they came to the ring. */
export function lossesOf(source: WrittenSource): SectionLosses {
  const { droppedByKernel, droppedByInterface, shed } = source.stats();
  const bySystem = droppedByKernel === null && shed === 0 ? null : (droppedByKernel ?? 0) + shed;
  return { bySystem, byInterface: droppedByInterface };
}
