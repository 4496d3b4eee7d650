// Remote write and OTLP against an engine of the test's own, with each of its bad answers.

import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LiveMetrics } from '../../../../src/messenger/engines/live-metrics.ts';
import { OtlpSender } from '../../../../src/messenger/engines/otlp.ts';
import { PushFile } from '../../../../src/messenger/engines/push-file.ts';
import { RemoteWriteSender } from '../../../../src/messenger/engines/remote-write.ts';
import type { PushEngine, PushPlan } from '../../../../src/model/export.ts';
import type { ExportBatch, MinuteRow } from '../../../../src/model/export-batch.ts';
import type { MetricSample } from '../../../../src/model/metrics.ts';
import { alertOf } from '../../../support/alerts.ts';
import { fieldsOf, messagesIn, textIn, writtenSamples } from '../../../support/protobuf-reader.ts';
import { unsnappy } from '../../../support/unsnappy.ts';

const MINUTE = 60_000;
const T0 = 1_700_000_040_000;
const clock = { now: () => T0, monotonic: () => now };
let now = 0;
let folder: string;
let server: Server;
let requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[] = [];
let answers: { status: number; text?: string; headers?: Record<string, string> }[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'push-'));
  requests = [];
  answers = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) });
      const { status, text = '', headers = {} } = answers.shift() ?? { status: 204 };
      response.writeHead(status, headers).end(text, 'latin1');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const planFor = (engine: PushEngine, more: Partial<PushPlan> = {}): PushPlan => {
  const { port } = server.address() as { port: number };
  return { engine, url: `http://127.0.0.1:${port}/api`, user: null, secretFile: null, secret: null, ca: null, ...more };
};
const live = new LiveMetrics(clock);
const remoteWrite = (file = new PushFile(folder, 'remote_write'), more: Partial<PushPlan> = {}) =>
  new RemoteWriteSender(planFor('remote_write', more), file, live);
const otlp = () => new OtlpSender(planFor('otlp'), new PushFile(folder, 'otlp'), live, '1.2.3', 'linux');

const row = (minute: number, rxBytes: number): MinuteRow => ({
  ...{
    time: T0 + minute * MINUTE,
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
});
const batch = (token: string, minutes: readonly MinuteRow[], more: Partial<ExportBatch> = {}): ExportBatch => ({
  ...{ engine: 'remote_write', token, hostId: 'ab12', hostName: null, until: T0, minutes, flows: [], alerts: [], ...more },
});
const written = () => requests.map(({ body }) => writtenSamples(unsnappy(body)));
const curl = () =>
  written().map((samples) =>
    samples
      .filter(({ labels }) => labels['__name__'] === 'netmon_app_bytes_total' && labels['direction'] === 'receive')
      .map(({ labels, value, time }) => [labels['app'], labels['host'], value, (time - T0) / MINUTE]),
  );

describe('remote write', () => {
  it('is a request a minute, in order, with the labels of this machine', async () => {
    const sender = remoteWrite();
    expect(await sender.send(batch('t1', [row(0, 10), row(1, 5)]))).toEqual({ isDelivered: true, refused: null });
    expect(await sender.send(batch('t2', [row(2, 1)], { hostName: 'mac1' }))).toEqual({ isDelivered: true, refused: null });
    // A counter that isn't seen at zero is taken to begin where it is first seen.
    const first = [
      ['curl', 'ab12', 0, 1 / MINUTE],
      ['curl', 'ab12', 10, 1],
    ];
    expect(curl()).toEqual([first, [['curl', 'ab12', 15, 2]], [['curl', 'ab12', 16, 3]]]);
    expect(requests[0]?.headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
    });
    expect(written()[2]?.[0]?.labels['host_name']).toBe('mac1');
    for (const samples of written())
      for (const { labels } of samples) expect(Object.keys(labels)).toEqual([...Object.keys(labels)].sort());
  });

  it('sends the same again if it was not taken, and goes on from there after a restart', async () => {
    const sender = remoteWrite();
    await sender.send(batch('t1', [row(0, 10)]));
    answers = [{ status: 204 }, { status: 503 }];
    expect(await sender.send(batch('t2', [row(1, 5), row(2, 1)]))).toMatchObject({ isDelivered: false, isAgain: true });
    // The run ended; the next one sends it again as a whole.
    await remoteWrite().send(batch('t2', [row(1, 5), row(2, 1)]));
    const bodies = requests.map(({ body }) => body.toString('hex'));
    expect(bodies.slice(3)).toEqual(bodies.slice(1, 3));
    await remoteWrite().send(batch('t3', [row(3, 100)]));
    expect(curl().at(-1)).toEqual([['curl', 'ab12', 116, 4]]);
  });

  it('sends nothing again that was taken', async () => {
    await remoteWrite().send(batch('t1', [row(0, 10)]));
    expect(await remoteWrite().send(batch('t1', [row(0, 10)]))).toEqual({ isDelivered: true, refused: null });
    expect(requests).toHaveLength(1);
  });

  it('takes it for taken if the receiver has it already', async () => {
    answers = [
      { status: 400, text: 'out of order sample\n' },
      { status: 409, text: 'duplicate sample for timestamp' },
    ];
    expect(await remoteWrite().send(batch('t1', [row(0, 10), row(1, 10)]))).toEqual({ isDelivered: true, refused: null });
    expect(requests).toHaveLength(2);
  });

  it.each([
    [{ status: 400, text: 'invalid label name' }, 'it answers with status 400: invalid label name'],
    [{ status: 401 }, 'it refuses the user or the secret'],
    [{ status: 404 }, 'it takes no remote write there: the path is often /api/v1/write'],
    [{ status: 302, headers: { location: '/other' } }, 'it redirects (status 302); name the final address'],
    [{ status: 500, text: 'no space left on device' }, 'it answers with status 500: no space left on device'],
  ])('keeps what is refused: %j', async (bad, reason) => {
    answers = [bad];
    const sender = remoteWrite();
    expect(await sender.send(batch('t1', [row(0, 10)]))).toMatchObject({ isDelivered: false, isAgain: true, reason });
    expect(await sender.send(batch('t1', [row(0, 10)]))).toEqual({ isDelivered: true, refused: null });
    expect(requests[1]?.body).toEqual(requests[0]?.body);
  });

  it('waits as long as it is asked to', async () => {
    answers = [{ status: 429, headers: { 'retry-after': '7' } }];
    expect(await remoteWrite().send(batch('t1', [row(0, 10)]))).toMatchObject({ isDelivered: false, pauseMs: 7000 });
  });

  it('sends the secret with each request, and as the user that has one', async () => {
    await remoteWrite(undefined, { secret: 'word' }).send(batch('t1', [row(0, 10)]));
    await remoteWrite(undefined, { secret: 'word', user: 'ann' }).send(batch('t2', [row(1, 10)]));
    const basic = `Basic ${Buffer.from('ann:word').toString('base64')}`;
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer word', basic]);
  });
});

