// The header: what is watched and how, the rates now, the totals, what was lost, and what the user did to the picture.

import type { Alert } from '../../model/alert.ts';
import type { ExportStatus } from '../../model/export.ts';
import type { KeptStatus } from '../../model/packets.ts';
import { nobodyWarning } from '../../model/privileges.ts';
import type { Gap, Snapshot } from '../../model/snapshot.ts';
import { counted } from '../../net/counted.ts';
import { type Picture, pictureOf } from '../derive.ts';
import { BUDGET_NEAR } from '../history/budget.ts';
import { budgetStatusNow } from '../history/state.ts';
import { showsLite } from '../layout.ts';
import { fitLine, fitParts, spread } from '../pane.ts';
import type { ViewState } from '../state.ts';
import { recentlySeenOf } from '../tables/recently-seen.ts';
import { cut, drawable } from '../text/cells.ts';
import { diagnosisText, isWide } from '../text/diagnosis.ts';
import { isAsked, isBehind } from '../text/exports.ts';
import {
  AMOUNT_WIDTH,
  formatAmount,
  formatClock,
  formatCount,
  formatDuration,
  formatGrouped,
  formatRate,
  formatShare,
  RATE_WIDTH,
} from '../text/format.ts';
import type { Glyphs } from '../text/glyphs.ts';
import { type Line, type Role, type Span, span } from '../text/span.ts';
import { notCaptured } from '../traffic.ts';
import { rangeMark } from './chart.ts';

/** Share of what the interfaces counted that may be missing before the header warns. */
const MISSED = 0.02;

interface Part {
  readonly rank: number;
  readonly line: Line;
}

/**
 * What is wrong now, one line, '' when nothing is: what is wrong with the network as a whole, then the capture's own note, which may stay for all of a
 * run, or else a range that was not measured. Without any, up to the first key, what it costs to run as nobody.
 */
export function noteOf(state: ViewState, live: Snapshot): string {
  const { capture, gaps, diagnoses } = state.paused ?? live;
  const wide = diagnoses.find(isWide);
  const notes = [
    wide === undefined ? '' : diagnosisText(wide, (text) => (state.privacy ? 'hidden' : text)),
    capture.note === '' ? gapNote(gaps.at(-1)) : capture.note,
  ].filter((note) => note !== '');
  return notes.length > 0 || state.begun ? notes.join('; ') : nobodyWarning(capture.privileges);
}

function gapNote(gap: Gap | undefined): string {
  if (gap === undefined) return '';
  return `not measured for ${formatDuration(gap.to - gap.from)}: ${gap.reason}${gap.detail === '' ? '' : `, ${gap.detail}`}`;
}

/** Draws the header: two lines, the tabs where there is room for them, and what is wrong, if anything is. */
export function headerPanel(
  state: ViewState,
  live: Snapshot,
  glyphs: Glyphs,
  width: number,
  tabs: Line | null = null,
): readonly Line[] {
  const picture = pictureOf(state, live);
  const note = noteOf(state, live);
  const lines = [
    spread(
      fitParts(sourceParts(picture, state, glyphs), Math.max(12, width - 40), 1),
      ratesNow(picture, state, glyphs, width),
      width,
      glyphs,
    ),
    fitParts(
      showsLite(state)
        ? [...stateParts(state, live, glyphs), ...verdict(picture, glyphs)]
        : [...stateParts(state, live, glyphs), ...totalParts(picture, state, glyphs), ...lossParts(picture, glyphs)],
      width,
      2,
    ),
  ].map((line) => fitLine(line, width, glyphs));
  if (tabs !== null) lines.push(tabs);
  if (note !== '') lines.push(fitLine([span(` ! ${drawable(note, glyphs)}`, 'warn')], width, glyphs));
  return lines;
}

