// The screen's behaviour at its edges: what it writes, when it does not, and how it leaves the terminal.

import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ThemeShelf } from '../../../src/tui/theme-files.ts';
import { PAUSE_MS } from '../../../src/view/input/filter-input.ts';
import { appRow, busy, flowRow, snapshot } from '../../support/snapshot-builder.ts';
import { ourTheme, Stage, turn } from '../../support/terminal.ts';

let stage: Stage | null = null;
const themes = new ThemeShelf([{ path: new URL('../../../themes', import.meta.url).pathname, uid: null }]);

function open(...args: ConstructorParameters<typeof Stage>): Stage {
  stage = new Stage(...args);
  return stage;
}

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

afterEach(() => {
  stage?.close();
  stage = null;
});

describe('output', () => {
  test('nothing changed is 0 bytes, also with wide characters', async () => {
    const s = open(120, 40);
    const wide = snapshot({
      apps: [appRow({ id: '日本語', rxRate: 5 })],
      flows: [flowRow({ id: 'f', app: '日本語', host: '한국어' })],
    });
    for (const shown of [busy(40), wide]) {
      await s.show(shown);
      const before = s.output.bytes;
      await s.show(shown);
      s.tui.flush();
      await s.settle();
      expect(s.output.bytes - before).toBe(0);
    }
  });

  test.each([
    ['3 KiB while rows keep their places', ['o'], 3 * 1024],
    ['6 KiB while all of them change places', [], 6 * 1024],
  ] as const)('a busy second at 120x40 is one write of less than %s', async (_, keys, most) => {
    const s = open(120, 40);
    await s.show(busy(40, 0));
    await s.press(...keys);
    const sizes: number[] = [];
    for (let step = 1; step <= 12; step++) {
      const [bytes, writes] = [s.output.bytes, s.output.writes];
      await s.show(busy(40, step));
      sizes.push(s.output.bytes - bytes);
      expect(s.output.writes - writes).toBe(1);
    }
    expect(sizes.reduce((sum, size) => sum + size, 0) / sizes.length).toBeLessThan(most);
  });

  test('a terminal that lags gets no frame until it has caught up, then the newest', async () => {
    const s = open(120, 40);
    await s.show(busy(40));
    s.output.stalled = true;
    s.tui.show(busy(40, 1));
    s.tui.flush();
    await turn();
    expect(s.output.writableLength).toBeGreaterThan(0);
    const frames = s.tui.frames; // one is on its way, and none waits behind it
    for (let step = 40; step < 60; step++) {
      s.tui.show(busy(40, step));
      s.tui.flush();
    }
    expect(s.tui.frames).toBe(frames);
    s.output.release();
    await s.settle();
    expect(s.tui.frames).toBe(frames + 1);
    expect(s.line(0)).toContain('14:04:21');
  });

  test('requests within a frame interval are one frame', async () => {
    const s = open(80, 24);
    const before = s.tui.frames;
    s.clock.pass(1000);
    for (let i = 0; i < 50; i++) s.tui.apply({ type: 'command', command: i % 2 === 0 ? 'down' : 'units' });
    expect(s.tui.frames - before).toBe(1);
  });

  test('24-bit colours, 256, 16 and none', async () => {
    const title = async (colour: 'true' | '256' | '16' | 'none') => {
      const s = open(80, 24, { colour, theme: ourTheme('dusk') });
      await s.show(busy(40));
      const cell = s.cell(47, 0);
      const selected = s.cell(4, 7);
      s.close();
      return { fg: cell.fg, selected };
    };
    expect((await title('true')).fg).toBe(0x9fc7ff);
    expect((await title('256')).fg).toBe(153);
    expect((await title('16')).fg).toBeLessThan(16);
    const none = await title('none');
    expect(none.fg).toBe(-1);
    expect(none.selected).toMatchObject({ fg: -1, bg: -1, reverse: true, bold: true });
  });

  test('text that looks like a colour sequence is not translated', async () => {
    const s = open(80, 24);
    await s.show(snapshot({ apps: [appRow({ id: 'x', app: '38;5;17m8;5;20' })] }));
    expect(s.line(7)).toContain('38;5;17m8;5;20');
  });
});

