// The header's note: what it says, and when it goes.

import { describe, expect, test } from 'vitest';
import type { MessengerStatus } from '../../../../src/model/delivery.ts';
import type { EngineStatus, ExportStatus } from '../../../../src/model/export.ts';
import type { WritingStatus } from '../../../../src/model/packets.ts';
import { identityOf } from '../../../../src/system/accounts.ts';
import { KEYMAP } from '../../../../src/view/input/keymap.ts';
import { reduce } from '../../../../src/view/input/reducer.ts';
import { captureFacts } from '../../../../src/view/panels/capture-facts.ts';
import { headerPanel, noteOf } from '../../../../src/view/panels/header.ts';
import { historyMessage } from '../../../../src/view/panels/history/message.ts';
import { initialState } from '../../../../src/view/state.ts';
import type { CellContext } from '../../../../src/view/tables/column.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { plain } from '../../../../src/view/text/span.ts';
import { CAPTURE, snapshot } from '../../../support/snapshot-builder.ts';

const CAPTURE_TIME = snapshot().time;
const NO_USERS = { passwd: '', group: '' };
const { note: NOTE } = identityOf({ euid: 0, env: {}, user: null, stayRoot: false, records: false, ...NO_USERS });
const privileges = { user: 'nobody', uid: 65_534, dropped: true, kept: ['net_raw'], note: NOTE };
const shown = (more: object = {}, note = '') =>
  snapshot({ capture: { ...CAPTURE, note, privileges: { ...privileges, ...more } } });

test('a root that became nobody is told so, up to the first key', () => {
  const state = initialState({ columns: 80, rows: 24 });
  expect(noteOf(state, shown())).toBe(NOTE);
  expect(noteOf(state, shown({}, 'en0 is down'))).toBe('en0 is down');
  expect(noteOf(state, shown({ user: 'ann' }))).toBe('');
  expect(noteOf(state, shown({ user: 'root', dropped: false }))).toBe('');
  const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
  const after = reduce(state, { type: 'command', command: 'down' }, shown(), settings).state;
  expect(noteOf(after, shown())).toBe('');
});

test('what is wrong with the network stands before what the capture notes for all of a run', () => {
  const state = initialState({ columns: 80, rows: 24 });
  const diagnoses = [{ kind: 'names are slow', resolver: '10.0.0.53', ms: 900 } as const];
  const gaps = [{ from: 0, to: 5000, reason: 'sleep', detail: '' } as const];
  const of = (note: string) => snapshot({ diagnoses, gaps, capture: { ...CAPTURE, note } });
  expect(noteOf(state, of('no exec events'))).toBe('names are slow: the resolver 10.0.0.53 takes 900 ms; no exec events');
  expect(noteOf(state, of(''))).toBe('names are slow: the resolver 10.0.0.53 takes 900 ms; not measured for 5s: sleep');
  expect(noteOf(state, snapshot({ gaps }))).toBe('not measured for 5s: sleep');
});

test('what to type instead fits into 80 columns', () => {
  const lines = headerPanel(initialState({ columns: 80, rows: 24 }), shown(), UNICODE_GLYPHS, 80).map(plain);
  expect(lines.at(-1)).toMatch(/^ ! runs as nobody .*--user NAME.*--stay-root.*settings +$/);
});

test('nobody is offered no recording that would fail', () => {
  const start = initialState({ columns: 80, rows: 24, view: 'history' });
  const empty = { serial: 1, pending: false, failure: null, answer: null } as const;
  const history = { ...start.history, file: '/root/history.sqlite', slots: { ...start.history.slots, chart: empty } };
  const said = (live: ReturnType<typeof shown>) =>
    historyMessage({ ...start, history } as typeof start, live, UNICODE_GLYPHS, KEYMAP, 120)
      .map(plain)
      .join(' ');
  expect(said(shown({ user: 'ann' }))).toContain('w records from now on, into /root/history.sqlite');
  expect(said(shown())).toBe('  Nothing is recorded as nobody: start with --user NAME or --stay-root.');
});

