import { describe, expect, it } from 'vitest';
import { Aggregator, LIVE_LIMITS } from '../../../../src/aggregate/aggregator.ts';
import { Localizer } from '../../../../src/flow/direction.ts';
import { FlowTable } from '../../../../src/flow/flow-table.ts';
import { Directory, Users } from '../../../../src/identify/process/directory.ts';
import { CapturedSource } from '../../../../src/identify/process/recorded.ts';
import { NO_OWNER } from '../../../../src/model/terms.ts';
import { DIRECTION, PROTOCOL } from '../../../../src/net/numbers.ts';
import { addresses, type PacketFields, packet, reply, timed } from '../../../support/packets.ts';
import { UNCOUNTED } from '../../../support/snapshot-builder.ts';

const { IN, OUT, UNKNOWN } = DIRECTION;
/** Processes as a capture lists them. Index 0 is nobody. */
const NAMES = [
  { pid: -1, name: '' },
  { pid: 100, name: 'curl' },
  { pid: 200, name: 'nc' },
  { pid: 0, name: 'kernel_task' },
  { pid: 300, name: 'mDNSResponder' },
  { pid: 400, name: 'Google Chrome He' },
  { pid: 0, name: '' },
  { pid: 500, name: '\u001b[31mred' },
  { pid: 400, name: 'Google Chrome H' },
];
const [CURL, NC, KERNEL, RESOLVER, CHROME, NAMELESS, HOSTILE, SHORT] = [1, 2, 3, 4, 5, 6, 7, 8] as const;

function setUp(rows = 1 << 10) {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1', '127.0.0.1'));
  const flows = new FlowTable(localizer, rows, 1);
  const directory = new Directory(new Users('/nonexistent/passwd'));
  const source = new CapturedSource('pktap', flows, directory, () => NAMES);
  const aggregator = new Aggregator({ flows, directory, started: 0, seed: 1, onBehalfOf: (row) => source.onBehalfOf(row) });
  let time = 1_000_000;
  /** Counts a packet and lets it vote, as the monitor does. */
  const see = (made: ReturnType<typeof packet>, direction: number, process: number, effective = 0, twice = false): number => {
    const row = twice
      ? flows.lookup(made.words, made.sourcePort, made.destinationPort, made.protocol, 0)
      : flows.touch(timed(made, time++), 0, direction);
    if (row >= 0) source.see(row, flows.lastSent, direction, process, effective);
    return row;
  };
  const pid = (row: number) => directory.process(flows.owner(row))?.pid ?? null;
  const peerPid = (row: number) => directory.process(flows.peer(row))?.pid ?? null;
  const tick = () => {
    const interfaces = [{ name: 'en0', kind: 'physical' as const, isCounted: true, ...UNCOUNTED }];
    return aggregator.tick({ time: time++, intervalMs: 1000, capture: {} as never, interfaces, gaps: [] }, LIVE_LIMITS);
  };
  const apps = () => Object.fromEntries(tick().apps.map((app) => [app.app ?? app.reason, app.rxBytes + app.txBytes]));
  return { flows, directory, source, see, pid, peerPid, tick, apps };
}
const NAMED: PacketFields = { protocol: PROTOCOL.TCP };

