// Popups of named facts: all that is known about a row.

import type { Alert } from '../../model/alert.ts';
import type { ListenerRow } from '../../model/listeners.ts';
import type { AppRow, CategoryRow, FlowRow, InterfaceRow, NetEvent, Traffic } from '../../model/snapshot.ts';
import { type InnerFlow, MAX_ANCESTORS, type NameSource, type Place, type Process } from '../../model/terms.ts';
import { counted } from '../../net/counted.ts';
import type { TableName } from '../state.ts';
import { alertText, SEVERITY_ROLES } from '../tables/alerts.ts';
import type { CellContext } from '../tables/column.ts';
import { askedText, stateOf } from '../tables/connections.ts';
import { eventText } from '../tables/events.ts';
import { endpointText, hidden, macText, portText, shown } from '../tables/masking.ts';
import type { AnyRow } from '../tables/rows.ts';
import { linkText } from '../text/diagnosis.ts';
import {
  formatAmount,
  formatDateTime,
  formatDuration,
  formatGrouped,
  formatMoment,
  formatRate,
  formatRtt,
  formatShare,
} from '../text/format.ts';
import { notCaptured, shownRx, shownTx } from '../traffic.ts';
import type { AppLine } from '../tree/app-tree.ts';
import type { HostLine } from '../tree/host-tree.ts';
import type { Lookups } from '../tree/lookups.ts';
import type { DnsLine, ResolverLine } from '../tree/questions.ts';
import { containerFacts } from './container-facts.ts';
import type { Fact } from './fact.ts';
import { listenerFacts } from './listener-facts.ts';
import { publisherFacts } from './publisher-facts.ts';
import { qualityFacts } from './quality.ts';
import { questionFacts, resolverFacts } from './question-facts.ts';
import { talkFacts } from './talk.ts';

function flowCount({ flows }: { readonly flows: number }): Fact {
  return ['flows', Number.isNaN(flows) ? null : formatGrouped(flows)];
}

function traffic(row: Traffic, { units, glyphs, average, time }: CellContext): readonly Fact[] {
  if (Number.isNaN(row.rxBytes))
    return [
      [`${glyphs.rx} RX`, null],
      [`${glyphs.tx} TX`, null],
    ];
  const over = time === '' ? '' : ` over ${time}`;
  return [
    [
      `${glyphs.rx} RX`,
      `${formatRate(shownRx(row, average), units).trim()}${over}, ${formatAmount(row.rxBytes, units).trim()} in ${counted(row.rxPackets, 'packet')}`,
      'rx',
    ],
    [
      `${glyphs.tx} TX`,
      `${formatRate(shownTx(row, average), units).trim()}${over}, ${formatAmount(row.txBytes, units).trim()} in ${counted(row.txPackets, 'packet')}`,
      'tx',
    ],
  ];
}

function seen(row: { firstSeen: number; lastSeen: number }, context: CellContext): readonly Fact[] {
  if (Number.isNaN(row.lastSeen)) return [];
  return [
    ['first seen', `${formatDateTime(row.firstSeen)} (${formatDuration(context.now - row.firstSeen)} ago)`],
    ['last seen', `${formatDateTime(row.lastSeen)} (${formatDuration(context.now - row.lastSeen)} ago)`],
  ];
}

/** What other rows tell of a row. */
export interface Related {
  /** Whom it talks to, and over which connections. */
  readonly talks: readonly Fact[];
  /** The process that owns a connection; null if it is unknown. */
  readonly owner: Process | null;
  /** Its traffic over time; of an alert, what became of it. */
  readonly recent: readonly Fact[];
  /** Other connections whose client said hello in the same words. */
  readonly alike: readonly FlowRow[];
}

/** Nothing is known but the row. */
export const NOTHING_RELATED: Related = { talks: [], owner: null, recent: [], alike: [] };

