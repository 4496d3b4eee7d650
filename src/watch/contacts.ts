// Finds what is new about whom an app talks to: a new app, an app at a new place, a new domain, country or network, a first caller from outside.
// One contact is one finding, the most telling one; what else is new about it stands in the details. Contacts are learnt whatever is found.

import type { WatchFlow } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';
import { type Baseline, PLACES, placeOf } from './baseline.ts';
import { type Detector, type Finding, type Report, type Subject, subjectOf } from './finding.ts';
import { countryName, day, several } from './words.ts';

/** A domain that so many other apps reached is common: no finding. */
const COMMON = 3;
/** An app that reached so many domains goes wherever its user sends it, as a browser does: another domain is no finding. */
const ROAMS = 40;
/** Contacts that wait for history. */
const MOST_WAITING = 2048;
/** Without history, an app is known after so much of the run. */
const RUN_MS = 60_000;
const DAY_MS = 86_400_000;

/** What contacts are judged by: of a flow, or of a copy of one that waits for history. */
type Met = Pick<
  WatchFlow,
  | 'app'
  | 'exe'
  | 'pid'
  | 'user'
  | 'process'
  | 'host'
  | 'domain'
  | 'nameSource'
  | 'local'
  | 'remote'
  | 'protocol'
  | 'direction'
  | 'country'
  | 'asn'
  | 'network'
  | 'asked'
  | 'firstSeen'
  | 'isOutside'
  | 'isAnswered'
>;

/** What a finding says of a contact. Most contacts are nothing new, and none is made of them. */
interface Contact {
  readonly subject: Subject;
  readonly app: string;
  readonly parent: string | null;
  readonly domain: string | null;
  readonly isNamed: boolean;
  readonly country: string | null;
  readonly asn: number | null;
  readonly network: string | null;
  readonly isInbound: boolean;
  readonly isOutside: boolean;
  readonly remote: string;
  readonly service: string;
  readonly nameSource: string;
  /** Name that DNS was asked for in it. */
  readonly asked: string | null;
  readonly time: number;
}

/** Finds new contacts. */
export class NewContacts implements Detector {
  readonly #baseline: Baseline;
  readonly #report: Report;
  #waiting: Met[] = [];
  /** The most telling contact of each app that is new in this tick: nobody wants to hear of its resolver. */
  readonly #newApps = new Map<string, Contact>();

  constructor(baseline: Baseline, report: Report) {
    this.#baseline = baseline;
    this.#report = report;
  }

