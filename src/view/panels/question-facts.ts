// The details of a question of DNS, of many questions, and of a resolver.

import type { CellContext } from '../tables/column.ts';
import { endpointText, hidden, shown } from '../tables/masking.ts';
import { formatAmount, formatDateTime, formatDuration, formatGrouped, formatRtt, formatShare } from '../text/format.ts';
import type { Role } from '../text/span.ts';
import { answersOf, askerOf, type DnsLine, isFailure, isGroupAsked, type ResolverLine, SLOW_MS } from '../tree/questions.ts';
import type { Fact } from './fact.ts';

/** What results mean, for those who don't know the words. */
const MEANINGS: Readonly<Record<string, string>> = {
  NOERROR: 'answered',
  NODATA: 'the name exists, but has no such record',
  NXDOMAIN: 'there is no such name',
  SERVFAIL: 'the resolver failed, or could not check the answer',
  REFUSED: 'the resolver refuses to answer',
  FORMERR: 'the resolver did not understand the question',
  NOTIMP: 'the resolver does not do that',
  truncated: 'too long for UDP: asked again over TCP',
  'no answer': 'nothing came back within 10 s',
  waiting: 'no answer so far',
};

/** How the transports are called. */
const TRANSPORTS: Readonly<Record<string, string>> = {
  udp: 'UDP',
  tcp: 'TCP',
  mdns: 'mDNS: everybody on the local network is asked',
  llmnr: 'LLMNR: everybody on the local network is asked',
  tls: 'TLS',
  https: 'HTTPS',
  quic: 'QUIC',
};

function moment(time: number, context: CellContext): string {
  return `${formatDateTime(time)} (${formatDuration(context.now - time)} ago)`;
}

function timeFact(name: string, ms: number | null): Fact {
  return [name, ms === null ? null : formatRtt(ms), ms !== null && ms >= SLOW_MS ? 'warn' : 'text'];
}

function appFact(row: DnsLine, context: CellContext): readonly Fact[] {
  const app = askerOf(row);
  const via = row.onBehalfOf === null || row.app === null ? [] : [['through', shown(row.app, context)] as const];
  if (app === null) return [['no owner', shown(row.reason ?? '', context), 'warn']];
  return [['app', shown(app, context), 'name'], ...via];
}

/** A question, or many. */
export function questionFacts(row: DnsLine, context: CellContext): readonly Fact[] {
  const { group } = row;
  if (group !== undefined) {
    return [
      ...(group.by === 'app' ? appFact(row, context) : [[group.by, hidden(row.name, context), 'name'] as const]),
      ['questions', formatGrouped(group.count)],
      ['names', formatGrouped(group.names)],
      ...(group.by === 'app' ? [] : [['apps', formatGrouped(group.apps)] as const]),
      ['failed', formatGrouped(group.failed), group.failed > 0 ? 'error' : 'text'],
      [`over ${SLOW_MS} ms`, formatGrouped(group.slow), group.slow > 0 ? 'warn' : 'text'],
      timeFact('median', row.tookMs),
      ['last asked', moment(row.time, context)],
    ];
  }
  const role: Role = isFailure(row) ? 'error' : 'text';
  const meaning = MEANINGS[row.result];
  const word = row.result === 'no answer' || row.result === 'waiting' || row.result === 'truncated' ? '' : `${row.result}: `;
  const answers = answersOf(row);
  const more = row.answerCount - answers.length;
  return [
    ['name', hidden(row.name, context), 'name'],
    ['type', shown(row.type, context)],
    ...appFact(row, context),
    ['pid', row.pid === null ? null : String(row.pid)],
    ['result', meaning === undefined ? shown(row.result, context) : `${word}${meaning}`, role],
    ...answers.map(
      (answer, index): Fact => [index > 0 ? '' : row.result === 'NOERROR' ? 'answers' : 'alias of', hidden(answer, context)],
    ),
    ...(more > 0 && answers.length > 0 ? [['', `and ${formatGrouped(more)} more`, 'dim'] as const] : []),
    timeFact('took', row.tookMs),
    ...(row.tries > 1 ? [['sent', `${formatGrouped(row.tries)} times`, 'warn'] as const] : []),
    ['resolver', endpointText(row.resolver, null, 'udp', { ...context, services: false })],
    ['transport', TRANSPORTS[row.transport] ?? row.transport],
    ['domain', row.domain === null ? null : hidden(row.domain, context)],
    ['interface', shown(row.interface, context)],
    ['direction', row.direction],
    ['asked', moment(row.time, context)],
  ];
}

/** A resolver, or an app's encrypted DNS. */
export function resolverFacts(row: ResolverLine, context: CellContext): readonly Fact[] {
  const head: readonly Fact[] = [
    ['resolver', hidden(row.resolver, context), 'name'],
    ['transport', TRANSPORTS[row.transport] ?? row.transport],
  ];
  const last: Fact = ['last asked', moment(row.lastSeen, context)];
  if (row.isEncrypted)
    return [
      ...head,
      row.app === null ? ['no owner', shown(row.reason ?? '', context), 'warn'] : ['app', shown(row.app, context), 'name'],
      ['questions', "encrypted: can't be read", 'warn'],
      ['connections', formatGrouped(row.connections ?? 0)],
      ['bytes', formatAmount(row.bytes ?? 0, context.units).trim()],
      last,
    ];
  const asked = row.questions ?? 0;
  const share = (count: number): string => `${formatGrouped(count)}${asked > 0 ? ` (${formatShare(count / asked)})` : ''}`;
  const [failed, unanswered] = [row.failed ?? 0, row.unanswered ?? 0];
  return [
    ...head,
    ['questions', formatGrouped(asked)],
    ['failed', share(failed), failed > 0 ? 'error' : 'text'],
    ['no answer', share(unanswered), unanswered > 0 && !isGroupAsked(row) ? 'error' : 'text'],
    ['no such name', share(row.missing ?? 0)],
    timeFact('median', row.medianMs),
    timeFact('95 % within', row.slowMs),
    last,
  ];
}
