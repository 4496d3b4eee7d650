// Draws a report's tables: top lists with a bar under each name, days, and domains that apps reached for the first time.

import type { FirstSeen } from '../../history/query/pages.ts';
import type { RecordedAlert } from '../../model/alert.ts';
import type { HistoryResult, HistoryRow } from '../../model/history.ts';
import type { UnitMode } from '../../model/options.ts';
import { counted } from '../../net/counted.ts';
import { timeText, weekdayDate } from '../../view/text/calendar.ts';
import { formatAmount, formatGrouped, formatShare } from '../../view/text/format.ts';
import { outcomeOf } from '../history/alerts.ts';
import { round } from './chart.ts';
import { html, Markup } from './html.ts';

const GROUP_ROWS = 60;
const GROUPS = 40;
/** With up to this many domains, all groups are open. */
const OPEN_ROWS = 30;

/** A sortable table of an answer's rows. @param noun what a row is */
export function topTable(answer: HistoryResult, noun: string, units: UnitMode): Markup {
  const { rows, total } = answer;
  const all = total.rxBytes + total.txBytes;
  const most = Math.max(1, ...rows.map((row) => row.rxBytes + row.txBytes));
  const line = (row: HistoryRow) => {
    const bytes = row.rxBytes + row.txBytes;
    return html`<tr><td>${nameOf(row)}${shareBar(row, most)}</td><td data-v="${row.rxBytes}">${amount(row.rxBytes, units)}</td><td data-v="${row.txBytes}">${amount(row.txBytes, units)}</td><td data-v="${bytes}">${all > 0 ? formatShare(bytes / all) : '–'}</td></tr>
`;
  };
  return html`<table class="sortable">
<caption>Most bytes first; a bar is received, then sent.</caption>
<thead><tr><th scope="col">${noun}</th><th scope="col">Received</th><th scope="col">Sent</th><th scope="col" aria-sort="descending">Share</th></tr></thead>
<tbody>
${rows.map(line)}</tbody>
</table>`;
}

/** Days with their totals: the figures behind the charts. */
export function dayTable(days: HistoryResult, label: (time: number) => string, units: UnitMode): Markup {
  const line = (row: HistoryRow) =>
    html`<tr><td data-v="${row.start ?? 0}"><bdi>${row.start === null ? (row.reason ?? '–') : label(row.start)}</bdi></td><td data-v="${row.rxBytes}">${amount(row.rxBytes, units)}</td><td data-v="${row.txBytes}">${amount(row.txBytes, units)}</td><td data-v="${row.flows}">${formatGrouped(row.flows)}</td></tr>
`;
  return html`<table class="sortable">
<caption>Days in local time.</caption>
<thead><tr><th scope="col">Day</th><th scope="col">Received</th><th scope="col">Sent</th><th scope="col">Connections</th></tr></thead>
<tbody>
${days.rows.map(line)}</tbody>
</table>`;
}

/** Alerts, newest first. */
export function alertTable(alerts: readonly RecordedAlert[]): Markup {
  const line = (alert: RecordedAlert) =>
    html`<tr><td class="said">${alert.text}${[...alert.details, ...outcomeOf(alert)].map((detail) => html`<span class="why">${detail}</span>`)}</td><td>${alert.severity}</td><td data-v="${alert.time}"><time datetime="${new Date(alert.time).toISOString()}">${momentText(alert.time)}</time></td></tr>
`;
  return html`<table class="sortable">
<caption>Newest first.</caption>
<thead><tr><th scope="col">What</th><th scope="col">Severity</th><th scope="col" aria-sort="descending">Time</th></tr></thead>
<tbody>
${[...alerts].reverse().map(line)}</tbody>
</table>`;
}

/** New domains by app, apps with the most first. */
export function newDomains(seen: readonly FirstSeen[]): Markup {
  const byApp = new Map<string, FirstSeen[]>();
  for (const one of seen) byApp.set(one.app, [...(byApp.get(one.app) ?? []), one]);
  const groups = [...byApp].sort(([, a], [, b]) => b.length - a.length);
  const group = ([app, list]: readonly [string, readonly FirstSeen[]]) => {
    const items = [...list]
      .sort((a, b) => b.time - a.time)
      .slice(0, GROUP_ROWS)
      .map(
        ({ domain, time }) =>
          html`<li><bdi>${domain}</bdi> <time datetime="${new Date(time).toISOString()}">${momentText(time)}</time></li>
`,
      );
    const rest = list.length - items.length;
    return html`<details${seen.length <= OPEN_ROWS && new Markup(' open')}><summary><bdi>${app}</bdi> <span class="count">${list.length}</span></summary>
<ul>
${items}${rest > 0 && html`<li><span class="why">and ${rest} more</span></li>`}</ul></details>
`;
  };
  const left = groups.length - GROUPS;
  return html`${groups.slice(0, GROUPS).map(group)}${left > 0 && html`<p class="note">and ${counted(left, 'more app')}</p>`}`;
}

/** `Tue 17 Nov 14:05`. */
export function momentText(time: number): string {
  return `${weekdayDate(time)} ${timeText(time)}`;
}

/** An amount for running text. */
export function amount(bytes: number, units: UnitMode): string {
  return formatAmount(bytes, units).trim();
}

function nameOf({ key, reason }: HistoryRow): Markup {
  return key === null ? html`<bdi class="why">${reason ?? 'unknown'}</bdi>` : html`<bdi>${key}</bdi>`;
}

function shareBar(row: HistoryRow, most: number): Markup {
  const rx = round((Math.max(0, row.rxBytes) / most) * 100);
  const tx = round((Math.max(0, row.txBytes) / most) * 100);
  return html`<svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="rx" width="${rx}" height="4"/><rect class="tx" x="${rx}" width="${tx}" height="4"/></svg>`;
}
