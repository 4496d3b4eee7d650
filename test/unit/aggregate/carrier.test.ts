import { describe, expect, it } from 'vitest';
import { LIVE_LIMITS } from '../../../src/aggregate/aggregator.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import { type FakeFrame, FakeSource, type MonitorSetup, monitorOver } from '../../support/fake-source.ts';
import { ethernet, ipv4, tcp, udp, wireguard } from '../../support/frames.ts';

const inside = ethernet(
  {},
  ipv4({ src: '10.6.0.2', dst: '192.0.2.80' }, tcp({ sport: 50_000, dport: 443 }, new Uint8Array(1000))),
);
const carrier = ethernet(
  {},
  ipv4({ src: '10.0.0.1', dst: '198.51.100.7' }, udp({ sport: 51_820, dport: 51_820 }, wireguard(4, 64))),
);
const plain = ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.1' }, tcp({ sport: 40_000, dport: 80 }, new Uint8Array(100))));
const bridged = ethernet(
  {},
  ipv4({ src: '172.17.0.2', dst: '192.0.2.1' }, tcp({ sport: 40_001, dport: 80 }, new Uint8Array(100))),
);

function snapshotOf(interfaces: readonly string[], frames: readonly (readonly [number, Uint8Array])[], setup: MonitorSetup = {}) {
  const source = new FakeSource('libpcap', interfaces);
  const { monitor } = monitorOver(source, { own: ['10.0.0.1', '10.6.0.2', '172.17.0.2'], ...setup });
  source.push(...frames.map(([iface, data]) => ({ iface, data })));
  const batch = source.read();
  if (batch !== null) monitor.ingest(batch, 0, batch.count);
  return monitor.tick(1000, 1000, [], LIVE_LIMITS);
}

const bytes = (row: { rxBytes: number; txBytes: number }) => row.rxBytes + row.txBytes;
const network = (frame: Uint8Array) => frame.length - 14;

describe('a captured tunnel', () => {
  const snapshot = snapshotOf(
    ['eth0', 'wg0'],
    [
      [1, inside],
      [0, carrier],
      [0, carrier],
      [0, plain],
    ],
  );

  it('is not summed with the interface that carries it', () => {
    expect(bytes(snapshot.total)).toBe(2 * network(carrier) + network(plain));
    expect(snapshot.interfaces.map(({ interface: name, isCounted }) => [name, isCounted])).toEqual([
      ['eth0', true],
      ['wg0', false],
    ]);
  });

  it('gives its bytes to the apps inside, and marks what carries it', () => {
    expect(snapshot.flows.filter(({ carries }) => carries).map(({ remote }) => remote.address)).toEqual(['198.51.100.7']);
    const overhead = snapshot.apps.find(({ reason }) => reason === 'overhead of tunnels');
    // Here the carrier moved less than what was inside: the counters of the two are a moment apart.
    expect(overhead && bytes(overhead)).toBe(0);
    const rest = snapshot.apps.filter((row) => row !== overhead);
    expect(rest.reduce((sum, row) => sum + bytes(row), 0)).toBe(network(inside) + network(plain));
  });

  it('leaves only the overhead to its carrier, so that apps and total agree', () => {
    const many = snapshotOf(
      ['eth0', 'wg0'],
      [...Array.from({ length: 40 }, () => [0, carrier] as const), [1, inside], [0, plain]],
    );
    expect(many.apps.reduce((sum, row) => sum + bytes(row), 0)).toBe(bytes(many.total));
  });

  it('counts as itself if nothing else is captured', () => {
    const alone = snapshotOf(['wg0'], [[0, inside]]);
    expect(bytes(alone.total)).toBe(network(inside));
    expect(alone.interfaces[0]?.isCounted).toBe(true);
  });
});

describe('flows that look like a carrier', () => {
  it('are apps of their own while no tunnel is captured', () => {
    const snapshot = snapshotOf(['eth0'], [[0, carrier]]);
    expect(snapshot.flows[0]?.carries).toBe(false);
    expect(bytes(snapshot.total)).toBe(network(carrier));
    expect(snapshot.apps).toHaveLength(1);
    expect(snapshot.apps[0]?.reason).not.toBe('overhead of tunnels');
  });
});

