// Caches categories of flows known only by their packet headers. A scan brings a million of them, but few distinct ones.

import type { AddressScope } from '../../net/address.ts';

/** Most kinds of flows remembered. When full, all are forgotten. */
const MAX_KINDS = 8192;
/** Roughly by frequency, because the list is searched from the start. */
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

/** Decided categories by protocol, port, address scope and application. */
export class BareFlows {
  readonly #byApplication = new Map<string | null, Map<number, number>>();
  #count = 0;

  /** The category decided for such flows; -1 if none was. */
  get(application: string | null, protocol: number, port: number, scope: AddressScope): number {
    return this.#byApplication.get(application)?.get(keyOf(protocol, port, scope)) ?? -1;
  }

  set(application: string | null, protocol: number, port: number, scope: AddressScope, category: number): void {
    if (this.#count >= MAX_KINDS) {
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

/** 16 bits of protocol, 16 of port, 3 of scope. */
function keyOf(protocol: number, port: number, scope: AddressScope): number {
  return protocol * 0x8_0000 + port * 8 + SCOPES.indexOf(scope);
}
