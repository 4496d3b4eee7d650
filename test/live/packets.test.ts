// Packets that are kept, on a machine: those of a program that has ended, compared with what tcpdump saw of it; and those behind an alert.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';
import { Pty, ptyObstacle } from '../support/pty.ts';

const SERVER = `for (const port of [8080, 9090]) require('node:http').createServer((request, out) => out.end('x'.repeat(50_000)))
  .listen(port, '10.99.0.2', () => port === 9090 && console.log('ready'));`;
const OTHER = `require('node:http').get('http://10.99.0.2:9090/', (answer) => answer.resume());`;
const reason = netnsObstacle('curl', 'tcpdump', 'tshark') ?? ptyObstacle();
const program = inject('program');

/** What tshark says of each packet: its length on the wire, and its place in the stream. */
function packetsIn(file: string, filter: string): string[] {
  const fields = ['frame.len', 'tcp.srcport', 'tcp.dstport', 'tcp.seq_raw', 'tcp.ack_raw', 'tcp.flags'].flatMap((field) => [
    '-e',
    field,
  ]);
  const words = ['-n', '-r', file, '-Y', filter, '-T', 'fields', ...fields];
  return execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 })
    .split('\n')
    .filter((line) => line !== '');
}

describe('packets kept, live', () => {
  let pair: Pair;
  let folder: string;
  let pty: Pty | null = null;

  beforeEach(async ({ skip }) => {
    if (reason !== null) skip(`packets kept, live: ${reason}`);
    pair = new Pair();
    folder = mkdtempSync(join(tmpdir(), 'netmon-kept-'));
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
  });
  afterEach(async () => {
    await pty?.end();
    pty = null;
    pair?.remove();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  it('are all of an app that has ended, and none of another', async () => {
    const reference = join(folder, 'reference.pcap');
    const watcher = pair.start(pair.near, 'tcpdump', ['-i', 'va', '--immediate-mode', '-U', '-w', reference]);
    await new Promise((resolve) => watcher.stderr.on('data', (said: Buffer) => /listening/.test(String(said)) && resolve(null)));
    const run = `cd ${folder} && exec ip netns exec ${pair.near} ${process.execPath} ${program.bin} -i va --stay-root --keep-packets 60s`;
    const home = { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, XDG_DATA_HOME: folder };
    const env = { ...home, TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: undefined, TMUX: undefined, STY: undefined };
    pty = new Pty(['sh', '-c', run], { columns: 140, rows: 40, env });
    const screen = pty;
    await screen.until(() => /keeps \d+s/.test(screen.text), 'the first sample');
    pair.run(pair.near, 'curl -s -o /dev/null http://10.99.0.2:8080/');
    pair.run(pair.near, `${process.execPath} -e "${OTHER}"`);
    screen.type('2/app:curl\r');
    await screen.until(() => /▌\S* *curl /.test(screen.text), 'the row of curl');
    screen.type('P');
    await screen.until(() => /\.pcapng: \d+ packets, .*; again/.test(screen.text), 'the file');

    pair.run(pair.near, 'curl -s -o /dev/null http://10.99.0.2:8080/');
    screen.type('P');
    await screen.until(() => screen.text.includes('WRITING curl'), 'the file to go on');
    pair.run(pair.near, 'curl -s -o /dev/null http://10.99.0.2:8080/');
    pair.run(pair.near, `${process.execPath} -e "${OTHER}"`);
    screen.type('P');
    await screen.until(() => /\.pcapng: \d+ packets, [^;]*B *$/m.test(screen.text), 'the file to end');
    screen.type('q');
    expect(await screen.status).toBe(0);
    watcher.kill('SIGINT');
    await new Promise((resolve) => watcher.once('close', resolve));

    const [name, ...others] = readdirSync(folder).filter((each) => each.endsWith('.pcapng'));
    expect([name, others]).toEqual([expect.stringMatching(/^netmon-curl-.*\.pcapng$/), []]);
    const file = join(folder, name as string);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const expected = packetsIn(reference, 'tcp.port == 8080');
    expect(expected.length).toBeGreaterThan(30);
    expect(packetsIn(file, 'tcp')).toEqual(expected);
    expect(packetsIn(file, 'not tcp')).toEqual([]);
  });

  it('are in a file that an alert names', async () => {
    const config = join(folder, 'config.toml');
    const rule = '[[alert]]\nname = "curl"\nwhen = "app:curl"\nseverity = "warning"\n';
    writeFileSync(config, `[packets]\nkeep = "60s"\non-alert = true\nfolder = "evidence"\n${rule}`);
    const words = [program.bin, '--json', '-i', 'va', '--stay-root', '--config', config, '--interval', '200ms'];
    const run = new Running(pair.start(pair.near, process.execPath, words));
    await run.until(() => run.samples.length > 0, 'the first sample');
    pair.run(pair.near, 'curl -s -o /dev/null http://10.99.0.2:8080/');
    pair.run(pair.near, `${process.execPath} -e "${OTHER}"`);
    const told = () => run.lines.find(({ type }) => type === 'alert') as unknown as { evidence: string | null } | undefined;
    await run.until(() => told() !== undefined, 'the alert');
    await run.interrupt();
    const { evidence } = told() ?? {};
    expect(evidence).toMatch(/\/evidence\/netmon-alert-.*-threshold-curl-.*\.pcapng$/);
    expect(packetsIn(evidence as string, 'tcp.port == 8080').length).toBeGreaterThan(8);
    expect(packetsIn(evidence as string, 'not tcp.port == 8080')).toEqual([]);
  });
});