describe('the owner of a flow', () => {
  it('comes from either direction', () => {
    const { see, pid } = setUp();
    const row = see(packet(NAMED), OUT, 0);
    expect(pid(row)).toBeNull();
    see(reply(NAMED), IN, CURL);
    expect(pid(row)).toBe(100);
    see(packet(NAMED), OUT, 0);
    expect(pid(row)).toBe(100);
  });

  it('is the process on most packets, not the first one', () => {
    const { see, pid } = setUp();
    const row = see(packet(NAMED), OUT, CURL);
    see(reply(NAMED), IN, CURL);
    for (const expected of [100, 100, 200, 200]) {
      see(packet(NAMED), OUT, NC);
      expect(pid(row)).toBe(expected);
    }
    // 2 against 4: it needs three more packets to win again, not one.
    see(reply(NAMED), IN, CURL);
    see(reply(NAMED), IN, CURL);
    expect(pid(row)).toBe(200);
    see(reply(NAMED), IN, CURL);
    expect(pid(row)).toBe(100);
  });

  it('agrees with a full count if one process has the majority', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return (seed >>> 8) % below;
    };
    for (let run = 0; run < 200; run++) {
      const { see, pid } = setUp();
      const counts = new Map<number, number>();
      let row = 0;
      const packets = 1 + random(40);
      for (let i = 0; i < packets; i++) {
        const index = [CURL, NC, CHROME][random(3)] as number;
        counts.set(index, (counts.get(index) ?? 0) + 1);
        row = see(packet(NAMED), OUT, index);
      }
      const [winner, most] = [...counts].sort((a, b) => b[1] - a[1])[0] as [number, number];
      if (most * 2 > packets) expect(pid(row)).toBe(NAMES[winner]?.pid);
    }
  });

  it('moves its bytes to the winner, with nothing lost and nothing counted twice', () => {
    const { see, apps } = setUp();
    see(packet({ ...NAMED, bytes: 1000 }), OUT, CURL);
    expect(apps()).toEqual({ curl: 1000 });
    see(packet({ ...NAMED, bytes: 10 }), OUT, NC);
    see(packet({ ...NAMED, bytes: 10 }), OUT, NC);
    expect(apps()).toEqual({ nc: 1020 });
  });

  it('is the effective process where the packet is the kernel’s own', () => {
    const { see, pid } = setUp();
    const row = see(reply(NAMED), IN, KERNEL, CURL);
    expect(pid(row)).toBe(100);
    const other = see(reply({ ...NAMED, dport: 1 }), IN, 0, NC);
    expect(pid(other)).toBe(200);
    expect(pid(see(packet({ ...NAMED, dport: 2 }), OUT, NAMELESS, CURL))).toBe(100);
  });

  it('is the kernel only until a process is named', () => {
    const { see, pid, apps } = setUp();
    const row = see(reply({ ...NAMED, bytes: 100 }), IN, KERNEL);
    for (let i = 0; i < 9; i++) see(reply({ ...NAMED, bytes: 100 }), IN, KERNEL);
    expect(pid(row)).toBe(0);
    expect(apps()).toEqual({ kernel_task: 1000 });
    see(packet({ ...NAMED, bytes: 100 }), OUT, CURL);
    for (let i = 0; i < 9; i++) see(reply({ ...NAMED, bytes: 100 }), IN, KERNEL);
    expect(pid(row)).toBe(100);
    expect(apps()).toEqual({ curl: 2000 });
    // Not even if two processes are level.
    see(packet({ ...NAMED, bytes: 0 }), OUT, NC);
    see(reply({ ...NAMED, bytes: 0 }), IN, KERNEL);
    expect(pid(row)).toBe(100);
  });

  it('is nobody if pid 0 comes without a name', () => {
    const { see, pid, directory } = setUp();
    expect(pid(see(packet(NAMED), OUT, NAMELESS))).toBeNull();
    expect(directory.processCount).toBe(0);
  });

  it('moves bytes that were booked under a shorter truncation of the name', () => {
    const { see, source, apps, directory } = setUp();
    see(packet({ ...NAMED, bytes: 100 }), OUT, SHORT);
    expect(apps()).toEqual({ 'Google Chrome H': 100 });
    see(packet({ ...NAMED, sport: 2, bytes: 10 }), OUT, CHROME);
    source.work();
    expect(apps()).toEqual({ 'Google Chrome He': 110 });
    expect(directory.processCount).toBe(1);
  });

  it('has a name without control characters', () => {
    const { see, directory } = setUp();
    see(packet(NAMED), OUT, HOSTILE);
    expect(directory.process(0)?.name).toBe('[31mred');
  });

  it('starts over when the row is another flow’s', () => {
    const { flows, see, pid, source } = setUp();
    const row = see(packet(NAMED), OUT, RESOLVER, CHROME);
    for (let i = 0; i < 50; i++) see(packet(NAMED), OUT, RESOLVER, CHROME);
    flows.remove(row);
    expect(see(packet({ ...NAMED, sport: 50_001 }), OUT, 0)).toBe(row);
    expect([pid(row), source.onBehalfOf(row)]).toEqual([null, NO_OWNER]);
    see(packet({ ...NAMED, sport: 50_001 }), OUT, CURL);
    see(packet({ ...NAMED, sport: 50_001 }), OUT, NC);
    see(packet({ ...NAMED, sport: 50_001 }), OUT, NC);
    expect([pid(row), source.onBehalfOf(row)]).toEqual([200, NO_OWNER]);
  });

  it('is kept for every row while the table grows', () => {
    const { see, pid, flows } = setUp(1 << 13);
    const rows: number[] = [];
    for (let i = 0; i < 5000; i++) rows.push(see(packet({ ...NAMED, sport: 1024 + i }), OUT, i % 2 === 0 ? CURL : NC));
    expect(flows.count).toBe(5000);
    expect(rows.every((row, i) => pid(row) === (i % 2 === 0 ? 100 : 200))).toBe(true);
  });
});

