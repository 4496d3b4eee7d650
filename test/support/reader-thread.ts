// A reader's thread without a thread: it answers on the event loop of the test.

import type { StartReader } from '../../src/history/query/reader.ts';
import { ReaderService } from '../../src/history/query/reader-thread.ts';
import type { SqlEngine } from '../../src/history/sqljs/engine.ts';

/** How often threads were started and ended. */
export interface ThreadCounts {
  started: number;
  ended: number;
}

/** `contend` says to the thread started last that another waits for it. */
export interface Contender {
  contend?: () => void;
}

/** Starts such threads. They never answer the statement in `stuck`. */
export function localThreads(
  sql: SqlEngine,
  counts: ThreadCounts = { started: 0, ended: 0 },
  stuck = '',
  contender: Contender = {},
): StartReader {
  return (path, events) => {
    counts.started++;
    contender.contend = events.onContended;
    const service = new ReaderService(sql, path);
    let isEnded = false;
    let isStuck = false;
    queueMicrotask(() =>
      events.onReady((request) => {
        setImmediate(() => {
          isStuck ||= stuck !== '' && request.call.name === 'sql' && request.call.text === stuck;
          if (!isEnded && !isStuck) events.onReply(service.answer(request));
        });
      }),
    );
    return {
      end() {
        isEnded = true;
        counts.ended++;
        return Promise.resolve();
      },
    };
  };
}
