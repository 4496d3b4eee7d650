// Writes packets that are kept into files of the user's: what the screen asks for, at once, and what follows for as long as the user wants. It goes
// by what is known of their flows at that moment, and encodes nothing itself.

import type { EventLog } from '../aggregate/event-log.ts';
import { type NetmonError, reasonOf } from '../model/errors.ts';
import type { KeptFlow, KeptStatus } from '../model/packets.ts';
import { counted } from '../net/counted.ts';
import { CaptureFile } from '../output/capture-file.ts';
import { Framing } from '../packets/framing.ts';
import type { Kept } from '../packets/kept-flows.ts';
import { KeptFrame } from '../packets/packet-ring.ts';
import { type CaptureSink, RingWriter } from '../packets/ring-writer.ts';
import type { Monitor } from '../pipeline/monitor.ts';
import { version } from '../system/build.ts';
import type { Clock } from '../system/clock.ts';
import { workingFolder } from '../system/files.ts';
import type { PacketsAsked } from '../view/action.ts';
import { formatAmount } from '../view/text/format.ts';
import { type ExportPlace, fileIn } from './export.ts';
import { lossesOf, type WrittenSource } from './writing.ts';

/** How often what goes on is written. */
const WORK_MS = 100;
/** Bytes of the ring that are looked through in one go: a few milliseconds' work. */
const STEP_BYTES = 4 << 20;
/** A follower that is called now and then makes up an eighth of what it is behind. */
const STEP_SHARE = 8;
/** Characters of a name that a file's name takes. */
const NAME_LENGTH = 48;

/** A ring, and what is to be known of its frames. */
export interface FollowedRing {
  readonly kept: Kept;
  readonly source: WrittenSource;
  readonly monitor: Pick<Monitor, 'aggregator' | 'flows' | 'owners'>;
}

/** Whether the frames of a flow are wanted; null stands for frames without one. */
type Wants = (flow: KeptFlow | null, row: number) => boolean;

/** What packet files are written with. */
export interface PacketFilesParts extends FollowedRing {
  readonly place: ExportPlace;
  readonly clock: Clock;
  /** The packets' own clock: in a replay that of the file. */
  readonly now: () => number;
  /** Get a line for each file. */
  readonly events: Pick<EventLog, 'tell'>;
  /** Shows the user what became of a key. */
  readonly notice: (text: string) => void;
}

/** Passes on what several writers write, one after the other, into one file. */
class OneFile implements CaptureSink {
  readonly #file: CaptureFile;

  constructor(file: CaptureFile) {
    this.#file = file;
  }

  get isClosed(): boolean {
    return this.#file.isClosed;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#file.write(bytes);
  }

  /** What a later writer adds is a section of its own. */
  endFile(): void {}
}

/** A file that may go on. */
interface Written {
  readonly asked: PacketsAsked;
  readonly file: CaptureFile;
  readonly sink: OneFile;
  readonly framing: Framing;
  /** The last of its writers, and what those before it wrote. */
  writer: RingWriter;
  before: { readonly packets: number; readonly lost: number; readonly since: number | null };
  state: 'writing' | 'done' | 'failed';
}

/** The files of the key that writes packets, one at a time. */
export class PacketFiles {
  readonly #parts: PacketFilesParts;
  #last: Written | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** The key that is being obeyed. */
  #busy: Promise<void> | null = null;

  constructor(parts: PacketFilesParts) {
    this.#parts = parts;
  }

  /** How far the last file got. */
  get status(): KeptStatus['writing'] {
    const last = this.#last;
    if (last === null) return null;
    const { asked, writer, before, state, file } = last;
    return {
      ...file.status,
      what: asked.name,
      state,
      since: before.since ?? writer.since,
      until: writer.until,
      packets: before.packets + writer.packets,
      lost: before.lost + writer.lost,
    };
  }