describe('the carrier of a tunnel on any port', () => {
  const VPN = 1;
  const CURL = 2;
  const SYNC = 3;
  const ends = { src: '10.0.0.1', dst: '198.51.100.7' };
  const outer = (size: number, port = 9993) =>
    ethernet({}, ipv4(ends, udp({ sport: port, dport: port }, new Uint8Array(size + 20))));
  const inner = (size: number) =>
    ethernet({}, ipv4({ src: '10.6.0.2', dst: '192.0.2.80' }, udp({ sport: 50_000, dport: 9 }, new Uint8Array(size))));

  function world(names: readonly string[] = ['vpnd', 'curl', 'sync']) {
    const source = new FakeSource('libpcap', ['en0', 'utun4']);
    source.namesProcesses = names.length > 0;
    source.processes.push(...names.map((name, i) => ({ pid: 100 + i, name })));
    const { monitor } = monitorOver(source, { own: ['10.0.0.1', '10.6.0.2'] });
    let time = 0;
    return (...frames: FakeFrame[]) => {
      source.push(...frames);
      const batch = source.read();
      if (batch !== null) monitor.ingest(batch, 0, batch.count);
      time += 1000;
      return monitor.tick(time, 1000, [], LIVE_LIMITS);
    };
  }
  const times = <T>(count: number, make: () => readonly T[]) => Array.from({ length: count }, make).flat();
  const through = (size: number, process: number, port?: number) => () => [
    { data: inner(size), iface: 1, process: CURL, direction: 2 },
    { data: outer(size + 28, port), iface: 0, process, direction: 2 },
  ];
  const apps = (snapshot: Snapshot) => Object.fromEntries(snapshot.apps.map((row) => [row.app ?? row.reason, row.txBytes]));

  it('is the process that moves its bytes once more: no byte under two apps', () => {
    const tick = world();
    const snapshot = tick(...times(40, through(1200, VPN)), { data: plain, iface: 0, process: SYNC, direction: 2 });
    expect(apps(snapshot)).toEqual({ curl: 40 * 1228, 'overhead of tunnels': 40 * 48, sync: network(plain) });
    expect(snapshot.apps.reduce((sum, row) => sum + bytes(row), 0)).toBe(bytes(snapshot.total));
    // It goes on to, over other flows and however little.
    const later = tick(...times(2, through(100, VPN, 443)));
    expect(apps(later)['overhead of tunnels']).toBe(42 * 48);
    expect(later.flows.filter(({ carries }) => carries)).toHaveLength(2);
  });

  it('is a flow if its process is unknown', () => {
    const snapshot = world([])(...times(40, through(1200, 0)));
    expect(snapshot.apps.reduce((sum, row) => sum + bytes(row), 0)).toBe(bytes(snapshot.total));
    expect(snapshot.flows.filter(({ carries }) => carries)).toMatchObject([{ interface: 'en0' }]);
  });

  it('keeps everything it moved when it is found late', () => {
    const tick = world();
    const first = tick(...times(20, through(1200, VPN)));
    expect(apps(first)).toEqual({ curl: 20 * 1228, vpnd: 20 * 1276 });
    expect(apps(tick(...times(20, through(1200, VPN))))).toEqual({ curl: 40 * 1228, 'overhead of tunnels': 40 * 48 });
  });

  it('is found only once one process alone goes on to fit', () => {
    const tick = world();
    const alike = { data: outer(1250, 4000), iface: 0, process: SYNC, direction: 2 };
    const both = tick(...times(40, through(1200, VPN)), ...times(40, () => [alike]));
    expect(both.flows.some(({ carries }) => carries)).toBe(false);
    const one = tick(...times(40, through(1200, VPN)), ...times(10, () => [alike]));
    expect(apps(one)).toMatchObject({ curl: 80 * 1228, 'overhead of tunnels': 80 * 48, sync: 50 * (1250 + 48) });
  });

  it("is not just any app on a tunnel's port, nor anyone else if a label says who", () => {
    const tick = world();
    const port = { data: outer(60, 51_820), iface: 0, process: SYNC, direction: 2 };
    expect(tick({ data: inner(1200), iface: 1, process: CURL, direction: 2 }, port).flows.some(({ carries }) => carries)).toBe(
      false,
    );
    const labelled = ethernet({}, ipv4(ends, udp({ sport: 51_820, dport: 51_820 }, wireguard(4, 1248))));
    const guarded = () => [
      { data: inner(1200), iface: 1, process: CURL, direction: 2 },
      { data: labelled, iface: 0, process: VPN, direction: 2 },
    ];
    const alike = { data: outer(1250, 4000), iface: 0, process: SYNC, direction: 2 };
    const other = world();
    const snapshot = other(...times(40, guarded), ...times(40, () => [alike]));
    expect(snapshot.flows.filter(({ carries }) => carries)).toMatchObject([{ tunnel: 'wireguard' }]);
  });
});

describe('bridges and virtual pairs', () => {
  const contained = ethernet(
    {},
    ipv4({ src: '172.17.0.2', dst: '192.0.2.1' }, tcp({ sport: 40_001, dport: 80 }, new Uint8Array(100))),
  );
  const ours = ethernet(
    {},
    ipv4({ src: '172.17.0.1', dst: '172.17.0.2' }, tcp({ sport: 40_002, dport: 80 }, new Uint8Array(300))),
  );
  const own = ['10.0.0.1', '172.17.0.1'];

  it('repeat what they forward to a physical interface: no app gets it twice', () => {
    const snapshot = snapshotOf(
      ['eth0', 'docker0'],
      [
        [0, plain],
        [1, contained],
      ],
      { own },
    );
    expect(bytes(snapshot.total)).toBe(network(plain));
    expect(snapshot.apps.reduce((sum, row) => sum + bytes(row), 0)).toBe(network(plain));
    expect(snapshot.interfaces.map((row) => bytes(row))).toEqual([network(plain), network(contained)]);
    expect(snapshot.flows).toHaveLength(2);
  });

  it('give what this machine itself exchanges with a container to its app and the total, once', () => {
    const snapshot = snapshotOf(
      ['eth0', 'docker0', 'veth1'],
      [
        [0, plain],
        [1, ours],
        [2, ours],
        [1, contained],
      ],
      { own },
    );
    const once = network(plain) + network(ours);
    expect(bytes(snapshot.total)).toBe(once);
    expect(snapshot.apps.reduce((sum, row) => sum + bytes(row), 0)).toBe(once);
    expect(snapshot.total.unownedBytes).toBe(once);
    expect(snapshot.categories.reduce((sum, row) => sum + bytes(row), 0)).toBe(once);
  });

  it('count if the user named them', () => {
    const snapshot = snapshotOf(['docker0'], [[0, bridged]], { named: ['docker0'] });
    expect(bytes(snapshot.total)).toBe(network(bridged));
    expect(snapshot.apps).toHaveLength(1);
  });
});
