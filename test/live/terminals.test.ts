// The screen on real pseudo-terminals: every TERM that people have, slow and stuck lines, resizes, signals. It replays a file, so that it needs no rights.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { ASK_DRAWN } from '../../src/tui/answers.ts';
import { writeHostsCapture } from '../support/hosts-capture.ts';
import { Pty, type PtyOptions, ptyObstacle } from '../support/pty.ts';

const reason = ptyObstacle();
/** The program that is tested lies elsewhere than its themes. */
const THEME = fileURLToPath(new URL('../../themes/dusk.theme', import.meta.url));

/** Time for a test on a line of 9600 baud. */
const SLOW_MS = 120_000;
/** Time that a slow terminal takes for a frame: ten frames of a program that doesn't wait for it. */
const DRAWS_MS = 1000;
/** The cursor goes back to where it was. DECRC. */
const END_OF_FRAME = '\x1b8';

let folder: string;
let capture: string;
const program = inject('program');
let pty: Pty | null = null;

beforeAll(() => {
  if (reason !== null) return;
  folder = mkdtempSync(join(tmpdir(), 'netmon-terminals-'));
  capture = join(folder, 'capture.pcap');
  writeHostsCapture(capture);
});
afterAll(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});
beforeEach(({ skip }) => {
  if (reason !== null) skip(`terminals: ${reason}`);
});
afterEach(async () => {
  await pty?.end();
  pty = null;
});

/** Nothing of the terminal in which the tests run, and nothing of the user's. */
const BARE = {
  TMUX: undefined,
  STY: undefined,
  COLORTERM: undefined,
  NO_COLOR: undefined,
  LC_ALL: undefined,
  LC_CTYPE: undefined,
  SSH_CONNECTION: undefined,
  TZ: 'UTC',
};

function open(env: PtyOptions['env'], options: Partial<PtyOptions> = {}, ...words: string[]): Pty {
  const isolated = { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, XDG_DATA_HOME: folder };
  const all = { ...BARE, LANG: 'C.UTF-8', ...isolated, ...env };
  pty = new Pty([process.execPath, program.bin, '-r', capture, '--theme', THEME, ...words], {
    columns: 80,
    rows: 24,
    ...options,
    env: all,
  });
  return pty;
}

/** Waits for rows in the tables. */
async function shown(terminal: Pty): Promise<void> {
  await terminal.until(() => terminal.text.includes('198.51.100.'), 'rows');
}

/** The first line of the first pane: header, tabs and perhaps a note stand above it. */
function topOf({ lines }: Pty): number {
  return lines.findIndex((line) => /^[┌+]/.test(line));
}

