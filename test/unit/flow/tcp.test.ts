import { beforeEach, describe, expect, it } from 'vitest';
import { Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import { IDLE_MS } from '../../../src/flow/idle.ts';
import * as L from '../../../src/flow/layout.ts';
import { FLOW_STATES } from '../../../src/flow/tcp.ts';
import { addresses, type PacketFields, packet, reply, timed } from '../../support/packets.ts';

const T0 = 1_700_000_000_000;

let table: FlowTable;
let now: number;
let last: number;

beforeEach(() => {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  table = new FlowTable(localizer, 1024, 1);
  now = T0;
});

/** Our end sends. */
function tx(flags: string, fields: PacketFields = {}, later = 1): void {
  now += later;
  last = table.touch(timed(packet({ ...fields, flags }), now), 0, 0);
}
/** Our end receives. */
function rx(flags: string, fields: PacketFields = {}, later = 1): void {
  now += later;
  last = table.touch(timed(reply({ ...fields, flags }), now), 0, 0);
}
const state = () => FLOW_STATES[table.state(last)];
const word = (column: number) => table.words[last * L.INTS + column] as number;
const rtt = () => word(L.RTT) / 1000;
const retransmits = () => [word(L.TX_RETRANSMITS), word(L.RX_RETRANSMITS)];

describe('handshake', () => {
  it('times our SYN and the answer', () => {
    tx('S', { seq: 100 });
    expect(state()).toBe('syn-sent');
    rx('SA', { seq: 500, ack: 101 }, 12.5);
    expect([state(), rtt()]).toEqual(['syn-received', 12.5]);
    tx('A', { seq: 101, ack: 501 });
    expect([state(), rtt()]).toEqual(['established', 12.5]);
    expect(word(L.HANDSHAKE_RTT)).toBe(12_500);
  });

  it('times our SYN+ACK and its acknowledgement if the other side opened', () => {
    rx('S', { seq: 100 });
    tx('SA', { seq: 500, ack: 101 }, 3);
    expect(rtt()).toBe(0);
    rx('A', { seq: 101, ack: 501 }, 20);
    expect([state(), rtt()]).toEqual(['established', 20]);
  });

  it('times nothing if the SYN was sent again, as the answer may be to either', () => {
    tx('S', { seq: 100 });
    tx('S', { seq: 100 }, 1000);
    rx('SA', { seq: 500, ack: 101 }, 30);
    expect([state(), rtt(), table.count, table.created]).toEqual(['syn-received', 0, 1, 1]);
  });

  it('times nothing when our SYN+ACK was sent again', () => {
    rx('S', { seq: 100 });
    tx('SA', { seq: 500, ack: 101 });
    tx('SA', { seq: 500, ack: 101 }, 1000);
    rx('A', { seq: 101, ack: 501 }, 20);
    expect([state(), rtt()]).toEqual(['established', 0]);
  });

  it('times nothing when a second SYN crosses our answer, at any time of the clock', () => {
    // 10 s after the microseconds wrapped at 2^32.
    now = Math.ceil(T0 / 4_294_967.296) * 4_294_967.296 + 10_000;
    rx('S', { seq: 100 });
    tx('SA', { seq: 500, ack: 101 });
    rx('S', { seq: 100 });
    rx('A', { seq: 101, ack: 501 }, 20);
    expect([state(), rtt()]).toEqual(['established', 0]);
  });

  it('survives the wrap of its clock', () => {
    now = Math.ceil(T0 / 4_294_967.296) * 4_294_967.296 - 5;
    tx('S', { seq: 100 }, 0);
    rx('SA', { seq: 500, ack: 101 }, 10);
    expect(rtt()).toBeCloseTo(10, 2);
    now = Math.ceil(T0 / 4_294_967) * 4_294_967 - 5;
    tx('S', { seq: 100, sport: 41_000 }, 0);
    rx('SA', { seq: 500, ack: 101, sport: 41_000 }, 10);
    expect(rtt()).toBeCloseTo(10, 2);
  });

  it('joins in the middle', () => {
    tx('A', { seq: 1_000_000, payload: 100 });
    expect(state()).toBe('established');
    rx('A', { seq: 5, ack: 1_000_100 }, 5);
    expect(retransmits()).toEqual([0, 0]);
  });

  it('is established by data even if the answer to the SYN was missed', () => {
    tx('S', { seq: 100 });
    tx('A', { seq: 101 });
    expect(state()).toBe('syn-sent');
    tx('PA', { seq: 101, payload: 10 });
    expect(state()).toBe('established');
  });
});

describe('round trips for the tick', () => {
  const samples = () => Array.from(table.rtts.subarray(0, table.rttCount));

  it('are those of the handshake and of each segment that was timed, not smoothed', () => {
    tx('S', { seq: 0 });
    rx('SA', { seq: 0, ack: 1 }, 8);
    tx('A', { seq: 1, ack: 1 });
    tx('PA', { seq: 1, payload: 100 });
    rx('A', { seq: 1, ack: 101 }, 16);
    rx('A', { seq: 1, ack: 101 }, 16);
    expect(samples()).toEqual([8000, 16_000]);
    expect([table.rttRows[1], table.rttSerials[1]]).toEqual([last, table.serial(last)]);
    table.beginTick();
    expect(samples()).toEqual([]);
  });

  it('are those of a handshake that the other side began', () => {
    rx('S', { seq: 100 });
    tx('SA', { seq: 500, ack: 101 }, 3);
    rx('A', { seq: 101, ack: 501 }, 20);
    expect(samples()).toEqual([20_000]);
  });

  it("don't disturb a segment that is timed during the handshake", () => {
    rx('S', { seq: 100 });
    tx('SA', { seq: 500, ack: 101 }, 3);
    tx('PA', { seq: 501, payload: 100 }, 5);
    rx('A', { seq: 101, ack: 501 }, 20);
    rx('A', { seq: 101, ack: 601 }, 20);
    expect(samples()).toEqual([40_000]);
  });

  it('are none for an answer to a repeated SYN or a repeated segment', () => {
    tx('S', { seq: 0 });
    tx('S', { seq: 0 }, 1000);
    rx('SA', { seq: 0, ack: 1 }, 8);
    tx('PA', { seq: 1, payload: 100 });
    tx('PA', { seq: 1, payload: 100 }, 300);
    rx('A', { seq: 1, ack: 101 }, 16);
    expect(samples()).toEqual([]);
  });
});

describe('round-trip time of data', () => {
  beforeEach(() => {
    tx('S', { seq: 0 });
    rx('SA', { seq: 0, ack: 1 }, 8);
    tx('A', { seq: 1, ack: 1 });
  });

  it('is smoothed by an eighth', () => {
    tx('PA', { seq: 1, payload: 100 });
    rx('A', { seq: 1, ack: 101 }, 16);
    expect(rtt()).toBe(9);
  });

  it('waits for an acknowledgement that covers the timed segment', () => {
    tx('PA', { seq: 1, payload: 100 });
    rx('A', { seq: 1, ack: 50 }, 4);
    expect(rtt()).toBe(8);
    rx('A', { seq: 1, ack: 101 }, 12);
    expect(rtt()).toBe(9);
  });

  it('ignores an acknowledgement whose echo is older than the timed segment', () => {
    tx('PA', { seq: 1, payload: 100, timestamps: [1000, 0] });
    rx('A', { seq: 1, ack: 101, timestamps: [7, 999] }, 4);
    expect(rtt()).toBe(8);
    rx('A', { seq: 1, ack: 101, timestamps: [8, 1000] }, 12);
    expect(rtt()).toBe(9);
  });

  it('compares echoes across the wrap of the timestamps', () => {
    tx('PA', { seq: 1, payload: 100, timestamps: [0xffffffff, 0] });
    rx('A', { seq: 1, ack: 101, timestamps: [7, 3] }, 16);
    expect(rtt()).toBe(9);
  });

  it('never times a segment that was sent twice', () => {
    tx('PA', { seq: 1, payload: 100 });
    tx('PA', { seq: 1, payload: 100 }, 200);
    rx('A', { seq: 1, ack: 101 }, 16);
    expect([rtt(), retransmits()]).toEqual([8, [1, 0]]);
  });

  it('ignores what took longer than a minute', () => {
    tx('PA', { seq: 1, payload: 100 });
    rx('A', { seq: 1, ack: 101 }, 61_000);
    expect(rtt()).toBe(8);
  });

  it('is not taken from acknowledgements that we send', () => {
    rx('PA', { seq: 1, payload: 100 });
    tx('A', { seq: 1, ack: 101 }, 50);
    expect(rtt()).toBe(8);
  });
});

describe('segments out of order', () => {
  const RTT = 20;
  /** Received up to 1000, then 1300..1400: 1000..1300 is missing. */
  function gap(): void {
    tx('S', { seq: 100 });
    rx('SA', { seq: 899, ack: 101 }, RTT);
    tx('A', { seq: 101, ack: 900 });
    rx('A', { seq: 900, payload: 100, ack: 101 });
    rx('A', { seq: 1300, payload: 100, ack: 101 });
    expect(retransmits()).toEqual([0, 0]);
  }

  it('aren’t retransmits within a round trip, as they were already on their way', () => {
    gap();
    rx('A', { seq: 1200, payload: 100, ack: 101 });
    rx('A', { seq: 1000, payload: 100, ack: 101 });
    rx('A', { seq: 1100, payload: 100, ack: 101 }, RTT - 3);
    expect(retransmits()).toEqual([0, 0]);
  });

  it('are retransmits a round trip later', () => {
    gap();
    rx('A', { seq: 1000, payload: 100, ack: 101 }, RTT);
    expect(retransmits()).toEqual([0, 1]);
  });

  it('are retransmits outside the gap', () => {
    gap();
    rx('A', { seq: 950, payload: 100, ack: 101 });
    rx('A', { seq: 1250, payload: 100, ack: 101 });
    rx('A', { seq: 1300, payload: 100, ack: 101 });
    expect(retransmits()).toEqual([0, 3]);
  });

  it('are judged by 3 ms without a handshake', () => {
    rx('A', { seq: 900, payload: 100, ack: 101 });
    rx('A', { seq: 1300, payload: 100, ack: 101 });
    rx('A', { seq: 1000, payload: 100, ack: 101 }, 2);
    expect(retransmits()).toEqual([0, 0]);
    rx('A', { seq: 1100, payload: 100, ack: 101 }, 2);
    expect(retransmits()).toEqual([0, 1]);
  });

  it('start over with the next flow in the row', () => {
    gap();
    const row = last;
    table.remove(row);
    now += 1;
    rx('A', { seq: 1350, payload: 100, ack: 101 }, 0);
    rx('A', { seq: 1100, payload: 100, ack: 101 }, 0);
    expect([last, retransmits()]).toEqual([row, [0, 1]]);
  });
});

describe('retransmits', () => {
  beforeEach(() => {
    tx('A', { seq: 1000 });
    rx('A', { seq: 2000 });
  });

  it('are segments below the highest sent, counted by side', () => {
    tx('PA', { seq: 1000, payload: 500 });
    tx('PA', { seq: 1500, payload: 500 });
    tx('PA', { seq: 1000, payload: 500 });
    rx('PA', { seq: 2000, payload: 10 });
    rx('PA', { seq: 2000, payload: 10 });
    rx('PA', { seq: 2000, payload: 10 });
    expect(retransmits()).toEqual([1, 2]);
  });

  it('aren’t segments with new data', () => {
    tx('PA', { seq: 1000, payload: 500 });
    tx('PA', { seq: 1000, payload: 501 });
    expect(retransmits()).toEqual([0, 0]);
  });

  it('aren’t keep-alives, with one byte or none', () => {
    tx('PA', { seq: 1000, payload: 500 });
    tx('A', { seq: 1499, payload: 0 });
    tx('A', { seq: 1499, payload: 1 });
    expect(retransmits()).toEqual([0, 0]);
    tx('A', { seq: 1498, payload: 1 });
    expect(retransmits()).toEqual([1, 0]);
  });

  it('are counted correctly across the wrap of sequence numbers', () => {
    tx('PA', { seq: 0xffffff00, payload: 0x80, sport: 41_000 });
    tx('PA', { seq: 0xffffff80, payload: 0x100, sport: 41_000 });
    tx('PA', { seq: 0x80, payload: 0x100, sport: 41_000 });
    expect(retransmits()).toEqual([0, 0]);
    tx('PA', { seq: 0xffffff80, payload: 0x100, sport: 41_000 });
    expect(retransmits()).toEqual([1, 0]);
  });
});

describe('the end', () => {
  beforeEach(() => {
    tx('A', { seq: 10 });
    rx('A', { seq: 20 });
  });

  it('is closing after one FIN and closed after both, in any order', () => {
    tx('FA', { seq: 10 });
    expect(state()).toBe('closing');
    rx('A', { seq: 20, ack: 11 });
    rx('PA', { seq: 20, payload: 5 });
    expect(state()).toBe('closing');
    rx('FA', { seq: 25 });
    expect(state()).toBe('closed');
    tx('A', { seq: 11 });
    expect(state()).toBe('closed');
  });

  it('is reset by either side', () => {
    rx('R', { seq: 20 });
    expect(state()).toBe('reset');
  });

  it('stays reset when more segments arrive', () => {
    tx('FA', { seq: 10 });
    rx('R', { seq: 20 });
    expect(state()).toBe('reset');
    rx('A', { seq: 20 });
    expect(state()).toBe('reset');
    rx('FA', { seq: 20 });
    expect(state()).toBe('reset');
  });

  it('stays closed when a reset follows the two FINs', () => {
    tx('FA', { seq: 10 });
    rx('FA', { seq: 20 });
    rx('R', { seq: 21 });
    expect(['closed', 'reset']).toContain(state());
    table.expire(now + IDLE_MS.closed + 1);
    expect(table.count).toBe(0);
  });
});

describe('the same tuple again', () => {
  const established = () => {
    tx('S', { seq: 100 });
    rx('SA', { seq: 500, ack: 101 });
    tx('A', { seq: 101, ack: 501 });
  };

  it('is a new flow after the old one closed', () => {
    established();
    tx('FA', { seq: 101 });
    rx('FA', { seq: 501 });
    tx('S', { seq: 100 });
    expect([table.count, table.created, state(), retransmits()]).toEqual([2, 2, 'syn-sent', [0, 0]]);
    expect(table.txPackets(last)).toBe(1);
  });

  it('is a new flow after a reset', () => {
    established();
    rx('R');
    tx('S', { seq: 100 });
    expect(table.created).toBe(2);
  });

  it('is a new flow if the old one vanished silently', () => {
    established();
    tx('S', { seq: 9_000_000 });
    expect([table.count, table.created]).toEqual([2, 2]);
  });

  it('is a new flow after one that was joined midway', () => {
    tx('A', { seq: 5 });
    tx('S', { seq: 77 });
    expect(table.created).toBe(2);
  });

  it('is the same flow if a SYN is repeated or late', () => {
    tx('S', { seq: 100 });
    tx('S', { seq: 100 });
    rx('SA', { seq: 500, ack: 101 });
    tx('A', { seq: 101, ack: 501 });
    tx('S', { seq: 100 });
    expect([table.created, state()]).toEqual([1, 'established']);
  });

  it('is the same flow when both sides open at once', () => {
    tx('S', { seq: 100 });
    rx('S', { seq: 900 });
    tx('SA', { seq: 100, ack: 901 });
    rx('SA', { seq: 900, ack: 101 });
    tx('A', { seq: 101, ack: 901 });
    expect([table.created, state()]).toEqual([1, 'established']);
  });
});