function sourceParts(picture: Picture, state: ViewState, glyphs: Glyphs): readonly Part[] {
  const { capture } = picture.snapshot;
  const where = capture.file === null ? capture.interfaces.join(',') : state.privacy ? glyphs.masked.repeat(6) : capture.file;
  const fallback: Span[] = capture.fallbacks.length > 0 ? [span(' (fallback: c)', 'warn')] : [];
  return [
    { rank: 4, line: [span(' netmon-tui', 'title')] },
    { rank: 1, line: [span(` ${cut(drawable(where === '' ? glyphs.unknown : where, glyphs), 24, glyphs)}`, 'accent')] },
    { rank: 2, line: [span(`${glyphs.separator} ${drawable(capture.driver, glyphs)}`, 'text'), ...fallback] },
    {
      rank: 3,
      line: [
        span(`${glyphs.separator} owners by `, 'dim'),
        span(drawable(capture.attribution, glyphs), capture.attribution === 'none' ? 'warn' : 'text'),
      ],
    },
    ...machinesPart(picture.snapshot, state, glyphs),
    ...(capture.reverseDns ? [{ rank: 2, line: [span(`${glyphs.separator} `, 'dim'), span('asks DNS', 'warn')] }] : []),
    ...keeps(picture.snapshot, glyphs),
    ...writes(picture.snapshot, state, glyphs),
    ...outside('alerts to', capture.delivery?.host ?? null, state, glyphs),
    ...outside('exports to', exportsTo(capture.exports), state, glyphs),
    ...outside('metrics at', metricsAt(capture.exports), state, glyphs),
  ];
}

/** Which machines are shown, and how many of them are not live. */
function machinesPart({ machines = [] }: Snapshot, { privacy }: ViewState, glyphs: Glyphs): readonly Part[] {
  if (machines.length === 0) return [];
  const [only] = machines;
  const name = only === undefined || privacy ? glyphs.masked.repeat(6) : cut(drawable(only.name, glyphs), 24, glyphs);
  const bad = (['connecting', 'late', 'lost'] as const).flatMap((state): Span[] => {
    const count = machines.filter((machine) => machine.state === state).length;
    if (count === 0) return [];
    return [span(machines.length === 1 ? ` ${state}` : `, ${count} ${state}`, state === 'connecting' ? 'dim' : 'warn')];
  });
  const text = machines.length === 1 ? name : counted(machines.length, 'machine');
  return [{ rank: 1, line: [span(`${glyphs.separator} `, 'dim'), span(text, 'accent'), ...bad] }];
}

/** How far kept packets go back. */
function keeps({ time, capture: { kept } }: Snapshot, glyphs: Glyphs): readonly Part[] {
  if (kept === null) return [];
  const back = kept.since === null ? 0 : time - kept.since;
  return [{ rank: 6, line: [span(`${glyphs.separator} keeps `, 'dim'), span(formatDuration(back), 'text')] }];
}

/** How much a capture file has; that it has no more is a mark of its own. */
function writes({ capture: { writing } }: Snapshot, { units }: ViewState, glyphs: Glyphs): readonly Part[] {
  if (writing?.state !== 'writing') return [];
  const lost: Span[] = writing.lost === 0 ? [] : [span(`, ${formatGrouped(writing.lost)} lost`, 'warn')];
  const size = span(formatAmount(writing.bytes, units).trim(), 'text');
  return [{ rank: 5, line: [span(`${glyphs.separator} writes `, 'dim'), size, ...lost] }];
}

/** Where records go, and to how many more places. */
function exportsTo(status: ExportStatus | null): string | null {
  const sent = (status?.engines ?? []).filter((engine) => !isAsked(engine));
  const [first, ...others] = [...new Set(sent.map(({ to }) => to))];
  if (first === undefined) return null;
  return others.length === 0 ? first : `${first} +${others.length}`;
}

/** Where Prometheus may ask; null if it can't. */
function metricsAt(status: ExportStatus | null): string | null {
  return status?.engines.find((engine) => isAsked(engine) && engine.failure === null)?.to ?? null;
}

/** An address at which the program talks to others by itself. @param what with the word before it */
function outside(what: string, host: string | null, state: ViewState, glyphs: Glyphs): readonly Part[] {
  if (host === null) return [];
  const shown = state.privacy ? glyphs.masked.repeat(6) : cut(drawable(host, glyphs), 24, glyphs);
  return [{ rank: 5, line: [span(`${glyphs.separator} ${what} `, 'dim'), span(shown, 'text')] }];
}

function ratesNow(picture: Picture, state: ViewState, glyphs: Glyphs, width: number): Line {
  const { total, snapshot } = picture;
  const rate = (value: number): string =>
    snapshot.seq < 0 ? glyphs.unknown.padStart(RATE_WIDTH) : formatRate(value, state.units);
  const clock: Span[] = width >= 60 ? [span(`  ${formatClock(snapshot.time)} `, 'dim')] : [];
  return [span(`${glyphs.rx} ${rate(total.rxRate)}`, 'rx'), span(` ${glyphs.tx} ${rate(total.txRate)}`, 'tx'), ...clock];
}

