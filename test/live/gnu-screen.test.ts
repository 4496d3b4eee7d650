// The screen inside of GNU screen: whole at two sizes, after a resize, after it was left and taken up again, and gone at the end.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { writeHostsCapture } from '../support/hosts-capture.ts';
import { Pty, ptyObstacle } from '../support/pty.ts';

const NAME = `netmon-test-${process.pid}`;
/** The program that is tested lies elsewhere than its themes. */
const THEME = fileURLToPath(new URL('../../themes/dusk.theme', import.meta.url));

let folder: string | null = null;
let env: Record<string, string | undefined>;
let pty: Pty | null = null;

beforeEach(({ skip }) => {
  const reason = ptyObstacle() ?? screenObstacle();
  if (reason !== null) skip(`terminals: ${reason}`);
  folder = mkdtempSync(join(tmpdir(), 'netmon-screen-'));
  mkdirSync(join(folder, 'sockets'), { mode: 0o700 });
  env = {
    SCREENDIR: join(folder, 'sockets'),
    XDG_CONFIG_HOME: folder,
    XDG_STATE_HOME: folder,
    XDG_DATA_HOME: folder,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    LC_ALL: undefined,
    LC_CTYPE: undefined,
    TMUX: undefined,
    STY: undefined,
    COLORTERM: undefined,
    NO_COLOR: undefined,
    SSH_CONNECTION: undefined,
    TZ: 'UTC',
  };
});
afterEach(async () => {
  if (folder === null) return;
  screen('-S', NAME, '-X', 'quit');
  await pty?.end();
  pty = null;
  rmSync(folder, { recursive: true, force: true });
});

function screenObstacle(): string | null {
  try {
    execFileSync('screen', ['--version'], { stdio: 'ignore' });
    return null;
  } catch (thrown) {
    // 4.x ends with status 1 after it told its version.
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'GNU screen is not installed' : null;
  }
}

function screen(...words: string[]): string {
  return spawnSync('screen', words, { env: { ...process.env, ...env } as NodeJS.ProcessEnv, encoding: 'utf8' }).stdout;
}

function terminal(columns: number, rows: number, ...words: string[]): Pty {
  const made = new Pty(['screen', ...words], { columns, rows, env });
  made.terminal.onData((answer) => made.type(answer));
  pty = made;
  return made;
}

/** Waits until all rows of panes end where the screen does, and some tell of hosts. */
async function whole(made: Pty, columns: number, least: number): Promise<void> {
  const panes = () => made.lines.filter((line) => /^[│┌└]/.test(line));
  const isWhole = () => panes().length >= least && panes().every((line) => line.length === columns);
  await made.until(() => isWhole() && made.lines.filter((line) => line.includes('198.51.100.')).length > 3, `${columns} columns`);
}

it('is whole, resized, left and taken up again, and ends', async () => {
  const program = inject('program');
  const capture = join(folder as string, 'capture.pcap');
  writeHostsCapture(capture);
  const command = [process.execPath, program.bin, '-r', capture, '--theme', THEME];
  const first = terminal(80, 24, '-c', '/dev/null', '-U', '-T', 'screen', '-S', NAME, ...command);
  await whole(first, 80, 18);
  // Neither question is drawn, and no answer is a key: the first view stays.
  expect(first.text).not.toMatch(/\]11;|\[5n|\[0n|rgb:/);
  expect(first.text).toMatch(/Apps \d+/);
  first.resize(120, 40);
  await whole(first, 120, 34);
  screen('-S', NAME, '-d');
  expect(await first.status).toBe(0);
  const second = terminal(100, 30, '-c', '/dev/null', '-U', '-r', NAME);
  await whole(second, 100, 24);
  second.type('?');
  await second.until(() => second.text.includes('Esc closes'), 'the help');
  second.type('q');
  expect(await second.status).toBe(0);
  expect(screen('-ls')).not.toContain(NAME);
}, 120_000);
