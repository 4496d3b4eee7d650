// Rows of questions of DNS: their askers, which may come late or leave; what is kept, handed on, counted and forgotten.

import { describe, expect, test } from 'vitest';
import { DnsLog, MAX_QUESTIONS } from '../../../src/aggregate/dns/dns-log.ts';
import { Packet } from '../../../src/decode/packet.ts';
import { FLOW_DIRECTION } from '../../../src/flow/direction.ts';
import type { FlowTable } from '../../../src/flow/flow-table.ts';
import { Exchanges, MDNS, UDP } from '../../../src/inspect/dns/exchanges.ts';
import { WireName, wireLabels } from '../../../src/inspect/dns/name.ts';
import { DNS_WAIT_MS } from '../../../src/model/dns.ts';
import { NO_OWNER, type Process, type ProcessDirectory } from '../../../src/model/terms.ts';
import { parseAddress } from '../../../src/net/address.ts';

const T0 = 1_767_225_600_000;

/** A log over a table of flows that says of each flow what the test says. */
class Run {
  readonly exchanges = new Exchanges();
  readonly owners = new Map<number, number>();
  readonly awaited = new Set<number>();
  readonly directions = new Map<number, number>();
  readonly behalf = new Map<number, number>();
  readonly log: DnsLog;
  readonly #packet = new Packet();

