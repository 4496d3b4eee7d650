// Reads Linux's interfaces, default route and local addresses from procfs and sysfs. It runs no programs.

import type { InterfaceKind } from '../../model/terms.ts';
import { ADDRESS_WORDS, formatAddress } from '../../net/address.ts';
import type { Edges } from '../../system/edges.ts';
import { listSystemFolder, readSystemFile, readSystemNumber, systemPathExists } from '../../system/small-file.ts';
import { interfaceKind } from './kind.ts';

/** What the system says about an interface. */
export interface FoundDevice {
  readonly name: string;
  readonly index: number;
  readonly up: boolean;
  readonly running: boolean | null;
  readonly kind: InterfaceKind;
  readonly linkType: string | null;
}

/** Interface flags (linux/if.h). */
const IFF_UP = 0x1;
/** Route flags (linux/route.h). */
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;
/** First bit of tun_flags (linux/if_tun.h): layer 3. */
const IFF_TUN = 0x1;

/** ARPHRD values (linux/if_arp.h) and what libpcap makes of them (pcap-linux.c, map_arphrd_to_dlt). */
const ARPHRD = {
  ETHER: 1,
  PPP: 512,
  RAWIP: 519,
  TUNNEL: 768,
  TUNNEL6: 769,
  LOOPBACK: 772,
  SIT: 776,
  IPGRE: 778,
  RADIOTAP: 803,
  IP6GRE: 823,
  NONE: 65534,
};
const LINK_TYPES = new Map<number, string>([
  [ARPHRD.ETHER, 'EN10MB'],
  [ARPHRD.LOOPBACK, 'EN10MB'],
  [ARPHRD.PPP, 'LINUX_SLL'],
  [ARPHRD.RAWIP, 'RAW'],
  [ARPHRD.TUNNEL, 'RAW'],
  [ARPHRD.TUNNEL6, 'RAW'],
  [ARPHRD.SIT, 'RAW'],
  [ARPHRD.IPGRE, 'LINUX_SLL'],
  [ARPHRD.IP6GRE, 'LINUX_SLL'],
  [ARPHRD.RADIOTAP, 'IEEE802_11_RADIO'],
  [ARPHRD.NONE, 'RAW'],
]);
const TUNNEL_TYPES = new Set([ARPHRD.PPP, ARPHRD.TUNNEL, ARPHRD.TUNNEL6, ARPHRD.SIT, ARPHRD.IPGRE, ARPHRD.IP6GRE, ARPHRD.NONE]);
/** DEVTYPE in uevent of what has no hardware of its own. */
const DEVTYPES = new Map<string, InterfaceKind>([
  ['bridge', 'bridge'],
  ['bond', 'virtual'],
  ['vlan', 'virtual'],
  ['macvlan', 'virtual'],
  ['vxlan', 'tunnel'],
  ['wireguard', 'tunnel'],
  ['gre', 'tunnel'],
]);
/** Most bytes read of the kernel's routing table. A router with full tables prints hundreds of MB. */
const FIB_LIMIT = 4 << 20;

/** Most lower interfaces to follow. */
const MAX_LOWER = 1024;

/** Whether the text can be a Linux interface name. Nothing else may become part of a path. */
export function isLinuxInterfaceName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && name.length <= 15 && !/[/\s\0]/.test(name);
}

/** Names of the interfaces in this network namespace, from sysfs. */
export function linuxDeviceNames(edges: Edges): string[] {
  const folder = `${edges.paths.sys}/class/net`;
  // `bonding_masters` is a plain file among the interfaces
  return listSystemFolder(folder).filter((name) => isLinuxInterfaceName(name) && systemPathExists(`${folder}/${name}/ifindex`));
}

/** All interfaces in this network namespace, from sysfs. */
export function linuxDevices(edges: Edges): FoundDevice[] {
  const devices: FoundDevice[] = [];
  const kinds = new LinuxKinds(edges);
  for (const name of linuxDeviceNames(edges)) {
    const folder = `${edges.paths.sys}/class/net/${name}`;
    const index = readSystemNumber(`${folder}/ifindex`);
    if (index === null) continue; // just removed
    const up = isUp(folder);
    const operating = readSystemFile(`${folder}/operstate`, 32)?.trim();
    // Loopback, tun and many virtual drivers never report a state, so unknown counts as running if up, as in `ip`.
    const running = up && (operating === 'up' || operating === 'unknown');
    const linkType = LINK_TYPES.get(readSystemNumber(`${folder}/type`) ?? -1) ?? null;
    devices.push({ name, index, up, running, kind: kinds.kindOf(name), linkType });
  }
  return devices;
}