describe('themes', () => {
  test('are previewed, taken back and picked', async () => {
    const s = open(80, 24, { themes });
    await s.show(busy(40));
    const before = s.cell(47, 0).fg;
    const at = themes.names().indexOf('netmon');
    await s.press('T', 'k', 'k');
    expect(s.tui.state.theme).toBe(themes.names()[at - 2]);
    await s.press('\x1b');
    expect(s.cell(47, 0).fg).toBe(before);
    await s.press('T', 'g', '\r');
    expect(s.tui.state.theme).toBe('contrast');
    expect(s.effects).toEqual([]);
    expect(s.cell(47, 0).fg).not.toBe(before);
    expect(s.cell(0, 23).bg).toBe(16); // black of the cube
  });

  test('every theme of ours is read without complaint and shows the chosen row', async () => {
    expect(themes.names()).toEqual(['contrast', 'dusk', 'light', 'mono', 'netmon']);
    for (const name of themes.names()) {
      const theme = themes.load(name);
      expect(theme.problems).toEqual([]);
      const s = open(80, 24, { theme });
      await s.show(busy(40));
      const chosen = s.cell(4, 7);
      const other = s.cell(4, 8);
      expect(chosen.reverse || chosen.bg !== other.bg).toBe(true);
      s.close();
    }
  });
});

describe('a filter', () => {
  afterEach(() => void vi.useRealTimers());

  test('that nobody matches is applied once typing pauses, and only then', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    vi.useFakeTimers();
    const type = (text: string) => {
      for (const char of text) s.tui.apply({ type: 'edit', edit: 'insert', text: char });
    };
    const wait = (ms: number) => {
      s.clock.pass(ms);
      vi.advanceTimersByTime(ms);
    };
    s.tui.apply({ type: 'command', command: 'filter' });
    type('app:qqq');
    wait(PAUSE_MS - 10);
    type('q');
    wait(PAUSE_MS - 10);
    expect(s.effects).toEqual([]);
    wait(20);
    expect(s.effects).toMatchObject([{ type: 'match', filter: { text: 'app:qqqq' } }]);
  });
});

