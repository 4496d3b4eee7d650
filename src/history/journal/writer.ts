// Writes one journal: appends records and syncs them before it calls them safe. Works in Node's thread pool: the main thread only waits.

import { close, constants, fchmodSync, fchownSync, fdatasync, fsync, ftruncate, openSync, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { FileOwner } from '../../system/files.ts';
import type { FileWork } from '../files.ts';
import { JOURNAL_HEAD } from './record.ts';

/** A journal that is open for writing. */
export class JournalWriter {
  readonly path: string;
  /** Bytes that are safe. */
  bytes = 0;
  readonly #descriptor: number;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** Creates a journal, mode 0600, for its owner. Rejects with the failure of a system call: EEXIST if the name is taken. */
  static async create(path: string, owner: FileOwner, asOwner: FileWork): Promise<JournalWriter> {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const descriptor = asOwner(() => openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
    const journal = new JournalWriter(path, descriptor);
    try {
      if (owner !== null) fchownSync(descriptor, owner.uid, owner.gid);
      fchmodSync(descriptor, 0o600); // whatever the umask left of it
      await journal.append(JOURNAL_HEAD);
      await syncFolderOf(path, asOwner);
      return journal;
    } catch (thrown) {
      await journal.close();
      throw thrown;
    }
  }

  /** Adds bytes at the end. They are safe when it resolves; if it rejects, any part of them may be there: call `restore`. */
  async append(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await promisify(write)(
        this.#descriptor,
        bytes,
        written,
        bytes.length - written,
        this.bytes + written,
      );
      written += bytesWritten;
    }
    await promisify(fdatasync)(this.#descriptor);
    this.bytes += bytes.length;
  }

  /** Cuts off what a failed `append` left: no record may follow half of another. */
  async restore(): Promise<void> {
    await promisify(ftruncate)(this.#descriptor, this.bytes);
    await promisify(fdatasync)(this.#descriptor);
  }

  /** Never rejects: all that matters was synced before. */
  async close(): Promise<void> {
    await promisify(close)(this.#descriptor).catch(() => undefined);
  }
}

/** `syncFolder` without waiting on the main thread. */
async function syncFolderOf(path: string, asOwner: FileWork): Promise<void> {
  const folder = asOwner(() => openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY));
  try {
    await promisify(fsync)(folder);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EINVAL') throw thrown; // the file system can't do it
  } finally {
    await promisify(close)(folder);
  }
}
