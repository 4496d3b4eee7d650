// Metrics as real engines get them: Prometheus scrapes, VictoriaMetrics is pushed to, and both have what history has.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { netnsObstacle, Pair } from '../support/netns.ts';

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
