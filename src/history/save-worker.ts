// Worker thread: one save, then it ends, so that nothing of the image stays in memory between saves.

import { parentPort, workerData } from 'node:worker_threads';
import { type SaveRequest, saveImage } from './image-save.ts';
import { loadSql } from './sqljs/engine.ts';
import { beforeWork, sentError } from './thread-turn.ts';

try {
  const { request, before } = workerData as { request: SaveRequest; before: string | null };
  const sql = await loadSql();
  await beforeWork(before);
  parentPort?.postMessage({ answer: saveImage(sql, request) });
} catch (thrown) {
  parentPort?.postMessage({ failure: sentError(thrown) });
}
