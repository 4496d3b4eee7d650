// Worker thread of a reader: holds the history in its memory and answers until it is ended.

import { parentPort, workerData } from 'node:worker_threads';
import { loadPatterns } from '../../filter/pattern.ts';
import { loadSql } from '../sqljs/engine.ts';
import { beforeWork } from '../thread-turn.ts';
import type { ReaderRequest } from './reader.ts';
import { clearUp, ReaderService } from './reader-service.ts';

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
