// Questions of real programs to a real server: answers, failures, times beside tshark's reading of the same packets, the apps that asked.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

interface Question {
  readonly type: string;
  readonly name: string;
  readonly record_type: string;
  readonly app: string | null;
  readonly result: string;
  readonly answers: readonly string[];
  readonly took_ms: number | null;
  readonly tries: number;
  readonly transport: string;
  readonly resolver: { readonly address: string; readonly port: number };
}

/** Answers by the first label: slow, missing, broken, silent, big (over UDP only its beginning), anything else with an address; and mDNS. */
const SERVER = `
const reply = (q, overTcp) => {
  const end = q.indexOf(0, 12) + 5;
  const label = q.subarray(13, 13 + q[12]).toString('latin1').toLowerCase();
  const head = Buffer.from(q.subarray(0, 12));
  const code = label === 'missing' ? 3 : label === 'broken' ? 2 : 0;
  const isCut = label === 'big' && !overTcp;
  head.writeUInt16BE(0x8180 | code | (isCut ? 0x200 : 0), 2);
  const has = code === 0 && !isCut ? 1 : 0;
  head.writeUInt16BE(has, 6); head.writeUInt16BE(0, 8); head.writeUInt16BE(0, 10);
  const data = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9]);
  return { label, bytes: Buffer.concat([head, q.subarray(12, end), has ? data : Buffer.alloc(0)]) };
};
const udp = require('node:dgram').createSocket('udp4');
udp.on('message', (q, from) => {
  const { label, bytes } = reply(q, false);
  if (label === 'silent') return;
  setTimeout(() => udp.send(bytes, from.port, from.address), label === 'slow' ? 150 : 0);
});
const tcp = require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => {
    const { bytes } = reply(data.subarray(2), true);
    const length = Buffer.alloc(2); length.writeUInt16BE(bytes.length);
    socket.write(length); socket.write(bytes);
  });
});
udp.bind(53, '10.99.0.2', () => tcp.listen(53, '10.99.0.2', () => console.log('ready')));
`;
/** Asks one thing over mDNS, and answers it from the other end. */
const MDNS = (address: string, message: string) => `
const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true });
socket.bind(5353, () => {
  socket.setMulticastInterface('${address}');
  socket.send(Buffer.from('${message}', 'hex'), 5353, '224.0.0.251', () => socket.close());
});`;
const MDNS_QUESTION = '000000000001000000000000077072696e746572056c6f63616c0000010001';
const MDNS_ANSWER = '000084000000000100000000077072696e746572056c6f63616c0000010001000000780004c0a80109';

const reason = netnsObstacle('dig', 'tshark', 'tcpdump');

