// Exports as they run: recorder, sender and engine are killed again and again, the engine answers badly, and in the end it has exactly what the history
// file has, with every repeat recognised.

import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { netnsObstacle, Pair } from '../support/netns.ts';

const reason = netnsObstacle('curl');
const program = inject('program');
/** Times that each of the three is killed. */
const KILLS = Number(process.env['NETMON_KILLS'] ?? 4);
const PORT = 9100;

/** Takes inserts as ClickHouse does: on disk before it answers, and a token once. It fails as often as it is told, before or after it has stored them. */
const ENGINE = `
const { appendFileSync, existsSync, readFileSync } = require('node:fs');
const { gunzipSync } = require('node:zlib');
const [file, failing] = process.argv.slice(1);
const known = new Map(existsSync(file) ? readFileSync(file, 'utf8').split('\\n').filter(Boolean).map((line) => [JSON.parse(line).token, line]) : []);
require('node:http').createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
    const { searchParams } = new URL(request.url, 'http://x');
    const chance = Math.random() / Number(failing);
    if (chance < 0.5) return response.writeHead(chance < 0.25 ? 500 : 429, { 'retry-after': '0' }).end('busy');
    const token = searchParams.get('insert_deduplication_token');
    const line = JSON.stringify({ token, table: searchParams.get('query').split(' ')[2], rows: String(gunzipSync(Buffer.concat(chunks))) });
    const before = known.get(token);
    if (before !== undefined && before !== line) appendFileSync(file + '.other', line + '\\n' + before + '\\n');
    if (before !== undefined) appendFileSync(file + '.repeats', token + '\\n');
    else appendFileSync(file, line + '\\n', { flush: true });
    known.set(token, line);
    if (chance < 1) request.socket.destroy();
    else response.end();
  });
}).listen(${PORT}, '127.0.0.1', () => console.log('ready'));`;

const SERVER = `
const body = Buffer.alloc(20_000, 120);
require('node:http').createServer((_, response) => response.end(body)).listen(80, '10.99.0.2', () => console.log('ready'));`;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const linesIn = (path: string) => {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
};

describe('exports', () => {
  it('lose nothing and repeat recognisably, whoever is killed', async ({ skip }) => {
    if (reason !== null) skip(`exports: ${reason}`);
    const folder = mkdtempSync(join(tmpdir(), 'netmon-export-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const config = join(folder, 'config.toml');
    writeFileSync(config, `[export]\nfields = ["host"]\n[export.clickhouse]\nurl = "http://127.0.0.1:${PORT}/"\n`);
    chmodSync(config, 0o600);
    const [path, stored] = [join(folder, 'h.sqlite'), join(folder, 'engine')];
    const ready = (child: ChildProcess) => new Promise((resolve) => child.stdout?.once('data', resolve));
    await ready(pair.start(pair.far, process.execPath, ['-e', SERVER]));
    const engine = async (failing: number) => {
      const started = pair.start(pair.near, process.execPath, ['-e', ENGINE, stored, String(failing)]);
      await ready(started);
      return started;
    };
    let takes = await engine(1);
    /** Records until it is stopped, with a few connections. */
    const record = async () => {
      const env = [`XDG_STATE_HOME=${join(folder, 'state')}`, `HOME=${folder}`, '-u', 'SUDO_UID'];
      const words = ['record', '-i', 'va', '--stay-root', '--interval', '200ms', '--config', config, `--history=${path}`];
      const run = pair.start(pair.near, 'env', ['-u', 'SUDO_UID', ...env.slice(0, 2), process.execPath, program.bin, ...words]);
      const ended = new Promise((resolve) => run.once('close', resolve));
      await new Promise((resolve) => run.stderr.once('data', resolve));
      for (let i = 0; i < 3; i++)
        execFileSync('ip', ['netns', 'exec', pair.near, 'curl', '-s', '-o', '/dev/null', 'http://10.99.0.2/']);
      return { run, ended };
    };
    const stop = async ({ run, ended }: Awaited<ReturnType<typeof record>>) => {
      run.kill('SIGINT');
      await ended;
    };
    /** The messenger of a run: the child that has no capability. */
    const senderOf = (pid: number) =>
      readdirSync('/proc').find((name) => {
        try {
          const parent = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1];
          return parent === String(pid) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('messenger');
        } catch {
          return false;
        }
      });

    await stop(await record()); // an engine begins with the first run
    for (let kills = 0; kills < KILLS; kills++) {
      const first = await record();
      first.run.kill('SIGINT');
      await sleep(Math.random() * 600);
      first.run.kill('SIGKILL');
      await first.ended;

      const second = await record();
      const sender = senderOf(second.run.pid as number);
      expect(sender).toBeDefined();
      setTimeout(() => process.kill(Number(sender), 'SIGKILL'), Math.random() * 300);
      await stop(second);

      const third = await record();
      setTimeout(() => takes.kill('SIGKILL'), Math.random() * 300);
      await stop(third);
      await new Promise((resolve) => ((takes.exitCode ?? takes.signalCode) === null ? takes.once('exit', resolve) : resolve(0)));
      takes = await engine(1);
    }
    takes.kill('SIGKILL');
    await new Promise((resolve) => takes.once('exit', resolve));
    takes = await engine(0);
    // A run sends some ten batches, and there are a few for each kill.
    for (let i = 0; i < 30 + 2 * KILLS; i++) {
      const last = await record();
      last.run.stderr.setEncoding('utf8');
      let said = '';
      last.run.stderr.on('data', (text: string) => (said += text));
      await sleep(2000);
      await stop(last);
      if (!said.includes('behind')) break;
    }

    const ask = (sql: string) => {
      const { stdout } = spawnSync(process.execPath, [program.bin, 'query', '--json', `--history=${path}`, sql], {
        encoding: 'utf8',
      });
      return JSON.parse(stdout) as unknown;
    };
    const inserts = linesIn(stored).map((line) => JSON.parse(line) as { table: string; rows: string });
    const rows = (table: string) =>
      inserts
        .filter((one) => one.table === table)
        .flatMap(({ rows: text }) =>
          text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line)),
        );
    const sum = (of: readonly Record<string, number>[], name: string) => of.reduce((all, row) => all + (row[name] as number), 0);
    const [minutes, flows] = [rows('netmon_minute'), rows('netmon_flow')];
    expect(linesIn(`${stored}.other`)).toEqual([]);
    const text = JSON.stringify(ask('SELECT SUM(packet_size) AS bytes, SUM(packets) AS packets FROM connections'));
    expect(text).toContain(String(sum(minutes, 'rx') + sum(minutes, 'tx')));
    expect(text).toContain(String(sum(minutes, 'rx_packets') + sum(minutes, 'tx_packets')));
    expect(JSON.stringify(ask('SELECT COUNT(*) AS n, SUM(rx_bytes) AS rx FROM flows'))).toContain(`${flows.length}`);
    expect(JSON.stringify(ask('SELECT COUNT(*) AS n, SUM(rx_bytes) AS rx FROM flows'))).toContain(String(sum(flows, 'rx_bytes')));
    expect(minutes.length).toBeGreaterThan(KILLS);
    console.log(
      `killed ${3 * KILLS} times: ${inserts.length} inserts, ${linesIn(`${stored}.repeats`).length} repeats recognised`,
    );
  }, 3_600_000);
});
