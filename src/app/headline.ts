// Which interfaces make up the headline total: each byte once, however many interfaces it crosses.

import type { InterfaceKind } from '../net/model.ts';

/**
 * Names of the interfaces whose bytes are summed in the headline.
 *
 * Interfaces that the user named all count. Otherwise the physical ones and loopback do, since what a tunnel, a bridge or a virtual
 * pair carries crosses a physical interface too; where there is no physical one (a container, a VPN alone), all count.
 *
 * @param hasPhysical what is known of the machine, so that the answer does not change when the first physical packet comes late
 */
export function headlineOf(
  interfaces: readonly { readonly name: string; readonly kind: InterfaceKind }[],
  named: readonly string[],
  hasPhysical: boolean,
): Set<string> {
  const asked = named.filter((name) => name !== 'any');
  const all = asked.length > 0 || !(hasPhysical || interfaces.some(({ kind }) => kind === 'physical'));
  return new Set(interfaces.filter(({ kind }) => all || kind === 'physical' || kind === 'loopback').map(({ name }) => name));
}