function stateParts(state: ViewState, live: Snapshot, glyphs: Glyphs): readonly Part[] {
  const parts: Part[] = [];
  const mark = (text: string, role: Role) => parts.push({ rank: 0, line: [span(` ${text} `, role)] });
  if (state.paused !== null) mark(`PAUSED ${formatDuration(live.time - state.paused.time)}, still capturing`, 'paused');
  if (state.filter.filter !== null) mark(filterMark(state, live), 'filtered');
  const range = rangeMark(state);
  if (range !== null) mark(range, 'filtered');
  if (state.since !== null && range === null) mark(`since ${formatClock(state.since.time)}`, 'accent');
  if (state.privacy) mark('private', 'accent');
  const [followed, ...others] = state.followed;
  if (followed !== undefined)
    mark(
      others.length > 0 || state.privacy
        ? `following ${counted(others.length + 1, 'session')}`
        : `following ${cut(drawable(followed.name, glyphs), 16, glyphs)} ${followed.pid}`,
      'accent',
    );
  const unseen = unseenAlerts(state, live);
  if (unseen.length > 0) {
    const isCritical = unseen.some(({ severity }) => severity === 'critical');
    mark(counted(unseen.length, 'alert'), isCritical ? 'error' : 'warn');
  }
  if (live.capture.history?.state === 'failing') mark('NOT RECORDED', 'error');
  const { delivery, exports, kept, writing } = live.capture;
  if (writing?.state === 'failed') mark('NOT WRITTEN', 'error');
  if (kept?.writing?.state === 'writing') mark(writingMark(kept.writing, live, state, glyphs), 'accent');
  if (delivery?.channels.some(({ failure }) => failure !== null) === true) mark('alerts not delivered', 'warn');
  const engines = exports?.engines ?? [];
  const isNotExported = exports !== null && !exports.isLeft && engines.every(isAsked) && exports.note !== '';
  if (exports?.isLeft === false && engines.some((one) => !isAsked(one) && isBehind(one))) mark('exports behind', 'warn');
  else if (isNotExported) mark('NOT EXPORTED', 'warn');
  if (engines.some((one) => isAsked(one) && isBehind(one))) mark('metrics not served', 'warn');
  const budget = state.history.plan === null ? null : budgetStatusNow(state.history, live);
  if (budget !== null && budget.over > 0) mark(`OVER BUDGET ${formatShare(budget.share)}`, 'error');
  else if (budget !== null && budget.share > BUDGET_NEAR) mark(`budget ${formatShare(budget.share)}`, 'warn');
  return parts;
}

/** Packets that are being written, and for how long. */
function writingMark(
  { what, bytes, since }: NonNullable<KeptStatus['writing']>,
  live: Snapshot,
  { privacy }: ViewState,
  glyphs: Glyphs,
): string {
  const about = privacy ? 'packets' : cut(drawable(what, glyphs), 24, glyphs);
  return `WRITING ${about} ${formatAmount(bytes, 'bytes').trim()} ${formatDuration(live.time - (since ?? live.time))}`;
}

/** Alerts that are delivered, and that the user hasn't seen in the events view. */
function unseenAlerts({ alertsSeen }: ViewState, { alerts }: Snapshot): readonly Alert[] {
  return alerts.filter(({ held, time }) => held === null && time > alertsSeen);
}

/** How the totals of a filter were counted. */
function filterMark(state: ViewState, live: Snapshot): string {
  if (state.chart.selection !== null) return 'filtered';
  const { counted, snapshot } = pictureOf(state, live);
  if (counted === null) return snapshot.seq < 0 ? 'filtered' : 'filtered (listed)';
  return counted.completeSince === null ? 'filtered' : `filtered, complete since ${formatClock(counted.completeSince)}`;
}

function totalParts(picture: Picture, state: ViewState, glyphs: Glyphs): readonly Part[] {
  const { total, snapshot } = picture;
  const amount = (value: number): string =>
    snapshot.seq < 0 ? glyphs.unknown.padStart(AMOUNT_WIDTH) : formatAmount(value, state.units);
  const packets = total.rxPackets + total.txPackets;
  const began = state.since?.time ?? snapshot.started;
  return [
    {
      rank: 1,
      line: [
        span(' total ', 'dim'),
        span(`${glyphs.rx} ${amount(total.rxBytes)}`, 'text'),
        span(` ${glyphs.tx} ${amount(total.txBytes)}`, 'text'),
      ],
    },
    // A range of the past says how long it is.
    ...(state.chart.selection === null
      ? [{ rank: 6, line: [span(`in ${formatDuration(snapshot.time - began)}`, 'dim')] as Line }]
      : []),
    {
      rank: 5,
      line: [
        span(Number.isNaN(packets) ? glyphs.unknown : formatCount(packets), 'text'),
        span(packets === 1 ? ' packet' : ' packets', 'dim'),
      ],
    },
  ];
}

