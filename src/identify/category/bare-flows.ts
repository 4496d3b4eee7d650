// Categories of flows of which nothing is known but what their packets' headers say: a scan brings a million of them, and few are different.

import type { AddressScope } from '../../net/address.ts';

/** Kinds of flows remembered; beyond that all are forgotten. */
const MOST = 8192;
/** How often each scope is met, more or less: the list is searched from its beginning. */
const SCOPES: readonly AddressScope[] = [
  'global',
  'private',
  'loopback',
  'link-local',
  'multicast',
  'broadcast',
  'shared',
  'unspecified',
];

/** What was decided for a protocol, a port, an address's scope and an application. */
export class BareFlows {
  readonly #byApplication = new Map<string | null, Map<number, number>>();
  #count = 0;

  /** The category that was decided for flows like this, -1 where none was. */
  get(application: string | null, protocol: number, port: number, scope: AddressScope): number {
    return this.#byApplication.get(application)?.get(keyOf(protocol, port, scope)) ?? -1;
  }

  set(application: string | null, protocol: number, port: number, scope: AddressScope, category: number): void {
    if (this.#count >= MOST) {
      this.#byApplication.clear();
      this.#count = 0;
    }
    let decided = this.#byApplication.get(application);
    if (decided === undefined) {
      decided = new Map();
      this.#byApplication.set(application, decided);
    }
    decided.set(keyOf(protocol, port, scope), category);
    this.#count++;
  }
}

/** Protocol of 16 bits, port of 16 bits, scope of 3. */
function keyOf(protocol: number, port: number, scope: AddressScope): number {
  return protocol * 0x8_0000 + port * 8 + SCOPES.indexOf(scope);
}
