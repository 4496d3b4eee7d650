import { beforeEach, expect, test } from 'vitest';
import { AcceptedFlows } from '../../../src/aggregate/accepted.ts';
import { Localizer } from '../../../src/flow/direction.ts';
import { FlowTable } from '../../../src/flow/flow-table.ts';
import type { Listener } from '../../../src/model/listeners.ts';
import { DIRECTION, PROTOCOL } from '../../../src/net/numbers.ts';
import { addresses, type PacketFields, packet, timed } from '../../support/packets.ts';

const LISTENER: Listener = {
  ...{ id: 'a', protocol: 'tcp', address: '*', port: 22, reach: 'everywhere', app: 'sshd', exe: null, pid: 7, user: null },
  ...{ unit: null, container: null, startedAt: null, since: null, elsewhere: false },
};

let flows: FlowTable;
let accepted: AcceptedFlows;
let time: number;

beforeEach(() => {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1', '10.0.0.2'));
  flows = new FlowTable(localizer, 1024, 1);
  accepted = new AcceptedFlows(flows);
  time = 1000;
});

function send(fields: PacketFields): number {
  const isIn = !(fields.src ?? '').startsWith('10.0.0.');
  return flows.touch(timed(packet(fields), time++), 0, isIn ? DIRECTION.IN : DIRECTION.OUT);
}

/** A TCP connection to one of our ports, up to the last step of its handshake that is given. */
function visit(src: string, dst: string, dport: number, flags = ['S', 'SA', 'A'], sport = 40_000 + time): number {
  let row = -1;
  for (const flag of flags) {
    const isReply = flag === 'SA';
    row = send(
      isReply ? { src: dst, dst: src, sport: dport, dport: sport, flags: flag } : { src, dst, sport, dport, flags: flag },
    );
  }
  return row;
}

function look(): void {
  for (const row of flows.touched.subarray(0, flows.touchedCount)) accepted.see(row);
}

function ask(...listeners: Partial<Listener>[]) {
  look();
  return accepted
    .rows(listeners.map((each) => ({ ...LISTENER, ...each })))
    ?.map(({ accepted: count, lastFrom }) => [count, lastFrom]);
}

test('a connection counts once, when it is accepted, for the address and port that it came to', () => {
  visit('192.0.2.1', '10.0.0.1', 22);
  visit('192.0.2.2', '10.0.0.2', 22);
  visit('192.0.2.9', '10.0.0.1', 22, ['S']);
  visit('192.0.2.9', '10.0.0.1', 22, ['S', 'SA']);
  expect(ask({})).toEqual([[2, '192.0.2.2']]);
  flows.beginTick();
  expect(ask({})).toEqual([[2, '192.0.2.2']]);
  expect(ask({ port: 80 })).toEqual([[0, null]]);
  expect(ask({ protocol: 'udp' })).toEqual([[0, null]]);
  expect(ask({ address: '10.0.0.1' }, {})).toEqual([
    [1, '192.0.2.1'],
    [1, '192.0.2.2'],
  ]);
  expect(ask({ elsewhere: true })).toEqual([[null, null]]);
});

test('what we open to others is no visit; what one program here opens to another is', () => {
  visit('10.0.0.1', '192.0.2.1', 22);
  expect(ask({})).toEqual([[0, null]]);
  visit('10.0.0.1', '10.0.0.1', 22);
  expect(ask({})).toEqual([[1, '10.0.0.1']]);
});

test('a datagram counts once it is answered', () => {
  const fields = { protocol: PROTOCOL.UDP, src: '192.0.2.1', dst: '10.0.0.1', sport: 5000, dport: 5353 };
  send(fields);
  expect(ask({ protocol: 'udp', port: 5353 })).toEqual([[0, null]]);
  send({ protocol: PROTOCOL.UDP, src: '10.0.0.1', dst: '192.0.2.1', sport: 5353, dport: 5000 });
  expect(ask({ protocol: 'udp', port: 5353 })).toEqual([[1, '192.0.2.1']]);
});

test('the list is the same while nothing changes, and unknown while there is none', () => {
  const listeners = [LISTENER];
  expect(accepted.rows(null)).toBeNull();
  const first = accepted.rows(listeners);
  expect(accepted.rows(listeners)).toBe(first);
  visit('192.0.2.1', '10.0.0.1', 22);
  look();
  expect(accepted.rows(listeners)).not.toBe(first);
});
