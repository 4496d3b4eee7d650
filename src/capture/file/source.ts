// The driver `file`: reads capture files (classic pcap, pcapng, snoop), which it distinguishes by their first bytes. It has no clock; the replay
// paces itself by the frames' times.

import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { NetmonError, reasonOf } from '../../model/errors.ts';
import { shellWords } from '../../net/quote.ts';
import { sanitize } from '../../net/text.ts';
import { PacketBatch } from '../batch.ts';
import { InterfaceTable } from '../interface-names.ts';
import { ProcessTable } from '../process-names.ts';
import type { CapturedProcess, CaptureInterface, CaptureStats, PacketSource, RecordedFlow, SourceState } from '../source.ts';
import { type ByteFeed, FileFeed, StreamFeed } from './byte-feed.ts';
import type { FrameReader } from './frame-reader.ts';
import { isPcap, PCAP_HEADER_BYTES, PcapReader, readPcapHeader } from './pcap.ts';
import { MAX_BLOCK_BYTES, PcapngReader } from './pcapng.ts';
import { SECTION_HEADER } from './pcapng-format.ts';
import { isSnoop, SNOOP_HEADER_BYTES, SnoopReader } from './snoop.ts';
import { isUnpackable, type Packing, packingOf, unpacked } from './unpack.ts';

/** Larger than the longest record. With 1 MiB, data had left the CPU's cache before it was used, which cost 10 % of a replay. */
const WINDOW_BYTES = MAX_BLOCK_BYTES + 64 * 1024;
/** Few enough that their flows' rows are still in the CPU's cache when they are used again after the batch. */
const BATCH_FRAMES = 1024;
const NO_FLOWS: readonly RecordedFlow[] = [];
/** Most windows without a frame that one `read` skips. */
const BARREN_WINDOWS = 64;

