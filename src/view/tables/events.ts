// The events table: what happened, in the order of time, the newest last.
// Narrow screens give up the day first; time, kind and what happened stay.

import type { EventKind, NetEvent } from '../../aggregate/event.ts';
import type { CellContext, TableSpec } from '../column.ts';
import { formatAmount, formatClock, formatDateTime, formatDuration } from '../format.ts';
import { type Role, span } from '../span.ts';
import { endpointText, hidden, shown } from './masking.ts';

const ROLES: Readonly<Record<EventKind, Role>> = {
  start: 'dim',
  'new app': 'accent',
  'new domain': 'accent',
  opened: 'dim',
  closed: 'dim',
  gap: 'warn',
  warning: 'warn',
  interface: 'text',
  fallback: 'warn',
  recording: 'text',
  export: 'text',
};

/** Kinds whose text names files of the user's. */
const SECRET: readonly EventKind[] = ['recording', 'export'];

/** What happened, as a sentence without its kind. */
export function eventText(event: NetEvent, context: CellContext): string {
  const { kind, app, domain, flow } = event;
  const text = SECRET.includes(kind) ? hidden(event.text, context) : shown(event.text, context);
  switch (kind) {
    case 'new app':
      return `${shown(app ?? '', context)}${flow === null ? '' : `, to ${remote(event, context)}`}${bracketed(text)}`;
    case 'new domain':
      return `${hidden(domain ?? '', context)}${app === null ? '' : `, by ${shown(app, context)}`}${bracketed(text)}`;
    case 'interface':
      return `${shown(event.interface ?? '', context)} ${text}`;
    case 'opened':
    case 'closed': {
      if (flow === null) return text;
      const owner = flow.app === null ? `(${shown(flow.reason ?? 'no owner', context)})` : shown(flow.app, context);
      const ends = `${owner} ${context.glyphs[flow.direction]} ${remote(event, context)} ${shown(flow.protocol, context)}`;
      if (kind === 'opened') return ends;
      const amount = (bytes: number): string => formatAmount(bytes, context.units).trim().replaceAll(/ +/g, ' ');
      const { rx, tx } = context.glyphs;
      return `${ends}, ${rx} ${amount(flow.rxBytes)} ${tx} ${amount(flow.txBytes)} in ${formatDuration(flow.lastSeen - flow.firstSeen)}`;
    }
    default:
      return text;
  }
}

function bracketed(text: string): string {
  return text === '' ? '' : ` (${text})`;
}

function remote({ flow }: NetEvent, context: CellContext): string {
  return flow === null ? '' : endpointText(flow.remote, flow.host, flow.protocol, context);
}

/** Events in the order of time. */
export const EVENTS: TableSpec<NetEvent> = {
  title: 'Events',
  sorts: [],
  columns: [
    {
      key: 'day',
      title: () => 'day',
      min: 10,
      max: 10,
      align: 'left',
      rank: 4,
      cell: (row) => span(formatDateTime(row.time).slice(0, 10), 'dim'),
    },
    {
      key: 'time',
      title: () => 'time',
      min: 8,
      max: 8,
      align: 'left',
      rank: 1,
      cell: (row) => span(formatClock(row.time), 'dim'),
    },
    {
      key: 'kind',
      title: () => 'event',
      min: 10,
      max: 10,
      align: 'left',
      rank: 1,
      cell: (row) => span(row.kind, ROLES[row.kind]),
    },
    {
      key: 'text',
      title: () => 'what',
      min: 14,
      max: 400,
      weight: 20,
      align: 'left',
      rank: 1,
      plain: eventText,
      cell: (row, context) => span(eventText(row, context), row.kind === 'opened' || row.kind === 'closed' ? 'dim' : 'text'),
    },
  ],
};
