// A policy says what each app may reach; this judges what it reached. Names, addresses and networks are compared as they are: nothing is looked
// up. Reading the file is left to others.

import { type Policy, type Rule, VERDICTS, type Verdict } from '../model/policy.ts';
import { parseAddress, scopeOf } from '../net/address.ts';

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
export function judge(policy: Policy, reached: Reached): Judgement {
  const own = policy.apps.get(reached.app);
  if (own === undefined) return { verdict: 'undeclared', rule: null, reason: '' };
  const facts = factsOf(reached);
  if (isOwnNetwork(facts)) return { verdict: 'address', rule: null, reason: '' };
  let best: Judgement = { verdict: 'drift', rule: null, reason: '' };
  for (const rule of own.allow) {
    const found = match(rule, facts);
    if (found !== null && VERDICTS.indexOf(found.verdict) < VERDICTS.indexOf(best.verdict)) best = found;
  }
  return best;
}

/** Whether a verdict is one that the user wants to hear of. */
export function isDrift(policy: Policy, app: string, verdict: Verdict): boolean {
  if (verdict === 'drift') return true;
  if (verdict === 'undeclared') return policy.strict;
  const isWeak = verdict === 'network' || verdict === 'unjudged';
  return isWeak && (policy.apps.get(app)?.strict ?? policy.strict);
}

interface Facts extends Reached {
  /** null without an address. */
  readonly words: Int32Array | null;
}

/** Groups, this link and its resolver: a machine that moves meets others in each network, and no app chooses them. */
function isOwnNetwork({ words, port }: Facts): boolean {
  return words !== null && (isNearby(words) || (port === DNS_PORT && scopeOf(words) !== 'global'));
}

/** True for groups and this link, which need no entry. */
export function isNearby(words: Int32Array): boolean {
  const scope = scopeOf(words);
  return scope === 'multicast' || scope === 'broadcast' || scope === 'link-local';
}

function factsOf(reached: Reached): Facts {
  const words = new Int32Array(4);
  const isAddress = reached.address !== null && parseAddress(reached.address, words);
  const name = reached.name?.toLowerCase().replace(/\.$/, '') ?? null;
  return { ...reached, name, words: isAddress ? words : null };
}

/** @returns null if the entry doesn't allow it */
function match({ text, what, port }: Rule, facts: Facts): Judgement | null {
  if (port !== null && facts.port !== null && port !== facts.port) return null;
  const found = matchWhat(what, facts);
  if (found === null || found.verdict === 'unjudged' || port === null || facts.port !== null)
    return found && { ...found, rule: text };
  return { verdict: 'unjudged', rule: text, reason: 'port not kept' };
}

function matchWhat(what: Rule['what'], { name, words, asn, hidden }: Facts): Omit<Judgement, 'rule'> | null {
  const unjudged = (reason: string) => ({ verdict: 'unjudged', reason }) as const;
  const allowed = (verdict: Verdict) => ({ verdict, reason: '' });
  if (what.kind === 'any') return allowed(name === null ? 'address' : 'name');
  if (what.kind === 'name') {
    if (name === null) return hidden === null ? null : unjudged(hidden);
    return name.endsWith(`.${what.name}`)
      ? what.below
        ? allowed('name')
        : null
      : name === what.name && !what.below
        ? allowed('name')
        : null;
  }
  if (words === null) return unjudged('address not kept');
  if (what.kind === 'address') return shareBits(words, what.words, what.bits) ? allowed('address') : null;
  if (asn !== null) return asn === what.asn ? allowed('network') : null;
  return scopeOf(words) === 'global' ? unjudged('network not known here') : null;
}

function shareBits(a: Int32Array, b: Int32Array, bits: number): boolean {
  for (let word = 0; word * 32 < bits; word++) {
    const left = bits - word * 32;
    const mask = left >= 32 ? -1 : ~(-1 >>> left);
    if ((((a[word] as number) ^ (b[word] as number)) & mask) !== 0) return false;
  }
  return true;
}