describe('keys', () => {
  test('Enter opens once, Escape closes, q quits from anywhere', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    await s.press('\r');
    expect(s.tui.state.popup).toMatchObject({ kind: 'details' });
    await s.press('\x1b', '?', 'q');
    const quits = () => s.effects.filter(({ type }) => type === 'quit').length;
    expect(s.effects).toEqual([{ type: 'quit' }]);
    await s.press('\x1b', '/', 'q');
    expect(quits()).toBe(1);
    await s.press('\x03');
    expect(quits()).toBe(2);
  });

  test('the row is copied sanitised, and by OSC 52 if asked to', async () => {
    const s = open(80, 24);
    await s.show(snapshot({ apps: [appRow({ id: 'x', app: 'a\x1b]0;b\x07c' })] }));
    await s.press('y');
    const text = 'a]0;bc\t\t1000\tann\t1\t';
    expect(s.effects).toEqual([{ type: 'copy', text: expect.stringContaining(text) }]);
    s.tui.copyToTerminal('ü\t1');
    const sent = /\x1b\]52;c;([^\x07]*)\x07/.exec(s.output.log);
    expect(Buffer.from(sent?.[1] ?? '', 'base64').toString()).toBe('ü\t1');
  });

  test('an effect from before the screen listens waits for it', () => {
    const s = open(80, 24, {}, false);
    s.tui.apply({ type: 'command', command: 'quit' });
    expect(s.effects).toEqual([]);
    s.listen();
    expect(s.effects).toEqual([{ type: 'quit' }]);
  });

  test('a share captured that can not be known is called so, and the reason is a key away', async () => {
    const s = open(120, 60);
    const { capture } = snapshot();
    const countedNote = 'en0: the receive counter stands still while packets arrive';
    await s.show(snapshot({ capture: { ...capture, countedInterfaceBytes: null, countedNote } }));
    expect(s.line(1)).toContain('not captured unknown');
    await s.press('c');
    expect(s.text()).toContain('unknown: en0: the receive counter stands still');
  });

  test('a view without packets does not wait for any', async () => {
    const s = open(80, 24);
    const { capture } = snapshot();
    await s.show(snapshot({ capture: { ...capture, driver: 'nettop', packets: null, frameBytes: null } }));
    expect(s.text()).toContain('no socket has moved anything yet');
    expect(s.text()).not.toContain('waiting for the first packets');
  });

  test('redraw writes everything again', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    s.terminal.write('\x1b[2Jgarbage');
    await s.press('\x0c');
    expect(s.text()).not.toContain('garbage');
    expect(s.line(0)).toContain('libpcap');
  });

  test('mouse: click selects, sorts and changes the view, wheel scrolls; modes 1000, 1002, 1006 only', async () => {
    const s = open(80, 24, { mouse: true });
    await s.show(busy(40));
    expect([...s.output.log.matchAll(/\x1b\[\?(1\d\d\d)h/g)].map((match) => match[1]).filter((mode) => mode !== '1049')).toEqual([
      '1000',
      '1002',
      '1006',
    ]);
    await s.press('\x1b[<0;5;16M');
    expect(s.tui.state.pane).toBe('connections');
    expect(s.tui.state.tables.connections.index).toBe(1);
    await s.press('\x1b[<65;5;16M');
    expect(s.tui.state.tables.connections.top).toBe(3);
    await s.press('\x1b[<0;4;14M');
    expect(s.tui.state.tables.connections.sort).toEqual({ column: 'app', descending: false });
    await s.press('\x1b[<0;26;3M');
    expect(s.tui.state.view).toBe('hosts');
    await s.press('?', '\x1b[<0;2;3M');
    expect(s.tui.state).toMatchObject({ view: 'overview', popup: null });
    s.close();
    expect(s.output.log).toMatch(/\x1b\[\?1000l.*\x1b\[\?1002l.*\x1b\[\?1006l/s);
  });
});

describe('input that no hand types', () => {
  test('a paste goes into the filter that is typed, as one line, and nowhere else', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    await s.press('\x1b[200~q\x1b[201~');
    expect(s.effects).toEqual([]);
    await s.press('/', '\x1b[200~app:curl\r\n\x1b[31mor q\x1b[201~');
    expect(s.tui.state.filter.text).toBe('app:curl [31mor q');
    await s.press('\x1b[200~'.concat('y'.repeat(100_000), '\x1b[201~'));
    expect(s.tui.state.filter.text).toBe('app:curl [31mor q');
    s.close();
    expect(s.output.log).toMatch(/\x1b\[\?2004h.*\x1b\[\?2004l/s);
  });

  test('a terminal of millions of cells has some of them drawn', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    s.output.columns = 5000;
    s.output.rows = 5000;
    s.output.emit('resize');
    while (s.tui.state.size.columns === 80) await new Promise((done) => setTimeout(done, 5));
    await s.settle();
    expect([s.tui.state.size.columns, s.tui.state.size.rows]).toEqual([640, 270]);
    await s.resize(80, 24);
    expect([s.tui.state.size.columns, s.tui.state.size.rows]).toEqual([80, 24]);
  });
});

describe('the terminal is given back', () => {
  const restored = (log: string) => {
    expect(log.lastIndexOf('\x1b[?1049l')).toBeGreaterThan(log.lastIndexOf('\x1b[?1049h'));
    expect(log.lastIndexOf('\x1b[?25h')).toBeGreaterThan(log.lastIndexOf('\x1b[?25l'));
    expect(log.lastIndexOf('\x1b[?1l')).toBeGreaterThan(log.lastIndexOf('\x1b[?1h'));
  };

  test('by close, twice', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    expect(s.input.isRaw).toBe(true);
    expect(s.terminal.buffer.active.type).toBe('alternate');
    s.close();
    s.close();
    await s.settle();
    restored(s.output.log);
    expect(s.input.isRaw).toBe(false);
    expect(s.terminal.buffer.active.type).toBe('normal');
    const bytes = s.output.bytes;
    s.tui.show(busy(40, 3));
    s.tui.flush();
    await s.settle();
    expect(s.output.bytes).toBe(bytes);
  });

  test('by Ctrl+Z, and taken again when the process is continued', async () => {
    let stops = 0;
    const s = open(80, 24, {
      stopProcess: () => {
        stops++;
      },
    });
    await s.show(busy(40));
    await s.press('\x1a');
    expect(stops).toBe(1);
    restored(s.output.log);
    expect(s.input.isRaw).toBe(false);
    const bytes = s.output.bytes;
    await s.show(busy(40, 2));
    expect(s.output.bytes).toBe(bytes);
    process.emit('SIGCONT');
    await s.settle();
    expect(s.input.isRaw).toBe(true);
    expect(s.terminal.buffer.active.type).toBe('alternate');
    expect(s.line(0)).toContain('14:03:24');
    expect(process.listenerCount('SIGCONT')).toBe(0);
  });

  test('no listener is left behind', () => {
    const count = () =>
      ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGCONT', 'exit', 'uncaughtException'].map((name) => process.listenerCount(name));
    const before = count();
    const s = open(80, 24, { theme: ourTheme('mono') });
    expect(count().slice(0, 3)).toEqual(before.slice(0, 3));
    s.close();
    expect(count()).toEqual(before);
  });
});
