// Decides which category a flow is in, and explains why. It runs once per flow and caches the rulings of hosts and apps.

import { LRUCache } from 'lru-cache';
import type { AddressScope } from '../../net/address.ts';
import { serviceName } from '../../net/services.ts';
import type { Ruling } from './category.ts';
import { categoryIndex } from './category.ts';
import { type DomainRules, domainRules, type NameRules, nameRules } from './rules.ts';
import { type UserCategories, UserRules } from './user-rules.ts';

/** What is known about a flow; null is unknown. Texts may come from outside and contain anything. */
export interface CategoryFacts {
  /** Name of the remote end, not its address. */
  readonly host: string | null;
  readonly app: string | null;
  readonly exe: string | null;
  /** Its application, by content or port. */
  readonly application: string | null;
  /** `tcp`, `udp`, `icmp` ... */
  readonly protocol: string;
  /** The server's port; 0 if there is none. */
  readonly port: number;
  /** Scope of the remote address. */
  readonly scope: AddressScope;
}

/** A ruling with the category's name. */
export interface CategoryExplanation extends Omit<Ruling, 'category'> {
  readonly category: string;
}

interface HostRulings {
  readonly user: Ruling | null;
  readonly domain: Ruling | null;
  readonly shared: Ruling | null;
}

interface AppRulings {
  readonly user: Ruling | null;
  readonly app: Ruling | null;
  readonly browser: Ruling | null;
}

const HOSTS_KEPT = 8192;
const APPS_KEPT = 1024;
const NO_HOST: HostRulings = { user: null, domain: null, shared: null };
const NO_APP: AppRulings = { user: null, app: null, browser: null };
const OTHER: Ruling = { category: categoryIndex('Other'), rule: 'nothing known', source: 'default' };
const LOCAL = new Map<AddressScope, Ruling>(
  (['loopback', 'link-local', 'private', 'shared', 'multicast', 'broadcast', 'unspecified'] as const).map((scope) => [
    scope,
    { category: categoryIndex('System and local network'), rule: `${scope} address`, source: 'default' },
  ]),
);

/**
 * Decides in this order: the user's entries (host, then app), our domains (the longest suffix), trackers, the app, the application or IP
 * protocol, the port if no application is known, a local address, domains that many services share, generic carriers (HTTPS, a browser), else
 * Other.
 */
export class Categories {
  /** The built-in names, then the user's. */
  readonly names: readonly string[];
  readonly #user: UserRules;
  readonly #domains: DomainRules = domainRules();
  readonly #byName: NameRules = nameRules();
  /** Bounded by `maxSize` with entries of size 1: with `max`, lru-cache would allocate everything at once. */
  readonly #hosts = new LRUCache<string, HostRulings>({ maxSize: HOSTS_KEPT, sizeCalculation: () => 1 });
  readonly #apps = new LRUCache<string, AppRulings>({ maxSize: APPS_KEPT, sizeCalculation: () => 1 });
  readonly #steps: readonly ((facts: CategoryFacts) => Ruling | null | undefined)[];

  /** @throws NetmonError `usage` for too many words, see `UserRules` */
  constructor(userRules: UserCategories = {}) {
    this.#user = new UserRules(userRules);
    this.names = this.#user.names;
    const { applications, carriers } = this.#byName;
    this.#steps = [
      (facts) => this.#ofHost(facts).user,
      (facts) => this.#ofApp(facts).user,
      (facts) => this.#ofHost(facts).domain,
      (facts) => this.#ofApp(facts).app,
      ({ application, protocol }) => (application === null ? null : applications.get(application)) ?? applications.get(protocol),
      (facts) => byPort(facts, applications),
      ({ scope }) => LOCAL.get(scope),
      (facts) => this.#ofHost(facts).shared,
      ({ application }) => (application === null ? null : carriers.get(application)),
      (facts) => byPort(facts, carriers),
      (facts) => this.#ofApp(facts).browser,
    ];
  }

  /** Index into `names`. */
  decide(facts: CategoryFacts): number {
    for (const step of this.#steps) {
      const ruling = step(facts);
      if (ruling) return ruling.category;
    }
    return OTHER.category;
  }

  /** The rule that decides. */
  explain(facts: CategoryFacts): CategoryExplanation {
    return this.explainAll(facts)[0] as CategoryExplanation;
  }

  /** The rule that decides, then the rulings of less trusted sources. Never empty. */
  explainAll(facts: CategoryFacts): CategoryExplanation[] {
    return [...this.#steps.flatMap((step) => step(facts) ?? []), OTHER].map(({ category, rule, source }) => ({
      category: this.names[category] as string,
      rule,
      source,
    }));
  }

  #ofHost({ host }: CategoryFacts): HostRulings {
    if (host === null || host === '') return NO_HOST;
    const known = this.#hosts.get(host);
    if (known !== undefined) return known;
    const name = host.replace(/\.$/, '').toLowerCase();
    const { own, trackers, shared } = this.#domains;
    const found = { user: this.#user.ofHost(name), domain: own.find(name) ?? trackers.find(name), shared: shared.find(name) };
    this.#hosts.set(host, found);
    return found;
  }

  #ofApp({ app, exe }: CategoryFacts): AppRulings {
    if (app === null && exe === null) return NO_APP;
    const key = `${app}\0${exe}`;
    const known = this.#apps.get(key);
    if (known !== undefined) return known;
    const shown = app?.toLowerCase() ?? '';
    const file = exe?.slice(exe.lastIndexOf('/') + 1).toLowerCase() ?? '';
    const { apps, browsers } = this.#byName;
    const found = {
      user: shown === '' ? null : this.#user.ofApp(shown),
      app: apps.get(shown) ?? apps.get(file) ?? null,
      browser: browsers.get(shown) ?? browsers.get(file) ?? null,
    };
    this.#apps.set(key, found);
    return found;
  }
}

/** Rule for the port's usual service; null if the application is known. */
function byPort({ application, protocol, port }: CategoryFacts, rules: ReadonlyMap<string, Ruling>): Ruling | null {
  if (application !== null) return null;
  const service = serviceName(protocol, port);
  const ruling = service === null ? undefined : rules.get(service);
  return ruling === undefined
    ? null
    : { category: ruling.category, rule: `port ${port}/${protocol} (${service})`, source: 'port' };
}