/** All that is known about a row, who talks to whom first. */
export function rowFacts(
  table: TableName,
  row: AnyRow,
  context: CellContext,
  related: Related = NOTHING_RELATED,
): readonly Fact[] {
  switch (table) {
    case 'apps':
      return appFacts(row as AppLine, context, related);
    case 'connections':
      return 'lookups' in row && row.lookups !== undefined
        ? lookupFacts(row, row.lookups, context)
        : flowFacts(row as FlowRow, context, related);
    case 'hosts':
      return hostFacts(row as HostLine, context, related);
    case 'categories':
      return [...categoryFacts(row as CategoryRow, context), ...related.recent];
    case 'interfaces':
      return interfaceFacts(row as InterfaceRow, context);
    case 'events':
      return eventFacts(row as NetEvent, context);
    case 'questions':
      return questionFacts(row as DnsLine, context);
    case 'resolvers':
      return resolverFacts(row as ResolverLine, context);
    case 'listeners':
      return listenerFacts(row as ListenerRow, context, related.owner);
    case 'alerts':
      return [...alertFacts(row as Alert, context), ...related.recent];
  }
}

function text(value: string | null, context: CellContext): string | null {
  return value === null ? null : shown(value, context);
}

function secret(value: string | null, context: CellContext): string | null {
  return value === null ? null : hidden(value, context);
}

function appFacts(row: AppLine, context: CellContext, { talks, recent }: Related): readonly Fact[] {
  const kind = row.branch?.kind;
  const isHost = kind === 'host';
  const own: readonly Fact[] = isHost
    ? []
    : [
        ...(kind === 'process' ? [] : [['processes', row.processCount === 0 ? null : formatGrouped(row.processCount)] as const]),
        ...(kind === 'lineage' && row.processes.length === 0 ? [['pid', row.pids.join(' ')] as const] : processes(row, context)),
        ['executable', secret(row.exe, context)],
        ['user', secret(row.user, context)],
        ...containerFacts(row.processes.at(-1)?.container ?? null, context),
      ];
  return [
    isHost
      ? ['host', secret(row.app, context), 'name']
      : [kind === 'lineage' ? 'started by' : kind === 'container' ? 'runs in' : 'app', text(row.app, context), 'name'],
    ...(row.reason === null ? [] : [['no owner', shown(row.reason, context), 'warn'] as const]),
    ...talks,
    ...own,
    flowCount(row),
    ...traffic(row, context),
    ...seen(row, context),
    ...recent,
  ];
}

/** Processes in the details; the newest first, what is more is counted. */
const PROCESSES_SHOWN = 12;

/** How each process was started, where that is known; what it is, whose child, since when, and what it belongs to. */
function processes(row: AppRow, context: CellContext): readonly Fact[] {
  const newest = row.processes.toReversed().slice(0, PROCESSES_SHOWN);
  // Whoever made the program once, not below each of its processes.
  const others = new Set(newest.filter(({ publisher }, i) => publisher !== null && newest[i - 1]?.publisher === publisher));
  const facts = newest.flatMap((process): Fact[] => {
    const { pid, exe, name, script, user, startedAt, unit, command } = process;
    const parents = parentsText(process, context);
    const session = sessionText(process, context);
    const parts = [
      exe === null ? `${shown(name, context)}, executable unknown` : hidden(exe, context),
      ...(script === null ? [] : [shown(script, context)]),
      ...(user === null || user === row.user ? [] : [`as ${hidden(user, context)}`]),
      ...(parents === null ? [] : [`child of ${parents}`]),
      ...(session === null ? [] : [`session ${session}`]),
      ...(startedAt === null ? [] : [`started ${formatMoment(startedAt, context.now)}`]),
      ...(unit === null ? [] : [shown(unit, context)]),
    ];
    const label = `pid ${pid < 0 ? context.glyphs.unknown : pid}`;
    const about: readonly Fact[] =
      command === null
        ? [[label, parts.join(', '), 'dim']]
        : [
            [label, hidden(command, context)],
            ['', parts.join(', '), 'dim'],
          ];
    const isSame = others.has(process);
    return [...about, ...(isSame ? [] : publisherFacts(process.publisher, context, ''))];
  });
  const more = row.processCount - newest.length;
  return more > 0 && row.processes.length > 0 ? [...facts, ['', `and ${formatGrouped(more)} more`, 'dim']] : facts;
}

