// What counts, and in which direction: each byte once in the total, received or sent as its frame crossed the interface.

import { describe, expect, it } from 'vitest';
import { LIVE_LIMITS } from '../../../src/aggregate/aggregator.ts';
import type { Snapshot, Traffic } from '../../../src/model/snapshot.ts';
import { DIRECTION, LINK } from '../../../src/net/numbers.ts';
import { LEARNT_AT_ONCE } from '../../../src/pipeline/monitor.ts';
import { type FakeFrame, FakeSource, type MonitorSetup, monitorOver } from '../../support/fake-source.ts';
import { ethernet, ipv4, tcp, udp } from '../../support/frames.ts';

const { IN, OUT, PASSING } = DIRECTION;
const US = '10.0.0.1';
const [OUR_MAC, THEIR_MAC, OTHER_MAC] = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'];

const frame = (from: string, to: string, bytes: number, macs: { src?: string; dst?: string } = {}) =>
  ethernet(macs, ipv4({ src: from, dst: to }, udp({ sport: 5000, dport: 5000 }, new Uint8Array(bytes - 28))));

class Run {
  readonly source: FakeSource;
  readonly #monitor;
  #time = 1_700_000_000_000;

  constructor(interfaces: readonly string[], setup: MonitorSetup = {}) {
    this.source = new FakeSource('libpcap', interfaces);
    this.#monitor = monitorOver(this.source, { own: [US], ...setup }).monitor;
  }

