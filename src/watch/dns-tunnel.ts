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
  /** Names that a flow asked between two of these that were read: most likely of the same kind. */
  between: number;
}

/** Counts long names by domain. */
export class DnsTunnels implements Detector {
  readonly #report: Report;
  readonly #domains = new Map<string, Domain>();
  /** By when a flow began and its port: how many names it had asked, and what the last one was under if it was long. */
  readonly #flows = new Map<number, { readonly names: number; readonly under: string }>();
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
    const name = isLong(asked.name) ? domainOf(asked.name) : '';
    const between = this.#between(flow, asked, name);
    if (name === '') return;
    const domain = this.#domain(name);
    if (domain.names.size < MOST_NAMES) domain.names.add(asked.name);
    domain.between += between;
    if (domain.names.size + domain.between >= MANY && domain.names.size > 2) this.#found(flow, asked, name, domain);
  }

  /** Names that the flow asked since it asked another one under the same domain; 0 if it asked something else last, as a resolver does. */
  #between({ firstSeen, local }: WatchFlow, { names }: Asked, under: string): number {
    const key = firstSeen * 65_536 + local.port;
    const before = this.#flows.get(key);
    this.#flows.delete(key);
    this.#flows.set(key, { names, under });
    if (this.#flows.size > MOST_FLOWS) this.#flows.delete(this.#flows.keys().next().value as number);
    return before === undefined || before.under !== under ? 0 : Math.max(0, names - before.names - 1);
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