/**
 * The processes above a process as it began, the nearest last; of init only where there is no other. Then who adopted it. Null if nothing is
 * known of them.
 */
function parentsText({ ancestors, parentPid, origin }: Process, context: CellContext): string | null {
  const { glyphs } = context;
  const named = ancestors.length > 1 && ancestors[0]?.pid === 1 ? ancestors.slice(1) : ancestors;
  const nearest = named.at(-1);
  if (nearest === undefined) return parentPid === null ? null : `pid ${parentPid}`;
  const isFurther = ancestors.length === MAX_ANCESTORS && origin !== null && !ancestors.includes(origin);
  const line = (isFurther ? [origin, null, ...named] : named).map((each) =>
    each === null ? glyphs.ellipsis : `${shown(each.name, context)} ${each.pid}`,
  );
  const adopted = parentPid === null || parentPid === nearest.pid ? '' : `, now of pid ${parentPid}`;
  return `${line.join(` ${glyphs.outbound} `)}${adopted}`;
}

/** The session and terminal of a process; null if both are unknown. */
function sessionText({ session, terminal }: Process, context: CellContext): string | null {
  if (session === null && terminal === null) return null;
  const leader = session === null ? context.glyphs.unknown : String(session);
  return terminal === null ? leader : `${leader} on ${shown(terminal, context)}`;
}

/** Who owns a connection. */
function ownerFacts(owner: Process | null, context: CellContext): readonly Fact[] {
  if (owner === null) return [];
  const session = sessionText(owner, context);
  return [
    ['user', secret(owner.user, context)],
    ['executable', secret(owner.exe, context)],
    ...publisherFacts(owner.publisher, context),
    ['command line', secret(owner.command, context)],
    ['child of', parentsText(owner, context)],
    ...(session === null ? [] : [['session', session] as const]),
    ...(owner.container !== null
      ? containerFacts(owner.container, context)
      : owner.unit === null
        ? []
        : [['unit', shown(owner.unit, context)] as const]),
    ...(owner.startedAt === null ? [] : [['began', formatMoment(owner.startedAt, context.now)] as const]),
  ];
}

function hostFacts(row: HostLine, context: CellContext, { talks, recent }: Related): readonly Fact[] {
  if (row.branch?.kind === 'app' || row.branch?.kind === 'rest')
    return [
      ['app', row.host === null ? `(${shown(row.reason ?? 'no owner', context)})` : shown(row.host, context), 'name'],
      ...talks,
      flowCount(row),
      ...traffic(row, context),
      ...seen(row, context),
    ];
  return [
    ['host', secret(row.host, context), 'name'],
    ...(row.reason === null ? [] : [['note', shown(row.reason, context), 'warn'] as const]),
    ...talks,
    ...qualityFacts(row.quality),
    ['named by', namedBy(row.nameSource)],
    ['domain', secret(row.domain, context)],
    ['addresses', row.addresses.length === 0 ? null : row.addresses.map((address) => hidden(address, context)).join('  ')],
    ...(row.mac === null ? [] : [['MAC', macText(row.mac, context)] as const, ['vendor', text(row.vendor, context)] as const]),
    ['category', text(row.category, context)],
    ['place', placeText(row, context)],
    flowCount(row),
    ...traffic(row, context),
    ...seen(row, context),
    ...recent,
  ];
}

/** What each source of names is, in a user's words. */
const SOURCES: Readonly<Record<NameSource, string | null>> = {
  none: null,
  ptr: 'ptr: a reverse look-up of the address',
  mdns: 'mdns: announced on the local network',
  dns: 'dns: an answer for the address, seen before',
  http: 'http: what the connection asked for itself',
  quic: 'quic: what the connection asked for itself',
  tls: 'tls: what the connection asked for itself',
  inner: 'inner: what a connection inside of this tunnel asked for',
};

function namedBy(source: NameSource): string | null {
  return SOURCES[source];
}

/** Country, system and operator; null where nothing is known. */
function placeText({ country, asn, network }: Place, context: CellContext): string | null {
  const parts = [
    ...(country === null ? [] : [shown(country, context)]),
    ...(asn === null ? [] : [`AS${asn}`]),
    ...(network === null ? [] : [shown(network, context)]),
  ];
  return parts.length === 0 ? null : parts.join(', ');
}

