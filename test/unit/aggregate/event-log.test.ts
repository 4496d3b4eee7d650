// The event log: everything that is new in a snapshot is logged once, however much happens.

import { describe, expect, test } from 'vitest';
import { EventLog, KnownNames } from '../../../src/aggregate/event-log.ts';
import type { FlowRow, NetEvent, Snapshot } from '../../../src/model/snapshot.ts';
import { appRow, CAPTURE, flowRow, hostRow, NOON, snapshot } from '../../support/snapshot-builder.ts';

/** Seconds after the start of the run. */
const at = (second: number, parts: Partial<Snapshot> = {}) => snapshot({ started: NOON, time: NOON + second * 1000, ...parts });
const told = (events: readonly { kind: string; text: string; app: string | null; domain: string | null }[]) =>
  events.map(({ kind, text, app, domain }) => [kind, domain ?? app ?? text].join(': '));

describe('names', () => {
  const apps = (...names: string[]) => names.map((app) => appRow({ id: app, app }));

  test('of the first minute are taken as known, later ones are new, once', () => {
    const log = new EventLog();
    log.next(at(1, { apps: apps('old') }), 0);
    log.next(at(59, { apps: apps('old', 'also old') }), 0);
    const events = log.next(
      at(61, { apps: apps('old', 'also old', 'curl'), hosts: [hostRow({ id: 'h', domain: 'example.com' })] }),
      0,
    );
    expect(told(events).slice(1)).toEqual(['new app: curl', 'new domain: example.com']);
    expect(log.next(at(62, { apps: apps('curl') }), 0)).toBe(events);
  });

  test('are new unless history knows them', () => {
    const log = new EventLog((_, name) => name === 'known');
    const events = log.next(at(1, { apps: apps('known', 'unknown') }), 0);
    expect(told(events).slice(1)).toEqual(['new app: unknown']);
    expect([log.isNew('app', 'unknown'), log.isNew('app', 'known'), log.isNew('domain', 'unknown')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(told(log.next(at(70, { apps: apps('known') }), 0)).slice(1)).toEqual(['new app: unknown']);
  });

  test("wait for history's answer, even if their rows didn't change since", () => {
    const log = new EventLog(null);
    const parts = { apps: apps('old', 'curl'), hosts: [hostRow({ id: 'h', domain: 'example.com' })] };
    expect(told(log.next(at(1, parts), 0))).toHaveLength(1);
    log.next(at(2, parts), 0);
    log.setKnownHistory((_, name) => name === 'old', 'history knows 1 app');
    const events = log.next(at(3, parts), 0);
    expect(told(events).slice(1)).toEqual(['start: history knows 1 app', 'new app: curl', 'new domain: example.com']);
    expect(events.at(-1)).toMatchObject({ text: '', time: NOON + 3000 });
    expect(log.next(at(4, parts), 0)).toBe(events);
  });

  test('that nobody could know are new in this run', () => {
    const log = new EventLog(null);
    log.setKnownHistory(() => null, 'no history');
    log.next(at(1, { apps: apps('old') }), 0);
    expect(log.next(at(61, { apps: apps('old', 'curl') }), 0).at(-1)).toMatchObject({ app: 'curl', text: 'new in this run' });
  });

  test("of apps that are only at the far end of local flows are unknown, because history doesn't keep them", () => {
    const log = new EventLog(() => false);
    const flows = [flowRow({ id: '1', app: 'curl', peerApp: 'server' })];
    expect(told(log.next(at(1, { flows, apps: apps('server') }), 1)).slice(1)).toEqual([]);
    log.next(at(2, { apps: apps('server', 'curl'), flows }), 1);
    expect(log.next(at(3, { apps: apps('server', 'curl'), flows }), 1).map(({ app }) => app)).not.toContain('server');
  });

  test('never fill up: the oldest are forgotten', () => {
    const names = new KnownNames(100);
    for (let i = 0; i < 1000; i++) {
      expect(names.meet(`name ${i}`)).toBe(false);
      expect(names.meet('always')).toBe(i > 0);
    }
    expect(names.meet('name 998')).toBe(true);
    expect(names.meet('name 1')).toBe(false);
  });

  test('come with the flow that brought them', () => {
    const log = new EventLog(() => false);
    const flows = [flowRow({ id: '1', app: 'curl', domain: 'example.com' })];
    const events = log.next(at(1, { flows, hosts: [hostRow({ id: 'h', domain: 'example.com' })] }), 1);
    expect(events.at(-1)).toMatchObject({ kind: 'new domain', domain: 'example.com', app: 'curl', flow: { id: '1' } });
  });
});

describe('flows', () => {
  test('that open and close are logged, but not those that were there at the start', () => {
    const log = new EventLog();
    log.next(at(1, { flows: [flowRow({ id: '1' })] }), 1);
    log.next(at(2, { flows: [flowRow({ id: '1' }), flowRow({ id: '2', app: 'ssh' })] }), 2);
    const events = log.next(at(3, { flows: [flowRow({ id: '1', closed: true }), flowRow({ id: '2', app: 'ssh' })] }), 2);
    expect(told(events).slice(1)).toEqual(['opened: ssh', 'closed: curl']);
    const brief = flowRow({ id: '3', app: 'dig', closed: true });
    expect(told(log.next(at(4, { flows: [brief] }), 3)).slice(3)).toEqual(['opened: dig', 'closed: dig']);
    expect(log.next(at(5, { flows: [brief] }), 3)).toHaveLength(5);
  });

  const many = (app: string, from: number, count: number, parts: Partial<FlowRow> = {}) =>
    Array.from({ length: count }, (_, i) => flowRow({ id: String(from + i), app, host: 'example.com', ...parts }));
  const bursts = (events: readonly NetEvent[]) =>
    events.flatMap(({ kind, app, burst }) =>
      burst === null ? [] : [[kind, app ?? burst.reason ?? burst.of, burst.count, burst.host ?? burst.hosts]],
    );

  test('are kept for an hour, and no more than 2,000 of them; what matters stays', () => {
    const log = new EventLog();
    log.next(at(1), 0);
    for (let second = 2; second <= 6; second++) log.next(at(second, { flows: [flowRow({ id: `${second}` })] }), second - 1);
    const kinds = (events: readonly NetEvent[]) => events.map(({ kind }) => kind);
    expect(kinds(log.next(at(10), 5))).toEqual(['start', 'opened', 'opened', 'opened', 'opened', 'opened']);
    const later = log.next(at(3605, { capture: { ...CAPTURE, note: 'en0 is down' } }), 5);
    expect(kinds(later)).toEqual(['start', 'opened', 'opened', 'warning']);
    let all: readonly NetEvent[] = [];
    for (let i = 0; i < 2100; i++)
      all = log.next(at(3700 + i, { flows: [flowRow({ id: `${100 + i}`, app: `app ${i % 300}` })] }), 6 + i);
    expect(all.filter(({ kind }) => kind === 'opened')).toHaveLength(2000);
    expect(kinds(all)).toContain('start');
  });

  test('many at once make one event by app, and unlisted ones are counted', () => {
    const log = new EventLog();
    log.next(at(1), 0);
    const ownerless = many('', 2500, 3, { app: null, reason: 'forwarded' });
    const events = log.next(
      at(2, { flows: [...many('curl', 1, 2000), ...ownerless, flowRow({ id: '2600', app: 'ssh' })] }),
      40_000,
    );
    expect(bursts(events)).toEqual([
      ['opened', 'curl', 2000, 'example.com'],
      ['opened', 'forwarded', 3, 'example.com'],
      ['opened', 'unlisted', 37_996, 0],
    ]);
    expect(events.filter(({ flow }) => flow !== null)).toMatchObject([{ kind: 'opened', app: 'ssh', flow: { id: '2600' } }]);
  });

  test('a burst of an app is one event, renewed until a pause or for a minute', () => {
    const log = new EventLog();
    log.next(at(0), 0);
    let events: readonly NetEvent[] = [];
    for (let second = 1; second <= 30; second++) {
      const host = second < 5 ? 'example.com' : `host-${second}.example.com`;
      events = log.next(
        at(second, { flows: many('curl', second * 100, 90, { host, closed: true, rxBytes: 10, txBytes: 1 }) }),
        second * 90,
      );
    }
    expect(bursts(events)).toEqual([
      ['opened', 'curl', 2700, 27],
      ['closed', 'curl', 2700, 27],
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.at(-1)).toMatchObject({ time: NOON + 30_000, burst: { since: NOON + 1000, rxBytes: 27_000, txBytes: 2700 } });
    log.next(at(45, { flows: many('curl', 8000, 90) }), 2790);
    events = log.next(at(46, { flows: many('curl', 9000, 1) }), 2791);
    expect(bursts(events).at(-1)).toEqual(['opened', 'curl', 91, 'example.com']);
  });

  test('one a second make events of their own at first, then one burst', () => {
    const log = new EventLog();
    log.next(at(0), 0);
    let events: readonly NetEvent[] = [];
    for (let second = 1; second <= 10; second++) events = log.next(at(second, { flows: many('top', second, 1) }), second);
    expect(events.filter(({ flow }) => flow !== null)).toHaveLength(5);
    expect(bursts(events)).toEqual([['opened', 'top', 5, 'example.com']]);
  });

  test('of many apps the busiest get events of their own', () => {
    const log = new EventLog();
    log.next(at(0), 0);
    const flows = Array.from({ length: 20 }, (_, app) => many(`app-${app}`, app * 100 + 1, app + 3)).flat();
    const events = log.next(at(1, { flows }), flows.length);
    expect(bursts(events).map(([, app]) => app)).toEqual(['app-19', 'app-18', 'app-17', 'app-16', 'app-15', 'others']);
    expect(events.reduce((sum, { burst }) => sum + (burst?.count ?? 0), 0)).toBe(flows.length);
  });

  test('never drive out what matters more; the log is bounded', () => {
    const log = new EventLog();
    log.next(at(1), 0);
    log.next(at(61, { apps: [appRow({ id: 'x', app: 'rare' })] }), 0);
    let events = log.next(at(62), 0);
    for (let second = 63; second < 1063; second++)
      events = log.next(at(second, { flows: [flowRow({ id: String(second), app: `app ${second}` })] }), second);
    expect(told(events)).toContain('new app: rare');
    for (let i = 0; i < 5000; i++) log.tell('export', `file ${i}`);
    events = log.next(at(1100), 1062);
    expect(events.length).toBeLessThanOrEqual(2500);
    expect(events.at(-1)?.text).toBe('file 4999');
  });
});

describe('the capture', () => {
  test('logs what it began with, what it fell back from, and what changes', () => {
    const log = new EventLog();
    const fallbacks = [{ driver: 'ebpf', reason: 'not permitted' }];
    expect(told(log.next(at(1, { capture: { ...CAPTURE, fallbacks } }), 0))).toEqual([
      'start: libpcap on en0, owners by pktap',
      "fallback: ebpf can't be used: not permitted",
    ]);
    const changed = { ...CAPTURE, fallbacks, interfaces: ['en0', 'utun3'], note: 'en0 is down', attribution: 'lsof' };
    const gaps = [{ from: NOON, to: NOON + 9000, reason: 'sleep', detail: 'lid' } as const];
    log.next(at(2, { capture: changed, gaps }), 0);
    const events = log.next(at(3, { capture: { ...changed, note: '', interfaces: ['utun3'], dropped: 7 } }), 0);
    expect(events.slice(2).map(({ kind, text, interface: name }) => [kind, text, name])).toEqual([
      ['warning', 'owners now come from lsof instead of pktap', null],
      ['interface', 'is now captured', 'utun3'],
      ['warning', 'en0 is down', null],
      ['gap', '9 s not measured: sleep, lid', null],
      ['interface', 'is no longer captured', 'en0'],
      ['warning', 'resolved: en0 is down', null],
      ['warning', '7 packets dropped by the kernel', null],
    ]);
  });

  test('tells of several notes only what is new, and when all is said what has ended', () => {
    const log = new EventLog();
    const notes = ['', 'en0 is down', 'en0 is down; ps is slow', 'en0 is down', "can't read: A", "can't read: A, B", ''];
    const told = notes.flatMap((note, i) => log.next(at(i + 1, { capture: { ...CAPTURE, note } }), 0));
    expect(told.filter((event, i) => event.kind === 'warning' && told.indexOf(event) === i).map(({ text }) => text)).toEqual([
      'en0 is down',
      'ps is slow',
      'resolved: ps is slow',
      "can't read: A",
      "can't read: A, B",
      "resolved: can't read: A, B",
    ]);
  });

  test('logs once that a root without sudo became nobody', () => {
    const log = new EventLog();
    const privileges = { user: 'nobody', uid: 65_534, dropped: true, kept: [], note: 'runs as nobody' };
    log.next(at(1, { capture: { ...CAPTURE, privileges } }), 0);
    const events = log.next(at(2, { capture: { ...CAPTURE, privileges } }), 0);
    expect(told(events).filter((line) => line.includes('nobody'))).toEqual(['warning: runs as nobody']);
  });

  test('logs losses now and then, with their sum', () => {
    const log = new EventLog();
    const lost = (dropped: number) => ({ capture: { ...CAPTURE, dropped } });
    log.next(at(0, lost(0)), 0);
    for (let second = 1; second <= 21; second++) log.next(at(second, lost(second * 10)), 0);
    const events = log.next(at(22, lost(210)), 0);
    expect(events.filter(({ kind }) => kind === 'warning').map(({ text }) => text)).toEqual([
      '10 packets dropped by the kernel',
      '100 packets dropped by the kernel',
      '100 packets dropped by the kernel',
    ]);
  });

  test('logs how recording goes', () => {
    const log = new EventLog();
    const history = { state: 'recording', path: '/h', note: '', savedAt: null, fileBytes: null } as const;
    log.next(at(1), 0);
    log.next(at(2, { capture: { ...CAPTURE, history } }), 0);
    log.next(at(3, { capture: { ...CAPTURE, history: { ...history, savedAt: 5 } } }), 0);
    const failing = { ...history, state: 'failing', note: 'the disk is full' } as const;
    log.next(at(4, { capture: { ...CAPTURE, history: failing } }), 0);
    log.next(at(5, { capture: { ...CAPTURE, history } }), 0);
    log.next(at(6, { capture: { ...CAPTURE, history: { ...history, note: 'its file was moved' } } }), 0);
    const events = log.next(at(7, { capture: { ...CAPTURE, history: null } }), 0);
    expect(told(events).slice(1)).toEqual([
      'recording: has begun',
      'recording: failing: the disk is full',
      'recording: has resumed',
      'recording: its file was moved',
      'recording: has ended',
    ]);
  });
});
