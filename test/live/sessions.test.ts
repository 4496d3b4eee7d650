// The program itself in network namespaces: what it counts beside what the kernel counted, and how it ends.

import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

const reason = netnsObstacle('curl');
const BODY = 1_500_000;
/** An HTTP server that gives BODY bytes to whoever asks. */
const SERVER = `
const body = Buffer.alloc(${BODY}, 120);
require('node:http').createServer((_, response) => response.end(body)).listen(8000, '10.99.0.2', () => console.log('ready'));
`;
/** Sends each frame, as hex, on the interface. */
const SENDER = `
import socket, sys
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(('va', 0))
for line in sys.stdin:
    out.send(bytes.fromhex(line.strip()))
`;

describe('live sessions', () => {
  const program = inject('program');
  let pair: Pair;

  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`live sessions: ${reason}`);
    pair = new Pair();
    onTestFinished(() => pair.remove());
  });

  const netmon = (...args: string[]): Running =>
    new Running(pair.start(pair.near, process.execPath, [program.bin, '--json', '--interval', '200ms', ...args]));

  async function serve(): Promise<void> {
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
  }

  const curl = (...args: string[]) =>
    new Promise<number | null>((resolve) => {
      const all = ['netns', 'exec', pair.near, 'curl', '-s', '-o', '/dev/null', ...args, 'http://10.99.0.2:8000/'];
      spawn('ip', all, { stdio: 'ignore' }).on('exit', resolve);
    });

  it('counts the bytes that the interface counted, and gives them to the app that moved them', async () => {
    await serve();
    const run = netmon('-i', 'va');
    await run.until(() => run.samples.length > 0, 'the first sample');
    const before = ['rx_bytes', 'rx_packets', 'tx_bytes', 'tx_packets'].map((name) => pair.counter('va', name));
    expect(await curl('--limit-rate', '1M')).toBe(0);
    await run.until(() => run.last.capture?.interface_bytes === run.last.capture?.frame_bytes, 'all bytes');
    const after = ['rx_bytes', 'rx_packets', 'tx_bytes', 'tx_packets'].map((name) => pair.counter('va', name));
    expect(await run.interrupt()).toBe(130);
    const { last } = run;
    expect(last.type).toBe('end');
    expect(last.capture).toMatchObject({ dropped: 0, frame_bytes: last.capture.interface_bytes });
    const [rxBytes = 0, rxPackets = 0, txBytes = 0, txPackets = 0] = after.map((value, i) => value - (before[i] as number));
    const app = last.apps.find((each) => each.app === 'curl');
    expect(app).toMatchObject({ rx_bytes: rxBytes - 14 * rxPackets, tx_bytes: txBytes - 14 * txPackets, flows: 1 });
    expect(app?.rx_bytes).toBeGreaterThan(BODY);
    expect(last.flows).toMatchObject([{ protocol: 'tcp', direction: 'outbound', app: 'curl', remote: { port: 8000 } }]);
  });

  it('counts the same on `any`, loopback included', async () => {
    await serve();
    const run = netmon('-i', 'any');
    await run.until(() => run.samples.length > 0, 'the first sample');
    const seen = () => ['va', 'lo'].map((device) => pair.counter(device, 'rx_bytes') + pair.counter(device, 'tx_bytes'));
    const before = seen();
    expect(await curl()).toBe(0);
    pair.datagrams(pair.near, '127.0.0.1', 20);
    const after = seen();
    // lo counts each packet twice, sent and received; it is captured once.
    const [va = 0, lo = 0] = after.map((value, i) => value - (before[i] as number));
    await run.until(() => run.last.capture?.frame_bytes >= va + lo / 2, 'all bytes');
    await run.interrupt();
    expect(run.last.capture).toMatchObject({ dropped: 0, frame_bytes: va + lo / 2 });
    expect(new Set(run.last.flows.map((flow) => `${flow.interface} ${flow.protocol}`))).toEqual(
      new Set(['va tcp', 'lo udp', 'lo icmp']), // nobody listens: the kernel says so
    );
  });

  it('counts on loopback what it counts itself', async () => {
    const run = netmon('-i', 'lo');
    await run.until(() => run.samples.length > 0, 'the first sample');
    pair.datagrams(pair.near, '127.0.0.1', 20);
    await run.until(() => (run.samples.at(-1)?.capture.packets ?? 0) >= 40, 'all datagrams');
    await run.interrupt();
    // 20 datagrams, and as many answers of the kernel that nobody listens: those hold 28 bytes more.
    expect(run.last.capture).toMatchObject({
      packets: 40,
      frame_bytes: 20 * 128 + 20 * 156,
      interface_bytes: 20 * 128 + 20 * 156,
    });
  });

  it('counts every frame, however short or wrong', async ({ skip }) => {
    if (netnsObstacle('python3') !== null) skip('live sessions: needs the program python3');
    const run = netmon('-i', 'va');
    await run.until(() => run.samples.length > 0, 'the first sample');
    const before = run.last.capture.packets;
    const ethernet = `${'02'.repeat(6)}${'04'.repeat(6)}`;
    const frames: string[] = [];
    for (const type of ['0800', '86dd', '8100', '88a8', '0806'])
      for (let length = 0; length < 64; length += 3)
        frames.push(`${ethernet}${type}${type === '86dd' ? '60' : '4f'}${'06'.repeat(length)}`);
    const send = ['netns', 'exec', pair.near, 'python3', '-c', SENDER];
    execFileSync('ip', send, { input: `${frames.join('\n')}\n` });
    await run.until(() => run.last.capture?.packets - before >= frames.length, 'all frames');
    await run.interrupt();
    expect(run.last.capture.packets - before).toBe(frames.length);
  });

  it('goes on after its interface was down, and ends with 8 when it is deleted', async () => {
    const run = netmon('-i', 'va');
    await run.until(() => run.samples.length > 0, 'the first sample');
    pair.run(pair.near, 'ip link set va down');
    await new Promise((resolve) => setTimeout(resolve, 500));
    pair.run(pair.near, 'ip link set va up');
    pair.introduce();
    const before = run.last.capture?.packets ?? 0;
    await run.until(() => {
      pair.datagrams(pair.far, '10.99.0.1', 2);
      return (run.samples.at(-1)?.capture.packets ?? 0) > before + 2;
    }, 'packets after the interface was up again');
    pair.run(pair.near, 'ip link del va');
    expect(await run.ended).toBe(8);
    expect(run.last.type).toBe('end');
    expect(run.stderr).toMatch(/va.*\n.*netmon-tui interfaces/);
  });

  it('ends with 4 for an interface that is not there, and lists those that are', async () => {
    const run = netmon('-i', 'nosuch0');
    expect(await run.ended).toBe(4);
    expect(run.stderr).toMatch(/nosuch0.*lo.*va|nosuch0.*va.*lo/);
    expect(run.lines).toEqual([]);
  });

  it('ends with 5 for a capture filter that is none, and takes one that is', async () => {
    const bad = netmon('-i', 'va', '--bpf', 'tcp prot 1');
    expect([await bad.ended, bad.stderr.includes('tcp prot 1')]).toEqual([5, true]);
    const run = netmon('-i', 'va', '--bpf', 'udp');
    await run.until(() => run.samples.length > 0, 'the first sample');
    await serve();
    await curl();
    pair.datagrams(pair.near, '10.99.0.2', 4);
    await run.until(() => run.last.capture?.packets >= 4, 'the datagrams');
    await run.interrupt();
    expect(run.last.flows.map((flow) => flow.protocol)).toEqual(['udp']);
    expect(run.last.capture.packets).toBe(4);
  });

  it('ends with 0 when nobody reads any more', async () => {
    const main = JSON.stringify(program.bin);
    const command = `${process.execPath} ${main} --json --interval 100ms -i va | head -n 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    const text = execFileSync('ip', ['netns', 'exec', pair.near, 'bash', '-c', command], { encoding: 'utf8', timeout: 15_000 });
    expect(text.trim()).toBe('0');
  });

  it('ends with 3 without rights', async ({ skip }) => {
    const drop = ['--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'];
    const files = [process.execPath, join(program.modules, 'main.js')];
    try {
      execFileSync('setpriv', [...drop, process.execPath, '-e', `require('node:fs').readFileSync(${JSON.stringify(files[1])})`], {
        stdio: 'ignore',
      });
    } catch {
      skip('live sessions: another user can not run node here');
    }
    const child = pair.start(pair.near, 'setpriv', [...drop, process.execPath, program.bin, '--json', '-i', 'va']);
    const run = new Running(child);
    expect(await run.ended).toBe(3);
    expect(run.stderr).toContain('sudo');
  });
});
