// Where a capture goes: a file of the user's that grows under its name, a row of them that replace one another, or standard output. It takes
// encoded blocks and knows of their format only how long each is, so that a file ends behind a whole one whatever happens to the disk.

import { extname } from 'node:path';
import type { Writable } from 'node:stream';
import { NetmonError, reasonOf } from '../model/errors.ts';
import type { WritingStatus } from '../model/packets.ts';
import type { CaptureSink } from '../packets/ring-writer.ts';
import { type FileOwner, OutputFile } from './output-file.ts';

/** What a capture file is to be. */
export interface CaptureFileRequest {
  readonly path: string;
  /** Whether it may take the place of another file. */
  readonly force: boolean;
  /** null is the process's own user. */
  readonly owner: FileOwner | null;
  /** Numbers the files of a row and adds the time of each; false for a single file. */
  readonly isRow: boolean;
  /** How many files of the row stay; null for all. */
  readonly most: number | null;
  /** Epoch ms. */
  readonly now: () => number;
}

/** What a sink knows of how far it got. */
export type SinkStatus = Pick<WritingStatus, 'path' | 'bytes' | 'files' | 'note'>;

/** A sink that says how far it got. */
export interface StatedSink extends CaptureSink {
  readonly status: SinkStatus;
  /** Why nothing more can be written, if that is a failure. */
  readonly failure: NetmonError | null;
  /** Closes it; writes are over. */
  close(): Promise<void>;
}

/** A file, or a row of files. */
export class CaptureFile implements StatedSink {
  failure: NetmonError | null = null;
  readonly #request: CaptureFileRequest;
  #file: OutputFile | null = null;
  /** Files of the row that are whole, oldest first. */
  readonly #whole: OutputFile[] = [];
  /** Bytes of the current file that are whole blocks. */
  #size = 0;
  #path: string;
  #bytes = 0;
  #files = 0;
  /** Everything is done one after the other. */
  #queue: Promise<void> = Promise.resolve();

  private constructor(request: CaptureFileRequest) {
    this.#request = request;
    this.#path = request.path;
  }

  /** Creates the first file. @throws NetmonError `usage` if its name is taken or its folder can't be written */
  static open(request: CaptureFileRequest): CaptureFile {
    const capture = new CaptureFile(request);
    capture.#create();
    return capture;
  }

  get status(): SinkStatus {
    return { path: this.#path, bytes: this.#bytes, files: this.#files, note: this.failure?.message ?? '' };
  }

  get isClosed(): boolean {
    return this.failure !== null;
  }

  async write(bytes: Uint8Array): Promise<number> {
    let written = 0;
    await this.#then(async () => {
      const file = this.#file ?? this.#create();
      try {
        await file.write(bytes);
        written = bytes.length;
        this.#size += written;
      } catch (thrown) {
        written = await this.#cut(file, bytes);
        throw thrown;
      } finally {
        this.#bytes += written;
      }
    });
    return written;
  }

  endFile(): void {
    void this.#then(() => this.#end());
  }

  async close(): Promise<void> {
    await this.#then(() => this.#end());
  }

  /** Does what comes next, unless something failed. */
  #then(work: () => Promise<void>): Promise<void> {
    const next = this.#queue.then(async () => {
      if (this.failure === null) await work();
    });
    this.#queue = next.catch((thrown: unknown) => {
      this.failure = thrown instanceof NetmonError ? thrown : new NetmonError('internal', reasonOf(thrown), null, thrown);
    });
    return this.#queue;
  }

  #create(): OutputFile {
    const { path, force, owner, isRow, most, now } = this.#request;
    const file = OutputFile.create(isRow ? rowName(path, this.#files + 1, now()) : path, force, owner);
    try {
      file.name();
    } catch (thrown) {
      void file.discard();
      throw thrown;
    }
    this.#file = file;
    this.#path = file.path;
    this.#files++;
    this.#size = 0;
    if (most !== null) while (this.#whole.length >= most) this.#whole.shift()?.remove();
    return file;
  }

  async #end(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    await file.close();
    if (this.#request.most !== null) this.#whole.push(file);
  }

  /** Ends a file whose last bytes were written in part only. @returns how many of them are left, which are whole blocks */
  async #cut(file: OutputFile, bytes: Uint8Array): Promise<number> {
    this.#file = null;
    let kept = 0;
    await file
      .close((size) => {
        kept = wholeBlocks(bytes, size - this.#size);
        return this.#size + kept;
      })
      .catch(() => undefined); // the disk is gone; what went wrong first is told
    if (this.#size + kept === 0) removed(file); // no program reads an empty one
    return kept;
  }
}

/** Removes a file; on a disk that is gone it stays. */
function removed(file: OutputFile): void {
  try {
    file.remove();
  } catch {
    // what went wrong first is told
  }
}

/** `trace-00001-20261130T164500Z.pcapng`: sorted by name, they are in the order of time. */
function rowName(path: string, number: number, time: number): string {
  const extension = extname(path);
  const stamp = new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${path.slice(0, path.length - extension.length)}-${String(number).padStart(5, '0')}-${stamp}${extension}`;
}

/** Bytes of the whole blocks within the first `length` bytes. */
function wholeBlocks(bytes: Uint8Array, length: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 12 <= length) {
    const next = at + view.getUint32(at + 4, true);
    if (next > length) break;
    at = next;
  }
  return at;
}

/** Standard output. A reader that goes away ends it, without a failure. */
export class CaptureStream implements StatedSink {
  isClosed = false;
  failure: NetmonError | null = null;
  readonly #stream: Writable;
  #bytes = 0;

  /** @param onClosed called once, when nothing more can be written */
  constructor(stream: Writable, onClosed: () => void) {
    this.#stream = stream;
    const close = (thrown: NodeJS.ErrnoException | null) => {
      if (this.isClosed) return;
      this.isClosed = true;
      if (thrown !== null && thrown.code !== 'EPIPE' && thrown.code !== 'EIO')
        this.failure = new NetmonError(
          'internal',
          `standard output can't be written: ${thrown.code}`,
          'make room, or write elsewhere',
          thrown,
        );
      onClosed();
    };
    stream.on('error', close);
    stream.on('close', () => close(null));
  }

  get status(): SinkStatus {
    return { path: '-', bytes: this.#bytes, files: 1, note: this.failure?.message ?? '' };
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.isClosed) return Promise.resolve(0);
    return new Promise((resolve) => {
      this.#stream.write(bytes, (thrown) => {
        const written = thrown === null || thrown === undefined ? bytes.length : 0;
        this.#bytes += written;
        resolve(written);
      });
    });
  }

  /** A stream is one file: a new section in it says everything again. */
  endFile(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
