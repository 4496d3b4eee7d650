// Finds what is new about whom an app talks to: a new app, an app at a new place, a new domain, country or network, a first caller from outside.
// One contact is one finding, the most telling one; what else is new about it stands in the details. Contacts are learnt whatever is found.

import type { WatchFlow } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';
import { type Baseline, PLACES, placeOf } from './baseline.ts';
import { type Detector, type Finding, type Report, type Subject, subjectOf } from './finding.ts';
import { countryName, day } from './words.ts';

/** A domain that so many other apps reached is common: no finding. */
const COMMON = 3;
/** An app that reached so many domains goes wherever its user sends it, as a browser does: another domain is no finding. */
const ROAMS = 40;
/** Contacts that wait for history. */
const MOST_WAITING = 2048;
/** Without history, an app is known after so much of the run. */
const RUN_MS = 60_000;
const DAY_MS = 86_400_000;

/** What is kept of a flow, for it must not be held. */
interface Contact {
  readonly subject: Subject;
  readonly app: string;
  readonly exe: string | null;
  readonly parent: string | null;
  readonly domain: string | null;
  readonly isNamed: boolean;
  readonly country: string | null;
  readonly asn: number | null;
  readonly network: string | null;
  readonly isInbound: boolean;
  readonly isAnswered: boolean;
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
  #waiting: Contact[] = [];
  /** The most telling contact of each app that is new in this tick: nobody wants to hear of its resolver. */
  readonly #newApps = new Map<string, Contact>();

  constructor(baseline: Baseline, report: Report) {
    this.#baseline = baseline;
    this.#report = report;
  }

  met(flow: WatchFlow): void {
    if (flow.app === null) return;
    if (this.#baseline.knowledge !== 'waiting') this.#meet(contactOf(flow, flow.app));
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(contactOf(flow, flow.app));
  }

  tick(): void {
    if (this.#baseline.knowledge === 'waiting') return;
    for (const contact of this.#waiting) this.#meet(contact);
    this.#waiting = [];
    for (const contact of this.#newApps.values()) this.#found(contact, appFinding(contact, this.#baseline));
    this.#newApps.clear();
  }

  #meet(contact: Contact): void {
    const { app, domain, country, asn, isOutside, time } = contact;
    const baseline = this.#baseline;
    const isAppNew = baseline.learnApp(app, time);
    const isPlaceNew = this.#learnPlace(contact) && !isAppNew;
    const isCalled = contact.isInbound && contact.isAnswered && isOutside;
    // Whoever calls from outside chooses who is met: only that an app is reachable at all is a fact about the app.
    const isInboundNew = isCalled && baseline.learnContact('inbound', app, contact.service, time);
    const reaches = !contact.isInbound && isOutside;
    const commonness = domain === null ? 0 : baseline.spreadOf(domain);
    const isDomainNew =
      !contact.isInbound && domain !== null && isAskedName(contact.nameSource) && baseline.learnDomain(app, domain);
    const strangeCountry = country !== null && baseline.spreadOfContact('country', country) === 0;
    const isCountryNew = reaches && country !== null && baseline.learnContact('country', app, country, time);
    const isNetworkNew = reaches && asn !== null && baseline.learnContact('network', app, `AS${asn}`, time);
    if (baseline.isFirstMinute) return;
    const { areContactsLearnt } = baseline;
    const other = this.#newApps.get(app);
    if (isAppNew) this.#newApps.set(app, contact);
    else if (other !== undefined) {
      if (weight(contact) > weight(other)) this.#newApps.set(app, contact);
    } else if (isPlaceNew) this.#found(contact, placeFinding(contact, baseline));
    else if (isInboundNew && areContactsLearnt) this.#found(contact, inboundFinding(contact));
    // Below, what is usual for this app matters, and of an app that is new that is not known yet.
    else if (!baseline.isAppLearnt(app, baseline.knowledge === 'run' ? RUN_MS : undefined)) return;
    else if (isDomainNew && commonness < COMMON && (baseline.app(app)?.domains ?? 0) <= ROAMS)
      this.#found(contact, domainFinding(contact, baseline, isCountryNew, isNetworkNew));
    // The addresses of a name that the app is known to use change as its operator likes.
    else if (!areContactsLearnt) return;
    else if (isCountryNew && (!contact.isNamed || strangeCountry)) this.#found(contact, countryFinding(contact));
    else if (isNetworkNew && !contact.isNamed) this.#found(contact, networkFinding(contact));
  }

  #found({ subject }: Contact, found: Omit<Finding, 'subject' | 'quietMs' | 'needsBaseline'>): void {
    this.#report({ ...found, subject, quietMs: DAY_MS, needsBaseline: true });
  }

  /** Notes where an app runs from. @returns true if it is another place than before */
  #learnPlace({ app, exe }: Contact): boolean {
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

function contactOf(flow: WatchFlow, app: string): Contact {
  const { process, isAnswered, isOutside } = flow;
  const isInbound = flow.direction === 'inbound';
  const { address, port } = flow.remote;
  const usedPort = isInbound ? flow.local.port : port;
  return {
    subject: subjectOf(flow),
    app,
    exe: process?.exe ?? flow.exe,
    parent: process?.ancestors.at(-1)?.name ?? null,
    domain: flow.domain,
    isNamed: flow.nameSource !== 'none',
    country: flow.country,
    asn: flow.asn,
    network: flow.network,
    isInbound,
    isAnswered,
    isOutside,
    remote: address,
    service: usedPort === 0 ? flow.protocol : `${flow.protocol}/${usedPort}`,
    nameSource: flow.nameSource,
    asked: port === 53 ? (flow.asked?.name ?? null) : null,
    time: flow.firstSeen,
  };
}

function appFinding(contact: Contact, baseline: Baseline): Found {
  const { subject, app, isInbound, asked } = contact;
  const way = isInbound
    ? `when ${subject.host} reached it`
    : asked === null
      ? `to reach ${subject.host}`
      : `to look up ${sanitize(asked)}`;
  const others = baseline.appCount - 1;
  return {
    kind: 'new-app',
    cause: app,
    text: `${subject.app} used the network for the first time, ${way}.`,
    details: [...whoLines(contact), ...whereLines(contact), ...(others > 0 ? [`known until now: ${others} other apps`] : [])],
  };
}

function placeFinding(contact: Contact, baseline: Baseline): Found {
  const { subject, app } = contact;
  const before = (baseline.app(app)?.places ?? []).slice(0, -1).map((place) => sanitize(place));
  return {
    kind: 'new-app',
    cause: `${app} ${subject.exe}`,
    text: `${subject.app} ran from a new place: same name, but ${subject.exe}.`,
    details: [...whoLines(contact), ...whereLines(contact), `places until now: ${before.join(', ')}`],
  };
}

function inboundFinding(contact: Contact): Found {
  const { subject, app, service } = contact;
  return {
    kind: 'new-inbound',
    cause: `${app} ${service}`,
    text: `${subject.app} accepted a connection from outside this network for the first time, on ${service}.`,
    details: [...whereLines(contact), ...whoLines(contact), 'until now nobody outside this network had reached it there'],
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
        : `it had reached ${before === 1 ? 'one other domain' : `${before} other domains`} since ${day(known?.first ?? contact.time)}`,
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
