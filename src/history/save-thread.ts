// Saves and prunes in a thread of its own, and waits for the answer.

import { NetmonError, reasonOf } from '../model/errors.ts';
import type { FileOwner } from '../system/files.ts';
import { startThread } from '../system/thread.ts';
import type { Erasure } from './erasure.ts';
import { journalNumbers, journalPath, removeFile } from './files.ts';
import type { SaveAnswer, SaveRequest } from './image-save.ts';
import { receivedError, type SentError, THREAD_LIMITS, threadSlot } from './threads.ts';

/** Runs a save to its end; a function, which lets tests save without a thread. */
export type RunSave = (request: SaveRequest) => Promise<SaveAnswer>;

/** What the thread is started with. */
export interface SaveThreadData {
  readonly request: SaveRequest;
  /** The thread gives up its rights and fences itself in the folder of the history before it saves. */
  readonly dropsRights: boolean;
}

/** The thread loads its code when it begins, as the user that the run has become. */
const HINT = 'see whether that user may read the program: sudo netmon-tui doctor';

/**
 * Saves in a thread of its own, once `threadSlot` is free.
 *
 * @returns rejects with NetmonError `history`, or with the failure of a system call
 */
export async function saveInThread(request: SaveRequest, dropsRights = false): Promise<SaveAnswer> {
  const release = await threadSlot.acquire(() => {}); // a save ends soon anyway
  try {
    return await runThread({ request, dropsRights });
  } finally {
    release();
  }
}

function runThread(workerData: SaveThreadData): Promise<SaveAnswer> {
  return new Promise((resolve, reject) => {
    const worker = startThread('save-worker', { workerData, resourceLimits: THREAD_LIMITS });
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

/** What to delete from which history. */
export interface PruneRequest {
  readonly path: string;
  readonly owner: FileOwner;
  /** null deletes only what exceeds `maxBytes`. */
  readonly erase: Erasure | null;
  readonly maxBytes: number;
  /** Epoch ms. */
  readonly now: number;
}

/**
 * Brings in the journals and rewrites the file without what is to go. The caller holds the lock.
 *
 * @returns the size of the file, bytes @throws NetmonError `history`, or the failure of a system call; then the file is as it was
 */
export async function pruneFile({ path, owner, erase, maxBytes, now }: PruneRequest, runSave: RunSave): Promise<number> {
  const journals = journalNumbers(path).map((number) => journalPath(path, number));
  const time = { now, wall: now, elapsedMs: 0 };
  const { bytes } = await runSave({ path, journals, owner, maxBytes, time, last: null, rewrite: { erase } });
  for (const journal of journals) removeFile(journal);
  return bytes;
}
