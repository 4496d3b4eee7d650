// Entry of a reader's thread: holds the history in its memory and answers until it is ended.

import { parentPort, workerData } from 'node:worker_threads';
import { loadPatterns } from '../../filter/pattern.ts';
import { dropThreadRights } from '../../privilege/bare-thread.ts';
import { loadSql } from '../sqljs/engine.ts';
import type { ReaderThreadData } from './reader.ts';
import { collectGarbage, type ReaderRequest, ReaderService } from './reader-thread.ts';

async function serve({ path, dropsRights }: ReaderThreadData): Promise<void> {
  const service = new ReaderService(await loadSql(), path);
  loadPatterns(); // a filter may need it, and its code lies outside of the fence
  if (dropsRights) await dropThreadRights({ path, mayWrite: false, owner: null });
  parentPort?.on('message', (request: ReaderRequest) => {
    const reply = service.answer(request);
    // An image changes hands without a copy.
    const transfer = reply.value instanceof Uint8Array && reply.value.buffer instanceof ArrayBuffer ? [reply.value.buffer] : [];
    parentPort?.postMessage(reply, transfer);
    collectGarbage();
  });
}

void serve(workerData as ReaderThreadData);
