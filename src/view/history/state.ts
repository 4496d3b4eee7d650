// State of the history view: what the user chose, what was asked, and the answers. Plain data that never changes.

import type { Gathered, HistoryAnswer, HistoryQuestion, HistoryResult, TimeRange } from '../../model/history.ts';
import type { BudgetPlan } from '../../model/options.ts';
import { nobodyWarning } from '../../model/privileges.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Zoom } from '../text/calendar.ts';
import { type BudgetStatus, budgetStatusOf, periodOf } from './budget.ts';

/** Tables of the view, in the order in which Tab goes through them. */
export const HISTORY_PANES = ['apps', 'domains', 'categories', 'interfaces'] as const;
export type HistoryPane = (typeof HISTORY_PANES)[number];

/** Columns that rows sort by, in the order in which `s` goes through them. */
export const HISTORY_SORTS = ['total', 'rx', 'tx', 'flows', 'name'] as const;
export type HistorySort = (typeof HISTORY_SORTS)[number];

/** Slots for answers: each holds the last one to its question. */
const HISTORY_SLOTS = [
  'chart',
  ...HISTORY_PANES,
  'today',
  /** Days of this month and the last, without today. */
  'days',
  /** The last month up to the same day and time. */
  'before',
  'budget',
  /** Days of one app, and when it first reached which domain. */
  'calendar',
  'first',
] as const;
export type HistorySlot = (typeof HISTORY_SLOTS)[number];

/** One question. An answer names its serial number; one that is not the slot's newest is dropped. */
export interface HistoryRequest {
  readonly slot: HistorySlot;
  readonly serial: number;
  readonly question: HistoryQuestion;
}

/** The place for an answer. */
export interface SlotState {
  /** What was asked last, as text to compare with. */
  readonly key: string;
  readonly serial: number;
  /** When it was asked, epoch ms by the snapshot's clock. */
  readonly asked: number;
  /** True until it is answered; an older answer stays meanwhile. */
  readonly pending: boolean;
  readonly answer: Exclude<HistoryAnswer, { kind: 'failed' }> | null;
  readonly failure: Extract<HistoryAnswer, { kind: 'failed' }> | null;
  /** RX+TX bytes that the run had counted when the answer came: what moves from then on is not in it. */
  readonly counted: number;
}

/** The cursor of a list and its first visible row. */
export interface ListState {
  /** Key of the chosen row; null follows whatever is first. */
  readonly selected: string | null;
  readonly index: number;
  readonly top: number;
}

/** The page of one app. */
export interface AppPage {
  readonly name: string;
  readonly pane: 'calendar' | 'domains';
  /** Beginning of the day under the calendar's cursor; null is today. */
  readonly day: number | null;
}

/** What the user chose in the view of history, and what was answered so far. */
export interface HistoryState {
  readonly zoom: Zoom;
  /** A time in the range that is shown; null follows now. */
  readonly anchor: number | null;
  /** A time under the chart's cursor, and the other end of the range that is marked; null is none. */
  readonly cursor: number | null;
  readonly mark: number | null;
  readonly pane: HistoryPane;
  readonly lists: Readonly<Record<HistoryPane, ListState>>;
  readonly sort: { readonly column: HistorySort; readonly descending: boolean };
  readonly page: AppPage | null;
  readonly slots: Readonly<Partial<Record<HistorySlot, SlotState>>>;
  /** Number of the last question. */
  readonly serial: number;
  /** From the configuration, fixed for a run. */
  readonly plan: BudgetPlan | null;
  /** Where this run records, or would; null where it can't. */
  readonly file: string | null;
}

const TOP_OF_LIST: ListState = { selected: null, index: 0, top: 0 };

