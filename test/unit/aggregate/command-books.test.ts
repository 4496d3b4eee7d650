import { expect, test } from 'vitest';
import { CommandBooks } from '../../../src/aggregate/command-books.ts';
import { DIRECTION, PROTOCOL } from '../../../src/net/numbers.ts';
import { FlowRun } from '../../support/flow-run.ts';
import { type PacketFields, packet, timed } from '../../support/packets.ts';

function stage(most?: number, before: (send: (fields: PacketFields) => number) => void = () => undefined) {
  const run = new FlowRun(1024);
  const { table: flows, directory, aggregator } = run;
  const [own, other] = [directory.add('own', 1), directory.add('other', 2)];
  let time = 1000;
  const send = (fields: PacketFields) =>
    flows.touch(
      timed(packet({ protocol: PROTOCOL.UDP, ...fields }), time++),
      0,
      fields.src === '10.0.0.1' ? DIRECTION.OUT : DIRECTION.IN,
    );
  before(send);
  const books = new CommandBooks({
    ...{ flows, directory, booking: aggregator.booking },
    rowOf: (row) => aggregator.flowRow(row),
    membership: ({ pid }) => (pid === 1 ? 'lineage' : null),
    ...(most === undefined ? {} : { most }),
  });
  const close = () => {
    aggregator.setInterfaces([
      {
        ...{ name: 'eth0', kind: 'physical', isCounted: true, passingBytes: 0, frameBytes: 0, counterBytes: 0 },
        ...{ counterDropped: 0, counterErrors: 0, reversedBytes: 0, reversedPackets: 0, link: null, lower: [], repeats: false },
      },
    ] as never);
    aggregator.booking.bookTouched();
    books.finish();
    return books;
  };
  return { flows, own, other, send, close };
}

test("what a member moved is booked by destination, and nothing of another's", () => {
  const { flows, own, other, send, close } = stage();
  for (const sport of [1001, 1002]) flows.own(send({ src: '10.0.0.1', dst: '192.0.2.1', sport, dport: 53 }), own, 'exact');
  flows.own(send({ src: '10.0.0.1', dst: '192.0.2.2', sport: 1003, dport: 53 }), own, 'exact');
  flows.own(send({ src: '10.0.0.1', dst: '192.0.2.3', sport: 1004, dport: 53 }), other, 'exact');
  const books = close();
  expect(books.rows().map(({ address, connections, process }) => [address, connections, process.app])).toEqual([
    ['192.0.2.1', 2, 'own'],
    ['192.0.2.2', 1, 'own'],
  ]);
  expect(books.connections).toBe(3);
  expect(books.total.txBytes).toBe(books.rows().reduce((sum, { txBytes }) => sum + txBytes, 0));
  expect(books.total.txPackets).toBe(3);
});

test('what was moved before the books were kept is not in them', () => {
  const early = { src: '10.0.0.1', dst: '192.0.2.1', sport: 1001, dport: 53, wireLength: 300 };
  const silent = { src: '10.0.0.1', dst: '192.0.2.2', sport: 1002, dport: 53 };
  const { flows, own, send, close } = stage(undefined, (first) => {
    first(early);
    first(early);
    first(silent);
  });
  const row = send(early);
  flows.own(row, own, 'exact');
  for (let at = 0; at < flows.rows; at++) if (at !== row) flows.own(at, own, 'exact');
  const whole = flows.txBytes(row);
  const books = close();
  expect(books.rows().map(({ address, txBytes, txPackets }) => [address, txBytes, txPackets])).toEqual([
    ['192.0.2.1', whole / 3, 1],
  ]);
  expect([books.connections, books.total.txPackets]).toEqual([1, 1]);
});

test('a flow between two members counts once, and each has its side', () => {
  const { flows, own, send, close } = stage();
  const row = send({ src: '10.0.0.1', dst: '10.0.0.1', sport: 1001, dport: 53 });
  flows.own(row, own, 'exact');
  flows.ownPeer(row, own);
  const books = close();
  expect(books.connections).toBe(1);
  const [sent, received] = books.rows();
  expect(books.rows().length).toBe(2);
  expect([sent?.txBytes, sent?.rxBytes]).toEqual([received?.rxBytes, received?.txBytes]);
  expect(books.total.rxBytes + books.total.txBytes).toBe(flows.rxBytes(row) + flows.txBytes(row));
});

test("what nobody owns is counted as untold, but for the kernel's own", () => {
  const { flows, send, close } = stage();
  const lost = send({ src: '10.0.0.1', dst: '192.0.2.1', sport: 1001, dport: 53 });
  flows.disown(lost, 'closed before it could be looked up');
  flows.disown(send({ src: '10.0.0.1', dst: '192.0.2.2', sport: 1002, dport: 53 }), 'no process: the kernel itself');
  const books = close();
  expect(books.unowned).toEqual({ connections: 1, bytes: flows.txBytes(lost) });
  expect(books.connections).toBe(0);
});

test('rows are bounded, the total is not', () => {
  const { flows, own, send, close } = stage(1);
  flows.own(send({ src: '10.0.0.1', dst: '192.0.2.1', sport: 1001, dport: 53 }), own, 'exact');
  flows.own(send({ src: '10.0.0.1', dst: '192.0.2.2', sport: 1002, dport: 53 }), own, 'exact');
  const books = close();
  expect([books.rows().length, books.foldedRows, books.connections, books.total.txPackets]).toEqual([1, 1, 2, 2]);
});
