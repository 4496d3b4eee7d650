// The view of history as a user sees it, drawn by blessed and read back: each size, each zoom, a marked range, the page of an app, the
// budget, hostile names, and what stands there when nothing is recorded.

import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HistoryAnswer, HistoryStatus } from '../../src/model/history.ts';
import type { HistoryRequest } from '../../src/view/history/state.ts';
import { FakeHistory, type FakeHistoryOptions } from '../support/fake-history.ts';
import { busy, CAPTURE, NOON, snapshot } from '../support/snapshot-builder.ts';
import { Stage } from '../support/terminal.ts';

const DAY = 86_400_000;
const STATUS: HistoryStatus = {
  state: 'recording',
  path: '/Users/ann/Library/Application Support/netmon-tui/history.sqlite',
  note: '',
  savedAt: NOON - 240_000,
  fileBytes: 7_340_032,
};
const PLAIN: FakeHistoryOptions = {
  oldest: Date.UTC(2025, 10, 3, 9, 12),
  newest: NOON,
  apps: ['Google Chrome', 'Backblaze', 'Slack', 'Spotify', 'ssh', 'Mail', 'softwareupdated', 'curl', 'mDNSResponder', 'node'],
  domains: ['backblazeb2.com', 'googlevideo.com', 'slack.com', 'scdn.co', 'apple.com', 'github.com', 'example.com'],
  categories: ['Cloud and storage', 'Streaming', 'Web', 'Development', ''],
  interfaces: ['en0', 'utun3'],
};

let stage: Stage | null = null;
let answered = 0;

/** A terminal whose questions are answered by a model, when `answer` is called. */
async function open(columns: number, rows: number, options: ConstructorParameters<typeof Stage>[2] = {}): Promise<Stage> {
  answered = 0;
  stage = new Stage(columns, rows, options);
  await stage.show(snapshot({ ...busy(20), capture: { ...CAPTURE, history: STATUS } }));
  return stage;
}

/** Answers what was asked since the last time, and what is asked because of that. */
async function answer(history: FakeHistory): Promise<void> {
  const s = stage as Stage;
  while (answered < s.effects.length) {
    const effect = s.effects[answered++];
    if (effect?.type !== 'history') continue;
    for (const request of effect.requests)
      s.tui.apply({ type: 'history', slot: request.slot, serial: request.serial, answer: history.answer(request) });
  }
  s.tui.flush();
  await s.settle();
}

async function press(history: FakeHistory, ...keys: string[]): Promise<void> {
  for (const key of keys) {
    await stage?.press(key);
    await answer(history);
  }
}

async function frame(name: string): Promise<void> {
  await expect(stage?.text()).toMatchFileSnapshot(`__frames__/history-${name}.txt`);
}

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

afterEach(() => {
  stage?.close();
  stage = null;
});

describe('sizes', () => {
  test.each([
    [80, 24],
    [100, 30],
    [120, 40],
    [160, 50],
    [200, 50],
    [40, 10],
    [60, 15],
  ])('%ix%i', async (columns, rows) => {
    await open(columns, rows);
    await press(new FakeHistory(PLAIN), '8');
    await frame(`${columns}x${rows}`);
  });

  test('too small says so', async () => {
    await open(30, 8);
    await press(new FakeHistory(PLAIN), '8');
    expect(stage?.text()).toMatch(/is too small/);
  });
});

test('several machines: which of them it lacks, and which share one history', async () => {
  const lacks = ['mac3 (lost)', 'db3 (nothing recorded)'];
  const gathered = { lacks, shared: [['mac1', 'mac2']] };
  await open(120, 40);
  const machines = ['mac1', 'mac2', 'mac3', 'db3'].map((name) => ({
    ...{ name, state: 'live' as const, since: NOON, note: '', hint: '', isReduced: false },
    ...{ clockAheadMs: 0, program: '1', lineRate: 0 },
  }));
  await stage?.show(snapshot({ ...busy(20), machines, capture: { ...CAPTURE, history: null } }));
  await press(new FakeHistory({ ...PLAIN, gathered }), '8');
  await frame('machines-120x40');
});

