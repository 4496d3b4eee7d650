// A policy says what each app may reach; this judges what it reached. Names, addresses and networks are compared as they are: nothing is looked
// up. Reading the file is left to others.

import type { AppPolicy, Policy, Rule, Verdict } from '../model/policy.ts';
import { ADDRESS_WORDS, parseAddress, scopeOf } from '../net/address.ts';

/** What an app reached, as far as it is known. */
export interface Reached {
  readonly app: string;
  /** Name that the app asked for. null without one: a name that the other end gave itself is none. */
  readonly name: string | null;
  /** null if it was not kept. */
  readonly address: string | null;
  /** null if it was not kept. */
  readonly port: number | null;
  readonly asn: number | null;
  /** Why a name may exist and can't be seen, such as an encrypted hello; null if there is none. */
  readonly hidden: string | null;
}

/** A verdict with its grounds. */
export interface Judgement {
  readonly verdict: Verdict;
  /** The entry that allows it; null if none does. */
  readonly rule: string | null;
  /** Why it can't be judged; empty otherwise. */
  readonly reason: string;
}

const PORT = /^(.*):(\d{1,5})$/;
const NAME = /^(\*\.)?((?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)$/;
const V4_BITS = 96;
const DNS_PORT = 53;

/** Reads an entry: `*.github.com`, `api.example.com:443`, `10.0.0.0/8`, `[2001:db8::1]:443`, `AS36459` or `*`. @returns null for anything else */
export function parseRule(text: string): Rule | null {
  const whole = whatOf(text);
  if (whole !== null) return { text, what: whole, port: null };
  const [, before = '', digits = ''] = PORT.exec(text) ?? [];
  const port = Number(digits);
  const bracketed = /^\[(.+)\]$/.exec(before)?.[1];
  const what = whatOf(bracketed ?? before);
  if (what === null || digits === '' || port < 1 || port > 65_535 || (bracketed !== undefined && what.kind !== 'address'))
    return null;
  return { text, what, port };
}

function whatOf(text: string): Rule['what'] | null {
  if (text === '*') return { kind: 'any' };
  const asn = /^AS(\d{1,10})$/i.exec(text)?.[1];
  if (asn !== undefined) return Number(asn) < 2 ** 32 ? { kind: 'network', asn: Number(asn) } : null;
  const [, bare = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const words = new Int32Array(4);
  if (parseAddress(bare, words)) {
    const [most, before] = bare.includes(':') ? [128, 0] : [32, V4_BITS];
    const bits = length === undefined ? most : Number(length);
    return bits <= most ? { kind: 'address', words, bits: before + bits } : null;
  }
  const [, below, name] = NAME.exec(text.toLowerCase()) ?? [];
  // digits and dots that are no address were meant as one, and AS without a number as a network
  return name === undefined || /^([\d.]+|as\d*)$/.test(name) ? null : { kind: 'name', name, below: below !== undefined };
}

/** Judges what an app reached. Groups and resolvers of its own network are always allowed. */
export function judge(policy: Policy, { app, name: asked, address, port, asn, hidden }: Reached): Judgement {
  const own = policy.apps.get(app);
  if (own === undefined) return { verdict: 'undeclared', rule: null, reason: '' };
  const words = new Int32Array(ADDRESS_WORDS);
  const isAddress = address !== null && parseAddress(address, words);
  if (isAddress && isOwnNetwork(words, port)) return { verdict: 'address', rule: null, reason: '' };
  const { any, names, below, named, addresses, networks, networkRules } = indexOf(own);
  let doubt: Judgement | null = null;
  const fitting = (rules: readonly Rule[] | undefined, verdict: Verdict): Judgement | null => {
    for (const rule of rules ?? []) {
      if (rule.port === null || rule.port === port) return { verdict, rule: rule.text, reason: '' };
      if (port === null) doubt ??= { verdict: 'unjudged', rule: rule.text, reason: 'port not kept' };
    }
    return null;
  };
  const mayFit = (rules: readonly Rule[], reason: string) => {
    const rule = rules.find((one) => one.port === null || port === null || one.port === port);
    if (rule !== undefined) doubt ??= { verdict: 'unjudged', rule: rule.text, reason };
  };

  const name = asked?.toLowerCase().replace(/\.$/, '') ?? null;
  if (name !== null) {
    const found = fitting(names.get(name), 'name') ?? fittingBelow(name, (domain) => fitting(below.get(domain), 'name'));
    if (found !== null) return found;
  } else if (hidden !== null) mayFit(named, hidden);
  const open = fitting(any, name === null ? 'address' : 'name');
  if (open !== null) return open;
  if (!isAddress) mayFit(addresses, 'address not kept');
  else {
    for (const rule of addresses) {
      const found = covers(rule, words) ? fitting([rule], 'address') : null;
      if (found !== null) return found;
    }
  }
  if (!isAddress) mayFit(networkRules, 'address not kept');
  else if (asn === null) {
    if (scopeOf(words) === 'global') mayFit(networkRules, 'network not known here');
  } else {
    const found = fitting(networks.get(asn), 'network');
    if (found !== null) return found;
  }
  return doubt ?? { verdict: 'drift', rule: null, reason: '' };
}

/** The entry for all hosts below the nearest domain above a name. */
function fittingBelow(name: string, fitting: (domain: string) => Judgement | null): Judgement | null {
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const found = fitting(name.slice(dot + 1));
    if (found !== null) return found;
  }
  return null;
}

/** The entries of an app by what they are looked up with. */
interface RuleIndex {
  readonly any: Rule[];
  readonly names: Map<string, Rule[]>;
  readonly below: Map<string, Rule[]>;
  /** All that name hosts. */
  readonly named: Rule[];
  readonly addresses: Rule[];
  readonly networks: Map<number, Rule[]>;
  readonly networkRules: Rule[];
}

const INDEXES = new WeakMap<AppPolicy, RuleIndex>();

/** Made once for each list: an app may have thousands of entries, and reach thousands of hosts in a second. */
function indexOf(own: AppPolicy): RuleIndex {
  const known = INDEXES.get(own);
  if (known !== undefined) return known;
  const index: RuleIndex = {
    any: [],
    names: new Map(),
    below: new Map(),
    named: [],
    addresses: [],
    networks: new Map(),
    networkRules: [],
  };
  const put = <Key>(map: Map<Key, Rule[]>, key: Key, rule: Rule) => {
    const rules = map.get(key);
    if (rules === undefined) map.set(key, [rule]);
    else rules.push(rule);
  };
  for (const rule of own.allow) {
    const { what } = rule;
    if (what.kind === 'any') index.any.push(rule);
    else if (what.kind === 'address') index.addresses.push(rule);
    else if (what.kind === 'network') {
      put(index.networks, what.asn, rule);
      index.networkRules.push(rule);
    } else {
      put(what.below ? index.below : index.names, what.name, rule);
      index.named.push(rule);
    }
  }
  INDEXES.set(own, index);
  return index;
}

/** Whether a verdict is one that the user wants to hear of. */
export function isDrift(policy: Policy, app: string, verdict: Verdict): boolean {
  if (verdict === 'drift') return true;
  if (verdict === 'undeclared') return policy.strict;
  const isWeak = verdict === 'network' || verdict === 'unjudged';
  return isWeak && (policy.apps.get(app)?.strict ?? policy.strict);
}

/** Groups, this link and its resolver: a machine that moves meets others in each network, and no app chooses them. */
function isOwnNetwork(words: Int32Array, port: number | null): boolean {
  return isNearby(words) || (port === DNS_PORT && scopeOf(words) !== 'global');
}

/** True for groups and this link, which need no entry. */
export function isNearby(words: Int32Array): boolean {
  const scope = scopeOf(words);
  return scope === 'multicast' || scope === 'broadcast' || scope === 'link-local';
}

function covers({ what }: Rule, words: Int32Array): boolean {
  return what.kind === 'address' && shareBits(words, what.words, what.bits);
}

function shareBits(a: Int32Array, b: Int32Array, bits: number): boolean {
  for (let word = 0; word * 32 < bits; word++) {
    const left = bits - word * 32;
    const mask = left >= 32 ? -1 : ~(-1 >>> left);
    if ((((a[word] as number) ^ (b[word] as number)) & mask) !== 0) return false;
  }
  return true;
}
