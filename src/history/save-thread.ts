// Starts the thread that saves, and waits for its answer.

import { NetmonError, reasonOf } from '../model/errors.ts';
import type { FileOwner } from '../system/files.ts';
import { startThread } from '../system/thread.ts';
import type { Erasure } from './erasure.ts';
import { journalNumbers, journalPath, removeFile } from './files.ts';
import type { SaveAnswer, SaveRequest } from './image-save.ts';
import { receivedError, type SentError, THREAD_LIMITS, threadTurn } from './thread-turn.ts';

/** Runs a save to its end; a function, so that tests need no thread. */
export type RunSave = (request: SaveRequest) => Promise<SaveAnswer>;

/** Its code is loaded when it begins, as the user that the run has become. */
const HINT = 'see whether that user may read the program: sudo netmon-tui doctor';
/** The compiled worker. */
const SCRIPT = new URL('./save-worker.js', import.meta.url);

/**
 * Saves in a thread of its own, when its turn has come.
 *
 * @param before URL of the module that the thread calls before it works (`beforeWork`)
 * @returns the answer; rejects with NetmonError `history`, or with what the system said to the thread
 */
export async function saveInThread(request: SaveRequest, before: string | null = null): Promise<SaveAnswer> {
  const giveBack = await threadTurn.take(() => {}); // a save leaves when it is done
  try {
    return await runSave(request, before);
  } finally {
    giveBack();
  }
}

function runSave(request: SaveRequest, before: string | null): Promise<SaveAnswer> {
  return new Promise((resolve, reject) => {
    const worker = startThread(SCRIPT, { workerData: { request, before }, resourceLimits: THREAD_LIMITS });
    let settle = () => reject(new Error('the thread that saves history ended without an answer'));
    worker.on('message', ({ answer, failure }: { answer?: SaveAnswer; failure?: SentError }) => {
      settle = () => (answer === undefined ? reject(receivedError(failure as SentError)) : resolve(answer));
    });
    worker.on('error', (error) => {
      settle = () =>
        reject(new NetmonError('history', `the thread that saves history could not begin: ${reasonOf(error)}`, HINT, error));
    });
    worker.on('exit', () => settle());
  });
}

// Deletes from a history file on the user's word: what its journals hold is brought in, the rest as in every save. The caller holds the lock.

/** What is deleted, where. */
export interface PruneRequest {
  readonly path: string;
  readonly owner: FileOwner;
  /** null: only what is too much for `maxBytes`. */
  readonly erase: Erasure | null;
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly now: number;
}

/**
 * Writes the file anew without what is to go.
 *
 * @returns its size in bytes @throws NetmonError `history`, or what the system says; then the file is as it was
 */
export async function pruneFile({ path, owner, erase, maxBytes, now }: PruneRequest, runSave: RunSave): Promise<number> {
  const journals = journalNumbers(path).map((number) => journalPath(path, number));
  const time = { now, wall: now, elapsedMs: 0 };
  const { bytes } = await runSave({ path, journals, owner, maxBytes, time, last: null, rewrite: { erase } });
  for (const journal of journals) removeFile(journal);
  return bytes;
}