test('each zoom, back and forward, and now again', async () => {
  const history = new FakeHistory(PLAIN);
  await open(80, 24);
  await press(history, '8', '[');
  await frame('hour-80x24');
  await press(history, ']', '\x1b[D');
  await frame('yesterday-80x24');
  await press(history, ']');
  await frame('week-80x24');
  await press(history, ']');
  await frame('month-80x24');
  await press(history, ']');
  await frame('year-80x24');
  await press(history, '.', '[', '[', '[');
  await frame('80x24');
});

test('a range around the peak narrows the tables', async () => {
  const history = new FakeHistory(PLAIN);
  await open(120, 40);
  await press(history, '8', '\x1b[D', 'v');
  await frame('cursor-120x40');
  await press(history, 'v', '\x1b[C', '\x1b[C', '\t', '\t');
  await frame('marked-120x40');
  await press(history, '\x1b', '\x1b', '\x1b');
  expect(stage?.text()).toContain('(now)');
});

test('the page of an app: its days, its domains, when it was first seen', async () => {
  const history = new FakeHistory(PLAIN);
  await open(80, 24);
  await press(history, '8', 'j', '\r');
  await frame('app-80x24');
  await press(history, '\x1b[D', 'k', 'k');
  await frame('app-day-80x24');
  await press(history, '\r');
  expect(stage?.line(3)).toContain('Thu 22 Jan 2026');
  await press(history, '\r');
  await stage?.resize(120, 40);
  await answer(history);
  await frame('app-120x40');
});

test('the legend of a calendar names each amount once: one day has one', async () => {
  const history = new FakeHistory({ ...PLAIN, oldest: NOON - 7_200_000 });
  await open(120, 40);
  await press(history, '8', 'j', '\r');
  const legend = stage?.text().match(/^│ · nothing.*$/m)?.[0] ?? '';
  expect(legend.match(/to [\d.]+ \w+/g)).toHaveLength(1);
});

test('a correction is not nothing, and what is chosen, marked and over stands out without colour too', async () => {
  const history = new FakeHistory({ ...PLAIN, scale: 300_000_000 });
  const budget = { bytes: 100e9, day: 1, interface: null, units: 'bytes-decimal' } as const;
  await open(80, 24, { view: { budget }, colour: 'none' });
  await press(history, '8', 'v');
  const s = stage as Stage;
  const axis = Array.from({ length: 24 }, (_, y) => y).find((y) => s.line(y).startsWith('│        0 '));
  const marked = s.line(axis ?? 0).indexOf('■');
  expect(marked).toBeGreaterThan(10);
  expect(s.cell(marked, axis ?? 0)).toMatchObject({ bold: true, fg: -1 });
  const row = Array.from({ length: 24 }, (_, y) => y).find((y) => s.line(y).startsWith('│▌')) ?? 0;
  expect(s.cell(4, row)).toMatchObject({ reverse: true });
  const line = Array.from({ length: 24 }, (_, y) => y).find((y) => s.line(y).includes('OVER by')) ?? 0;
  expect(s.cell(s.line(line).indexOf('OVER by'), line)).toMatchObject({ text: 'O', bold: true });
  const query = history.query.bind(history);
  history.query = (asked) => {
    const result = query(asked);
    return { ...result, rows: result.rows.map((one) => ({ ...one, rxBytes: -5_000_000, txBytes: 0 })) };
  };
  await press(history, '\x1b[D');
  expect(s.text()).toContain('-4.77 M');
});

test('a budget: near, over, too early, and on one interface', async () => {
  const budget = { bytes: 600e9, day: 1, interface: null, units: 'bytes-decimal' } as const;
  const history = new FakeHistory({ ...PLAIN, scale: 300_000_000 });
  await open(120, 40, { view: { budget } });
  await press(history, '8');
  await frame('budget-near-120x40');
  stage?.close();
  await open(80, 24, { view: { budget: { ...budget, bytes: 100e9, interface: 'en0' } } });
  await press(history, '8');
  await frame('budget-over-80x24');
  await press(history, '1');
  expect(stage?.line(1)).toMatch(/OVER BUDGET/);
  stage?.close();
  await open(80, 24, { view: { budget: { ...budget, day: 31 } } });
  await press(history, '8');
  expect(stage?.text()).toContain('too early to tell');
});

