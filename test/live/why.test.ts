// `netmon-tui why` beside real traffic over a link that is slow or loses packets: it says the right thing, and nothing when all is well.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, type TestContext } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

interface Why {
  readonly diagnoses: readonly { kind: string; text: string; holds: boolean }[];
  readonly hosts: readonly {
    host: string;
    round_trip: { median_ms: number; least_ms: number; samples: number } | null;
    answered: number;
    unanswered: number;
  }[];
}

const HOSTS = [1, 2, 3].map((last) => `198.51.100.${last}`);
const [SLOW = '', OTHER = ''] = HOSTS;
const reason = netnsObstacle('python3');
const LINK = join(import.meta.dirname, '../support/slow-link.py');
const SERVER = `require('node:http').createServer((q, a) => a.end(Buffer.alloc(+q.url.slice(1)))).listen(80, () => console.log('ready'));`;
/** Asks each host again and again, each time over a new connection. */
const CLIENT = `const http = require('node:http'); const [bytes, ...hosts] = process.argv.slice(1);
const ask = (host) => { const again = () => setTimeout(ask, 100, host);
  http.get({ host, path: '/' + bytes, agent: false, timeout: 4000 }, (a) => a.resume().on('end', again).on('error', again)).on('error', again); };
for (const host of hosts) ask(host); console.log('ready');`;

let pair: Pair;
let link: ReturnType<typeof spawn>;

/** Sets how packets to and from addresses fare: milliseconds, and percent lost. */
async function rule(lines: readonly string[]): Promise<void> {
  const heard = new Promise((resolve) => link.stdout?.once('data', resolve));
  link.stdin?.write(`${lines.join('\n')}\n`);
  await heard;
}

const ready = (child: { stdout: NodeJS.ReadableStream | null }) => new Promise((resolve) => child.stdout?.once('data', resolve));

/** What is said of a host while each host is asked for so many bytes at a time. */
async function why(host: string, bytes: number): Promise<Why> {
  const client = pair.start(pair.near, process.execPath, ['-e', CLIENT, String(bytes), ...HOSTS, ...HOSTS]);
  await ready(client);
  const words = ['why', host, '-i', 'slow0', '--json', '--stay-root', '--duration', '6s'];
  const run = new Running(pair.start(pair.near, process.execPath, [inject('program').bin, ...words]));
  expect(await run.ended, run.stderr).toBe(0);
  client.kill('SIGKILL');
  return run.last as unknown as Why;
}

const told = ({ diagnoses }: Why) => diagnoses.filter(({ holds }) => holds).map(({ kind }) => kind);

describe('why', () => {
  beforeEach((context: TestContext) => {
    if (reason !== null) context.skip(reason);
  });

  beforeAll(async () => {
    if (reason !== null) return;
    pair = new Pair();
    link = spawn('python3', [LINK, pair.near, pair.far], { stdio: ['pipe', 'pipe', 'inherit'] });
    await ready(link);
    pair.run(
      pair.near,
      'ip addr add 192.0.2.1/32 dev slow0; ip link set slow0 up; ip route add 198.51.100.0/24 dev slow0 src 192.0.2.1',
    );
    pair.run(pair.far, 'ip link set slow0 up; ip route add 192.0.2.1/32 dev slow0');
    for (const host of HOSTS) pair.run(pair.far, `ip addr add ${host}/32 dev lo`);
    await ready(pair.start(pair.far, process.execPath, ['-e', SERVER]));
  });

  afterAll(() => {
    link?.kill();
    pair?.remove();
  });

  it('says nothing when all is well', async () => {
    await rule(['* 12 0']);
    const answer = await why(SLOW, 1000);
    expect(answer.diagnoses).toEqual([]);
    expect(answer.hosts[0]?.answered).toBeGreaterThan(3);
  });

  it('finds the slow host, and does not blame another', async () => {
    await rule(['* 12 0', `${SLOW} 180 0`]);
    const answer = await why(SLOW, 1000);
    expect(told(answer)).toEqual(['host is slow']);
    // A machine that is busy is late, never early.
    expect(answer.hosts[0]?.round_trip?.least_ms).toBeGreaterThanOrEqual(180);
    expect(answer.diagnoses[0]?.text).toMatch(/^198\.51\.100\.1 is slow: \d+ ms/);
    expect(told(await why(OTHER, 1000))).toEqual([]);
  });

  it('finds the host that loses packets', async () => {
    await rule(['* 5 0', `${SLOW} 5 5`]);
    expect(told(await why(SLOW, 200_000))).toEqual(['host loses']);
  });

  it('finds that everything loses packets', async () => {
    await rule(['* 5 5', `${SLOW} 5 5`]);
    expect(told(await why(SLOW, 200_000))).toEqual(['everything loses']);
  });

  it('finds that nothing answers', async () => {
    await rule(['* 5 100', `${SLOW} 5 100`]);
    const answer = await why(SLOW, 1000);
    expect(answer.hosts[0]?.unanswered).toBeGreaterThan(0);
    expect(told(answer)).toEqual(['nothing answers']);
  });
});
