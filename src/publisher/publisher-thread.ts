// Starts the thread that reads package databases and executables, one at a time. A thread lives as long as its one job, so that it costs nothing
// between jobs.

import { threadSlot } from '../history/threads.ts';
import { reasonOf } from '../model/errors.ts';
import type { Publisher } from '../model/terms.ts';
import { trimMemory } from '../system/memory.ts';
import { startThread } from '../system/thread.ts';
import { type Executable, unknownPublisher } from './package-search.ts';

/** What a thread is started for. */
export type PublisherJob = { readonly root: string; readonly asked: readonly Executable[] } | { readonly digest: Executable };

/** MiB. The largest list of a package takes some ten. */
const LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 256 };

/** Publishers by the order of what was asked; never rejects. @param root folder below which the databases are, with a slash at its end */
export async function findPackages(root: string, asked: readonly Executable[]): Promise<readonly Publisher[]> {
  try {
    return (await runThread({ root, asked })) as readonly Publisher[];
  } catch (thrown) {
    const unknown = unknownPublisher(failureOf(thrown));
    return asked.map(() => unknown);
  }
}

/** SHA-256 of an executable, or why there is none; never rejects. */
export async function findDigest(digest: Executable): Promise<string> {
  try {
    return (await runThread({ digest })) as string;
  } catch (thrown) {
    return `not read: ${failureOf(thrown)}`;
  }
}

/** The thread loads its code when it begins, as the user that the run has become. */
function failureOf(thrown: unknown): string {
  const isHidden = (thrown as NodeJS.ErrnoException | null)?.code === 'MODULE_NOT_FOUND';
  return isHidden ? 'the user of this run may not read the program' : `the thread that reads files failed: ${reasonOf(thrown)}`;
}

/** rpm's database takes SQLite, and with it some 40 MiB: one thread at a time may have it. */
async function runThread(workerData: PublisherJob): Promise<unknown> {
  const release = await threadSlot.acquire(() => {});
  try {
    return await new Promise((resolve, reject) => {
      const worker = startThread('publisher-worker', { workerData, resourceLimits: LIMITS });
      worker.unref();
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => {
        reject(new Error('it ended without an answer'));
        trimMemory();
      });
    });
  } finally {
    release();
  }
}
