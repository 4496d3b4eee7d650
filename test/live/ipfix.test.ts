// Closed connections as Debian's nfcapd takes them: recorded by the program itself, sent as IPFIX, and read back by nfdump.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it, onTestFinished } from 'vitest';
import { protocolNumber } from '../../src/net/numbers.ts';
import { netnsObstacle, Pair } from '../support/netns.ts';

const reason = netnsObstacle('curl', 'nfcapd', 'nfdump') ?? (isOld() ? 'needs nfdump 1.7' : null);
const program = inject('program');
const PORT = 4739;
const SERVER = `
require('node:http').createServer((request, response) => response.end(Buffer.alloc(Number(request.url.slice(1)), 120)))
  .listen(80, '10.99.0.2', () => console.log('ready'));`;

/** Only tried with 1.7: what 1.6 of older distributions reads and prints isn't known. */
function isOld(): boolean {
  return /\b(?:NSEL-NEL)?1\.[0-6]\./.test(execFileSync('nfdump', ['-V'], { encoding: 'utf8' }));
}

it('nfcapd has the connections that the history has', async ({ skip }) => {
  if (reason !== null) skip(`IPFIX: ${reason}`);
  const folder = mkdtempSync(join(tmpdir(), 'netmon-ipfix-'));
  const pair = new Pair();
  onTestFinished(() => {
    pair.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const [config, history, collected] = [join(folder, 'config.toml'), join(folder, 'h.sqlite'), join(folder, 'nfcapd')];
  writeFileSync(config, `[export]\nfields = ["address"]\n[export.ipfix]\nto = "udp://127.0.0.1:${PORT}"\n`);
  chmodSync(config, 0o600);
  mkdirSync(collected);

  const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
  await new Promise((resolve) => server.stdout.once('data', resolve));
  const collector = pair.start(pair.near, 'nfcapd', ['-w', collected, '-b', '127.0.0.1', '-p', String(PORT)]);
  await expect.poll(() => pair.run(pair.near, 'ss -Hlun'), { timeout: 30_000 }).toContain(`:${PORT} `);

  /** Records these connections, and sends them when it ends. */
  const record = async (sizes: readonly number[]) => {
    const env = ['-u', 'SUDO_UID', `XDG_STATE_HOME=${join(folder, 'state')}`, `HOME=${folder}`];
    const words = ['record', '-i', 'va', '--stay-root', '--interval', '200ms', '--config', config, `--history=${history}`];
    const run = pair.start(pair.near, 'env', [...env, process.execPath, program.bin, ...words]);
    const ended = new Promise((resolve) => run.once('close', resolve));
    await new Promise((resolve) => run.stderr.once('data', resolve));
    for (const size of sizes) pair.run(pair.near, `curl -s -o /dev/null http://10.99.0.2/${size}`);
    if (sizes.length > 0) pair.datagrams(pair.near, '10.99.0.2', 5);
    run.kill('SIGINT');
    await ended;
  };
  await record([]); // an engine gets what comes after the first run
  await record([100, 20_000, 3_000_000]);
  const stopped = new Promise((resolve) => collector.once('close', resolve));
  collector.kill('SIGTERM'); // it finishes its file
  await stopped;

  const sql = `SELECT start, end, direction, protocol, local_address, local_port, remote_address, remote_port, tx_bytes, tx_packets,
    rx_bytes, rx_packets FROM flows`;
  const words = [program.bin, 'query', '--json', `--history=${history}`, sql];
  const { rows } = JSON.parse(execFileSync(process.execPath, words, { encoding: 'utf8' })) as { rows: Recorded[] };
  const recorded = rows.map(([start, end, direction, protocol, ...rest]) => {
    const [local, localPort, remote, remotePort, ...sent] = rest;
    const [ends, moved] =
      direction === 'inbound'
        ? [
            [remote, remotePort, local, localPort],
            [...sent.slice(2), ...sent.slice(0, 2)],
          ]
        : [[local, localPort, remote, remotePort], sent];
    return [start, end, protocolNumber(protocol), ...ends, ...moved].join(' ');
  });
  const json = execFileSync('nfdump', ['-q', '-R', collected, '-o', 'json'], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  });
  // whether a list is around them depends on nfdump's version
  const flows = JSON.parse(`[${json.slice(json.indexOf('{'), json.lastIndexOf('}') + 1)}]`) as Collected[];
  const read = flows.map(({ first, last, proto, src4_addr, src_port = 0, dst4_addr, dst_port = 0, ...moved }) =>
    [
      ...[`${first}Z`, `${last}Z`, proto, src4_addr, src_port, dst4_addr, dst_port],
      ...[moved.in_bytes, moved.in_packets, moved.out_bytes, moved.out_packets],
    ].join(' '),
  );
  expect(recorded.length).toBeGreaterThanOrEqual(4); // three downloads, and datagrams, which may be answered by ICMP
  expect(read.sort()).toEqual(recorded.sort());
}, 120_000);

type Ends = readonly [local: string, localPort: number, remote: string, remotePort: number];
type Moved = readonly [txBytes: number, txPackets: number, rxBytes: number, rxPackets: number];
type Recorded = readonly [start: string, end: string, direction: string, protocol: string, ...ends: Ends, ...moved: Moved];

/** A connection as nfdump prints it: what came in is what its first end sent. */
interface Collected {
  readonly first: string;
  readonly last: string;
  readonly proto: number;
  readonly src4_addr: string;
  /** Missing where the protocol has none. */
  readonly src_port?: number;
  readonly dst4_addr: string;
  readonly dst_port?: number;
  readonly in_bytes: number;
  readonly in_packets: number;
  readonly out_bytes: number;
  readonly out_packets: number;
}
