// PKTAP captures from the file to the rows: who owns what, in both forms in which a Mac delivers them, and completed by ps when live.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LIVE_LIMITS } from '../../src/aggregate/aggregator.ts';
import { openFile } from '../../src/capture/file/source.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { parseAddress } from '../../src/net/address.ts';
import { assemble } from '../../src/pipeline/assembly.ts';
import { systemClock } from '../../src/system/clock.ts';
import { type Block, joined, pcapFile, pcapngFile, pktapHeader } from '../support/capture-writer.ts';
import { type FakeSystem, fakeEdges, fakeRoot } from '../support/fake-edges.ts';
import { bytesOf, ethernet, type Inner, ipv4, nullLink, tcp, udp } from '../support/frames.ts';

const MAC = '192.168.3.37';
const SYN = 0x02;
const SYN_ACK = 0x12;
const AF_INET = 2;

/** One packet as PKTAP tells it; -1 is an unknown process. */
interface Told {
  readonly name: 'en0' | 'lo0';
  readonly direction: 'in' | 'out';
  readonly pid: number;
  readonly comm?: string;
  readonly effectivePid?: number;
  readonly effectiveComm?: string;
  readonly ip: Inner;
}

const curl = { pid: 42, comm: 'curl' };
const helper = { pid: 2227, comm: 'Google Chrome He' };
const resolver = { pid: 300, comm: 'mDNSResponder' };
const launchd = { pid: 1, comm: 'launchd' };
const netcat = { pid: 77, comm: 'nc' };
const client = { pid: 53_245, comm: 'iperf3' };
const server = { pid: 99_998, comm: 'node' };
const nobody = { pid: -1 };
const kernel = { pid: 0, comm: 'kernel_task' };
const forHelper = { effectivePid: 2227, effectiveComm: 'Google Chrome He' };

const out = (ip: Inner, who: Partial<Told> & { pid: number }): Told => ({ name: 'en0', direction: 'out', ip, ...who });
const into = (ip: Inner, who: Partial<Told> & { pid: number }): Told => ({ name: 'en0', direction: 'in', ip, ...who });
/** lo0 gives each packet twice: out with its sender, in with its receiver. */
const loop = (ip: Inner, sender: typeof client, receiver: typeof client): Told[] => [
  { ...out(ip, sender), name: 'lo0' },
  { ...into(ip, receiver), name: 'lo0' },
];
const sent = (inner: Inner, dst = '203.0.113.9') => ipv4({ src: MAC, dst }, inner);
const received = (inner: Inner, src = '203.0.113.9') => ipv4({ src, dst: MAC }, inner);
const local = (inner: Inner) => ipv4({ src: '127.0.0.1', dst: '127.0.0.1' }, inner);

const PACKETS: readonly Told[] = [
  // A pid on incoming packets only, once as the effective process of the kernel's: 40 + 40 sent, 40 + 140 received.
  out(sent(tcp({ sport: 50_001, dport: 443, flags: SYN })), nobody),
  into(received(tcp({ sport: 443, dport: 50_001, flags: SYN_ACK })), { ...kernel, effectivePid: 42, effectiveComm: 'curl' }),
  out(sent(tcp({ sport: 50_001, dport: 443 })), nobody),
  into(received(tcp({ sport: 443, dport: 50_001 }, 'x'.repeat(100))), curl),
  // QUIC of a helper, 228 sent, 1028 received.
  out(sent(udp({ sport: 50_002, dport: 443 }, 'q'.repeat(200))), helper),
  into(received(udp({ sport: 443, dport: 50_002 }, 'q'.repeat(1000))), nobody),
  // DNS by mDNSResponder for that helper: 58 and 128 bytes.
  out(sent(udp({ sport: 50_003, dport: 53 }, 'd'.repeat(30)), '192.168.3.1'), { ...resolver, ...forHelper }),
  into(received(udp({ sport: 53, dport: 50_003 }, 'd'.repeat(100)), '192.168.3.1'), resolver),
  // A socket that launchd opened and handed on: 3 x 50 bytes.
  ...[launchd, netcat, netcat].map((who) => out(sent(tcp({ sport: 50_004, dport: 9000 }, 'y'.repeat(10))), who)),
  // Within the machine: 40 + 90 one way, 40 the other, each delivered twice.
  ...loop(local(tcp({ sport: 50_005, dport: 8080, flags: SYN })), client, server),
  ...loop(local(tcp({ sport: 8080, dport: 50_005, flags: SYN_ACK })), server, client),
  ...loop(local(tcp({ sport: 50_005, dport: 8080 }, 'z'.repeat(50))), client, server),
  // Nobody knows: 33 bytes.
  into(received(udp({ sport: 1900, dport: 1900 }, 'u'.repeat(5))), nobody),
];

