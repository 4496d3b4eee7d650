// Questions of DNS in groups, what hangs under them, and the filters that rows stand for.

import { describe, expect, test } from 'vitest';
import { type DnsRow, NO_DNS } from '../../../../src/model/dns.ts';
import { rowFilter } from '../../../../src/view/input/row-filter.ts';
import { grouped, isFailure, resolverLines, underGroup } from '../../../../src/view/tree/questions.ts';
import { asked } from '../../../support/history.ts';

const row = (id: number, parts: Partial<DnsRow> = {}): DnsRow => ({ ...asked(), id: String(id), ...parts });
const ROWS = [
  row(1, { tookMs: 10 }),
  row(2, { type: 'AAAA', tookMs: 300 }),
  row(3, { name: 'api.example.com', app: 'mDNSResponder', onBehalfOf: 'Safari', result: 'SERVFAIL', tookMs: 20, tries: 3 }),
  row(4, { name: 'printer', domain: null, transport: 'mdns', result: 'no answer', tookMs: null }),
  row(5, { name: 'lost.example.org', domain: 'example.org', app: null, reason: 'forwarded', result: 'no answer', tookMs: null }),
];

describe('groups', () => {
  test('by app have the app for which a resolver asked, and those without one by their reason', () => {
    const lines = grouped(ROWS, 'app');
    expect(lines.map(({ id, name, type, tookMs, group }) => ({ id, name, type, tookMs, ...group }))).toMatchObject([
      { id: 'dns:app:curl', name: '', type: '', count: 3, names: 2, apps: 1, failed: 0, slow: 1, tookMs: 10 },
      { id: 'dns:app:Safari', name: 'api.example.com', type: 'A', count: 1, failed: 1, slow: 0, tookMs: 20 },
      { id: 'dns:app:\0forwarded', name: 'lost.example.org', count: 1, failed: 1, tookMs: null },
    ]);
    expect(lines.flatMap((line) => underGroup(line, ROWS)).map(({ id }) => id)).toEqual(['1', '2', '4', '3', '5']);
  });

  test('by name and by domain; without a domain, by the name', () => {
    expect(grouped(ROWS, 'name').map(({ name, group }) => [name, group?.count, group?.apps])).toEqual([
      ['www.example.com', 2, 1],
      ['api.example.com', 1, 1],
      ['printer', 1, 1],
      ['lost.example.org', 1, 1],
    ]);
    expect(grouped(ROWS, 'domain').map(({ name, group }) => [name, group?.count, group?.names])).toEqual([
      ['example.com', 3, 2],
      ['printer', 1, 1],
      ['example.org', 1, 1],
    ]);
    expect(grouped(ROWS, 'none')).toBe(ROWS);
  });

  test('are made once for the same rows', () => {
    expect(grouped(ROWS, 'app')).toBe(grouped(ROWS, 'app'));
    expect(grouped(ROWS, 'name')).not.toBe(grouped(ROWS, 'app'));
  });
});

test('a failure is what went wrong, and not what nobody nearby has', () => {
  expect(ROWS.map(isFailure)).toEqual([false, false, true, false, true]);
  expect(isFailure(row(6, { result: 'NXDOMAIN' }))).toBe(false);
  expect(isFailure(row(7, { result: 'REFUSED' }))).toBe(true);
});

test('rows stand for filters', () => {
  const of = (table: 'questions' | 'resolvers', line: Parameters<typeof rowFilter>[1]) => rowFilter(table, line, null);
  const [app] = grouped(ROWS, 'app');
  const [domain] = grouped(ROWS, 'domain');
  expect([of('questions', ROWS[0] as DnsRow), of('questions', app as never), of('questions', domain as never)]).toEqual([
    'host=www.example.com',
    'app=curl',
    'domain=example.com',
  ]);
  const common = {
    questions: 1,
    answered: 1,
    failed: 0,
    missing: 0,
    unanswered: 0,
    medianMs: 1,
    slowMs: 1,
    recentMs: 1,
    recentSlowMs: 1,
    recent: 1,
  };
  const resolvers = [
    { id: '1', address: '192.168.1.1', transport: 'udp', lastSeen: 0, ...common },
    { id: '2', address: 'local network', transport: 'mdns', lastSeen: 0, ...common },
  ] as const;
  const traffic = { connections: 1, rxBytes: 1, txBytes: 1, lastSeen: 0 };
  const encrypted = [{ id: '3', app: 'firefox', reason: null, host: 'dns.google', transport: 'https', ...traffic }] as const;
  expect(resolverLines({ ...NO_DNS, resolvers, encrypted }).map((line) => of('resolvers', line))).toEqual([
    'dst=192.168.1.1',
    'application=mdns',
    'host=dns.google',
  ]);
});