describe('nothing to show', () => {
  /** Gives the same answer to all that was asked. */
  async function answerAll(answer: HistoryAnswer): Promise<void> {
    const effect = stage?.effects.find((one) => one.type === 'history');
    const requests: readonly HistoryRequest[] = effect?.type === 'history' ? effect.requests : [];
    for (const { slot, serial } of requests) stage?.tui.apply({ type: 'history', slot, serial, answer });
    stage?.tui.flush();
    await stage?.settle();
  }

  test('waiting, then nothing recorded, and how to record', async () => {
    await open(80, 24, { view: { historyFile: '/home/ann/.local/share/netmon-tui/history.sqlite' } });
    await stage?.show(snapshot({ ...busy(5) }));
    await stage?.press('8');
    await frame('waiting-80x24');
    await answerAll({ kind: 'missing' });
    await frame('nothing-80x24');
    expect(stage?.text().match(/recorded yet/g)).toHaveLength(1);
  });

  test('a file that may not be read: the whole reason and the way out, on as many lines as they take', async () => {
    await open(80, 24);
    await stage?.show(snapshot({ ...busy(5) }));
    await stage?.press('8');
    const path = '/root/.local/share/netmon-tui/some/where/else/history.sqlite';
    const hint = 'run as its owner, or stay root: --stay-root; or name another';
    await answerAll({ kind: 'failed', message: `the history file ${path}: permission denied`, hint });
    await frame('refused-80x24');
  });

  test('a filter that matches nothing says what a record keeps', async () => {
    await open(80, 24);
    const history = new FakeHistory(PLAIN);
    const query = history.query.bind(history);
    history.query = (asked) => {
      const result = query(asked);
      return asked.filter === null ? result : { ...result, rows: [], series: null };
    };
    await press(history, '8', '/', ...'rtt>5', '\r');
    expect(stage?.text()).toContain('A record keeps app, exe, host');
    expect(stage?.text()).toContain('nothing matches the filter');
  });

  test('the first minute, and a failing disk', async () => {
    await open(80, 24);
    const empty = new FakeHistory({ ...PLAIN, oldest: NOON + DAY, newest: NOON - DAY, apps: [] });
    await press(empty, '8');
    expect(stage?.text()).not.toContain('To record:');
    const note = 'no space left on the device of /Users/ann; tried again in 30 s';
    await stage?.show(snapshot({ ...busy(5), capture: { ...CAPTURE, history: { ...STATUS, state: 'failing', note } } }));
    await frame('failing-80x24');
  });
});

test('hostile names shift nothing, paint nothing, hide nothing; ASCII alone', async () => {
  const names = [
    'evil{red-bg}{bold}x{/}',
    '\x1b[31mred\x1b]0;title\x07\x9b2J',
    '日本語のアプリ',
    '👩‍👩‍👧‍👦 family',
    'e\u0301te\u0301 z\u0351\u0352\u0353algo',
    'שלום עולם',
    '\u202Egnp.exe',
    'tab\tnew\nline\rreturn',
    `${'very-long-'.repeat(40)}name`,
    '한국어 ｆｕｌｌ',
  ];
  const history = new FakeHistory({ ...PLAIN, apps: names, domains: names, categories: names, interfaces: names });
  await open(120, 40);
  await press(history, '8');
  await frame('hostile-120x40');
  await press(history, 'j', 'j', '\r');
  await frame('hostile-app-120x40');
  stage?.close();
  await open(80, 24, { drawing: 'ascii', colour: 'none' });
  await press(history, '8', 'v', 'v', '\x1b[D');
  await frame('ascii-80x24');
  for (let y = 0; y < 24; y++) expect(stage?.line(y)).toMatch(/^[\x20-\x7e]*$/);
});
