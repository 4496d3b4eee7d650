// A server in place of ClickHouse: what it gets, and what becomes of each way in which it can fail. The queue tries until it has taken the batch.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../../../src/messenger/delivery.ts';
import { ClickHouseSender } from '../../../../src/messenger/engines/clickhouse.ts';
import { EngineQueue, type EngineSender } from '../../../../src/messenger/engines/engine-queue.ts';
import type { PushPlan } from '../../../../src/model/export.ts';
import type { ExportBatch } from '../../../../src/model/export-batch.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { alert, entry, loggedFlow, MINUTE, NOVEMBER } from '../../../support/history.ts';

const batchOf = (changes: Partial<ExportBatch> = {}): ExportBatch => ({
  engine: 'clickhouse',
  token: 'feed-1f-4.0.0',
  hostId: 'feed',
  hostName: null,
  until: (NOVEMBER + 1) * MINUTE,
  minutes: [{ ...entry({ rxBytes: -5, host: null }), time: NOVEMBER * MINUTE, isLate: true }],
  flows: [loggedFlow()],
  alerts: [alert({ text: 'half a pair \ud800 of "signs"\n' })],
  ...changes,
});

interface Got {
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly rows: Record<string, unknown>[];
}

let server: Server;
let got: Got[];
let answer: (response: ServerResponse, count: number) => void;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-engine-'));
  got = [];
  answer = (response) => response.end();
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const lines = gunzipSync(Buffer.concat(chunks)).toString().trimEnd().split('\n');
      got.push({
        url: new URL(request.url ?? '', 'http://x'),
        headers: request.headers,
        rows: lines.map((line) => JSON.parse(line)),
      });
      answer(response, got.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

const plan = (changes: Partial<PushPlan> = {}): PushPlan => ({
  engine: 'clickhouse',
  url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?database=net`,
  user: null,
  secretFile: null,
  secret: null,
  ca: null,
  ...changes,
});
const reason = async (changes: Partial<PushPlan> = {}, longestMs = 5000) => {
  const outcome = await new ClickHouseSender(plan(changes), longestMs).send(batchOf());
  return outcome.isDelivered ? 'taken' : [outcome.reason, outcome.isAgain, outcome.pauseMs];
};

describe('ClickHouse', () => {
  it('gets the rows of each table, with a token for each', async () => {
    expect(await reason()).toBe('taken');
    expect(got.map(({ url }) => [url.searchParams.get('query'), url.searchParams.get('insert_deduplication_token')])).toEqual([
      ['INSERT INTO netmon_minute FORMAT JSONEachRow', 'feed-1f-4.0.0-netmon_minute'],
      ['INSERT INTO netmon_flow FORMAT JSONEachRow', 'feed-1f-4.0.0-netmon_flow'],
      ['INSERT INTO netmon_alert FORMAT JSONEachRow', 'feed-1f-4.0.0-netmon_alert'],
    ]);
    expect(got[0]?.url.searchParams.get('database')).toBe('net');
    expect(got[0]?.rows).toEqual([
      {
        host: 'feed',
        host_name: null,
        batch: 'feed-1f-4.0.0',
        time: NOVEMBER * 60,
        late: true,
        app_name: 'curl',
        reason: null,
        process: '/usr/bin/curl',
        hostname: null,
        domain: 'example.com',
        category: 'web',
        interface: 'eth0',
        protocol: 'tcp',
        direction: 'outbound',
        rx: -5,
        tx: 0,
        rx_packets: 0,
        tx_packets: 0,
        flows: 0,
        container: null,
        image: null,
        pod: null,
        namespace: null,
        project: null,
      },
    ]);
    expect(got[1]?.rows[0]).toMatchObject({ start: '2026-11-01 00:00:00.000', end: '2026-11-01 00:00:01.500', remote_port: 443 });
    expect(got[2]?.rows[0]).toMatchObject({ text: 'half a pair \ufffd of "signs"\n' });
  });

  it('gets no insert for a table without rows', async () => {
    await new ClickHouseSender(plan()).send(batchOf({ flows: [], alerts: [] }));
    expect(got.map(({ rows }) => rows.length)).toEqual([1]);
  });

  it('learns who sends from a file that only its owner can read, or from the environment', async () => {
    const secretFile = join(folder, 'secret');
    writeFileSync(secretFile, 'pass:word\n', { mode: 0o600 });
    await reason({ user: 'net', secretFile, secret: 'other' });
    await reason({ secret: 'token' });
    await reason();
    const said = got.map(({ headers }) => headers.authorization).filter((_, i) => i % 3 === 0);
    expect(said).toEqual([`Basic ${Buffer.from('net:pass:word').toString('base64')}`, 'Bearer token', undefined]);
    chmodSync(secretFile, 0o640);
    expect(await reason({ user: 'net', secretFile })).toEqual([
      `export.clickhouse.secret-file is refused: it can be read by others; type: chmod 600 ${secretFile}`,
      true,
      null,
    ]);
    writeFileSync(secretFile, 'two words');
    chmodSync(secretFile, 0o600);
    expect(await reason({ secretFile })).toEqual([
      'export.clickhouse.secret-file is refused: it does not hold one word',
      true,
      null,
    ]);
    expect(await reason({ secretFile: join(folder, 'none') })).toEqual([
      "export.clickhouse.secret-file can't be read (ENOENT)",
      true,
      null,
    ]);
    expect(got).toHaveLength(9);
  });

  it.each<[number, string, Record<string, string>, string, number | null]>([
    [429, 'slow down', { 'retry-after': '7' }, 'it answers with status 429: slow down', 7000],
    [
      500,
      'Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space\nmore',
      {},
      'it answers with status 500: Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space',
      null,
    ],
    [503, '', { 'retry-after': 'tomorrow' }, 'it answers with status 503', null],
    [
      404,
      'Code: 60. DB::Exception: Table default.netmon_minute does not exist',
      {},
      'it has no such table; type: netmon-tui schema clickhouse | clickhouse-client -mn',
      null,
    ],
    [403, 'Code: 516. DB::Exception: net: Authentication failed', {}, 'it refuses the user or the secret', null],
    [301, '', { location: 'http://127.0.0.1:1/' }, 'it redirects (status 301); name the final address', null],
    [400, 'Code: 27. \u001b[31mred\u202e', {}, 'it answers with status 400: Code: 27. [31mred', null],
  ])('with status %d waits, and says why', async (status, text, headers, why, pause) => {
    answer = (response) => response.writeHead(status, headers).end(text);
    expect(await reason()).toEqual([why, true, pause]);
    expect(got).toHaveLength(1);
  });

  it('that takes the first table and not the second gets both again, under the same tokens', async () => {
    answer = (response, count) => response.writeHead(count === 2 ? 500 : 200).end();
    expect(await reason()).toEqual(['it answers with status 500', true, null]);
    expect(await reason()).toBe('taken');
    const tokens = got.map(({ url }) => url.searchParams.get('insert_deduplication_token'));
    expect(tokens.slice(0, 2)).toEqual(tokens.slice(2, 4));
  });

  it('that is silent, cut off or gone is said to be', async () => {
    answer = () => undefined;
    expect(await reason({}, 50)).toEqual(['no answer within 0.05 s', true, null]);
    answer = (response) => response.destroy();
    expect(await reason()).toEqual(['the connection was closed', true, null]);
    expect(await reason({ url: 'http://127.0.0.1:1/' })).toEqual(['nobody listens there', true, null]);
  });

  it('that talks without end is not listened to', async () => {
    answer = (response) => {
      response.writeHead(500);
      const talk = () => response.write('x'.repeat(65_536), () => !response.destroyed && setImmediate(talk));
      talk();
    };
    const [why] = (await reason()) as [string];
    expect(why.length).toBeLessThan(300);
  });
});

describe('the queue of an engine', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tries the same batch with growing pauses, as long as was asked for, and never gives it up', async () => {
    const outcomes: Outcome[] = [];
    const tried: string[] = [];
    const sender: EngineSender = {
      engine: 'clickhouse',
      send: async ({ token }) => {
        tried.push(token);
        return outcomes.shift() ?? { isDelivered: false, reason: 'down', isAgain: true, pauseMs: null };
      },
    };
    const clock = new FakeClock();
    const [taken, next]: [string[], number[]] = [[], []];
    const events = {
      taken: (_: string, token: string) => taken.push(token),
      held: (_: string, __: string, ___: string, at: number) => next.push(at - clock.now()),
    };
    const queue = new EngineQueue(sender, clock, events as never, () => 1);
    queue.take(batchOf());
    for (let i = 0; i < 11; i++) await vi.advanceTimersByTimeAsync(next.at(-1) ?? 0);
    expect(next.slice(0, 11)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((s) => s * 1000));
    outcomes.push({ isDelivered: false, reason: 'slow down', isAgain: true, pauseMs: 3_600_000 });
    await vi.advanceTimersByTimeAsync(300_000);
    expect(next.at(-1)).toBe(3_600_000);
    outcomes.push({ isDelivered: true, refused: null });
    await vi.advanceTimersByTimeAsync(3_599_000);
    expect(taken).toEqual([]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(taken).toEqual(['feed-1f-4.0.0']);
    expect(new Set(tried).size).toBe(1);
    queue.take(batchOf({ token: 'feed-1f-5.0.0' }));
    await vi.advanceTimersByTimeAsync(0);
    expect(next.at(-1)).toBe(1000);
    queue.stop();
    await queue.idle();
  });
});
