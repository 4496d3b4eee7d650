import { describe, expect, it } from 'vitest';
import { type Counters, CounterTracker, readCounters } from '../../../../src/capture/devices/counters.ts';
import { type FakeSystem, fakeEdges } from '../../../support/fake-edges.ts';
import { NETSTAT } from '../macos-texts.ts';

const of = (rxBytes: number, txBytes: number, rxPackets = 1000, txPackets = 1000, dropped: number | null = null): Counters => ({
  rxBytes,
  txBytes,
  rxPackets,
  txPackets,
  rxDropped: dropped,
  txDropped: dropped,
  errors: dropped,
});
const reading = (counters: Counters) => new Map([['en0', counters]]);

describe('readCounters', () => {
  it('reads the lines of the given interfaces, and leaves out missing and malformed ones', async () => {
    const header = 'Inter-|   Receive    |  Transmit\n face |bytes    packets errs drop|bytes    packets errs drop\n';
    const lines = `  eth0:      10       3    7    5    0     0          0         0       20       4    8    6    0     0       0          0
br-0123456789ab:18446744073709551615 1 0 0 0 0 0 0 2 1 0 0 0 0 0 0
  eth1: 1 2 3
  eth2: 1 1 x 0 0 0 0 0 2 1 0 0 0 0 0 0
`;
    const edges = fakeEdges({ files: { 'proc/net/dev': header + lines } });
    const found = await readCounters(edges, ['eth0', 'br-0123456789ab', 'eth1', 'eth2', 'eth9', ' face |bytes', '']);
    expect([...(found ?? [])]).toEqual([
      ['eth0', { rxBytes: 10, txBytes: 20, rxPackets: 3, txPackets: 4, rxDropped: 5, txDropped: 6, errors: 15 }],
      ['br-0123456789ab', { rxBytes: 2 ** 64, txBytes: 2, rxPackets: 1, txPackets: 1, rxDropped: 0, txDropped: 0, errors: 0 }],
    ]);
    expect([...((await readCounters(fakeEdges(), ['eth0'])) ?? [])]).toEqual([]);
  });

  it('reads the link rows of netstat', async () => {
    const edges = fakeEdges({ platform: 'darwin', programs: { 'netstat -ibn': { stdout: NETSTAT } } });
    const found = await readCounters(edges, ['en0', 'lo0', 'utun3', 'nope']);
    expect(found?.get('en0')).toEqual({
      rxBytes: 3221225472,
      txBytes: 104857600,
      rxPackets: 2200000,
      txPackets: 900000,
      rxDropped: null,
      txDropped: null,
      errors: 0,
    });
    expect(found?.get('lo0')).toMatchObject({ rxBytes: 999, txBytes: 999, rxPackets: 12, txPackets: 12 });
    expect(found?.get('utun3')).toMatchObject({ rxBytes: 0, txBytes: 201, txPackets: 3 });
    expect(found?.has('nope')).toBe(false);
  });

  it.each<[string, FakeSystem['programs']]>([
    ['is not there', {}],
    ['prints something else', { 'netstat -ibn': { stdout: 'hello\nen0 1 <Link#1> 1 2 3' } }],
    // `err(1, "sysctl IFDATA_SUPPLEMENTAL")`, network_cmds if.c, when an interface vanishes
    ['gives up in the middle', { 'netstat -ibn': { stdout: NETSTAT.slice(0, 600), status: 1 } }],
    ['takes too long after the machine woke up', { 'netstat -ibn': { stdout: NETSTAT, status: null, cut: 'time' } }],
  ])('knows nothing when netstat %s', async (_name, programs = {}) => {
    expect(await readCounters(fakeEdges({ platform: 'darwin', programs }), ['en0'])).toBeNull();
  });

  it('reads the hundredth interface, whose number netstat’s column cuts off', async () => {
    const long = NETSTAT.replace('<Link#14> ', '<Link#104 ');
    const edges = fakeEdges({ platform: 'darwin', programs: { 'netstat -ibn': { stdout: long } } });
    expect((await readCounters(edges, ['utun3']))?.get('utun3')).toMatchObject({ txBytes: 201 });
  });
});

