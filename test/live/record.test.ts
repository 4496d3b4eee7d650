// Recording without a screen and the commands on what it recorded, by the program itself in network namespaces.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair } from '../support/netns.ts';

const reason = netnsObstacle('curl');
const BODY = 1_000_000;
const SERVER = `
const body = Buffer.alloc(${BODY}, 120);
require('node:http').createServer((_, response) => response.end(body)).listen(80, '10.99.0.2', () => console.log('ready'));
`;

describe('record', () => {
  const program = inject('program');
  const folder = mkdtempSync(join(tmpdir(), 'netmon-record-'));
  const path = join(folder, 'data', 'history.sqlite');

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function netmon(...words: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program.bin, ...words, `--history=${path}`], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { status, stdout, stderr };
  }

  it('records, is seen while it runs, saves on signals; then all commands work on the file', async ({ skip, onTestFinished }) => {
    if (reason !== null) skip(`record: ${reason}`);
    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));

    const recorder = pair.start(pair.near, process.execPath, [
      program.bin,
      'record',
      '-i',
      'va',
      '--interval',
      '200ms',
      `--history=${path}`,
    ]);
    let said = '';
    const ended = new Promise<number | null>((resolve) => recorder.on('close', resolve));
    recorder.stderr.on('data', (chunk) => {
      said += chunk;
    });
    await until(
      () => said.includes('\n'),
      () => said,
    );
    expect(said).toMatch(new RegExp(`^netmon-tui: recording va, driver \\w+, owners by \\w+, into ${path}\n`));
    execFileSync('ip', [
      'netns',
      'exec',
      pair.near,
      'curl',
      '-s',
      '--limit-rate',
      '1M',
      '-o',
      '/dev/null',
      '-H',
      'Host: files.example.com',
      'http://10.99.0.2/',
    ]);

    const asked = () =>
      JSON.parse(netmon('history', '--json', '--by', 'domain').stdout || '{}') as {
        rows?: { domain: string; rx_bytes: number }[];
      };
    await until(
      () => (asked().rows ?? []).some(({ domain, rx_bytes }) => domain === 'example.com' && rx_bytes > BODY),
      () => JSON.stringify(asked()),
    );
    const refused = netmon('prune', '--app', 'curl', '--yes');
    expect([refused.status, refused.stderr]).toEqual([7, expect.stringContaining('another netmon-tui (pid ')]);
    expect(existsSync(path)).toBe(false);
    const second = netmon('record', '-i', 'lo', '--duration', '1s');
    expect(second.stderr).toContain('netmon-tui: history, busy: another netmon-tui records');

    process.kill(recorder.pid as number, 'SIGUSR1');
    await until(
      () => existsSync(path),
      () => said,
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    process.kill(recorder.pid as number, 'SIGTERM');
    expect(await ended).toBe(143);
    expect(said.split('\n')).toHaveLength(2);
    expect(readdirSync(join(folder, 'data')).sort()).toEqual(['history.sqlite', 'history.sqlite.lock']);

    const byApp = JSON.parse(netmon('history', '--json').stdout) as {
      rows: { app: string; rx_bytes: number; flows: number }[];
      total: { rx_bytes: number };
    };
    expect(byApp.rows[0]).toMatchObject({ app: 'curl', flows: 1 });
    const total = netmon('query', "SELECT SUM(packet_size) AS bytes FROM connections WHERE direction = 'inbound'", '--csv');
    expect(total.stdout).toBe(`bytes\r\n${byApp.total.rx_bytes}\r\n`);
    expect(netmon('query', 'DELETE FROM minute').status).toBe(2);
    expect(netmon('query', 'SELEC').status).toBe(2);
    expect(netmon('export', '--flows', '--format', 'json').stdout).toContain('"host":"files.example.com"');
    expect(netmon('export').stdout).toMatch(/^time,span_ms,app,/);
    expect(netmon('prune', '--app', 'curl', '--yes').status).toBe(0);
    expect(netmon('query', "SELECT COUNT(*) AS n FROM connections WHERE app_name = 'curl'", '--csv').stdout).toBe('n\r\n0\r\n');
  }, 120_000);
});

async function until(done: () => boolean, what: () => string): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (done()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain: ${what()}`);
}