test('one packet is singular', () => {
  const state = initialState({ columns: 160, rows: 24 });
  const told = (rxPackets: number) => {
    const { total } = snapshot();
    return headerPanel(state, snapshot({ total: { ...total, rxPackets, txPackets: 0 } }), UNICODE_GLYPHS, 160)
      .map(plain)
      .join('\n');
  };
  expect(told(1)).toMatch(/ 1 packet /);
  expect(told(2)).toMatch(/ 2 packets /);
});

describe('alerts that leave the program', () => {
  const channel = { channel: 'webhook', delivered: 2, waiting: 1, lost: 0, failure: null, hold: null, next: null } as const;
  const delivery = {
    isReady: true,
    host: 'ntfy.example',
    user: 'ann',
    note: '',
    channels: [channel],
    isLeft: false,
    outcomes: new Map(),
  };
  const failing = { ...delivery, channels: [{ ...channel, failure: 'ECONNREFUSED' }] };
  const told = (now: MessengerStatus, width = 160, privacy = false) =>
    headerPanel(
      { ...initialState({ columns: width, rows: 24 }), privacy },
      snapshot({ capture: { ...CAPTURE, delivery: now } }),
      UNICODE_GLYPHS,
      width,
    )
      .map(plain)
      .join('\n');

  test('go to a host that the header names, where there is room, and unless it is private', () => {
    expect(told(delivery)).toContain('alerts to ntfy.example');
    expect(told(delivery, 160, true)).not.toContain('ntfy');
    expect(told(delivery, 60)).not.toContain('alerts to');
    expect(told({ ...delivery, host: null })).not.toContain('alerts to');
  });

  test('are missed when they do not arrive', () => {
    expect(told(delivery)).not.toContain('not delivered');
    expect(told(failing)).toContain('alerts not delivered');
  });

  test('are counted among the facts of the capture, with the reason', () => {
    const context = { units: 'bytes', glyphs: UNICODE_GLYPHS, privacy: false } as unknown as CellContext;
    const facts = (now: MessengerStatus, privacy = false) =>
      captureFacts(snapshot({ capture: { ...CAPTURE, delivery: now } }), { ...context, privacy }).filter(
        ([name]) => name === 'alerts go',
      );
    expect(facts({ ...failing, note: 'full' })).toEqual([
      ['alerts go', 'full', 'warn'],
      ['alerts go', 'by webhook at ntfy.example: 2 delivered, 1 waiting, ECONNREFUSED', 'warn'],
    ]);
    expect(JSON.stringify(facts(delivery, true))).not.toContain('ntfy');
  });
});

test('kept packets and how far they go back', () => {
  const state = initialState({ columns: 160, rows: 24 });
  const time = snapshot().time;
  const kept = { bytes: 64 << 20, forMs: 60_000, packets: 120, used: 3 << 20, since: time - 42_000, tooLong: 0, writing: null };
  const live = (more: object) => snapshot({ capture: { ...CAPTURE, kept: { ...kept, ...more } } });
  const header = (more: object = {}) => headerPanel(state, live(more), UNICODE_GLYPHS, 160).map(plain).join('\n');
  expect(header()).toContain('keeps 42s');
  expect(header({ since: null })).toContain('keeps 0s');
  const context = { glyphs: UNICODE_GLYPHS, units: 'bytes' } as CellContext;
  const facts = (more: object = {}) => captureFacts(live(more), context).filter(([name]) => /kept/.test(name));
  expect(facts()).toEqual([['packets kept', '42s of 1m00s: 120 packets, 3.00 MiB of 64.0 MiB']]);
  expect(facts({ forMs: null, tooLong: 2 })).toEqual([
    ['packets kept', '42s: 120 packets, 3.00 MiB of 64.0 MiB'],
    ['not kept', '2 packets, too long', 'warn'],
  ]);
  expect(captureFacts(snapshot(), context)).toContainEqual(['packets kept', 'none: start with --keep-packets 60s']);
});

