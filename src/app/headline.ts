// Which interfaces make up the headline total: each byte once, however many interfaces it crosses.

import type { InterfaceKind } from '../net/model.ts';

/**
 * Names of the interfaces whose bytes are summed in the headline.
 *
 * Interfaces that the user named all count. Otherwise the physical ones and loopback do, since what a tunnel, a bridge or a virtual
 * pair carries crosses a physical interface too; where there is no physical one (a container, a VPN alone), all count.
 */
export function headlineOf(
  interfaces: readonly { readonly name: string; readonly kind: InterfaceKind }[],
  named: readonly string[],
): Set<string> {
  const asked = named.filter((name) => name !== 'any');
  if (asked.length > 0) return new Set(interfaces.map(({ name }) => name));
  const counted = interfaces.filter(({ kind }) => kind === 'physical' || kind === 'loopback');
  const hasPhysical = interfaces.some(({ kind }) => kind === 'physical');
  return new Set((hasPhysical ? counted : interfaces).map(({ name }) => name));
}
