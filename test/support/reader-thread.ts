// A reader's thread without a thread: answers in turn, on the event loop of the test.

import type { ReaderReply, ReaderThread } from '../../src/history/query/reader.ts';
import { ReaderService } from '../../src/history/query/reader-service.ts';
import type { SqlEngine } from '../../src/history/sqljs/engine.ts';

/** How often threads were started and ended. */
export interface ThreadCounts {
  started: number;
  ended: number;
}

/** `want` says to the thread started last that another waits for it. */
export interface Turn {
  want?: () => void;
}

/** Starts such threads. A statement named in `stuck` is never answered. */
export function localThreads(sql: SqlEngine, counts: ThreadCounts = { started: 0, ended: 0 }, stuck = '', turn: Turn = {}) {
  return (path: string): ReaderThread => {
    counts.started++;
    const service = new ReaderService(sql, path);
    let reply: (reply: ReaderReply) => void = () => {};
    let isEnded = false;
    let isStuck = false;
    return {
      post(request) {
        setImmediate(() => {
          isStuck ||= stuck !== '' && request.call.name === 'sql' && request.call.text === stuck;
          if (!isEnded && !isStuck) reply(service.answer(request));
        });
      },
      onReply(listener) {
        reply = listener;
      },
      onEnd() {},
      onWanted(listener) {
        turn.want = listener;
      },
      end() {
        isEnded = true;
        counts.ended++;
        return Promise.resolve();
      },
    };
  };
}
