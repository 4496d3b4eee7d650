// What the flows of a run tell of the hosts and interfaces that they go to.

import { beforeEach, describe, expect, it } from 'vitest';
import { type Aggregator, LIVE_LIMITS } from '../../../../src/aggregate/aggregator.ts';
import { GENERATION_MS } from '../../../../src/aggregate/quality/figures.ts';
import type { Figures, Quality } from '../../../../src/model/quality.ts';
import { NO_ENDS, type Snapshot, type TickInterface } from '../../../../src/model/snapshot.ts';
import { Naming } from '../../../support/naming.ts';
import type { PacketFields } from '../../../support/packets.ts';
import { CAPTURE, UNCOUNTED } from '../../../support/snapshot-builder.ts';

const ETHERNET: TickInterface = { name: 'eth0', kind: 'physical', isCounted: true, ...UNCOUNTED };
const FAR = '203.0.113.9';
const NEAR = '10.0.0.7';

let m: Naming;
let aggregator: Aggregator;
beforeEach(() => begin());

function begin(interfaces = [ETHERNET], measures = true): void {
  m = new Naming({ maxRows: 64 });
  aggregator = m.aggregator();
  aggregator.setInterfaces(interfaces);
  if (measures) aggregator.measureQuality();
}

function tick(interfaces = [ETHERNET]): Snapshot {
  m.time += 1000;
  return aggregator.tick({ time: m.time, intervalMs: 1000, capture: CAPTURE, interfaces, gaps: [] }, LIVE_LIMITS);
}
const of = (snapshot: Snapshot, host: string): Quality | null | undefined =>
  snapshot.hosts.find((row) => row.host === host)?.quality;
const counts = ({ answered, refused, unanswered, reset }: Figures) => [answered, refused, unanswered, reset];

/** A connection that is answered after `ms`. */
function connect(fields: PacketFields, ms: number): PacketFields {
  m.open({ ...fields, flags: 'S', seq: 0 });
  m.time += ms;
  m.receive({ ...fields, flags: 'SA', seq: 0, ack: 1 });
  m.send({ ...fields, flags: 'A', seq: 1, ack: 1 });
  return fields;
}

