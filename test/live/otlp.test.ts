// OTLP as an OpenTelemetry collector takes it; `npm run engines` builds one.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { LiveMetrics } from '../../src/messenger/engines/live-metrics.ts';
import { OtlpSender } from '../../src/messenger/engines/otlp.ts';
import { PushFile } from '../../src/messenger/engines/push-file.ts';
import type { ExportBatch, MinuteRow } from '../../src/model/export-batch.ts';
import type { LoggedFlow } from '../../src/model/history-batch.ts';
import { METRICS, type Metric, type MetricName } from '../../src/model/metrics.ts';
import { systemClock } from '../../src/system/clock.ts';
import { alertOf } from '../support/alerts.ts';

const T0 = 1_700_000_040_000;

function hasCollector(): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v otelcol'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

it('a collector takes every metric, closed connections and alerts', async ({ skip }) => {
  if (!hasCollector()) skip('OTLP: needs the program otelcol (npm run engines)');
  const folder = mkdtempSync(join(tmpdir(), 'netmon-otlp-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {debug: {verbosity: detailed}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [debug]}
    logs: {receivers: [otlp], exporters: [debug]}
`,
  );
  const collector = spawn('otelcol', ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void collector.kill('SIGKILL'));
  let said = '';
  const heard = async (text: string) => {
    for (let i = 0; !said.includes(text); i++) {
      if (i > 600 || collector.exitCode !== null) throw new Error(`the collector never said ${text}: ${said.slice(-3000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  for (const stream of [collector.stdout, collector.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += String(chunk);
    });
  await heard('Everything is ready');

  const live = new LiveMetrics(systemClock);
  const samples = Object.entries<Metric>(METRICS).map(([name, { labels, type }]) => ({
    metric: name as MetricName,
    labels: labels.map((label) => `a ${label}`),
    value: type === 'gauge' ? 0.25 : 7,
    ...(type === 'summary' ? { count: 3 } : {}),
  }));
  live.give({ time: T0 + 300_000, samples });
  const plan = { engine: 'otlp', url: `http://127.0.0.1:${port}`, user: null, secretFile: null, secret: null, ca: null } as const;
  const sender = new OtlpSender(plan, new PushFile(null, 'otlp'), live, '1.2.3', 'linux');
  const batch: ExportBatch = {
    ...{ engine: 'otlp', token: 't1', hostId: 'ab12', hostName: 'mac1', until: T0 + 120_000, flows: [flow] },
    alerts: [alertOf()],
    minutes: [row(0, 1000), row(0, -10), row(1, 500)],
  };
  expect(await sender.send(batch)).toEqual({ isDelivered: true, refused: null });

  for (const { name, otel } of Object.values<Metric>(METRICS)) {
    if (otel === null || /settled/.test(name)) continue;
    if (/^netmon_(app_connections_begun|reassigned_connections|reassigned_packets)$/.test(name)) continue; // nothing of that moved
    await heard(`-> Name: ${otel.name}\n`);
  }
  await heard('EventName: network.flow');
  await heard('EventName: netmon.alert');
  await heard('-> log.record.uid: Str(t1-1)');
  expect(said).toMatch(
    /-> process\.executable\.name: Str\(curl\)\n\s+-> network\.io\.direction: Str\(receive\)\nStartTimestamp: 2023-11-14 22:14:00 .*\nTimestamp: 2023-11-14 22:16:00 .*\nValue: 1500/,
  );
  expect(said).not.toMatch(/\t(?:error|warn)\t/);
});

const flow: LoggedFlow = {
  ...{ start: T0, end: T0 + 1000, protocol: 'tcp', localAddress: '10.0.0.1', localPort: 50_000, remoteAddress: '192.0.2.80' },
  ...{ remotePort: 443, direction: 'outbound', interface: 'eth0', app: 'curl', reason: null, exe: null, pid: 321, user: null },
  ...{ attribution: 'exact', host: null, nameSource: 'none', domain: null, container: null, application: 'TLS', category: null },
  ...{ rxBytes: 5000, txBytes: 700, rxPackets: 9, txPackets: 7 },
};

function row(minute: number, rxBytes: number): MinuteRow {
  return {
    ...{
      time: T0 + minute * 60_000,
      isLate: false,
      app: 'curl',
      reason: null,
      exe: null,
      host: null,
      domain: null,
      container: null,
    },
    ...{ category: null, interface: 'eth0', protocol: 'tcp', direction: 'outbound', rxBytes, txBytes: 0 },
    ...{ rxPackets: 1, txPackets: 0, flows: 0 },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
