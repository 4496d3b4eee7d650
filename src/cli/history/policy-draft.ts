// A policy made from history: what each app reached, hosts folded where several stand below a domain, addresses folded by network. Pure.

import type { ReachedHost } from '../../model/history.ts';
import { ADDRESS_WORDS, formatAddress, isV4, parseAddress, scopeOf } from '../../net/address.ts';
import { counted } from '../../net/counted.ts';
import { isNearby, parseRule } from '../../watch/policy.ts';
import type { WrittenApp, WrittenRule } from '../config/policy-file.ts';

/** Whose an address is; null if unknown. */
export type NetworkOf = (address: string) => { readonly asn: number; readonly name: string | null } | null;

/** This many hosts below a domain become `*.domain`, and this many addresses of a network become the network. */
const FEWEST_HOSTS = 2;
const FEWEST_ADDRESSES = 3;
/** An app with more entries than this may reach anything: nobody reads such a list. */
const MOST_ENTRIES = 256;
/** Names that TOML's reader refuses. */
const UNWRITABLE = '__proto__';

/** Drafts a policy, apps and entries in alphabetical order. */
export function draftPolicy(reached: readonly ReachedHost[], networkOf: NetworkOf): WrittenApp[] {
  const byApp = grouped(reached, ({ app }) => app);
  byApp.delete(UNWRITABLE);
  return [...byApp].sort(([a], [b]) => order(a, b)).map(([app, hosts]) => draftApp(app, hosts, networkOf));
}

function draftApp(app: string, hosts: readonly ReachedHost[], networkOf: NetworkOf): WrittenApp {
  const comments: string[] = [];
  const names: Host[] = [];
  const addresses: Host[] = [];
  const words = new Int32Array(ADDRESS_WORDS);
  for (const { host, domain, flows } of hosts) {
    if (host === null) comments.push(`${connections(flows)} went to hosts that history no longer tells apart`);
    else if (parseAddress(host, words)) {
      if (!isNearby(words)) addresses.push({ host: formatAddress(words), domain, flows });
    } else if (parseRule(host) === null) comments.push(`left out, because it is no name: ${host}`);
    else names.push({ host, domain, flows });
  }
  const rules = [...foldNames(names), ...foldAddresses(addresses, networkOf)];
  if (rules.length > MOST_ENTRIES) {
    const allow = [{ text: '*', comment: `${counted(hosts.length, 'host')}: too many to list` }];
    return { app, strict: false, allow, comments };
  }
  return { app, strict: false, allow: rules, comments };
}

interface Host {
  readonly host: string;
  readonly domain: string | null;
  readonly flows: number;
}

function foldNames(names: readonly Host[]): WrittenRule[] {
  const rules: WrittenRule[] = [];
  for (const [domain, hosts] of grouped(names, ({ host, domain: own }) => own ?? host)) {
    const below = hosts.filter(({ host }) => host.endsWith(`.${domain}`));
    if (below.length < FEWEST_HOSTS) rules.push(...hosts.map(alone));
    else {
      rules.push({ text: `*.${domain}`, comment: `${counted(below.length, 'host')}, ${connections(flowsOf(below))}` });
      rules.push(...hosts.filter((one) => !below.includes(one)).map(alone));
    }
  }
  return rules.sort((a, b) => order(reversed(a.text), reversed(b.text)));
}

function foldAddresses(addresses: readonly Host[], networkOf: NetworkOf): WrittenRule[] {
  const words = new Int32Array(ADDRESS_WORDS);
  const groups = grouped(addresses, ({ host }) => {
    parseAddress(host, words);
    const network = scopeOf(words) === 'global' ? networkOf(host) : null;
    return network === null ? prefixOf(words) : `AS${network.asn}`;
  });
  const rules: WrittenRule[] = [];
  for (const [text, group] of groups) {
    if (group.length < FEWEST_ADDRESSES) {
      rules.push(...group.map(alone));
      continue;
    }
    const owner = text.startsWith('AS') ? (networkOf((group[0] as Host).host)?.name ?? '') : '';
    const comment = `${counted(group.length, 'address', 'addresses')}${owner === '' ? '' : ` of ${owner}`}, ${connections(flowsOf(group))}`;
    rules.push({ text, comment });
  }
  return rules.sort((a, b) => order(a.text, b.text));
}

/** The /24 of an IPv4 address, the /64 of an IPv6 one. */
function prefixOf(words: Int32Array): string {
  const first = Int32Array.from(words);
  if (isV4(words, 0)) {
    first[3] = (first[3] as number) & ~0xff;
    return `${formatAddress(first)}/24`;
  }
  first.fill(0, 2);
  return `${formatAddress(first)}/64`;
}

function alone({ host, flows }: Host): WrittenRule {
  return { text: host, comment: connections(flows) };
}

function flowsOf(hosts: readonly Host[]): number {
  return hosts.reduce((sum, { flows }) => sum + flows, 0);
}

function connections(flows: number): string {
  return counted(Math.max(0, flows), 'connection');
}

/** From the last label to the first, so that hosts of a domain stand together. */
function reversed(name: string): string {
  return name.split('.').reverse().join('.');
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** In groups of one key each, in the order in which the keys first come. */
function grouped<One>(list: readonly One[], key: (one: One) => string): Map<string, One[]> {
  const groups = new Map<string, One[]>();
  for (const one of list) {
    const group = groups.get(key(one));
    if (group === undefined) groups.set(key(one), [one]);
    else group.push(one);
  }
  return groups;
}
