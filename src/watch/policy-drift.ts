// Finds what leaves the policy, as it happens: each app and host is judged once, when its name is known or can no longer be expected.

import { type Policy, type Rule, WEAK_NAMES } from '../model/policy.ts';
import { ENCRYPTED_HELLO } from '../model/terms.ts';
import type { WatchedTick, WatchFlow } from '../model/watch.ts';
import { counted } from '../net/counted.ts';
import { type Detector, type Report, type Subject, subjectOf } from './finding.ts';
import { isDrift, type Judgement, judge, type Reached } from './policy.ts';

/** Anything but TCP that is seen this soon after the start may have begun before it. */
const START_MS = 3000;
/** How long a contact without a name is waited for: its hello may come late. */
const NAME_MS = 5000;
/** Contacts that wait for a name; of more, the oldest is judged without. */
const MOST_WAITING = 1024;
/** Why a name can't be known. */
const BEGAN_BEFORE = 'it began before the run';
const DAY_MS = 86_400_000;
/** Entries that an alert lists. */
const MOST_LISTED = 5;

/** What is kept of a flow, for it must not be held. */
interface Contact extends Reached {
  readonly subject: Subject;
  /** `tcp/443` */
  readonly service: string;
  readonly nameSource: string;
  readonly isTcp: boolean;
  readonly firstSeen: number;
  /** Time of the tick before it, epoch ms. */
  readonly since: number;
}

/** Judges contacts. */
export class PolicyDrift implements Detector {
  readonly #policy: () => Policy;
  readonly #report: Report;
  /** Contacts without a name, oldest first. */
  readonly #waiting = new Map<string, Contact>();
  #time = Number.NEGATIVE_INFINITY;
  #started = Number.NEGATIVE_INFINITY;

  /** @param policy the policy in force: it may be added to */
  constructor(policy: () => Policy, report: Report) {
    this.#policy = policy;
    this.#report = report;
  }

  met(flow: WatchFlow): void {
    if (flow.app === null || flow.direction !== 'outbound') return;
    const contact = contactOf(flow, flow.app, this.#time);
    const key = `${contact.app}\0${contact.address}\0${contact.service}`;
    if (contact.name !== null || contact.hidden !== null) {
      this.#waiting.delete(key);
      this.#judge(contact);
    } else if (!this.#waiting.has(key)) {
      this.#waiting.set(key, contact);
      const [oldest] = this.#waiting;
      if (this.#waiting.size > MOST_WAITING && oldest !== undefined) this.#end(...oldest);
    }
  }

  tick({ time, started }: WatchedTick): void {
    this.#time = time;
    this.#started = started;
    for (const [key, contact] of this.#waiting) {
      if (contact.since > time - NAME_MS && contact.since <= time) break;
      this.#end(key, contact);
    }
  }

  #end(key: string, contact: Contact): void {
    this.#waiting.delete(key);
    const isEarly = !contact.isTcp && contact.firstSeen < this.#started + START_MS;
    this.#judge(isEarly ? { ...contact, hidden: BEGAN_BEFORE } : contact);
  }

  #judge(contact: Contact): void {
    const policy = this.#policy();
    const judgement = judge(policy, contact);
    if (!isDrift(policy, contact.app, judgement.verdict)) return;
    const isUndeclared = judgement.verdict === 'undeclared';
    this.#report({
      kind: 'policy',
      subject: contact.subject,
      cause: isUndeclared ? contact.app : `${contact.app} ${contact.subject.host}`,
      quietMs: DAY_MS,
      text: sentence(contact, judgement),
      details: [whereLine(contact), allowedLine(policy.apps.get(contact.app)?.allow ?? [])],
      needsBaseline: false,
    });
  }
}

function contactOf(flow: WatchFlow, app: string, since: number): Contact {
  const { address, port } = flow.remote;
  const isWeak = WEAK_NAMES.includes(flow.nameSource);
  return {
    app,
    name: isWeak ? null : flow.host,
    address,
    port,
    asn: flow.asn,
    hidden: isWeak ? hiddenName(flow) : null,
    subject: subjectOf(flow),
    service: port === 0 ? flow.protocol : `${flow.protocol}/${port}`,
    nameSource: flow.nameSource,
    isTcp: flow.protocol === 'tcp',
    firstSeen: flow.firstSeen,
    since,
  };
}

function hiddenName({ nameReason, isWhole }: WatchFlow): string | null {
  if (nameReason === ENCRYPTED_HELLO) return nameReason;
  return isWhole ? null : BEGAN_BEFORE;
}

function sentence({ subject: { app, host } }: Contact, { verdict, rule, reason }: Judgement): string {
  if (verdict === 'undeclared') return `${app} reached ${host}, and the policy doesn't list ${app}.`;
  if (verdict === 'network') return `${app} reached ${host}, which only ${rule} of its policy fits.`;
  if (verdict === 'unjudged') return `${app} reached ${host}, which its policy can't judge: ${reason}.`;
  return `${app} reached ${host}, which its policy doesn't allow.`;
}

function whereLine({ address, service, name, nameSource }: Contact): string {
  return `to ${address}, ${service}, ${name === null ? 'without a name' : `named by ${nameSource}`}`;
}

function allowedLine(rules: readonly Rule[]): string {
  if (rules.length === 0) return 'allowed: nothing';
  const listed = rules.slice(0, MOST_LISTED).map(({ text }) => text);
  const left = rules.length - listed.length;
  return `allowed: ${listed.join(', ')}${left > 0 ? ` and ${counted(left, 'more entry', 'more entries')}` : ''}`;
}
