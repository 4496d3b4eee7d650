// `P`: which packets the user asks for. They are those of the row whose details are open, of the marked range, or else of the selected row; a filter
// in force narrows them.

import { compileFilter, type Filter } from '../../filter/filter.ts';
import type { Alert } from '../../model/alert.ts';
import type { TimeRange } from '../../model/history.ts';
import type { ListenerRow } from '../../model/listeners.ts';
import type { CategoryRow, InterfaceRow, NetEvent, Snapshot } from '../../model/snapshot.ts';
import { type PacketsAsked, type Step, still } from '../action.ts';
import { chosenRow } from '../history/reduce.ts';
import { historyViewModel } from '../history/view-model.ts';
import type { TableName, ViewState } from '../state.ts';
import { type AnyRow, branchOf, rowWithId } from '../tables/rows.ts';
import { formatClock } from '../text/format.ts';
import type { Glyphs } from '../text/glyphs.ts';
import type { AppLine } from '../tree/app-tree.ts';
import type { HostLine } from '../tree/host-tree.ts';
import type { ConnectionLine } from '../tree/lookups.ts';
import { type DnsLine, isGroupAsked, type ResolverLine } from '../tree/questions.ts';
import { selectedRow } from './navigation.ts';
import { filterOfRow, isFilter } from './row-filter.ts';

/** Writes the packets that are asked for; goes on with those that were asked for last; or stops what goes on. */
export function writePackets(state: ViewState, live: Snapshot, glyphs: Glyphs): Step {
  const { kept } = live.capture;
  const say = (notice: string): Step => still({ ...state, notice });
  if (kept === null) return say('no packets are kept: start with --keep-packets 60s');
  if (kept.writing?.state === 'writing') return { state, effects: [{ type: 'packets', asked: null }] };
  const asked = state.view === 'history' ? askedInHistory(state, live, kept.since, glyphs) : askedOf(state, live);
  return typeof asked === 'string' ? say(asked) : { state, effects: [{ type: 'packets', asked }] };
}

/** What is asked for; or why it can't be. */
function askedOf(state: ViewState, live: Snapshot): PacketsAsked | string {
  const { popup, chart, pane } = state;
  const { selection } = chart;
  const table = popup?.kind === 'details' ? popup.table : pane;
  const row = popup?.kind === 'details' ? rowWithId(state, live, table, popup.id) : selectedRow(state, live);
  const range = selection === null ? { from: null, to: null } : { from: selection.from, to: selection.to };
  const when = selection === null ? '' : `from ${formatClock(selection.from)} to ${formatClock(selection.to)}`;
  if (selection !== null && popup?.kind !== 'details') return askedOfRange(state, selection, '');
  if (row === undefined) return 'nothing is selected';
  const flow = flowOf(table, row);
  const text = flow === null ? packetsFilter(state, live, table, row) : '';
  const filter = text === null ? undefined : narrowed(text, state.filter.filter);
  if (filter === undefined) return CANNOT;
  const name = nameOf(table, row);
  return { key: `${table} ${row.id} ${when}`, ...named(state, name, `of ${name} ${when}`.trim()), filter, flow, ...range };
}

/** Everything of a time, or of one app in it. */
function askedOfRange(state: ViewState, { from, to }: TimeRange, app: string): PacketsAsked | string {
  const filter = narrowed(app, state.filter.filter);
  if (filter === undefined) return CANNOT;
  const when = `${formatClock(from)} to ${formatClock(to)}`;
  return { key: `range ${from} ${to} ${app}`, ...named(state, when, `from ${when}`), filter, flow: null, from, to };
}