  met(flow: WatchFlow): void {
    if (this.#baseline.knowledge !== 'waiting') this.#meet(flow);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(copyOf(flow));
  }

  tick(): void {
    if (this.#baseline.knowledge === 'waiting') return;
    for (const met of this.#waiting) this.#meet(met);
    this.#waiting = [];
    for (const contact of this.#newApps.values()) this.#tell(contact, (each) => appFinding(each, this.#baseline));
    this.#newApps.clear();
  }

  #meet(flow: Met): void {
    const { app, domain } = flow;
    if (app === null) return;
    const baseline = this.#baseline;
    const isAppNew = baseline.learnApp(app, flow.firstSeen);
    const isPlaceNew = this.#learnPlace(app, flow.process?.exe ?? flow.exe) && !isAppNew;
    const { isOutside } = flow;
    const isInbound = flow.direction === 'inbound';
    const isCalled = isInbound && isOutside && flow.isAnswered;
    // Whoever calls from outside chooses who is met: only that an app is reachable at all is a fact about the app.
    const isInboundNew = isCalled && baseline.learnContact('inbound', app, serviceOf(flow), flow.firstSeen);
    const commonness = domain === null ? 0 : baseline.spreadOf(domain);
    const isDomainNew = !isInbound && domain !== null && isAskedName(flow.nameSource) && baseline.learnDomain(app, domain);
    const [country, asn] = isInbound || !isOutside ? [null, null] : [flow.country, flow.asn];
    const strangeCountry = country !== null && baseline.spreadOfContact('country', country) === 0;
    const isCountryNew = country !== null && baseline.learnContact('country', app, country, flow.firstSeen);
    const isNetworkNew = asn !== null && baseline.learnContact('network', app, `AS${asn}`, flow.firstSeen);
    if (baseline.isFirstMinute) return;
    const isAppOfTick = this.#newApps.has(app);
    if (!(isAppNew || isAppOfTick || isPlaceNew || isInboundNew || isDomainNew || isCountryNew || isNetworkNew)) return;
    const { areContactsLearnt } = baseline;
    if (isAppNew || isAppOfTick) this.#meetNewApp(app, contactOf(flow, app));
    else if (isPlaceNew) this.#found(flow, app, (contact) => placeFinding(contact, baseline));
    else if (isInboundNew && areContactsLearnt) this.#found(flow, app, inboundFinding);
    // Below, what is usual for this app matters, and of an app that is new that is not known yet.
    else if (!baseline.isAppLearnt(app, baseline.knowledge === 'run' ? RUN_MS : undefined)) return;
    else if (isDomainNew && commonness < COMMON && (baseline.app(app)?.domains ?? 0) <= ROAMS)
      this.#found(flow, app, (contact) => domainFinding(contact, baseline, isCountryNew, isNetworkNew));
    // The addresses of a name that the app is known to use change as its operator likes.
    else if (!areContactsLearnt) return;
    else if (isCountryNew && (flow.nameSource === 'none' || strangeCountry)) this.#found(flow, app, countryFinding);
    else if (isNetworkNew && flow.nameSource === 'none') this.#found(flow, app, networkFinding);
  }

  #meetNewApp(app: string, contact: Contact): void {
    const other = this.#newApps.get(app);
    if (other === undefined || weight(contact) > weight(other)) this.#newApps.set(app, contact);
  }

  #found(flow: Met, app: string, findingOf: (contact: Contact) => Found): void {
    this.#tell(contactOf(flow, app), findingOf);
  }

  #tell(contact: Contact, findingOf: (contact: Contact) => Found): void {
    this.#report({ ...findingOf(contact), subject: contact.subject, quietMs: DAY_MS, needsBaseline: true });
  }

  /** Notes where an app runs from. @returns true if it is another place than before */
  #learnPlace(app: string, exe: string | null): boolean {
    const known = this.#baseline.app(app);
    if (known === null || exe === null) return false;
    const place = placeOf(exe);
    if (known.places.includes(place) || known.places.length >= PLACES) return false;
    known.places.push(place);
    return known.places.length > 1;
  }
}

/** True for a name that somebody asked for: mDNS and reverse names are what a host says of itself. */
function isAskedName(source: string): boolean {
  return source !== 'mdns' && source !== 'ptr';
}

/** How much a contact tells of an app. */
function weight({ asked, isNamed, isOutside }: Contact): number {
  return isNamed ? 3 : asked !== null ? 2 : isOutside ? 1 : 0;
}

type Found = Omit<Finding, 'subject' | 'quietMs' | 'needsBaseline'>;

function copyOf(flow: WatchFlow): Met {
  const { local, remote } = flow;
  return {
    app: flow.app,
    exe: flow.exe,
    pid: flow.pid,
    user: flow.user,
    process: flow.process,
    host: flow.host,
    domain: flow.domain,
    nameSource: flow.nameSource,
    local: { address: local.address, port: local.port },
    remote: { address: remote.address, port: remote.port },
    protocol: flow.protocol,
    direction: flow.direction,
    country: flow.country,
    asn: flow.asn,
    network: flow.network,
    asked: flow.asked,
    firstSeen: flow.firstSeen,
    isOutside: flow.isOutside,
    isAnswered: flow.isAnswered,
  };
}

/** What was used of whom: `tcp/443`. */
function serviceOf({ direction, protocol, local, remote }: Met): string {
  const port = direction === 'inbound' ? local.port : remote.port;
  return port === 0 ? protocol : `${protocol}/${port}`;
}

function contactOf(flow: Met, app: string): Contact {
  const subject = subjectOf(flow);
  return {
    subject,
    app,
    parent: flow.process?.ancestors.at(-1)?.name ?? null,
    domain: flow.domain,
    isNamed: flow.nameSource !== 'none',
    country: flow.country,
    asn: flow.asn,
    network: flow.network,
    isInbound: flow.direction === 'inbound',
    isOutside: flow.isOutside,
    remote: flow.remote.address,
    service: serviceOf(flow),
    nameSource: flow.nameSource,
    asked: flow.remote.port === 53 ? (flow.asked?.name ?? null) : null,
    time: flow.firstSeen,
  };
}

