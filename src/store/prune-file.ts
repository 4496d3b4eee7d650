// Deletes from a history file on the user's word: what its journals hold is brought in, the rest as in every save. The caller holds the lock.

import type { Erasure } from './history-erasure.ts';
import { type FileOwner, journalNumbers, journalPath, removeFile } from './history-files.ts';
import type { RunSave } from './save-thread.ts';

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
