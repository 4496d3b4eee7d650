import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { exportCommand } from '../../../../src/cli/history/export.ts';
import type { HistoryRecord } from '../../../../src/history/query/pages.ts';
import type { LoggedFlow } from '../../../../src/model/history-batch.ts';
import { NOW } from './answers.ts';
import { FakeReader, fakeIo } from './fake-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'netmon-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TIME = Date.UTC(2026, 10, 1, 10);
const RECORD: HistoryRecord = {
  time: TIME,
  spanMs: 60_000,
  app: '=curl',
  exe: '/usr/bin/curl',
  host: 'example.com',
  domain: 'example.com',
  category: 'Web',
  interface: 'eth0',
  protocol: 'tcp',
  direction: 'outbound',
  container: null,
  rxBytes: 1,
  txBytes: -2,
  rxPackets: 3,
  txPackets: 4,
  flows: 5,
};
const FLOW: LoggedFlow = {
  start: TIME,
  end: TIME + 1500,
  protocol: 'tcp',
  localAddress: '192.0.2.1',
  localPort: 50_000,
  remoteAddress: '203.0.113.9',
  remotePort: 443,
  direction: 'outbound',
  interface: 'eth0',
  app: null,
  reason: 'forwarded',
  exe: null,
  pid: null,
  user: null,
  attribution: 'none',
  host: 'a"b',
  nameSource: 'tls',
  domain: null,
  application: 'https',
  category: 'Web',
  container: { container: 'web', image: 'nginx:1', pod: null, namespace: null, project: 'shop' },
  rxBytes: 10,
  txBytes: 20,
  rxPackets: 1,
  txPackets: 2,
};

function reader(): FakeReader {
  const fake = new FakeReader();
  fake.recordPages = [[RECORD, { ...RECORD, app: null }], [RECORD]];
  fake.flowPages = [[FLOW]];
  return fake;
}

async function run(words: string[], { columns, mostBytes }: { columns?: number; mostBytes?: number } = {}) {
  const fake = reader();
  const around = fakeIo(fake, columns, mostBytes);
  const status = await exportCommand(parseCommandLine(['export', ...words]), '/x', null, around);
  return { status, out: around.out, fake };
}

describe('export', () => {
  it('writes records as CSV, page by page', async () => {
    const { out, fake } = await run([]);
    const [head, first, second, third] = out.text.split('\r\n');
    expect(head).toBe(
      'time,span_ms,app,exe,host,domain,category,interface,protocol,direction,rx_bytes,tx_bytes,rx_packets,tx_packets,flows,container,image,pod,namespace,project',
    );
    expect(first).toBe(
      "2026-11-01T10:00:00.000Z,60000,'=curl,/usr/bin/curl,example.com,example.com,Web,eth0,tcp,outbound,1,-2,3,4,5,,,,,",
    );
    expect(second).toContain('Z,60000,,/usr');
    expect(third).toBe(first);
    expect(out.chunks).toHaveLength(3);
    expect(fake.ranges).toEqual([[0, NOW]]);
    expect(fake.closed).toBe(1);
  });

  it('writes the log of connections as NDJSON', async () => {
    const { out, fake } = await run(['--flows', '--format', 'json', '--since', '2026-11-01', '--until', '2026-11-01']);
    expect(JSON.parse(out.text)).toMatchObject({
      type: 'flow',
      schema: 1,
      start: '2026-11-01T10:00:00.000Z',
      end: '2026-11-01T10:00:01.500Z',
      remote_port: 443,
      app: null,
      reason: 'forwarded',
      host: 'a"b',
      tx_packets: 2,
      container: 'web',
      image: 'nginx:1',
      pod: null,
      project: 'shop',
    });
    expect(fake.ranges).toEqual([[new Date(2026, 10, 1).getTime(), new Date(2026, 10, 2).getTime()]]);
  });

  it('stops, as a success, when its reader goes away', async () => {
    const { status, out, fake } = await run([], { mostBytes: 200 });
    expect(status).toBe(0);
    expect(out.chunks).toHaveLength(2);
    expect(fake.closed).toBe(1);
  });

  it('writes a file for its owner alone', async () => {
    const path = join(folder, 'all.sqlite');
    await run(['--format', 'sqlite', '--output', path]);
    expect(readFileSync(path, 'latin1')).toBe('SQLite format 3\0');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(run(['--output', path])).rejects.toThrow('is there already');
    await run(['--output', path, '--force']);
    expect(readFileSync(path, 'utf8')).toMatch(/^time,span_ms/);
  });

  it('writes Parquet that another reader reads', async () => {
    const path = join(folder, 'records.parquet');
    await run(['--format', 'parquet', '--output', path]);
    const records = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
    rmSync(path);
    expect(records).toHaveLength(3);
    expect(records[0]).toEqual({
      ...{ time: new Date(TIME), span_ms: 60_000n, app: '=curl', exe: '/usr/bin/curl', host: 'example.com' },
      ...{ domain: 'example.com', category: 'Web', interface: 'eth0', protocol: 'tcp', direction: 'outbound' },
      ...{ rx_bytes: 1n, tx_bytes: -2n, rx_packets: 3n, tx_packets: 4n, flows: 5n },
      ...{ container: null, image: null, pod: null, namespace: null, project: null },
    });
    expect(records[1]).toMatchObject({ app: null });
    await run(['--format', 'parquet', '--flows', '--output', path]);
    const flows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
    rmSync(path);
    expect(flows).toMatchObject([{ start: new Date(TIME), pid: null, user: null, host: 'a"b', tx_bytes: 20n, container: 'web' }]);
  });

  it('leaves nothing behind when reading fails', async () => {
    const fake = reader();
    fake.records = () => {
      throw new Error('broken page');
    };
    const path = join(folder, 'none.csv');
    await expect(exportCommand(parseCommandLine(['export', '-o', path]), '/x', null, fakeIo(fake))).rejects.toThrow(
      'broken page',
    );
    expect(readdirSync(folder)).toEqual(['all.sqlite']);
    expect(fake.closed).toBe(1);
  });

  it.each([
    [['--format', 'xml'], '--format "xml" is not one of csv, json, parquet, sqlite, text, markdown, sarif'],
    [['--format', 'markdown'], '--format markdown does not go with export'],
    [['--format', 'sqlite', '--since', '1d'], '--since does not go with --format sqlite'],
    [['--format', 'sqlite', '--flows'], '--flows does not go with --format sqlite'],
    [['--format', 'sqlite'], "an SQLite file can't be shown on a terminal"],
    [['--format', 'parquet'], "a Parquet file can't be shown on a terminal"],
    [['--force'], '--force goes only with --output'],
    [['--output', ''], '--output needs a file'],
  ])('refuses %j', async (words, message) => {
    await expect(run(words, { columns: 80 })).rejects.toMatchObject({ code: 'usage', message });
  });
});
