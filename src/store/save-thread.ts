// Starts the thread that saves, and waits for its answer.

import { NetmonError, reasonOf } from '../errors.ts';
import { startThread } from '../thread.ts';
import type { SaveAnswer, SaveRequest } from './image-save.ts';
import { receivedError, type SentError } from './thread-error.ts';
import { THREAD_LIMITS } from './thread-limits.ts';
import { threadTurn } from './thread-turn.ts';

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
