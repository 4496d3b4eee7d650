// Lines of totals: today and yesterday, this month against the last, the budget, and how recording goes. Unknown is not nothing.

import type { HistoryResult } from '../../../model/history.ts';
import type { UnitMode } from '../../../model/options.ts';
import type { Snapshot } from '../../../model/snapshot.ts';
import { BUDGET_NEAR, type BudgetStatus } from '../../history/budget.ts';
import { firstTimes } from '../../history/lists.ts';
import { budgetStatusNow, gatheredText, resultOf, whyNotRecorded } from '../../history/state.ts';
import type { HistoryViewModel } from '../../history/view-model.ts';
import { commandLabel, type KeyTable } from '../../input/keymap.ts';
import { fitLine, fitParts } from '../../pane.ts';
import type { ViewState } from '../../state.ts';
import { dateText, dayText, monthName, startOf, stepped, timeText } from '../../text/calendar.ts';
import { barText, cut, drawable } from '../../text/cells.ts';
import { formatAmount, formatDateTime, formatGrouped, formatShare } from '../../text/format.ts';
import type { Glyphs } from '../../text/glyphs.ts';
import { type Line, type Role, type Span, span } from '../../text/span.ts';

interface Part {
  readonly rank: number;
  readonly line: Line;
}

const BAR_CELLS = 10;

/** Draws `rows` lines, the most telling first. */
export function historySummary(
  state: ViewState,
  live: Snapshot,
  model: HistoryViewModel,
  glyphs: Glyphs,
  keys: KeyTable,
  width: number,
  rows: number,
): readonly Line[] {
  const budget = budgetParts(state, live, glyphs);
  const last = state.history.page === null ? recordingParts(state, live, glyphs, keys, width) : appParts(state, glyphs, width);
  const gathered = cut(drawable(gatheredText(state.history), glyphs), width - 4, glyphs);
  const made: readonly Part[] = gathered === '' ? [] : [{ rank: 0, line: [span(gathered, 'warn')] }];
  const lines = [totalParts(state, model, glyphs), ...(budget === null ? [] : [budget]), [...made, ...last]];
  return lines.slice(0, rows).map((parts) => fitLine([span(' '), ...fitParts(parts, width - 2, 2)], width, glyphs));
}

function totalParts(state: ViewState, { now, range, context }: HistoryViewModel, glyphs: Glyphs): readonly Part[] {
  const { units } = state;
  const days = resultOf(state.history, 'days');
  const amount = (bytes: number | null): Span =>
    bytes === null ? span(glyphs.unknown, 'dim') : span(formatAmount(bytes, units).trim());
  const today = startOf('day', now);
  const month = startOf('month', now);
  const soFar = totalOf(resultOf(state.history, 'today'));
  const before = month === today ? 0 : sumBetween(days, month, today);
  const thisMonth = soFar === null && before === null ? null : (soFar ?? 0) + (before ?? 0);
  const [pane = 'apps'] = state.history.page === null ? context.panes : (['domains'] as const);
  const here = resultOf(state.history, pane);
  const isHere = here !== null && here.query.from === range.from && here.query.to === range.to;
  const parts: Part[] = [
    { rank: 1, line: [span('today ', 'dim'), amount(soFar)] },
    { rank: 3, line: [span('yesterday ', 'dim'), amount(sumBetween(days, stepped('day', now, -1), today))] },
    { rank: 2, line: [span(`${monthName(now).slice(0, 3)} `, 'dim'), amount(thisMonth)] },
    { rank: 4, line: beforeText(state, thisMonth, now, units, glyphs) },
  ];
  if (isHere)
    parts.unshift({
      rank: 0,
      line: [
        span(rangeWord(range, context.window), 'dim'),
        span(`${glyphs.rx} ${formatAmount(here.total.rxBytes, units).trim()}`, 'rx'),
        span(` ${glyphs.tx} ${formatAmount(here.total.txBytes, units).trim()}`, 'tx'),
      ],
    });
  return parts;
}

