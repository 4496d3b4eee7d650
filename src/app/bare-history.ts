// History as a run reads it: by a thread that holds no rights, loaded with the first question.

import { bareThread } from '../privilege/bare-thread.ts';
import { trimMemory } from '../privilege/memory.ts';
import type { HistoryReader } from '../store/history-reader.ts';

/** Opens the history in a file. Rejects with NetmonError `history` where there is none that can be read. */
export async function openBareHistory(path: string): Promise<HistoryReader> {
  const [{ openHistory }, { readerThreads }] = await Promise.all([
    import('../store/open-history.ts'),
    import('../store/reader-thread.ts'),
  ]);
  return openHistory(path, readerThreads(bareThread(path, false), trimMemory));
}