/** Share of what the counted interfaces counted themselves that was not captured; unknown where their counters can't be trusted. */
function coverage(picture: Picture, glyphs: Glyphs): Line {
  const { countedFrameBytes: frameBytes, countedInterfaceBytes: interfaceBytes, countedNote, file } = picture.snapshot.capture;
  if (file !== null) return [];
  const missed = notCaptured(frameBytes, interfaceBytes);
  if (interfaceBytes === null && countedNote !== '') return [span('not captured ', 'dim'), span('unknown', 'text')];
  if (missed === null) return [span('not captured ', 'dim'), span(glyphs.unknown, 'dim')];
  return [span('not captured ', 'dim'), span(formatShare(missed), missed > MISSED ? 'warn' : 'text')];
}

/** The lite screen's line: whether the figures can be trusted, in a sentence, and what is new. */
function verdict(picture: Picture, glyphs: Glyphs): readonly Part[] {
  const { capture, seq } = picture.snapshot;
  const missed = notCaptured(capture.countedFrameBytes, capture.countedInterfaceBytes);
  const lost: Span[] = [];
  const warn = (text: string): void => {
    lost.push(span(`${lost.length > 0 ? ', ' : ' '}${text}`, 'warn'));
  };
  if (capture.dropped !== null && capture.dropped > 0) warn(`${formatCount(capture.dropped)} dropped by the kernel`);
  if (capture.shed > 0) warn(`${formatCount(capture.shed)} dropped by netmon-tui`);
  if (missed !== null && missed > MISSED) warn(`${formatShare(missed)} not captured`);
  const isUnknown = capture.dropped === null || (missed === null && capture.file === null);
  const quiet =
    seq < 0 ? 'waiting for the first packets' : isUnknown ? 'nothing known to be lost' : 'everything captured, nothing dropped';
  const { apps, domains } = recentlySeenOf(picture.snapshot);
  const fresh = [...apps, ...domains].map((name) => drawable(name, glyphs));
  return [
    { rank: 1, line: lost.length > 0 ? lost : [span(` ${quiet}`, 'text')] },
    ...(fresh.length === 0 ? [] : [{ rank: 2, line: [span('new: ', 'dim'), span(cut(fresh.join(', '), 40, glyphs), 'accent')] }]),
  ];
}

/** What was dropped, by whom once there is anything, and what has no owner, at zero too. Unknown is not zero. */
function lossParts(picture: Picture, glyphs: Glyphs): readonly Part[] {
  const { capture } = picture.snapshot;
  const seen = (capture.packets ?? 0) + (capture.dropped ?? 0) + capture.shed;
  const loss = (name: string, count: number | null): Span[] => {
    if (count === null) return [span(`${name} `, 'dim'), span(glyphs.unknown, 'dim')];
    const share = count > 0 && seen > 0 ? ` (${formatShare(count / seen)})` : '';
    return [span(`${name} `, 'dim'), span(`${formatCount(count)}${share}`, count > 0 ? 'warn' : 'text')];
  };
  const parts: Part[] = [
    { rank: 3, line: coverage(picture, glyphs) },
    { rank: 2, line: loss((capture.dropped ?? 0) + capture.shed > 0 ? 'dropped by the kernel' : 'dropped', capture.dropped) },
    ...(capture.shed > 0 ? [{ rank: 3, line: loss('dropped by netmon-tui', capture.shed) }] : []),
  ];
  const { unownedBytes, rxBytes, txBytes } = picture.total;
  const bytes = rxBytes + txBytes;
  const unowned = unownedBytes === null || bytes === 0 ? glyphs.unknown : formatShare(unownedBytes / bytes);
  parts.push({
    rank: 4,
    line: [span('unowned ', 'dim'), span(unowned, unownedBytes !== null && unownedBytes > bytes * 0.2 ? 'warn' : 'text')],
  });
  return parts;
}
