import { describe, expect, it } from 'vitest';
import { ChildPoll, type PollRun } from '../../../src/system/child-poll.ts';
import type { Edges, RunResult } from '../../../src/system/edges.ts';
import { fakeEdges } from '../../support/fake-edges.ts';

const FINE: RunResult = { status: 0, stdout: 'fine', stderr: '', cut: null, failure: null };
const LIMITS = { timeoutMs: 1000, maxBytes: 100 };

/** Polls a program. The test gives the answer to each run. */
function setUp() {
  const answers: ((result: RunResult | Error) => Promise<void>)[] = [];
  const edges: Edges = {
    ...fakeEdges(),
    run: () =>
      new Promise<RunResult>((resolve, reject) => {
        answers.push(async (result) => {
          if (result instanceof Error) reject(result);
          else resolve(result);
          await new Promise(setImmediate);
        });
      }),
  };
  const poll = new ChildPoll(edges, { path: '/bin/x', pauseMs: 500, limits: LIMITS });
  const events: string[] = [];
  const run = (verdict: string | null = null): PollRun => ({
    args: [],
    read: ({ stdout }) => {
      events.push(`read ${stdout}`);
      return verdict;
    },
    failed: () => void events.push(`failed: ${poll.failure}`),
  });
  return { poll, answers, events, run };
}

describe('ChildPoll', () => {
  it('runs one at a time, and again after its pause', async () => {
    const { poll, answers, events, run } = setUp();
    expect(poll.isReady(0)).toBe(true);
    poll.start(run());
    expect(poll.isReady(100)).toBe(false);
    await answers[0]?.(FINE);
    expect(events).toEqual(['read fine']);
    expect([poll.isReady(599), poll.isReady(600)]).toEqual([false, true]);
    expect(poll.failure).toBeNull();
  });

  it.each<[Partial<RunResult>, string]>([
    [{ failure: 'ENOENT', status: null }, "it can't be run (ENOENT)"],
    [{ cut: 'time', status: null }, 'it took too long'],
    [{ cut: 'size', status: null }, 'it printed too much'],
  ])('reads nothing of %j', async (result, failure) => {
    const { poll, answers, events, run } = setUp();
    poll.isReady(0);
    poll.start(run());
    await answers[0]?.({ ...FINE, ...result });
    expect(events).toEqual([`failed: ${failure}`]);
  });

  it('doubles its pause after each failure up to a minute, and resets it after a success', async () => {
    const { poll, answers, run } = setUp();
    let now = 0;
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      expect(poll.isReady(now)).toBe(true);
      poll.start(run(i === 6 ? null : 'of no use'));
      await answers[i]?.(FINE);
      const ended = now;
      while (!poll.isReady(now)) now += 100;
      pauses.push(now - ended);
    }
    expect(pauses).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 500, 2000]);
  });

  it('gives up on a run that doesn’t end, and ignores its late result', async () => {
    const { poll, answers, events, run } = setUp();
    poll.isReady(0);
    poll.start(run());
    expect(poll.isReady(5999)).toBe(false);
    expect(poll.isReady(6000)).toBe(false);
    expect(events).toEqual(['failed: it does not end']);
    await answers[0]?.(FINE);
    expect(events).toHaveLength(1);
    expect(poll.isReady(8000)).toBe(true);
    poll.start(run());
    await answers[1]?.(FINE);
    expect(events[1]).toBe('read fine');
    expect(poll.failure).toBeNull();
  });

  it('survives a rejection', async () => {
    const { poll, answers, events, run } = setUp();
    poll.isReady(0);
    poll.start(run());
    await answers[0]?.(new Error('no more processes\nat all'));
    expect(events).toEqual(['failed: no more processes']);
  });

  it('is silent once it is closed', async () => {
    const { poll, answers, events, run } = setUp();
    poll.isReady(0);
    poll.start(run());
    poll.close();
    await answers[0]?.({ ...FINE, cut: 'time' });
    expect(events).toEqual([]);
    expect(poll.isReady(1e9)).toBe(false);
  });
});
