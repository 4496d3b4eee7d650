// Finds what leaves the policy, as it happens: each app and host is judged once, when its name is known or can no longer be expected.

import { type Policy, type Rule, WEAK_NAMES } from '../model/policy.ts';
import { ENCRYPTED_HELLO } from '../model/terms.ts';
import type { WatchedTick, WatchFlow } from '../model/watch.ts';
import { counted } from '../net/counted.ts';
import { type Detector, type Report, type Subject, type SubjectFacts, subjectOf } from './finding.ts';
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
/** Findings of a tick; more than any run raises. */
const MOST_A_TICK = 100;
/** Entries that an alert lists. */
const MOST_LISTED = 5;

/** What is told of a flow. */
type FlowCopy = SubjectFacts & Pick<WatchFlow, 'protocol' | 'nameSource' | 'firstSeen'>;

/** What is kept of a flow that waits for its name, for it must not be held. */
interface Waiting {
  readonly reached: Reached;
  readonly flow: FlowCopy;
  /** Time of the tick before it, epoch ms. */
  readonly since: number;
}

/** Judges contacts. */
export class PolicyDrift implements Detector {
  readonly #policy: () => Policy;
  readonly #report: Report;
  /** Contacts without a name, oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  #time = Number.NEGATIVE_INFINITY;
  #started = Number.NEGATIVE_INFINITY;
  #found = 0;

  /** @param policy the policy in force: it may be added to */
  constructor(policy: () => Policy, report: Report) {
    this.#policy = policy;
    this.#report = report;
  }

  met(flow: WatchFlow): void {
    if (flow.app === null || flow.direction !== 'outbound') return;
    const reached = reachedBy(flow, flow.app);
    const key = `${flow.app}\0${reached.address}\0${reached.port}\0${flow.protocol}`;
    if (reached.name !== null || reached.hidden !== null) {
      this.#waiting.delete(key);
      const judgement = this.#judge(reached);
      if (judgement !== null) this.#tell(reached, judgement, flow);
    } else if (!this.#waiting.has(key)) {
      const { app, process, exe, pid, user, host, domain, protocol, nameSource, firstSeen } = flow;
      const copy = { app, process, exe, pid, user, host, domain, protocol, nameSource, firstSeen };
      this.#waiting.set(key, { reached, flow: copy, since: this.#time });
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
    this.#found = 0;
  }

  #end(key: string, { reached, flow }: Waiting): void {
    this.#waiting.delete(key);
    const isEarly = flow.protocol !== 'tcp' && flow.firstSeen < this.#started + START_MS;
    const judgement = this.#judge(isEarly ? { ...reached, hidden: BEGAN_BEFORE } : reached);
    if (judgement !== null) this.#tell(reached, judgement, flow);
  }

  /** @returns null unless it is drift */
  #judge(reached: Reached): Judgement | null {
    const policy = this.#policy();
    const judgement = judge(policy, reached);
    return isDrift(policy, reached.app, judgement.verdict) ? judgement : null;
  }

  #tell(reached: Reached, judgement: Judgement, flow: FlowCopy): void {
    if (++this.#found > MOST_A_TICK) return;
    const { app } = reached;
    const subject = subjectOf(flow);
    this.#report({
      kind: 'policy',
      subject,
      cause: judgement.verdict === 'undeclared' ? app : `${app} ${subject.host}`,
      quietMs: DAY_MS,
      text: sentence(subject, judgement),
      details: [whereLine(flow, reached), allowedLine(this.#policy().apps.get(app)?.allow ?? [])],
      needsBaseline: false,
    });
  }
}

function reachedBy(flow: WatchFlow, app: string): Reached {
  const { address, port } = flow.remote;
  const isWeak = WEAK_NAMES.includes(flow.nameSource);
  return { app, name: isWeak ? null : flow.host, address, port, asn: flow.asn, hidden: isWeak ? hiddenName(flow) : null };
}

function hiddenName({ nameReason, isWhole }: WatchFlow): string | null {
  if (nameReason === ENCRYPTED_HELLO) return nameReason;
  return isWhole ? null : BEGAN_BEFORE;
}

function sentence({ app, host }: Subject, { verdict, rule, reason }: Judgement): string {
  if (verdict === 'undeclared') return `${app} reached ${host}, and the policy doesn't list ${app}.`;
  if (verdict === 'network') return `${app} reached ${host}, which its policy allows only as part of ${rule}.`;
  if (verdict === 'unjudged') return `${app} reached ${host}, which its policy can't judge: ${reason}.`;
  return `${app} reached ${host}, which its policy doesn't allow.`;
}

function whereLine({ protocol, nameSource }: FlowCopy, { address, port, name }: Reached): string {
  const service = port === 0 ? protocol : `${protocol}/${port}`;
  return `to ${address}, ${service}, ${name === null ? 'without a name' : `named by ${nameSource}`}`;
}

function allowedLine(rules: readonly Rule[]): string {
  if (rules.length === 0) return 'allowed: nothing';
  const listed = rules.slice(0, MOST_LISTED).map(({ text }) => text);
  const left = rules.length - listed.length;
  return `allowed: ${listed.join(', ')}${left > 0 ? ` and ${counted(left, 'more entry', 'more entries')}` : ''}`;
}
