// A step of the doctor, how it is timed, and how its result is made fit to be pasted in public.

import { NetmonError, reasonOf } from '../../model/errors.ts';
import { ADDRESS_WORDS, parseAddress } from '../../net/address.ts';
import { sanitize } from '../../net/text.ts';

/** What a step found. */
export interface Finding {
  readonly result: 'ok' | 'no' | 'skipped';
  readonly detail: string;
  /** What to type; only with `no`. */
  readonly wayOut?: string | null;
}

/** One thing to check. */
export interface Step {
  readonly name: string;
  ask(): Promise<Finding> | Finding;
}

/** It works; it doesn't, with a remedy; it was skipped, with the reason. */
export const ok = (detail: string): Finding => ({ result: 'ok', detail });
export const no = (detail: string, wayOut: string | null = null): Finding => ({ result: 'no', detail, wayOut });
export const skipped = (detail: string): Finding => ({ result: 'skipped', detail });

/**
 * Takes a step, waiting at most `limitMs`. It never throws: a failure is a finding.
 *
 * A step that hangs keeps hanging; only the report goes on.
 */
export async function answerOf(step: Step, limitMs: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(no(`no answer within ${limitMs / 1000} s: it hangs`)), limitMs);
  });
  try {
    return await Promise.race([Promise.resolve().then(() => step.ask()), late]);
  } catch (thrown) {
    return no(reasonOf(thrown), thrown instanceof NetmonError ? thrown.hint : null);
  } finally {
    clearTimeout(timer);
  }
}

/** Words that must not appear in a report; empty ones are ignored. */
export interface Identity {
  readonly host: string;
  readonly user: string;
  readonly home: string;
}

const MAC_ADDRESS = /\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b/gi;
const ADDRESS_LIKE = /[0-9a-f]*[.:][0-9a-f.:]*[0-9a-f:](?:%[\w.-]+)?/gi;
/** User names that say nothing about a person. */
const COMMON_USERS = new Set(['root', '']);

/** A function that removes addresses, host, user and home folder from a line, and whatever could control a terminal. When in doubt it removes. */
export function redactor({ host, user, home }: Identity): (text: string) => string {
  const words = new Int32Array(ADDRESS_WORDS);
  const names: [RegExp, string][] = [];
  if (home.length > 1) names.push([new RegExp(escaped(home), 'g'), '~']);
  names.push([/\/(?:home|Users)\/[^/\s]+/g, '~']);
  const short = host.split('.')[0] ?? '';
  for (const name of [host, short]) if (name !== '' && name !== 'localhost') names.push([whole(name), '[host]']);
  if (!COMMON_USERS.has(user)) names.push([whole(user), '[user]']);
  return (text) => {
    let clean = sanitize(text).replace(MAC_ADDRESS, '[address]');
    for (const [name, stand] of names) clean = clean.replace(name, stand);
    return clean.replace(ADDRESS_LIKE, (found) => {
      const bare = found.replace(/:+$/, '');
      if (parseAddress(found, words) || parseAddress(bare, words)) return '[address]';
      const port = bare.lastIndexOf(':'); // an address with its port
      return port > 0 && parseAddress(bare.slice(0, port), words) ? `[address]${bare.slice(port)}` : found;
    });
  };
}

function whole(name: string): RegExp {
  return new RegExp(`(?<![\\w-])${escaped(name)}(?![\\w-])`, 'gi');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
