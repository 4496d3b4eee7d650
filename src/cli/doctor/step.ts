// One step of the doctor: what it is called, how it is asked, how long it may take. Types and the stopwatch; asks nothing itself.

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

/** One thing to find out. */
export interface Step {
  readonly name: string;
  ask(): Promise<Finding> | Finding;
}

/** Findings: it works; it does not, with what to type; it was not asked, and why. */
export const ok = (detail: string): Finding => ({ result: 'ok', detail });
export const no = (detail: string, wayOut: string | null = null): Finding => ({ result: 'no', detail, wayOut });
export const skipped = (detail: string): Finding => ({ result: 'skipped', detail });

/**
 * Asks a step, for `limitMs` at the most. It never throws: a failure is a finding.
 *
 * What hangs goes on hanging behind it; only the report does not wait for it.
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

// Takes out of a text what tells who and where it came from, so that a report can be pasted in public. It errs on the side of taking out.

/** Words of this machine that must not appear; empty ones are ignored. */
export interface Identity {
  readonly host: string;
  readonly user: string;
  readonly home: string;
}

const MAC_ADDRESS = /\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b/gi;
const ADDRESS_LIKE = /[0-9a-f]*[.:][0-9a-f.:]*[0-9a-f:](?:%[\w.-]+)?/gi;
/** Names that say nothing about a person. */
const COMMON_USERS = new Set(['root', '']);

/** A function that takes addresses, host, user and home folder out of one line, and all that could drive a terminal. */
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
