// Builds a report's page: one self-contained file that can't load anything. Its policy allows one style and one script, by their hashes.

import { createHash } from 'node:crypto';
import { foldedIn, type HistoryResult, type HistoryRow } from '../../model/history.ts';
import type { UnitMode } from '../../model/options.ts';
import { counted } from '../../net/counted.ts';
import { dayStarts, weekdayDate } from '../../view/text/calendar.ts';
import { formatDateTime, formatGrouped, formatShare } from '../../view/text/format.ts';
import { calendar, calendarNote } from './calendar.ts';
import { type ChartBar, type ChartFrame, timeChart } from './chart.ts';
import { html, Markup } from './html.ts';
import type { ReportFacts } from './report-facts.ts';
import { STYLE } from './style.ts';
import { alertTable, amount, dayTable, momentText, newDomains, topTable } from './tables.ts';

/** What the page says about itself. */
interface PageFacts {
  readonly version: string;
  /** When it was made, epoch ms. */
  readonly made: number;
  readonly units: UnitMode;
}

const KINDS = ['wide', 'narrow'] as const;
const DAY_MS = 86_400_000;

/** The whole page as text. */
export function reportPage(facts: ReportFacts, about: PageFacts): string {
  const { range, apps, domains, categories, interfaces, days, calendar: perApp, firstSeen, alerts } = facts;
  const { units } = about;
  const until = Math.min(range.to, about.made);
  const title = `Network report, ${minute(range.from)} to ${minute(until)}`;
  const policy = `default-src 'none'; style-src '${hashOf(STYLE)}'; script-src '${hashOf(SORT_SCRIPT)}'; base-uri 'none'; form-action 'none'`;
  const allDays = dayStarts(Math.max(range.from, apps.oldest ?? 0), until);
  const page = html`${new Markup('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<header>
<h1>Network report</h1>
<p>${minute(range.from)} to ${minute(until)}, local time</p>
<p>${recordedText(apps)}</p>
</header>
<main>
${tiles(facts, units)}
<section>
<div class="head"><h2>Traffic over time</h2><p class="key"><span>Received</span><span class="sent">Sent</span></p></div>
${overTime(facts, units)}
</section>
${days.rows.length > 1 && facts.series !== null && byDay(facts, units)}
<div class="two">
<div>
<section><h2>Apps</h2>${topTable(apps, 'App', units)}</section>
<section><h2>Categories</h2>${topTable(categories, 'Category', units)}</section>
</div>
<div>
<section><h2>Domains</h2>${topTable(domains, 'Domain', units)}</section>
<section><h2>Interfaces</h2>${topTable(interfaces, 'Interface', units)}</section>
</div>
</div>
${
  perApp.length > 0 &&
  allDays.length > 1 &&
  html`<section>
<div class="head"><h2>Calendar</h2>${calendarKey()}</div>
<p class="note above">${calendarNote(allDays.length)}</p>
${KINDS.map((kind) => calendar(perApp, allDays, kind, units))}
</section>`
}
<section>
<h2>Alerts</h2>
${alerts.length === 0 ? html`<p>None in this range.</p>` : alertTable(alerts)}
</section>
<section>
<h2>Seen for the first time</h2>
${
  firstSeen.length === 0
    ? html`<p>No app reached a domain for the first time.</p>`
    : html`<p>Domains that an app had never reached before, as far back as the records go.${
        (apps.oldest ?? 0) > range.from && ' Recording began within this range, so all of them are new.'
      }</p>
${newDomains(firstSeen)}`
}
</section>
<section>
<h2>Days in figures</h2>
${dayTable(days, weekdayDate, units)}
</section>
</main>
<footer>Made by netmon-tui ${about.version} on ${minute(about.made)}. Bytes are counted at the network layer, received and sent as seen by this machine. This page loads nothing.</footer>
<script>${new Markup(SORT_SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function minute(time: number): string {
  return formatDateTime(time).slice(0, 16);
}

function recordedText({ query, oldest, newest, resolutionMs }: HistoryResult): string {
  const step = resolutionMs < 3_600_000 ? 'minute' : resolutionMs < DAY_MS ? 'hour' : 'day';
  const parts = [`Kept by the ${step}`];
  if (oldest !== null && oldest > query.from) parts.push(`nothing recorded before ${minute(oldest)}`);
  if (newest !== null && newest + 900_000 < query.to) parts.push(`last recorded ${minute(newest)}`);
  return `${parts.join('; ')}.`;
}

function tiles({ range, apps, days, before, domains }: ReportFacts, units: UnitMode): Markup {
  const { rxBytes, txBytes, flows } = apps.total;
  const length = Math.round((range.to - range.from) / 60_000) * 60_000;
  const count = length % DAY_MS < 120_000 ? Math.floor(length / DAY_MS) : 0;
  const span = count > 1 ? `the ${count} days` : count === 1 ? 'the day' : 'the time';
  const sum = (row: HistoryRow) => row.rxBytes + row.txBytes;
  const busiest = days.rows.reduce<HistoryRow | null>((most, row) => (most === null || sum(row) > sum(most) ? row : most), null);
  const tile = (
    name: string,
    value: string,
    small: string,
  ) => html`<dl><dt>${name}</dt><dd class="big">${value}</dd><dd class="small">${small}</dd></dl>
`;
  const day = busiest?.start ?? null;
  return html`<section class="tiles" aria-label="Totals">
${tile('Received', amount(rxBytes, units), change(rxBytes, before?.total.rxBytes, span))}${tile('Sent', amount(txBytes, units), change(txBytes, before?.total.txBytes, span))}${tile(
  'Connections',
  formatGrouped(flows),
  `${countOf(apps, 'app')}, ${countOf(domains, 'domain')}`,
)}${tile('Busiest day', day === null ? '–' : weekdayDate(day), busiest === null ? '' : amount(sum(busiest), units))}</section>`;
}

/** Number of names, including those summed up in one row (`12 more`). */
function countOf({ rows }: HistoryResult, noun: string): string {
  return counted(
    rows.reduce((sum, row) => sum + (row.key === null ? foldedIn(row) : 1), 0),
    noun,
  );
}

/** @param span the previous range, in words */
function change(now: number, before: number | undefined, span: string): string {
  if (before === undefined) return `${span} before: not recorded`;
  if (before <= 0) return `none in ${span} before`;
  const share = now / before - 1;
  if (Math.abs(share) < 0.005) return `as in ${span} before`;
  const text =
    share >= 2
      ? `${(share + 1).toFixed(share >= 9 ? 0 : 1)} times`
      : `${formatShare(Math.abs(share))} ${share > 0 ? 'more than' : 'less than'}`;
  return `${text} ${span} before`;
}

function overTime({ series, days, range }: ReportFacts, units: UnitMode): Markup {
  if (series === null) return dayCharts('time', 'Traffic by day', days, range.from, range.to, units);
  const { from, stepMs, rxBytes, txBytes } = series;
  const bars = rxBytes.map((rx, at) => {
    const begin = from + at * stepMs;
    const tx = txBytes[at] ?? 0;
    return { from: begin, to: begin + stepMs, rxBytes: rx, txBytes: tx, label: barLabel(momentText(begin), rx, tx, units) };
  });
  return charts('time', 'Traffic over time', bars, { from, to: from + rxBytes.length * stepMs }, units);
}

function byDay({ days, range }: ReportFacts, units: UnitMode): Markup {
  return html`<section>
<div class="head"><h2>By day</h2><p class="key"><span>Received</span><span class="sent">Sent</span></p></div>
${dayCharts('days', 'Traffic by day', days, range.from, range.to, units)}
</section>`;
}

function dayCharts(id: string, title: string, days: HistoryResult, from: number, to: number, units: UnitMode): Markup {
  const all = dayStarts(Math.max(from, days.oldest ?? from), to);
  const [first = from] = all;
  const last = new Date(all.at(-1) ?? from);
  const end = new Date(last.getFullYear(), last.getMonth(), last.getDate() + 1).getTime();
  const bars = days.rows.flatMap(({ start, rxBytes, txBytes }): ChartBar[] => {
    if (start === null) return [];
    const next = all.find((day) => day > start) ?? end;
    return [{ from: start, to: next, rxBytes, txBytes, label: barLabel(weekdayDate(start), rxBytes, txBytes, units) }];
  });
  return charts(id, title, bars, { from: first, to: end }, units);
}

function barLabel(when: string, rx: number, tx: number, units: UnitMode): string {
  return `${when}: received ${amount(rx, units)}, sent ${amount(tx, units)}`;
}

function charts(
  id: string,
  title: string,
  bars: readonly ChartBar[],
  { from, to }: { from: number; to: number },
  units: UnitMode,
): Markup {
  const most = bars.reduce<ChartBar | null>(
    (top, bar) => (top === null || bar.rxBytes + bar.txBytes > top.rxBytes + top.txBytes ? bar : top),
    null,
  );
  const description = `Received above the axis, sent below, on one scale.${most === null ? '' : ` Most: ${most.label}.`}`;
  const frame: Omit<ChartFrame, 'kind'> = { id, title, description, from, to, units, named: id === 'days' };
  return html`${KINDS.map((kind) => timeChart(bars, { ...frame, kind }))}`;
}

function calendarKey(): Markup {
  const fields = [0, 1, 2, 3, 4, 5].map(
    (level) => html`<rect class="l${level}" x="${level * 15}" width="13" height="14" rx="3"/>`,
  );
  return html`<p class="scale">less <svg viewBox="0 0 88 14" aria-hidden="true">${fields}</svg> more</p>`;
}

/** Runs in the browser: a click on a heading sorts the table. It only changes the order of rows. */
const SORT_SCRIPT = `
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') === 'descending';
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const sign = up ? 1 : -1;
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return sign * (x !== '' && y !== '' && isFinite(x) && isFinite(y) ? x - y : x.localeCompare(y));
      });
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      body.append(...rows);
    });
  });
}
`;
