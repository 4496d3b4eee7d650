// What the terminal answers, on the screen as a whole: its background chooses the theme, whenever it comes; nothing of an answer is a key; a slow
// line gets a frame at a time; the terminal is given back when it has nothing more to say.

import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ASK_BACKGROUND, ASK_DRAWN } from '../../../src/tui/answers.ts';
import { backgroundOf, canAnswer, isLight } from '../../../src/tui/terminal.ts';
import { ThemeShelf } from '../../../src/tui/theme-files.ts';
import { busy } from '../../support/snapshot-builder.ts';
import { Stage, turn } from '../../support/terminal.ts';

const themes = new ThemeShelf([{ path: new URL('../../../themes', import.meta.url).pathname, uid: null }]);
const LIGHT = '\x1b]11;rgb:ffff/fdfd/f5f5\x1b\\';
const DARK = '\x1b]11;rgb:1e1e/1e1e/2e2e\x07';
const DRAWN = '\x1b[0n';
const AUTO = { dark: 'netmon', light: 'light' } as const;

let stage: Stage;

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});
afterEach(() => stage.close());

async function open(byBackground: typeof AUTO | null = AUTO): Promise<Stage> {
  stage = new Stage(80, 24, { asks: true, byBackground, themes });
  await stage.show(busy(40));
  return stage;
}

/** What was chosen, and the picture: neither may change by an answer. */
const shown = (s: Stage) => ({ ...s.tui.state, theme: '', watches: null });

describe('the background', () => {
  test('is asked before the first frame, once, and not where a theme was named', async () => {
    const s = await open();
    expect(s.output.log.indexOf(ASK_BACKGROUND)).toBeLessThan(s.output.log.indexOf('libpcap'));
    expect(s.output.log.split(ASK_BACKGROUND)).toHaveLength(2);
    s.close();
    expect((await open(null)).output.log).not.toContain(ASK_BACKGROUND);
  });

  test.each([
    ['an answer', [LIGHT + DRAWN]],
    ['a split answer', [...LIGHT, ...DRAWN]],
    ['two parts', [LIGHT.slice(0, 9), LIGHT.slice(9) + DRAWN]],
    ['an answer among keys of the mouse and others', [`\x1b[<64;3;40M${LIGHT}${DRAWN}`]],
  ])('that is light chooses the light theme: %s', async (_, chunks) => {
    const s = await open();
    const before = shown(s);
    for (const chunk of chunks) s.input.write(chunk);
    await s.press();
    expect(s.tui.state.theme).toBe('light');
    expect(shown(s)).toEqual(before);
    expect(s.cell(3, 23).bg).not.toBe(-1);
  });

  test('that comes late is no key either, and still chooses', async () => {
    const s = await open();
    await s.press('j', '/', 'a');
    s.input.write(DRAWN);
    s.input.write(LIGHT);
    await s.press('b');
    expect([s.tui.state.theme, s.tui.state.filter.text]).toEqual(['light', 'ab']);
  });

  test('that is dark, garbage, or never told keeps the theme', async () => {
    for (const answer of [DARK, '\x1b]11;no such thing\x07', '\x1b]11;rgb:ff/ff\x07', '']) {
      const s = await open();
      const before = shown(s);
      s.input.write(answer + DRAWN);
      await s.press();
      expect([s.tui.state.theme, shown(s)]).toEqual(['netmon', before]);
      s.close();
    }
  });

  test('does not take back what was picked meanwhile', async () => {
    const s = await open();
    await s.press('T', 'g', '\r');
    s.input.write(LIGHT);
    await s.press();
    expect(s.tui.state.theme).toBe('contrast');
  });

  test('told over and over, and never ended, is neither keys nor memory', async () => {
    const s = await open();
    const before = shown(s);
    for (let i = 0; i < 200; i++) s.input.write(i % 2 === 0 ? LIGHT + DRAWN : DARK);
    s.input.write(`\x1b]11;${'f'.repeat(250)}`);
    await s.press();
    expect([s.tui.state.theme, shown(s)]).toEqual(['light', before]);
  });
});

describe('a slow line', () => {
  /** A stage whose terminal took its time for the first frame. */
  async function slow(): Promise<Stage> {
    const s = await open(null);
    s.input.write(DRAWN);
    await s.press();
    await s.show(busy(40, 1));
    s.clock.pass(4000);
    s.input.write(DRAWN);
    await s.press();
    return s;
  }

  test('gets the next frame when it has drawn the last, and then the newest', async () => {
    const s = await slow();
    await s.show(busy(40, 2));
    const frames = s.tui.frames;
    for (let step = 3; step < 9; step++) {
      s.clock.pass(100);
      await s.show(busy(40, step));
    }
    await s.press('3');
    expect(s.tui.frames).toBe(frames);
    expect(s.output.log.endsWith(ASK_DRAWN)).toBe(true);
    s.clock.pass(900);
    s.input.write(DRAWN);
    await turn();
    await s.settle();
    expect(s.tui.frames).toBe(frames + 1);
    expect(s.text()).toMatch(/Connections \d+/);
  });

  test('is given back when it has answered; asked twice, at once', async () => {
    const s = await slow();
    await s.show(busy(40, 2));
    await s.press('q');
    expect(s.effects).toEqual([]);
    s.input.write(DRAWN);
    await s.press();
    expect(s.effects).toEqual([{ type: 'quit' }]);
    s.close();
    const again = await slow();
    await again.show(busy(40, 2));
    await again.press('q', 'q');
    expect(again.effects).toEqual([{ type: 'quit' }]);
  });
});

describe('a terminal', () => {
  test('is asked where it can answer', () => {
    const can = (TERM: string) => canAnswer({ TERM });
    expect(['xterm-256color', 'tmux', 'screen', 'xterm-kitty', 'foot', ''].map(can)).toEqual(Array(6).fill(true));
    expect(['vt100', 'linux', 'linux-16color', 'dumb', 'cons25', 'eterm-color'].map(can)).toEqual(Array(6).fill(false));
  });

  test('that cannot be asked may tell its background in COLORFGBG', () => {
    const of = (COLORFGBG?: string) => backgroundOf({ COLORFGBG });
    expect([of('0;15'), of('0;default;15'), of('0;7'), of('15;0'), of('7;8')]).toEqual([
      'light',
      'light',
      'light',
      'dark',
      'dark',
    ]);
    expect([of(), of(''), of('15'), of('0;default'), of('0;99'), of('0;-1'), of('x'.repeat(5000))]).toEqual(Array(7).fill(null));
  });

  test('is light where black can be read better on it than white', () => {
    const grey = (part: number) => isLight({ red: part, green: part, blue: part });
    expect([grey(0), grey(0.4), grey(0.5), grey(1)]).toEqual([false, false, true, true]);
    expect(isLight({ red: 0, green: 0x2b / 255, blue: 0x36 / 255 })).toBe(false); // solarized dark
    expect(isLight({ red: 0xfd / 255, green: 0xf6 / 255, blue: 0xe3 / 255 })).toBe(true); // and light
  });
});
