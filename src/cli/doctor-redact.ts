// Takes out of a text what tells who and where it came from, so that a report can be pasted in public. It errs on the side of taking out.

import { ADDRESS_WORDS, parseAddress } from '../net/address.ts';
import { sanitize } from '../net/text.ts';

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
