import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { IN_MEMORY } from '../../../src/messenger/outbox.ts';
import { NO_DNS } from '../../../src/model/dns.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import type { Talk } from '../../../src/model/talk.ts';
import { DeliveryWarnings } from '../../../src/output/delivery-warnings.ts';
import { JsonOutput } from '../../../src/output/json-output.ts';
import { closeLine, gapLine, linePieces, openLine } from '../../../src/output/json-writer.ts';
import { alert } from '../../support/history.ts';
import { lineFaults } from '../../support/schemas.ts';
import { appRow, flowRow, hostRow, snapshot, TIME } from './rows.ts';

const sampleLine = (of: Snapshot) => [...linePieces('sample', of)].join('');
const TRAFFIC = { rx_bytes: 3000, tx_bytes: 200, rx_packets: 4, tx_packets: 3, rx_rate: 1500.123, tx_rate: 0.1 };
const SEEN = { first_seen: '2026-01-01T00:00:00.500Z', last_seen: '2026-01-01T00:00:01.500Z' };
const FLOW = {
  id: '7',
  protocol: 'tcp',
  interface: 'en0',
  local: { address: '192.0.2.1', port: 50_000 },
  remote: { address: '203.0.113.9', port: 443 },
  direction: 'outbound',
  state: 'established',
  app: 'curl',
  pid: 42,
  attribution: 'exact',
  reason: null,
  peer_app: null,
  peer_pid: null,
  on_behalf_of: null,
  host: 'example.com',
  name_source: 'tls',
  name_reason: null,
  domain: null,
  application: 'https',
  application_source: 'port',
  category: null,
  country: null,
  asn: null,
  network: null,
  ...SEEN,
  rtt_ms: 12.346,
  retransmits: 0,
  ja4: null,
  ja4s: null,
  tunnel: null,
  carries: false,
  inside: null,
  ...TRAFFIC,
};
const SAMPLE = {
  schema: 1,
  seq: 1,
  time: '2026-01-01T00:00:01.500Z',
  started: '2026-01-01T00:00:00.000Z',
  interval_ms: 1000,
  capture: {
    driver: 'libpcap',
    interfaces: ['en0'],
    attribution: 'pktap',
    file: null,
    packets: 7,
    frame_bytes: 3298,
    dropped: null,
    shed: 0,
    undecoded: 0,
    truncated: 0,
    malformed: 0,
    unsupported: 0,
    interface_bytes: null,
    interface_dropped: null,
    counted_frame_bytes: 3298,
    counted_interface_bytes: null,
    snap_length: { bulk: 160, whole: 2048 },
    buffer_bytes: null,
    note: null,
    reverse_dns: false,
    history: null,
    privileges: null,
    places: [],
    places_note: null,
    fallbacks: [{ driver: 'libpcap', reason: 'not here' }],
    skipped_samples: 0,
    skipped_events: 0,
  },
  total: { ...TRAFFIC, unowned_bytes: 0, passing_bytes: 0 },
  apps: [
    {
      app: 'curl',
      reason: null,
      exe: '/usr/bin/curl',
      pids: [42],
      user: 'ann',
      processes: [
        {
          pid: 42,
          name: 'curl',
          exe: '/usr/bin/curl',
          user: 'ann',
          parent_pid: 1,
          started: '2025-12-31T23:59:00.000Z',
          script: null,
          unit: null,
          container: {
            ...{ engine: 'docker', id: '0123456789abcdef', name: 'web', image: 'nginx:1.25', pod: 'web-0', namespace: 'shop' },
            ...{ project: 'store', reason: null },
          },
          publisher: {
            kind: 'package',
            name: 'curl',
            version: '8.5.0-2',
            by: 'Jane Doe',
            source: 'dpkg',
            note: 'by its path alone',
          },
        },
      ],
      process_count: 1,
      flows: 1,
      ...SEEN,
      ...TRAFFIC,
    },
  ],
  hosts: [
    {
      host: 'example.com',
      reason: null,
      domain: 'example.com',
      name_source: 'tls',
      addresses: ['203.0.113.9'],
      category: null,
      country: null,
      asn: null,
      network: null,
      mac: null,
      vendor: null,
      flows: 1,
      ...SEEN,
      ...TRAFFIC,
    },
  ],
  categories: [{ category: null, flows: 1, ...TRAFFIC }],
  interfaces: [
    {
      interface: 'en0',
      kind: 'physical',
      headline: true,
      passing_bytes: null,
      frame_bytes: 3298,
      interface_bytes: null,
      interface_dropped: null,
      interface_errors: null,
      ...TRAFFIC,
    },
  ],
  flows: [FLOW],
  flows_total: 1,
  flows_evicted: 0,
  encrypted_dns: [],
  gaps: [],
};

