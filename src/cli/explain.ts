// `netmon-tui explain HOST`: which category a host is in, which rule decided it, and what the other rules would have said. Looks nothing up.

import { Categories, type CategoryExplanation } from '../identify/category/categories.ts';
import type { RuleSource } from '../identify/category/category.ts';
import { registrableDomain } from '../identify/name/domain.ts';
import type { PlaceRecord } from '../identify/place/database.ts';
import { type PlaceData, Places } from '../identify/place/places.ts';
import type { Options } from '../model/options.ts';
import { formatAddress, scopeOf } from '../net/address.ts';
import { sanitize } from '../net/text.ts';
import { typedHost } from './typed-host.ts';

/** What a host's name alone tells, or an address. */
export interface Explained {
  /** The name in ASCII, as DNS has it; null for an address. */
  readonly host: string | null;
  readonly address: string | null;
  readonly domain: string | null;
  readonly app: string | null;
  readonly port: number;
  /** The rule that decides, then the rules of less trusted sources. */
  readonly rulings: readonly CategoryExplanation[];
  /** null for a name, because names are not looked up. */
  readonly place: PlaceRecord | null;
  readonly placeData: readonly PlaceData[];
  /** What is wrong with the place files. */
  readonly note: string;
}

const SOURCES: Readonly<Record<Exclude<RuleSource, 'default'>, string>> = {
  user: 'your configuration',
  domain: 'the domain',
  app: 'the app',
  application: 'the protocol',
  port: 'the port',
};

/**
 * Explains a host name, an address, `HOST:PORT` or a URL. Without a port it stands for HTTPS.
 *
 * @throws NetmonError `usage` for anything else
 */
export function explainHost(typed: string, app: string | null, options: Pick<Options, 'categories' | 'place'>): Explained {
  const { name: host, address, port } = typedHost(typed, 'explain');
  const facts = {
    host,
    app,
    exe: null,
    application: port === null ? 'https' : null,
    protocol: 'tcp',
    port: port ?? 443,
    scope: address === null ? ('global' as const) : scopeOf(address),
  };
  const places = address === null ? null : Places.open(options.place, options.place.home);
  return {
    host,
    address: address === null ? null : formatAddress(address),
    domain: host === null ? null : registrableDomain(host),
    app,
    port: facts.port,
    rulings: new Categories(options.categories).explainAll(facts),
    place: places === null || address === null ? null : places.lookup(address, 0),
    placeData: places?.dates ?? [],
    note: places?.note ?? '',
  };
}

/** As a few lines of text, newline at the end. */
export function explainText(explained: Explained): string {
  const { host, address, domain, app, rulings, place, placeData, note } = explained;
  const [first, ...others] = rulings as [CategoryExplanation, ...CategoryExplanation[]];
  const lines = [row(host === null ? 'address' : 'host', (host ?? address) as string)];
  if (host !== null) lines.push(row('domain', domain ?? '-'));
  if (app !== null) lines.push(row('app', app));
  lines.push(row('category', first.category), row('because', ruleText(first)));
  for (const [at, other] of others.entries())
    lines.push(row(at === 0 ? 'otherwise' : '', `${other.category}: ${ruleText(other)}`));
  if (place !== null && placeData.length > 0) {
    const network = place.asn === null ? '' : ` AS${place.asn} ${place.network ?? ''}`;
    lines.push(row('place', `${place.country ?? ''}${network}`.trim() || 'unknown'));
    for (const { path, type, built } of placeData) lines.push(row('', `${type} of ${built ?? 'an unknown day'}, ${path}`));
  }
  if (note !== '') lines.push(row('note', note));
  return `${lines.join('\n')}\n`;
}

/** As one JSON object on a line. */
export function explainJson({ host, address, domain, app, port, rulings, place, placeData }: Explained): string {
  const [{ category, source, rule }, ...otherwise] = rulings as [CategoryExplanation, ...CategoryExplanation[]];
  const fields = {
    type: 'explain',
    schema: 1,
    host: host === null ? null : sanitize(host),
    address,
    domain,
    app: app === null ? null : sanitize(app),
    port,
    category,
    source,
    rule: sanitize(rule),
    otherwise: otherwise.map((other) => ({ category: other.category, source: other.source, rule: sanitize(other.rule) })),
    country: place?.country ?? null,
    asn: place?.asn ?? null,
    network: place?.network ?? null,
    place_data: placeData,
  };
  return `${JSON.stringify(fields)}\n`;
}

function row(head: string, text: string): string {
  return `${head.padEnd(10)} ${sanitize(text)}`.trimEnd();
}

function ruleText({ rule, source }: CategoryExplanation): string {
  return source === 'default' ? rule : `${rule}, by ${SOURCES[source]}`;
}
