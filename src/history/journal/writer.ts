// Writes one journal: records at its end, each batch of them synced before it is told to be safe. Works through Node's thread pool: the
// main thread only waits.

import { close, constants, fchmodSync, fchownSync, fdatasync, fsync, ftruncate, openSync, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { FileOwner } from '../../system/files.ts';
import type { FileWork } from '../files.ts';
import { JOURNAL_HEAD } from './record.ts';

/** A journal that is being written. */
export class JournalWriter {
  readonly path: string;
  /** Bytes that are safe. */
  bytes = 0;
  readonly #descriptor: number;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** Creates a journal, mode 0600, for its owner. @throws what the system says; EEXIST where the name is taken */
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

  /** Adds bytes at the end. What they hold is safe when this resolves; where it rejects, nothing of them may be believed. */
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

  /** Takes back what a failed `append` left at the end, so that nothing follows after half a record. */
  async restore(): Promise<void> {
    await promisify(ftruncate)(this.#descriptor, this.bytes);
    await promisify(fdatasync)(this.#descriptor);
  }

  /** Never rejects: what is safe is safe already. */
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
    if ((thrown as NodeJS.ErrnoException).code !== 'EINVAL') throw thrown; // a file system that has no such thing
  } finally {
    await promisify(close)(folder);
  }
}