function rangeWord(range: { from: number }, window: { from: number }): string {
  return range === window ? 'shown ' : 'marked ';
}

/** The last month up to the same day and time, and how much more or less this one has. */
function beforeText(state: ViewState, thisMonth: number | null, now: number, units: UnitMode, glyphs: Glyphs): Line {
  const before = resultOf(state.history, 'before');
  const from = stepped('month', now, -1);
  const name = monthName(from).slice(0, 3);
  if (before === null || before.oldest === null || before.oldest >= before.query.to)
    return [span(`${name} `, 'dim'), span(glyphs.unknown, 'dim')];
  const bytes = before.total.rxBytes + before.total.txBytes;
  const isWhole = before.oldest < stepped('day', from, 1);
  const upTo = isWhole ? `${name} by then ` : `${name} from ${dayText(before.oldest)} on `;
  const change = isWhole && bytes > 0 && thisMonth !== null ? ` (${changeText(thisMonth / bytes - 1)})` : '';
  return [span(upTo, 'dim'), span(formatAmount(bytes, units).trim()), span(change, 'dim')];
}

function changeText(change: number): string {
  if (change > 9.99) return `${Math.round(change + 1)} times`;
  const percent = Math.round(change * 100);
  return percent === 0 ? 'the same' : `${percent > 0 ? '+' : '-'}${Math.abs(percent)} %`;
}

/** RX+TX of an answer; null where nothing was recorded by its end. */
function totalOf(result: HistoryResult | null): number | null {
  if (result === null || result.oldest === null || result.oldest >= result.query.to) return null;
  return result.total.rxBytes + result.total.txBytes;
}

/** RX+TX of days that begin in a range; null where nothing was recorded by then, 0 only where something was. */
function sumBetween(days: HistoryResult | null, from: number, to: number): number | null {
  if (days === null || days.oldest === null || days.oldest >= to) return null;
  let sum = 0;
  for (const row of days.rows) if (row.start !== null && row.start >= from && row.start < to) sum += row.rxBytes + row.txBytes;
  return sum;
}

function budgetParts(state: ViewState, live: Snapshot, glyphs: Glyphs): readonly Part[] | null {
  const { plan } = state.history;
  if (plan === null) return null;
  const amount = (bytes: number): string => formatAmount(bytes, plan.units).trim();
  const where = plan.interface === null ? '' : ` on ${drawable(plan.interface, glyphs)}`;
  const head: Span = span(`budget${where} `, 'dim');
  const standing = budgetStatusNow(state.history, live);
  if (standing === null)
    return [{ rank: 1, line: [head, span(amount(plan.bytes)), span(', but not recording: nothing to compare it with', 'dim')] }];
  const { share, left, over, used, expected, emptyAt, from, to, since } = standing;
  const role: Role = over > 0 ? 'error' : share >= BUDGET_NEAR ? 'warn' : 'text';
  const bar = barText(share, BAR_CELLS, glyphs);
  const partly = since >= stepped('day', from, 1) ? 'at least ' : '';
  return [
    { rank: 5, line: [head, span(bar.full, role), span(bar.empty, 'dim')] },
    {
      rank: 1,
      line: [
        span(`${plan.interface === null ? 'used ' : `${drawable(plan.interface, glyphs)} used `}`, 'dim'),
        span(`${partly}${amount(used)} of ${amount(plan.bytes)}, ${formatShare(share)}`, role),
      ],
    },
    { rank: 2, line: [span(over > 0 ? `OVER by ${amount(over)}` : `left ${amount(left)}`, over > 0 ? 'error' : 'text')] },
    { rank: 3, line: endText(standing, plan.bytes, amount, expected, emptyAt) },
    { rank: 4, line: [span(`${dayText(from)} - ${dayText(stepped('day', to, -1))}`, 'dim')] },
    ...(partly === '' ? [] : [{ rank: 6, line: [span(`recorded from ${dateText(since)} on`, 'dim')] }]),
  ];
}

