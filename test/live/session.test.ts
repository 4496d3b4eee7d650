// `--session PID`: what a process that runs already moves from now on, with all that it starts, and nothing of anybody else.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { faults, receiptSchema } from '../support/schemas.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage } from '../support/traffic/stage.ts';
import { TINY_PAYLOAD_BYTES, tinyElf } from '../support/traffic/tiny-elf.ts';

const reason = sayObstacle('live test of --session');
const HEADERS = 28;

describe.skipIf(reason !== null)('a session that runs already', () => {
  let stage: Stage;
  let folder: string;

  beforeAll(() => {
    stage = new Stage();
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-session-'));
  });
  afterAll(async () => {
    await stage?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** A shell in the near namespace that does what it is told by its input. */
  function shell() {
    const child = spawn('ip', ['netns', 'exec', stage.ground.near.namespace, 'sh'], { stdio: ['pipe', 'pipe', 'ignore'] });
    return { pid: child.pid as number, tell: (words: string) => child.stdin.write(`${words}\n`), end: () => child.stdin.end() };
  }

  /** Follows a process. `ready` resolves once it does. */
  function follow(pid: number, name: string) {
    const [path, log] = [join(folder, `${name}.json`), join(folder, `${name}.log`)];
    const words = [inject('program').bin, '--session', String(pid), '--receipt', path, '--log', log, '--stay-root'];
    const child = spawn('ip', ['netns', 'exec', stage.ground.near.namespace, process.execPath, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<{ status: number | null; receipt: Record<string, unknown> }>((resolve) => {
      child.once('close', (status) => resolve({ status, receipt: JSON.parse(readFileSync(path, 'utf8')) }));
    });
    return { child, ended };
  }

  it('counts what its children send from now on, those that ran already and those of a moment too, to the end of the last', async () => {
    const there = await stage.far('udp-receive', { on: stage.ground.far.v4, port: 0, count: 25, patienceMs: 20_000 });
    there.go();
    const elf = tinyElf(process.arch === 'arm64' ? 'arm64' : 'x64', stage.ground.far.v4, there.ready.port ?? 0);
    const [own, other] = ['own-life', 'other-life'].map((name) => {
      const exe = join(folder, name);
      writeFileSync(exe, elf, { mode: 0o755 });
      return exe;
    });
    const [session, stranger] = [shell(), shell()];
    session.tell(`(sleep 6; ${own}) &`); // it runs before anybody follows
    const { ended } = follow(session.pid, 'whole');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    session.tell(`i=0; while [ $i -lt 20 ]; do ${own}; i=$((i + 1)); done; (setsid sh -c 'sleep 4; ${own}' &)`);
    stranger.tell(`${other}; ${other}; ${other}`);
    session.end();
    stranger.end();
    const { status, receipt } = await ended;
    expect(faults(receipt, receiptSchema())).toEqual([]);
    const rows = receipt['destinations'] as { app: string; tx_packets: number; tx_bytes: number }[];
    expect([...new Set(rows.map(({ app }) => app))]).toEqual(['own-life']);
    expect(rows.reduce((sum, { tx_packets }) => sum + tx_packets, 0)).toBe(22);
    expect(rows.reduce((sum, { tx_bytes }) => sum + tx_bytes, 0)).toBe(22 * (HEADERS + TINY_PAYLOAD_BYTES));
    expect([status, receipt['session'], receipt['status'], receipt['processes_left']]).toEqual([0, session.pid, null, 0]);
    expect((await there.done).messages).toBe(25);
    await there.leave();
  });

  it('ends by a signal with its receipt, and leaves the process alone', async () => {
    const session = shell();
    const { child, ended } = follow(session.pid, 'signal');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    child.kill('SIGINT');
    const { status, receipt } = await ended;
    expect([status, receipt['session'], receipt['processes_left']]).toEqual([0, session.pid, 1]);
    expect(process.kill(session.pid, 0)).toBe(true);
    session.end();
  });
});