/** Colours that were sent: the first parameter of each, 38;2, 38;5 or one of the sixteen. */
function coloursOf(log: string): string {
  const kinds = new Set<string>();
  for (const [, parameters = ''] of log.matchAll(/\x1b\[([\d;]*)m/g)) {
    if (/[34]8;2;/.test(parameters)) kinds.add('true');
    else if (/[34]8;5;/.test(parameters)) kinds.add('256');
    else if (/(?:^|;)(?:[349][0-7]|10[0-7])(?:;|$)/.test(parameters)) kinds.add('16');
  }
  return kinds.has('true') ? 'true' : kinds.has('256') ? '256' : kinds.has('16') ? '16' : 'none';
}

describe('every TERM', () => {
  it.each([
    ['xterm-256color', {}, '256', 'braille'],
    ['xterm-256color', { COLORTERM: 'truecolor' }, 'true', 'braille'],
    ['xterm', {}, '16', 'braille'],
    ['screen', {}, '16', 'braille'],
    ['screen-256color', {}, '256', 'braille'],
    ['tmux', {}, '16', 'braille'],
    ['tmux-256color', {}, '256', 'braille'],
    ['linux', {}, '16', 'console'],
    ['vt100', {}, 'none', 'ascii'],
    ['xterm-kitty', {}, '256', 'braille'],
    ['xterm-kitty', { COLORTERM: 'truecolor' }, 'true', 'braille'],
    ['alacritty', {}, '256', 'braille'],
    ['xterm-ghostty', { COLORTERM: 'truecolor' }, 'true', 'braille'],
    ['no-such-terminal', {}, '16', 'braille'],
    ['xterm-256color', { NO_COLOR: '1' }, 'none', 'braille'],
    ['xterm-256color', { LANG: undefined }, '256', 'braille'],
    ['xterm-256color', { LANG: 'C' }, '256', 'braille'],
    ['xterm-256color', { LC_ALL: 'en_US.ISO-8859-1' }, '256', 'ascii'],
  ] as const)('%s %j', async (TERM, env, colours, drawing) => {
    const terminal = open({ TERM, ...env }, { columns: 120, rows: 40 });
    await shown(terminal);
    await terminal.until(() => /peak/.test(terminal.text), 'a chart');
    expect(terminal.isTaken).toBe(true);
    expect(coloursOf(terminal.log)).toBe(colours);
    const signs = /[⠁-⣿]/.test(terminal.text) ? 'braille' : /[─│▄█▼]/.test(terminal.text) ? 'console' : 'ascii';
    expect(signs).toBe(drawing);
    if (drawing === 'ascii') expect(terminal.text).toMatch(/^[\n\x20-\x7e]*$/);
    // No frame is torn: each line of a pane ends where the screen does.
    for (const line of terminal.lines.slice(topOf(terminal), 39)) expect(line).toMatch(/[│┐┘|+]$/);
    terminal.type('q');
    expect(await terminal.status).toBe(0);
    expect(terminal.isTaken).toBe(false);
  });

  it('vt100 is sent nothing that it does not know', async () => {
    const terminal = open({ TERM: 'vt100' });
    await shown(terminal);
    terminal.type('jjs?');
    await terminal.until(() => terminal.text.includes('Esc closes'), 'the help');
    const drawn = terminal.log.slice(terminal.log.indexOf('198.51.100.'));
    const sequences = [...drawn.matchAll(/\x1b(\[[?>]?[\d;]*[ -/]*[@-~]|[()].|.)/g)].map(([, sequence = '']) => sequence);
    const kinds = new Set(sequences.map((sequence) => sequence.replace(/^\[[\d;]*/, '[')));
    expect([...kinds].filter((kind) => !['[H', '[C', '[m', '[K', '[J', '7', '8'].includes(kind))).toEqual([]);
    for (const sequence of sequences) if (sequence.endsWith('m')) expect(sequence).toMatch(/^\[(?:[01457](?:;[01457])*)?m$/);
  });

  it('dumb is refused, with what to type', async () => {
    const terminal = open({ TERM: 'dumb' });
    expect(await terminal.status).toBe(6);
    expect(terminal.text).toMatch(/TERM=dumb[\s\S]*--once/);
  });
});

describe('sizes', () => {
  it('20x5 says what it needs, 400x120 fills, and back', async () => {
    const terminal = open({ TERM: 'xterm-256color' }, { columns: 20, rows: 5 });
    await terminal.until(() => terminal.text.includes('too small'), 'a sentence');
    terminal.resize(400, 120);
    await shown(terminal);
    await terminal.until(() => (terminal.lines[119] ?? '').includes('quit'), 'the footer in the last line');
    for (const line of terminal.lines.slice(2, 119)) expect(line).toHaveLength(400);
    terminal.resize(20, 5);
    await terminal.until(() => terminal.text.includes('too small') && !terminal.text.includes('│'), 'the sentence again');
    terminal.type('q');
    expect(await terminal.status).toBe(0);
  });

  it('after a storm of resizes the screen is right', async () => {
    const terminal = open({ TERM: 'xterm-256color' });
    await shown(terminal);
    terminal.type('g'); // the first key takes a warning about root away, and a line with it
    for (let i = 0; i < 60; i++) {
      terminal.resize(40 + ((i * 37) % 160), 10 + ((i * 13) % 50));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    terminal.resize(100, 30);
    const isRight = () =>
      terminal.lines.slice(2, 9).every((line) => line.length === 100) &&
      (terminal.lines[3] ?? '').startsWith('┌─ Traffic') &&
      (terminal.lines[29] ?? '').includes('quit');
    await terminal.until(isRight, 'a whole frame of 100x30');
    const frames = () => terminal.lines.slice(10, 29).map((line) => line.replace(/[^┌┐└┘│─]/g, ' '));
    const before = frames();
    const told = terminal.log.length;
    terminal.type('\x0c'); // draws all of it anew: nothing may have been left over
    await terminal.until(() => terminal.log.length - told > 100 * 30 && isRight(), 'another whole frame');
    expect(frames()).toEqual(before);
  });
});

describe('lines that are slow or stuck', () => {
  it(
    '9600 baud: keys come through, and what is late is left out',
    async () => {
      const terminal = open({ TERM: 'xterm-256color' }, { speed: 960 });
      await terminal.until(() => terminal.text.includes('quit'), 'the first frame');
      for (const key of ['3', '4', '2', '?']) terminal.type(key);
      await terminal.until(() => terminal.text.includes('In this view') && terminal.text.includes('Esc closes'), 'the help');
      terminal.type('\x1b');
      await terminal.until(() => !terminal.text.includes('Esc closes'), 'the apps');
      terminal.type('q');
      expect(await terminal.status).toBe(0);
      expect(terminal.isTaken).toBe(false);
    },
    SLOW_MS,
  );

  it('a terminal that draws slowly has one frame under way: the next one shows what a key did, and no answer is left behind', async () => {
    const terminal = open({ TERM: 'xterm-256color' }, {}, '--interval', '100ms', '--speed', '20');
    // Bytes are taken at once, as a network takes them. Only an answer tells that they are drawn, and the test gives it.
    let questions = 0;
    let answer = '';
    terminal.terminal.onData((text) => {
      questions++;
      answer = text;
    });
    let seen = 0;
    const asked = async () => {
      await terminal.until(() => questions > seen, `question ${seen + 1}`);
      seen = questions;
    };
    const draw = async (isKnown: boolean) => {
      await new Promise((resolve) => setTimeout(resolve, DRAWS_MS));
      const before = terminal.log.length;
      if (isKnown) expect(terminal.log.endsWith(ASK_DRAWN), 'nothing is sent while a frame is drawn').toBe(true);
      terminal.type(answer);
      await asked();
      if (isKnown) expect(terminal.log.slice(before).split(END_OF_FRAME).length - 1, 'frames for an answer').toBe(1);
    };
    // Two answers at once, before the first frame and behind it, say how long the way is. The third says that it is a slow one.
    await asked();
    terminal.type(answer);
    await asked();
    terminal.type(answer);
    await asked();
    await draw(false);
    const isShown = () => terminal.text.includes('Esc closes');
    for (const [key, isOpen] of [
      ['?', true],
      ['\x1b', false],
    ] as const) {
      terminal.type(key);
      await draw(true);
      if (isShown() !== isOpen) await draw(true); // a key that is read together with an answer comes after it
      expect(isShown(), terminal.text).toBe(isOpen);
    }
    terminal.type('q');
    await new Promise((resolve) => setTimeout(resolve, DRAWS_MS));
    expect(terminal.isTaken, 'it waits for the answer').toBe(true);
    terminal.type(answer);
    expect(await terminal.status).toBe(0);
    expect(terminal.isTaken).toBe(false);
    expect(terminal.text).not.toMatch(/\[0n|\^\[/);
  });

  it('a stuck terminal does not stop the clock, and shows what is true when it moves again', async () => {
    const terminal = open({ TERM: 'xterm-256color' }, {}, '--interval', '100ms');
    await shown(terminal);
    const clock = () => /(\d\d):(\d\d):(\d\d)\s*$/.exec(terminal.lines[0] ?? '')?.[0].trim() ?? '';
    const seconds = (text: string) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    const before = seconds(clock());
    terminal.stall();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    terminal.flow();
    await terminal.until(() => seconds(clock()) >= before + 4, 'the time that passed');
  });

  it('a hang-up ends it', async () => {
    const terminal = open({ TERM: 'xterm-256color' });
    await shown(terminal);
    terminal.signal('SIGHUP');
    expect(await terminal.status).toBe(129);
    expect(terminal.isTaken).toBe(false);
  });

  it('a stuck terminal does not hold a hang-up or a termination back', async () => {
    const terminal = open({ TERM: 'xterm-256color' }, {}, '--interval', '100ms');
    await shown(terminal);
    terminal.stall();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    terminal.signal('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 500));
    terminal.flow();
    expect(await terminal.status).toBe(143);
    expect(terminal.isTaken).toBe(false);
  });
});

describe('leaving for a while', () => {
  it('suspends and comes back whole', async () => {
    const terminal = open({ TERM: 'xterm-256color' });
    await shown(terminal);
    terminal.type('\x1a');
    // Nothing continues a program that has no shell above it but itself.
    await terminal.until(() => /\x1b\[\?1049l[\s\S]*\x1b\[\?1049h/.test(terminal.log), 'leaving and coming back');
    await shown(terminal);
    expect(terminal.isTaken).toBe(true);
    terminal.type('q');
    expect(await terminal.status).toBe(0);
  });

  it('stops under a shell, and a continue brings all of it back', async () => {
    const env = { ...BARE, TERM: 'xterm-256color', LANG: 'C.UTF-8', XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, PS1: '$ ' };
    const terminal = new Pty(['bash', '--norc', '--noprofile', '-i'], { columns: 80, rows: 24, env });
    pty = terminal;
    terminal.type(`${process.execPath} ${program.bin} -r ${capture} --theme ${THEME}\r`);
    await shown(terminal);
    terminal.type('\x1a');
    await terminal.until(() => !terminal.isTaken && terminal.text.includes('Stopped'), 'the shell');
    terminal.type('fg\r');
    await terminal.until(() => terminal.isTaken && (terminal.lines[23] ?? '').includes('quit'), 'the screen');
    await shown(terminal);
    terminal.type('q');
    await terminal.until(() => !terminal.isTaken, 'the shell again');
    terminal.type('echo ended $?\r');
    await terminal.until(() => terminal.text.includes('ended 0'), 'the end');
  });
});

describe('inside of multiplexers', () => {
  const tmux = (...words: string[]) =>
    spawnSync('tmux', ['-L', `netmon-test-${process.pid}`, '-f', '/dev/null', ...words], { encoding: 'utf8' });

  it('is whole in tmux, and in tmux in tmux', async ({ skip }) => {
    try {
      execFileSync('tmux', ['-V'], { stdio: 'ignore' });
    } catch {
      skip('terminals: tmux is not installed');
    }
    const inner = `${process.execPath} ${program.bin} -r ${capture} --theme ${THEME}`;
    try {
      for (const command of [inner, `env -u TMUX tmux -L netmon-test-${process.pid}-inner -f /dev/null new-session '${inner}'`]) {
        tmux('kill-server');
        tmux('new-session', '-d', '-x', '100', '-y', '30', command);
        const capturePane = () => tmux('capture-pane', '-p').stdout.split('\n');
        const begun = Date.now();
        let lines = capturePane();
        while (!lines.some((line) => line.includes('198.51.100.')) && Date.now() - begun < 20_000) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          lines = capturePane();
        }
        expect(lines.filter((line) => line.includes('198.51.100.')).length).toBeGreaterThan(3);
        const panes = lines.filter((line) => /^[│┌└]/.test(line));
        expect(panes.length).toBeGreaterThan(20);
        for (const line of panes) expect(line).toHaveLength(100);
        tmux('send-keys', 'q');
      }
    } finally {
      tmux('kill-server');
      spawnSync('tmux', ['-L', `netmon-test-${process.pid}-inner`, 'kill-server']);
    }
  });
});