describe('what is only true now', () => {
  const samples: MetricSample[] = [
    { metric: 'appBytes', labels: ['curl', 'receive'], value: 5 },
    { metric: 'connections', labels: [], value: 3 },
    { metric: 'started', labels: [], value: (T0 - MINUTE) / 1000 },
  ];

  it('follows a batch, once, and only if it is fresh', async () => {
    const sender = remoteWrite();
    live.give({ time: T0 + 5, samples });
    await sender.send(batch('t1', [row(0, 10)]));
    const last = written().at(-1) ?? [];
    expect(last.map(({ labels, value, time }) => [labels['__name__'], labels['host'], value, time - T0])).toEqual([
      ['netmon_connections', 'ab12', 3, 5],
      ['netmon_start_time_seconds', 'ab12', (T0 - MINUTE) / 1000, 5],
    ]);
    await sender.send(batch('t2', [row(1, 10)]));
    live.give({ time: T0 + 5, samples });
    now += MINUTE;
    await sender.send(batch('t3', [row(2, 10)]));
    expect(requests).toHaveLength(4);
  });

  it('is lost if it is not taken, and holds nothing up', async () => {
    live.give({ time: T0, samples });
    answers = [{ status: 204 }, { status: 500 }];
    expect(await remoteWrite().send(batch('t1', [row(0, 10)]))).toEqual({ isDelivered: true, refused: null });
    expect(requests).toHaveLength(2);
  });
});

