// Processes that are gone before anybody could look: each of them is named, and nearly all with their executable.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent } from '../support/traffic/agents.ts';
import { framesObstacle } from '../support/traffic/attached-programs.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage, work } from '../support/traffic/stage.ts';
import { TINY_PAYLOAD_BYTES, tinyElf, tinyFrameElf } from '../support/traffic/tiny-elf.ts';

const reason = sayObstacle('live test of short lives');
const COUNT = 200;
const HEADERS = 28;

describe.skipIf(reason !== null)('short lives, live', () => {
  let stage: Stage;
  let folder: string;

  beforeAll(async () => {
    stage = new Stage();
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-tiny-'));
    await stage.watch();
  });
  afterAll(async () => {
    await stage?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /**
   * How many of a program's processes are named, and how many with its path: by flows, or by packets where each sends one. Of 200 processes
   * two may well be given the same port, and within one reading nothing parts the two datagrams.
   */
  async function named(
    name: string,
    exe: string,
    by: 'flows' | 'tx_packets',
  ): Promise<{ named: number; pathKnown: number; bytes: number }> {
    const rows = () => stage.watcher.last?.apps.filter((row) => row.exe === exe || (row.exe === null && row.app === name)) ?? [];
    const flows = (known: boolean) => rows().reduce((sum, row) => sum + (known && row.exe === null ? 0 : row[by]), 0);
    await stage.watcher.until(() => flows(false) >= COUNT);
    return { named: flows(false), pathKnown: flows(true), bytes: rows().reduce((sum, row) => sum + row.tx_bytes, 0) };
  }

  async function runMany(command: string[]): Promise<void> {
    const runner = await stage.near('run-many', { command, count: COUNT });
    expect((await work(runner))[0]?.messages, `${command[0]} ran`).toBe(COUNT);
    await runner.leave();
  }

  async function listener(kind: string, how: object): Promise<Agent> {
    const agent = await stage.far(kind, how);
    agent.go();
    return agent;
  }

  it(`${COUNT} processes of a fraction of a millisecond`, async () => {
    const { far } = stage.ground;
    const there = await listener('udp-receive', { on: far.v4, port: 0, count: COUNT, patienceMs: 10_000 });
    const exe = join(folder, 'tiny-life');
    writeFileSync(exe, tinyElf(process.arch === 'arm64' ? 'arm64' : 'x64', far.v4, there.ready.port ?? 0), { mode: 0o755 });
    await runMany([exe]);
    expect((await there.done).messages).toBe(COUNT);
    const seen = await named('tiny-life', exe, 'tx_packets');
    console.log(`tiny: ${seen.named} of ${COUNT} named, ${seen.pathKnown} with path`);
    expect(seen.named).toBe(COUNT);
    expect(seen.bytes).toBe(COUNT * (HEADERS + TINY_PAYLOAD_BYTES));
    expect(seen.pathKnown).toBeGreaterThanOrEqual(170);
    await there.leave();
  });

  it(`${COUNT} processes of a fraction of a millisecond that send past the IP layer`, async (context) => {
    const missing = framesObstacle();
    if (missing !== '') return context.skip(`nothing tells of frames: ${missing}`);
    const { near, far, device } = stage.ground;
    const index = Number(spawnSync('ip', ['netns', 'exec', near.namespace, 'cat', `/sys/class/net/${device}/ifindex`]).stdout);
    const exe = join(folder, 'tiny-frame');
    const code = tinyFrameElf(process.arch === 'arm64' ? 'arm64' : 'x64', index, far.card, [near.v4, far.v4], 4444);
    writeFileSync(exe, code, { mode: 0o755 });
    await runMany([exe]);
    const seen = await named('tiny-frame', exe, 'tx_packets');
    console.log(`frames: ${seen.named} of ${COUNT} named, ${seen.pathKnown} with path`);
    expect(seen.named).toBe(COUNT);
    expect(seen.bytes).toBe(COUNT * (HEADERS + TINY_PAYLOAD_BYTES));
    expect(seen.pathKnown).toBeGreaterThanOrEqual(170);
  });

  it(`${COUNT} curl`, async (context) => {
    const found = spawnSync('sh', ['-c', 'command -v curl'], { encoding: 'utf8' }).stdout.trim();
    if (found === '') return context.skip('there is no curl');
    const { far } = stage.ground;
    const server = await listener('http', { on: far.v4 });
    await runMany([found, '-s', `http://${far.v4}:${server.ready.port}/`]);
    const seen = await named('curl', realpathSync(found), 'flows');
    console.log(`curl: ${seen.named} of ${COUNT} named, ${seen.pathKnown} with path`);
    expect(seen.named).toBe(COUNT);
    expect(seen.pathKnown).toBeGreaterThanOrEqual(195);
    await server.leave();
  });
});