const parsed = (line: string) => JSON.parse(line) as Record<string, unknown>;

/** Paths of everything in a value, lists by their first entry. */
function shape(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [path] : shape(value[0], `${path}[]`);
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => shape(inner, `${path}.${key}`));
}

describe('lines', () => {
  it('writes a sample and an end with every field of schema 1', () => {
    expect(parsed(sampleLine(snapshot()))).toEqual({ type: 'sample', ...SAMPLE });
    expect(parsed([...linePieces('end', snapshot())].join(''))).toEqual({ type: 'end', ...SAMPLE });
  });

  it('writes where a process comes from only if it is asked to, its command line among it', () => {
    const at = (pid: number, name: string, startedAt: number | null) => ({ pid, name, startedAt });
    const line = { ancestors: [at(1, 'systemd', null), at(20, 'bash', TIME)], origin: at(20, 'bash', TIME) };
    const app = appRow();
    const processes = app.processes.map((each) => ({ ...each, ...line, session: 20, terminal: 'pts/3', command: 'curl -s x' }));
    const of = { ...snapshot(), apps: [{ ...app, processes }] };
    const written = (lineage: boolean) => [...linePieces('sample', of, of, undefined, lineage)].join('');
    expect(written(false)).not.toMatch(/lineage|curl -s/);
    const [first] = (parsed(written(true))['apps'] as { processes: { lineage: unknown }[] }[])[0]?.processes ?? [];
    expect(first?.lineage).toEqual({
      ancestors: [
        { pid: 1, name: 'systemd', started: null },
        { pid: 20, name: 'bash', started: new Date(TIME).toISOString() },
      ],
      origin: { pid: 20, name: 'bash', started: new Date(TIME).toISOString() },
      session: 20,
      terminal: 'pts/3',
      command: 'curl -s x',
    });
    expect(lineFaults(parsed(written(true)))).toEqual([]);
  });

  it('writes open, close and gap', () => {
    expect(parsed(openLine(flowRow()))).toEqual({ type: 'open', schema: 1, time: SEEN.first_seen, ...FLOW });
    expect(parsed(closeLine(flowRow()))).toEqual({ type: 'close', schema: 1, time: SEEN.last_seen, ...FLOW });
    expect(parsed(gapLine({ from: TIME - 1000, to: TIME, reason: 'sleep', detail: 'the machine slept' }))).toEqual({
      type: 'gap',
      schema: 1,
      time: SEEN.last_seen,
      from: SEEN.first_seen,
      to: SEEN.last_seen,
      reason: 'sleep',
      detail: 'the machine slept',
    });
  });

  it('writes what is encrypted of DNS, and how a client and a server introduced themselves', () => {
    const [offer, answer] = [{ ja4: 't13d1516h2_8daaf6152771_e5627efa2ab1' }, { ja4s: 't130200_1301_234ea6891581' }];
    const talk = { tls: { offer, answer } } as unknown as Talk;
    const row = { id: 'x', app: 'firefox', reason: null, host: 'dns.google', transport: 'https', connections: 2 } as const;
    const encrypted = [{ ...row, rxBytes: 500, txBytes: 100, lastSeen: TIME }];
    const line = parsed(sampleLine(snapshot({ flows: [flowRow({ talk })], dns: { ...NO_DNS, encrypted } })));
    expect(line).toMatchObject({
      flows: [{ ja4: 't13d1516h2_8daaf6152771_e5627efa2ab1', ja4s: 't130200_1301_234ea6891581' }],
    });
    expect(line['encrypted_dns']).toEqual([
      {
        app: 'firefox',
        reason: null,
        resolver: 'dns.google',
        transport: 'https',
        connections: 2,
        rx_bytes: 500,
        tx_bytes: 100,
        last_seen: SEEN.last_seen,
      },
    ]);
    expect(lineFaults(line)).toEqual([]);
  });

  it('keeps the same fields where nothing is known', () => {
    const unknown = snapshot({
      apps: [appRow({ app: null, reason: 'forwarded', exe: null, user: null, pids: [] })],
      hosts: [hostRow({ host: null, reason: 'folded', domain: null, nameSource: 'none', addresses: [] })],
      flows: [
        flowRow({ app: null, pid: null, attribution: 'none', reason: 'forwarded', host: null, application: null, rttMs: null }),
      ],
    });
    const lists = /\.(pids|addresses)(\[\])?$/;
    const fields = (line: string) => shape(parsed(line)).map((path) => path.replace(lists, '.$1'));
    expect(fields(sampleLine(unknown))).toEqual(fields(sampleLine(snapshot())));
  });

  it('tells how recording goes', () => {
    const history = { state: 'failing', path: '/h', note: 'full', savedAt: TIME, fileBytes: null } as const;
    const { capture } = snapshot();
    expect(parsed(sampleLine(snapshot({ capture: { ...capture, history } })))).toMatchObject({
      capture: { history: { state: 'failing', path: '/h', note: 'full', saved_at: SEEN.last_seen, file_bytes: null } },
    });
    const calm = { ...history, state: 'recording', note: '', savedAt: null, fileBytes: 4096 } as const;
    expect(parsed(sampleLine(snapshot({ capture: { ...capture, history: calm } })))).toMatchObject({
      capture: { history: { state: 'recording', note: null, saved_at: null, file_bytes: 4096 } },
    });
  });

  it('writes integers where bytes are counted, null where a number is none', () => {
    const odd = parsed(
      sampleLine(
        snapshot({ apps: [appRow({ rxBytes: 10.5, txBytes: Number.NaN, rxRate: Number.POSITIVE_INFINITY })], time: Number.NaN }),
      ),
    );
    expect(odd).toMatchObject({ time: null, apps: [{ rx_bytes: 11, tx_bytes: null, rx_rate: null }] });
  });

  it('is one line, safe for strict readers and for terminals', () => {
    const nasty = '\u2028\u2029\n\r\u001b\u009b\u007f"\\ud800 \ud800x\udc00 \\\\ 😀';
    const line = openLine(flowRow({ host: nasty }));
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(line.replaceAll('\\\\', '')).not.toMatch(/\\ud[89a-f]/);
    expect(parsed(line)).toMatchObject({ host: '\u2028\u2029\n\r\u001b\u009b\u007f"\\ud800 \ufffdx\ufffd \\\\ 😀' });
  });
});

