// What an interface is, judged by its name alone. It asks the system nothing: sysfs refines the answer on Linux, elsewhere.

import type { InterfaceKind } from '../../model/terms.ts';

const PATTERNS: readonly (readonly [RegExp, InterfaceKind])[] = [
  [/^lo\d*$/, 'loopback'],
  [/^(utun|ipsec|ppp|gif|stf|tun|tap|wg)/, 'tunnel'],
  [/^(bridge|vmenet|docker|br-|br\d)/, 'bridge'],
  // What crosses a VLAN, a bond or a pair of feth crosses its members, too, and what the host-only networks of Parallels and VirtualBox carry
  // to the world crosses en0; PKTAP and the taps of USB are views, no wires.
  [/^(veth|awdl|llw|anpi|ap\d|p2p\d|vlan\d|bond\d|feth\d|vnic\d|vboxnet\d|pktap|iptap|droptap|XHC|VHC)/, 'virtual'],
];

/**
 * Kind of an interface by the habits of macOS and Linux; `physical` where nothing says otherwise, so that its bytes are counted.
 *
 * The names are those of macOS's drivers (en, utun, awdl, vmenet ...) and of systemd and Docker.
 */
export function interfaceKind(name: string): InterfaceKind {
  for (const [pattern, kind] of PATTERNS) if (pattern.test(name)) return kind;
  return 'physical';
}