const frameOf = ({ name, ip }: Told): Uint8Array => (name === 'lo0' ? nullLink(AF_INET, ip) : ethernet({}, ip));

function rawFile(packets: readonly Told[]): Uint8Array {
  const records = packets.map((told, i) => ({
    data: joined(pktapHeader({ ...told, link: told.name === 'lo0' ? 0 : 1 }), frameOf(told)),
    time: 1_700_000_000_000 + i,
  }));
  return pcapFile({ link: 149, records });
}

function blockFile(packets: readonly Told[]): Uint8Array {
  const blocks: Block[] = [
    { block: 'section' },
    { block: 'interface', name: 'en0', link: 1 },
    { block: 'interface', name: 'lo0', link: 0 },
  ];
  const numbers = new Map<string, number>();
  const number = (pid: number | undefined, name = ''): { value?: number } => {
    if (pid === undefined || pid < 0) return {};
    const key = `${pid} ${name}`;
    if (!numbers.has(key)) {
      numbers.set(key, numbers.size);
      blocks.push({ block: 'process', pid, name });
    }
    return { value: numbers.get(key) as number };
  };
  packets.forEach((told, i) => {
    const process = number(told.pid, told.comm).value;
    const effective = number(told.effectivePid, told.effectiveComm).value;
    blocks.push({
      block: 'packet',
      interface: told.name === 'en0' ? 0 : 1,
      data: bytesOf(frameOf(told)),
      ticks: (1_700_000_000_000n + BigInt(i)) * 1000n,
      direction: told.direction,
      ...(process === undefined ? {} : { process }),
      ...(effective === undefined ? {} : { effective }),
    });
  });
  return pcapngFile(blocks);
}

/** Plays a capture through the whole pipeline. @param live as if it were the capture of this machine */
async function play(file: Uint8Array, live: boolean, system: FakeSystem = {}) {
  const path = join(fakeRoot({}), 'capture');
  writeFileSync(path, file);
  const source = await openFile(path);
  onTestFinished(() => source.close());
  const edges = fakeEdges({ platform: 'darwin', ...system });
  const { monitor, localizer } = await assemble(
    { source, fallbacks: [] },
    {
      named: [],
      file: live ? null : 'capture',
      categories: null,
      places: null,
      reverseDns: false,
      events: null,
      watcher: null,
      started: 0,
    },
    edges,
    systemClock,
  );
  const own = new Int32Array(4);
  parseAddress(MAC, own);
  if (live) localizer.setAddresses(own);
  for (;;) {
    const batch = source.read();
    if (batch !== null) monitor.ingest(batch, 0, batch.count);
    else if (source.state === 'ended') break;
    else await setImmediate();
  }
  const tick = () => monitor.tick(monitor.lastTime + 1, 1000, [], LIVE_LIMITS);
  const work = async (now: number) => {
    monitor.owners.work(now);
    await setImmediate();
  };
  return { tick, work, edges };
}

const appsOf = (snapshot: Snapshot) =>
  Object.fromEntries(snapshot.apps.map((app) => [app.app ?? `(${app.reason})`, [app.txBytes, app.rxBytes, ...app.pids]]));
const flowOf = (snapshot: Snapshot, port: number) =>
  snapshot.flows.find((flow) => flow.local.port === port || flow.remote.port === port);

const EXPECTED = {
  curl: [80, 180, 42],
  'Google Chrome He': [228, 1028, 2227],
  mDNSResponder: [58, 128, 300],
  nc: [150, 0, 77],
  iperf3: [130, 40, 53_245],
  node: [40, 130, 99_998],
  '(not a local socket)': [0, 33],
};

