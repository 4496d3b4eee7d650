// Worker thread of a reader: holds the history in its memory and answers until it is ended.

import { parentPort, workerData } from 'node:worker_threads';
import { loadPatterns } from '../filter/pattern.ts';
import { beforeWork } from './before-work.ts';
import { clearUp } from './garbage.ts';
import type { ReaderRequest } from './reader-calls.ts';
import { ReaderService } from './reader-service.ts';
import { loadSql } from './sql-engine.ts';

const { path, before } = workerData as { path: string; before: string | null };
const service = new ReaderService(await loadSql(), path);
loadPatterns(); // a question's filter may hold a pattern, and its code lies outside of the fence
await beforeWork(before);
parentPort?.on('message', (request: ReaderRequest) => {
  const reply = service.answer(request);
  // An image is handed over, not copied.
  const transfer = reply.value instanceof Uint8Array && reply.value.buffer instanceof ArrayBuffer ? [reply.value.buffer] : [];
  parentPort?.postMessage(reply, transfer);
  clearUp();
});
