// The questions that a state has for the recorded history, and which of them are due. Pure: the reducer turns them into effects.

import type { HistoryKey, HistoryQuery, HistoryQuestion, TimeRange } from '../../model/history.ts';
import { MINUTE_MS, monthsAway, startOf, stepped } from '../text/calendar.ts';
import { periodOf } from './budget.ts';
import { SERIES_STEP } from './range.ts';
import {
  type HistoryPane,
  type HistoryRequest,
  type HistorySlot,
  type HistoryState,
  lacksMachines,
  type SlotState,
} from './state.ts';

/** Rows of a table that are asked for; the rest is one row. */
const TOP = 200;
/** Weeks of the calendar of an app, this one too. */
const CALENDAR_WEEKS = 53;
/** How often slow slots are asked again: they hardly change, or the run's own counters carry them on. */
const SLOW_MS = 10 * MINUTE_MS;
const SLOW_SLOTS: ReadonlySet<HistorySlot> = new Set(['budget', 'calendar', 'first']);

const KEY_OF_PANE: Readonly<Record<HistoryPane, HistoryKey>> = {
  apps: 'app',
  domains: 'domain',
  categories: 'category',
  interfaces: 'interface',
};

/** What questions depend on besides the state of the history view. */
export interface RequestContext {
  readonly now: number;
  /** True while the history view is on the screen. */
  readonly shown: boolean;
  readonly window: TimeRange;
  /** What the tables are about: the marked range, else the window. */
  readonly range: TimeRange;
  readonly panes: readonly HistoryPane[];
  /** Text of the filter in force, '' for none. */
  readonly filter: string;
}

/** The first day of an app's calendar. */
export function calendarStart(now: number): number {
  return stepped('week', now, 1 - CALENDAR_WEEKS);
}

/** Everything that the view needs to know, by slot. */
function questionsFor(history: HistoryState, context: RequestContext): ReadonlyMap<HistorySlot, HistoryQuestion> {
  const { now, shown, window, range, panes } = context;
  const asks = new Map<HistorySlot, HistoryQuestion>();
  const { plan, page, zoom } = history;
  const filter = context.filter === '' ? null : context.filter;
  const app = page?.name ?? null;
  const rows = (slot: HistorySlot, where: TimeRange, by: HistoryKey, more: Partial<HistoryQuery> = {}): void => {
    asks.set(slot, {
      kind: 'rows',
      query: { ...where, by, app: null, domain: null, category: null, interface: null, filter, top: TOP, steps: 0, ...more },
    });
  };
  if (plan !== null) rows('budget', periodOf(plan.day, now), 'category', { interface: plan.interface, filter: null, top: 1 });
  if (!shown) return asks;
  const step = SERIES_STEP[zoom];
  if (step === null) rows('chart', window, 'day', { app });
  else rows('chart', window, 'category', { app, top: 1, steps: Math.round((window.to - window.from) / step) });
  for (const pane of page === null ? panes : (['domains'] as const)) rows(pane, range, KEY_OF_PANE[pane], { app });
  const lastMonth = stepped('month', now, -1);
  const today = startOf('day', now);
  const lately = Math.floor(now / SLOW_MS) * SLOW_MS;
  rows('today', { from: today, to: stepped('day', now, 1) }, 'category', { app, top: 1 });
  rows('days', { from: lastMonth, to: today }, 'day', { app });
  rows('before', { from: lastMonth, to: Math.max(lastMonth + MINUTE_MS, monthsAway(lately, -1)) }, 'category', { app, top: 1 });
  if (page !== null) {
    rows('calendar', { from: calendarStart(now), to: stepped('day', now, 1) }, 'day', { app });
    asks.set('first', { kind: 'first-seen', app: page.name });
  }
  return asks;
}

/** The requests that are due, and the state with their slots pending; the same state when nothing is due. */
export function dueRequests(
  history: HistoryState,
  context: RequestContext,
): { readonly history: HistoryState; readonly requests: readonly HistoryRequest[] } {
  const { now } = context;
  const requests: HistoryRequest[] = [];
  const slots: Partial<Record<HistorySlot, SlotState>> = { ...history.slots };
  let { serial } = history;
  let isNowAsked = false;
  for (const [slot, wanted] of questionsFor(history, context)) {
    const old = history.slots[slot];
    const key = JSON.stringify(wanted);
    // The sum of today stands beside the others: it must not be older than they are.
    const isBehind = slot === 'today' && isNowAsked;
    if (old?.key === key && !isBehind && !isDue(slot, wanted, now, old)) continue;
    isNowAsked ||= slot === 'chart' && context.window.to > now;
    serial++;
    slots[slot] = {
      key,
      serial,
      asked: now,
      pending: true,
      answer: old?.answer ?? null,
      failure: old?.failure ?? null,
      counted: old?.counted ?? 0,
    };
    requests.push({ slot, serial, question: wanted });
  }
  return requests.length === 0 ? { history, requests } : { history: { ...history, slots, serial }, requests };
}

/** True when time alone is a reason to ask again: every minute for ranges that include now or failed, never for the past. */
function isDue(slot: HistorySlot, wanted: HistoryQuestion, now: number, old: SlotState): boolean {
  const isPast = wanted.kind === 'rows' && wanted.query.to < startOf('hour', now) && old.failure === null;
  if (isPast && !lacksMachines(old)) return false;
  const step = SLOW_SLOTS.has(slot) ? SLOW_MS : MINUTE_MS;
  return Math.floor(old.asked / step) !== Math.floor(now / step);
}
