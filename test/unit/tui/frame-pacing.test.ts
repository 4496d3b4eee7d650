// The line to the terminal: asked rarely where it is fast, behind each frame where it is slow, and never waited for in vain.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Line } from '../../../src/tui/frame-pacing.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let clock: FakeClock;
let asked: number;
let freed: number;
let line: Line;
beforeEach(() => {
  vi.useFakeTimers();
  clock = new FakeClock();
  asked = 0;
  freed = 0;
  line = new Line(clock, () => asked++);
  line.onFree = () => freed++;
});
afterEach(() => vi.useRealTimers());

/** The first question, and an answer after some time. */
function begun(ms: number): void {
  line.begin();
  clock.pass(ms);
  line.answered();
}

test('a fast line is asked after the first frame and then now and then, and holds no frame back', () => {
  begun(20);
  for (let frame = 0; frame < 240; frame++) {
    line.drawn();
    expect(line.isFree).toBe(true);
    clock.pass(30);
    if (line.isAsking) line.answered();
  }
  expect(asked).toBe(1 + 240 / 24);
});

test('a slow line has one frame under way, and is asked behind each', () => {
  begun(20);
  line.drawn();
  clock.pass(4000);
  line.answered();
  for (let frame = 0; frame < 5; frame++) {
    line.drawn();
    expect(line.isFree).toBe(false);
    clock.pass(700);
    line.answered();
    expect(line.isFree).toBe(true);
  }
  expect([asked, freed]).toEqual([7, 7]);
  line.drawn();
  clock.pass(60);
  line.answered();
  line.drawn();
  expect([line.isFree, line.isAsking]).toEqual([true, false]); // fast again
});

test('a line that turns out to be slow gets nothing more while it draws', () => {
  begun(20);
  line.drawn();
  expect(line.isFree).toBe(true);
  clock.pass(300);
  line.drawn();
  expect([line.isFree, asked]).toEqual([false, 2]);
  line.answered();
  expect(line.isFree).toBe(true);
});

test('a long way is not a slow line', () => {
  begun(400);
  line.drawn();
  clock.pass(430);
  line.answered();
  line.drawn();
  expect(line.isFree).toBe(true);
});

test('a terminal that never answers is asked once and not waited for', () => {
  line.begin();
  for (let frame = 0; frame < 100; frame++) {
    line.drawn();
    expect(line.isFree).toBe(true);
  }
  expect([asked, line.patience]).toEqual([1, 500]);
  clock.pass(600);
  expect(line.patience).toBe(0);
  vi.advanceTimersByTime(10_000);
  line.drawn();
  expect(asked).toBe(1);
  line.answered(); // it comes after all
  expect(line.isAsking).toBe(false);
});

test('one that stops to answer holds frames back for a bounded time, and is given up after two lost answers', () => {
  begun(20);
  line.drawn();
  clock.pass(1000);
  line.answered();
  for (let lost = 0; lost < 2; lost++) {
    for (let frame = 0; frame < 24; frame++) if (!line.isAsking) line.drawn();
    expect(line.isAsking).toBe(true);
    vi.advanceTimersByTime(10_000);
    expect(line.isFree).toBe(true);
  }
  const before = asked;
  for (let frame = 0; frame < 100; frame++) line.drawn();
  expect(asked).toBe(before);
});

describe('whoever leaves', () => {
  test('waits for an answer that is under way, and not for one that is lost', () => {
    begun(20);
    expect(line.patience).toBe(0);
    line.drawn();
    expect(line.patience).toBe(10_000);
    clock.pass(9999);
    expect(line.patience).toBe(1);
    vi.advanceTimersByTime(10_000);
    expect(line.patience).toBe(0);
  });

  test('leaves no question behind', () => {
    begun(20);
    line.drawn();
    line.stop();
    expect([line.patience, line.isAsking, vi.getTimerCount()]).toEqual([0, false, 0]);
  });
});