describe('on behalf of', () => {
  const DNS: PacketFields = { protocol: PROTOCOL.UDP, dport: 53 };

  it('names the app that the owner acts for, and keeps the owner', () => {
    const { see, pid, tick } = setUp();
    const row = see(packet(DNS), OUT, RESOLVER, CHROME);
    see(reply(DNS), IN, RESOLVER);
    expect(pid(row)).toBe(300);
    expect(tick().flows[0]).toMatchObject({ app: 'mDNSResponder', pid: 300, onBehalfOf: 'Google Chrome He' });
  });

  it('is null if the capture says nothing, or names the owner again', () => {
    const { see, tick } = setUp();
    see(packet(DNS), OUT, RESOLVER);
    see(packet(DNS), OUT, RESOLVER, RESOLVER);
    expect(tick().flows[0]).toMatchObject({ app: 'mDNSResponder', onBehalfOf: null });
  });

  it('is decided by majority, too, and a change of it alone updates the row', () => {
    const { see, source, tick } = setUp();
    const row = see(packet(DNS), OUT, RESOLVER);
    tick();
    const quiet = tick().flows[0];
    expect(tick().flows[0]).toBe(quiet);
    source.see(row, true, OUT, RESOLVER, CHROME);
    expect(tick().flows[0]).toEqual({ ...quiet, onBehalfOf: 'Google Chrome He' });
    see(packet(DNS), OUT, RESOLVER, CHROME);
    see(packet(DNS), OUT, RESOLVER, CURL);
    expect(tick().flows[0]).toMatchObject({ onBehalfOf: 'Google Chrome He' });
    for (let i = 0; i < 3; i++) see(packet(DNS), OUT, RESOLVER, CURL);
    expect(tick().flows[0]).toMatchObject({ onBehalfOf: 'curl' });
  });

  it('is forgotten with the owner it belonged to', () => {
    const { see, source, pid } = setUp();
    const row = see(packet(NAMED), OUT, RESOLVER, CHROME);
    see(packet(NAMED), OUT, NC);
    see(packet(NAMED), OUT, NC);
    expect([pid(row), source.onBehalfOf(row)]).toEqual([200, NO_OWNER]);
  });
});

describe('a flow within this machine', () => {
  const LOOP: PacketFields = { src: '127.0.0.1', dst: '127.0.0.1', sport: 50_000, dport: 8080, bytes: 100 };

  it('has an owner at each end, and counts each packet once', () => {
    const { see, pid, peerPid, flows, tick } = setUp();
    // As lo0 delivers them: outbound with the sender, inbound with the receiver.
    const row = see(packet({ ...LOOP, flags: 'S' }), OUT, CURL);
    see(packet({ ...LOOP, flags: 'S' }), IN, NC, 0, true);
    see(reply({ ...LOOP, flags: 'SA', bytes: 30 }), OUT, NC);
    see(reply({ ...LOOP, flags: 'SA', bytes: 30 }), IN, CURL, 0, true);
    expect([pid(row), peerPid(row)]).toEqual([100, 200]);
    expect(flows.count).toBe(1);
    const { total, apps, flows: rows } = tick();
    expect([total.txBytes, total.rxBytes]).toEqual([100, 30]);
    expect(apps.map((app) => [app.app, app.txBytes, app.rxBytes])).toEqual([
      ['curl', 100, 30],
      ['nc', 30, 100],
    ]);
    expect(rows[0]).toMatchObject({ app: 'curl', pid: 100, peerApp: 'nc', peerPid: 200 });
  });

  it('decides each end separately', () => {
    const { see, pid, peerPid, apps } = setUp();
    const row = see(packet({ ...LOOP, flags: 'S' }), OUT, CURL);
    see(packet({ ...LOOP, flags: 'S' }), IN, NC, 0, true);
    expect(apps()).toEqual({ curl: 100, nc: 100 });
    see(reply(LOOP), OUT, CHROME);
    see(reply(LOOP), OUT, CHROME);
    expect([pid(row), peerPid(row)]).toEqual([100, 400]);
    expect(apps()).toEqual({ curl: 300, 'Google Chrome He': 300 });
  });

  it('gives nobody a packet whose direction is unknown', () => {
    const { see, pid, peerPid } = setUp();
    const row = see(packet({ ...LOOP, flags: 'S' }), UNKNOWN, CURL);
    expect([pid(row), peerPid(row)]).toEqual([null, null]);
  });

  it('learns a process again that was forgotten while no flow had it', () => {
    const { flows, directory, source, see, pid } = setUp();
    const first = see(packet({ sport: 1 }), OUT, CURL);
    flows.remove(first);
    directory.forgetApps([0]);
    source.beforeBatch();
    const row = see(packet({ sport: 2 }), OUT, CURL);
    expect([pid(row), directory.end]).toEqual([100, 2]);
    expect(see(packet({ sport: 2 }), OUT, CURL)).toBe(row);
    source.beforeBatch();
    expect(pid(row)).toBe(100);
  });

  it('follows a list of names that starts over', () => {
    const names = [
      { pid: -1, name: '' },
      { pid: 100, name: 'curl' },
    ];
    let begun = 0;
    const { flows, directory } = setUp();
    const source = new CapturedSource(
      'pktap',
      flows,
      directory,
      () => names,
      () => begun,
    );
    const seen = (sport: number) => {
      source.beforeBatch();
      const row = flows.touch(timed(packet({ sport }), 1000), 0, OUT);
      source.see(row, true, OUT, 1, 0);
      return directory.process(flows.owner(row))?.pid;
    };
    expect(seen(1)).toBe(100);
    names[1] = { pid: 200, name: 'nc' };
    begun = 1;
    expect([seen(2), seen(3)]).toEqual([200, 200]);
    names[1] = { pid: 100, name: 'curl' };
    begun = 2;
    expect([seen(4), directory.end]).toEqual([100, 2]);
  });
});
