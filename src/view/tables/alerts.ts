// The alerts table: what the watch raised, in the order of time, the newest last, as the events under it.

import { type Alert, type Held, placeOfAlert, type Severity } from '../../model/alert.ts';
import { type Role, span } from '../text/span.ts';
import type { CellContext, TableSpec } from './column.ts';
import { timeColumn, widest } from './columns.ts';
import { hidden, shown } from './masking.ts';

/** Whether a key allows what an alert is about. To silence a rule, a budget or the watch over itself for good is no answer to one alert. */
export function isAllowable(alert: Alert): boolean {
  const { kind, app } = alert;
  return kind !== 'threshold' && (app !== null || placeOfAlert(alert) !== null);
}

/** How severe alerts are drawn. The word says it too. */
export const SEVERITY_ROLES: Readonly<Record<Severity, Role>> = { info: 'accent', warning: 'warn', critical: 'error' };

/** Why an alert goes nowhere else. */
export const HELD_WORDS: Readonly<Record<NonNullable<Held>, string>> = {
  learning: 'held: learning what is usual',
  muted: 'held: it was muted',
  'no history': 'held: no history says what is usual',
};

/** An alert's sentence. With names hidden it is hidden whole: they may stand anywhere in it. */
export function alertText(alert: Alert, context: CellContext): string {
  return context.privacy ? hidden(alert.text, context) : shown(alert.text, context);
}

/** Alerts in the order of time. */
export const ALERTS: TableSpec<Alert> = {
  title: 'Alerts',
  sorts: [],
  columns: [
    timeColumn(),
    {
      key: 'severity',
      title: () => 'severity',
      min: 8,
      max: 8,
      align: 'left',
      rank: 2,
      plain: (row) => row.severity,
      // What goes nowhere says so in its place; the details say why.
      cell: ({ held, severity }) =>
        held === null ? span(severity, SEVERITY_ROLES[severity]) : span(held === 'muted' ? 'muted' : 'held', 'dim'),
    },
    {
      key: 'kind',
      title: () => 'kind',
      min: 12,
      max: 16,
      align: 'left',
      rank: 3,
      cell: (row) => span(row.kind, 'dim'),
    },
    {
      key: 'text',
      title: () => 'what',
      min: 14,
      max: 400,
      weight: 20,
      comfort: { cells: 50, before: 3 },
      align: 'left',
      rank: 1,
      wants: (rows, context) => widest(rows, (row) => alertText(row, context)),
      plain: alertText,
      cell: (row, context) => span(alertText(row, context), row.held === null ? 'text' : 'dim'),
    },
  ],
};
