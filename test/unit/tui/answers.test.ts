// Answers of the terminal among the keys: however they come, none of their bytes is ever a key, and no key is lost.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Answer, AnswerFilter } from '../../../src/tui/answers.ts';

const LIGHT = '\x1b]11;rgb:fafa/fafa/fafa\x1b\\';
const DRAWN = '\x1b[0n';

/** What a filter makes of chunks, each given up on before the next comes where `pauses` says so. */
function sorted(chunks: readonly string[], expecting = true, pauses = false): { keys: string; answers: Answer[] } {
  const answers: Answer[] = [];
  const filter = new AnswerFilter((answer) => answers.push(answer));
  let keys = '';
  for (const chunk of chunks) {
    keys += filter.take(chunk, expecting);
    if (pauses && filter.holding === 'maybe') keys += filter.release();
  }
  return { keys: keys + filter.release(), answers };
}

describe('an answer', () => {
  test.each([
    [LIGHT, 0xfafa / 0xffff],
    ['\x1b]11;rgb:ff/ff/ff\x07', 1],
    ['\x1b]11;rgba:0000/0000/0000/ffff\x9c', 0],
    ['\x1b]11;#000000\x07', 0],
  ])('%j tells the background', (text, red) => {
    expect(sorted([text])).toMatchObject({ keys: '', answers: [{ kind: 'background', red }] });
  });

  test('that a frame was drawn', () => {
    expect(sorted([DRAWN])).toEqual({ keys: '', answers: [{ kind: 'drawn' }] });
    expect(sorted(['\x1b[3n']).answers).toHaveLength(1);
  });

  test.each([
    ['garbage', '\x1b]11;what is this?\x07'],
    ['far too long', `\x1b]11;${'x'.repeat(250)}\x07`],
    ['a colour of other digits', '\x1b]11;rgb:zz/zz/zz\x07'],
    ['nothing', '\x1b]11;\x07'],
  ])('of %s is taken out, and tells nothing', (_, text) => {
    expect(sorted([`j${text}k`])).toEqual({ keys: 'jk', answers: [] });
  });

  test('in the middle of keys leaves them as they were, whether it was expected or not', () => {
    for (const expecting of [true, false]) {
      const { keys, answers } = sorted([`jj${LIGHT}\x1b[A${DRAWN}q\x1b[<0;3;4M`], expecting);
      expect([keys, answers.length]).toEqual(['jj\x1b[Aq\x1b[<0;3;4M', 2]);
    }
  });

  test('that is split anywhere is one all the same, also with pauses where it was expected', () => {
    for (const answer of [LIGHT, DRAWN, '\x1b]11;rgb:ff/ff/ff\x07'])
      for (let at = 1; at < answer.length; at++) {
        const chunks = [`j${answer.slice(0, at)}`, `${answer.slice(at)}k`];
        expect([at, sorted(chunks).keys, sorted(chunks).answers.length]).toEqual([at, 'jk', 1]);
      }
    expect(sorted([...LIGHT])).toMatchObject({ keys: '', answers: [{ kind: 'background' }] });
    // Its escape was handed on as a key before the rest came: the rest is none.
    expect(sorted(['\x1b', LIGHT.slice(1)], true, true)).toMatchObject({ keys: '\x1b', answers: [{ kind: 'background' }] });
    expect(sorted(['\x1b', DRAWN.slice(1)], true, true)).toMatchObject({ keys: '\x1b', answers: [{ kind: 'drawn' }] });
  });

  test('that never ends is taken out up to a bound, and nothing is held for good', () => {
    const { keys } = sorted([`\x1b]11;${'y'.repeat(100_000)}`]);
    expect(keys).toBe('y'.repeat(100_000 - 256));
    const filter = new AnswerFilter(() => {});
    for (let i = 0; i < 10_000; i++) filter.take('z', true);
    filter.take('\x1b]11;', true);
    let handed = 0;
    for (let i = 0; i < 1000; i++) handed += filter.take('z', true).length;
    expect(handed).toBeGreaterThan(700);
  });

  test('a flood of them is no key', () => {
    const { keys, answers } = sorted(Array.from({ length: 5000 }, () => LIGHT + DRAWN));
    expect([keys, answers.length]).toEqual(['', 10_000]);
  });
});

describe('a key', () => {
  test('that begins like an answer is handed on: at once, or when no more came', () => {
    const filter = new AnswerFilter(() => {});
    expect(filter.take('\x1b', false)).toBe('\x1b');
    expect(filter.take('\x1b', true)).toBe('');
    expect([filter.holding, filter.release()]).toEqual(['maybe', '\x1b']);
    expect(filter.take('\x1b[', true) + filter.release()).toBe('\x1b[');
    expect(filter.take('\x1b]', false) + filter.release()).toBe('\x1b]');
    for (const key of ['\x1b[A', '\x1b[1;2R', '\x1bOP', '\x1b[15~', '\x1b\x1b', '\x1b[[A', 'é', '\x1b[I'])
      expect(filter.take(key, true) + filter.release()).toBe(key);
  });

  test('is never lost or changed: what has no answer in it comes out as it went in', () => {
    const piece = fc.oneof(
      fc.constantFrom('\x1b', '[', ']', '1', '0', ';', 'n1', 'A', '\x07', '\\', '\x1b[', '\x1b]1'),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), fc.boolean(), (chunks, expecting, pauses) => {
        const all = chunks.join('');
        fc.pre(!/\]11;|\[[0-4]n|\[200~/.test(all));
        expect(sorted(chunks, expecting, pauses)).toEqual({ keys: all, answers: [] });
      }),
      { numRuns: 500 },
    );
  });
});

describe('a paste', () => {
  const PASTED = '\x1b[200~app:curl\x1b[Aq\n\x1b[201~';

  test('is none of its keys, wherever it is split', () => {
    for (let at = 4; at < PASTED.length; at++) {
      const { keys, answers } = sorted([`j${PASTED.slice(0, at)}`, `${PASTED.slice(at)}k`], false);
      expect([at, keys, answers]).toEqual([at, 'jk', [{ kind: 'pasted', text: 'app:curl\x1b[Aq\n' }]]);
    }
  });

  test('of megabytes keeps its beginning, and the keys behind it', () => {
    const chunk = 'x'.repeat(65_536);
    const { keys, answers } = sorted(['\x1b[200~', ...Array.from({ length: 64 }, () => chunk), '\x1b[201~q'], false);
    expect([keys, answers]).toEqual(['q', [{ kind: 'pasted', text: 'x'.repeat(4096) }]]);
    const many = sorted([PASTED.repeat(50_000)], false);
    expect([many.keys, many.answers.length]).toEqual(['', 50_000]);
  });

  test('whose end never comes is given up on', () => {
    const told: Answer[] = [];
    const filter = new AnswerFilter((answer) => told.push(answer));
    expect(filter.take('\x1b[200~host', false)).toBe('');
    expect([filter.holding, filter.release(), filter.holding]).toEqual(['surely', '', 'nothing']);
    expect([told, filter.take('q', false)]).toEqual([[{ kind: 'pasted', text: 'host' }], 'q']);
  });

  test('without marks is what no hand types at once', () => {
    expect(sorted(['q'.repeat(5000)], false)).toEqual({ keys: '', answers: [{ kind: 'pasted', text: 'q'.repeat(4096) }] });
    expect(sorted(['\x1b[B'.repeat(300)], false).keys).toHaveLength(900);
  });
});
