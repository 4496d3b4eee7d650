import { beforeEach, describe, expect, it } from 'vitest';
import { Localizer } from '../../../../../../src/flow/direction.ts';
import { FlowTable } from '../../../../../../src/flow/flow-table.ts';
import { Directory, Users } from '../../../../../../src/identify/process/directory.ts';
import type { LoadedPrograms } from '../../../../../../src/identify/process/linux/ebpf/loader.ts';
import { EbpfSource } from '../../../../../../src/identify/process/linux/ebpf/source.ts';
import type { ExecWatch } from '../../../../../../src/identify/process/linux/exec-watch.ts';
import type { OlderSockets } from '../../../../../../src/identify/process/linux/older-sockets.ts';
import { procAt } from '../../../../../../src/identify/process/linux/procfs/proc.ts';
import type { BehindTranslation, ProcfsSource } from '../../../../../../src/identify/process/linux/procfs/source.ts';
import { SocketOwners } from '../../../../../../src/identify/process/linux/socket-owners.ts';
import type { TransferredSockets } from '../../../../../../src/identify/process/linux/transferred-sockets.ts';
import type { ProcessFacts } from '../../../../../../src/identify/process/process-facts.ts';
import { FLOW_DIRECTIONS } from '../../../../../../src/model/terms.ts';
import { PROTOCOL } from '../../../../../../src/net/numbers.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';
import { FakeReportRing, type ReportText } from '../../../../../support/fake-report-ring.ts';
import { addresses, type PacketFields, packet, timed } from '../../../../../support/packets.ts';

const { TCP, UDP, ICMP, ICMPV6 } = PROTOCOL;
const OURS = 1n;
const OTHERS = 4_294_967_297n;
const HERE = '10.0.0.1';
const THERE = '192.0.2.80';

let flows: FlowTable;
let directory: Directory;
let fake: FakeReportRing;
let source: EbpfSource;
let admitted: number[];
let fallback: ProcfsSource;
let behindTranslation: BehindTranslation;
let now: number;
let known: Map<number, ProcessFacts>;
let olderProcess: number;
/** What the source queued for later socket look-ups: row, process name, end. */
let handed: string[];

beforeEach(() => {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses(HERE, 'fd00::1'));
  flows = new FlowTable(localizer, 1024, 7);
  const root = fakeRoot({});
  directory = new Directory(new Users(`${root}/passwd`));
  fake = new FakeReportRing();
  admitted = [];
  now = 0;
  known = new Map();
  olderProcess = -1;
  handed = [];
  const transferred = {
    add: (row: number, isPeer: boolean, id: number) =>
      void handed.push(`${row} ${directory.process(id)?.name}${isPeer ? ', far end' : ''}`),
    track: (row: number, isPeer: boolean, id: number) =>
      void handed.push(`${row} ${directory.process(id)?.name} holds it${isPeer ? ', far end' : ''}`),
  } as unknown as TransferredSockets;
  const watch = { facts: (pid: number) => known.get(pid), refresh() {}, note: '', close() {} } as unknown as ExecWatch;
  fallback = {
    note: '',
    admit: (row: number) => void admitted.push(row),
    work() {},
    finish() {},
    close() {},
  } as unknown as ProcfsSource;
  const older = { match: 'listener', find: () => olderProcess, work() {} } as unknown as OlderSockets;
  const programs: LoadedPrograms = {
    ring: fake.ring,
    missing: [],
    framesMissing: '',
    marks: false,
    namespace: OURS,
    clockOffsetMs: () => 1000,
    close() {},
  };
  const socketOwners = new SocketOwners(directory, procAt(`${root}/proc`), watch);
  source = new EbpfSource({
    flows,
    programs,
    socketOwners,
    older,
    watch,
    openFallback: (behind) => {
      behindTranslation = behind;
      return fallback;
    },
    transferred,
    interfaces: () => 2,
    now: () => now,
  });
});

/** A process that the exec worker reported. */
function begins(pid: number, name: string): void {
  known.set(pid, { pid, name, exe: `/bin/${name}`, uid: 0, parentPid: 1, startTime: pid, script: null, unit: null });
}

function reports(text: Partial<ReportText> & { pid: number; comm: string }): void {
  fake.push({ protocol: TCP, source: HERE, sourcePort: 40_000, destination: THERE, destinationPort: 443, ...text });
}

/** Handles a packet as the pipeline does: reports first, then the flow, then its admission. */
function comes(fields: PacketFields = {}, iface = 0): number {
  source.beforeBatch();
  const before = flows.created;
  const row = flows.touch(timed(packet(fields), 1000), iface, 0);
  if (flows.created > before) source.admit(row);
  return row;
}

