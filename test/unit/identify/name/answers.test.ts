import { describe, expect, it } from 'vitest';
import { Answers } from '../../../../src/identify/name/answers.ts';
import { V4_MAPPED } from '../../../../src/net/address.ts';
import { T0 } from '../../../support/naming.ts';
import { addresses } from '../../../support/packets.ts';

const HOST = addresses('192.0.2.1');
const ANYBODY = -1;
const MINUTE = 60_000;

function found(answers: Answers, asker: number, before: number, words = HOST): string | null {
  const answer = answers.find(words, 0, asker, before);
  return answer === null ? null : `${answer.name} ${answer.kind}`;
}

describe('answers', () => {
  it('are found by address, the newest earlier one first', () => {
    const answers = new Answers(1);
    answers.add(HOST, 0, 'old.example', ANYBODY, 0, 600, T0);
    answers.add(HOST, 0, 'new.example', ANYBODY, 1, 600, T0 + 10);
    expect(found(answers, ANYBODY, T0 - 1)).toBeNull();
    expect(found(answers, ANYBODY, T0)).toBe('old.example 0');
    expect(found(answers, ANYBODY, T0 + 9)).toBe('old.example 0');
    expect(found(answers, ANYBODY, T0 + 10)).toBe('new.example 1');
    expect(found(answers, ANYBODY, T0 + 10, addresses('192.0.2.2'))).toBeNull();
    expect(found(answers, ANYBODY, T0 + 10, addresses('::192.0.2.1'))).toBeNull();
  });

  it("are the asker's own before anybody's, however new those are", () => {
    const answers = new Answers(1);
    answers.add(HOST, 0, 'mine.example', 5, 0, 600, T0);
    answers.add(HOST, 0, 'theirs.example', 6, 0, 600, T0 + 1000);
    answers.add(HOST, 0, 'nobodys.example', ANYBODY, 0, 600, T0 + 2000);
    expect(found(answers, 5, T0 + 5000)).toBe('mine.example 0');
    expect(found(answers, 6, T0 + 5000)).toBe('theirs.example 0');
    expect(found(answers, 7, T0 + 5000)).toBe('nobodys.example 0');
    expect(found(answers, ANYBODY, T0 + 5000)).toBe('nobodys.example 0');
  });

  it('are valid for their TTL, at least a minute and at most an hour', () => {
    const answers = new Answers(1);
    answers.add(addresses('192.0.2.1'), 0, 'short', ANYBODY, 0, 0, T0);
    answers.add(addresses('192.0.2.2'), 0, 'middle', ANYBODY, 0, 600, T0);
    answers.add(addresses('192.0.2.3'), 0, 'long', ANYBODY, 0, 0xffff_ffff, T0);
    const holds = (last: number, at: number) => found(answers, ANYBODY, T0 + at, addresses(`192.0.2.${last}`)) !== null;
    expect([holds(1, MINUTE), holds(1, MINUTE + 1)]).toEqual([true, false]);
    expect([holds(2, 10 * MINUTE), holds(2, 10 * MINUTE + 1)]).toEqual([true, false]);
    expect([holds(3, 60 * MINUTE), holds(3, 60 * MINUTE + 1)]).toEqual([true, false]);
  });

  it('are renewed by the same answer, which takes no second slot', () => {
    const answers = new Answers(1);
    answers.add(HOST, 0, 'first', ANYBODY, 0, 60, T0);
    for (let i = 1; i <= 100; i++) answers.add(HOST, 0, 'same', 3, 0, 60, T0 + i);
    expect(found(answers, ANYBODY, T0 + 99)).toBe('first 0');
    expect(found(answers, ANYBODY, T0 + 100 + MINUTE)).toBe('same 0');
    // The same name for another client is another answer.
    answers.add(HOST, 0, 'same', 4, 0, 60, T0 + 200);
    expect(found(answers, 3, T0 + 150)).toBe('same 0');
  });

  it('give way to newer ones, the oldest first, when their set is full', () => {
    const answers = new Answers(1);
    for (let i = 0; i < 9; i++) answers.add(HOST, 0, `n${i}`, ANYBODY, 0, 60, T0 + i);
    expect(found(answers, ANYBODY, T0)).toBeNull();
    for (let i = 1; i < 9; i++) expect(found(answers, ANYBODY, T0 + i)).toBe(`n${i} 0`);
  });

  it('still find the newest among a million names', () => {
    const answers = new Answers(1);
    const words = new Int32Array([0, 0, V4_MAPPED, 0]);
    for (let i = 0; i < 1_000_000; i++) {
      words[3] = 0x1000_0000 + i;
      answers.add(words, 0, `h${i}`, ANYBODY, 0, 60, T0 + i / 1000);
    }
    let kept = 0;
    for (let i = 0; i < 1_000_000; i++) {
      words[3] = 0x1000_0000 + i;
      const answer = answers.find(words, 0, ANYBODY, T0 + 1000);
      if (answer === null) continue;
      kept++;
      if (answer.name !== `h${i}`) throw new Error(`h${i} is ${answer.name}`);
    }
    expect(kept).toBeGreaterThan(30_000);
    expect(kept).toBeLessThanOrEqual(32_768);
    expect(answers.find(words, 0, ANYBODY, T0 + 1000)?.name).toBe('h999999');
  });

  it('at the epoch are valid, because captures may begin at zero', () => {
    const answers = new Answers(1);
    answers.add(HOST, 0, 'zero', ANYBODY, 0, 60, 0);
    expect(found(answers, ANYBODY, 0)).toBe('zero 0');
  });
});
