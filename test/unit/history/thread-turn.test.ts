import { afterEach, describe, expect, test, vi } from 'vitest';
import { ThreadTurn } from '../../../src/history/thread-turn.ts';

afterEach(() => {
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(0);

describe('a turn', () => {
  test('is had by one at a time, in the order in which it was asked for', async () => {
    vi.useFakeTimers();
    const turn = new ThreadTurn();
    const had: string[] = [];
    const take = (name: string) =>
      turn
        .take(() => had.push(`${name} is asked to leave`))
        .then((giveBack) => {
          had.push(name);
          return giveBack;
        });
    const [first, second, third] = [take('first'), take('second'), take('third')];
    await settled();
    expect(had).toEqual(['first is asked to leave', 'first']);
    (await first)();
    await settled();
    expect(had.slice(2)).toEqual(['second is asked to leave', 'second']);
    (await second)();
    (await second)();
    await settled();
    expect(had.slice(4)).toEqual(['third']);
    (await third)();
  });

  test('who has it is asked to leave when another comes', async () => {
    vi.useFakeTimers();
    const turn = new ThreadTurn();
    const leave = vi.fn();
    const giveBack = await turn.take(leave);
    expect(leave).not.toHaveBeenCalled();
    const next = turn.take(() => {});
    expect(leave).toHaveBeenCalledTimes(1);
    giveBack();
    (await next)();
    await turn.take(() => {});
    expect(leave).toHaveBeenCalledTimes(1);
  });

  test('is not waited for longer than a moment', async () => {
    vi.useFakeTimers();
    const turn = new ThreadTurn();
    await turn.take(() => {});
    let had = false;
    void turn
      .take(() => {})
      .then(() => {
        had = true;
      });
    await vi.advanceTimersByTimeAsync(9999);
    expect(had).toBe(false);
    await vi.advanceTimersByTimeAsync(2);
    expect(had).toBe(true);
  });
});