function appFinding(contact: Contact, baseline: Baseline): Found {
  const { subject, app, isInbound, asked } = contact;
  const way = isInbound
    ? `when ${subject.host} connected to it`
    : asked === null
      ? `to reach ${subject.host}`
      : `to look up ${sanitize(asked)}`;
  const others = baseline.appCount - 1;
  return {
    kind: 'new-app',
    cause: app,
    text: `${subject.app} used the network for the first time, ${way}.`,
    details: [
      ...whoLines(contact),
      ...whereLines(contact),
      ...(others > 0 ? [`known until now: ${several(others, 'other app')}`] : []),
    ],
  };
}

function placeFinding(contact: Contact, baseline: Baseline): Found {
  const { subject, app } = contact;
  const before = (baseline.app(app)?.places ?? []).slice(0, -1).map((place) => sanitize(place));
  return {
    kind: 'new-app',
    cause: `${app} ${subject.exe}`,
    text: `${subject.app} ran from a new place: same name, but now ${subject.exe}.`,
    details: [...whoLines(contact), ...whereLines(contact), `places until now: ${before.join(', ')}`],
  };
}

function inboundFinding(contact: Contact): Found {
  const { subject, app, service } = contact;
  return {
    kind: 'new-inbound',
    cause: `${app} ${service}`,
    text: `${subject.app} accepted a connection from outside this network for the first time, on ${service}.`,
    details: [...whereLines(contact), ...whoLines(contact), 'until now nobody outside this network had connected to it there'],
  };
}

function domainFinding(contact: Contact, baseline: Baseline, isCountryNew: boolean, isNetworkNew: boolean): Found {
  const { subject, app, domain } = contact;
  const known = baseline.app(app);
  const before = (known?.domains ?? 1) - 1;
  return {
    kind: 'new-domain',
    cause: `${app} ${domain}`,
    text: `${subject.app} reached ${subject.domain} for the first time.`,
    details: [
      ...whereLines(contact),
      ...whoLines(contact),
      ...(isCountryNew ? [`its first contact with ${countryName(contact.country ?? '')}`] : []),
      ...(isNetworkNew ? ['its first contact with that network'] : []),
      before === 0
        ? 'it had reached no other domain'
        : `it had reached ${several(before, 'other domain')} since ${day(known?.first ?? contact.time)}`,
    ],
  };
}

function countryFinding(contact: Contact): Found {
  const { subject, app, country } = contact;
  return {
    kind: 'new-country',
    cause: `${app} ${country}`,
    text: `${subject.app} reached ${countryName(country ?? '')} for the first time: ${subject.host}.`,
    details: [...whereLines(contact), ...whoLines(contact)],
  };
}

function networkFinding(contact: Contact): Found {
  const { subject, app, asn, network } = contact;
  return {
    kind: 'new-network',
    cause: `${app} AS${asn}`,
    text: `${subject.app} reached a new network, AS${asn}${network === null ? '' : ` (${sanitize(network)})`}: ${subject.host}.`,
    details: [...whereLines(contact), ...whoLines(contact)],
  };
}

function whoLines({ subject, parent }: Contact): string[] {
  const process = `pid ${subject.pid ?? 'unknown'}, user ${subject.user ?? 'unknown'}`;
  return [`path: ${subject.exe ?? 'unknown'}`, parent === null ? process : `${process}, started by ${sanitize(parent)}`];
}

function whereLines({ remote, service, isInbound, isNamed, nameSource, country, asn, network }: Contact): string[] {
  const place = [country === null ? '' : countryName(country), asn === null ? '' : `AS${asn}`, network ?? ''].filter(
    (text) => text !== '',
  );
  const name = isNamed ? `, named by ${nameSource}` : ', without a name';
  return [
    `${isInbound ? 'from' : 'to'} ${remote}${isInbound ? ` on ${service}` : `, ${service}`}${name}`,
    ...(place.length === 0 ? [] : [`network: ${sanitize(place.join(', '))}`]),
  ];
}