/** Formats that we don't read, by their first bytes, and the command that unpacks them. */
const FOREIGN: readonly (readonly [readonly number[], string])[] = [
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd -dc'],
  [[0xfd, 0x37, 0x7a, 0x58], 'xz -dc'],
  [[0x42, 0x5a, 0x68], 'bzip2 -dc'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4 -dc'],
  [[0x50, 0x4b, 0x03, 0x04], 'unzip -p'],
];

/** Options for tests; the defaults are measured. */
export interface FileOptions {
  /** Most frames in a batch. */
  readonly frames?: number;
  /** What `-` reads; process.stdin by default. */
  readonly stdin?: Readable;
}

/** A capture read from a file or a pipe. */
export interface FileSource extends PacketSource {
  readonly driver: 'file';
  /** Epoch ms of the first frame; null until it is read. Files have it at once. */
  readonly firstTime: number | null;
}

/**
 * Opens a capture file; `-` is standard input. It unpacks gzip and zstd.
 *
 * Resolves when the first bytes are there. A truncated or broken file gives its readable frames, counts the rest as malformed and says so in
 * `note`.
 *
 * @throws NetmonError `usage` if it is missing, empty, a directory or not a capture, `permission` if it isn't readable
 */
export async function openFile(path: string, options: FileOptions = {}): Promise<FileSource> {
  const { feed, name } = await openFeed(path, WINDOW_BYTES, options.stdin ?? process.stdin);
  try {
    return new OpenFile(feed, name, options.frames ?? BATCH_FRAMES);
  } catch (thrown) {
    feed.close();
    throw thrown;
  }
}

class OpenFile implements FileSource {
  readonly driver = 'file';
  readonly interfaces: readonly CaptureInterface[];
  readonly processes: readonly CapturedProcess[];
  readonly bufferBytes = null;
  state: SourceState = 'open';
  firstTime: number | null = null;
  readonly #name: string;
  readonly #feed: ByteFeed;
  readonly #batch: PacketBatch;
  readonly #reader: FrameReader;
  /** The first batch, read at the start to know interfaces and processes. The first `read` returns it. */
  #first: PacketBatch | null;
  #received = 0;
  #cut = 0;
  /** Why it ended early; empty if it didn't. */
  #ending = '';

  constructor(feed: ByteFeed, name: string, frames: number) {
    const interfaces = new InterfaceTable();
    const processes = new ProcessTable();
    this.interfaces = interfaces.interfaces;
    this.processes = processes.processes;
    this.#name = name;
    this.#feed = feed;
    this.#batch = new PacketBatch(frames, feed.window.bytes);
    this.#reader = readerFor(feed, name, interfaces, processes);
    this.#first = this.#next();
    if (this.#first !== null) this.#backdate(this.#first);
  }

  get note(): string {
    const { mistimed, malformed, broken } = this.#reader;
    const unread = malformed - (broken === null ? 0 : 1);
    const notes = [this.#ending];
    if (unread > 0) notes.push(unread === 1 ? '1 record is malformed' : `${unread} records are malformed`);
    if (mistimed === 1) notes.push('1 frame with an impossible time counts at the time of the frame before');
    if (mistimed > 1) notes.push(`${mistimed} frames with impossible times count at the time of the frame before`);
    return notes.filter((note) => note !== '').join('; ');
  }

  get namesProcesses(): boolean {
    return this.processes.length > 1;
  }

  get recorded(): readonly RecordedFlow[] {
    return this.#reader.recorded ?? NO_FLOWS;
  }

  get snapLength(): { bulk: number; whole: number } {
    return { bulk: this.#reader.snapLength, whole: this.#reader.snapLength };
  }

  read(): PacketBatch | null {
    if (this.state !== 'open') return null;
    const batch = this.#first ?? this.#next();
    this.#first = null;
    if (batch !== null) this.#received += batch.count;
    return batch;
  }

  stats(): CaptureStats {
    const malformed = this.#reader.malformed + this.#cut;
    const { drops } = this.#reader;
    const [droppedByKernel, droppedByInterface] = [drops?.bySystem ?? null, drops?.byInterface ?? null];
    return { received: this.#received, droppedByKernel, droppedByInterface, shed: 0, malformed };
  }

  close(): void {
    this.state = 'ended';
    this.#first = null;
    this.#feed.close();
  }

  #next(): PacketBatch | null {
    const batch = this.#batch;
    const { window } = this.#feed;
    batch.count = 0;
    for (let turn = 0; turn < BARREN_WINDOWS; turn++) {
      window.start = this.#reader.fill(batch, window.start, window.end);
      if (batch.count > 0) {
        this.firstTime ??= batch.time[0] as number;
        return batch;
      }
      if (this.#reader.broken !== null) return this.#end(`${this.#name} is broken: ${this.#reader.broken}`);
      if (!this.#feed.refill()) return this.#feed.ended ? this.#finish() : null;
    }
    return batch;
  }

  /** Sets untimed frames at the start to the first known time. With time 0 a replay would place them half a century earlier. */
  #backdate(batch: PacketBatch): void {
    const { untimed } = this.#reader;
    if (untimed >= batch.count) return;
    batch.time.fill(batch.time[untimed] as number, 0, untimed);
    this.firstTime = batch.time[0] as number;
  }

  #finish(): null {
    const { failure, window } = this.#feed;
    const left = window.length > 0 || this.#reader.midway;
    if (left || failure !== null) this.#cut = 1;
    const { remark } = this.#feed;
    const notes = remark === '' ? [] : [`${this.#name}: ${remark}`];
    if (failure !== null) notes.unshift(`${this.#name} ends early: ${sanitize(failure)}`);
    else if (left) notes.unshift(`${this.#name} is cut in its last record`);
    return this.#end(notes.join('; '));
  }

  #end(note: string): null {
    this.state = 'ended';
    this.#ending = note;
    return null;
  }
}

function readerFor(feed: ByteFeed, name: string, interfaces: InterfaceTable, processes: ProcessTable): FrameReader {
  const { bytes, start, length } = feed.window;
  if (length >= 4 && new DataView(bytes.buffer, start, 4).getUint32(0) === SECTION_HEADER)
    return new PcapngReader(interfaces, processes);
  if (length >= 4 && isPcap(bytes, start)) {
    const header = length < PCAP_HEADER_BYTES ? null : readPcapHeader(bytes, start);
    if (header === null)
      throw new NetmonError('usage', `${name} is cut in its first ${PCAP_HEADER_BYTES} bytes`, 'it holds no packets');
    feed.window.start += PCAP_HEADER_BYTES;
    return new PcapReader(header, interfaces, processes);
  }
  if (length >= SNOOP_HEADER_BYTES && isSnoop(bytes, start)) {
    const reader = new SnoopReader(bytes, start, name, interfaces);
    feed.window.start += SNOOP_HEADER_BYTES;
    return reader;
  }
  throw new NetmonError('usage', `${name} is not a capture file`, hintFor(bytes, start, length, name));
}

function hintFor(bytes: Uint8Array, start: number, length: number, name: string): string {
  for (const [magic, tool] of FOREIGN) {
    if (length >= magic.length && magic.every((byte, i) => bytes[start + i] === byte)) {
      const how = `it is packed: ${tool} ${name === 'standard input' ? 'FILE' : name} | netmon-tui --read -`;
      return tool === 'zstd -dc' ? `${how} (Node 22.15 and newer unpack it themselves)` : how;
    }
  }
  return 'give a pcap, pcapng or snoop file, as tcpdump -w, dumpcap and Wireshark write them';
}

/** Bytes per read of a stream. */
const STREAM_CHUNK_BYTES = 256 * 1024;
/** Bytes needed to recognise any format. */
const HEAD_BYTES = PCAP_HEADER_BYTES;

/** A feed with the capture's first bytes in its window, and its name for messages. */
export interface OpenedFeed {
  readonly feed: ByteFeed;
  readonly name: string;
}

/**
 * Opens a capture by path (a file or pipe); `-` is standard input. It unpacks gzip and zstd.
 *
 * @param size bytes of the window
 * @param stdin the stream behind `-`
 * @throws NetmonError `usage` if it is missing, a directory, empty or a terminal; `permission` if it isn't readable
 */
export async function openFeed(path: string, size: number, stdin: Readable): Promise<OpenedFeed> {
  const name = path === '-' ? 'standard input' : sanitize(path);
  const feed = path === '-' ? await fromStdin(name, size, stdin) : await fromPath(path, name, size);
  if (feed.window.length === 0) {
    feed.close();
    if (feed.failure !== null)
      throw new NetmonError('usage', `cannot read ${name}: ${feed.failure}`, 'give a pcap or pcapng file');
    throw new NetmonError('usage', `${name} is empty`, 'give a capture that tcpdump -w, dumpcap or Wireshark wrote');
  }
  return { feed, name };
}

async function fromStdin(name: string, size: number, stdin: Readable): Promise<ByteFeed> {
  if (stdin !== process.stdin) return fromStream(stdin, size);
  if (process.stdin.isTTY) {
    throw new NetmonError('usage', `${name} is a terminal`, 'pipe a capture into it: sudo tcpdump -w - | netmon-tui --read -');
  }
  return fstatSync(0).isFile() ? fromFile(0, size, () => {}, stdin) : fromStream(stdin, size);
}

async function fromPath(path: string, name: string, size: number): Promise<ByteFeed> {
  const handle = await opened(path, name);
  const close = () => void handle.close().catch(() => {});
  const stat = await handle.stat();
  if (stat.isDirectory()) {
    close();
    throw new NetmonError('usage', `${name} is a directory`, 'give one capture file of it: netmon-tui --read FILE');
  }
  if (stat.isFile()) return fromFile(handle.fd, size, close, () => handle.createReadStream(streaming(0)));
  return fromStream(handle.createReadStream(streaming()), size);
}

async function opened(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      throw new NetmonError('usage', `no such file: ${name}`, 'netmon-tui --read FILE takes a pcap or pcapng file');
    if (code === 'EACCES' || code === 'EPERM')
      throw new NetmonError('permission', `can't read ${name}: permission denied`, `type: ls -l ${shellWords([name])}`, thrown);
    throw new NetmonError('usage', `cannot open ${name}: ${sanitize(reasonOf(thrown))}`, 'give a pcap or pcapng file', thrown);
  }
}

function streaming(start?: number): { start?: number; highWaterMark: number } {
  return start === undefined ? { highWaterMark: STREAM_CHUNK_BYTES } : { start, highWaterMark: STREAM_CHUNK_BYTES };
}

/** Reads a regular file directly, unless it is packed. */
async function fromFile(fd: number, size: number, close: () => void, stream: Readable | (() => Readable)): Promise<ByteFeed> {
  const feed = new FileFeed(fd, size, close);
  feed.refill();
  const packing = packingOf(feed.window.bytes, feed.window.length);
  if (packing === null || !isUnpackable(packing)) return feed;
  if (typeof stream === 'function') return filled(streamFeed(stream(), packing, size));
  stream.unshift(feed.window.bytes.slice(0, feed.window.end));
  return filled(streamFeed(stream, packing, size));
}

async function fromStream(stream: Readable, size: number): Promise<ByteFeed> {
  const head = await peek(stream);
  const whole = stream.readableEnded ? Readable.from([head], { objectMode: false }) : stream;
  return filled(streamFeed(whole, packingOf(head, head.length), size));
}

function streamFeed(stream: Readable, packing: Packing | null, size: number): StreamFeed {
  if (packing === null || !isUnpackable(packing)) return new StreamFeed(stream, size);
  const { stream: plain, outcome } = unpacked(stream, packing);
  return new StreamFeed(plain, size, outcome);
}

/** Resolves when the first bytes are in the window, or the stream has ended. */
async function filled(feed: StreamFeed): Promise<StreamFeed> {
  await feed.holding(HEAD_BYTES);
  return feed;
}

/** Reads a stream's first bytes and pushes them back, unless the stream ended with them. */
function peek(stream: Readable): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let head: Buffer = Buffer.alloc(0);
    const done = () => {
      stream.off('readable', look);
      stream.off('end', done);
      stream.off('error', done);
      stream.off('close', done);
      if (head.length > 0 && !stream.readableEnded && !stream.destroyed) stream.unshift(head);
      resolve(head);
    };
    const look = () => {
      while (head.length < HEAD_BYTES) {
        const chunk = stream.read() as Buffer | null;
        if (chunk === null) break;
        head = Buffer.concat([head, chunk]);
      }
      if (head.length >= HEAD_BYTES) done();
    };
    stream.on('readable', look);
    stream.once('end', done);
    stream.once('error', done);
    stream.once('close', done);
    look();
  });
}
