// Work on an open history: opened, closed on every way out, and said to be going on when it takes longer than a second.

import type { HistoryReader } from '../../store/history-reader.ts';
import { Progress } from './progress.ts';
import type { HistoryRoom } from './room.ts';

/** Opens the file, works, closes it. @throws NetmonError `history`, and what the work throws */
export async function reading<T>(
  path: string,
  room: HistoryRoom,
  work: (reader: HistoryReader, progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = new Progress(room.err, `reading ${path}`);
  let reader: HistoryReader | null = null;
  try {
    reader = await room.open(path);
    return await work(reader, progress);
  } finally {
    progress.end();
    await reader?.close();
  }
}
