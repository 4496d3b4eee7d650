// Databases in files of ours. `DirectFiles` stands between SQLite and the file system in memory that sql.js brings, and answers SQLite's
// calls for a database from its file; all other files stay in memory. `WholeFiles` uses only what sql.js documents.

import type { Database, SqlJsStatic } from 'sql.js';
import type { DatabaseFile } from './database-file.ts';

/** Opens databases in files. */
export interface DatabaseFiles {
  /** Bytes of the largest file that can be opened. */
  readonly maxBytes: number;
  /** Opens the database in a file, which closing the database doesn't close. @throws what reading the file fails with */
  open(sql: Pick<SqlJsStatic, 'Database'>, file: DatabaseFile): Database;
  /** Writes to the file what only memory holds; the database can only be closed then. @throws what writing the file fails with */
  flush(database: Database, file: DatabaseFile): void;
}

/** Reads a whole file into memory, and writes a whole file. For any build of sql.js. */
export class WholeFiles implements DatabaseFiles {
  readonly maxBytes = 64 << 20;

  open(sql: Pick<SqlJsStatic, 'Database'>, file: DatabaseFile): Database {
    if (file.size === 0) return new sql.Database();
    const bytes = new Uint8Array(file.size);
    return new sql.Database(bytes.subarray(0, file.read(bytes, 0)));
  }

  flush(database: Database, file: DatabaseFile): void {
    const bytes = database.export();
    file.write(bytes, 0);
    if (file.size > bytes.length) file.truncate(bytes.length);
  }
}

/** A function that WebAssembly calls; 64-bit numbers come as bigint. */
type Call = (...values: never[]) => unknown;
/** What sql.js's module imports, by its (shortened) names. */
export type SqlImports = Readonly<Record<string, Readonly<Record<string, Call>>>>;

/**
 * The shortened names of the calls in sql.js 1.16.0, all in the import module `a`: openat(folder, path, flags, mode), fd_read and
 * fd_write(fd, iov, count, done), fd_seek(fd, offset, whence, now), ftruncate(fd, size), fstat(fd, stat), fd_sync(fd), fd_close(fd).
 * They hold for that build alone; `loadSql` makes sure of it.
 */
const NAMES = { open: 'x', read: 't', write: 'q', seek: 'E', truncate: 'J', stat: 'g', sync: 'K', close: 'e' } as const;
/** `st_size` in Emscripten's struct stat: its offset, 64 bits. */
const STAT_SIZE = 24;
/** errno of WASI: EIO. The file's `failure` has the true reason. */
const FAILED = 29;
/** Names of sql.js's databases, and of SQLite's temporary files (unixGetTempname() in os_unix.c). */
const DATABASE = /^\/?dbfile_\d+$/;
const TEMPORARY = '/etilqs_';
const LONGEST_PATH = 512;
const decoder = new TextDecoder();

interface OpenFile {
  readonly file: DatabaseFile;
  /** The database's file, if this one is temporary: it gets the failures of both. */
  readonly owner: DatabaseFile;
  readonly close: () => void;
  position: number;
}

/** Lets SQLite read and write pages of files, in the build of sql.js whose imports `NAMES` lists. One for each engine. */
export class DirectFiles implements DatabaseFiles {
  readonly maxBytes = Number.POSITIVE_INFINITY;
  readonly #open = new Map<number, OpenFile>();
  #next: DatabaseFile | null = null;
  #buffer: () => ArrayBufferLike = () => new ArrayBuffer(0);
  #bytes = new Uint8Array();

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

  /** Does nothing: SQLite has written each page already. */
  flush(): void {}

  /** Takes the memory of the WebAssembly instance, once there is one. */
  attach(buffer: () => ArrayBufferLike): void {
    this.#buffer = buffer;
  }

  /** The imports of the instance, with these calls in place of sql.js's. */
  around(imports: SqlImports): SqlImports {
    const theirs = imports['a'] as Readonly<Record<string, (...values: unknown[]) => number>>;
    const call = (name: string) => theirs[name] as (...values: unknown[]) => number;
    const [open, stat, close] = [call(NAMES.open), call(NAMES.stat), call(NAMES.close)];
    const either =
      (name: string, ours: (opened: OpenFile, ...values: never[]) => number) =>
      (fd: number, ...values: never[]): number => {
        const opened = this.#open.get(fd);
        if (opened === undefined) return call(name)(fd, ...values);
        try {
          return ours(opened, ...values);
        } catch (thrown) {
          opened.owner.failure ??= thrown;
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
        const opened = this.#open.get(fd);
        if (opened !== undefined) this.#view().setBigInt64(stats + STAT_SIZE, BigInt(opened.file.size), true);
        return result;
      },
      [NAMES.close]: (fd: number): number => {
        this.#open.get(fd)?.close();
        this.#open.delete(fd);
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
      // Returns minus errno, as system calls do.
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
      this.#open.set(fd, { file: this.#next, owner: this.#next, close: () => {}, position: 0 });
      this.#next = null;
    } else if (path.includes(TEMPORARY)) this.#divertTemporary(fd);
  }

  /** Sorting a large history needs hundreds of MB: they go where the first database that is open in a file wants them. */
  #divertTemporary(fd: number): void {
    for (const { owner } of this.#open.values()) {
      const file = owner.makeTemporary();
      if (file === null) continue;
      this.#open.set(fd, { file, owner, close: () => file.close(), position: 0 });
      return;
    }
  }

  #text(path: number): string {
    const bytes = this.#heap();
    const end = bytes.indexOf(0, path);
    return decoder.decode(bytes.subarray(path, Math.min(end, path + LONGEST_PATH)));
  }

  /** Goes through a list of pieces of memory (address and length, 32 bits each) until one is not filled. */
  #each(opened: OpenFile, vector: number, count: number, done: number, move: (bytes: Uint8Array) => number): number {
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

  /** The memory as it is now: when it grows, it becomes another buffer. */
  #heap(): Uint8Array {
    const buffer = this.#buffer();
    if (this.#bytes.buffer !== buffer) this.#bytes = new Uint8Array(buffer as ArrayBuffer);
    return this.#bytes;
  }

  #view(): DataView {
    return new DataView(this.#heap().buffer);
  }
}
