// SQLite's calls for files, as sql.js' build makes them, answered out of files of ours: sql.js has no such thing, but lets its caller
// instantiate its WebAssembly, and so stand between SQLite and the file system in memory that it brings. All other files stay in that.

import type { Database, SqlJsStatic } from 'sql.js';
import type { DatabaseFile } from './database-file.ts';

/** A function that WebAssembly calls; 64-bit numbers come as bigint. */
type Call = (...values: never[]) => unknown;
/** What sql.js' module imports, by its (shortened) names. */
export type SqlImports = Readonly<Record<string, Readonly<Record<string, Call>>>>;

/**
 * The shortened names of the calls in sql.js 1.16.0, all in the import module `a`: openat(folder, path, flags, mode), fd_read and
 * fd_write(fd, iov, count, done), fd_seek(fd, offset, whence, now), ftruncate(fd, size), fstat(fd, stat), fd_sync(fd), fd_close(fd).
 * They hold for that build alone: `sql-engine` makes sure that it is the one.
 */
const NAMES = { open: 'x', read: 't', write: 'q', seek: 'E', truncate: 'J', stat: 'g', sync: 'K', close: 'e' } as const;
/** `st_size` in Emscripten's struct stat: its offset, 64 bits. */
const STAT_SIZE = 24;
/** errno of WASI: EIO. What it really was is in the file's `failure`. */
const FAILED = 29;
/** What sql.js calls its databases; what SQLite calls files that it puts aside, unixGetTempname() in os_unix.c. */
const DATABASE = /^\/?dbfile_\d+$/;
const TEMPORARY = '/etilqs_';
const LONGEST_PATH = 512;
const decoder = new TextDecoder();

interface Opened {
  readonly file: DatabaseFile;
  /** Ends a file that was made for this alone. */
  readonly close: (() => void) | null;
  position: number;
}

/** Files of one engine. */
export class SqlFiles {
  /** Makes a file for what SQLite puts aside for a while; without it, and where it makes none, that is kept in memory. */
  temporary: (() => (DatabaseFile & { close(): void }) | null) | null = null;
  readonly #opened = new Map<number, Opened>();
  #next: DatabaseFile | null = null;
  #buffer: () => ArrayBufferLike = () => new ArrayBuffer(0);
  #bytes = new Uint8Array();

  /** The database in a file. The file is not closed with it. */
  open(sql: Pick<SqlJsStatic, 'Database'>, file: DatabaseFile): Database {
    this.#next = file;
    try {
      const database = new sql.Database();
      if (this.#next !== null) throw new Error('sql.js opened no file');
      return database;
    } finally {
      this.#next = null;
    }
  }

  /** Takes the memory that pointers point into. */
  attach(buffer: () => ArrayBufferLike): void {
    this.#buffer = buffer;
  }

  /** The imports with ours before theirs. */
  around(imports: SqlImports): SqlImports {
    const theirs = imports['a'] as Readonly<Record<string, (...values: unknown[]) => number>>;
    const call = (name: string) => theirs[name] as (...values: unknown[]) => number;
    const [open, stat, close] = [call(NAMES.open), call(NAMES.stat), call(NAMES.close)];
    const either =
      (name: string, ours: (opened: Opened, ...values: never[]) => number) =>
      (fd: number, ...values: never[]): number => {
        const opened = this.#opened.get(fd);
        if (opened === undefined) return call(name)(fd, ...values);
        try {
          return ours(opened, ...values);
        } catch (thrown) {
          opened.file.failure ??= thrown;
          return FAILED;
        }
      };
    const ours = {
      [NAMES.open]: (folder: number, path: number, flags: number, mode: number): number => {
        const fd = open(folder, path, flags, mode);
        if (fd >= 0) this.#divert(fd, this.#text(path));
        return fd;
      },
      [NAMES.stat]: (fd: number, stats: number): number => {
        const result = stat(fd, stats);
        const opened = this.#opened.get(fd);
        if (opened !== undefined) this.#view().setBigInt64(stats + STAT_SIZE, BigInt(opened.file.size), true);
        return result;
      },
      [NAMES.close]: (fd: number): number => {
        this.#opened.get(fd)?.close?.();
        this.#opened.delete(fd);
        return close(fd);
      },
      [NAMES.seek]: either(NAMES.seek, (opened, offset: bigint, whence: number, now: number) => {
        opened.position = Number(offset) + (whence === 0 ? 0 : whence === 1 ? opened.position : opened.file.size);
        this.#view().setBigInt64(now, BigInt(opened.position), true);
        return 0;
      }),
      [NAMES.read]: either(NAMES.read, (opened, vector: number, count: number, done: number) =>
        this.#each(opened, vector, count, done, (bytes) => opened.file.read(bytes, opened.position)),
      ),
      [NAMES.write]: either(NAMES.write, (opened, vector: number, count: number, done: number) =>
        this.#each(opened, vector, count, done, (bytes) => {
          opened.file.write(bytes, opened.position);
          return bytes.length;
        }),
      ),
      // This one answers with minus errno, as system calls do.
      [NAMES.truncate]: (fd: number, size: bigint): number =>
        -either(NAMES.truncate, ({ file }, wanted: bigint) => {
          file.truncate(Number(wanted));
          return 0;
        })(fd, ...([size] as never[])),
      [NAMES.sync]: either(NAMES.sync, () => 0),
    };
    return { ...imports, a: { ...theirs, ...ours } };
  }

  #divert(fd: number, path: string): void {
    if (this.#next !== null && DATABASE.test(path)) {
      this.#opened.set(fd, { file: this.#next, close: null, position: 0 });
      this.#next = null;
    } else if (this.temporary !== null && path.includes(TEMPORARY)) {
      const file = this.temporary();
      if (file !== null) this.#opened.set(fd, { file, close: () => file.close(), position: 0 });
    }
  }

  #text(path: number): string {
    const bytes = this.#heap();
    const end = bytes.indexOf(0, path);
    return decoder.decode(bytes.subarray(path, Math.min(end, path + LONGEST_PATH)));
  }

  /** Goes through a list of pieces of memory (address and length, 32 bits each) until one is not filled. */
  #each(opened: Opened, vector: number, count: number, done: number, move: (bytes: Uint8Array) => number): number {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const view = this.#view();
      const from = view.getUint32(vector + 8 * i, true);
      const length = view.getUint32(vector + 8 * i + 4, true);
      const moved = move(this.#heap().subarray(from, from + length));
      opened.position += moved;
      sum += moved;
      if (moved < length) break;
    }
    this.#view().setUint32(done, sum, true);
    return 0;
  }

  /** The memory as it is now: it is another buffer after it grew. */
  #heap(): Uint8Array {
    const buffer = this.#buffer();
    if (this.#bytes.buffer !== buffer) this.#bytes = new Uint8Array(buffer as ArrayBuffer);
    return this.#bytes;
  }

  #view(): DataView {
    return new DataView(this.#heap().buffer);
  }
}