describe('CounterTracker', () => {
  it('adds up from the first reading', () => {
    const tracker = new CounterTracker('linux');
    expect(tracker.delta('en0')).toBeNull();
    tracker.update(reading(of(500, 50, 1, 1, 7)));
    tracker.update(reading(of(700, 60, 2, 2, 9)));
    tracker.update(reading(of(1500, 60, 3, 2, 9)));
    expect(tracker.delta('en0')).toEqual({ rxBytes: 1000, txBytes: 10, rxDropped: 2, txDropped: 2, errors: 2 });
    expect(tracker.note('en0')).toBe('');
  });

  it('continues over a wrap at 32 bits on macOS', () => {
    const tracker = new CounterTracker('darwin');
    tracker.update(reading(of(2 ** 32 - 100, 0)));
    tracker.update(reading(of(400, 0, 1001)));
    tracker.update(reading(of(500, 0, 1002)));
    expect(tracker.delta('en0')).toMatchObject({ rxBytes: 600, rxDropped: null });
  });

  it('assumes no wrap on Linux, nor above 32 bits', () => {
    const linux = new CounterTracker('linux');
    linux.update(reading(of(2 ** 32 - 100, 0)));
    linux.update(reading(of(400, 0, 1001)));
    expect(linux.delta('en0')).toBeNull();
    const mac = new CounterTracker('darwin');
    mac.update(reading(of(2 ** 33, 0)));
    mac.update(reading(of(400, 0, 1001)));
    expect(mac.delta('en0')).toBeNull();
  });

  it('is unknown after a reset, permanently', () => {
    const tracker = new CounterTracker('darwin');
    tracker.update(reading(of(3_000_000_000, 10)));
    tracker.update(reading(of(400, 10, 3, 1)));
    expect([tracker.delta('en0'), tracker.note('en0')]).toEqual([null, 'the interface counters were reset']);
    tracker.update(reading(of(900, 10, 4, 1)));
    expect(tracker.delta('en0')).toBeNull();
  });

  it('is unknown after the interface was gone', () => {
    const tracker = new CounterTracker('linux');
    tracker.update(reading(of(100, 10)));
    tracker.update(new Map());
    tracker.update(reading(of(5000, 900, 2000, 2000)));
    expect([tracker.delta('en0'), tracker.note('en0')]).toEqual([null, 'the interface was gone for a while']);
  });

  it('is unknown while the receive counter stands still and packets arrive', () => {
    const tracker = new CounterTracker('darwin');
    const step = (rx: number, tx: number, capturedRx: number): void =>
      tracker.update(reading(of(rx, tx)), new Map([['en0', { rxBytes: capturedRx, txBytes: 0 }]]));
    step(0, 0, 0);
    step(0, 5000, 100_000);
    expect(tracker.delta('en0')).not.toBeNull(); // late, perhaps
    step(0, 9000, 900_000);
    expect([tracker.delta('en0'), tracker.note('en0')]).toEqual([null, 'the receive counter stands still while packets arrive']);
    step(1_000_000, 9500, 950_000);
    expect(tracker.delta('en0')).toMatchObject({ rxBytes: 1_000_000, txBytes: 9500 });
  });

  it('doesn’t call an interface frozen that receives nothing', () => {
    const tracker = new CounterTracker('darwin');
    for (let i = 0; i < 5; i++)
      tracker.update(reading(of(0, i * 1_000_000)), new Map([['en0', { rxBytes: 0, txBytes: i * 1_000_000 }]]));
    expect(tracker.delta('en0')).toMatchObject({ rxBytes: 0, txBytes: 4_000_000 });
  });
});
