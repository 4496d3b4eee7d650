// Questions of DNS through the whole pipeline, beside tshark's reading of the same captures: the same answers, and the same times.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { fileURLToPath } from 'node:url';
import dnsPacket from 'dns-packet';
import { afterAll, describe, expect, it } from 'vitest';
import { type Block, type FrameRecord, pcapFile, pcapngFile } from '../support/capture-writer.ts';
import { be16, ethernet, ipv4, join, tcp, udp } from '../support/frames.ts';
import { tlsHello } from '../support/payloads.ts';
import { lineFaults } from '../support/schemas.ts';
import { linesOf } from '../support/whole-run.ts';

const CLIENT = '10.0.0.1';
const RESOLVER = '10.0.0.53';
const T0 = Date.UTC(2026, 0, 1);
const hasTshark = spawnSync('tshark', ['--version']).status === 0;
if (!hasTshark) console.warn('skipped: times of DNS compared with tshark (it is not installed)');

const folder = mkdtempSync(path(tmpdir(), 'netmon-dns-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Question {
  readonly type: 'dns';
  readonly name: string;
  readonly record_type: string;
  readonly transport: string;
  readonly resolver: { readonly address: string; readonly port: number };
  readonly result: string;
  readonly answers: readonly string[];
  readonly took_ms: number | null;
  readonly tries: number;
  readonly app: string | null;
}

async function questionsIn(file: string, ...words: string[]): Promise<Question[]> {
  const lines = await linesOf(file, '--speed', '0', '--dns', ...words);
  const found = lines.filter(({ type }) => type === 'dns');
  expect(found.flatMap(lineFaults)).toEqual([]);
  return found as unknown as Question[];
}

/** Milliseconds until each answer that tshark matches with a question, sorted. */
function timesByTshark(file: string): number[] {
  const words = ['-r', file, '-Y', 'dns.time', '-T', 'fields', '-e', 'dns.time'];
  const text = execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  return text
    .split('\n')
    .flatMap((line) => line.split(',').filter(Boolean))
    .map((time) => Number(time) * 1000)
    .sort((a, b) => a - b);
}

type Kind = 'query' | 'response';
const message = (
  kind: Kind,
  id: number,
  name: string,
  fields: Partial<dnsPacket.Packet> = {},
  type: dnsPacket.RecordType = 'A',
) => Uint8Array.from(dnsPacket.encode({ type: kind, id, questions: [{ name, type }], ...fields }));
const a = (name: string, data: string): dnsPacket.Answer => ({ type: 'A', name, data, ttl: 60 });

class Capture {
  readonly records: FrameRecord[] = [];

  udp(ms: number, kind: Kind, port: number, payload: Uint8Array): void {
    const isAsked = kind === 'query';
    const ends = isAsked ? { src: CLIENT, dst: RESOLVER } : { src: RESOLVER, dst: CLIENT };
    const ports = isAsked ? { sport: port, dport: 53 } : { sport: 53, dport: port };
    this.records.push({ time: T0 + ms, data: ethernet({}, ipv4(ends, udp(ports, payload))) });
  }

  tcp(ms: number, kind: Kind, seq: number, payload: Uint8Array): void {
    const isAsked = kind === 'query';
    const ends = isAsked ? { src: CLIENT, dst: RESOLVER } : { src: RESOLVER, dst: CLIENT };
    const ports = isAsked ? { sport: 50_053, dport: 53 } : { sport: 53, dport: 50_053 };
    this.records.push({ time: T0 + ms, data: ethernet({}, ipv4(ends, tcp({ ...ports, seq, flags: 0x18 }, payload))) });
  }

  write(name: string): string {
    const file = path(folder, name);
    const records = [...this.records].sort((x, y) => (x.time ?? 0) - (y.time ?? 0));
    writeFileSync(file, pcapFile({ nanos: true, records }));
    return file;
  }
}

describe('encrypted DNS of a capture', () => {
  const capture = new Capture();
  const hello = (sport: number, dst: string, name: string) => {
    const ends = { src: CLIENT, dst };
    const segment = (ms: number, fields: object, payload?: Uint8Array) =>
      capture.records.push({
        time: T0 + ms,
        data: ethernet({}, ipv4(ends, tcp({ sport, dport: 443, seq: 1, ...fields }, payload))),
      });
    segment(0, { seq: 0, flags: 2 });
    segment(20, { flags: 0x18 }, tlsHello({ name }));
  };
  hello(50_001, '8.8.8.8', 'dns.google');
  hello(50_002, '8.8.8.8', 'dns.google');
  hello(50_003, '192.0.2.9', 'www.example.com');
  const file = capture.write('encrypted.pcap');
  const told = async (...words: string[]) => {
    const lines = await linesOf(file, '--speed', '0', ...words);
    expect(lines.flatMap(lineFaults)).toEqual([]);
    return lines.map(({ type, encrypted_dns, flows }) => ({
      type,
      encrypted: encrypted_dns as object[],
      flows: flows as Flow[],
    }));
  };
  interface Flow {
    readonly host: string;
    readonly ja4: string | null;
    readonly ja4s: string | null;
  }

  it('is told with its resolver and connections, under a filter only what matches', async () => {
    const last = (await told()).at(-1);
    expect(last?.encrypted).toMatchObject([{ app: null, resolver: 'dns.google', transport: 'https', connections: 2 }]);
    expect((await told('--filter', 'application:doh')).at(-1)?.encrypted).toHaveLength(1);
    expect((await told('--filter', 'host:example.com')).at(-1)?.encrypted).toEqual([]);
  });

  it('has the fingerprint of each hello', async () => {
    const flows = (await told()).at(-1)?.flows ?? [];
    expect(flows).toHaveLength(3);
    expect(new Set(flows.map(({ ja4 }) => ja4)).size).toBe(1);
    for (const { ja4, ja4s } of flows)
      expect([ja4, ja4s]).toEqual([expect.stringMatching(/^t\d\dd\d{4}.._[0-9a-f]{12}_[0-9a-f]{12}$/), null]);
  });
});

describe('questions of a capture', () => {
  const capture = new Capture();
  capture.udp(0, 'query', 40_001, message('query', 1, 'www.example.com'));
  capture.udp(
    12.345,
    'response',
    40_001,
    message('response', 1, 'www.example.com', {
      answers: [a('www.example.com', '192.0.2.7'), a('www.example.com', '192.0.2.8')],
    }),
  );
  capture.udp(20, 'query', 40_002, message('query', 2, 'nowhere.example.com'));
  capture.udp(45, 'response', 40_002, message('response', 2, 'nowhere.example.com', { flags: 3 }));
  capture.udp(50, 'query', 40_003, message('query', 3, 'slow.example.com'));
  capture.udp(1050, 'query', 40_003, message('query', 3, 'slow.example.com'));
  capture.udp(1250, 'response', 40_003, message('response', 3, 'slow.example.com', { flags: 2 }));
  capture.udp(1300, 'query', 40_004, message('query', 4, 'www.example.com', {}, 'AAAA'));
  capture.udp(1310, 'response', 40_004, message('response', 4, 'www.example.com', {}, 'AAAA'));
  capture.udp(1400, 'query', 40_005, message('query', 5, 'lost.example.com'));
  capture.udp(1500, 'query', 40_006, message('query', 6, 'big.example.com', {}, 'TXT'));
  capture.udp(1501, 'response', 40_006, message('response', 6, 'big.example.com', { flags: 0x200 }, 'TXT'));
  const asked = message('query', 7, 'big.example.com', {}, 'TXT');
  const told = message(
    'response',
    7,
    'big.example.com',
    { answers: [{ type: 'TXT', name: 'big.example.com', data: 'v=spf1 -all' }] },
    'TXT',
  );
  capture.tcp(1510, 'query', 1000, join(be16(asked.length), asked));
  capture.tcp(1540, 'response', 5000, join(be16(told.length), told));
  capture.udp(13_000, 'query', 40_008, message('query', 8, 'last.example.com'));
  const file = capture.write('all.pcap');

  it('are told with their answers, failures and times', async () => {
    const questions = await questionsIn(file);
    const resolver = { address: RESOLVER, port: 53 };
    expect(
      questions.map(({ name, record_type, transport, result, took_ms, tries, answers }) => [
        name,
        record_type,
        transport,
        result,
        took_ms,
        tries,
        answers.join(' '),
      ]),
    ).toEqual([
      ['www.example.com', 'A', 'udp', 'NOERROR', 12.345, 1, '192.0.2.7 192.0.2.8'],
      ['nowhere.example.com', 'A', 'udp', 'NXDOMAIN', 25, 1, ''],
      ['slow.example.com', 'A', 'udp', 'SERVFAIL', 1200, 2, ''],
      ['www.example.com', 'AAAA', 'udp', 'NODATA', 10, 1, ''],
      ['big.example.com', 'TXT', 'udp', 'truncated', 1, 1, ''],
      ['big.example.com', 'TXT', 'tcp', 'NOERROR', 30, 1, 'v=spf1 -all'],
      ['lost.example.com', 'A', 'udp', 'no answer', null, 1, ''],
      ['last.example.com', 'A', 'udp', 'waiting', null, 1, ''],
    ]);
    expect(new Set(questions.map((one) => JSON.stringify(one.resolver)))).toEqual(new Set([JSON.stringify(resolver)]));
  });

  it('are filtered by name, result, time and resolver', async () => {
    const names = async (filter: string) => (await questionsIn(file, '--filter', filter)).map(({ name }) => name.split('.')[0]);
    expect(await names('host:nowhere')).toEqual(['nowhere']);
    expect(await names('state:servfail')).toEqual(['slow']);
    expect(await names('rtt>20ms proto:udp')).toEqual(['nowhere', 'slow']);
    expect(await names(`dst:${RESOLVER} state:"no answer"`)).toEqual(['lost']);
    expect(await names('app:curl')).toEqual([]);
  });

  it('are not told unless they are asked for', async () => {
    const lines = await linesOf(file, '--speed', '0');
    expect(lines.some(({ type }) => type === 'dns')).toBe(false);
  });

  it.runIf(hasTshark)('take as long as tshark says', async () => {
    const times = (await questionsIn(file)).flatMap(({ took_ms }) => took_ms ?? []).sort((x, y) => x - y);
    expect(times).toEqual(timesByTshark(file).map((ms) => expect.closeTo(ms, 2)));
  });

  it('name the app for which mDNSResponder asks, also where one socket asks for many', async () => {
    const [safari, mail] = [1, 2];
    const asks = (id: number, effective: number | null): Block => ({
      block: 'packet',
      interface: 0,
      ticks: BigInt(T0 + id) * 1000n,
      direction: 'out',
      process: 0,
      ...(effective === null ? {} : { effective }),
      data: ethernet(
        {},
        ipv4({ src: CLIENT, dst: RESOLVER }, udp({ sport: 50_001, dport: 53 }, message('query', id, `n${id}.example.com`))),
      ),
    });
    const blocks: Block[] = [
      { block: 'section' },
      { block: 'interface', name: 'en0', link: 1 },
      { block: 'process', pid: 300, name: 'mDNSResponder' },
      { block: 'process', pid: 501, name: 'Safari' },
      { block: 'process', pid: 502, name: 'Mail' },
    ];
    const file = path(folder, 'mac.pcapng');
    writeFileSync(file, pcapngFile([...blocks, ...[1, 2, 3].map((id) => asks(id, safari)), asks(4, mail), asks(5, null)]));
    const found = (await questionsIn(file)) as (Question & { on_behalf_of: string | null })[];
    expect(found.map(({ name, app, on_behalf_of }) => [name.split('.')[0], app, on_behalf_of])).toEqual([
      ['n1', 'mDNSResponder', 'Safari'],
      ['n2', 'mDNSResponder', 'Safari'],
      ['n3', 'mDNSResponder', 'Safari'],
      ['n4', 'mDNSResponder', 'Mail'],
      ['n5', 'mDNSResponder', 'Safari'],
    ]);
  });

  it('are counted where they come too fast to be listed one by one', async () => {
    const flood = new Capture();
    for (let i = 0; i < 20_000; i++) {
      flood.udp(i / 1000, 'query', 40_000 + (i % 20_000), message('query', i, `n${i}.example.com`));
      flood.udp(i / 1000 + 0.5, 'response', 40_000 + (i % 20_000), message('response', i, `n${i}.example.com`, { flags: 3 }));
    }
    const questions = await questionsIn(flood.write('flood.pcap'));
    expect(questions.length).toBe(20_000);
    expect(questions.every(({ result, took_ms }) => result === 'NXDOMAIN' && took_ms === 0.5)).toBe(true);
  });
});

const SAMPLE = fileURLToPath(new URL('../../../shared/samples/PcapPlusPlus/many_interfaces-1.pcapng', import.meta.url));
if (!existsSync(SAMPLE)) console.warn('skipped: times of DNS in a capture of another project (it is not here)');

describe.runIf(hasTshark && existsSync(SAMPLE))('a capture of another project', () => {
  it('has the same times as with tshark', async () => {
    const times = (await questionsIn(SAMPLE)).flatMap(({ took_ms }) => took_ms ?? []).sort((x, y) => x - y);
    expect(times).toEqual(timesByTshark(SAMPLE).map((ms) => expect.closeTo(ms, 2)));
  });
});