describe('a host', () => {
  it('has the round trips of all its connections, and its end of the interface does', () => {
    connect({ dst: FAR, sport: 40_000 }, 20);
    connect({ dst: FAR, sport: 40_001 }, 40);
    connect({ dst: NEAR, sport: 40_002 }, 2);
    const snapshot = tick();
    expect(of(snapshot, FAR)).toMatchObject({ leastMs: 20, recent: { roundTrips: { samples: 2 }, answered: 2 } });
    expect(of(snapshot, NEAR)).toMatchObject({ leastMs: 2, recent: { roundTrips: { samples: 1 }, answered: 1 } });
    expect(snapshot.interfaces[0]?.ends).toMatchObject({
      far: { leastMs: 20, all: { answered: 2 } },
      near: { leastMs: 2, all: { answered: 1 } },
    });
  });

  it('has them of a container on this machine, whenever its end is found', () => {
    connect({ dst: NEAR, sport: 40_000 }, 2);
    m.flows.joinEnds(0);
    const again = connect({ dst: NEAR, sport: 40_001 }, 2);
    tick();
    m.flows.joinEnds(1);
    m.send({ ...again, seq: 1, payload: 100 });
    expect(of(tick(), NEAR)).toMatchObject({ recent: { roundTrips: { samples: 2 }, answered: 2, segments: 1 } });
  });

  it('is far in a tunnel, whatever its address', () => {
    const tunnel = { ...ETHERNET, name: 'wg0', kind: 'tunnel' as const };
    begin([tunnel]);
    connect({ dst: NEAR }, 2);
    expect(tick([tunnel]).interfaces[0]?.ends).toMatchObject({ near: null, far: { leastMs: 2 } });
  });

  it('has the segments that had to be sent again, by either end, once', () => {
    const fields = connect({ dst: FAR }, 20);
    m.send({ ...fields, seq: 1, payload: 100 });
    tick();
    m.time += 300;
    m.send({ ...fields, seq: 1, payload: 100 });
    m.receive({ ...fields, seq: 1, payload: 3000 });
    m.time += 300;
    m.receive({ ...fields, seq: 1, payload: 1448 });
    tick();
    // 3000 bytes crossed the wire in three segments, whatever the card made of them.
    expect(of(tick(), FAR)?.all).toMatchObject({ segments: 6, sentAgain: 1, receivedAgain: 1 });
  });

  it('answers, refuses, stays silent or resets', () => {
    connect({ dst: FAR, sport: 1 }, 20);
    m.open({ dst: FAR, sport: 2, flags: 'S' });
    m.receive({ dst: FAR, sport: 2, flags: 'RA' });
    m.open({ dst: FAR, sport: 3, flags: 'S' });
    m.time += 1000;
    m.send({ dst: FAR, sport: 3, flags: 'S' });
    const reset = connect({ dst: FAR, sport: 4 }, 20);
    m.receive({ ...reset, flags: 'R', seq: 1 });
    expect(counts((of(tick(), FAR) as Quality).recent)).toEqual([2, 1, 0, 1]);
    m.time += 1000;
    m.send({ dst: FAR, sport: 3, flags: 'S' });
    expect(counts((of(tick(), FAR) as Quality).recent)).toEqual([2, 1, 1, 1]);
    m.receive({ dst: FAR, sport: 3, flags: 'SA' });
    expect(counts((of(tick(), FAR) as Quality).recent)).toEqual([2, 1, 1, 1]);
  });

  it('has no segments while it is silent', () => {
    for (let i = 0; i < 6; i++) {
      m.send({ dst: FAR, flags: 'S', bytes: 80 });
      m.time += 1000;
    }
    expect(of(tick(), FAR)?.all).toMatchObject({ segments: 0, unanswered: 1 });
  });

  it('is not blamed for a connection that ended, or that it opened and this machine refused or reset', () => {
    const fields = connect({ dst: FAR, sport: 1 }, 20);
    m.send({ ...fields, flags: 'FA', seq: 1 });
    m.receive({ ...fields, flags: 'R', seq: 1 });
    const own = connect({ dst: FAR, sport: 2 }, 20);
    m.send({ ...own, flags: 'R', seq: 1 });
    m.receive({ dst: FAR, sport: 3, flags: 'S' });
    m.send({ dst: FAR, sport: 3, flags: 'RA' });
    expect(counts((of(tick(), FAR) as Quality).all)).toEqual([2, 0, 0, 0]);
  });

  it('keeps what a connection told that left before the tick', () => {
    connect({ dst: FAR }, 20);
    m.flows.remove(0);
    expect(of(tick(), FAR)?.all.answered).toBe(1);
    connect({ dst: FAR }, 20);
    expect(of(tick(), FAR)?.all).toMatchObject({ answered: 2, roundTrips: { samples: 1 } });
  });

  it('forgets within a minute, and shows it without a packet', () => {
    connect({ dst: FAR }, 20);
    tick();
    m.time += 2 * GENERATION_MS;
    expect(of(tick(), FAR)).toMatchObject({ recent: { roundTrips: null, answered: 0 }, all: { answered: 1 }, leastMs: 20 });
  });

  it('keeps its row while nothing changes', () => {
    connect({ dst: FAR }, 20);
    for (let i = 0; i < 200; i++) tick();
    const before = tick().hosts[0];
    m.time += GENERATION_MS;
    expect(tick().hosts[0]).toBe(before);
  });
});

it('measures neither datagrams, nor what stays here, nor what passes through, nor a copy on a port of a bridge', () => {
  m.open({ dst: FAR, protocol: 17 });
  m.receive({ dst: FAR, protocol: 17 });
  connect({ dst: '127.0.0.1', src: '127.0.0.1' }, 1);
  m.open({ src: '10.0.0.8', dst: FAR, flags: 'S' });
  expect(tick().hosts.every(({ quality }) => quality === null)).toBe(true);
  const port = { ...ETHERNET, isCounted: false, repeats: true };
  begin([port]);
  connect({ dst: FAR }, 20);
  expect(tick([port]).interfaces[0]?.ends).toEqual(NO_ENDS);
});

it('measures nothing unless it was asked to', () => {
  begin([ETHERNET], false);
  connect({ dst: FAR }, 20);
  const snapshot = tick();
  expect([snapshot.hosts[0]?.quality, snapshot.interfaces[0]?.ends, snapshot.diagnoses]).toEqual([null, NO_ENDS, []]);
});

it('says what is wrong, by name', () => {
  m.answer('slow.example.com', FAR);
  for (let i = 0; i < 5; i++) {
    connect({ dst: FAR, sport: 100 + i }, 180);
    connect({ dst: '198.51.100.1', sport: 200 + i }, 12);
  }
  expect(tick().diagnoses).toMatchObject([{ kind: 'host is slow', host: 'slow.example.com', leastMs: 180 }]);
});

it('takes the newest round trips where there are more than it keeps', () => {
  const { flows } = m;
  const fields = connect({ dst: FAR }, 20);
  for (let i = 0; i < flows.rtts.length + 10; i++) {
    m.send({ ...fields, seq: 1 + i, payload: 1 });
    m.time += 1;
    m.receive({ ...fields, seq: 1, ack: 2 + i });
  }
  expect(of(tick(), FAR)?.all.roundTrips).toMatchObject({ samples: flows.rtts.length });
});