function isUp(folder: string): boolean {
  return ((readSystemNumber(`${folder}/flags`) ?? 0) & IFF_UP) !== 0;
}

/** Whether an interface exists and is up, for a source that waits for it. */
export function linuxState(edges: Edges, name: string): 'up' | 'down' | 'absent' {
  const folder = `${edges.paths.sys}/class/net/${name}`;
  if (!isLinuxInterfaceName(name) || !systemPathExists(folder)) return 'absent';
  return isUp(folder) ? 'up' : 'down';
}

/** Finds the kinds of several interfaces. It checks once whether the machine has hardware, because that means looking at all interfaces. */
export class LinuxKinds {
  readonly #edges: Edges;
  #hasHardware: boolean | null = null;

  constructor(edges: Edges) {
    this.#edges = edges;
  }

  /** Kind of an interface, from sysfs if possible, else from its name. */
  kindOf(name: string): InterfaceKind {
    if (!isLinuxInterfaceName(name)) return interfaceKind(name);
    const folder = `${this.#edges.paths.sys}/class/net/${name}`;
    const type = readSystemNumber(`${folder}/type`);
    if (type === null) return interfaceKind(name);
    if (type === ARPHRD.LOOPBACK) return 'loopback';
    // Most have none, and opening a missing file takes ten times as long as checking for it.
    const tun = systemPathExists(`${folder}/tun_flags`) ? readSystemNumber(`${folder}/tun_flags`) : null;
    if (tun !== null) return (tun & IFF_TUN) !== 0 ? 'tunnel' : 'virtual';
    if (systemPathExists(`${folder}/bridge`)) return 'bridge';
    // This comes before the tunnel types, because a mobile modem's raw IP or PPP interface has a device and is physical.
    if (systemPathExists(`${folder}/device`) || systemPathExists(`${folder}/wireless`)) return 'physical';
    const devtype = /^DEVTYPE=(\S+)$/m.exec(readSystemFile(`${folder}/uevent`, 1024) ?? '')?.[1];
    const known = devtype === undefined ? undefined : DEVTYPES.get(devtype);
    if (known !== undefined) return known;
    if (TUNNEL_TYPES.has(type)) return 'tunnel';
    // One end of a veth pair, or a macvlan whose card is in another namespace. Without hardware (in a container) it is the uplink; with hardware it
    // shows traffic that the card shows too.
    const paired = readSystemNumber(`${folder}/iflink`) !== readSystemNumber(`${folder}/ifindex`);
    if (paired && !systemPathExists(`${folder}/master`) && !this.#hardware() && lowerOf(folder).length === 0) return 'physical';
    const named = interfaceKind(name);
    return named === 'physical' || named === 'loopback' ? 'virtual' : named;
  }

  #hardware(): boolean {
    const folder = `${this.#edges.paths.sys}/class/net`;
    this.#hasHardware ??= listSystemFolder(folder).some((name) => systemPathExists(`${folder}/${name}/device`));
    return this.#hasHardware;
  }
}

/** Names of the interfaces directly below one. @param folder its folder in sysfs */
function lowerOf(folder: string): string[] {
  const links = listSystemFolder(folder).filter((entry) => entry.startsWith('lower_'));
  return links.map((entry) => entry.slice('lower_'.length)).filter(isLinuxInterfaceName);
}

/** Interfaces that carry the same frames again: the ports of a bridge or bond, the card of a VLAN, and everything below these. */
export function linuxLower(edges: Edges, name: string): string[] {
  const found = new Set<string>();
  const waiting = isLinuxInterfaceName(name) ? [name] : [];
  for (let upper = waiting.pop(); upper !== undefined && found.size < MAX_LOWER; upper = waiting.pop()) {
    for (const lower of lowerOf(`${edges.paths.sys}/class/net/${upper}`)) {
      if (found.has(lower)) continue;
      found.add(lower);
      waiting.push(lower);
    }
  }
  return [...found];
}

