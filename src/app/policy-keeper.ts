// The policy of a run, and what the user adds to it from the screen: in force at once, and written into the file of additions. The user's own
// file is never written.

import { policyOf, withAddition } from '../cli/config/policy-file.ts';
import { reasonOf } from '../model/errors.ts';
import type { Policy, PolicyFile } from '../model/policy.ts';
import { type FileOwner, OutputFile } from '../output/output-file.ts';
import { systemFiles } from '../system/files.ts';
import { parseRule } from '../watch/policy.ts';

/** Keeps the policy that is in force. */
export class PolicyKeeper {
  readonly #path: string;
  readonly #owner: FileOwner | null;
  #policy: Policy;

  /** @param owner of the file of additions; null if the process is that user */
  constructor({ additionsPath, policy }: PolicyFile, owner: FileOwner | null) {
    this.#path = additionsPath;
    this.#owner = owner;
    this.#policy = policy;
  }

  /** The one in force. */
  get policy(): Policy {
    return this.#policy;
  }

  /** Allows an app a host or an address. Other runs may have added meanwhile: the file is read again first. @returns what went wrong; empty if nothing did */
  async allow(app: string, host: string): Promise<string> {
    const rule = parseRule(host);
    if (rule === null) return "this can't be an entry of a policy";
    const { apps, strict } = this.#policy;
    const known = apps.get(app);
    this.#policy = {
      strict,
      apps: new Map(apps).set(app, { allow: [...(known?.allow ?? []), rule], strict: known?.strict ?? strict }),
    };
    try {
      const read = systemFiles.read(this.#path, false);
      if (read.kind === 'link' || read.kind === 'failed')
        throw new Error(read.kind === 'link' ? 'it is a symbolic link' : read.reason);
      const text = withAddition(policyOf(this.#path, read.kind === 'read' ? read.text : ''), app, rule.text);
      if (text !== null) await this.#write(text);
      return '';
    } catch (thrown) {
      return `only for this run: ${this.#path} can't be written (${reasonOf(thrown)})`;
    }
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
