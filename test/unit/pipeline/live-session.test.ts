// A live session on fake timers. Nothing waits, and the test sets both clocks.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CounterTracker } from '../../../src/capture/devices/counters.ts';
import { Neighbours } from '../../../src/identify/place/neighbours.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { RecordOutput } from '../../../src/output/record-output.ts';
import { EVENTS_AT_ONCE } from '../../../src/pipeline/flow-events.ts';
import { EXPIRED_AT_ONCE, LiveSession, ROWS_AT_ONCE, type SessionEnd } from '../../../src/pipeline/live-session.ts';
import type { Clock } from '../../../src/system/clock.ts';
import type { RunResult } from '../../../src/system/edges.ts';
import { fakeEdges, interfaceInfo } from '../../support/fake-edges.ts';
import { FakeOutput, FakeSource, monitorOver } from '../../support/fake-source.ts';
import { ethernet, ipv4, tcp } from '../../support/frames.ts';

const T0 = 1_700_000_000_000;
const FLAGS = { syn: 2, ack: 16, rst: 4 };

beforeEach(() => {
  behind = 0;
  vi.useFakeTimers({ now: T0, toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Both clocks. A test may set the wall clock, or let time pass that the monotonic clock misses, as in sleep. */
class TwoClocks implements Clock {
  skew = 0;
  now = () => Date.now() + this.skew;
  monotonic = () => performance.now();
}

/** Each turn of a tick takes a fake millisecond, which delays the ticks that are due. */
const TURNS_MS = 12;
let behind = 0;

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms + TURNS_MS - behind);
  behind = TURNS_MS;
}

interface Setup {
  intervalMs?: number;
  samples?: number;
  durationMs?: number;
  events?: boolean;
  neighbours?: Neighbours;
  /** How long the kernel holds frames back. */
  delayMs?: number;
  settled?: () => void;
  firstMs?: number;
}

function begin(setup: Setup = {}) {
  const told: Int32Array[] = [];
  const source = new FakeSource();
  source.delayMs = setup.delayMs ?? 0;
  const clock = new TwoClocks();
  const interfaces: { eth0: ReturnType<typeof interfaceInfo>[] } = { eth0: [interfaceInfo('10.0.0.1')] };
  const files = { 'proc/net/dev': `eth0: ${'0 '.repeat(16)}\n` };
  const edges = fakeEdges({ files, interfaces });
  const tracker = new CounterTracker('linux');
  const { monitor, localizer, flows } = monitorOver(source, { tracker, started: clock.now() });
  const output = new FakeOutput(setup.events ?? false);
  const session = new LiveSession({
    source,
    monitor,
    localizer,
    addresses: { added: () => told.shift() ?? null },
    neighbours: setup.neighbours ?? null,
    tracker,
    edges,
    clock,
    output,
    intervalMs: setup.intervalMs ?? 1000,
    samples: setup.samples ?? null,
    durationMs: setup.durationMs ?? null,
    ...(setup.firstMs === undefined ? {} : { firstMs: setup.firstMs }),
    ...(setup.settled === undefined ? {} : { settled: setup.settled }),
  });
  let ended: SessionEnd | null = null;
  const start = () => void session.run().then((end) => (ended = end));
  return { told, source, clock, output, session, monitor, flows, interfaces, start, ended: () => ended };
}

const frame = (dst = '192.0.2.9', sport = 40_000, payload = '', flags = FLAGS.ack) =>
  ethernet({}, ipv4({ src: '10.0.0.1', dst }, tcp({ sport, flags }, payload)));

/** Counts the calls of a method between two polls of the capture. */
function spiedReads<Name extends string>(source: FakeSource, on: Record<Name, (row: number) => unknown>, name: Name) {
  const reads: number[] = [];
  const method = on[name].bind(on);
  on[name] = (row) => {
    reads.push(source.reads);
    return method(row);
  };
  const together = () => [...new Set(reads)].map((each) => reads.filter((other) => other === each).length);
  return { total: () => reads.length, mostTogether: () => Math.max(...together()) };
}

it('reports once that the start is over', async () => {
  const settled = vi.fn();
  const { session, start } = begin({ settled });
  start();
  await pass(14_900);
  expect(settled).not.toHaveBeenCalled();
  await pass(30_000);
  expect(settled).toHaveBeenCalledTimes(1);
  session.stop({ kind: 'done' });
  await pass(100);
});

it('shows traffic before the first interval is over where that is asked, and then keeps its times', async () => {
  const { source, output, session, start } = begin({ firstMs: 250 });
  start();
  source.push({ data: frame() });
  await pass(400);
  expect(output.samples.map(({ intervalMs, total }) => [intervalMs, total.txPackets])).toEqual([[250, 1]]);
  source.push({ data: frame() });
  await pass(2000);
  // Rounded: a turn within a tick may take a millisecond.
  expect(output.samples.map(({ intervalMs, total }) => [Math.round(intervalMs / 10), total.txPackets])).toEqual([
    [25, 1],
    [75, 2],
    [100, 2],
  ]);
  session.stop({ kind: 'done' });
  await pass(100);
});

describe('counters on a Mac', () => {
  const listed = (rx: number, name = 'en0') => `Name Mtu Network Address Ipkts Ierrs Ibytes Opkts Oerrs Obytes Coll
lo0   16384 <Link#1>                        5 0 500 5 0 500 0
${name}   1500  <Link#4> 02:00:5e:10:00:01 ${rx} 0 ${rx} 9 0 900 0
`;

  /** PKTAP, which names an interface with its first frame, and a netstat whose output the test can change. */
  function beginMac() {
    const source = new FakeSource('libpcap', []);
    const clock = new TwoClocks();
    const netstat: { -readonly [K in keyof RunResult]?: RunResult[K] } = { stdout: listed(1000) };
    const edges = fakeEdges({ platform: 'darwin', programs: { 'netstat -ibn': netstat } });
    const tracker = new CounterTracker('darwin');
    const { monitor, localizer } = monitorOver(source, { tracker, started: clock.now() });
    const output = new FakeOutput(false);
    const common = { addresses: null, neighbours: null, samples: null, durationMs: null, intervalMs: 1000 };
    const session = new LiveSession({ source, monitor, localizer, tracker, edges, clock, output, ...common });
    void session.run();
    const bytes = () =>
      output.samples.map(({ interfaces }) => interfaces.find(({ interface: name }) => name === 'en0')?.counterBytes);
    return { source, netstat, session, bytes };
  }

  it('start before the first frame shows which interfaces exist', async () => {
    const { source, netstat, session, bytes } = beginMac();
    await pass(100);
    source.interfaces.push(source.named('en0'));
    source.push({ data: frame() });
    netstat.stdout = listed(1060);
    await pass(950);
    expect(bytes()).toEqual([60]);
    session.stop({ kind: 'done' });
    await pass(100);
  });

  it.each<[string, Partial<RunResult>]>([
    ['took too long', { stdout: '', status: null, cut: 'time' }],
    ['gave up in the middle', { stdout: listed(0).split('\n').slice(0, 2).join('\n'), status: 1 }],
  ])('stay known after a netstat that %s', async (_name, broken) => {
    const { source, netstat, session, bytes } = beginMac();
    source.interfaces.push(source.named('en0'));
    await pass(1050);
    Object.assign(netstat, broken);
    await pass(1000);
    Object.assign(netstat, { stdout: listed(5000), status: 0, cut: null });
    await pass(1000);
    expect(bytes()).toEqual([0, 0, 4000]);
    session.stop({ kind: 'done' });
    await pass(100);
  });
});

describe('neighbours', () => {
  it('are looked up during the session, and known before the last line', async () => {
    const turns: number[] = [];
    let wait: () => void = () => {};
    class Slow extends Neighbours {
      override work(now: number): void {
        turns.push(now);
      }
      override ready(): Promise<void> {
        return new Promise((resolve) => {
          wait = resolve;
        });
      }
    }
    const { output, start, ended } = begin({ samples: 1, neighbours: new Slow(null) });
    start();
    await pass(1100);
    expect(turns.length).toBeGreaterThan(10);
    expect([output.told, ended()]).toEqual([['sample 0'], null]);
    wait();
    await pass(0);
    expect([output.told, ended()]).toEqual([['sample 0', 'end'], { kind: 'done' }]);
  });
});

describe('ticks', () => {
  it('come once per interval with what was captured in it', async () => {
    const { source, output, start, session, ended } = begin();
    start();
    await pass(500);
    source.push({ data: frame(), time: T0 });
    await pass(500);
    source.push({ data: frame(), time: T0 }, { data: frame(), time: T0 });
    await pass(1000);
    expect(output.samples.map(({ seq, time, intervalMs, total }) => [seq, time, intervalMs, total.txPackets])).toEqual([
      [0, T0 + 1000, 1000, 1],
      [1, T0 + 2001, 1001, 3], // a turn later: addresses were read
    ]);
    expect(output.samples[0]?.capture.interfaceBytes).toBe(0);
    session.stop({ kind: 'signal', number: 2 });
    session.stop({ kind: 'done' });
    source.push({ data: frame(), time: T0 });
    await pass(100);
    expect(ended()).toEqual({ kind: 'signal', number: 2 });
    expect(output.last?.total.txPackets).toBe(4);
    expect(output.told.at(-1)).toBe('end');
    await pass(10_000);
    expect(output.samples).toHaveLength(2);
  });

  it('build no rows for an output that uses none', async () => {
    const { source, output, start } = begin();
    Object.assign(output, { limits: new RecordOutput(() => undefined, new TwoClocks()).limits });
    start();
    source.push({ data: frame('192.0.2.1'), time: T0 }, { data: frame('192.0.2.2'), time: T0 });
    await pass(1000);
    const [{ hosts, flows, flowCount, total }] = output.samples as [Snapshot];
    expect([hosts.map(({ id }) => id), flows, flowCount, total.txPackets]).toEqual([['host:rest'], [], 2, 2]);
  });

  it('include packets that wait at that time', async () => {
    const { source, output, start } = begin({ intervalMs: 20 });
    start();
    await pass(5);
    source.push({ data: frame() });
    await pass(15);
    expect(output.samples[0]?.capture.packets).toBe(1);
  });

  it('end after so many samples', async () => {
    const { output, start, ended } = begin({ samples: 3, intervalMs: 100 });
    start();
    await pass(400);
    expect([output.told, ended()]).toEqual([['sample 0', 'sample 1', 'sample 2', 'end'], { kind: 'done' }]);
  });

  it('end after a time', async () => {
    const { output, start, ended } = begin({ durationMs: 2500, intervalMs: 1000 });
    start();
    await pass(2499);
    expect(ended()).toBeNull();
    await pass(45);
    expect([output.told, ended()]).toEqual([['sample 0', 'sample 1', 'sample 2', 'end'], { kind: 'done' }]);
    expect(output.samples[2]?.intervalMs).toBe(499);
  });

  it('wait for packets that the kernel holds back after the counters are read', async () => {
    const { source, output, session, start } = begin({ delayMs: 50 });
    start();
    await pass(1010);
    source.push({ data: frame(), time: T0 + 990 });
    await pass(40);
    expect(output.samples).toEqual([]);
    await pass(30);
    expect(output.samples.map(({ total }) => total.txPackets)).toEqual([1]);
    session.stop({ kind: 'done' });
    source.push({ data: frame(), time: T0 + 1080 });
    await pass(60);
    expect(output.last).toBeNull();
    await pass(20);
    expect(output.last?.total.txPackets).toBe(2);
  });

  it('start counting with the session', async () => {
    const { source, start } = begin();
    const begun: number[] = [];
    source.begin = () => void begun.push(source.reads);
    await pass(500);
    expect(begun).toEqual([]);
    start();
    await pass(1000);
    expect(begun).toEqual([0]);
  });

  it('end after a time that is shorter than the interval', async () => {
    const { start, ended } = begin({ durationMs: 300, intervalMs: 60_000 });
    start();
    await pass(400);
    expect(ended()).toEqual({ kind: 'done' });
  });

  it('poll slowly while nothing arrives', async () => {
    const { source, start } = begin();
    start();
    await pass(1000);
    expect(source.reads).toBeLessThan(30);
    expect(source.reads).toBeGreaterThan(10);
  });
});

describe('the end', () => {
  it('comes even if it was asked for before the session began', async () => {
    const { output, session, start, ended } = begin();
    start();
    session.stop({ kind: 'signal', number: 15 });
    await pass(100);
    expect([output.told, ended()]).toEqual([['end'], { kind: 'signal', number: 15 }]);
  });

  it('comes when the capture is lost, with its last packets', async () => {
    const { source, output, start, ended } = begin();
    start();
    await pass(100);
    source.push({ data: frame() });
    source.state = 'lost';
    source.note = 'eth0: The interface disappeared';
    await pass(200);
    expect(ended()).toEqual({ kind: 'lost', note: 'eth0: The interface disappeared' });
    expect(output.last?.capture).toMatchObject({ packets: 1, note: 'eth0: The interface disappeared' });
  });

  it('doesn’t come for an interface that is only down', async () => {
    const { source, output, start, ended } = begin();
    start();
    source.state = 'waiting';
    source.note = 'eth0 is down';
    await pass(1000);
    expect([ended(), output.samples[0]?.capture.note]).toEqual([null, 'eth0 is down']);
  });
});

describe('gaps', () => {
  it('are reported when the machine slept and the monotonic clock stood still', async () => {
    const { clock, output, start } = begin();
    start();
    await pass(1500);
    clock.skew = 3_600_000;
    await pass(600);
    expect(output.told).toEqual(['sample 0', 'gap sleep', 'sample 1']);
    expect(output.gaps).toEqual([
      { from: T0 + 1000, to: T0 + 3_602_000, reason: 'sleep', detail: 'nothing was measured for 3600 s' },
    ]);
    expect(output.samples[1]).toMatchObject({ intervalMs: 1001, gaps: output.gaps });
    await pass(1000);
    expect(output.samples[2]?.gaps).toEqual([]);
  });

  it('are reported when the clock was set back', async () => {
    const { clock, output, start } = begin();
    start();
    await pass(1500);
    clock.skew = -7200_000;
    await pass(600);
    expect(output.gaps).toMatchObject([{ reason: 'clock', detail: 'the clock was set back by 7200 s' }]);
  });

  it('aren’t reported for a busy machine', async () => {
    const { clock, output, start } = begin();
    start();
    clock.skew = 2500;
    await pass(3000);
    expect(output.gaps).toEqual([]);
  });

  it('make the session read addresses again at once', async () => {
    const { source, clock, output, interfaces, start } = begin({ intervalMs: 500 });
    start();
    await pass(100);
    interfaces.eth0 = [interfaceInfo('10.9.9.9')];
    clock.skew = 3_600_000;
    await pass(410);
    source.push({ data: ethernet({}, ipv4({ src: '192.0.2.9', dst: '10.9.9.9' }, tcp({ sport: 443, dport: 5000 }))) });
    await pass(500);
    expect(output.samples.at(-1)?.flows).toMatchObject([{ direction: 'outbound', local: { address: '10.9.9.9', port: 5000 } }]);
  });
});

describe('a new address', () => {
  const from = (src: string) => ethernet({}, ipv4({ src, dst: '192.0.2.9' }, tcp({ sport: 5000, dport: 443, flags: FLAGS.syn })));

  it('is known before packets sent from it', async () => {
    const { told, source, output, start } = begin();
    start();
    await pass(100);
    told.push(Int32Array.of(0, 0, 0xffff, 0x0a090909));
    source.push({ data: from('10.9.9.9') });
    await pass(950);
    expect(output.samples[0]?.flows).toMatchObject([{ direction: 'outbound', local: { address: '10.9.9.9' } }]);
  });

  it('corrects flows that began before it was known', async () => {
    const { told, source, output, start } = begin();
    start();
    source.push({ data: from('10.9.9.9') }, { data: from('10.8.8.8') });
    await pass(1050);
    expect(output.samples[0]?.flows.map(({ direction, reason }) => [direction, reason])).toEqual([
      ['transit', 'forwarded'],
      ['transit', 'forwarded'],
    ]);
    told.push(Int32Array.of(0, 0, 0xffff, 0x0a090909));
    source.push({ data: from('10.8.8.8') });
    await pass(1000);
    const seen = output.samples[1]?.flows.map(({ local, direction, reason }) => [local.address, direction, reason]);
    expect(new Map(seen?.map(([address, ...rest]) => [address, rest]))).toEqual(
      new Map([
        ['10.9.9.9', ['outbound', 'attribution is off']],
        ['10.8.8.8', ['transit', 'forwarded']],
      ]),
    );
    told.push(Int32Array.of(0, 0, 0xffff, 0xc0000209 | 0));
    source.push({ data: from('10.8.8.8') });
    await pass(1000);
    expect(output.samples[2]?.flows.map(({ direction, local }) => [direction, local.address]).sort()).toEqual([
      ['inbound', '192.0.2.9'],
      ['outbound', '10.9.9.9'],
    ]);
  });
});

it('makes the rows of new flows a few at a time, and reads frames in between', async () => {
  const { source, monitor, output, start } = begin();
  const reads: number[] = [];
  const makeRows = monitor.aggregator.makeRows.bind(monitor.aggregator);
  monitor.aggregator.makeRows = (limits, most) => {
    reads.push(source.reads);
    return makeRows(limits, most);
  };
  start();
  source.push(...Array.from({ length: 2 * ROWS_AT_ONCE + 1 }, (_, i) => ({ data: frame('192.0.2.1', i + 1), time: T0 })));
  await pass(1000);
  expect([reads.length, new Set(reads).size]).toEqual([3, 3]);
  expect(output.samples[0]?.flows).toHaveLength(2 * ROWS_AT_ONCE + 1);
});

it('reads frames while an output writes a long sample', async () => {
  const { source, output, start } = begin();
  const reads: number[] = [];
  output.sample = async (_snapshot, turn) => {
    for (let i = 0; i < 3; i++) {
      reads.push(source.reads);
      await turn?.();
    }
  };
  start();
  await pass(1000);
  expect(reads).toEqual([reads[0], (reads[0] as number) + 1, (reads[0] as number) + 2]);
  expect(source.reads).toBeGreaterThan(reads[2] as number);
});

describe('events', () => {
  it('report each flow that opens before its first sample, and each that closes with its totals', async () => {
    const { source, flows, output, start } = begin({ events: true });
    start();
    source.push({ data: frame('192.0.2.1', 1), time: T0 }, { data: frame('192.0.2.2', 2), time: T0 });
    await pass(1000);
    source.push({ data: frame('192.0.2.1', 1, 'abc'), time: T0 + 1500 }, { data: frame('192.0.2.3', 3), time: T0 + 1500 });
    await pass(1000);
    expect(output.told).toEqual(['open 1', 'open 2', 'sample 0', 'open 3', 'sample 1']);
    flows.remove(0);
    await pass(1000);
    expect(output.told.slice(5)).toEqual(['close 1', 'sample 2']);
    expect(output.rows.at(-1)).toMatchObject({ id: '1', txBytes: 83, remote: { address: '192.0.2.1' } });
  });

  it('report a flow that ends within a tick, and never an end without its beginning', async () => {
    const { source, output, start } = begin({ events: true });
    start();
    source.push(
      { data: frame('192.0.2.1', 1, '', FLAGS.syn), time: T0 },
      { data: frame('192.0.2.1', 1, '', FLAGS.rst), time: T0 },
      { data: frame('192.0.2.1', 1, '', FLAGS.syn), time: T0 },
    );
    await pass(1000);
    expect(output.told).toEqual(['open 1', 'close 1', 'open 2', 'sample 0']);
  });

  it('include idle flows that expire', async () => {
    const { source, output, start } = begin({ events: true });
    start();
    source.push({ data: frame('192.0.2.1', 1, '', FLAGS.rst), time: T0 });
    await pass(25_000);
    expect(output.told.filter((each) => each.startsWith('close'))).toEqual(['close 1']);
    expect(output.samples.at(-1)?.flowCount).toBe(0);
  });

  it('expire a few at a time, and frames are read in between', async () => {
    const { source, monitor, output, start } = begin({ events: true });
    const removed = spiedReads(source, monitor.flows, 'remove');
    start();
    const flows = EXPIRED_AT_ONCE * 3;
    source.push(...Array.from({ length: flows }, (_, i) => ({ data: frame('192.0.2.1', i + 1, '', FLAGS.rst), time: T0 })));
    await pass(25_000);
    expect([removed.total(), output.samples.at(-1)?.flowCount]).toEqual([flows, 0]);
    expect(removed.mostTogether()).toBe(EXPIRED_AT_ONCE);
  });

  it('are written a few at a time, and frames are read in between', async () => {
    const { source, output, start } = begin({ events: true });
    const readsAt: number[] = [];
    output.opened = () => void readsAt.push(source.reads);
    let sampledAt = 0;
    output.onSample = () => (sampledAt = source.reads);
    start();
    source.push(...Array.from({ length: 1000 }, (_, i) => ({ data: frame('192.0.2.1', i + 1), time: T0 })));
    await pass(1000);
    expect(readsAt).toHaveLength(1000);
    const together = [...new Set(readsAt)].map((reads) => readsAt.filter((each) => each === reads).length);
    expect(Math.max(...together)).toBeLessThanOrEqual(EVENTS_AT_ONCE);
    expect(sampledAt).toBeGreaterThanOrEqual(readsAt.at(-1) as number);
    expect(source.reads).toBeGreaterThan(sampledAt);
  });

  it('are collected a few at a time, and frames are read in between', async () => {
    const { source, monitor, output, start } = begin({ events: true });
    const made = spiedReads(source, monitor.aggregator, 'flowRow');
    start();
    source.push(...Array.from({ length: 1000 }, (_, i) => ({ data: frame('192.0.2.1', i + 1), time: T0 })));
    await pass(1000);
    expect([made.total(), output.told.length]).toEqual([1000, 1001]);
    expect(made.mostTogether()).toBeLessThanOrEqual(EVENTS_AT_ONCE);
  });

  it('report each flow once even if it begins or ends while others are collected', async () => {
    const { source, monitor, flows, output, start } = begin({ events: true });
    const flowRow = monitor.aggregator.flowRow.bind(monitor.aggregator);
    let made = 0;
    const read = source.read.bind(source);
    source.read = () => {
      // between two turns of the collection: one that was found ends, one that was not found yet, and another takes a row of theirs
      if (made === EVENTS_AT_ONCE) {
        made++;
        flows.remove(1);
        flows.remove(900);
        source.push({ data: frame('192.0.2.2', 7), time: T0 });
      }
      return read();
    };
    monitor.aggregator.flowRow = (row) => {
      made++;
      return flowRow(row);
    };
    start();
    source.push(...Array.from({ length: 999 }, (_, i) => ({ data: frame('192.0.2.1', i + 1), time: T0 })));
    await pass(1000);
    const told = output.told.filter((each) => !each.startsWith('sample'));
    expect(told.filter((each) => each.startsWith('close'))).toEqual(['close 2', 'close 901']);
    expect(new Set(told).size).toBe(told.length);
    expect(told.length).toBe(1002);
    expect(told.indexOf('open 901')).toBe(told.indexOf('close 901') - 1);
    expect(output.told.at(-1)).toBe('sample 0');
  });

  it('report a flow that ends while its start still waits', async () => {
    const { source, flows, output, start } = begin({ events: true });
    const opened = output.opened.bind(output);
    output.opened = (row) => {
      opened(row);
      if (row.id === '1') flows.remove(999);
    };
    start();
    source.push(...Array.from({ length: 1000 }, (_, i) => ({ data: frame('192.0.2.1', i + 1), time: T0 })));
    await pass(1000);
    expect(output.told.slice(-3)).toEqual(['open 1000', 'close 1000', 'sample 0']);
  });

  it('have a limit per tick', async () => {
    const { source, output, start } = begin({ events: true });
    start();
    source.push(...Array.from({ length: 1500 }, (_, i) => ({ data: frame('192.0.2.1', i + 1), time: T0 })));
    await pass(1000);
    expect(output.told.filter((each) => each.startsWith('open'))).toHaveLength(1000);
    expect(output.samples[0]?.flowCount).toBe(1500);
    await pass(1000);
    expect(output.told.at(-1)).toBe('sample 1');
  });
});