function categoryFacts(row: CategoryRow, context: CellContext): readonly Fact[] {
  return [['category', text(row.category, context), 'name'], flowCount(row), ...traffic(row, context)];
}

/** macOS asks DNS for all apps through this one process, and the kernel does not always tell for which. */
const RESOLVER = 'mDNSResponder';
const RESOLVER_PORTS: readonly number[] = [53, 853, 443];

function onBehalfOf(row: FlowRow, context: CellContext): readonly Fact[] {
  if (row.onBehalfOf !== null) return [['on behalf of', shown(row.onBehalfOf, context), 'name']];
  const asks = row.app === RESOLVER && RESOLVER_PORTS.includes(row.remote.port);
  return asks ? [['on behalf of', "any app: this is the system's resolver", 'dim']] : [];
}

/** Names of look-ups that are listed one by one. */
const NAMES_SHOWN = 12;

/** Look-ups of an app that stand in one row. */
function lookupFacts(row: FlowRow, { count, connections, names, ends }: Lookups, context: CellContext): readonly Fact[] {
  const more = names.length - NAMES_SHOWN;
  return [
    ['app', text(row.app, context), 'name'],
    ...(row.reason === null ? [] : [['no owner', shown(row.reason, context), 'warn'] as const]),
    ...onBehalfOf(row, context),
    ['look-ups', `${formatGrouped(count)} in ${counted(connections, 'connection')}`],
    ['with', ends.map((end) => hidden(end, context)).join('  ')],
    ...names.slice(0, NAMES_SHOWN).map((name, index): Fact => [index === 0 ? 'asked for' : '', hidden(name, context)]),
    ...(more > 0
      ? [['', `and ${formatGrouped(more)} more`, 'dim'] as const]
      : names.length === 0
        ? [['asked for', null] as const]
        : []),
    ...traffic(row, context),
    ...seen(row, context),
  ];
}

function flowFacts(row: FlowRow, context: CellContext, { owner, alike } = NOTHING_RELATED): readonly Fact[] {
  const numbers: CellContext = { ...context, names: false, services: false };
  const service = portText(row.remote.port, row.protocol, { ...context, services: true });
  return [
    ['app', text(row.app, context), 'name'],
    ['pid', row.pid === null ? null : String(row.pid)],
    ...ownerFacts(owner, context),
    [
      'owner known',
      row.reason === null ? row.attribution : `${row.attribution}: ${shown(row.reason, context)}`,
      row.reason === null ? 'text' : 'warn',
    ],
    ...onBehalfOf(row, context),
    ...(row.peerApp === null
      ? []
      : [['other end', `${shown(row.peerApp, context)} (pid ${row.peerPid ?? context.glyphs.unknown})`] as const]),
    ['remote', endpointText(row.remote, null, row.protocol, numbers)],
    ['host', row.nameReason === null ? secret(row.host, context) : null, 'name'],
    row.nameReason === null ? ['named by', namedBy(row.nameSource)] : ['no name', shown(row.nameReason, context), 'warn'],
    ...(row.asked === null ? [] : [['asked for', askedText(row.asked, context)] as const]),
    ['domain', secret(row.domain, context)],
    ['place', placeText(row, context)],
    ['local', endpointText(row.local, null, row.protocol, numbers)],
    ['direction', row.direction],
    ['protocol', `${shown(row.protocol, context)}${/^\d+$/.test(service) ? '' : ` (port of ${service})`}`],
    ['application', row.application === null ? null : `${shown(row.application, context)} (by ${row.applicationSource})`],
    ['category', text(row.category, context)],
    stateFact(row, context),
    ['interface', text(row.interface, context)],
    ...(row.tunnel === null ? [] : [['inside', shown(row.tunnel, context)] as const]),
    ...(row.inside === null ? [] : innerFacts(row.inside, numbers)),
    ...traffic(row, context),
    ...(row.protocol === 'tcp' ? measuredFacts(row) : []),
    ...talkFacts(row, alike, context),
    ...seen(row, context),
  ];
}

