// The screen under random keys, clicks, sizes, answers and snapshots: nothing throws, and every pane fills its rectangle exactly, inside the
// terminal, with text that moves no cursor.

import fc from 'fast-check';
import { beforeAll, test } from 'vitest';
import { DNS_TRANSPORTS, type DnsPart, type DnsRow } from '../../src/model/dns.ts';
import type { HistoryAnswer, HistoryResult } from '../../src/model/history.ts';
import { EVENT_KINDS, type FlowRow, type NetEvent, type Snapshot } from '../../src/model/snapshot.ts';
import { type Process, PUBLISHER_KINDS, type Publisher } from '../../src/model/terms.ts';
import { mouseAction } from '../../src/tui/input.ts';
import { type Action, COMMANDS, type Edit, type Effect } from '../../src/view/action.ts';
import { type Frame, frameOf } from '../../src/view/frame.ts';
import type { HistoryRequest } from '../../src/view/history/state.ts';
import { KEYMAP } from '../../src/view/input/keymap.ts';
import { reduce } from '../../src/view/input/reducer.ts';
import { lineWidth, type Pane } from '../../src/view/pane.ts';
import { initialState } from '../../src/view/state.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../src/view/text/glyphs.ts';
import { busy, NOON } from '../support/snapshot-builder.ts';

const STEPS = 300;
const DAY_MS = 86_400_000;
const EDITS: readonly Edit[] = ['backspace', 'left', 'right', 'home', 'word', 'older', 'newer', 'complete', 'accept'];
const TYPED = [...'app:hostdxrns0129.,*/<>=()"~ !-', 'dir:', 'name_source:', 'rx>1k', ' or ', 'is:new', 'closed', '日', 'é'];
const TEXTS = [
  '',
  'x',
  'a\x1b[2J\nb',
  '\u202eabc',
  '日本語の長い名前'.repeat(9),
  'e\u0301\u0302',
  'long '.repeat(200),
  '\ud800',
  '👩‍👩‍👧',
  '{bold}',
];
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])/;

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

/** Numbers from a seed: mulberry32. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}

/** A snapshot of any size, at a time that may jump, with texts that nobody would choose. */
function anySnapshot(chance: Chance, step: number): Snapshot {
  const made = busy(chance.of([0, 1, 3, 40, 200]), step);
  const named = (text: string | null): string | null => (chance.below(8) === 0 ? chance.of(TEXTS) : text);
  const flows: FlowRow[] = made.flows.map((row) => ({
    ...row,
    app: named(row.app),
    host: named(row.host),
    domain: named(row.domain),
    rttMs: chance.of([row.rttMs, 0, 1e9, 0.001]),
    rxBytes: chance.of([row.rxBytes, 0, Number.MAX_SAFE_INTEGER]),
    firstSeen: chance.of([row.firstSeen, NOON + DAY_MS]),
  }));
  const jump = chance.of([0, 0, 0, DAY_MS, -DAY_MS, 400 * DAY_MS]);
  return {
    ...made,
    flows,
    apps: made.apps.map((row) => ({
      ...row,
      app: named(row.app),
      exe: named(row.exe),
      user: named(row.user),
      processes: Array.from({ length: chance.below(20) }, (_, pid) => anyProcess(chance, pid)),
      processCount: 20,
    })),
    events: Array.from({ length: chance.of([0, 3, 90]) }, (_, i) => anyEvent(chance, i, flows)),
    capture: { ...made.capture, note: named('') ?? '', file: chance.of([null, null, ...TEXTS]) },
    dns: anyDns(chance),
    hosts: made.hosts.map((row) => ({ ...row, host: named(row.host), country: named(row.country), network: named(row.network) })),
    time: NOON + step * chance.of([100, 1000, 10_000]) + jump,
  };
}

function anyDns(chance: Chance): DnsPart {
  const text = (): string | null => chance.of([null, ...TEXTS]);
  const questions = Array.from({ length: chance.of([0, 1, 30, 300]) }, (_, i): DnsRow => {
    const [name, type, result, address] = [
      chance.of(TEXTS),
      chance.of(['A', ...TEXTS]),
      chance.of(['NOERROR', ...TEXTS]),
      chance.of(TEXTS),
    ];
    const took = chance.of([null, 0, 12.5, 1e9, Number.NaN]);
    return {
      ...{
        id: String(i),
        time: NOON + chance.of([0, -DAY_MS, DAY_MS]) + i,
        name,
        domain: text(),
        type,
        app: text(),
        pid: chance.of([null, 7]),
      },
      ...{ reason: text(), onBehalfOf: text(), resolver: { address, port: 53 }, transport: chance.of(DNS_TRANSPORTS) },
      ...{
        interface: 'en0',
        direction: 'outbound',
        result,
        answer: chance.of(TEXTS),
        answerCount: chance.below(9),
        tookMs: took,
        tries: 1,
      },
    };
  });
  const some = chance.below(5);
  const resolvers = TEXTS.slice(0, some).map((address, i) => ({
    ...{
      id: String(i),
      address,
      transport: chance.of(DNS_TRANSPORTS),
      questions: 9,
      answered: 7,
      failed: 1,
      missing: 2,
      unanswered: 2,
    },
    ...{
      medianMs: chance.of([null, 3]),
      slowMs: chance.of([null, 1e7]),
      recentMs: null,
      recentSlowMs: null,
      recent: 0,
      lastSeen: NOON,
    },
  }));
  const encrypted = TEXTS.slice(0, some).map((host, i) => ({
    ...{ id: String(i), app: text(), reason: text(), host, transport: chance.of(['tls', 'https', 'quic'] as const) },
    ...{ connections: i, rxBytes: 1e15, txBytes: 0, lastSeen: NOON },
  }));
  return {
    questions,
    ended: [],
    waiting: [],
    count: questions.length,
    missed: chance.of([0, 5]),
    unasked: 0,
    resolvers,
    encrypted,
  };
}

