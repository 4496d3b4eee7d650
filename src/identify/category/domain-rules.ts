// The rules for domains that come with the program: ours, what many services share, and the trackers of others. Read once, when first asked.

import { categoryIndex } from './category-names.ts';
import { domainLines } from './rule-text.ts';
import { LEISURE_DOMAINS } from './rules/leisure-domains.ts';
import { MACHINE_DOMAINS } from './rules/machine-domains.ts';
import { WEB_DOMAINS } from './rules/web-domains.ts';
import { WORK_DOMAINS } from './rules/work-domains.ts';
import type { Ruling } from './ruling.ts';
import { SuffixTable } from './suffix-table.ts';
import { TRACKERS } from './trackers.ts';

/** The three tables. */
export interface DomainRules {
  readonly own: SuffixTable<Ruling>;
  /** Delivery networks and the like: asked only where nothing else is known. */
  readonly shared: SuffixTable<Ruling>;
  readonly trackers: SuffixTable<Ruling>;
}

let rules: DomainRules | null = null;

/** Rules for domains; the same object at each call. */
export function domainRules(): DomainRules {
  if (rules !== null) return rules;
  const own = new SuffixTable<Ruling>();
  const shared = new SuffixTable<Ruling>();
  for (const text of [LEISURE_DOMAINS, WORK_DOMAINS, MACHINE_DOMAINS, WEB_DOMAINS])
    for (const line of domainLines(text)) {
      const ruling: Ruling = { category: line.category, rule: `${line.suffix} (${line.service})`, source: 'domain' };
      (line.shared ? shared : own).add(line.suffix, ruling);
    }
  const trackers = new SuffixTable<Ruling>();
  const category = categoryIndex('Ads and trackers');
  for (const word of TRACKERS.trim().split(/\s+/)) {
    const suffix = word.replace('=', '');
    const ruling: Ruling = { category, rule: `${suffix} (third-party-web)`, source: 'domain' };
    if (word === suffix) trackers.add(suffix, ruling);
    else trackers.addExact(suffix, ruling);
  }
  rules = { own, shared, trackers };
  return rules;
}