  /** Writes what is asked for; goes on with it, if it was written last; null stops what goes on. */
  async ask(asked: PacketsAsked | null): Promise<void> {
    if (this.#busy !== null) {
      this.#parts.notice('packets are still being written');
      return;
    }
    this.#busy = this.#obey(asked)
      .catch((thrown: unknown) => this.#parts.notice(reasonOf(thrown)))
      .finally(() => {
        this.#busy = null;
      });
    await this.#busy;
  }

  /** Stops, and closes the file. */
  async close(): Promise<void> {
    await this.#busy;
    if (this.#last?.state === 'writing') await this.#stop(this.#last);
    await this.#last?.file.close();
  }

  async #obey(asked: PacketsAsked | null): Promise<void> {
    const last = this.#last;
    if (last?.state === 'writing') return this.#stop(last);
    if (asked === null) return;
    if (last?.state === 'done' && last.asked.key === asked.key) {
      if (asked.to === null) return this.#goOn(last);
      this.#parts.notice(`these packets are in ${shortened(last.file.status.path)}`);
      return;
    }
    await last?.file.close();
    this.#last = null;
    await this.#begin(asked);
  }

  async #begin(asked: PacketsAsked): Promise<void> {
    const { kept, place, notice, now } = this.#parts;
    const { ring } = kept;
    ring.expire(now());
    const until = asked.to === null ? ring.end : ring.at(asked.to);
    const from = await firstWanted(kept, this.#wantsOf(asked), asked.from === null ? ring.oldest : ring.at(asked.from), until);
    if (from === null) {
      notice(`no packets ${asked.what} are kept`);
      return;
    }
    const open = (path: string) =>
      CaptureFile.open({ path, force: false, owner: place.owner, isRow: false, most: null, now: () => this.#parts.clock.now() });
    const { file, refusal } = await fileIn(place, slug(asked.name), now(), 'pcapng', open);
    if (file === null) {
      notice(`not written: ${refusal}`);
      return;
    }
    const sink = new OneFile(file);
    const before = { packets: 0, lost: 0, since: null };
    const framing = new Framing(this.#parts.source);
    const last: Written = {
      ...{ asked, file, sink, framing, before },
      writer: this.#writer(asked, sink, framing, from),
      state: 'writing',
    };
    this.#last = last;
    await this.#finish(last, until);
    if (last.state === 'done') this.#tell(last, asked.to === null ? '; again to go on' : '');
  }

  /** From now on, and with what has come since the file was written. */
  #goOn(last: Written): void {
    const { ring } = this.#parts.kept;
    const { writer, before } = last;
    last.before = {
      packets: before.packets + writer.packets,
      lost: before.lost + writer.lost,
      since: before.since ?? writer.since,
    };
    last.writer = this.#writer(last.asked, last.sink, last.framing, ring.first(writer.position));
    last.state = 'writing';
    this.#timer = setInterval(() => this.#work(last), WORK_MS);
    this.#parts.notice(`writing packets ${last.asked.what}; again to stop`);
  }

  #work(last: Written): void {
    if (!catchesUp(last.writer, this.#parts.kept.ring.end)) last.writer.work(this.#parts.clock.monotonic());
    if (last.sink.isClosed) void this.ask(null);
  }

  async #stop(last: Written): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#finish(last, this.#parts.kept.ring.end);
    if (last.state === 'done') this.#tell(last, '');
  }

  async #finish(last: Written, until: number): Promise<void> {
    const { writer } = last;
    for (let before = -1; !last.sink.isClosed && catchesUp(writer, until); before = writer.position)
      await (writer.position === before ? writer.caughtUp() : turn());
    await writer.finish(until);
    writer.close();
    const { failure } = last.file;
    last.state = failure === null ? 'done' : 'failed';
    if (failure !== null) this.#fail(failure);
  }

  #fail({ message, hint }: NetmonError): void {
    this.#parts.notice(hint === null ? message : `${message}: ${hint}`);
    this.#parts.events.tell('export', message);
  }

  #tell({ asked }: Written, then: string): void {
    const { path = '', packets = 0, bytes = 0, lost = 0 } = this.status ?? {};
    const size = formatAmount(bytes, 'bytes').trim();
    const missing = lost > 0 ? `, ${lost} lost` : '';
    const many = counted(packets, 'packet');
    this.#parts.events.tell('export', `${many} ${asked.what}${missing} (${size}) in ${shortened(path)}`);
    // The file's name says what they are, and goes first: a footer has little room, and cuts the end off.
    this.#parts.notice(`${shortened(path)}: ${many}, ${size}${missing}${then}`);
  }

  #writer(asked: PacketsAsked, sink: CaptureSink, framing: Framing, from: number): RingWriter {
    return ringWriter(this.#parts, sink, framing, from, this.#wantsOf(asked), '');
  }

  /** A flow in the table is judged by everything that a row shows. */
  #wantsOf({ filter, flow: serial }: PacketsAsked): Wants {
    const { flows, aggregator } = this.#parts.monitor;
    const isMatching = filter === null ? () => true : aggregator.predicateOf(filter);
    return (flow, row) => {
      if (flow === null) return filter === null && serial === null;
      if (serial !== null && flow.serial !== serial) return false;
      if (filter === null) return true;
      return flows.holds(row, flow.serial) ? isMatching(row) : filter.matches(flow, this.#parts.now());
    };
  }
}

/** Follows the ring for a file. */
export function ringWriter(
  { kept, source, monitor }: FollowedRing,
  sink: CaptureSink,
  framing: Framing,
  from: number,
  wants: Wants,
  comment: string,
): RingWriter {
  return new RingWriter({
    ring: kept.ring,
    from,
    sink,
    section: {
      // Another capture may take the place of this one, and has a list of its own.
      get interfaces() {
        return source.interfaces;
      },
      framing,
      flowOf: (row, serial) => kept.flows.of(row, serial),
      wants,
      system: '',
      application: `netmon-tui ${version()}`,
      comment,
      namesProcesses: monitor.owners.source !== null,
    },
    losses: () => lossesOf(source),
    fileBytes: null,
    fileMs: null,
  });
}

/** Writes a part of what is kept before a position. @returns false if little is left to write */
export function catchesUp(writer: RingWriter, until: number): boolean {
  const behind = until - writer.position;
  if (behind <= STEP_BYTES) return false;
  writer.advance(writer.position + Math.max(STEP_BYTES, behind / STEP_SHARE));
  return true;
}

/** Position of the first frame between two positions that is wanted; null if there is none. */
async function firstWanted({ ring, flows }: Kept, wants: Wants, from: number, until: number): Promise<number | null> {
  const frame = new KeptFrame();
  const judged = new Map<number, boolean>();
  for (let at = ring.first(from), end = at + STEP_BYTES; at < until; ) {
    ring.read(at, frame);
    let isWanted = judged.get(frame.serial);
    if (isWanted === undefined) {
      isWanted = wants(flows.of(frame.row, frame.serial), frame.row);
      judged.set(frame.serial, isWanted);
    }
    if (isWanted) return at;
    at = frame.next;
    if (at < end) continue;
    await turn();
    at = ring.first(at);
    end = at + STEP_BYTES;
  }
  return null;
}

/** Lets packets, keys and the screen have their turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A path as it can be typed here. */
function shortened(path: string): string {
  const here = workingFolder();
  return here !== null && path.startsWith(`${here}/`) ? path.slice(here.length + 1) : path;
}

/** A name as part of a file's name. */
export function slug(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return plain === '' ? 'packets' : plain.slice(0, NAME_LENGTH);
}