const nameOf = (process: number) => directory.process(process)?.name ?? null;
const owner = (row: number) => nameOf(flows.owner(row));
const peer = (row: number) => nameOf(flows.peer(row));
const attribution = (row: number) => flows.attribution(row);
const direction = (row: number) => FLOW_DIRECTIONS[flows.direction(row)];

describe('EbpfSource', () => {
  it('knows the owner before the first packet', () => {
    begins(5, 'curl');
    reports({ pid: 5, comm: 'curl' });
    const row = comes();
    expect([owner(row), attribution(row), admitted]).toEqual(['curl', 'exact', []]);
  });

  it('knows it for a packet on any interface, in either direction', () => {
    begins(5, 'sshd');
    reports({
      pid: 5,
      comm: 'sshd',
      direction: 'ingress',
      source: THERE,
      sourcePort: 50_000,
      destination: HERE,
      destinationPort: 22,
    });
    const row = comes({ src: THERE, sport: 50_000, dst: HERE, dport: 22, flags: 'S' }, 1);
    expect([owner(row), direction(row)]).toEqual(['sshd', 'inbound']);
  });

  it('corrects a flow that is older than its report', () => {
    const row = comes();
    expect([owner(row), admitted]).toEqual([null, [row]]);
    begins(5, 'curl');
    reports({ pid: 5, comm: 'curl' });
    source.beforeBatch();
    expect(owner(row)).toBe('curl');
  });

  it('at the end takes what the report says of a process that is gone, however short ago that came', () => {
    reports({ pid: 5, comm: 'moment' });
    const row = comes();
    source.work(now);
    expect(owner(row)).toBe(null); // facts about it may still come
    source.finish(now);
    expect(owner(row)).toBe('moment');
  });

  it('handles IPv6', () => {
    begins(5, 'curl');
    reports({ pid: 5, comm: 'curl', source: 'fd00::1', destination: '2001:db8::2' });
    expect(owner(comes({ src: 'fd00::1', dst: '2001:db8::2' }))).toBe('curl');
  });

  it('knows other peers of an unconnected socket by its port', () => {
    begins(5, 'resolver');
    reports({ pid: 5, comm: 'resolver', protocol: UDP, connected: false });
    const row = comes({ protocol: UDP, dst: '192.0.2.99', dport: 53 });
    expect([owner(row), attribution(row)]).toEqual(['resolver', 'wildcard']);
    expect(owner(comes({ protocol: UDP, sport: 40_001 }))).toBeNull();
  });

  it('matches only exact addresses for a protocol without ports', () => {
    begins(5, 'ping');
    reports({ pid: 5, comm: 'ping', protocol: ICMP, sourcePort: 2048, destinationPort: 9, connected: false });
    expect(owner(comes({ protocol: ICMP, sport: 9, dport: 8 }))).toBe('ping');
    expect(owner(comes({ protocol: ICMP, sport: 9, dport: 8, dst: '192.0.2.99' }))).toBeNull();
  });

  it('tells pings to one host apart by their identifiers, and from the errors that the kernel sends there', () => {
    begins(5, 'first');
    begins(6, 'second');
    const to = (dst: string, identifier: number) => ({ protocol: ICMP, dst, sport: identifier, dport: 8 });
    reports({ pid: 5, comm: 'first', protocol: ICMP, sourcePort: 2048, destinationPort: 9, connected: false });
    reports({ pid: 6, comm: 'second', protocol: ICMP, sourcePort: 2048, destinationPort: 10, connected: false });
    const [first, second, third] = [9, 10, 11].map((identifier) => comes(to(THERE, identifier))) as [number, number, number];
    expect([owner(first), owner(second), owner(third)]).toEqual(['first', 'second', null]);
    expect(flows.touch(timed(packet({ protocol: ICMP, src: THERE, dst: HERE, sport: 8, dport: 9 }), 1000), 0, 0)).toBe(first);
    const error = comes({ protocol: ICMP });
    expect([owner(error), admitted]).toEqual([null, [third, error]]);
  });

  it('gives what a raw socket sends without an identifier to that socket’s process', () => {
    begins(5, 'radvd');
    reports({
      pid: 5,
      comm: 'radvd',
      protocol: ICMPV6,
      sourcePort: 134 << 8,
      source: 'fd00::1',
      destination: 'ff02::1',
      connected: false,
    });
    expect(owner(comes({ protocol: ICMPV6, src: 'fd00::1', dst: 'ff02::1' }))).toBe('radvd');
    expect(owner(comes({ protocol: ICMPV6, src: 'fd00::1', dst: 'ff02::16' }))).toBeNull();
  });

  it('gives a loopback flow both owners, in either order of reports', () => {
    begins(5, 'client');
    begins(6, 'server');
    const ends = { source: '127.0.0.1', destination: '127.0.0.1', sourcePort: 40_000, destinationPort: 80 };
    reports({ pid: 5, comm: 'client', ...ends });
    const row = comes({ src: '127.0.0.1', dst: '127.0.0.1', dport: 80, flags: 'S' });
    expect([owner(row), peer(row), direction(row)]).toEqual(['client', null, 'local']);
    reports({ pid: 6, comm: 'server', ...ends, direction: 'ingress' });
    source.beforeBatch();
    expect([owner(row), peer(row)]).toEqual(['client', 'server']);
  });

  it('starts another flow if another process took the tuple over, even without a SYN', () => {
    begins(5, 'first');
    begins(6, 'second');
    reports({ pid: 5, comm: 'first', protocol: UDP });
    const row = comes({ protocol: UDP });
    reports({ pid: 6, comm: 'second', protocol: UDP });
    source.beforeBatch();
    expect([flows.isRetired(row), owner(row)]).toEqual([true, 'first']);
    expect(owner(comes({ protocol: UDP }))).toBe('second');
  });

  it('keeps two processes apart that ended when only their names were known', () => {
    reports({ pid: 5, comm: 'flash', protocol: UDP });
    const row = comes({ protocol: UDP });
    reports({ pid: 6, comm: 'flash', protocol: UDP });
    source.beforeBatch();
    expect([flows.isRetired(row), owner(row)]).toEqual([true, 'flash']);
    const other = comes({ protocol: UDP });
    now = 260;
    source.work(now);
    expect([owner(other), flows.created]).toEqual(['flash', 2]);
  });

  it('keeps two processes apart that used one tuple in turn, by the time of their packets', () => {
    begins(5, 'first');
    begins(6, 'second');
    reports({ pid: 5, comm: 'first', protocol: UDP, timeMs: 10 });
    reports({ pid: 6, comm: 'second', protocol: UDP, timeMs: 20 });
    source.beforeBatch();
    expect(source.nextChange).toBeCloseTo(1020, 1);
    const times = [1010.1, 1010.2, 1020.1];
    for (const time of times) {
      if (time >= source.nextChange) source.change(time);
      flows.touch(timed(packet({ protocol: UDP }), time), 0, 0);
    }
    source.admit(flows.lookup(packet({ protocol: UDP }).words, 40_000, 443, UDP, 0));
    expect([flows.isRetired(0), owner(0), flows.created]).toEqual([true, 'first', 2]);
    expect(source.nextChange).toBe(Number.POSITIVE_INFINITY);
    expect(owner(flows.lookup(packet({ protocol: UDP }).words, 40_000, 443, UDP, 0))).toBe('second');
  });

  it('gives a flow to the process that had its tuple at the start, even if another took it over before the flow was admitted', () => {
    begins(5, 'first');
    begins(6, 'second');
    reports({ pid: 5, comm: 'first', protocol: UDP, timeMs: 10 });
    reports({ pid: 6, comm: 'second', protocol: UDP, timeMs: 20 });
    source.beforeBatch();
    const row = flows.touch(timed(packet({ protocol: UDP }), 1010.1), 0, 0);
    source.admit(row);
    expect(owner(row)).toBe('first');
    source.change(1020.1);
    expect([flows.isRetired(row), owner(row)]).toEqual([true, 'first']);
  });

  it('doesn’t claim an answer to another process that the raw socket of a ping also received', () => {
    begins(5, 'ping');
    const fields = { protocol: ICMP, sourcePort: 0, destinationPort: 0 };
    reports({ pid: 5, comm: 'ping', ...fields, source: THERE, destination: HERE, direction: 'ingress' });
    expect(owner(comes({ protocol: ICMP, sport: 0, dport: 0, src: THERE, dst: HERE }))).toBeNull();
  });

  it('claims a forwarded flow of a container', () => {
    begins(5, 'contained');
    reports({ pid: 5, comm: 'contained', source: '172.17.0.2', namespace: OTHERS });
    source.beforeBatch();
    const row = flows.touch(timed(packet({ src: '172.17.0.2' }), 1000), 0, 0);
    expect([direction(row), source.claim(row), owner(row), direction(row)]).toEqual(['transit', true, 'contained', 'transit']);
    const other = flows.touch(timed(packet({ src: '172.17.0.3' }), 1000), 0, 0);
    expect([source.claim(other), direction(other)]).toEqual([false, 'transit']);
  });

  it('claims one older than its report, and keeps it apart from another process’s', () => {
    begins(5, 'contained');
    begins(6, 'other');
    const ends = { source: '172.17.0.2', protocol: UDP, namespace: OTHERS };
    const passes = () => {
      source.beforeBatch();
      const before = flows.created;
      const row = flows.touch(timed(packet({ src: '172.17.0.2', protocol: UDP }), 1000), 0, 0);
      if (flows.created > before) source.claim(row);
      return row;
    };
    const row = passes();
    reports({ pid: 5, comm: 'contained', ...ends });
    expect([passes(), owner(row), direction(row)]).toEqual([row, 'contained', 'transit']);
    reports({ pid: 6, comm: 'other', ...ends });
    expect([owner(passes()), flows.created]).toEqual(['other', 2]);
  });

  it('doesn’t take a flow that this machine only forwards to a container for a local one', () => {
    begins(5, 'contained');
    const row = flows.touch(timed(packet({ src: '198.51.100.9', dst: '172.17.0.2' }), 1000), 0, 0);
    expect(source.claim(row)).toBe(false);
    const ends = { source: '198.51.100.9', destination: '172.17.0.2', namespace: OTHERS };
    reports({ pid: 5, comm: 'contained', ...ends, direction: 'ingress' });
    source.beforeBatch();
    expect([owner(row), peer(row), direction(row)]).toEqual([null, null, 'transit']);
  });

  it('leaves a flow with its current holder when its creator is reported again', () => {
    begins(5, 'maker');
    begins(6, 'heir');
    reports({ pid: 5, comm: 'maker', protocol: UDP });
    const row = comes({ protocol: UDP });
    flows.own(row, directory.learn(known.get(6) as ProcessFacts), 'exact');
    reports({ pid: 5, comm: 'maker', protocol: UDP });
    expect([comes({ protocol: UDP }), flows.created, owner(row)]).toEqual([row, 1, 'heir']);
  });

  it('keeps a flow that was passed on apart from a third process’s, with its last owner', () => {
    for (const [pid, name] of [
      [5, 'maker'],
      [6, 'heir'],
      [7, 'third'],
    ] as const)
      begins(pid, name);
    reports({ pid: 5, comm: 'maker', protocol: UDP });
    const row = comes({ protocol: UDP });
    flows.own(row, directory.learn(known.get(6) as ProcessFacts), 'exact');
    reports({ pid: 7, comm: 'third', protocol: UDP });
    expect([owner(comes({ protocol: UDP })), flows.isRetired(row), owner(row)]).toEqual(['third', true, 'heir']);
  });

  it('queues a later look-up for tuples in this namespace only', () => {
    begins(5, 'client');
    begins(6, 'server');
    begins(7, 'contained');
    const ends = { source: '127.0.0.1', destination: '127.0.0.1', sourcePort: 40_000, destinationPort: 80 };
    reports({ pid: 5, comm: 'client', ...ends });
    reports({ pid: 6, comm: 'server', ...ends, direction: 'ingress' });
    const row = comes({ src: '127.0.0.1', dst: '127.0.0.1', dport: 80, flags: 'S' });
    expect(handed.sort()).toEqual([`${row} client`, `${row} server, far end`]);
    handed = [];
    reports({
      pid: 7,
      comm: 'contained',
      source: THERE,
      destination: HERE,
      sourcePort: 443,
      destinationPort: 1,
      namespace: OTHERS,
    });
    expect(peer(comes({ sport: 1 }))).toBe('contained');
    reports({ pid: 7, comm: 'contained', source: '172.17.0.2', namespace: OTHERS });
    source.beforeBatch();
    const passes = flows.touch(timed(packet({ src: '172.17.0.2' }), 1000), 0, 0);
    expect([source.claim(passes), owner(passes)]).toEqual([true, 'contained']);
    const translated = comes({ dport: 8443 });
    expect(behindTranslation(translated, TCP, { words: addresses('172.17.0.2', THERE), ownPort: 40_000, otherPort: 443 })).toBe(
      true,
    );
    expect(handed).toEqual([]);
  });

  it('doesn’t split a flow when its own process is reported again', () => {
    begins(5, 'first');
    for (let i = 0; i < 3; i++) {
      reports({ pid: 5, comm: 'first', protocol: UDP });
      comes({ protocol: UDP });
    }
    expect(flows.created).toBe(1);
  });

  it('passes a connection on to the process that now uses it', () => {
    begins(5, 'parent');
    begins(6, 'child');
    reports({ pid: 5, comm: 'parent' });
    const row = comes();
    reports({ pid: 6, comm: 'child' });
    source.beforeBatch();
    expect([flows.isLive(row), owner(row)]).toEqual([true, 'child']);
  });

  it('waits for the exec worker’s facts, and falls back to the short name', () => {
    reports({ pid: 5, comm: 'flash' });
    const row = comes();
    expect(owner(row)).toBeNull();
    now = 100;
    source.work(now);
    expect(owner(row)).toBeNull();
    now = 260;
    source.work(now);
    expect(owner(row)).toBe('flash');
  });

  it('forgets a flow that was removed while it waited', () => {
    reports({ pid: 5, comm: 'flash' });
    const row = comes();
    flows.remove(row);
    const other = flows.touch(timed(packet({ dst: '192.0.2.99' }), 1000), 0, 0);
    now = 260;
    source.work(now);
    expect([other, owner(other)]).toEqual([row, null]);
  });

  it('strips control characters from names', () => {
    reports({ pid: 5, comm: '\u001b[2Jevil' });
    const row = comes();
    now = 260;
    source.work(now);
    expect(owner(row)).toBe('[2Jevil');
  });

  describe('other network namespaces', () => {
    it('own the far end of a flow that comes from one', () => {
      begins(5, 'contained');
      reports({
        pid: 5,
        comm: 'contained',
        source: THERE,
        destination: HERE,
        sourcePort: 443,
        destinationPort: 40_000,
        namespace: OTHERS,
      });
      const row = comes();
      expect([peer(row), owner(row), direction(row)]).toEqual(['contained', null, 'local']);
    });

    it('own it for a flow that already exists, too', () => {
      const row = comes();
      begins(5, 'contained');
      reports({
        pid: 5,
        comm: 'contained',
        source: THERE,
        destination: HERE,
        sourcePort: 443,
        destinationPort: 40_000,
        namespace: OTHERS,
      });
      source.beforeBatch();
      expect([peer(row), direction(row)]).toEqual(['contained', 'local']);
    });

    it('never give their loopback or their ports to ours', () => {
      begins(5, 'contained');
      const loopback = { source: '127.0.0.1', destination: '127.0.0.1' };
      reports({ pid: 5, comm: 'contained', ...loopback, namespace: OTHERS });
      reports({ pid: 5, comm: 'contained', protocol: UDP, sourcePort: 53, connected: false, namespace: OTHERS });
      expect(owner(comes({ src: '127.0.0.1', dst: '127.0.0.1' }))).toBeNull();
      expect(owner(comes({ protocol: UDP, sport: 53, dst: '192.0.2.99', dport: 5000 }))).toBeNull();
    });

    it('own a flow whose address was translated on the way out', () => {
      begins(5, 'contained');
      reports({ pid: 5, comm: 'contained', source: '172.17.0.2', sourcePort: 5555, namespace: OTHERS });
      const row = comes();
      expect(owner(row)).toBeNull();
      const ends = { words: addresses('172.17.0.2', THERE), ownPort: 5555, otherPort: 443 };
      expect(behindTranslation(row, TCP, ends)).toBe(true);
      expect(owner(row)).toBe('contained');
      expect(behindTranslation(row, TCP, { ...ends, ownPort: 1 })).toBe(false);
    });
  });

  it('asks for older sockets before it polls', () => {
    begins(5, 'daemon');
    olderProcess = directory.learn(known.get(5) as ProcessFacts);
    const row = comes();
    expect([owner(row), attribution(row), admitted]).toEqual(['daemon', 'listener', []]);
    expect(handed, 'it may be handed on later').toEqual([`${row} daemon holds it`]);
  });

  it('remembers the newest tens of thousands of sockets, and no more', () => {
    begins(5, 'scanner');
    for (let i = 0; i < 70_000; i++) {
      const destination = `198.18.${(i >> 8) & 255}.${i & 255}`;
      reports({ pid: 5, comm: 'scanner', destination, destinationPort: 1000 + (i >> 16) });
      if (i % 500 === 0) source.beforeBatch();
    }
    source.beforeBatch();
    expect(owner(comes({ dst: `198.18.${(69_999 >> 8) & 255}.${69_999 & 255}`, dport: 1001 }))).toBe('scanner');
    expect(owner(comes({ dst: '198.18.0.0', dport: 1000 }))).toBeNull();
  });
});
