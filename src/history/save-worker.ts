// Entry of a thread that saves once and ends, which leaves nothing of the image in memory between saves.

import { parentPort, workerData } from 'node:worker_threads';
import { dropThreadRights } from '../privilege/bare-thread.ts';
import { saveImage } from './image-save.ts';
import type { SaveThreadData } from './save-thread.ts';
import { loadSql } from './sqljs/engine.ts';
import { sentError } from './threads.ts';

async function save({ request, dropsRights }: SaveThreadData): Promise<void> {
  try {
    const sql = await loadSql();
    if (dropsRights) await dropThreadRights({ path: request.path, mayWrite: true, owner: request.owner });
    parentPort?.postMessage({ answer: saveImage(sql, request) });
  } catch (thrown) {
    parentPort?.postMessage({ failure: sentError(thrown) });
  }
}

void save(workerData as SaveThreadData);