  constructor() {
    const flows = {
      owner: (row: number) => this.owners.get(row) ?? NO_OWNER,
      awaitsOwner: (row: number) => this.awaited.has(row),
      reason: () => 'hidden by the system',
      direction: (row: number) => this.directions.get(row) ?? FLOW_DIRECTION.OUTBOUND,
      interface: () => 0,
    } as unknown as FlowTable;
    const directory = {
      process: (id: number) => ({ pid: 1000 + id, app: id }) as Process,
      app: (id: number) => ({ name: ['curl', 'Safari', 'mDNSResponder'][id] }),
    } as unknown as ProcessDirectory;
    this.log = new DnsLog({
      ...{ exchanges: this.exchanges, flows, directory, interfaceName: () => 'en0' },
      domainOf: (name) => name.split('.').slice(-2).join('.'),
      onBehalfOf: (row) => this.behalf.get(row) ?? NO_OWNER,
    });
    this.#packet.destinationPort = 53;
    this.#packet.sourcePort = 53;
    for (const at of [0, 4]) parseAddress('192.0.2.53', this.#packet.words, at);
  }

  ask(flow: number, name: string, time: number, { id = 1, transport = UDP } = {}): void {
    this.exchanges.begin(this.#packet, time);
    this.exchanges.ask(flow, transport, id, 1, named(name));
  }

  answer(flow: number, name: string, time: number, { id = 1, code = 0 } = {}): void {
    const message = new Uint8Array(12);
    message.set([id >>> 8, id & 0xff, 0x81, 0x80 | code]);
    this.exchanges.begin(this.#packet, time);
    this.exchanges.answer(flow, UDP, 1, named(name), message, 0, 12, 12);
  }
}

function named(text: string): WireName {
  const name = new WireName();
  const labels = wireLabels(text);
  name.bytes.set(labels);
  name.length = labels.length;
  return name;
}

describe('the app that asked', () => {
  test('may become known after the answer; until then the question has not ended', () => {
    const run = new Run();
    run.log.keep();
    run.awaited.add(4);
    run.ask(4, 'a.example.com', T0);
    run.answer(4, 'a.example.com', T0 + 7);
    const first = run.log.tick(T0 + 1000);
    expect(first.ended).toEqual([]);
    expect(first.waiting).toMatchObject([{ name: 'a.example.com', app: null, reason: 'hidden by the system', tookMs: 7 }]);
    run.awaited.delete(4);
    run.owners.set(4, 0);
    const second = run.log.tick(T0 + 2000);
    expect(second.ended).toMatchObject([{ app: 'curl', pid: 1000, reason: null, result: 'NODATA', domain: 'example.com' }]);
    expect(second.questions).toEqual(second.ended);
    expect(run.log.tick(T0 + 3000).ended).toEqual([]);
    expect(run.log.tick(T0 + 3000).questions).toBe(second.questions);
  });

  test('stays as it was when the flow left, whoever gets its row', () => {
    const run = new Run();
    run.owners.set(4, 0);
    run.ask(4, 'a.example.com', T0);
    run.log.flowLeaves(4);
    run.owners.set(4, 1);
    run.exchanges.forget(4);
    run.ask(4, 'b.example.com', T0 + 1, { id: 2 });
    run.answer(4, 'b.example.com', T0 + 3, { id: 2 });
    expect(run.log.tick(T0 + 1000).ended).toMatchObject([
      { name: 'a.example.com', app: 'curl', result: 'no answer' },
      { name: 'b.example.com', app: 'Safari', tookMs: 2 },
    ]);
  });

  test('on a Mac is the one for which the resolver of the system asks', () => {
    const run = new Run();
    run.owners.set(4, 2);
    run.behalf.set(4, 1);
    run.ask(4, 'a.example.com', T0);
    expect(run.log.tick(T0 + 10).waiting).toMatchObject([{ app: 'mDNSResponder', onBehalfOf: 'Safari' }]);
  });
});

describe('questions', () => {
  test('without an answer end once they have waited, and count for their resolver', () => {
    const run = new Run();
    run.ask(1, 'a.example.com', T0);
    run.ask(2, 'b.example.com', T0);
    run.answer(2, 'b.example.com', T0 + 5, { code: 2 });
    expect(run.log.tick(T0 + 1000).ended).toMatchObject([{ name: 'b.example.com', result: 'SERVFAIL' }]);
    const late = run.log.tick(T0 + DNS_WAIT_MS + 1);
    expect(late.ended).toMatchObject([{ name: 'a.example.com', result: 'no answer', tookMs: null }]);
    expect(late.resolvers).toMatchObject([
      { address: '192.0.2.53', transport: 'udp', questions: 2, answered: 1, failed: 1, missing: 0, unanswered: 1, medianMs: 5 },
    ]);
  });

  test('that others ask their group are not listed', () => {
    const run = new Run();
    run.directions.set(1, FLOW_DIRECTION.INBOUND);
    run.ask(1, 'printer.local', T0, { transport: MDNS });
    run.ask(2, 'printer.local', T0, { transport: MDNS });
    const { waiting, ended } = run.log.tick(T0 + 10);
    expect([...waiting, ...ended]).toMatchObject([{ id: '1', transport: 'mdns' }]);
    const { resolvers } = run.log.tick(T0 + DNS_WAIT_MS + 1);
    expect(resolvers).toMatchObject([{ address: 'local network', transport: 'mdns', questions: 1, unanswered: 1 }]);
  });

  test('are kept for a screen alone, the newest of too many', () => {
    const run = new Run();
    run.ask(99, 'a.example.com', T0);
    expect(run.log.tick(T0).questions).toEqual([]);
    run.log.keep();
    for (let i = 0; i < MAX_QUESTIONS + 5000; i++) {
      run.ask(i & 63, 'a.example.com', T0 + i, { id: i & 0xffff });
      run.answer(i & 63, 'a.example.com', T0 + i, { id: i & 0xffff });
      if (i % 1000 === 0) run.log.tick(T0 + i);
    }
    const { questions, count, missed } = run.log.tick(T0 + MAX_QUESTIONS + 5000);
    expect(count).toBe(MAX_QUESTIONS + 5001);
    expect(missed).toBe(0);
    expect(questions.length).toBe(MAX_QUESTIONS);
    expect(questions.at(-1)?.time).toBe(T0 + MAX_QUESTIONS + 4999);
    expect(questions.every(({ tookMs }) => tookMs === 0)).toBe(true);
  });

  test('that come faster than they can be taken are counted', () => {
    const run = new Run();
    run.log.keep();
    for (let i = 0; i < run.exchanges.places + 100; i++) run.ask(i & 63, 'a.example.com', T0, { id: i & 0xffff });
    const { missed, questions, count } = run.log.tick(T0);
    expect(missed).toBe(100);
    expect(questions.length + missed).toBe(count);
  });

  test('that give way to later ones end without an answer', () => {
    const run = new Run();
    run.log.keep();
    run.ask(1, 'first.example.com', T0);
    run.log.tick(T0 + 1);
    for (let i = 0; i < run.exchanges.places; i++) run.ask(i & 63, 'a.example.com', T0 + 2, { id: i & 0xffff });
    const { ended, questions, resolvers } = run.log.tick(T0 + 3);
    expect(ended).toMatchObject([{ name: 'first.example.com', result: 'no answer', tookMs: null }]);
    expect(questions[0]).toBe(ended[0]);
    expect(resolvers).toMatchObject([{ questions: 1, unanswered: 1 }]);
  });

  test('of a flood are counted beyond what a tick lists', () => {
    const run = new Run();
    run.log.keep();
    for (let i = 0; i < 30_000; i++) {
      run.ask(i & 63, 'a.example.com', T0, { id: i });
      run.answer(i & 63, 'a.example.com', T0, { id: i });
      run.log.takeEarly(T0);
    }
    const { questions, missed, count } = run.log.tick(T0);
    expect([questions.length, missed, count]).toEqual([20_000, 10_000, 30_000]);
    run.ask(1, 'next.example.com', T0 + 1000);
    expect(run.log.tick(T0 + 1000).waiting).toHaveLength(1);
  });

  test('are collected for history once it records, each once', () => {
    const run = new Run();
    run.ask(1, 'a.example.com', T0);
    run.answer(1, 'a.example.com', T0 + 5);
    run.log.tick(T0 + 10);
    run.log.collect();
    run.ask(1, 'b.example.com', T0 + 20, { id: 2 });
    run.answer(1, 'b.example.com', T0 + 25, { id: 2 });
    run.log.tick(T0 + 30);
    expect(run.log.take()).toMatchObject({ rows: [{ name: 'b.example.com' }], missed: 0 });
    expect(run.log.take().rows).toEqual([]);
  });
});

describe('resolvers', () => {
  test('have a median and a 95th percentile, within a few percent also of many answers', () => {
    const run = new Run();
    for (let id = 1; id <= 255; id++) {
      run.ask(1, 'a.example.com', T0, { id });
      run.answer(1, 'a.example.com', T0 + id / 10, { id });
    }
    const [one] = run.log.tick(T0 + 1000).resolvers;
    expect(one?.questions).toBe(255);
    expect(Math.abs((one?.medianMs ?? 0) / 12.8 - 1)).toBeLessThan(0.06);
    expect(Math.abs((one?.slowMs ?? 0) / 24.3 - 1)).toBeLessThan(0.06);
    expect(one).toMatchObject({ recent: 64, recentMs: expect.closeTo(22.3, 3), recentSlowMs: expect.closeTo(25.2, 3) });
    for (let id = 256; id <= 2000; id++) {
      run.ask(1, 'a.example.com', T0 + 2000, { id });
      run.answer(1, 'a.example.com', T0 + 2000 + 1 / 128, { id });
    }
    // A local resolver's microseconds are told apart as well. Times of packets are doubles: the step at this date is a quarter of one.
    expect(Math.abs((run.log.tick(T0 + 3000).resolvers[0]?.medianMs ?? 0) * 128 - 1)).toBeLessThan(0.06);
    expect(run.log.tick(T0 + 120_000).resolvers[0]).toMatchObject({ recent: 0, recentMs: null, recentSlowMs: null });
  });
});
