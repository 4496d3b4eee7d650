// The built-in rules: domains, domains that many services share, trackers, and names of apps and applications. Parsed once, on first use.

import { readOwnFile } from '../../system/own-files.ts';
import { CATEGORY_NAMES, type CategoryName, categoryIndex, type Ruling } from './category.ts';
import { APP_RULES, APPLICATION_RULES } from './rules/app-rules.ts';
import { LEISURE_DOMAINS } from './rules/leisure-domains.ts';
import { MACHINE_DOMAINS } from './rules/machine-domains.ts';
import { WEB_DOMAINS } from './rules/web-domains.ts';
import { WORK_DOMAINS } from './rules/work-domains.ts';
import { SuffixTable } from './suffix-table.ts';

/** Tables of domains. */
export interface DomainRules {
  readonly own: SuffixTable<Ruling>;
  /** Delivery networks and the like, which count only if nothing else is known. */
  readonly shared: SuffixTable<Ruling>;
  readonly trackers: SuffixTable<Ruling>;
}

const TRACKERS = 'data/trackers.txt';
const TRACKER = /^=?[a-z0-9-]+(\.[a-z0-9-]+)+$/;

let domainRulesRead: DomainRules | null = null;

/** Rules for domains. Every call returns the same object. */
export function domainRules(): DomainRules {
  if (domainRulesRead !== null) return domainRulesRead;
  const own = new SuffixTable<Ruling>();
  const shared = new SuffixTable<Ruling>();
  for (const text of [LEISURE_DOMAINS, WORK_DOMAINS, MACHINE_DOMAINS, WEB_DOMAINS])
    for (const line of domainLines(text)) {
      const ruling: Ruling = { category: line.category, rule: `${line.suffix} (${line.service})`, source: 'domain' };
      (line.shared ? shared : own).add(line.suffix, ruling);
    }
  const trackers = new SuffixTable<Ruling>();
  const category = categoryIndex('Ads and trackers');
  for (const word of trackerLines(() => readOwnFile(TRACKERS))) {
    const suffix = word.replace('=', '');
    const ruling: Ruling = { category, rule: `${suffix} (third-party-web)`, source: 'domain' };
    if (word === suffix) trackers.add(suffix, ruling);
    else trackers.addExact(suffix, ruling);
  }
  domainRulesRead = { own, shared, trackers };
  return domainRulesRead;
}

/** Trackers' suffixes, as scripts/build-trackers.mjs writes them; invalid lines are skipped. Empty if the file can't be read. */
export function trackerLines(read: () => Buffer): string[] {
  try {
    return read()
      .toString('utf8')
      .split('\n')
      .filter((line) => TRACKER.test(line));
  } catch {
    return [];
  }
}

/** Rulings by name. Those of `[Web]` are separate: a browser and HTTPS carry anything, so they count last. */
export interface NameRules {
  /** Apps by name in lower case. */
  readonly apps: ReadonlyMap<string, Ruling>;
  readonly browsers: ReadonlyMap<string, Ruling>;
  readonly applications: ReadonlyMap<string, Ruling>;
  readonly carriers: ReadonlyMap<string, Ruling>;
}

let nameRulesRead: NameRules | null = null;

/** Rules for names. Every call returns the same object. */
export function nameRules(): NameRules {
  if (nameRulesRead !== null) return nameRulesRead;
  const apps = new Map<string, Ruling>();
  const browsers = new Map<string, Ruling>();
  const applications = new Map<string, Ruling>();
  const carriers = new Map<string, Ruling>();
  const web = categoryIndex('Web');
  for (const { category, name } of nameLines(APP_RULES))
    (category === web ? browsers : apps).set(name.toLowerCase(), { category, rule: `app ${name}`, source: 'app' });
  for (const { category, name } of nameLines(APPLICATION_RULES))
    (category === web ? carriers : applications).set(name, { category, rule: `application ${name}`, source: 'application' });
  nameRulesRead = { apps, browsers, applications, carriers };
  return nameRulesRead;
}

/** A parsed domain rule. */
interface DomainLine {
  readonly category: number;
  /** Under a heading `[X, shared]`. */
  readonly shared: boolean;
  readonly service: string;
  readonly suffix: string;
}

/** Domains of a rule text. @throws Error if the text is malformed, which a test rules out since it is our own */
export function* domainLines(text: string): Generator<DomainLine> {
  let service = '';
  for (const { category, shared, line } of lines(text)) {
    const [, head, rest] = /^(?:(\S.*?):(?= |$))?(.*)$/.exec(line) as unknown as [string, string | undefined, string];
    service = head ?? service;
    for (const word of rest.split(' ')) {
      if (word === '') continue;
      for (const suffix of expanded(word)) yield { category, shared, service, suffix };
    }
  }
}

/** Comma-separated names, with their category. */
export function* nameLines(text: string): Generator<{ readonly category: number; readonly name: string }> {
  for (const { category, line } of lines(text)) for (const name of line.split(',')) yield { category, name: name.trim() };
}

/** Expands `{a,b}.example` to `a.example` and `b.example`. */
function expanded(word: string): string[] {
  const match = /^([^{}]*)\{([^{}]+)\}([^{}]*)$/.exec(word);
  if (match === null) return [word];
  return (match[2] as string).split(',').map((part) => `${match[1]}${part}${match[3]}`);
}

function* lines(text: string): Generator<{ category: number; shared: boolean; line: string }> {
  let category = -1;
  let shared = false;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const heading = /^\[(.+?)(, shared)?\]$/.exec(line);
    if (heading === null) yield { category, shared, line };
    else {
      const name = heading[1] as CategoryName;
      if (!CATEGORY_NAMES.includes(name)) throw new Error(`no such category: ${name}`);
      category = categoryIndex(name);
      shared = heading[2] !== undefined;
    }
  }
}
