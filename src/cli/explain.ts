// `netmon-tui explain HOST`: which category a host is in, which rule decided it, and what the other rules would have said. Looks nothing up.

import { domainToASCII } from 'node:url';
import { Categories, type CategoryExplanation } from '../identify/category/categories.ts';
import type { RuleSource } from '../identify/category/category.ts';
import { registrableDomain } from '../identify/name/domain.ts';
import type { PlaceRecord } from '../identify/place/database.ts';
import { type PlaceData, Places } from '../identify/place/places.ts';
import { NetmonError } from '../model/errors.ts';
import type { Options } from '../model/options.ts';
import { formatAddress, parseAddress, scopeOf } from '../net/address.ts';
import { quoted } from '../net/quote.ts';
import { sanitize } from '../net/text.ts';

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
  const { name, port } = parts(typed);
  const words = new Int32Array(4);
  const isAddress = parseAddress(name, words);
  const host = isAddress ? null : domainToASCII(name).replace(/\.$/, '');
  if (host === '' || (host !== null && host.length > 253))
    throw new NetmonError('usage', `${quoted(typed)} is not a host`, 'type for example: netmon-tui explain example.com');
  const facts = {
    host,
    app,
    exe: null,
    application: port === null ? 'https' : null,
    protocol: 'tcp',
    port: port ?? 443,
    scope: isAddress ? scopeOf(words) : ('global' as const),
  };
  const places = isAddress ? Places.open(options.place, options.place.home) : null;
  return {
    host,
    address: isAddress ? formatAddress(words) : null,
    domain: host === null ? null : registrableDomain(host),
    app,
    port: facts.port,
    rulings: new Categories(options.categories).explainAll(facts),
    place: places === null ? null : places.lookup(words, 0),
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

/** Host and port of what was typed. */
function parts(typed: string): { name: string; port: number | null } {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(typed)) {
    const url = URL.canParse(typed) ? new URL(typed) : null;
    const name = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
    return { name, port: url === null || url.port === '' ? null : Number(url.port) };
  }
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(typed);
  if (match === null || Number(match[3]) > 65_535) return { name: typed, port: null };
  return { name: (match[1] ?? match[2]) as string, port: Number(match[3]) };
}
