// Worker thread: one save, then it ends, so that nothing of the image stays in memory between saves.

import { parentPort, workerData } from 'node:worker_threads';
import { type SaveRequest, saveImage } from './image-save.ts';
import { loadSql } from './sql-engine.ts';
import { sentError } from './thread-error.ts';

try {
  parentPort?.postMessage({ answer: saveImage(await loadSql(), workerData as SaveRequest) });
} catch (thrown) {
  parentPort?.postMessage({ failure: sentError(thrown) });
}
