// The registrable domain of a host, by the public suffix list: what hosts are grouped by.

import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';
import type * as Tldts from 'tldts';

const DOMAINS_KEPT = 16_384;
const LONGEST_NAME = 253;
/** tldts would take `exa mple.com` for a name too. Two labels at the least. */
const NAME = /^[\w\u0080-\uffff-]{1,63}(\.[\w\u0080-\uffff-]{1,63})+$/;

/**
 * Only the suffixes of registries count, not the private ones of companies: those would make a group of its own of every bucket and
 * every distribution (`d1.cloudfront.net`, `bucket.s3.amazonaws.com`), hundreds for one app. The price is that pages of different
 * people under `github.io` are one group; the host itself still tells them apart.
 */
const OPTIONS = { allowPrivateDomains: false, extractHostname: false, mixedInputs: false } as const;

const domains = new LRUCache<string, { readonly domain: string | null }>({ max: DOMAINS_KEPT });

/**
 * The registrable domain: `example.co.uk` of `www.example.co.uk`.
 *
 * @param host a name, case and a final dot aside
 * @returns null for an address, a bare suffix, a single label and what is no host name
 */
export function registrableDomain(host: string): string | null {
  const known = domains.get(host);
  if (known !== undefined) return known.domain;
  if (host.length > LONGEST_NAME + 1) return null;
  const name = host.toLowerCase().replace(/\.$/, '');
  const found = { domain: NAME.test(name) ? suffixes().getDomain(name, OPTIONS) : null };
  domains.set(host, found);
  return found.domain;
}

/** True for a name under a suffix that a registry gives out: `example.com`, not `nas.lan`, `printer` or what is under `home.arpa` (RFC 8375). */
export function hasPublicSuffix(host: string): boolean {
  if (host.endsWith('.home.arpa')) return false;
  return host.length <= LONGEST_NAME + 1 && NAME.test(host) && suffixes().parse(host, OPTIONS).isIcann === true;
}

let loaded: typeof Tldts | null = null;

/** The public suffix list takes 30 ms and 10 MiB: loaded with the first name, not at the start. */
function suffixes(): typeof Tldts {
  loaded ??= createRequire(import.meta.url)('tldts') as typeof Tldts;
  return loaded;
}
