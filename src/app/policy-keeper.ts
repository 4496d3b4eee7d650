// The policy of a run, and what is added to it from this screen or another: in force at once, and kept in the file of additions, which is read
// again when it changes. The user's own file is never written.

import { statSync } from 'node:fs';
import { mergedPolicies, policyOf, withAddition } from '../cli/config/policy-file.ts';
import { reasonOf } from '../model/errors.ts';
import type { Policy, PolicyFile } from '../model/policy.ts';
import { type FileOwner, OutputFile } from '../output/output-file.ts';
import { systemClock } from '../system/clock.ts';
import { systemFiles } from '../system/files.ts';
import { parseRule } from '../watch/policy.ts';

/** How often it is looked whether the file changed, ms. */
const LOOK_MS = 2000;
const WRITABLE_BY_OTHERS = 0o022;

/** Keeps the policy that is in force. */
export class PolicyKeeper {
  readonly #path: string;
  readonly #owner: FileOwner | null;
  #policy: Policy;
  #looked = systemClock.monotonic();
  /** Size, time and number of the file as it was read last. */
  #stamp: string;

  /** @param owner of the file of additions; null if the process is that user */
  constructor({ additionsPath, policy }: PolicyFile, owner: FileOwner | null) {
    this.#path = additionsPath;
    this.#owner = owner;
    this.#policy = policy;
    this.#stamp = stampOf(additionsPath);
  }

  /** The one in force. What was allowed stays allowed for the run. */
  get policy(): Policy {
    const now = systemClock.monotonic();
    if (now - this.#looked < LOOK_MS) return this.#policy;
    this.#looked = now;
    const stamp = stampOf(this.#path);
    if (stamp === this.#stamp) return this.#policy;
    this.#stamp = stamp;
    try {
      this.#policy = mergedPolicies(this.#policy, this.#read());
    } catch {
      // somebody is writing it, or made a mistake: the next change is read
    }
    return this.#policy;
  }

  /** Allows an app a host or an address. Other runs may have added meanwhile: the file is read again first. @returns what went wrong; empty if nothing did */
  async allow(app: string, host: string): Promise<string> {
    const rule = parseRule(host);
    if (rule === null) return "this can't be an entry of a policy";
    this.#policy = mergedPolicies(this.#policy, { strict: false, apps: new Map([[app, { allow: [rule], strict: false }]]) });
    try {
      const text = withAddition(this.#read(), app, rule.text);
      if (text !== null) await this.#write(text);
      return '';
    } catch (thrown) {
      return `only for this run: ${this.#path} can't be written (${reasonOf(thrown)})`;
    }
  }

  /** The additions in the file; none without one. @throws if it can't be read */
  #read(): Policy {
    const read = systemFiles.read(this.#path, false);
    if (read.kind === 'link') throw new Error('it is a symbolic link');
    if (read.kind === 'failed') throw new Error(read.reason);
    // In a folder that others can write, another user could allow what the policy doesn't.
    if (read.kind === 'read' && !this.#isOurs(read)) throw new Error('others can write it');
    return policyOf(this.#path, read.kind === 'read' ? read.text : '');
  }

  #isOurs({ uid, mode }: { readonly uid: number; readonly mode: number }): boolean {
    const own = this.#owner?.uid ?? process.geteuid?.() ?? uid;
    return (uid === own || uid === 0) && (mode & WRITABLE_BY_OTHERS) === 0;
  }

  async #write(text: string): Promise<void> {
    const file = OutputFile.create(this.#path, true, this.#owner);
    try {
      await file.write(text);
      await file.commit();
    } finally {
      await file.discard();
    }
  }
}

/** Empty if there is none. */
function stampOf(path: string): string {
  try {
    const { size, mtimeMs, ino } = statSync(path);
    return `${size} ${mtimeMs} ${ino}`;
  } catch {
    return '';
  }
}
