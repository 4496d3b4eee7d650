// Metrics as real engines get them: Prometheus scrapes, VictoriaMetrics is pushed to, and both have what history has.

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import type { Messenger } from '../../src/messenger/client.ts';
import type { ExportBatch } from '../../src/model/export-batch.ts';
import type { Edges } from '../../src/system/edges.ts';
import type { ChildCommand } from '../../src/system/own-files.ts';
import { dashboardQueries } from '../support/dashboard.ts';
import { netnsObstacle, Pair } from '../support/netns.ts';
import { writtenSamples } from '../support/protobuf-reader.ts';
import { unsnappy } from '../support/unsnappy.ts';

const reason = netnsObstacle('curl', 'prometheus', 'promtool', 'victoria-metrics');
const program = inject('program');
const UID = 4242;
/** A minute, until it is settled, and until it was scraped; on a busy machine twice that. */
const PATIENCE_MS = 140_000;
const SERVER = `require('node:http').createServer((request, response) => request.on('end', () => response.end('x'.repeat(20000))).resume())
  .listen(9000, '10.99.0.2', () => console.log('ready'));`;

it(
  'reach Prometheus and VictoriaMetrics, which have what history has',
  async ({ skip }) => {
    if (reason !== null) skip(`metrics: ${reason}`);
    const folder = mkdtempSync(join(tmpdir(), 'netmon-metrics-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const own = (path: string, mode: number) => {
      chmodSync(path, mode);
      chownSync(path, UID, UID);
      return path;
    };
    own(folder, 0o755);
    for (const name of ['state', 'prometheus', 'victoria']) mkdirSync(join(folder, name));
    own(join(folder, 'state'), 0o700);
    const config = join(folder, 'config.toml');
    writeFileSync(
      config,
      '[export.prometheus]\nlisten = "127.0.0.1:9464"\n[export.remote_write]\nurl = "http://127.0.0.1:8428/api/v1/write"\n',
    );
    own(config, 0o600);
    const scraping = join(folder, 'prometheus.yml');
    writeFileSync(
      scraping,
      'global: {scrape_interval: 1s}\nscrape_configs: [{job_name: netmon, static_configs: [{targets: ["127.0.0.1:9464"]}]}]\n',
    );

    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    pair.start(pair.near, 'prometheus', [
      `--config.file=${scraping}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      '--web.listen-address=127.0.0.1:9090',
    ]);
    pair.start(pair.near, 'victoria-metrics', [
      `-storageDataPath=${join(folder, 'victoria')}`,
      '-httpListenAddr=127.0.0.1:8428',
      '-search.latencyOffset=0s',
    ]);
    const sudo = [`SUDO_UID=${UID}`, `SUDO_GID=${UID}`, 'SUDO_USER=nmt-none', `XDG_STATE_HOME=${join(folder, 'state')}`];
    const history = `--history=${join(folder, 'h.sqlite')}`;
    const run = pair.start(pair.near, 'env', [
      ...sudo,
      process.execPath,
      program.bin,
      'record',
      '-i',
      'va',
      '--config',
      config,
      history,
    ]);
    let said = '';
    run.stderr.on('data', (chunk: Buffer) => {
      said += String(chunk);
    });

    const ask = (url: string) => {
      try {
        return pair.run(pair.near, `curl -sg '${url}'`);
      } catch {
        return ''; // nobody listens yet
      }
    };
    const untilTrue = async (isTrue: () => boolean, why = () => said) => {
      const until = Date.now() + PATIENCE_MS;
      while (!isTrue()) {
        if (Date.now() > until) throw new Error(`it did not happen; ${why()}`);
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    };
    await untilTrue(() => ask('http://127.0.0.1:9464/healthz') === 'ok\n');
    for (let i = 0; i < 3; i++)
      pair.run(pair.near, "curl -s -d '%s' -o /dev/null http://10.99.0.2:9000/".replace('%s', 'y'.repeat(3000)));

    /** Bytes of curl by direction. */
    const bytesAt = (port: number) => {
      const answer = ask(`http://127.0.0.1:${port}/api/v1/query?query=netmon_app_bytes_total{app="curl"}`);
      const { data } = JSON.parse(answer === '' ? '{"data":{"result":[]}}' : answer) as {
        data: { result: { metric: { direction: string }; value: [number, string] }[] };
      };
      return Object.fromEntries(data.result.map(({ metric, value }) => [metric.direction, Number(value[1])]));
    };
    const has = (port: number) => (bytesAt(port)['receive'] ?? 0) > 60_000;
    await untilTrue(
      () => has(9090) && has(8428),
      () => `${said}; Prometheus has it: ${has(9090)}, VictoriaMetrics: ${has(8428)}`,
    );
    const scraped = bytesAt(9090);
    expect(scraped['transmit']).toBeGreaterThan(9000);
    expect(bytesAt(8428)).toEqual(scraped);

    for (const accept of ['text/plain', 'application/openmetrics-text;version=1.0.0']) {
      const text = pair.run(pair.near, `curl -s -H 'Accept: ${accept}' http://127.0.0.1:9464/metrics`);
      if (accept === 'text/plain') execFileSync('promtool', ['check', 'metrics'], { input: text });
      expect(text).toMatch(/^netmon_interface_bytes_total\{interface="va",direction="receive"\} \d+$/m);
      expect(text).toMatch(/^netmon_captured_frames_total [1-9]\d*$/m);
    }
    const targets = JSON.parse(ask('http://127.0.0.1:9090/api/v1/targets')) as {
      data: { activeTargets: { health: string; lastError: string }[] };
    };
    expect(targets.data.activeTargets).toMatchObject([{ health: 'up', lastError: '' }]);

    // The increase is all of it, because the series was seen at zero before.
    const increase = encodeURIComponent(
      'sum(last_over_time(netmon_app_bytes_total{app="curl"}[10m]) - min_over_time(netmon_app_bytes_total{app="curl"}[10m]))',
    );
    for (const port of [9090, 8428]) {
      const { data } = JSON.parse(ask(`http://127.0.0.1:${port}/api/v1/query?query=${increase}`)) as {
        data: { result: { value: [number, string] }[] };
      };
      expect([port, Number(data.result[0]?.value[1])]).toEqual([port, (scraped['receive'] ?? 0) + (scraped['transmit'] ?? 0)]);
    }

    // The dashboard's queries are understood, and what there was has answers.
    await new Promise((resolve) => setTimeout(resolve, 3000)); // a rate takes two scrapes
    for (const { title, query } of dashboardQueries()) {
      const answer = ask(`http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(query)}`);
      const { status, data } = JSON.parse(answer) as { status: string; data: { result: unknown[] } };
      expect([title, status]).toEqual([title, 'success']);
      if (/Received by app|Machines|Captured|By category|By machine|Counted/.test(title))
        expect([title, data.result.length > 0]).toEqual([title, true]);
    }

    const ended = new Promise((resolve) => run.once('close', resolve));
    run.kill('SIGINT');
    await ended;
    const answer = pair.run(pair.near, `${process.execPath} ${program.bin} history --json --by app ${history} 2>/dev/null`);
    const { rows: kept } = JSON.parse(answer) as { rows: { app: string; rx_bytes: number; tx_bytes: number }[] };
    expect(kept.find(({ app }) => app === 'curl')).toMatchObject({
      rx_bytes: scraped['receive'],
      tx_bytes: scraped['transmit'],
    });
  },
  PATIENCE_MS + 60_000,
);

const NOBODY = 65_534;
const KILLS = Number(process.env['NETMON_KILLS'] ?? 20);
/** It takes some 300 ms to start, then a few for each batch. */
const LONGEST_LIFE_MS = 1200;

it('killed again and again, the sender repeats the same samples and loses none', async ({ skip }) => {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) skip('metrics: needs root on Linux');
  const folder = mkdtempSync(join(tmpdir(), 'netmon-metrics-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chownSync(folder, NOBODY, NOBODY);

  /** By series and time. */
  const values = new Map<string, number>();
  const newest = new Map<string, { time: number; value: number }>();
  const wrong: string[] = [];
  const engine = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      for (const { labels, value, time } of writtenSamples(unsnappy(Buffer.concat(chunks)))) {
        const series = JSON.stringify(labels);
        const last = newest.get(series);
        const known = values.get(`${series} ${time}`);
        if (known !== undefined && known !== value) wrong.push(`${series} at ${time}: ${known}, then ${value}`);
        if (last !== undefined && time > last.time && value < last.value) wrong.push(`${series} falls to ${value}`);
        values.set(`${series} ${time}`, value);
        if (time > (last?.time ?? 0)) newest.set(series, { time, value });
      }
      // Sometimes the answer is lost, or it is too much for the engine.
      const chance = Math.random();
      if (chance < 0.05) request.socket.destroy();
      else response.writeHead(chance < 0.1 ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => void engine.close());

  const load = async <Exported>(path: string) => (await import(join(program.modules, path))) as Exported;
  const client = await load<{ Messenger: typeof Messenger }>('messenger/client.js');
  const { messengerCommand } = await load<{ messengerCommand: () => ChildCommand }>('messenger/protocol.js');
  const { systemEdges } = await load<{ systemEdges: () => Edges }>('system/programs.js');
  const rest = { user: null, secretFile: null, secret: null, ca: null };
  const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}/`;
  const exports = { push: [{ engine: 'remote_write', url, ...rest }], prometheus: null, fields: [], hash: [], folder } as const;
  const begin = () =>
    client.Messenger.start(null, exports, systemEdges(), null, (env) => {
      const command = messengerCommand();
      const child = spawn(command.path, command.args, {
        stdio: ['pipe', 'pipe', 'ignore'],
        env: { ...env, ...command.env },
        cwd: '/',
      });
      setTimeout(() => child.kill('SIGKILL'), Math.random() * LONGEST_LIFE_MS);
      return child;
    });

  let kills = 0;
  let sum = 0;
  let messenger = await begin();
  let number = 0;
  while (kills < KILLS) {
    number++;
    const rxBytes = Math.floor(Math.random() * 10_000);
    sum += rxBytes;
    for (;;) {
      const isTaken = await messenger.send(batchOf(number, rxBytes)).then(
        () => true,
        () => false,
      );
      if (isTaken) break;
      kills++;
      messenger = await begin();
    }
  }
  await messenger.close();
  expect(number).toBeGreaterThan(KILLS);
  expect(wrong).toEqual([]);
  const last = [...newest].filter(([series]) => series.includes('netmon_app_bytes_total') && series.includes('receive'));
  expect(last.map(([, { value }]) => value)).toEqual([sum]);
  expect(readdirSync(folder).filter((name) => !name.endsWith('.part'))).toEqual(['export-remote_write.json']);
}, 600_000);

function batchOf(number: number, rxBytes: number): ExportBatch {
  const row = {
    app: 'curl',
    reason: null,
    exe: null,
    host: null,
    domain: null,
    container: null,
    category: null,
    interface: 'eth0',
  };
  const moved = { rxBytes, txBytes: 0, rxPackets: 1, txPackets: 0, flows: 0 };
  const time = 1_700_000_000_000 + number * 60_000;
  return {
    ...{
      engine: 'remote_write',
      token: `t${number}`,
      hostId: 'ab12',
      hostName: null,
      until: time + 60_000,
      flows: [],
      alerts: [],
    },
    minutes: [{ ...row, ...moved, time, isLate: false, protocol: 'tcp', direction: 'outbound' }],
  };
}
