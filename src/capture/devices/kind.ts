// Guesses what an interface is by its name alone. On Linux, linux.ts asks sysfs first.

import type { InterfaceKind } from '../../model/terms.ts';

const PATTERNS: readonly (readonly [RegExp, InterfaceKind])[] = [
  [/^lo\d*$/, 'loopback'],
  [/^(utun|ipsec|ppp|gif|stf|tun|tap|wg)/, 'tunnel'],
  [/^(bridge|vmenet|docker|br-|br\d)/, 'bridge'],
  // Traffic of a VLAN, a bond or a pair of feth also crosses its members; that of Parallels' and VirtualBox's host-only networks to the outside also
  // crosses en0. PKTAP and USB taps are views of other interfaces.
  [/^(veth|awdl|llw|anpi|ap\d|p2p\d|vlan\d|bond\d|feth\d|vnic\d|vboxnet\d|pktap|iptap|droptap|XHC|VHC)/, 'virtual'],
];

/**
 * Kind of an interface by the naming conventions of macOS's drivers (en, utun, awdl, vmenet ...), systemd and Docker. An unknown name counts as
 * `physical`, so its bytes count.
 */
export function interfaceKind(name: string): InterfaceKind {
  for (const [pattern, kind] of PATTERNS) if (pattern.test(name)) return kind;
  return 'physical';
}
