// The details of a listener.

import type { ListenerRow, Reach } from '../../model/listeners.ts';
import type { Process } from '../../model/terms.ts';
import { serviceName } from '../../net/services.ts';
import type { CellContext } from '../tables/column.ts';
import { hidden, shown } from '../tables/masking.ts';
import { formatDateTime, formatDuration, formatGrouped } from '../text/format.ts';
import { containerFacts } from './container-facts.ts';
import type { Fact } from './fact.ts';
import { publisherFacts } from './publisher-facts.ts';

const REACHED: Readonly<Record<Reach, string>> = {
  loopback: 'from this machine alone',
  network: 'from this network: its address is a private one',
  everywhere: 'from every network that this machine is in, unless a firewall denies it',
};

function moment(time: number, { now }: CellContext): string {
  return `${formatDateTime(time)} (${formatDuration(now - time)} ago)`;
}

/** Who waits, where, since when, and who came. @param process its process; null if that has moved nothing */
export function listenerFacts(row: ListenerRow, context: CellContext, process: Process | null): readonly Fact[] {
  const { protocol, port, address, accepted, lastFrom, lastAt, since, startedAt } = row;
  const secret = (text: string | null) => (text === null ? null : hidden(text, context));
  const visits = accepted === null ? 'not known for another network namespace' : `${formatGrouped(accepted)} since the start`;
  return [
    ['listens on', `${protocol} port ${port}`, 'name'],
    ['usual service', serviceName(protocol, port)],
    ['address', address === '*' ? 'any' : secret(address)],
    ['reachable', REACHED[row.reach], row.reach === 'everywhere' ? 'accent' : 'text'],
    ...(row.elsewhere ? [['namespace', 'another one: a container, mostly'] as const] : []),
    ['app', row.app === null ? null : shown(row.app, context), 'name'],
    ['executable', secret(row.exe)],
    ...publisherFacts(process?.publisher ?? null, context),
    ['pid', row.pid === null ? null : String(row.pid)],
    ['user', secret(row.user)],
    ...(row.container === null
      ? [['unit', row.unit === null ? null : shown(row.unit, context)] as const]
      : containerFacts(row.container, context)),
    ['process began', startedAt === null ? null : moment(startedAt, context)],
    ['listens since', since === null ? 'before netmon-tui began' : moment(since, context)],
    [protocol === 'tcp' ? 'accepted' : 'answered', visits],
    ...(lastFrom === null || lastAt === null ? [] : [['last', `${secret(lastFrom)}, ${moment(lastAt, context)}`] as const]),
  ];
}