/** Where it will end at this pace. */
function endText(
  { over }: BudgetStatus,
  allowed: number,
  amount: (bytes: number) => string,
  expected: number | null,
  emptyAt: number | null,
): Line {
  if (expected === null) return [span('forecast: too early to tell', 'dim')];
  const end = `ends at ${amount(expected)}`;
  if (over > 0) return [span(`${end} at this pace`, 'error')];
  if (expected <= allowed || emptyAt === null) return [span(`${end} at this pace`, 'text')];
  return [span(`${end} at this pace, used up on ${dayText(emptyAt)}`, 'warn')];
}

/** What is known of the opened app besides its traffic. */
function appParts({ history, privacy }: ViewState, glyphs: Glyphs, width: number): readonly Part[] {
  const times = firstTimes(history);
  const seen = times?.app ?? null;
  const exe = resultOf(history, 'apps')?.rows.find((row) => row.key === history.page?.name)?.detail ?? null;
  const path = exe === null ? '' : privacy ? glyphs.masked.repeat(6) : cut(drawable(exe, glyphs), width - 50, glyphs, 'start');
  return [
    {
      rank: 1,
      line: [span('first seen ', 'dim'), span(seen === null ? glyphs.unknown : formatDateTime(seen).slice(0, 16), 'accent')],
    },
    ...(times === null
      ? []
      : [
          {
            rank: 2,
            line: [
              span(`${formatGrouped(times.domains.size)}${times.isCut ? '+' : ''} `),
              span(times.domains.size === 1 ? 'domain so far' : 'domains so far', 'dim'),
            ],
          },
        ]),
    ...(path === '' ? [] : [{ rank: 3, line: [span(path, 'dim')] }]),
  ];
}

function recordingParts(state: ViewState, live: Snapshot, glyphs: Glyphs, keys: KeyTable, width: number): readonly Part[] {
  const status = (state.paused ?? live).capture.history;
  const oldest = resultOf(state.history, 'chart')?.oldest ?? resultOf(state.history, 'days')?.oldest ?? null;
  const since: Part[] = oldest === null ? [] : [{ rank: 4, line: [span(`records since ${dateText(oldest)}`, 'dim')] }];
  if (live.machines !== undefined) return since; // each records itself
  if (status === null) {
    const key = whyNotRecorded(state.history, live) === null ? commandLabel(keys, 'save-history') : '';
    // Where nothing is recorded at all, the chart says how to begin.
    const how = oldest === null || key === '' ? '' : `: ${key} records from now on`;
    return [{ rank: 1, line: [span('not recording', 'dim'), span(how, 'dim')] }, ...since];
  }
  const place: Part = {
    rank: 5,
    line: [span(state.privacy ? glyphs.masked.repeat(6) : drawable(status.path, glyphs), 'dim')],
  };
  // Whoever records knows how the file stands: of another's nothing is said.
  if (status.state === 'busy') return [{ rank: 1, line: [span(drawable(status.note, glyphs), 'dim')] }, ...since, place];
  const [words, role]: [string, Role] = status.state === 'recording' ? ['recording', 'text'] : ['NOT RECORDED NOW', 'error'];
  const note = cut(drawable(status.note, glyphs), width - 6 - words.length, glyphs);
  const parts: Part[] = [{ rank: 1, line: [span(words, role)] }];
  if (note !== '') parts.push({ rank: 2, line: [span(note, 'warn')] });
  if (status.fileBytes !== null) {
    const written = status.savedAt === null ? '' : ` written ${timeText(status.savedAt)}`;
    parts.push({
      rank: 3,
      line: [span('file ', 'dim'), span(formatAmount(status.fileBytes, state.units).trim()), span(written, 'dim')],
    });
  } else if (status.state === 'recording') parts.push({ rank: 3, line: [span('file not written yet', 'dim')] });
  return [...parts, ...since, place];
}
