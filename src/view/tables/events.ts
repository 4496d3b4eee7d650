// The events table: what happened, in the order of time, the newest last.
// Where a sentence is too long the names in it are cut before its end, which tells how much it was.

import type { EventKind, FlowBurst, NetEvent } from '../../model/snapshot.ts';
import { MAX_HOSTS } from '../../model/snapshot.ts';
import { counted } from '../../net/counted.ts';
import { cut, displayWidth, WHOLE } from '../text/cells.ts';
import { formatAmount, formatDuration } from '../text/format.ts';
import { type Role, span } from '../text/span.ts';
import type { CellContext, TableSpec } from './column.ts';
import { timeColumn } from './columns.ts';
import { askedText } from './connections.ts';
import { endpointText, hidden, shown } from './masking.ts';

const ROLES: Readonly<Record<EventKind, Role>> = {
  start: 'dim',
  'new app': 'accent',
  'new domain': 'accent',
  listening: 'text',
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

/** Fewest cells that a name in a sentence is cut to. */
const SHORT_NAME = 12;

/** What happened, as a sentence without its kind; names in it are given `names` cells each. */
export function eventText(event: NetEvent, context: CellContext, names: number = WHOLE): string {
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
      if (event.burst !== null) return burstText(event, event.burst, context, names);
      if (flow === null) return text;
      const owner = ownerText(flow.app, flow.reason, context, names);
      const where = cut(remote(event, context), names, context.glyphs, 'start');
      const ends = `${owner} ${context.glyphs[flow.direction]} ${where} ${shown(flow.protocol, context)}`;
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
function burstText({ kind, app, time }: NetEvent, burst: FlowBurst, context: CellContext, names: number): string {
  if (burst.of === 'unlisted') return `${counted(burst.count, 'more connection')}, too many to list`;
  const owner = burst.of === 'others' ? 'other apps' : ownerText(app, burst.reason, context, names);
  const many = burst.hosts >= MAX_HOSTS ? `${MAX_HOSTS} hosts or more` : counted(burst.hosts, 'host');
  const where = burst.host === null ? many : cut(hidden(burst.host, context), names, context.glyphs, 'start');
  const lasted = time - burst.since >= 2000 ? ` in ${formatDuration(time - burst.since)}` : '';
  const moved = kind === 'closed' ? `, ${movedText(burst, context)}` : '';
  return `${owner}: ${counted(burst.count, 'connection')} with ${where}${lasted}${moved}`;
}

function ownerText(app: string | null, reason: string | null, context: CellContext, names: number): string {
  const text = app === null ? `(${shown(reason ?? 'no owner', context)})` : shown(app, context);
  return cut(text, names, context.glyphs);
}

/** A sentence for so many cells: whole where it fits, else with short names. */
function fittedText(event: NetEvent, context: CellContext, width: number): string {
  const text = eventText(event, context);
  return displayWidth(text) <= width ? text : eventText(event, context, Math.max(SHORT_NAME, Math.floor(width / 4)));
}

function movedText({ rxBytes, txBytes }: { readonly rxBytes: number; readonly txBytes: number }, context: CellContext): string {
  const amount = (bytes: number): string => formatAmount(bytes, context.units).trim().replaceAll(/ +/g, ' ');
  const { rx, tx } = context.glyphs;
  return `${rx} ${amount(rxBytes)} ${tx} ${amount(txBytes)}`;
}

function remote({ flow }: NetEvent, context: CellContext): string {
  if (flow === null) return '';
  if (flow.asked !== null && context.names) return `dns ${askedText(flow.asked, context)}`;
  return endpointText(flow.remote, flow.host, flow.protocol, context);
}

/** Events in the order of time. */
export const EVENTS: TableSpec<NetEvent> = {
  title: 'Events',
  sorts: [],
  columns: [
    timeColumn(),
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
      cell: (row, context, width) =>
        span(fittedText(row, context, width), row.kind === 'opened' || row.kind === 'closed' ? 'dim' : 'text'),
    },
  ],
};