describe('alerts', () => {
  let warnings: string[] = [];
  beforeEach(() => {
    warnings = [];
  });
  const lines = async (samples: boolean, ...snapshots: readonly Snapshot[]) => {
    const output = new PassThrough();
    const json = new JsonOutput(output, samples, null, new DeliveryWarnings((line) => warnings.push(line)), () => undefined);
    for (const [i, each] of snapshots.entries())
      await (i < snapshots.length - 1 ? json.sample(each, () => Promise.resolve()) : json.end(each));
    const text = output.read().toString() as string;
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  };
  const [first, second] = [alert({ id: 'a', time: TIME }), alert({ id: 'b', time: TIME })];

  it('are written once, before the sample of their tick, even if the end has its time', async () => {
    const raised = [snapshot({ alerts: [] }), snapshot({ alerts: [first] }), snapshot({ alerts: [first, second] })];
    const found = await lines(true, ...raised, snapshot({ alerts: [first, second] }));
    expect(found.map(({ type, id }) => id ?? type)).toEqual(['sample', 'a', 'sample', 'b', 'sample', 'end']);
    expect(found.flatMap(lineFaults)).toEqual([]);
  });

  it('that are kept in memory alone are warned of once, beside the stream', async () => {
    const delivery = {
      isReady: true,
      host: null,
      user: 'ann',
      note: IN_MEMORY,
      channels: [],
      isLeft: false,
      outcomes: new Map(),
    };
    const kept = snapshot({ capture: { ...snapshot().capture, delivery } });
    for (const samples of [true, false]) await lines(samples, kept, kept);
    const warning = `netmon-tui: alerts: ${IN_MEMORY}\n`;
    expect(warnings).toEqual([warning, warning]);
  });

  it('of a run without samples stand before its end', async () => {
    expect((await lines(false, snapshot({ alerts: [first, second] }))).map(({ type }) => type)).toEqual([
      'alert',
      'alert',
      'end',
    ]);
  });
});
