// The events table: what happened, in the order of time, the newest last.
// Narrow screens give up the day first; time, kind and what happened stay.

import type { EventKind, FlowBurst, NetEvent } from '../../aggregate/event.ts';
import { MOST_HOSTS } from '../../aggregate/flow-bursts.ts';
import type { CellContext, TableSpec } from '../column.ts';
import { formatAmount, formatClock, formatDateTime, formatDuration, formatGrouped } from '../format.ts';
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
      if (event.burst !== null) return burstText(event, event.burst, context);
      if (flow === null) return text;
      const owner = flow.app === null ? `(${shown(flow.reason ?? 'no owner', context)})` : shown(flow.app, context);
      const ends = `${owner} ${context.glyphs[flow.direction]} ${remote(event, context)} ${shown(flow.protocol, context)}`;
      if (kind === 'opened') return ends;
      return `${ends}, ${movedText(flow, context)} in ${formatDuration(flow.lastSeen - flow.firstSeen)}`;
    }
    default:
      return text;
  }
}

function bracketed(text: string): string {
  return text === '' ? '' : ` (${text})`;
}

/** `curl: 312 connections with example.com in 14s`, and what they moved. */
function burstText({ kind, app, time }: NetEvent, burst: FlowBurst, context: CellContext): string {
  const connections = burst.count === 1 ? 'connection' : 'connections';
  if (burst.of === 'unlisted') return `${formatGrouped(burst.count)} more ${connections}, too many to be listed`;
  const reason = `(${shown(burst.reason ?? 'no owner', context)})`;
  const owner = burst.of === 'others' ? 'other apps' : app === null ? reason : shown(app, context);
  const many = burst.hosts >= MOST_HOSTS ? `${MOST_HOSTS} hosts or more` : `${burst.hosts} hosts`;
  const where = burst.host === null ? many : hidden(burst.host, context);
  const lasted = time - burst.since >= 2000 ? ` in ${formatDuration(time - burst.since)}` : '';
  const moved = kind === 'closed' ? `, ${movedText(burst, context)}` : '';
  return `${owner}: ${formatGrouped(burst.count)} ${connections} with ${where}${lasted}${moved}`;
}

function movedText({ rxBytes, txBytes }: { readonly rxBytes: number; readonly txBytes: number }, context: CellContext): string {
  const amount = (bytes: number): string => formatAmount(bytes, context.units).trim().replaceAll(/ +/g, ' ');
  const { rx, tx } = context.glyphs;
  return `${rx} ${amount(rxBytes)} ${tx} ${amount(txBytes)}`;
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