/** In history: of what is marked or under the cursor, else of the selected row. It has older things than are kept. */
function askedInHistory(state: ViewState, live: Snapshot, since: number | null, glyphs: Glyphs): PacketsAsked | string {
  const { page } = state.history;
  const { marked } = historyViewModel(state, live, glyphs);
  const app = page === null ? '' : isFilter('app', page.name);
  if (app === null) return CANNOT;
  if (marked !== null) {
    if (since !== null && marked.to > since) return askedOfRange(state, marked, app);
    return `packets are kept ${since === null ? 'of nothing yet' : `since ${formatClock(since)}`}; next time --keep-packets 10m, or --write, has older ones`;
  }
  const row = chosenRow(state);
  if (row === null) return 'nothing is selected';
  const filter = row.filter === null ? undefined : narrowed(`${app} ${row.filter}`.trim(), state.filter.filter);
  if (filter === undefined) return CANNOT;
  const range = { flow: null, from: null, to: null };
  return { key: `history ${app} ${row.filter}`, ...named(state, row.name, `of ${row.name}`), filter, ...range };
}

/** As for the rows shown; but a question's own packets go to its resolver, and a name that has no address has no others. */
function packetsFilter(state: ViewState, live: Snapshot, table: TableName, row: AnyRow): string | null {
  const text = filterOfRow(state, live, table, row.id);
  const { group, transport, app } = row as DnsLine;
  if (table !== 'questions' || (group !== undefined && group.by !== 'name')) return text;
  const application = `application=${isGroupAsked({ transport }) ? transport : 'dns'}`;
  const asker = group === undefined ? isFilter('app', app) : null;
  const asking = asker === null ? application : `${application} ${asker}`;
  return text === null ? asking : `${text} or ${asking}`;
}

const CANNOT = 'no filter can tell these packets from others';

/** How they are called. With names hidden, a file's name tells none either. */
function named({ privacy }: ViewState, name: string, what: string): Pick<PacketsAsked, 'name' | 'what'> {
  return privacy ? { name: 'packets', what: 'of what is selected' } : { name, what };
}

/** The filter for a row and the one in force, together; null for neither, undefined if they don't compile. */
function narrowed(text: string, applied: Filter | null): Filter | null | undefined {
  const texts = [text, applied?.text ?? ''].filter((one) => one.trim() !== '');
  if (texts.length === 0) return null;
  const result = compileFilter(texts.map((one) => `(${one})`).join(' '));
  return result.ok ? result.filter : undefined;
}

/** Serial number of the one connection that a row is; null for another row. */
function flowOf(table: TableName, row: AnyRow): number | null {
  if (table === 'connections') return (row as ConnectionLine).lookups === undefined ? Number(row.id) : null;
  const flow = table === 'events' ? (row as NetEvent).flow : null;
  return flow === null ? null : Number(flow.id);
}

function nameOf(table: TableName, row: AnyRow): string {
  switch (table) {
    case 'apps': {
      const { app, pids } = row as AppLine;
      return branchOf(row)?.kind === 'process' && pids[0] !== undefined ? `${app ?? 'process'} ${pids[0]}` : (app ?? 'packets');
    }
    case 'hosts':
      return (row as HostLine).host ?? 'packets';
    case 'connections': {
      const { app, host, remote, lookups } = row as ConnectionLine;
      return lookups === undefined ? `${app ?? 'connection'} ${host}:${remote.port}` : `${app ?? ''} look-ups`.trim();
    }
    case 'categories':
      return (row as CategoryRow).category ?? 'packets';
    case 'interfaces':
      return (row as InterfaceRow).interface;
    case 'questions':
      return (row as DnsLine).name;
    case 'resolvers':
      return (row as ResolverLine).resolver;
    case 'listeners': {
      const { app, protocol, port } = row as ListenerRow;
      return `${app ?? protocol} ${port}`;
    }
    case 'alerts': {
      const { kind, app } = row as Alert;
      return [kind, app].filter((part) => part !== null).join(' ');
    }
    case 'events': {
      const { app, domain, interface: name } = row as NetEvent;
      return domain ?? app ?? name ?? 'packets';
    }
  }
}