describe('dns, live', () => {
  const program = inject('program');
  let pair: Pair;
  let folder: string;

  beforeAll(() => {
    if (reason === null) folder = mkdtempSync(join(tmpdir(), 'netmon-dns-'));
  });
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`dns, live: ${reason}`);
    pair = new Pair();
    onTestFinished(() => pair.remove());
  });

  /** Runs a program to its end, whatever that is. */
  const run = (namespace: string, command: string, ...args: string[]) =>
    new Promise<number | null>((resolve) => {
      const child = spawn('ip', ['netns', 'exec', namespace, command, ...args], { stdio: 'ignore' });
      child.on('exit', resolve);
      child.on('error', () => resolve(null));
    });
  const dig = (name: string, ...more: string[]) => run(pair.near, 'dig', '+tries=1', '+time=2', '@10.99.0.2', name, ...more);

  it('tells who asked, what came back, and the same times as tshark', async () => {
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const file = join(folder, 'dns.pcap');
    const dump = pair.start(pair.near, 'tcpdump', ['-Z', 'root', '-i', 'va', '-U', '-w', file]);
    await new Promise((resolve) => dump.stderr.once('data', resolve));
    const netmon = [program.bin, '--json', '--dns', '--interval', '200ms', '-i', 'va'];
    const running = new Running(pair.start(pair.near, process.execPath, netmon));
    await running.until(() => running.samples.length > 0, 'the first sample');
    const told = () => running.lines.filter(({ type }) => type === 'dns') as unknown as Question[];
    const one = (name: string) => told().filter((row) => row.name === name);

    await dig('plain.example.com');
    await dig('slow.example.com');
    await dig('missing.example.com');
    await dig('broken.example.com');
    await dig('big.example.com');
    const resolve = `const r = new (require('node:dns').Resolver)(); r.setServers(['10.99.0.2']); r.resolve4('node.example.com', () => {})`;
    await run(pair.near, process.execPath, '-e', resolve);
    pair.run(pair.near, 'ip route add 224.0.0.0/4 dev va');
    pair.run(pair.far, 'ip route add 224.0.0.0/4 dev vb');
    await run(pair.near, process.execPath, '-e', MDNS('10.99.0.1', MDNS_QUESTION));
    await run(pair.far, process.execPath, '-e', MDNS('10.99.0.2', MDNS_ANSWER));
    await dig('silent.example.com');
    await running.until(() => one('silent.example.com').length > 0, 'the question without an answer');
    await running.interrupt();
    dump.kill('SIGINT');
    await new Promise((done) => dump.once('close', done));

    const address = ['203.0.113.9'];
    expect(one('plain.example.com')).toMatchObject([
      { app: 'dig', result: 'NOERROR', answers: address, tries: 1, transport: 'udp' },
    ]);
    expect(one('missing.example.com')).toMatchObject([{ app: 'dig', result: 'NXDOMAIN', answers: [] }]);
    expect(one('broken.example.com').map(({ result }) => result)).toContain('SERVFAIL');
    expect(one('big.example.com')).toMatchObject([
      { app: 'dig', transport: 'udp', result: 'truncated' },
      { app: 'dig', transport: 'tcp', result: 'NOERROR', answers: address },
    ]);
    expect(one('node.example.com')).toMatchObject([{ result: 'NOERROR', resolver: { address: '10.99.0.2', port: 53 } }]);
    expect(one('node.example.com')[0]?.app).toMatch(/node/);
    expect(one('printer.local')).toMatchObject([
      { transport: 'mdns', answers: ['192.168.1.9'], resolver: { address: '10.99.0.2', port: 5353 } },
    ]);
    expect(one('silent.example.com')).toMatchObject([{ app: 'dig', result: 'no answer', took_ms: null }]);

    const fields = ['-T', 'fields', '-e', 'dns.qry.name', '-e', 'dns.time'];
    const read = spawnSync('tshark', ['-r', file, '-Y', 'dns.time', ...fields], { encoding: 'utf8' });
    const theirs = read.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t'));
    const sorted = (rows: readonly (readonly [string, number])[]) =>
      [...rows].sort(([a, x], [b, y]) => a.localeCompare(b) || x - y);
    const ours = told().flatMap(({ name, took_ms, transport }) =>
      took_ms === null || transport === 'mdns' ? [] : [[name, took_ms] as const],
    );
    expect(sorted(ours)).toEqual(
      // Each of the two captures stamps a packet by itself.
      sorted(theirs.map(([name = '', time]) => [name, Number(time) * 1000])).map(([name, ms]) => [name, expect.closeTo(ms, 0)]),
    );
  });

  it('counts what is encrypted, and keeps it in history with its app', async () => {
    const listen = "s => s.on('error', () => {}).once('data', () => s.end('no')";
    const serve = `require('node:net').createServer(${listen})).listen(443, '10.99.0.2', () => console.log('ready'))`;
    const server = pair.start(pair.far, process.execPath, ['-e', serve]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const history = `--history=${join(folder, 'history.sqlite')}`;
    const words = [program.bin, '--json', '--interval', '200ms', '-i', 'va', '--stay-root', history];
    const running = new Running(pair.start(pair.near, process.execPath, words));
    await running.until(() => running.samples.length > 0, 'the first sample');
    const connect = `require('node:tls').connect({ host: '10.99.0.2', port: 443, servername: 'dns.google' }).on('error', () => {})`;
    for (let i = 0; i < 2; i++) await run(pair.near, process.execPath, '-e', connect);
    const of = (line: unknown) =>
      (line as { encrypted_dns: readonly Record<string, unknown>[] } | undefined)?.encrypted_dns ?? [];
    await running.until(() => of(running.samples.at(-1))[0]?.['connections'] === 2, 'both connections');
    await running.interrupt();
    const { app, rx_bytes, tx_bytes } = of(running.last)[0] ?? {};
    expect(app).toMatch(/node/);
    const { stdout } = spawnSync(process.execPath, [program.bin, 'dns', '--json', history], { encoding: 'utf8' });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({
        type: 'encrypted_dns',
        app,
        resolver: 'dns.google',
        transport: 'https',
        connections: 2,
        rx_bytes,
        tx_bytes,
      }),
    ]);
  });
});
