// Flows from socket counters: nothing from before the start, everything until the end, and a connection between two local sockets once.

import { describe, expect, it } from 'vitest';
import { Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import type { Directory } from '../../../src/identify/process/directory.ts';
import { readSocketCounts } from '../../../src/identify/process/linux/netlink/socket-dump.ts';
import type { SocketCount } from '../../../src/identify/process/socket-table.ts';
import { parseAddress } from '../../../src/net/address.ts';
import { PROTOCOL } from '../../../src/net/numbers.ts';
import type { Monitor } from '../../../src/pipeline/monitor.ts';
import { ReducedSource } from '../../../src/pipeline/reduced-source.ts';

const [ESTABLISHED, CLOSE, LISTEN] = [1, 7, 10];

function socket(
  cookie: number,
  own: string,
  other: string,
  rx: number,
  tx: number,
  segments: number,
  state = ESTABLISHED,
): SocketCount {
  const words = new Int32Array(8);
  const [ownAddress = '', ownPort] = own.split('#');
  const [otherAddress = '', otherPort] = other.split('#');
  parseAddress(ownAddress, words, 0);
  parseAddress(otherAddress, words, 4);
  const ports = { ownPort: Number(ownPort), otherPort: Number(otherPort) };
  const moved = { rxBytes: rx, txBytes: tx, rxSegments: segments, txSegments: segments };
  return { words, ...ports, ...moved, protocol: PROTOCOL.TCP, cookie, state, process: null, interface: null };
}

function setUp() {
  let told: SocketCount[] = [];
  let now = 0;
  let isWhole = true;
  const ask = (each: (count: SocketCount) => void) => {
    told.forEach(each);
    return true;
  };
  const counts = {
    driver: 'sock_diag' as const,
    lingers: 1,
    get note() {
      return isWhole ? '' : 'the kernel did not list all sockets';
    },
    ask,
    close: () => undefined,
  };
  const networks = { lo: [{ address: '127.0.0.1' }], eth0: [{ address: '10.0.0.1' }] } as never;
  const source = new ReducedSource(
    counts,
    () => networks,
    'reduced',
    () => now,
    () => 1_767_225_600_000 + now,
  );
  const localizer = new Localizer(false);
  const own = new Int32Array(4);
  parseAddress('10.0.0.1', own, 0);
  localizer.setAddresses(own);
  const flows = new FlowTable(localizer, 1024, 1);
  source.feed({ flows, admitNew: () => flows.clearNew() } as unknown as Monitor, {} as Directory);
  const round = (...sockets: SocketCount[]) => {
    told = sockets;
    now += 10_000;
    expect(source.read()).toBeNull();
  };
  const rows = () =>
    Array.from({ length: flows.rows }, (_, row) => ({
      rx: flows.rxBytes(row),
      tx: flows.txBytes(row),
      packets: [flows.rxPackets(row), flows.txPackets(row)],
      state: flows.state(row),
      direction: flows.direction(row),
    }));
  const fail = () => {
    isWhole = false;
  };
  return { source, round, rows, fail };
}

describe('flows of sockets', () => {
  it('start at zero for sockets older than the run', () => {
    const { round, rows } = setUp();
    round(socket(1, '10.0.0.1#40000', '192.0.2.1#443', 5000, 700, 10));
    expect(rows()).toEqual([]);
    round(socket(1, '10.0.0.1#40000', '192.0.2.1#443', 6000, 750, 12));
    expect(rows()).toEqual([{ rx: 1000, tx: 50, packets: [2, 2], state: 3, direction: 0 }]);
  });

  it('have all bytes of a newer socket, and close with it', () => {
    const { round, rows } = setUp();
    round();
    round(socket(2, '10.0.0.1#40000', '192.0.2.1#443', 100, 10, 3));
    round(socket(2, '10.0.0.1#40000', '192.0.2.1#443', 2_000_000, 20, 50, CLOSE));
    expect(rows()).toMatchObject([{ rx: 2_000_000, tx: 20, packets: [50, 50], state: 5 }]);
    round();
    round();
    expect(rows()).toMatchObject([{ rx: 2_000_000, tx: 20 }]);
  });

  it('count a socket once if its end is reported after the list dropped it', () => {
    const { round, rows } = setUp();
    round();
    round(socket(2, '10.0.0.1#40000', '192.0.2.1#443', 100, 10, 3));
    round(); // gone from the list
    round(socket(2, '10.0.0.1#40000', '192.0.2.1#443', 150, 10, 4, CLOSE));
    expect(rows()).toMatchObject([{ rx: 150, tx: 10 }]);
  });

  it('close even if no end was reported', () => {
    const { round, rows } = setUp();
    round();
    round(socket(2, '10.0.0.1#40000', '192.0.2.1#443', 100, 10, 3));
    round();
    round();
    expect(rows()).toMatchObject([{ rx: 100, state: 5 }]);
  });

  it('are inbound if the own port listens', () => {
    const { round, rows } = setUp();
    round(socket(9, '10.0.0.1#22', '0.0.0.0#0', 0, 0, 0, LISTEN));
    round(socket(9, '10.0.0.1#22', '0.0.0.0#0', 0, 0, 0, LISTEN), socket(3, '10.0.0.1#22', '192.0.2.9#50000', 30, 40, 5));
    expect(rows()).toMatchObject([{ rx: 30, tx: 40, packets: [5, 5], direction: 1 }]);
  });

  it('within the machine count once, in either order of ends', () => {
    for (const turn of [false, true]) {
      const { round, rows } = setUp();
      const listen = socket(9, '127.0.0.1#80', '0.0.0.0#0', 0, 0, 0, LISTEN);
      const ends = [
        socket(4, '127.0.0.1#80', '127.0.0.1#50000', 7, 900, 5),
        socket(5, '127.0.0.1#50000', '127.0.0.1#80', 900, 7, 5),
      ];
      round(listen);
      round(listen, ...(turn ? ends.toReversed() : ends));
      expect(rows().map(({ rx, tx }) => [rx, tx])).toEqual([[900, 7]]);
    }
  });

  it('say if the kernel skipped something', () => {
    const { source, round, fail } = setUp();
    round();
    expect(source.note).toBe('reduced');
    fail();
    round();
    expect(source.note).toBe('the kernel did not list all sockets; reduced');
  });
});

it('messages of random bytes never throw', () => {
  const count = socket(0, '1.1.1.1#1', '1.1.1.1#1', 0, 0, 0);
  let seed = 7;
  const next = () => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return seed >>> 8;
  };
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(Array.from({ length: next() % 400 }, () => next() & 0xff));
    if (bytes.length > 20) {
      bytes.writeUInt32LE(next() % 420, 0);
      bytes.writeUInt16LE(next() % 5 === 0 ? next() % 30 : 20, 4);
    }
    expect(['more', 'done', 'failed']).toContain(readSocketCounts(bytes, count, () => undefined));
  }
});
