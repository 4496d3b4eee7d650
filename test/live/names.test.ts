// Names and categories of real programs' traffic in network namespaces: dig, curl, openssl, ssh and HTTP/3, as the JSON tells them.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, type TestContext } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

interface Flow {
  readonly protocol: string;
  readonly remote: { readonly address: string; readonly port: number };
  readonly host: string;
  readonly name_source: string;
  readonly name_reason: string | null;
  readonly domain: string | null;
  readonly application: string | null;
  readonly application_source: string;
  readonly category: string | null;
  readonly tx_packets: number;
}
interface Told {
  readonly flows: readonly Flow[];
  readonly hosts: readonly { host: string | null; name_source: string; addresses: string[]; category: string | null }[];
  readonly categories: readonly { category: string | null; rx_bytes: number; tx_bytes: number }[];
  readonly total: { rx_bytes: number; tx_bytes: number };
}

/** Reachable over the pair, and neither private nor anybody's: what names may be given to. */
const WEB = '203.0.113.9';
const OTHER = '203.0.113.10';
const reason = netnsObstacle();

/** A DNS server that knows one address for every name, one name for every address, and says what it was asked. */
const DNS = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (question, from) => {
  const end = question.indexOf(0, 12) + 5;
  const head = Buffer.from(question.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2); head.writeUInt16BE(1, 6); head.writeUInt16BE(0, 8); head.writeUInt16BE(0, 10);
  const reverse = question.readUInt16BE(end - 4) === 12;
  const name = Buffer.from('\\x05host9\\x03isp\\x07example\\x00', 'latin1');
  const data = reverse ? name : Buffer.from([203, 0, 113, 9]);
  const answer = Buffer.concat([Buffer.from([0xc0, 12, 0, reverse ? 12 : 1, 0, 1, 0, 0, 0, 60, 0, data.length]), data]);
  console.log('asked ' + question.subarray(12, end - 5).toString('latin1').replace(/[^ -~]/g, '.'));
  socket.send(Buffer.concat([head, question.subarray(12, end), answer]), from.port, from.address);
});
socket.bind(53, '10.99.0.2', () => console.log('ready'));
`;
/** Listeners that say what the protocol's server says first, or nothing. */
const LISTENERS = `
const net = require('node:net');
const serve = (port, text) => new Promise((done) => net.createServer((socket) => {
  socket.on('error', () => {});
  if (text !== '') socket.write(text);
  setTimeout(() => socket.destroy(), 300);
}).listen(port, '203.0.113.9', done));
Promise.all([serve(2222, 'SSH-2.0-OpenSSH_9.6\\r\\n'), serve(9000, '')]).then(() => console.log('ready'));
`;
const HTTP = `require('node:http').createServer((_, out) => out.end('hello')).listen(8080, '203.0.113.9', () => console.log('ready'));`;

describe('names, live', () => {
  const program = inject('program');
  let pair: Pair;
  let folder: string;

  beforeAll(() => {
    if (reason !== null) return;
    folder = mkdtempSync(join(tmpdir(), 'netmon-names-'));
  });
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`names, live: ${reason}`);
    pair = new Pair();
    onTestFinished(() => pair.remove());
    pair.run(pair.far, `ip addr add ${WEB}/32 dev lo; ip addr add ${OTHER}/32 dev lo`);
    pair.run(pair.near, 'ip route add 203.0.113.0/24 via 10.99.0.2');
  });

  function needs(context: TestContext, ...programs: string[]): void {
    const missing = netnsObstacle(...programs);
    if (missing !== null) context.skip(`names, live: ${missing}`);
  }

  /** @returns what it says besides being ready */
  async function script(text: string): Promise<string[]> {
    const child = pair.start(pair.far, process.execPath, ['-e', text]);
    const said: string[] = [];
    child.stdout.on('data', (data: Buffer) => said.push(...data.toString().trim().split('\n')));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return said;
  }

  async function watch(...args: string[]): Promise<Running> {
    const all = [program.bin, '--json', '--interval', '200ms', '-i', 'va', ...args];
    const run = new Running(pair.start(pair.near, process.execPath, all));
    await run.until(() => run.samples.length > 0, 'the first sample');
    return run;
  }

  const told = (run: Running) => run.last as unknown as Told;

  /** Runs a program to its end, whatever that is. */
  const near = (command: string, ...args: string[]) =>
    new Promise<number | null>((resolve) => {
      const child = spawn('ip', ['netns', 'exec', pair.near, command, ...args], { stdio: ['ignore', 'ignore', 'ignore'] });
      child.on('exit', resolve);
      child.on('error', () => resolve(null));
    });

  /** The flow to a port, once the sample has it as it should be; its end in the last line. */
  async function flowTo(run: Running, port: number, isDone: (flow: Flow) => boolean): Promise<Flow> {
    const find = () => (run.lines.length === 0 ? undefined : told(run).flows?.find(({ remote }) => remote.port === port));
    await run.until(() => {
      const flow = find();
      return flow !== undefined && isDone(flow);
    }, `a flow to port ${port} as expected`);
    await run.interrupt();
    const sums = told(run);
    const bytes = sums.total.rx_bytes + sums.total.tx_bytes;
    expect(sums.categories.reduce((sum, row) => sum + row.rx_bytes + row.tx_bytes, 0)).toBe(bytes);
    return find() as Flow;
  }

  it('by an answer that dig got, for a flow that says nothing', async (context) => {
    needs(context, 'dig');
    await script(DNS);
    await script(LISTENERS);
    const run = await watch();
    expect(await near('dig', '+tries=1', '+time=3', '@10.99.0.2', 'www.youtube.com')).toBe(0);
    await near(process.execPath, '-e', `require('node:net').connect(9000, '${WEB}').on('close', () => {}).on('error', () => {})`);
    const flow = await flowTo(run, 9000, ({ name_source }) => name_source === 'dns');
    expect(flow).toMatchObject({
      host: 'www.youtube.com',
      domain: 'youtube.com',
      name_source: 'dns',
      name_reason: null,
      category: 'Streaming',
    });
    const asked = told(run).flows.find(({ remote }) => remote.port === 53);
    expect(asked).toMatchObject({ application: 'dns', application_source: 'content', name_source: 'none' });
    expect(told(run).hosts).toContainEqual(
      expect.objectContaining({ host: 'www.youtube.com', name_source: 'dns', addresses: [WEB], category: 'Streaming' }),
    );
  });

  it('by the Host that curl asks for, over what DNS said of the address', async (context) => {
    needs(context, 'curl', 'dig');
    await script(DNS);
    await script(HTTP);
    const run = await watch();
    await near('dig', '+tries=1', '+time=3', '@10.99.0.2', 'cdn.example.net');
    expect(await near('curl', '-s', '--max-time', '5', '-H', 'Host: www.github.com', `http://${WEB}:8080/`)).toBe(0);
    const flow = await flowTo(run, 8080, ({ name_source }) => name_source === 'http');
    expect(flow).toMatchObject({
      host: 'www.github.com',
      domain: 'github.com',
      name_source: 'http',
      application: 'http',
      application_source: 'content',
      category: 'Development',
    });
  });

  /** A certificate and a server that takes whoever comes. */
  async function tlsServer(): Promise<void> {
    const key = join(folder, 'key.pem');
    const certificate = join(folder, 'cert.pem');
    const subject = ['-nodes', '-days', '2', '-subj', '/CN=test'];
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', ...subject];
    execFileSync('openssl', [...made, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    const server = pair.start(pair.far, 'openssl', [
      's_server',
      ...['-accept', `${WEB}:443`, '-key', key, '-cert', certificate, '-www'],
    ]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
  }

  it('by the name in the hello of curl', async (context) => {
    needs(context, 'curl', 'openssl');
    await tlsServer();
    const run = await watch();
    const resolve = ['--resolve', `open.spotify.com:443:${WEB}`];
    expect(await near('curl', '-sk', '--max-time', '5', ...resolve, 'https://open.spotify.com/')).toBe(0);
    const flow = await flowTo(run, 443, ({ name_source }) => name_source === 'tls');
    expect(flow).toMatchObject({
      host: 'open.spotify.com',
      domain: 'spotify.com',
      application: 'https',
      application_source: 'content',
      category: 'Streaming',
    });
  });

  it('by a hello that takes several segments', async (context) => {
    needs(context, 'openssl', 'ethtool');
    for (const [namespace, device] of [
      [pair.near, 'va'],
      [pair.far, 'vb'],
    ] as const)
      pair.run(namespace, `ethtool -K ${device} tso off gso off gro off tx off 2>/dev/null || :`);
    await tlsServer();
    const run = await watch();
    // 24 names of 200 bytes: 4.8 KB before the name of the server or behind it, as the library likes.
    const protocols = Array.from({ length: 24 }, (_, i) => `${i}`.padStart(200, 'p')).join(',');
    await near('openssl', 's_client', '-connect', `${WEB}:443`, '-servername', 'gitlab.com', '-alpn', protocols);
    const flow = await flowTo(run, 443, ({ name_source }) => name_source === 'tls');
    expect(flow).toMatchObject({
      host: 'gitlab.com',
      name_source: 'tls',
      application_source: 'content',
      category: 'Development',
    });
    // SYN, ACK and at least four segments of hello: it really came in pieces.
    expect(flow.tx_packets).toBeGreaterThanOrEqual(6);
  });

  it('and says why there is none where the hello has no name', async (context) => {
    needs(context, 'openssl');
    await tlsServer();
    const run = await watch();
    await near('openssl', 's_client', '-connect', `${WEB}:443`, '-noservername');
    const flow = await flowTo(run, 443, ({ application_source }) => application_source === 'content');
    expect(flow).toMatchObject({ host: WEB, name_source: 'none', name_reason: 'no DNS seen since the start', category: 'Web' });
  });

  it('and knows ssh by its banner, on whatever port', async (context) => {
    needs(context, 'ssh');
    await script(LISTENERS);
    const run = await watch();
    const options = ['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=no', '-o', 'ConnectTimeout=3', '-p', '2222'];
    await near('ssh', ...options, `nobody@${WEB}`);
    const flow = await flowTo(run, 2222, ({ application_source }) => application_source === 'content');
    expect(flow).toMatchObject({ application: 'ssh', name_source: 'none' });
    expect(flow.category).not.toBe('Other');
  });

  it('by the hello of HTTP/3', async (context) => {
    needs(context, 'caddy', 'gtlsclient', 'unshare');
    const config = join(folder, 'Caddyfile');
    writeFileSync(
      config,
      `{\n admin off\n auto_https disable_redirects\n skip_install_trust\n}\nhttps://www.twitch.tv {\n tls internal\n bind ${WEB}\n respond hello\n}\n`,
    );
    const server = pair.start(pair.far, 'env', [
      `HOME=${folder}`,
      `XDG_DATA_HOME=${folder}`,
      'caddy',
      'run',
      '--config',
      config,
      '--adapter',
      'caddyfile',
    ]);
    let log = '';
    server.stderr.on('data', (text: Buffer) => {
      log += text.toString();
    });
    for (let i = 0; i < 250 && !log.includes('serving initial configuration'); i++)
      await new Promise((done) => setTimeout(done, 20));
    const run = await watch();
    // The client puts `localhost` in its hello when it is given an address: it gets a name that its own /etc/hosts knows.
    const hosts = join(folder, 'hosts');
    writeFileSync(hosts, `${WEB} www.twitch.tv\n`);
    const client = 'timeout 5 gtlsclient --exit-on-all-streams-close www.twitch.tv 443 https://www.twitch.tv/';
    await near('unshare', '-m', 'sh', '-c', `mount --bind ${hosts} /etc/hosts && exec ${client}`);
    const flow = await flowTo(run, 443, ({ name_source }) => name_source === 'quic');
    expect(flow).toMatchObject({ protocol: 'udp', host: 'www.twitch.tv', application_source: 'content', category: 'Streaming' });
  });

  it('by a reverse look-up of our own, where that is wanted, and of no address that is not global', async (context) => {
    needs(context, 'unshare');
    const said = await script(DNS);
    await script(LISTENERS);
    const resolver = join(folder, 'resolv.conf');
    writeFileSync(resolver, 'nameserver 10.99.0.2\n');
    const command = [process.execPath, program.bin, '--json', '--interval', '200ms', '-i', 'va', '--reverse-dns'].join(' ');
    const mounted = `mount --bind ${resolver} /etc/resolv.conf && exec ${command}`;
    const run = new Running(pair.start(pair.near, 'unshare', ['-m', 'sh', '-c', mounted]));
    await run.until(() => run.samples.length > 0, 'the first sample');
    const connect = (port: number, address: string) =>
      near(
        process.execPath,
        '-e',
        `require('node:net').connect(${port}, '${address}').on('close', () => {}).on('error', () => {})`,
      );
    await connect(9001, '10.99.0.2');
    await connect(9000, WEB);
    const flow = await flowTo(run, 9000, ({ name_source }) => name_source === 'ptr');
    expect(flow).toMatchObject({ host: 'host9.isp.example', domain: 'isp.example', name_reason: null, remote: { address: WEB } });
    expect(run.last.capture).toMatchObject({ reverse_dns: true });
    expect(said.filter((line) => line.startsWith('asked'))).toEqual(['asked .9.113.0.203.in-addr.arpa']);
  });

  it('by nothing that we asked for ourselves: watching makes no traffic', async () => {
    const said = await script(DNS);
    await script(LISTENERS);
    const run = await watch();
    await near(process.execPath, '-e', `require('node:net').connect(9000, '${WEB}').on('close', () => {}).on('error', () => {})`);
    await run.until(() => told(run).flows?.some(({ remote }) => remote.port === 9000) ?? false, 'the flow');
    await new Promise((resolve) => setTimeout(resolve, 4000)); // longer than a look-up waits for a name to come
    await run.interrupt();
    expect(run.last.capture).toMatchObject({ reverse_dns: false });
    expect(told(run).flows.map(({ remote }) => remote.port)).toEqual([9000]);
    expect(said).toEqual(['ready']);
  });
});
