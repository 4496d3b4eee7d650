// Finds data in the names that DNS is asked for: many different long names under one domain. It reads what flows asked last, once a tick.

import type { Asked } from '../model/terms.ts';
import type { WatchedTick, WatchFlow } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';
import { type Detector, type Report, subjectOf } from './finding.ts';

const WINDOW_MS = 600_000;
/** A name is long with so many characters, or with a label of so many. */
const LONG = 100;
const LONG_LABEL = 40;
/** So many different ones are data. */
const MANY = 60;
const MOST_DOMAINS = 256;
/** Flows of which is known how much they had asked. */
const MOST_FLOWS = 1024;
/** Long names of a domain that are told apart. */
const MOST_NAMES = 256;
const QUIET_MS = 6 * 3_600_000;

interface Domain {
  begun: number;
  readonly names: Set<string>;
  /** Names that a flow asked between those that were read. */
  between: number;
}

/** Counts long names by domain. */
export class DnsTunnels implements Detector {
  readonly #report: Report;
  readonly #domains = new Map<string, Domain>();
  /** Names that a flow had asked, by when it began and its port. */
  readonly #flows = new Map<number, number>();
  #last = new WeakSet<Asked>();
  #now = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  tick({ time }: WatchedTick): void {
    this.#now = time;
  }

  asked(flow: WatchFlow): void {
    const { asked } = flow;
    if (asked === null || this.#last.has(asked)) return;
    this.#last.add(asked);
    const more = this.#more(flow, asked);
    if (!isLong(asked.name)) return;
    const name = domainOf(asked.name);
    const domain = this.#domain(name);
    if (domain.names.size < MOST_NAMES) domain.names.add(asked.name);
    domain.between += more;
    if (domain.names.size + domain.between >= MANY && domain.names.size > 2) this.#found(flow, asked, name, domain);
  }

  /** Names that the flow asked since it was last looked at, but for the one that is read. */
  #more({ firstSeen, local }: WatchFlow, { names }: Asked): number {
    const key = firstSeen * 65_536 + local.port;
    const before = this.#flows.get(key) ?? 0;
    this.#flows.delete(key);
    this.#flows.set(key, names);
    if (this.#flows.size > MOST_FLOWS) this.#flows.delete(this.#flows.keys().next().value as number);
    return Math.max(0, names - before - 1);
  }

  #domain(name: string): Domain {
    const known = this.#domains.get(name);
    if (known !== undefined && Math.abs(this.#now - known.begun) <= WINDOW_MS) return known;
    this.#domains.delete(name);
    if (this.#domains.size >= MOST_DOMAINS) this.#domains.delete(this.#domains.keys().next().value as string);
    const made = { begun: this.#now, names: new Set<string>(), between: 0 };
    this.#domains.set(name, made);
    return made;
  }

  #found(flow: WatchFlow, { name }: Asked, under: string, domain: Domain): void {
    const subject = { ...subjectOf(flow), domain: sanitize(under) };
    const who = subject.app ?? 'Somebody';
    this.#report({
      kind: 'dns-tunnel',
      subject,
      cause: under,
      quietMs: QUIET_MS,
      text: `${who} asked DNS for ${domain.names.size + domain.between} long names under ${subject.domain} within ten minutes.`,
      details: [
        `the last one: ${sanitize(name)}`,
        `asked of ${flow.remote.address}`,
        `expected: fewer than ${MANY} names of this length; more may carry data out`,
      ],
      needsBaseline: false,
    });
  }
}

function isLong(name: string): boolean {
  if (name.length >= LONG) return true;
  for (let from = 0; from < name.length; ) {
    const dot = name.indexOf('.', from);
    const end = dot < 0 ? name.length : dot;
    if (end - from >= LONG_LABEL) return true;
    from = end + 1;
  }
  return false;
}

/** The last two labels; three below a short second level such as co.uk. */
function domainOf(name: string): string {
  const labels = name.toLowerCase().split('.');
  const [second = '', top = ''] = labels.slice(-2);
  return labels.slice(top.length === 2 && second.length <= 3 ? -3 : -2).join('.');
}
