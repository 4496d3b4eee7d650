// What a delivery says: one alert, or a digest of several. Outside text stays data here; each delivery escapes it for its receiver.

import { SEVERITIES, type Severity } from '../model/alert.ts';
import { counted } from '../net/counted.ts';
import type { AlertFields } from './protocol.ts';

/** Most alerts in the JSON of a digest, and most sentences in its text. */
const MOST_LISTED = 50;
const MOST_SENTENCES = 8;

/** One message. */
export interface Message {
  /** As they came. */
  readonly alerts: readonly AlertFields[];
  /** Time of its newest alert, epoch ms. */
  readonly time: number;
  /** The highest of its alerts. */
  readonly severity: Severity;
  /** Plain ASCII, our own words. */
  readonly title: string;
  /** A sentence per line. */
  readonly text: string;
  /** The alert, or `{"type":"digest"}` with the alerts, without a newline. */
  readonly json: string;
  /** null for a digest. */
  readonly alert: AlertFields | null;
}

/** Makes one message of alerts, of which there is at least one. */
export function messageOf(alerts: readonly AlertFields[]): Message {
  const [first] = alerts as readonly [AlertFields];
  const time = Math.max(...alerts.map(timeOf));
  const severity = alerts.reduce((most, one) => (rank(one.severity) > rank(most) ? one.severity : most), first.severity);
  const isSerious = severity !== 'info';
  if (alerts.length === 1) {
    const title = isSerious ? `netmon-tui: ${severity}` : 'netmon-tui';
    return { alerts, time, severity, title, text: first.text, json: JSON.stringify(first), alert: first };
  }
  // The gravest first; of those the oldest.
  const sorted = [...alerts].sort((a, b) => rank(b.severity) - rank(a.severity) || timeOf(a) - timeOf(b));
  const more = sorted.length - MOST_SENTENCES;
  const sentences = sorted.slice(0, MOST_SENTENCES).map(({ text }) => text);
  const from = Math.min(...alerts.map(timeOf));
  const digest = {
    type: 'digest',
    schema: 1,
    from: new Date(from).toISOString(),
    to: new Date(time).toISOString(),
    count: alerts.length,
    severity,
    alerts: sorted.slice(0, MOST_LISTED),
  };
  return {
    alerts,
    time,
    severity,
    title: `netmon-tui: ${counted(alerts.length, 'alert')}${isSerious ? `, ${severity}` : ''}`,
    text: [...sentences, ...(more > 0 ? [`And ${more} more.`] : [])].join('\n'),
    json: JSON.stringify(digest),
    alert: null,
  };
}

function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

function timeOf({ time }: AlertFields): number {
  return Date.parse(time);
}
