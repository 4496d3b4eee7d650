// The user's own categories, from `[categories]` in the configuration file: domains, exact names and words. They outrank all other rules.

import { domainToASCII } from 'node:url';
import { NetmonError } from '../../model/errors.ts';
import type { Ruling } from './category.ts';
import { CATEGORY_NAMES } from './category.ts';
import { SuffixTable } from './suffix-table.ts';

const MAX_WORDS = 4096;

/** A word to find in hosts, and in apps too if `apps` is set. */
interface Word {
  readonly text: string;
  readonly apps: boolean;
  readonly ruling: Ruling;
}

/** Category -> entries. `example.com` and `domain:example.com` cover the domain and all below it, `full:` one name, `keyword:` hosts that contain it. */
export type UserCategories = Readonly<Record<string, readonly string[]>>;

/** The compiled entries, and the names of all categories: the built-in ones, then the user's. */
export class UserRules {
  readonly names: readonly string[];
  readonly #domains = new SuffixTable<Ruling>();
  readonly #words: Word[] = [];

  /**
   * A category with a built-in name (in any case) extends the built-in one. An entry without a dot is a word: it matches anywhere in a host or
   * an app's name.
   *
   * @throws NetmonError `usage` for more than 4096 words, because each new host is compared with all of them
   */
  constructor(categories: UserCategories) {
    const names: string[] = [...CATEGORY_NAMES];
    for (const [name, entries] of Object.entries(categories)) {
      let category = names.findIndex((known) => known.toLowerCase() === name.toLowerCase());
      if (category < 0) category = names.push(name) - 1;
      for (const entry of entries) this.#add(entry, category);
    }
    if (this.#words.length > MAX_WORDS)
      throw new NetmonError('usage', `[categories] has more than ${MAX_WORDS} words`, 'use domains instead, or fewer words');
    this.names = names;
  }

  /** The user's ruling on a host; null if there is none. @param host lower case, without a final dot */
  ofHost(host: string): Ruling | null {
    return this.#domains.find(host) ?? this.#words.find(({ text }) => host.includes(text))?.ruling ?? null;
  }

  /** The user's ruling on an app; null if there is none. @param app lower case */
  ofApp(app: string): Ruling | null {
    return this.#words.find(({ text, apps }) => apps && app.includes(text))?.ruling ?? null;
  }

  #add(entry: string, category: number): void {
    const [, kind, text] = /^(?:(domain|full|keyword):)?(.*)$/s.exec(entry) as unknown as [string, string | undefined, string];
    const ruling: Ruling = { category, rule: entry, source: 'user' };
    if (text === '') return;
    if (kind === 'keyword' || (kind === undefined && !text.includes('.')))
      this.#words.push({ text: text.toLowerCase(), apps: kind === undefined, ruling });
    else {
      const name = domainToASCII(text) || text.toLowerCase(); // names on the wire are ASCII (RFC 5890 section 2.3.2.1)
      if (kind === 'full') this.#domains.addExact(name, ruling);
      else this.#domains.add(name, ruling);
    }
  }
}