/** What a run starts with. */
export function initialHistory(plan: BudgetPlan | null, file: string | null = null): HistoryState {
  return {
    zoom: 'day',
    anchor: null,
    cursor: null,
    mark: null,
    pane: 'apps',
    lists: { apps: TOP_OF_LIST, domains: TOP_OF_LIST, categories: TOP_OF_LIST, interfaces: TOP_OF_LIST },
    sort: { column: 'total', descending: true },
    page: null,
    slots: {},
    serial: 0,
    plan,
    file,
  };
}

/** A wait shorter than this is not shown: it would only flicker. */
const LATE_MS = 1000;

/** True while a slot still shows an answer about another range, or the new answer takes long. */
export function isLate(history: HistoryState, slot: HistorySlot, about: TimeRange, now: number): boolean {
  const state = history.slots[slot];
  if (state?.pending !== true) return false;
  const query = state.answer?.kind === 'rows' ? state.answer.result.query : null;
  return query?.from !== about.from || query.to !== about.to || now - state.asked >= LATE_MS;
}

/** The answer of a slot, where it is one of rows. */
export function resultOf(history: HistoryState, slot: HistorySlot): HistoryResult | null {
  const answer = history.slots[slot]?.answer;
  return answer?.kind === 'rows' ? answer.result : null;
}

/** True where the answer of a slot lacks machines of several. */
export function lacksMachines({ answer }: SlotState): boolean {
  return gatheredOf(answer).lacks.length > 0;
}

/** What the answers that are shown are made of, in a sentence; empty for a single machine, and where nothing is to be said. */
export function gatheredText({ slots }: HistoryState): string {
  for (const slot of Object.values(slots)) {
    const { lacks, shared } = gatheredOf(slot.answer);
    const texts = [
      ...(lacks.length === 0 ? [] : [`without ${lacks.join(', ')}`]),
      ...shared.map((machines) => `${machines.slice(0, -1).join(', ')} and ${machines.at(-1)} share one history: it counts once`),
    ];
    if (texts.length > 0) return texts.join('; ');
  }
  return '';
}

const OF_ONE: Gathered = { lacks: [], shared: [] };

function gatheredOf(answer: SlotState['answer']): Gathered {
  return (answer !== null && 'gathered' in answer ? answer.gathered : undefined) ?? OF_ONE;
}

/** RX+TX bytes that the run has counted: all of them, or those of one interface. */
export function countedBytes(live: Snapshot, name: string | null): number {
  const row = name === null ? live.total : live.interfaces.find((one) => one.interface === name);
  return row === undefined ? 0 : row.rxBytes + row.txBytes;
}

/** The budget's status now: what is recorded of the period, and what moved since then. Null without a budget or records of its period. */
export function budgetStatusNow(history: HistoryState, live: Snapshot): BudgetStatus | null {
  const { plan } = history;
  const result = resultOf(history, 'budget');
  if (plan === null || result === null || result.oldest === null) return null;
  const now = live.time;
  if (result.query.from !== periodOf(plan.day, now).from) return null; // a period ended since
  const { rxBytes, txBytes } = result.total;
  const since = Math.max(0, countedBytes(live, plan.interface) - (history.slots.budget?.counted ?? 0));
  // Only what will be in the record is added to what is in it.
  const recorded = live.capture.history === null ? 0 : since;
  return budgetStatusOf(plan, rxBytes + txBytes + recorded, result.oldest, now);
}

/** What to type where no key begins to record. */
export const NO_PLACE = 'Nothing is recorded yet: start with --history=PATH.';

/** Why a run that records nothing can't begin to, and what to type; null if a key can. */
export function whyNotRecorded({ file }: HistoryState, { capture, machines }: Snapshot): string | null {
  if (machines !== undefined) return 'Nothing is recorded here: a machine records itself, by netmon-tui record.';
  if (capture.file !== null) return 'Nothing is recorded of a file, unless you start with --history=PATH.';
  if (nobodyWarning(capture.privileges) !== '') return 'Nothing is recorded as nobody: start with --user NAME or --stay-root.';
  return file === null ? NO_PLACE : null;
}