test('packets that are being written, how many bytes and for how long', () => {
  const time = snapshot().time;
  const kept = { bytes: 64 << 20, forMs: null, packets: 9, used: 900, since: time - 42_000, tooLong: 0 };
  const file = { path: '/x/netmon-curl.pcapng', since: time - 30_000, until: time, files: 1, lost: 0, note: '', what: 'curl' };
  const writing = { ...file, state: 'writing' as const, bytes: 3 << 20, packets: 1200 };
  const shown = (more: object, state = initialState({ columns: 160, rows: 24 })) =>
    headerPanel(
      state,
      snapshot({ capture: { ...CAPTURE, kept: { ...kept, writing: { ...writing, ...more } } } }),
      UNICODE_GLYPHS,
      160,
    )
      .map(plain)
      .join('\n');
  expect(shown({})).toContain(' WRITING curl 3.00 MiB 30s ');
  expect(shown({ what: 'a\u001b[2J\u202eb' })).toContain(' WRITING a[2Jb ');
  expect(shown({}, { ...initialState({ columns: 160, rows: 24 }), privacy: true })).toContain(' WRITING packets 3.00 MiB ');
  expect(shown({ state: 'done' })).not.toContain('WRITING');
});

test('the capture file, how much it has and what it lacks', () => {
  const state = initialState({ columns: 160, rows: 24 });
  const writing: WritingStatus = {
    ...{ path: '/home/ann/trace.pcapng', state: 'writing' as const, since: 0, until: 0 },
    ...{ bytes: 3 << 20, packets: 1200, files: 1, lost: 0, note: '' },
  };
  const live = (more: object) => snapshot({ capture: { ...CAPTURE, writing: { ...writing, ...more } } });
  const head = (more: object = {}) => headerPanel(state, live(more), UNICODE_GLYPHS, 160).map(plain).join('\n');
  expect(head()).toContain('writes 3.00 MiB');
  expect(head({ lost: 1234 })).toContain('writes 3.00 MiB, 1 234 lost');
  expect(head({ state: 'failed', note: 'the disk is full' })).toContain('NOT WRITTEN');
  expect(head({ state: 'failed' })).not.toContain('writes');
  const context = { glyphs: UNICODE_GLYPHS, units: 'bytes' } as CellContext;
  const facts = (more: object) => captureFacts(live(more), context).find(([name]) => /^writ/.test(name));
  expect(facts({})).toEqual(['writing', '1 200 packets, 3.00 MiB, in /home/ann/trace.pcapng', 'text']);
  expect(facts({ state: 'failed', files: 3, lost: 2, note: 'the disk is full' })).toEqual([
    'written',
    '1 200 packets, 3.00 MiB, 2 packets lost, in 3 files, now /home/ann/trace.pcapng: the disk is full',
    'warn',
  ]);
});

test('one snap length for all packets is said once', () => {
  const context = { glyphs: UNICODE_GLYPHS, units: 'bytes' } as CellContext;
  const said = (bulk: number, whole: number) =>
    captureFacts(snapshot({ capture: { ...CAPTURE, snapLength: { bulk, whole } } }), context).find(
      ([name]) => name === 'snap length',
    );
  expect(said(160, 2048)?.[1]).toBe('160 bulk, 2048 whole');
  expect(said(131_072, 131_072)?.[1]).toBe('131072 of any packet');
});

