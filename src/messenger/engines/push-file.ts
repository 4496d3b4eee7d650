// The file in which the messenger keeps the counters of an engine, to go on with them after a restart. It is the user's own, mode 0600, in the folder
// of the state. Without it counters begin anew, which engines know from any program that restarts.

import { closeSync, constants, mkdirSync, openSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PushBook, type PushState, pushStateIn } from '../../export/push-book.ts';
import type { PushEngine } from '../../model/export.ts';
import { systemFiles } from '../../system/files.ts';

const WRITABLE_BY_OTHERS = 0o022;
/** A longer one is not ours, UTF-16 units. */
const LONGEST_FILE = 1 << 20;

/** The counters of one engine, as it has them. */
export class PushFile {
  readonly #path: string | null;
  #state: PushState | null;

  /** @param folder null keeps them in memory */
  constructor(folder: string | null, engine: PushEngine) {
    this.#path = folder === null ? null : join(folder, `export-${engine}.json`);
    this.#state = this.#path === null ? null : read(this.#path);
  }

  /** Whether the engine has this batch. */
  has(token: string): boolean {
    return this.#state?.token === token;
  }

  /** A book to count the next batch in. */
  book(): PushBook {
    return new PushBook(this.#state);
  }

  /** The engine has the batch that was counted in this book. */
  keep(book: PushBook, token: string): void {
    this.#state = book.state(token);
    if (this.#path !== null) write(this.#path, JSON.stringify(this.#state));
  }
}

function read(path: string): PushState | null {
  const file = systemFiles.read(path, false);
  if (file.kind !== 'read' || !file.isFile || (file.mode & WRITABLE_BY_OTHERS) !== 0 || file.text.length > LONGEST_FILE)
    return null;
  return file.uid === process.geteuid?.() ? pushStateIn(file.text) : null;
}

/** Writes beside the file and moves it there. If that fails, the old one stays: counters begin anew after a restart. */
function write(path: string, text: string): void {
  const temporary = `${path}.part`;
  try {
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    rmSync(temporary, { force: true }); // of a run that was killed
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch {
    try {
      unlinkSync(temporary);
    } catch {
      // it was never made
    }
  }
}
