// Follows the ring and hands its frames on, encoded. It stays about a second behind, because owners and names come late, and is early when
// frames are about to be overwritten. It waits for no disk: what can't be handed on in time is counted.

import { CaptureSection, type SectionLosses, type SectionParts } from './capture-section.ts';
import { KeptFrame, type PacketRing, type RingFollower } from './packet-ring.ts';
import { PcapngEncoder } from './pcapng-encoder.ts';

/** How far it stays behind, ms: most owners and names are known by then. */
const BEHIND_MS = 1000;
/** Marks of where the ring was: few enough to be cheap, and a second divided by how often `work` is called. */
const MARK_MS = 100;
/** Buffers that are filled, or on their way to the disk. */
const BUFFERS = 4;
/** Bytes of a buffer: more than the longest frame with all that may go before it. */
const BUFFER_BYTES = 1 << 20;
/** A ring of which half waits is emptied down to this share, whatever isn't known yet. */
const SPARE_SHARE = 4;
/** Bytes that a frame takes in a file besides its own, with what its flow takes the first time, unless names are very long; and an interface at the end. */
const FRAME_OVERHEAD = 1024;
const INTERFACE_OVERHEAD = 96;

/** Where encoded frames go. */
export interface CaptureSink {
  /** Takes whole blocks, in their order. @returns when the bytes are no longer needed, how many of them were written; never rejects */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the file behind what was written last; what comes next begins another. */
  endFile(): void;
  /** True once nothing more can be written. */
  readonly isClosed: boolean;
}

/** What a writer works with. */
export interface RingWriterParts {
  readonly ring: PacketRing;
  /** Position of the first frame. */
  readonly from: number;
  readonly sink: CaptureSink;
  readonly section: SectionParts;
  /** Frames that were lost before they came to the ring; null is unknown. */
  readonly losses: () => SectionLosses;
  /** A file ends when it has this many bytes, or when its packets span this time, ms; null is endless. */
  readonly fileBytes: number | null;
  readonly fileMs: number | null;
}

/** Writes what the ring holds from a position on. `close` it, or it holds up the ring. */
export class RingWriter implements RingFollower {
  position: number;
  /** Frames written, those that are on their way to the sink included, and those lost because they were overwritten first. */
  packets = 0;
  lost = 0;
  /** Times of the first and the newest frame written, epoch ms; null before the first. */
  since: number | null = null;
  until: number | null = null;
  readonly #parts: RingWriterParts;
  readonly #frame = new KeptFrame();
  readonly #free: PcapngEncoder[] = [];
  /** Buffers that exist. */
  #buffers = 0;
  #encoder: PcapngEncoder | null = null;
  /** Frames in it, and in the buffers that are away. */
  #encoded = 0;
  #away = 0;
  #section: CaptureSection | null = null;
  /** Bytes of the file that were handed on. */
  #handedOn = 0;
  /** Lost since the last frame that was written. */
  #lostBefore = 0;
  /** What was lost when the section began. */
  #before: SectionLosses = { bySystem: null, byInterface: null };
  #lostInSection = 0;
  readonly #marks: { readonly position: number; readonly time: number }[] = [];
  /** Frames before it are old enough. */
  #due: number;
  #waiting: (() => void)[] = [];

  constructor(parts: RingWriterParts) {
    this.#parts = parts;
    this.position = parts.from;
    this.#due = parts.from;
    this.#begin();
    parts.ring.follow(this);
  }

  /** Writes what is old enough. Call it ten times a second or more. @param now ms, by a clock that is never set back */
  work(now: number): void {
    const { ring } = this.#parts;
    const newest = this.#marks.at(-1);
    if (newest === undefined || now - newest.time >= MARK_MS) this.#marks.push({ position: ring.end, time: now });
    for (let mark = this.#marks[0]; mark !== undefined && now - mark.time >= BEHIND_MS; mark = this.#marks[0]) {
      this.#due = Math.max(this.#due, mark.position);
      this.#marks.shift();
    }
    if (this.isBehind) this.#due = Math.max(this.#due, ring.end - ring.size / SPARE_SHARE);
    this.#write(this.#due);
    this.#handOn();
  }

  /** Writes what there is before a position, as far as there is room, however new it is: a long way at once would hold up everything else. */
  advance(until: number): void {
    this.#due = Math.max(this.#due, until);
    this.#write(until);
  }

  hurry(until: number): void {
    this.#due = Math.max(this.#due, until);
    this.#write(until);
    this.#lose(until);
  }

  /** True while more than half of the ring waits to be written: who can wait should. */
  get isBehind(): boolean {
    const { ring } = this.#parts;
    return ring.end - this.position > ring.size / 2;
  }