  frames(...frames: readonly FakeFrame[]): this {
    this.source.push(...frames.map((each) => ({ time: this.#time, ...each })));
    const batch = this.source.read();
    if (batch !== null) this.#monitor.ingest(batch, 0, batch.count);
    return this;
  }

  tick(): Snapshot {
    this.#time += 1000;
    return this.#monitor.tick(this.#time, 1000, [], LIVE_LIMITS);
  }

  captured() {
    return this.#monitor.capturedBytes();
  }
}

const traffic = ({ rxBytes, txBytes }: Traffic) => [rxBytes, txBytes];
const total = (rows: readonly Traffic[]) =>
  rows.map(traffic).reduce(([rx = 0, tx = 0], [r = 0, t = 0]) => [rx + r, tx + t], [0, 0]);
const byName = (snapshot: Snapshot) => Object.fromEntries(snapshot.interfaces.map((row) => [row.interface, traffic(row)]));

describe('forwarded traffic', () => {
  const [lan, wan] = ['192.0.2.1', '198.51.100.1'];

  it('is received where it came in and sent where it left, regardless of who opened it', () => {
    const run = new Run(['lan0', 'wan0']).frames(
      { data: frame(wan, lan, 1000), iface: 1, direction: IN },
      { data: frame(wan, lan, 1000), iface: 0, direction: OUT },
      { data: frame(lan, wan, 40), iface: 0, direction: IN },
      { data: frame(lan, wan, 40), iface: 1, direction: OUT },
    );
    const snapshot = run.tick();
    expect(byName(snapshot)).toEqual({ lan0: [40, 1000], wan0: [1000, 40] });
    expect(traffic(snapshot.total)).toEqual([1040, 1040]);
    for (const rows of [snapshot.apps, snapshot.hosts, snapshot.categories]) expect(total(rows)).toEqual([1040, 1040]);
    expect(snapshot.flows.map(({ direction, local, rxBytes, txBytes }) => [direction, local.address, rxBytes, txBytes])).toEqual([
      ['transit', wan, 40, 1000],
      ['transit', wan, 40, 1000],
    ]);
    expect(run.captured().get('wan0')).toEqual({ rxBytes: 1014, txBytes: 54 });
    expect(snapshot.total.passingBytes).toBeNull();
  });

  it('is received and sent by one interface if it comes in and leaves there', () => {
    const run = new Run(['eth0']).frames(
      { data: frame(wan, lan, 1000), direction: IN },
      { data: frame(wan, lan, 1000), direction: OUT },
      { data: frame(lan, wan, 100), direction: IN },
    );
    expect(traffic(run.tick().total)).toEqual([1100, 1000]);
    const later = run.frames({ data: frame(lan, wan, 100), direction: OUT }).tick();
    expect([traffic(later.total), later.total.rxRate, later.total.txRate]).toEqual([[1100, 1100], 0, 100]);
    expect(byName(later)).toEqual({ eth0: [1100, 1100] });
  });

  it('is recognised by hardware addresses if frames say nothing else', () => {
    const hardware = () => Uint8Array.from(OUR_MAC.split(':'), (byte) => Number.parseInt(byte, 16));
    const frames = [
      { data: frame(wan, lan, 1000, { src: THEIR_MAC, dst: OUR_MAC }) },
      { data: frame(lan, wan, 40, { src: OUR_MAC, dst: THEIR_MAC }) },
    ];
    const router = new Run(['eth0'], { hardware }).frames(...frames).tick();
    expect([traffic(router.total), router.total.passingBytes]).toEqual([[1000, 40], 0]);
    const mirrored = [{ data: frame(wan, lan, 1000, { src: THEIR_MAC, dst: OTHER_MAC }) }];
    const mirror = new Run(['eth0'], { hardware }).frames(...mirrored).tick();
    expect([traffic(mirror.total), mirror.total.passingBytes]).toEqual([[1000, 0], 1000]);
    // A port forwards frames for others to its bridge. It isn't known whether they come in or go out.
    const port = new Run(['veth0'], { hardware }).frames(...mirrored).tick();
    expect(port.total.passingBytes).toBeNull();
  });
});

describe('passing traffic', () => {
  const [one, two] = ['192.0.2.1', '192.0.2.2'];

  it('is received, never sent, and counted separately', () => {
    const run = new Run(['eth0'], { hardware: () => new Uint8Array(6) }).frames(
      { data: frame(one, two, 1000), direction: PASSING },
      { data: frame(two, one, 100), direction: PASSING },
      { data: frame(US, two, 50), direction: OUT },
    );
    const snapshot = run.tick();
    expect([traffic(snapshot.total), snapshot.total.passingBytes]).toEqual([[1100, 50], 1100]);
    expect(snapshot.interfaces).toMatchObject([{ rxBytes: 1100, txBytes: 50, passingBytes: 1100 }]);
    for (const rows of [snapshot.apps, snapshot.hosts, snapshot.categories]) expect(total(rows)).toEqual([1100, 50]);
  });

  it('is forwarded by the port of a bridge', () => {
    const run = new Run(['veth0']).frames({ data: frame(one, two, 1000), direction: PASSING });
    expect(run.tick().interfaces).toMatchObject([{ rxBytes: 1000, txBytes: 0 }]);
  });

  it('includes a DHCP request of another host, which has no address yet', () => {
    const asked = ethernet({}, ipv4({ src: '0.0.0.0', dst: '192.0.2.2' }, udp({ sport: 68, dport: 67 }, 'dhcp')));
    const snapshot = new Run(['eth0']).frames({ data: asked, direction: PASSING }).tick();
    expect(snapshot.flows.map(({ direction }) => direction)).toEqual(['transit']);
  });
});

describe('our own traffic over stacked interfaces', () => {
  const received = frame('192.0.2.9', US, 1000);
  const sent = frame(US, '192.0.2.9', 60);
  const over = (upper: number, lower: number) => [
    { data: received, iface: lower, direction: IN },
    { data: received, iface: upper, direction: IN },
    { data: sent, iface: upper, direction: OUT },
    { data: sent, iface: lower, direction: OUT },
  ];

  it.each([
    ['a bridge', 'br0', {}],
    ['a VLAN', 'vlan10', {}],
    ['a bond', 'bond0', {}],
    ['PPPoE', 'ppp0', {}],
    ['a bridge in a recording', 'br0', { replay: true, own: [] }],
    ['one that was named, too', 'eth0.10', { named: ['eth0', 'eth0.10'], lower: () => ['eth0'] }],
    ['one over another', 'br0', { lower: (name: string) => (name === 'br0' ? ['bond0', 'eth0'] : []) }],
  ] as const)('counts once: %s', (_what, upper, setup) => {
    const run = new Run([upper, 'eth0'], setup).frames(...over(0, 1));
    for (let second = 1; second <= 3; second++) {
      const snapshot = run.tick();
      for (const rows of [[snapshot.total], snapshot.apps, snapshot.hosts, snapshot.categories])
        expect(total(rows)).toEqual([second * 1000, second * 60]);
      expect(byName(snapshot)[upper]).toEqual([second * 1000, second * 60]);
      run.frames(...over(0, 1));
    }
  });

  it('counts on the upper one if it crosses none below', () => {
    const run = new Run(['docker0', 'eth0']).frames({ data: sent, iface: 0, direction: OUT });
    expect(traffic(run.tick().total)).toEqual([0, 60]);
  });

  it('keeps counting when a flow moves from the card to a container, and back', () => {
    const run = new Run(['docker0', 'eth0']).frames(
      { data: sent, iface: 1, direction: OUT },
      { data: sent, iface: 0, direction: OUT },
    );
    expect(traffic(run.tick().total)).toEqual([0, 60]);
    for (let second = 0; second < 3; second++) run.tick();
    expect(traffic(run.frames({ data: sent, iface: 0, direction: OUT }).tick().total)).toEqual([0, 120]);
    run.frames({ data: sent, iface: 1, direction: OUT }, { data: sent, iface: 0, direction: OUT });
    const back = run.tick();
    for (const rows of [[back.total], back.apps, back.hosts, back.categories]) expect(total(rows)).toEqual([0, 180]);
  });

  it('counts on a counted interface above an uncounted one', () => {
    const lower = (name: string) => (name === 'en7' ? ['ap1'] : []);
    const { total: all, interfaces } = new Run(['en7', 'ap1'], { lower }).frames(...over(0, 1)).tick();
    expect(interfaces.map(({ isCounted }) => isCounted)).toEqual([true, false]);
    expect(traffic(all)).toEqual([1000, 60]);
  });

  it('counts on each card that a flow moves to', () => {
    const run = new Run(['bond0', 'eth0', 'eth1']).frames({ data: sent, iface: 0 }, { data: sent, iface: 1 });
    run.tick();
    run.frames({ data: sent, iface: 0 }, { data: sent, iface: 2 });
    expect(traffic(run.tick().total)).toEqual([0, 120]);
  });
});

describe('multicast that returns to its sender', () => {
  const query = frame(US, '224.0.0.251', 100);

  it('counts once if it also left', () => {
    const run = new Run(['en0']);
    run.source.interfaces.push(run.source.named('lo0', true));
    const snapshot = run.frames({ data: query, iface: 0, direction: OUT }, { data: query, iface: 1, direction: OUT }).tick();
    expect(traffic(snapshot.total)).toEqual([0, 100]);
    expect(total(snapshot.apps)).toEqual([0, 100]);
  });

  it('counts if nothing else left', () => {
    const run = new Run(['en0']);
    run.source.interfaces.push(run.source.named('lo0', true));
    expect(traffic(run.frames({ data: query, iface: 1, direction: OUT }).tick().total)).toEqual([0, 100]);
  });
});

describe('the total', () => {
  const inside = ethernet({}, ipv4({ src: US, dst: '192.0.2.80' }, tcp({ sport: 50_000 }, new Uint8Array(960))));

  it('never falls, as bytes once counted stay', () => {
    const run = new Run(['tun0', 'br0']).frames(
      { data: inside, iface: 0 },
      { data: frame('192.0.2.1', '192.0.2.2', 500), iface: 1 },
    );
    const alone = run.tick();
    expect(alone.total.txBytes).toBe(1500);
    run.frames({ data: inside, iface: 0 });
    run.source.interfaces.push(run.source.named('en0'));
    const joined = run.frames({ data: frame(US, '192.0.2.7', 300), iface: 2 }, { data: inside, iface: 0 }).tick();
    expect(joined.interfaces.map(({ isCounted }) => isCounted)).toEqual([false, false, true]);
    expect(joined.total.txBytes).toBe(1500 + 1000 + 300);
    expect(total(joined.categories)).toEqual(traffic(joined.total));
    const later = run.frames({ data: inside, iface: 0 }).tick();
    expect([traffic(later.total), total(later.categories)]).toEqual([traffic(joined.total), traffic(joined.total)]);
    expect(total(later.apps)[1]).toBe(2800 + 2000);
  });
});

describe('hundreds of new interfaces', () => {
  const names = Array.from({ length: 500 }, (_, i) => `veth${i}`);
  const cooked = (name: string) => ({ name, kind: 'virtual', link: LINK.LINUX_SLL2, deliversTwice: false }) as const;
  const frames = names.map((_, i) => ({ data: frame('192.0.2.9', US, 100), iface: i + 1, direction: IN }));

  it('are looked up a few at a time, and don’t count before it is known whether they do', () => {
    let asked = 0;
    const lower = () => {
      asked++;
      return [];
    };
    const run = new Run(['eth0'], { lower }).frames({ data: frame('192.0.2.9', US, 1000), direction: IN });
    run.source.interfaces.push(...names.map(cooked));
    asked = 0;
    run.frames(...frames);
    expect(asked).toBe(LEARNT_AT_ONCE);
    run.frames(...frames);
    expect(asked).toBe(2 * LEARNT_AT_ONCE);
    const { total: all, interfaces } = run.tick();
    expect(asked).toBe(names.length);
    expect(traffic(all)).toEqual([1000, 0]);
    expect(interfaces.map(traffic)).toEqual([[1000, 0], ...names.map(() => [200, 0])]);
  });
});
