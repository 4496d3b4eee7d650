// User names by number, from the passwd file. Never asks a directory service: that could be a question to the network.

import { readFileSync } from 'node:fs';
import { sanitize } from '../../net/text.ts';

/** Names of users; read once, when first asked. */
export class Users {
  readonly #path: string;
  #names: Map<number, string> | null = null;

  readonly #others: ReadonlyMap<number, string>;

  /** @param path `/etc/passwd` @param others users that it does not list */
  constructor(path: string, others: ReadonlyMap<number, string> = new Map()) {
    this.#path = path;
    this.#others = others;
  }

  /** Name of a user, or the number as text where the file has none; null for null. */
  name(uid: number | null): string | null {
    if (uid === null) return null;
    this.#names ??= this.#read();
    return this.#names.get(uid) ?? this.#others.get(uid) ?? String(uid);
  }

  #read(): Map<number, string> {
    const names = new Map<number, string>();
    let text = '';
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch {
      return names; // numbers will do
    }
    for (const line of text.split('\n')) {
      const [name, , uid] = line.split(':');
      if (name !== undefined && uid !== undefined && /^\d+$/.test(uid) && !names.has(Number(uid)))
        names.set(Number(uid), sanitize(name));
    }
    return names;
  }
}