function anyProcess(chance: Chance, pid: number): Process {
  const text = (): string | null => chance.of([null, ...TEXTS]);
  const ancestors = Array.from({ length: chance.below(5) }, (_, i) => ({ pid: i + 1, name: chance.of(TEXTS), startedAt: null }));
  const start = chance.of([null, NOON, NOON + DAY_MS]);
  const [name, exe, user, script, unit, command] = [chance.of(TEXTS), text(), text(), text(), text(), text()];
  const line = { command, ancestors, origin: ancestors[0] ?? null, session: chance.of([null, pid]), terminal: text() };
  const named = { container: chance.of(TEXTS), image: text(), pod: text(), namespace: text(), project: text(), unknown: text() };
  const container = chance.of([null, { ...named, engine: chance.of(TEXTS), id: chance.of(TEXTS) }]);
  return {
    ...line,
    container,
    id: pid,
    pid,
    name,
    exe,
    uid: 0,
    user,
    parentPid: 1,
    startedAt: start,
    script,
    unit,
    publisher: anyPublisher(chance),
    app: 1,
  };
}

function anyPublisher(chance: Chance): Publisher | null {
  const text = (): string | null => chance.of([null, ...TEXTS]);
  const kind = chance.of(PUBLISHER_KINDS);
  return chance.of([null, { kind, name: text(), version: text(), by: text(), source: text(), note: text(), digest: text() }]);
}

function anyEvent(chance: Chance, index: number, flows: readonly FlowRow[]): NetEvent {
  const kind = chance.of(EVENT_KINDS);
  const text = (): string | null => chance.of([null, ...TEXTS]);
  const flow = kind === 'opened' || kind === 'closed' ? (chance.of([null, ...flows.slice(0, 3)]) ?? null) : null;
  const time = NOON + chance.of([0, -DAY_MS, DAY_MS]) - index * 1000;
  return {
    id: `event:${index}`,
    time,
    kind,
    text: chance.of(TEXTS),
    app: text(),
    domain: text(),
    interface: text(),
    flow,
    burst: null,
  };
}

function anyResult(chance: Chance, { question }: HistoryRequest): HistoryAnswer {
  const kind = chance.below(6);
  if (kind === 0) return { kind: 'missing' };
  if (kind === 1) return { kind: 'failed', message: chance.of(TEXTS), hint: chance.of(TEXTS) };
  if (question.kind === 'first-seen') {
    const domains = TEXTS.map((domain, i) => ({ domain, time: NOON - i * DAY_MS }));
    return { kind: 'first-seen', app: question.app, domains, isCut: chance.below(2) === 0 };
  }
  const { query } = question;
  const totals = { rxBytes: chance.of([0, 5e9]), txBytes: 1e6, rxPackets: 9, txPackets: 9, flows: 3 };
  const isTime = query.by === 'day' || query.by === 'hour';
  const steps = Math.min(query.steps, 2000);
  const result: HistoryResult = {
    query,
    rows: Array.from({ length: chance.of([0, 1, 12, 60]) }, (_, i) => ({
      ...totals,
      key: isTime ? new Date(query.from + i * DAY_MS).toISOString() : chance.of([`k${i}`, ...TEXTS]),
      reason: null,
      start: isTime ? query.from + i * DAY_MS : null,
      detail: chance.of([null, ...TEXTS]),
      firstSeen: query.from,
      lastSeen: query.to,
    })),
    total: totals,
    series:
      steps === 0
        ? null
        : {
            from: query.from,
            stepMs: Math.max(1, (query.to - query.from) / steps),
            rxBytes: Array.from({ length: steps }, () => chance.of([0, 1, 1e12])),
            txBytes: Array.from({ length: steps }, () => 5),
          },
    oldest: chance.of([null, query.from - DAY_MS]),
    newest: query.to,
    resolutionMs: 60_000,
    identity: null,
  };
  return { kind: 'rows', result };
}