/** The interface of the default route; see `defaultInterface`. */
export function linuxDefaultInterface(edges: Edges): string | null {
  const four = readSystemFile(`${edges.paths.proc}/net/route`, FIB_LIMIT) ?? '';
  const six = readSystemFile(`${edges.paths.proc}/net/ipv6_route`, FIB_LIMIT) ?? '';
  return defaultOfRoute(four) ?? defaultOfRoute6(six) ?? routeTo(four, ONE_ONE_ONE_ONE);
}

const ONE_ONE_ONE_ONE = 0x01010101;

interface Route4 {
  readonly name: string;
  readonly destination: number;
  readonly mask: number;
  readonly metric: number;
}

/** Parses /proc/net/route: name, destination, gateway, flags, references, use, metric, mask; addresses in host byte order. */
function* routes(text: string): Generator<Route4> {
  for (const line of text.split('\n').slice(1)) {
    const part = line.trim().split(/\s+/);
    if (part.length < 8) continue;
    const flags = Number.parseInt(part[3] as string, 16);
    if ((flags & RTF_UP) === 0 || (flags & RTF_REJECT) !== 0) continue;
    yield {
      name: part[0] as string,
      destination: Number.parseInt(part[1] as string, 16),
      mask: Number.parseInt(part[7] as string, 16),
      metric: Number(part[6]),
    };
  }
}

function defaultOfRoute(text: string): string | null {
  let best: Route4 | null = null;
  for (const route of routes(text)) {
    if (route.destination === 0 && route.mask === 0 && (best === null || route.metric < best.metric)) best = route;
  }
  return best?.name ?? null;
}

/** @param address one that is the same in both byte orders */
function routeTo(text: string, address: number): string | null {
  let best: Route4 | null = null;
  for (const route of routes(text)) {
    if ((address & route.mask) >>> 0 !== route.destination) continue;
    const longer = best === null ? 1 : bitsOf(route.mask) - bitsOf(best.mask);
    if (best === null || longer > 0 || (longer === 0 && route.metric < best.metric)) best = route;
  }
  return best?.name ?? null;
}

function bitsOf(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}

/** Parses /proc/net/ipv6_route: destination, its length, source, its length, next hop, metric, references, use, flags, name. */
function defaultOfRoute6(text: string): string | null {
  let best: { name: string; metric: number } | null = null;
  for (const line of text.split('\n')) {
    const part = line.trim().split(/\s+/);
    if (part.length < 10 || part[1] !== '00' || /[^0]/.test(part[0] as string)) continue;
    const flags = Number.parseInt(part[8] as string, 16);
    const metric = Number.parseInt(part[5] as string, 16);
    if ((flags & RTF_UP) === 0 || (flags & RTF_REJECT) !== 0) continue;
    if (best === null || metric < best.metric) best = { name: part[9] as string, metric };
  }
  return best?.name ?? null;
}

/** The kernel's local addresses, from /proc/net/fib_trie and /proc/net/if_inet6, as text. */
export function linuxAddresses(edges: Edges): string[] {
  const found: string[] = [];
  let leaf: string | null = null;
  for (const line of (readSystemFile(`${edges.paths.proc}/net/fib_trie`, FIB_LIMIT) ?? '').split('\n')) {
    const node = /^\s*\|-- (\d+\.\d+\.\d+\.\d+)$/.exec(line);
    if (node !== null) leaf = node[1] as string;
    // Only host entries: 127.0.0.0/8 is LOCAL too, but not an address.
    else if (leaf !== null && /^\s*\/32 host LOCAL$/.test(line)) found.push(leaf);
  }
  const words = new Int32Array(ADDRESS_WORDS);
  for (const line of (readSystemFile(`${edges.paths.proc}/net/if_inet6`, FIB_LIMIT) ?? '').split('\n')) {
    const hex = /^([0-9a-f]{32})\s/.exec(line)?.[1];
    if (hex === undefined) continue;
    for (let i = 0; i < ADDRESS_WORDS; i++) words[i] = Number.parseInt(hex.slice(8 * i, 8 * i + 8), 16) | 0;
    found.push(formatAddress(words));
  }
  return found;
}