describe.each([
  ['raw PKTAP, as libpcap gives it', rawFile],
  ["pcapng with process blocks, as Apple's tcpdump writes it", blockFile],
])('%s', (_, write) => {
  test('every byte is its owner’s, a packet of lo0 counts once', async () => {
    const { tick } = await play(write(PACKETS), false);
    const snapshot = tick();
    expect(appsOf(snapshot)).toEqual(EXPECTED);
    expect(snapshot.capture).toMatchObject({ attribution: 'capture', packets: 15, undecoded: 0 });
    const { total } = snapshot;
    expect([total.txBytes, total.rxBytes, total.unownedBytes]).toEqual([
      80 + 228 + 58 + 150 + 130,
      180 + 1028 + 128 + 40 + 33,
      33,
    ]);
    expect(flowOf(snapshot, 50_003)).toMatchObject({
      app: 'mDNSResponder',
      onBehalfOf: 'Google Chrome He',
      attribution: 'exact',
    });
    expect(flowOf(snapshot, 50_005)).toMatchObject({
      direction: 'local',
      app: 'iperf3',
      peerApp: 'node',
      peerPid: 99_998,
      onBehalfOf: null,
    });
  });

  test.each([
    ['15 letters first', [15, 16]],
    ['16 letters first', [16, 15]],
    ['15 letters last', [15, 16, 15]],
  ])('a process whose name is cut in two ways is one process of one app: %s', async (_, cuts) => {
    const packets = cuts.map((letters, i) =>
      out(sent(tcp({ sport: 50_001 + i, dport: 443 })), { pid: 2227, comm: 'Google Chrome Helper'.slice(0, letters) }),
    );
    const { tick } = await play(write(packets), false);
    const { apps } = tick();
    expect(apps.map(({ app, pids, processCount, txBytes }) => [app, pids, processCount, txBytes])).toEqual([
      ['Google Chrome He', [2227], 1, 40 * cuts.length],
    ]);
  });

  test('live, ps gives paths, parents and users, and what was booked moves', async () => {
    const bundle = '/Applications/Google Chrome.app/Contents';
    const ps = [
      `  1 0 0 /sbin/launchd`,
      ` 42 700 501 /usr/bin/curl`,
      ` 77 700 501 /bin/bash`,
      `300 1 65 /usr/sbin/mDNSResponder`,
      `2227 2000 501 ${bundle}/Frameworks/Google Chrome Framework.framework/Versions/131.0/Helpers/Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper`,
      `99998 700 501 node`,
    ].join('\n');
    const { tick, work, edges } = await play(write(PACKETS), true, {
      files: { 'etc/passwd': 'root:*:0:0:::\nanna:*:501:20:::\n_mdnsresponder:*:65:65:::\n' },
      programs: { 'ps -axww -o pid=,ppid=,uid=,tty=,lstart=,comm=': { stdout: ps } },
    });
    expect(appsOf(tick())).toEqual(EXPECTED);
    await work(0);
    const snapshot = tick();
    const { 'Google Chrome He': chrome, ...others } = EXPECTED;
    expect(appsOf(snapshot)).toEqual({ ...others, 'Google Chrome': chrome });
    const app = (name: string) => snapshot.apps.find((each) => each.app === name);
    expect(app('Google Chrome')).toMatchObject({ exe: '/Applications/Google Chrome.app', user: 'anna', pids: [2227] });
    expect(app('mDNSResponder')).toMatchObject({ exe: '/usr/sbin/mDNSResponder', user: '_mdnsresponder' });
    // The pid of nc is bash's by now, iperf3's nobody's.
    expect(app('nc')).toMatchObject({ exe: null, user: null });
    expect(flowOf(snapshot, 50_003)).toMatchObject({ onBehalfOf: 'Google Chrome' });
    expect(snapshot.capture).toMatchObject({ attribution: 'pktap', note: '' });
    expect(edges.ran).toHaveLength(1);
  });
});

test('a process that loses the majority gives all bytes back', async () => {
  const { tick } = await play(rawFile(PACKETS.filter(({ pid }) => pid === launchd.pid || pid === netcat.pid)), false);
  const snapshot = tick();
  expect(snapshot.apps.map((app) => [app.app, app.txBytes, app.flows])).toEqual([['nc', 150, 1]]);
});

test('live without pids, nettop is asked, and the capture says why', async () => {
  const records = PACKETS.filter(({ name }) => name === 'en0').map((told) => ({ data: frameOf(told) }));
  const { tick, work } = await play(pcapFile({ records }), true, {
    programs: {
      'nettop -L 1 -x -n -J interface,state,bytes_in,bytes_out': {
        stdout: `,interface,state,bytes_in,bytes_out,\ncurl.42,,,1,2,\ntcp4 ${MAC}:50001<->203.0.113.9:443,en0,Established,1,2,\n`,
      },
      'ps -axww -o pid=,ppid=,uid=,tty=,lstart=,comm=': { stdout: '42 1 0 /usr/bin/curl\n' },
    },
  });
  await work(0);
  await work(10);
  const snapshot = tick();
  expect(flowOf(snapshot, 50_001)).toMatchObject({ app: 'curl', pid: 42, attribution: 'exact' });
  expect(snapshot.apps.find((app) => app.app === 'curl')?.exe).toBe('/usr/bin/curl');
  expect(snapshot.capture).toMatchObject({
    attribution: 'nettop',
    fallbacks: [{ driver: 'pktap', reason: 'the packets of file name no processes here' }],
    note: '',
  });
});
