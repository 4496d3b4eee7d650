// User names by number, from the passwd file. Never asks a directory service: that could be a question to the network.

import { readFileSync } from 'node:fs';
import { sanitize } from '../../net/text.ts';

/** Names of users; read once, when first asked. */
export class Users {
  readonly #path: string;
  #names: Map<number, string> | null = null;

  /** @param path `/etc/passwd` */
  constructor(path: string) {
    this.#path = path;
  }

  /** Name of a user, or the number as text where the file has none; null for null. */
  name(uid: number | null): string | null {
    if (uid === null) return null;
    this.#names ??= this.#read();
    return this.#names.get(uid) ?? String(uid);
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
