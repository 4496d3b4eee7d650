// Finds the registrable domain of a host, by which rows are grouped, with the public suffix list.

import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';
import type * as Tldts from 'tldts';

const DOMAINS_KEPT = 16_384;
const LONGEST_NAME = 253;
/** A host name of at least two labels. tldts alone would accept `exa mple.com`. */
const NAME = /^[\w\u0080-\uffff-]{1,63}(\.[\w\u0080-\uffff-]{1,63})+$/;

/**
 * Uses only the suffixes of registries, not the private ones of companies. Those would make a group of every bucket and every distribution
 * (`d1.cloudfront.net`, `bucket.s3.amazonaws.com`), hundreds for one app. In return, sites of different people under `github.io` form one
 * group; their host names still differ.
 */
const OPTIONS = { allowPrivateDomains: false, extractHostname: false, mixedInputs: false } as const;

const domains = new LRUCache<string, { readonly domain: string | null }>({ max: DOMAINS_KEPT });

/**
 * The registrable domain: `example.co.uk` of `www.example.co.uk`.
 *
 * @param host a name in any case, with or without a final dot
 * @returns null for an address, a bare suffix, a single label, and anything that isn't a host name
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

/** Whether the name is under a registry's suffix: `example.com`, but not `nas.lan`, `printer` or names under `home.arpa` (RFC 8375). */
export function hasPublicSuffix(host: string): boolean {
  if (host.endsWith('.home.arpa')) return false;
  return host.length <= LONGEST_NAME + 1 && NAME.test(host) && suffixes().parse(host, OPTIONS).isIcann === true;
}

let loaded: typeof Tldts | null = null;

/** Loads the public suffix list on first use, because it takes 30 ms and 10 MiB. */
function suffixes(): typeof Tldts {
  loaded ??= createRequire(import.meta.url)('tldts') as typeof Tldts;
  return loaded;
}
