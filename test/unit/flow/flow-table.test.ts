import { beforeEach, describe, expect, it } from 'vitest';
import type { Packet } from '../../../src/decode/packet.ts';
import { FLOW_DIRECTION, Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import { IDLE_MS } from '../../../src/flow/idle.ts';
import { INTS, SERIAL } from '../../../src/flow/layout.ts';
import { FLOW_STATE } from '../../../src/flow/tcp.ts';
import { NO_OWNER } from '../../../src/model/terms.ts';
import { formatAddress } from '../../../src/net/address.ts';
import { DIRECTION, PROTOCOL } from '../../../src/net/numbers.ts';
import { addresses, packet, reply, timed } from '../../support/packets.ts';

const T0 = 1_700_000_000_000;
const UDP = PROTOCOL.UDP;

function makeTable(maxRows = 1024): FlowTable {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  return new FlowTable(localizer, maxRows, 42);
}

let table: FlowTable;
beforeEach(() => {
  table = makeTable();
});

const touched = (of = table) => [...of.touched.subarray(0, of.touchedCount)].filter((row) => of.isLive(row));

describe('touch', () => {
  it('counts both ways into one row, as the local end sees them', () => {
    const row = table.touch(timed(packet({ bytes: 100 }), T0), 0, 0);
    expect(table.lastSent).toBe(true);
    expect(table.touch(timed(reply({ bytes: 1500 }), T0 + 5), 0, 0)).toBe(row);
    expect(table.lastSent).toBe(false);
    expect([table.rxBytes(row), table.txBytes(row), table.rxPackets(row), table.txPackets(row)]).toEqual([1500, 100, 1, 1]);
    expect([table.firstSeen(row), table.lastSeen(row), table.serial(row)]).toEqual([T0, T0 + 5, 1]);
    expect([formatAddress(table.words, table.localAt(row)), formatAddress(table.words, table.remoteAt(row))]).toEqual([
      '10.0.0.1',
      '192.0.2.80',
    ]);
    expect([table.localPort(row), table.remotePort(row)]).toEqual([40_000, 443]);
    expect([table.owner(row), table.peer(row)]).toEqual([NO_OWNER, NO_OWNER]);
  });

  it('puts the local end first even if the remote one spoke first', () => {
    const row = table.touch(timed(reply({ flags: 'SA', bytes: 60 }), T0), 0, 0);
    expect(formatAddress(table.words, table.localAt(row))).toBe('10.0.0.1');
    expect(table.localPort(row)).toBe(40_000);
    expect([table.rxBytes(row), table.direction(row)]).toEqual([60, FLOW_DIRECTION.OUTBOUND]);
  });

  it('tells flows apart by protocol, interface, ports and addresses', () => {
    const rows = [
      table.touch(timed(packet(), T0), 0, 0),
      table.touch(timed(packet({ protocol: UDP }), T0), 0, 0),
      table.touch(timed(packet(), T0), 1, 0),
      table.touch(timed(packet({ sport: 40_001 }), T0), 0, 0),
      table.touch(timed(packet({ dst: '192.0.2.81' }), T0), 0, 0),
      table.touch(timed(packet({ sport: 443, dport: 40_000 }), T0), 0, 0),
      table.touch(timed(packet(), T0), 65_535, 0),
    ];
    expect(new Set(rows).size).toBe(7);
    expect(rows.map((row) => table.interface(row))).toEqual([0, 0, 1, 0, 0, 0, 65_535]);
  });

  it('keeps a flow with two equal ends', () => {
    const fields = { src: '127.0.0.1', dst: '127.0.0.1', sport: 5, dport: 5, protocol: UDP };
    expect(table.touch(timed(packet(fields), T0), 0, 0)).toBe(table.touch(timed(packet(fields), T0), 0, 0));
    expect(table.isLocal(0)).toBe(true);
    expect(table.count).toBe(1);
  });

  it('is established for UDP once both sides spoke', () => {
    const row = table.touch(timed(packet({ protocol: UDP }), T0), 0, 0);
    table.touch(timed(packet({ protocol: UDP }), T0), 0, 0);
    expect(table.state(row)).toBe(FLOW_STATE.NEW);
    table.touch(timed(reply({ protocol: UDP }), T0), 0, 0);
    expect(table.state(row)).toBe(FLOW_STATE.ESTABLISHED);
    expect(table.direction(row)).toBe(FLOW_DIRECTION.OUTBOUND);
  });

  it('keeps tunnel, direction and state independently', () => {
    const row = table.touch(timed(packet({ flags: 'S', tunnel: 4, src: '192.0.2.1' }), T0), 0, DIRECTION.IN);
    expect([table.state(row), table.direction(row), table.tunnel(row)]).toEqual([FLOW_STATE.SYN_SENT, FLOW_DIRECTION.TRANSIT, 4]);
  });

  it('doesn’t read TCP state from a later fragment', () => {
    const fragment = packet({ flags: 'R' });
    fragment.laterFragment = true;
    const row = table.touch(timed(fragment, T0), 0, 0);
    expect(table.state(row)).toBe(FLOW_STATE.NEW);
  });
});

function lookup(of: FlowTable, { words, sourcePort, destinationPort, protocol }: Packet, iface: number): number {
  return of.lookup(words, sourcePort, destinationPort, protocol, iface);
}

describe('lookup', () => {
  it('finds without counting, from both sides', () => {
    expect(lookup(table, packet(), 0)).toBe(-1);
    const row = table.touch(timed(packet({ bytes: 50 }), T0), 3, 0);
    expect(lookup(table, packet(), 3)).toBe(row);
    expect(table.lastSent).toBe(true);
    expect(lookup(table, reply(), 3)).toBe(row);
    expect(table.lastSent).toBe(false);
    expect(lookup(table, packet(), 0)).toBe(-1);
    expect(table.txPackets(row)).toBe(1);
  });
});

describe('touched and fresh', () => {
  it('list each row once a tick', () => {
    const a = table.touch(timed(packet(), T0), 0, 0);
    table.touch(timed(reply(), T0), 0, 0);
    const b = table.touch(timed(packet({ sport: 1 }), T0), 0, 0);
    table.own(a, 7, 'exact');
    expect(touched()).toEqual([a, b]);
    table.beginTick();
    expect(touched()).toEqual([]);
    table.ownPeer(b, 9);
    table.mark(b);
    table.touch(timed(packet({ sport: 1 }), T0), 0, 0);
    expect(touched()).toEqual([b]);
  });

  it('list new flows until they are taken', () => {
    const a = table.touch(timed(packet(), T0), 0, 0);
    table.touch(timed(packet(), T0), 0, 0);
    expect([...table.newRows.subarray(0, table.newCount)]).toEqual([a]);
    table.clearNew();
    table.touch(timed(packet(), T0), 0, 0);
    expect(table.newCount).toBe(0);
  });

  it('miss no new flow, even if a tuple is reused many times in between', () => {
    for (let i = 0; i < 5000; i++) {
      table.touch(timed(packet({ flags: 'S', seq: i + 1 }), T0), 0, 0);
      table.touch(timed(reply({ flags: 'R' }), T0), 0, 0);
    }
    const row = table.touch(timed(packet({ sport: 9 }), T0), 0, 0);
    const fresh = [...table.newRows.subarray(0, table.newCount)];
    expect(fresh).toContain(row);
    expect(new Set(fresh).size).toBe(fresh.length);
  });
});

describe('growth, removal, eviction', () => {
  it('grows and finds every flow again', () => {
    const big = makeTable(1 << 14);
    for (let i = 0; i < 10_000; i++) big.touch(timed(packet({ protocol: UDP, sport: i }), T0), 0, 0);
    expect([big.count, big.evicted, big.capacity]).toEqual([10_000, 0, 1 << 14]);
    for (let i = 0; i < 10_000; i++) expect(lookup(big, packet({ protocol: UDP, sport: i }), 0)).toBe(i);
    expect(touched(big)).toHaveLength(10_000);
    expect(big.newCount).toBe(10_000);
  });

  it('keeps flows apart when all rows are in use, and when rows are reused', () => {
    const big = makeTable(1 << 16);
    const all = (bytes: number) => {
      for (let i = 0; i < 40_000; i++) big.touch(timed(packet({ protocol: UDP, sport: i, bytes }), T0 + i), 0, 0);
    };
    all(100);
    expect([big.count, big.evicted, big.capacity]).toEqual([40_000, 0, 1 << 16]);
    for (let row = 0; row < 40_000; row += 2) big.remove(row);
    expect([big.count, lookup(big, packet({ protocol: UDP, sport: 8 }), 0)]).toEqual([20_000, -1]);
    all(1000);
    expect([big.count, big.created, big.rows]).toEqual([40_000, 60_000, 40_000]);
    for (let i = 0; i < 40_000; i++) {
      const row = lookup(big, packet({ protocol: UDP, sport: i }), 0);
      const [bytes, count] = i % 2 === 0 ? [1000, 1] : [1100, 2];
      expect([big.txBytes(row), big.txPackets(row)]).toEqual([bytes, count]);
    }
  });

  it('starts a flow in a reused row without anything of the previous flow', () => {
    const row = table.touch(timed(packet({ flags: 'S', bytes: 60 }), T0), 0, 0);
    table.touch(timed(reply({ flags: 'SA', ack: 1 }), T0 + 20), 0, 0);
    table.touch(timed(packet({ seq: 1, payload: 9, timestamps: [1, 1] }), T0 + 21), 0, 0);
    table.touch(timed(packet({ seq: 1, payload: 9 }), T0 + 22), 0, 0);
    table.own(row, 7, 'listener');
    table.ownPeer(row, 8);
    table.setRead(row);
    table.clearNew();
    table.remove(row);
    table.clearNew();
    table.beginTick();
    const other = makeTable();
    other.beginTick();
    const next = timed(packet({ sport: 7, flags: 'S', seq: 5 }), T0 + 50);
    expect([table.touch(next, 3, 0), other.touch(next, 3, 0), table.isRead(row)]).toEqual([row, row, false]);
    const words = (of: FlowTable) => of.words.slice(row * INTS, (row + 1) * INTS).fill(0, 2 * SERIAL, 2 * SERIAL + 2);
    expect([table.serial(row), other.serial(row)]).toEqual([2, 1]);
    expect(words(table)).toEqual(words(other));
  });

  it('loads rows without changing them', () => {
    const packets = Array.from({ length: 64 }, (_, i) => timed(packet({ protocol: UDP, sport: i }), T0));
    for (const each of packets) table.touch(each, 0, 0);
    const before = table.words.slice();
    const hashes = Int32Array.from(packets, (each, i) => table.hash(each, i & 1));
    table.warm(hashes, packets.length);
    expect(table.words).toEqual(before);
    expect(packets.map((each, i) => table.touch(each, 0, 0, table.hash(each, 0)) === i)).not.toContain(false);
  });

  it('calls the observer before it removes a row, with the last counters', () => {
    const told: [number, number][] = [];
    table.observe({ flowRemoved: (row) => told.push([table.serial(row), table.txBytes(row)]) });
    table.touch(timed(packet({ bytes: 77 }), T0), 0, 0);
    const row = table.touch(timed(packet({ sport: 2, bytes: 5 }), T0), 0, 0);
    table.remove(row);
    expect([told, table.count, table.isLive(row)]).toEqual([[[2, 5]], 1, false]);
    const again = table.touch(timed(packet({ sport: 3 }), T0), 0, 0);
    expect([again, table.serial(again), table.txBytes(again)]).toEqual([row, 3, 40]);
  });

  it('keeps the row of a flow replaced by another connection, closed, until it is idle', () => {
    const told: number[] = [];
    table.observe({ flowRemoved: (row) => told.push(table.serial(row)) });
    const first = table.touch(timed(packet({ flags: 'S', seq: 1, bytes: 60 }), T0), 0, 0);
    table.own(first, 7, 'exact');
    const second = table.touch(timed(packet({ flags: 'S', seq: 2 }), T0 + 1), 0, 0);
    expect([table.isRetired(first), table.isRetired(second), table.count, table.txBytes(first)]).toEqual([true, false, 2, 60]);
    expect([table.state(first), table.owner(first), told]).toEqual([FLOW_STATE.CLOSED, 7, []]);
    expect(table.touch(timed(reply({ flags: 'SA' }), T0 + 2), 0, 0)).toBe(second);
    table.expire(T0 + IDLE_MS.closed + 1);
    expect([table.count, told]).toEqual([1, [1]]);
    expect(table.touch(timed(packet(), T0 + 3), 0, 0)).toBe(second);
    table.remove(second);
    expect([table.count, told]).toEqual([0, [1, 2]]);
  });

  it('sets the reason "closed too early" for a replaced flow that waits for its owner', () => {
    const waiting = table.touch(timed(packet({ flags: 'S', seq: 1 }), T0), 0, 0);
    table.clearNew();
    const fresh = table.touch(timed(packet({ flags: 'S', seq: 2 }), T0), 0, 0);
    table.touch(timed(packet({ flags: 'S', seq: 3 }), T0), 0, 0);
    expect([table.reason(waiting), table.attribution(waiting)]).toEqual(['closed before it could be looked up', 'none']);
    expect([table.reason(fresh), table.awaitsOwner(fresh)]).toEqual(['not looked up yet', true]);
  });

  it('has an owner or a reason, never both', () => {
    const row = table.touch(timed(packet(), T0), 0, 0);
    const told = () => [table.owner(row), table.attribution(row), table.reason(row), table.awaitsOwner(row)];
    expect(told()).toEqual([NO_OWNER, 'none', 'not looked up yet', true]);
    table.own(row, 7, 'listener');
    expect(told()).toEqual([7, 'listener', null, false]);
    table.disown(row, 'forwarded');
    expect(told()).toEqual([NO_OWNER, 'kernel', 'forwarded', false]);
    table.disown(row, 'hidden by the system');
    expect(told()).toEqual([NO_OWNER, 'none', 'hidden by the system', false]);
  });

  it('doesn’t take back fragments that an earlier tick has reported', () => {
    const piece = (first: boolean) => {
      const made = timed(packet(first ? { protocol: UDP } : { protocol: UDP, sport: 0, dport: 0 }), T0);
      made.identification = 9;
      made.firstFragment = first;
      made.laterFragment = made.lacksFirst = !first;
      return made;
    };
    const orphan = table.touch(piece(false), 0, 0);
    table.beginTick();
    const row = table.touch(piece(true), 0, 0);
    expect([table.txPackets(orphan), table.txPackets(row), table.count]).toEqual([1, 1, 2]);
    table.touch(piece(false), 0, 0);
    table.touch(piece(true), 0, 0);
    expect([table.txPackets(orphan), table.txPackets(row), table.count, table.voided]).toEqual([1, 3, 2, 0]);
  });

  it('evicts the least recently seen near its hand, closed ones first, and counts them', () => {
    const small = makeTable(32);
    const gone: number[] = [];
    small.observe({ flowRemoved: (row) => gone.push(row) });
    for (let i = 0; i < 32; i++) small.touch(timed(packet({ sport: i }), T0 + i), 0, 0);
    small.touch(timed(packet({ sport: 20, flags: 'R' }), T0 + 100), 0, 0);
    small.touch(timed(packet({ sport: 3 }), T0 + 101), 0, 0);
    small.touch(timed(packet({ sport: 100 }), T0 + 200), 0, 0);
    expect(gone).toEqual([20, 0, 1, 2, 4, 5, 6, 7]);
    expect([small.count, small.evicted, lookup(small, packet({ sport: 20 }), 0)]).toEqual([25, 8, -1]);
    expect(lookup(small, packet({ sport: 3 }), 0)).toBe(3);
  });

  it('evicts at its hand, one part of the table at a time', () => {
    const big = makeTable(256);
    const gone: number[] = [];
    big.observe({ flowRemoved: (row) => gone.push(row) });
    for (let i = 0; i < 256 + 65; i++) big.touch(timed(packet({ sport: i }), T0 - i), 0, 0);
    const under = (first: number) => Array.from({ length: 16 }, (_, i) => first + 63 - i);
    // The newest rows have the oldest times. In the fifth round, the reused rows are the oldest of the first part.
    expect(gone.slice(0, 64)).toEqual([...under(0), ...under(64), ...under(128), ...under(192)]);
    expect(gone.slice(64).every((row) => row >= 48 && row < 64)).toBe(true);
    expect([big.count, big.evicted, big.created]).toEqual([241, 80, 321]);
  });

  it('continues when full', () => {
    const small = makeTable(8);
    let removed = 0;
    small.observe({ flowRemoved: () => removed++ });
    for (let i = 0; i < 3001; i++) small.touch(timed(packet({ sport: i }), T0 + i), 0, 0);
    expect([small.count, small.evicted, removed, small.created]).toEqual([7, 2994, 2994, 3001]);
    expect(new Set(touched(small)).size).toBe(7);
  });
});

describe('expire', () => {
  it.each([
    ['TCP', { flags: 'A' }, false, IDLE_MS.tcp],
    ['an unanswered SYN', { flags: 'S' }, false, IDLE_MS.tcpOpening],
    ['a reset', { flags: 'R' }, false, IDLE_MS.closed],
    ['a question', { protocol: UDP }, false, IDLE_MS.udpAnsweredOnce],
    ['a question and its answer', { protocol: UDP }, true, IDLE_MS.udpAnsweredOnce],
    ['a ping', { protocol: PROTOCOL.ICMP }, true, IDLE_MS.other],
  ])('ends %s after its time', (_name, fields, answered, limit) => {
    table.touch(timed(packet(fields), T0), 0, 0);
    if (answered) table.touch(timed(reply(fields), T0), 0, 0);
    table.expire(T0 + limit);
    expect(table.count).toBe(1);
    table.expire(T0 + limit + 1);
    expect(table.count).toBe(0);
  });

  it('gives a two-way UDP flow more time', () => {
    for (let i = 0; i < 3; i++) table.touch(timed(packet({ protocol: UDP }), T0), 0, 0);
    table.expire(T0 + IDLE_MS.udpAnsweredOnce + 1);
    expect(table.count).toBe(1);
    table.expire(T0 + IDLE_MS.udp + 1);
    expect(table.count).toBe(0);
  });

  it('removes a limited number at once, and continues where it stopped', () => {
    const late = T0 + IDLE_MS.tcp + 1;
    for (let sport = 1; sport <= 25; sport++) table.touch(timed(packet({ sport }), sport % 5 === 0 ? late : T0), 0, 0);
    const left: number[] = [];
    const expire = () => {
      const more = table.expire(late, 10);
      left.push(table.count);
      return more;
    };
    while (expire());
    expect(left).toEqual([15, 5]);
    table.touch(timed(packet({ sport: 1 }), T0), 0, 0);
    expect([table.expire(late, 10), table.count]).toEqual([false, 5]);
  });
});