/** What only TCP's acknowledgements tell. */
function measuredFacts({ rttMs, retransmits }: FlowRow): readonly Fact[] {
  return [
    ['round trip', rttMs === null ? null : formatRtt(rttMs)],
    ['retransmits', formatGrouped(retransmits), retransmits > 0 ? 'warn' : 'text'],
  ];
}

/** The state of a connection; of anything else, whether both ends have sent, which is all there is to tell. */
function stateFact(row: FlowRow, context: CellContext): Fact {
  const state = stateOf(row);
  if (state !== null) return ['state', `${shown(state, context)}${row.closed && state !== 'closed' ? ', closed' : ''}`];
  const isAnswered = row.rxPackets > 0 && row.txPackets > 0;
  return ['answered', `${isAnswered ? 'yes' : 'not so far'}${row.closed ? ', over' : ''}`];
}

/** What a tunnel carries: the ends of a flow in it, and the name that it asked for. */
function innerFacts({ protocol, source, destination, host }: InnerFlow, context: CellContext): readonly Fact[] {
  const ends = [source, destination].map((end) => endpointText(end, null, protocol, context));
  return [
    ['it carries', `${shown(protocol, context)} ${ends.join(` ${context.glyphs.outbound} `)}`],
    ['name inside', host === null ? null : hidden(host, context)],
  ];
}

function interfaceFacts(row: InterfaceRow, context: CellContext): readonly Fact[] {
  const { units } = context;
  const missed = notCaptured(row.frameBytes, row.counterBytes);
  return [
    ['interface', text(row.interface, context), 'name'],
    ...qualityFacts(row.ends.far, 'far'),
    ...qualityFacts(row.ends.near, 'near'),
    ...(row.link === null ? [] : [['link', linkText(row.link), row.link.isWeak ? 'warn' : 'text'] as const]),
    ['kind', row.kind],
    ['in the total', row.isCounted ? 'yes' : 'no: another interface already counts it'],
    ...traffic(row, context),
    ...(row.passingBytes === null || row.passingBytes === 0
      ? []
      : [
          ['passed by', `${formatAmount(row.passingBytes, units).trim()} of what it received, neither to nor from here`] as const,
        ]),
    ['frame bytes', row.frameBytes === null ? null : formatAmount(row.frameBytes, units).trim()],
    ['its counter', row.counterBytes === null ? null : formatAmount(row.counterBytes, units).trim()],
    ['not captured', missed === null ? null : formatShare(missed)],
    ['dropped by it', row.counterDropped === null ? null : formatGrouped(row.counterDropped)],
    ['its errors', row.counterErrors === null ? null : formatGrouped(row.counterErrors)],
  ];
}

function eventFacts(row: NetEvent, context: CellContext): readonly Fact[] {
  return [
    ['event', row.kind, 'name'],
    ['time', `${formatDateTime(row.time)} (${formatDuration(context.now - row.time)} ago)`],
    ['what', eventText(row, context)],
    ...(row.interface === null ? [] : [['interface', shown(row.interface, context)] as const]),
    ...(row.flow === null ? [] : flowFacts(row.flow, context)),
  ];
}

/** What was seen and what would have been expected stand in its details, a line each; names may stand anywhere in them. */
function alertFacts(row: Alert, context: CellContext): readonly Fact[] {
  const secret = (value: string): string => (context.privacy ? hidden(value, context) : shown(value, context));
  return [
    ['alert', alertText(row, context), 'name'],
    ['kind', row.kind],
    ['severity', row.severity, SEVERITY_ROLES[row.severity]],
    ['time', `${formatDateTime(row.time)} (${formatDuration(context.now - row.time)} ago)`],
    ...row.details.map((line, index): Fact => [index === 0 ? 'details' : '', secret(line)]),
    ['app', text(row.app, context)],
    ...(row.domain === null ? [] : [['domain', hidden(row.domain, context)] as const]),
    ...(row.evidence === null ? [] : [['packets', hidden(row.evidence, context)] as const]),
  ];
}
