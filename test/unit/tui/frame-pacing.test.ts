// Frame pacing: a fast terminal is asked rarely, a slow one behind each frame, and neither is waited for in vain.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FramePacing } from '../../../src/tui/frame-pacing.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let clock: FakeClock;
let asked: number;
let freed: number;
let pacing: FramePacing;
beforeEach(() => {
  vi.useFakeTimers();
  clock = new FakeClock();
  asked = 0;
  freed = 0;
  pacing = new FramePacing(
    clock,
    () => asked++,
    () => freed++,
  );
});
afterEach(() => vi.useRealTimers());

/** The first question, and an answer after some time. */
function begun(ms: number): void {
  pacing.begin();
  clock.pass(ms);
  pacing.answered();
}

test('a fast terminal is asked after the first frame and then now and then, and no frame is held back', () => {
  begun(20);
  for (let frame = 0; frame < 240; frame++) {
    pacing.drawn();
    expect(pacing.isFree).toBe(true);
    clock.pass(30);
    if (pacing.isAsking) pacing.answered();
  }
  expect(asked).toBe(1 + 240 / 24);
});

test('a slow terminal has one frame under way, and is asked behind each', () => {
  begun(20);
  pacing.drawn();
  clock.pass(4000);
  pacing.answered();
  for (let frame = 0; frame < 5; frame++) {
    pacing.drawn();
    expect(pacing.isFree).toBe(false);
    clock.pass(700);
    pacing.answered();
    expect(pacing.isFree).toBe(true);
  }
  expect([asked, freed]).toEqual([7, 7]);
  pacing.drawn();
  clock.pass(60);
  pacing.answered();
  pacing.drawn();
  expect([pacing.isFree, pacing.isAsking]).toEqual([true, false]); // fast again
});

test('a terminal that turns out to be slow gets nothing more while it draws', () => {
  begun(20);
  pacing.drawn();
  expect(pacing.isFree).toBe(true);
  clock.pass(300);
  pacing.drawn();
  expect([pacing.isFree, asked]).toEqual([false, 2]);
  pacing.answered();
  expect(pacing.isFree).toBe(true);
});

test('a long way does not make a slow terminal', () => {
  begun(400);
  pacing.drawn();
  clock.pass(430);
  pacing.answered();
  pacing.drawn();
  expect(pacing.isFree).toBe(true);
});

test('a terminal that never answers is asked once and not waited for', () => {
  pacing.begin();
  for (let frame = 0; frame < 100; frame++) {
    pacing.drawn();
    expect(pacing.isFree).toBe(true);
  }
  expect([asked, pacing.patience]).toEqual([1, 500]);
  clock.pass(600);
  expect(pacing.patience).toBe(0);
  vi.advanceTimersByTime(10_000);
  pacing.drawn();
  expect(asked).toBe(1);
  pacing.answered(); // it comes after all
  expect(pacing.isAsking).toBe(false);
});

test('a terminal that stops answering holds frames back for a bounded time, and is asked no more after two lost answers', () => {
  begun(20);
  pacing.drawn();
  clock.pass(1000);
  pacing.answered();
  for (let lost = 0; lost < 2; lost++) {
    for (let frame = 0; frame < 24; frame++) if (!pacing.isAsking) pacing.drawn();
    expect(pacing.isAsking).toBe(true);
    vi.advanceTimersByTime(10_000);
    expect(pacing.isFree).toBe(true);
  }
  const before = asked;
  for (let frame = 0; frame < 100; frame++) pacing.drawn();
  expect(asked).toBe(before);
});

describe('leaving', () => {
  test('waits for an answer that is under way, and not for one that is lost', () => {
    begun(20);
    expect(pacing.patience).toBe(0);
    pacing.drawn();
    expect(pacing.patience).toBe(10_000);
    clock.pass(9999);
    expect(pacing.patience).toBe(1);
    vi.advanceTimersByTime(10_000);
    expect(pacing.patience).toBe(0);
  });

  test('leaves no question behind', () => {
    begun(20);
    pacing.drawn();
    pacing.stop();
    expect([pacing.patience, pacing.isAsking, vi.getTimerCount()]).toEqual([0, false, 0]);
  });
});