describe('exports', () => {
  const engine: EngineStatus = {
    engine: 'clickhouse',
    to: 'db.example:8443',
    acknowledged: CAPTURE_TIME - 60_000,
    sent: 40,
    waiting: 0,
    behindSince: null,
    failure: null,
    refused: null,
    deleted: null,
    next: null,
  };
  const down = { ...engine, waiting: 9, failure: 'nobody listens there', next: CAPTURE_TIME + 5000 };
  const live = (exports: ExportStatus | null) => snapshot({ capture: { ...CAPTURE, exports } });
  const status = (engines: readonly EngineStatus[], note = '', isLeft = false): ExportStatus => ({ engines, note, isLeft });
  const header = (exports: ExportStatus | null, privacy = false) =>
    headerPanel({ ...initialState({ columns: 160, rows: 24 }), privacy }, live(exports), UNICODE_GLYPHS, 160)
      .map(plain)
      .join('\n');
  const CONTEXT = { units: 'bytes', names: true, privacy: false, glyphs: UNICODE_GLYPHS, now: CAPTURE_TIME } as CellContext;
  const facts = (exports: ExportStatus | null, privacy = false) =>
    captureFacts(live(exports), { ...CONTEXT, privacy })
      .filter(([name]) => name === 'exports')
      .map(([, text, role]) => [text, role]);

  test('the header says where they go, and marks what is behind', () => {
    expect(header(null)).not.toContain('exports');
    expect(header(status([engine]))).toContain('exports to db.example:8443');
    expect(header(status([engine]))).not.toContain('exports behind');
    expect(header(status([engine, { ...engine, engine: 'otlp', to: 'otel.example' }]))).toContain(
      'exports to db.example:8443 +1',
    );
    expect(header(status([engine]), true)).not.toContain('db.example');
    expect(header(status([{ ...engine, waiting: 3 }]))).not.toContain('exports behind');
    expect(header(status([{ ...engine, waiting: 4 }]))).toContain('exports behind');
    expect(header(status([down]))).toContain('exports behind');
    expect(header(status([down], '', true))).not.toContain('exports behind');
    expect(header(status([], 'nothing is recorded'))).toContain('NOT EXPORTED');
    expect(header(status([engine], 'a machine of its own'))).not.toContain('exports behind');
  });

  const listener: EngineStatus = { ...engine, engine: 'prometheus', to: '127.0.0.1:9464', acknowledged: null, sent: 0 };

  test('where Prometheus asks is no place to which anything is sent', () => {
    expect(header(status([listener]))).toContain('metrics at 127.0.0.1:9464');
    expect(header(status([listener]))).not.toContain('exports to');
    expect(header(status([engine, listener]))).toMatch(/exports to db\.example:8443 .*metrics at 127\.0\.0\.1:9464/);
    const taken = { ...listener, failure: 'another program uses this port' };
    expect(header(status([taken]))).toContain('metrics not served');
    expect(header(status([taken]))).not.toMatch(/exports behind|metrics at/);
    const lines = (exports: ExportStatus) =>
      captureFacts(live(exports), CONTEXT)
        .filter(([name]) => name === 'metrics')
        .map(([, text, role]) => [text, role]);
    expect(lines(status([listener]))).toEqual([['prometheus at 127.0.0.1:9464: not asked yet', 'text']]);
    expect(lines(status([{ ...listener, sent: 1 }], '', true))).toEqual([['prometheus at 127.0.0.1:9464: asked 1 time', 'text']]);
    expect(lines(status([taken]))).toEqual([['prometheus at 127.0.0.1:9464: another program uses this port', 'warn']]);
    expect(facts(status([listener], '', true))).toEqual([]);
  });

  test('the facts say how far each engine got, and why not further', () => {
    expect(facts(null)).toEqual([]);
    expect(facts(status([engine]))).toEqual([
      [expect.stringMatching(/^clickhouse at db\.example:8443: has all up to .*\d:\d\d:\d\d, 40 rows sent$/), 'text'],
    ]);
    expect(facts(status([down], 'a note'))).toEqual([
      ['a note', 'warn'],
      [expect.stringMatching(/, 9 min behind, nobody listens there, next try .*, 40 rows sent$/), 'warn'],
    ]);
    expect(facts(status([{ ...engine, acknowledged: null, sent: 0 }]))[0]?.[0]).toBe(
      'clickhouse at db.example:8443: nothing sent yet',
    );
    expect(JSON.stringify(facts(status([engine]), true))).not.toContain('db.example');
    expect(facts(status([engine], '', true))).toEqual([['left to the netmon-tui that records', undefined]]);
  });
});
