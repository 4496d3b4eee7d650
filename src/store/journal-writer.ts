// Writes one journal: records at its end, each batch of them synced before it is told to be safe. Works through Node's thread pool: the
// main thread only waits.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FileOwner } from './history-files.ts';
import { JOURNAL_HEAD } from './journal-record.ts';

/** A journal that is being written. */
export class JournalWriter {
  readonly path: string;
  /** Bytes that are safe. */
  bytes = 0;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** Creates a journal, mode 0600, for its owner. @throws what the system says; EEXIST where the name is taken */
  static async create(path: string, owner: FileOwner): Promise<JournalWriter> {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    const journal = new JournalWriter(path, file);
    try {
      if (owner !== null) await file.chown(owner.uid, owner.gid);
      await file.chmod(0o600); // whatever the umask left of it
      await journal.append(JOURNAL_HEAD);
      await syncFolderOf(path);
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
      const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written, this.bytes + written);
      written += bytesWritten;
    }
    await this.#file.datasync();
    this.bytes += bytes.length;
  }

  /** Takes back what a failed `append` left at the end, so that nothing follows after half a record. */
  async restore(): Promise<void> {
    await this.#file.truncate(this.bytes);
    await this.#file.datasync();
  }

  /** Never rejects: what is safe is safe already. */
  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined);
  }
}

/** `syncFolder` without waiting on the main thread. */
async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EINVAL') throw thrown; // a file system that has no such thing
  } finally {
    await folder.close();
  }
}
