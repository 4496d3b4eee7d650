// `netmon-tui listeners`: what waits for connections on this machine, as a table or as JSON lines.

import { Users } from '../identify/process/directory.ts';
import { Containers } from '../identify/process/linux/containers/containers.ts';
import { StateFiles } from '../identify/process/linux/containers/state-files.ts';
import { TrustedFiles } from '../identify/process/linux/containers/trusted-files.ts';
import { procAt } from '../identify/process/linux/procfs/proc.ts';
import type { Listeners } from '../identify/process/listening/listeners.ts';
import { openListeners } from '../identify/process/listening/open.ts';
import { macUsers } from '../identify/process/macos/users.ts';
import { NetmonError } from '../model/errors.ts';
import type { Listener } from '../model/listeners.ts';
import { counted } from '../net/counted.ts';
import { serviceName } from '../net/services.ts';
import { containerFields, timeField } from '../output/fields.ts';
import { fixed, flexible, REPORT_WIDTHS, sheetOf, type TextStyle, tableLines } from '../output/text-table.ts';
import type { Edges } from '../system/edges.ts';
import { readSystemFile } from '../system/small-file.ts';
import { formatDateTime } from '../view/text/format.ts';

/** Longest wait for the list, ms: a program may have to run. */
const WAIT_MS = 12_000;
const POLL_MS = 20;

/**
 * Lists the machine's listeners.
 *
 * @param style null for JSON
 * @throws NetmonError `internal` if the system lists none at all
 */
export async function listenersCommand(edges: Edges, style: TextStyle | null): Promise<string> {
  const { proc, passwd } = edges.paths;
  const [libproc, others, dump] = await Promise.all([
    edges.platform === 'darwin' ? import('../identify/process/macos/libproc.ts').catch(() => null) : null,
    macUsers(edges),
    edges.platform === 'linux' ? import('../identify/process/linux/netlink/listening-dump.ts').catch(() => null) : null,
  ]);
  const pathOf = libproc?.openLibproc() ?? (() => null);
  const kernel = dump?.openListeningDump() ?? null;
  const states = new StateFiles(new TrustedFiles(proc), () => readSystemFile(passwd, 1 << 20) ?? '');
  const containers = new Containers((ref) => states.read(ref), performance.now.bind(performance));
  const parts = {
    users: new Users(passwd, others),
    containers,
    proc: procAt(proc),
    pathOf,
    kernel,
    walkMs: Number.POSITIVE_INFINITY,
  };
  const listeners = openListeners(edges, parts);
  try {
    const rows = await listedOnce(listeners);
    if (rows === null)
      throw new NetmonError(
        'internal',
        `the system lists no sockets: ${listeners.failure ?? 'no answer'}`,
        'netmon-tui doctor says more',
      );
    return style === null ? listenersJson(rows) : listenersText(rows, listeners.note, style);
  } finally {
    listeners.close();
  }
}

/** Waits for the first list. @returns null if none came */
async function listedOnce(listeners: Listeners): Promise<readonly Listener[] | null> {
  for (const until = performance.now() + WAIT_MS; performance.now() < until; ) {
    listeners.work(performance.now(), Date.now());
    if (listeners.rows !== null) return listeners.rows;
    if (listeners.failure !== null) return null;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return null;
}

/** The list as a table. @param note why something is missing; empty if nothing is */
export function listenersText(rows: readonly Listener[], note: string, style: TextStyle): string {
  const sheet = sheetOf(style, REPORT_WIDTHS);
  const foot = `${counted(rows.length, 'listener')}${note === '' ? '' : `; ${note}: sudo shows all`}`;
  if (rows.length === 0) return `${foot}\n`;
  const hasPlaces = rows.some(({ unit, elsewhere }) => unit !== null || elsewhere);
  const columns = [
    fixed<Listener>('prot', 4, 'left', ({ protocol }) => protocol),
    fixed<Listener>('port', 14, 'left', ({ protocol, port }) => `${port} ${serviceName(protocol, port) ?? ''}`),
    flexible<Listener>('address', 11, 1, ({ address }) => address),
    fixed<Listener>('reachable', 10, 'left', ({ reach }) => reach),
    flexible<Listener>('app', 12, 3, ({ app }) => app ?? ''),
    fixed<Listener>('pid', 7, 'right', ({ pid }) => String(pid ?? '')),
    fixed<Listener>('user', 7, 'left', ({ user }) => user ?? ''),
    fixed<Listener>('runs since', 11, 'left', ({ startedAt }) =>
      startedAt === null ? '' : formatDateTime(startedAt).slice(5, 16),
    ),
    ...(hasPlaces ? [flexible<Listener>('unit', 8, 2, ({ unit, elsewhere }) => unit ?? (elsewhere ? 'other ns' : ''))] : []),
  ];
  return `${[...tableLines(columns, rows, sheet), '', sheet.paint.dim(foot)].join('\n')}\n`;
}

/** The list as JSON, one object a line. */
export function listenersJson(rows: readonly Listener[]): string {
  return rows
    .map(({ protocol, address, port, reach, app, exe, pid, user, unit, container, startedAt, elsewhere }) => {
      const known = { protocol, address, port, reach, app, exe, pid, user, unit };
      const fields = {
        type: 'listener',
        schema: 1,
        ...known,
        started: startedAt === null ? null : timeField(startedAt),
        other_namespace: elsewhere,
        container: container === null ? null : containerFields(container),
      };
      return `${JSON.stringify(fields)}\n`;
    })
    .join('');
}
