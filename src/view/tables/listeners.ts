// The table of listeners: what waits for connections on this machine, for whom, and who came.
// Narrow screens give up, in this order: unit, since, last from, user, pid, accepted.

import type { ListenerRow, Reach } from '../../model/listeners.ts';
import { serviceName } from '../../net/services.ts';
import { formatAge } from '../text/format.ts';
import { type Role, span } from '../text/span.ts';
import type { CellContext, TableSpec } from './column.ts';
import { countCell, numberColumn, widest, wordColumn } from './columns.ts';
import { hidden, shown } from './masking.ts';

const REACH_ROLES: Readonly<Record<Reach, Role>> = { loopback: 'dim', network: 'text', everywhere: 'accent' };

/** Protocol and port, and the name of the service that the port usually has. */
function portText({ protocol, port }: ListenerRow): string {
  const service = serviceName(protocol, port);
  return `${protocol} ${port}${service === null ? '' : ` ${service}`}`;
}

function appText({ app, user }: ListenerRow, context: CellContext): string {
  if (app !== null) return shown(app, context);
  return user === null ? '(unknown)' : `(of ${shown(user, context)})`;
}

function addressText({ address }: ListenerRow, context: CellContext): string {
  return address === '*' ? address : hidden(address, context);
}

/** Listeners, by port. */
export const LISTENERS: TableSpec<ListenerRow> = {
  title: 'Listeners',
  sorts: [],
  columns: [
    {
      key: 'port',
      title: () => 'port',
      min: 9,
      max: 22,
      comfort: { cells: 14, before: 6 },
      align: 'left',
      rank: 1,
      ascendingFirst: true,
      value: (row) => row.port,
      plain: portText,
      wants: (rows) => widest(rows, portText),
      cell: (row) => span(portText(row), 'text'),
    },
    {
      ...wordColumn<ListenerRow>('app', { min: 10, max: 28, rank: 2 }, (row) => row.app),
      wants: (rows, context) => widest(rows, (row) => appText(row, context)),
      cell: (row, context) => span(appText(row, context), row.app === null ? 'dim' : 'name'),
    },
    {
      ...wordColumn<ListenerRow>('reachable', { min: 10, max: 10, rank: 3 }, (row) => row.reach, { from: 'known' }),
      cell: (row) => span(row.reach, REACH_ROLES[row.reach]),
    },
    {
      ...wordColumn<ListenerRow>('address', { min: 9, max: 39, rank: 4 }, (row) => row.address),
      wants: (rows, context) => widest(rows, (row) => addressText(row, context)),
      cell: (row, context) => span(addressText(row, context), 'dim'),
    },
    numberColumn<ListenerRow>('accepted', { min: 8, max: 8, rank: 5 }, (row) => row.accepted, countCell),
    numberColumn<ListenerRow>(
      'pid',
      { min: 6, max: 7, rank: 6 },
      (row) => row.pid,
      (pid) => span(String(pid), 'dim'),
    ),
    wordColumn<ListenerRow>('user', { min: 6, max: 14, rank: 7 }, (row) => row.user),
    wordColumn<ListenerRow>('last', { min: 9, max: 39, rank: 8 }, (row) => row.lastFrom, { title: 'last from', from: 'secret' }),
    numberColumn<ListenerRow>(
      'since',
      { min: 6, max: 6, rank: 9 },
      (row) => row.since,
      (since, { now }) => span(formatAge(now - since), 'accent'),
      'new',
    ),
    wordColumn<ListenerRow>(
      'unit',
      { min: 8, max: 30, rank: 10 },
      (row) => row.unit ?? (row.elsewhere ? 'other namespace' : null),
    ),
  ],
};