  /**
   * Writes what there is at this moment, and ends the file. It may be told to go on afterwards.
   *
   * @param end position before which frames are written
   * @returns when it is handed on
   */
  async finish(end: number = this.#parts.ring.end): Promise<void> {
    const { sink } = this.#parts;
    this.#due = end;
    for (this.#write(end); this.position < end && !sink.isClosed; this.#write(end)) await this.caughtUp();
    while (this.#encoder === null && this.#take() === null) await this.caughtUp();
    this.#endFile();
    while (this.#areAway) await this.caughtUp();
  }

  /** Resolves when a buffer comes back; at once if none is away. */
  caughtUp(): Promise<void> {
    return this.#areAway ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }

  /** Whether buffers are on their way to the sink. The one that is being filled isn't: it may stay empty. */
  get #areAway(): boolean {
    return this.#free.length + (this.#encoder === null ? 0 : 1) < this.#buffers;
  }

  /** Follows the ring no longer. What a stuck sink has not taken by now is lost. */
  close(): void {
    this.#parts.ring.leave(this);
    const stuck = this.#away + this.#encoded;
    this.packets -= stuck;
    this.lost += stuck;
    this.#encoded = 0;
  }

  /** Writes frames before `until` for as long as there is room. */
  #write(until: number): void {
    const { ring, sink } = this.#parts;
    const frame = this.#frame;
    for (;;) {
      this.position = sink.isClosed ? ring.end : ring.first(this.position);
      if (this.position >= until) return;
      ring.read(this.position, frame);
      if (this.#isFull()) this.#endFile();
      else if (this.#section?.isExhausted === true) this.#endSection();
      const encoder = this.#encoder ?? this.#take();
      if (encoder === null) return;
      const section = this.#section ?? this.#begin();
      const { frames } = section;
      if (!section.write(encoder, ring.bytes, frame, this.#lostBefore)) {
        this.#handOn();
        continue;
      }
      this.position = frame.next;
      if (section.frames === frames) continue;
      this.#lostBefore = 0;
      this.#encoded++;
      this.packets++;
      this.since ??= frame.time;
      this.until = frame.time;
    }
  }

  /** Passes over frames before `until`, and counts those that were wanted. */
  #lose(until: number): void {
    const { ring } = this.#parts;
    const frame = this.#frame;
    while (this.position < until) {
      this.position = ring.read(ring.first(this.position), frame);
      if (this.#section?.isWanted(frame) === false) continue;
      this.lost++;
      this.#lostBefore++;
      this.#lostInSection++;
    }
  }

  /** A buffer to fill; null while all are away. */
  #take(): PcapngEncoder | null {
    const free = this.#free.pop() ?? null;
    this.#encoder = free ?? (this.#buffers < BUFFERS ? new PcapngEncoder(BUFFER_BYTES) : null);
    if (free === null && this.#encoder !== null) this.#buffers++;
    return this.#encoder;
  }

  /** Hands the buffer on. */
  #handOn(): void {
    const encoder = this.#encoder;
    if (encoder === null || encoder.length === 0) return;
    this.#encoder = null;
    this.#handedOn += encoder.length;
    const encoded = this.#encoded;
    this.#encoded = 0;
    this.#away += encoded;
    void this.#parts.sink.write(encoder.bytes.subarray(0, encoder.length)).then((written) => {
      this.#away -= encoded;
      if (written < encoder.length) this.packets -= encoded - encoder.framesIn(written);
      encoder.length = 0;
      this.#free.push(encoder);
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
      this.#write(this.#due);
    });
  }

  #begin(): CaptureSection {
    const encoder = (this.#encoder ?? this.#take()) as PcapngEncoder;
    this.#before = this.#parts.losses();
    this.#lostInSection = 0;
    this.#section = new CaptureSection(encoder, this.#parts.section);
    return this.#section;
  }

  #endSection(): void {
    const { bySystem, byInterface } = this.#parts.losses();
    const since = (now: number | null, before: number | null) => (now === null ? null : Math.max(0, now - (before ?? 0)));
    const system = since(bySystem, this.#before.bySystem);
    const losses = {
      bySystem: system === null && this.#lostInSection === 0 ? null : (system ?? 0) + this.#lostInSection,
      byInterface: since(byInterface, this.#before.byInterface),
    };
    if (this.#encoder?.fits(0) === false) this.#handOn();
    const encoder = this.#encoder ?? this.#take();
    if (encoder !== null) this.#section?.end(encoder, losses);
    this.#section = null;
  }

  #endFile(): void {
    if (this.#section === null) return;
    this.#endSection();
    this.#handOn();
    this.#parts.sink.endFile();
    this.#handedOn = 0;
  }

  /** Whether the frame that was just read belongs into another file. */
  #isFull(): boolean {
    const { fileBytes, fileMs } = this.#parts;
    const section = this.#section;
    if (section === null || section.since === null || this.#encoder === null) return false;
    const more = this.#frame.captured + FRAME_OVERHEAD + section.interfaces * INTERFACE_OVERHEAD;
    const bytes = this.#handedOn + this.#encoder.length + more;
    return (fileBytes !== null && bytes > fileBytes) || (fileMs !== null && Math.abs(this.#frame.time - section.since) >= fileMs);
  }
}