describe('OTLP', () => {
  const unpacked = () => requests.map(({ path, body }) => [path, gunzipSync(body)] as const);
  const recordsIn = (message: Uint8Array) =>
    messagesIn(message, 1)
      .flatMap((one) => messagesIn(one, 2))
      .flatMap((one) => messagesIn(one, 2));

  it('is metrics, then closed connections and alerts, each with an id of its own', async () => {
    const sender = otlp();
    const more = { engine: 'otlp', alerts: [alertOf(), alertOf({ id: 'other' })] } as const;
    expect(await sender.send(batch('t1', [row(0, 10)], more))).toEqual({ isDelivered: true, refused: null });
    expect(requests.map(({ path, headers }) => [path, headers['content-type'], headers['content-encoding']])).toEqual([
      ['/api/v1/metrics', 'application/x-protobuf', 'gzip'],
      ['/api/v1/logs', 'application/x-protobuf', 'gzip'],
    ]);
    const [metrics, logs] = unpacked().map(([, message]) => recordsIn(message));
    expect(metrics?.map((one) => textIn(one, 1))).toContain('process.network.io');
    const uids = logs?.map((one) =>
      messagesIn(one, 6)
        .filter((named) => textIn(named, 1) === 'log.record.uid')
        .map((named) => textIn(messagesIn(named, 2)[0] as Uint8Array, 1)),
    );
    expect(uids).toEqual([['t1-0'], ['t1-1']]);
  });

  it('comes in pieces, and again as a whole if one is refused', async () => {
    const sender = otlp();
    const minutes = Array.from({ length: 45 }, (_, i) => row(i, 1));
    answers = [{ status: 200 }, { status: 200 }, { status: 503, headers: { 'retry-after': '3' } }];
    expect(await sender.send(batch('t1', minutes))).toMatchObject({ isDelivered: false, pauseMs: 3000 });
    expect(await sender.send(batch('t1', minutes))).toEqual({ isDelivered: true, refused: null });
    expect(requests).toHaveLength(6);
    const bodies = unpacked().map(([, message]) => message.toString('hex'));
    expect(bodies.slice(3)).toEqual(bodies.slice(0, 3));
  });

  it('counts what a collector took without keeping it, and sends it no more', async () => {
    // partial_success { 1: 2, 2: "too <ESC>old" }, as a collector encodes it, for metrics and for logs.
    const partial = Buffer.from([10, 12, 8, 2, 18, 8, ...Buffer.from('too \u001bold')]).toString('latin1');
    answers = [
      { status: 200, text: partial },
      { status: 200, text: partial },
    ];
    const sender = otlp();
    const more = { engine: 'otlp', alerts: [alertOf()] } as const;
    expect(await sender.send(batch('t1', [row(0, 10)], more))).toEqual({
      isDelivered: true,
      refused: { count: 4, why: 'too old' },
    });
    expect(await sender.send(batch('t1', [row(0, 10)], more))).toEqual({ isDelivered: true, refused: null });
    expect(requests).toHaveLength(2);
  });

  it.each([
    ['nothing', []],
    ['an empty partial success', [10, 0]],
    ['a word of caution without a refusal', [10, 4, 18, 2, 104, 105]],
    ['a field that ends early', [10, 9, 8]],
    ['a number without end', [10, 4, 8, 255, 255, 255]],
    ['no message', [...Buffer.from('<html>')]],
  ])('takes an answer of %s for a success', async (_, bytes) => {
    answers = [{ status: 200, text: Buffer.from(bytes).toString('latin1') }];
    expect(await otlp().send(batch('t1', [row(0, 10)]))).toEqual({ isDelivered: true, refused: null });
  });

  it('says where OTLP is often to be had', async () => {
    answers = [{ status: 404 }];
    const outcome = await otlp().send(batch('t1', [row(0, 10)]));
    expect(outcome).toMatchObject({
      reason: 'it takes no OTLP over HTTP there: the port is often 4318, and /v1/metrics is added',
    });
  });

  it('counts what is only true now since the run began', async () => {
    live.give({
      time: T0,
      samples: [
        { metric: 'frames', labels: [], value: 3 },
        { metric: 'started', labels: [], value: (T0 - MINUTE) / 1000 },
      ],
    });
    await otlp().send(batch('t1', [row(0, 10)]));
    const [metric] = recordsIn(unpacked()[1]?.[1] ?? new Uint8Array());
    const point = messagesIn(messagesIn(metric as Uint8Array, 7)[0] as Uint8Array, 1)[0] as Uint8Array;
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, Number(fieldsOf(point).find(({ field }) => field === 2)?.value));
    expect(view.getBigUint64(0)).toBe(BigInt(T0 - MINUTE) * 1_000_000n);
  });
});

describe('the file of counters', () => {
  const path = () => join(folder, 'export-remote_write.json');
  const total = async () => {
    await remoteWrite().send(batch('t2', [row(1, 5)]));
    return curl().at(-1)?.at(-1)?.[2];
  };
  beforeEach(async () => {
    await remoteWrite().send(batch('t1', [row(0, 10)]));
  });

  it('is the user’s own', () => expect(statSync(path()).mode & 0o777).toBe(0o600));
  it('is read by the next run', async () => expect(await total()).toBe(15));
  it('is not read if others can write it', async () => {
    chmodSync(path(), 0o622);
    expect(await total()).toBe(5);
  });
  it('is not read through a link', async () => {
    writeFileSync(join(folder, 'other'), readFileSync(path()), { mode: 0o600 });
    rmSync(path());
    symlinkSync(join(folder, 'other'), path());
    expect(await total()).toBe(5);
    expect(statSync(join(folder, 'other')).size).toBeGreaterThan(0);
  });
  it('is begun anew if it is broken', async () => {
    writeFileSync(path(), 'x');
    expect(await total()).toBe(5);
  });
  it('may be missing: counters then live as long as the messenger', async () => {
    const sender = remoteWrite(new PushFile(null, 'remote_write'));
    await sender.send(batch('t1', [row(0, 10)]));
    await sender.send(batch('t2', [row(1, 5)]));
    expect(curl().at(-1)).toEqual([['curl', 'ab12', 15, 2]]);
  });
  it('that can’t be written stops nothing', async () => {
    const sender = remoteWrite(new PushFile(join(path(), 'no folder'), 'remote_write'));
    expect(await sender.send(batch('t9', [row(0, 10)]))).toEqual({ isDelivered: true, refused: null });
  });
});