function answersTo(chance: Chance, effects: readonly Effect[]): Action[] {
  return effects.flatMap((effect): Action[] => {
    if (effect.type === 'history')
      return effect.requests.map((request) => ({
        type: 'history',
        slot: request.slot,
        serial: request.serial,
        answer: anyResult(chance, request),
      }));
    if (effect.type === 'list-interfaces')
      return [
        {
          type: 'interfaces',
          items: TEXTS.map((about, i) => ({ name: i === 0 ? null : about, isRoute: false, about, isCaptured: i % 3 === 0 })),
        },
      ];
    if (effect.type === 'range-totals') return [{ type: 'range-totals', from: effect.from, to: effect.to, answer: null }];
    return [];
  });
}

function anyAction(chance: Chance, frame: Frame, isTyping: boolean): Action | null {
  const kind = chance.below(20);
  if (isTyping && kind < 14)
    return kind < 10
      ? { type: 'edit', edit: 'insert', text: chance.of(TYPED) }
      : chance.below(6) === 0
        ? { type: 'typing-paused' }
        : { type: 'edit', edit: chance.of(EDITS), text: '' };
  if (kind < 15) return { type: 'command', command: chance.of(COMMANDS) };
  if (kind === 15) return { type: 'notice', text: chance.of(TEXTS) };
  if (kind === 16) {
    const [columns, rows] = [20 + chance.below(231), 5 + chance.below(66)];
    return { type: 'resize', columns, rows };
  }
  const action = chance.of(['mousedown', 'mousedown', 'wheelup', 'wheeldown', 'mousemove']);
  return mouseAction(frame, { action, x: chance.below(250), y: chance.below(70) } as never, chance.of([null, chance.below(100)]));
}

function check(frame: Frame, columns: number, rows: number): void {
  const panes: Pane[] = [frame.header, frame.footer, ...frame.tables, ...frame.parts, ...frame.historyTables];
  for (const pane of [...panes, frame.chart, frame.popup, frame.message]) {
    if (pane === null || pane.lines.length === 0) continue;
    const { rect, lines } = pane;
    const isInside = rect.left >= 0 && rect.top >= 0 && rect.left + rect.width <= columns && rect.top + rect.height <= rows;
    if (!isInside) throw new Error(`outside ${columns}x${rows}: ${JSON.stringify(rect)}`);
    if (lines.length !== rect.height) throw new Error(`${lines.length} lines in ${JSON.stringify(rect)}`);
    for (const line of lines) {
      const text = line.map((part) => part.text).join('');
      if (lineWidth(line) !== rect.width) throw new Error(`${lineWidth(line)} cells in ${rect.width}: ${text}`);
      if (CONTROL.test(text)) throw new Error(`unsafe: ${JSON.stringify(text)}`);
    }
  }
}

function run(seed: number): void {
  const chance = new Chance(seed);
  const settings = { glyphs: chance.of([UNICODE_GLYPHS, ASCII_GLYPHS]), keys: KEYMAP };
  let live = anySnapshot(chance, 0);
  let state = initialState({
    columns: 20 + chance.below(231),
    rows: 5 + chance.below(66),
    themes: ['a', 'b'],
    lite: chance.below(3) === 0,
  });
  const trail: string[] = [];
  const apply = (action: Action): void => {
    trail.push(JSON.stringify(action).slice(0, 90));
    const step = reduce(state, action, live, settings);
    state = step.state;
    for (const answer of answersTo(chance, step.effects)) if (chance.below(5) > 0) apply(answer);
  };
  try {
    for (let i = 0; i < STEPS; i++) {
      const frame = frameOf(state, live, settings);
      check(frame, state.size.columns, state.size.rows);
      const hasFocus = frame.tables.some(({ table }) => table === state.pane);
      if (frame.message === null && state.view !== 'history' && !hasFocus) throw new Error(`${state.pane} is out of sight`);
      if (chance.below(8) === 0) {
        live = anySnapshot(chance, i);
        apply({ type: 'snapshot' });
      }
      const action = anyAction(chance, frame, state.filter.cursor !== null);
      if (action !== null) apply(action);
    }
  } catch (thrown) {
    const where = `${state.view} ${JSON.stringify(state.size)} ${JSON.stringify(state.popup)?.slice(0, 200)}`;
    throw new Error(`seed ${seed}: ${where}\n${trail.slice(-8).join('\n')}`, { cause: thrown });
  }
}

test('no use of the screen breaks a frame', { timeout: 60_000 }, () => {
  fc.assert(fc.property(fc.integer(), run), { numRuns: 8, endOnFailure: true });
});

test('a history that can not be read says why without moving the cursor', () => {
  const settings = { glyphs: UNICODE_GLYPHS, keys: KEYMAP };
  const live = busy(3);
  const asked = reduce(initialState({ columns: 120, rows: 40 }), { type: 'command', command: 'history' }, live, settings);
  let { state } = asked;
  for (const effect of asked.effects)
    for (const { slot, serial } of effect.type === 'history' ? effect.requests : []) {
      const answer = { kind: 'failed', message: 'no\x1b[2J\u202esuch', hint: null } as const;
      state = reduce(state, { type: 'history', slot, serial, answer }, live, settings).state;
    }
  check(frameOf(state, live, settings), 120, 40);
});
