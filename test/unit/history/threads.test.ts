import { afterEach, describe, expect, test, vi } from 'vitest';
import { ThreadSlot } from '../../../src/history/threads.ts';

afterEach(() => {
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(0);

describe('the slot of threads', () => {
  test('goes to one at a time, in the order of the calls', async () => {
    vi.useFakeTimers();
    const slot = new ThreadSlot();
    const had: string[] = [];
    const acquire = (name: string) =>
      slot
        .acquire(() => had.push(`${name} is asked to leave`))
        .then((release) => {
          had.push(name);
          return release;
        });
    const [first, second, third] = [acquire('first'), acquire('second'), acquire('third')];
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

  test('tells its holder when another waits', async () => {
    vi.useFakeTimers();
    const slot = new ThreadSlot();
    const onContended = vi.fn();
    const release = await slot.acquire(onContended);
    expect(onContended).not.toHaveBeenCalled();
    const next = slot.acquire(() => {});
    expect(onContended).toHaveBeenCalledTimes(1);
    release();
    (await next)();
    await slot.acquire(() => {});
    expect(onContended).toHaveBeenCalledTimes(1);
  });

  test('is waited for ten seconds at most', async () => {
    vi.useFakeTimers();
    const slot = new ThreadSlot();
    await slot.acquire(() => {});
    let had = false;
    void slot
      .acquire(() => {})
      .then(() => {
        had = true;
      });
    await vi.advanceTimersByTimeAsync(9999);
    expect(had).toBe(false);
    await vi.advanceTimersByTimeAsync(2);
    expect(had).toBe(true);
  });
});
