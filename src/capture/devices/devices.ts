// Interfaces of the machine: which there are, which carries the default route, which addresses are ours. Asks, never changes.

import type { InterfaceKind } from '../../model/terms.ts';
import { ADDRESS_WORDS, isV4, parseAddress, scopeOf } from '../../net/address.ts';
import type { Edges } from '../../system/edges.ts';
import { readSystemFile } from '../../system/small-file.ts';
import { interfaceKind } from './kind.ts';
import {
  isLinuxInterfaceName,
  LinuxKinds,
  linuxAddresses,
  linuxDefaultInterface,
  linuxDeviceNames,
  linuxDevices,
} from './linux.ts';
import { macDefaultInterface, macDevices } from './macos.ts';

/** One interface as `netmon-tui interfaces` lists it. */
export interface Device {
  readonly name: string;
  /** The system's number of it; 0 where unknown. */
  readonly index: number;
  /** Configured up by the administrator. */
  readonly up: boolean;
  /** Has a link; null where the system doesn't tell. */
  readonly running: boolean | null;
  readonly kind: InterfaceKind;
  /** As text, IPv4 before IPv6, without zones. */
  readonly addresses: readonly string[];
  /** DLT name of the frames that plain capture would give (EN10MB, NULL, RAW ...); null where unknown. */
  readonly linkType: string | null;
  readonly isDefault: boolean;
}

/** Addresses that are kept at the most: a host with more is a router farm, and each one costs a look-up in a set. */
const MAX_ADDRESSES = 4096;

/** All interfaces, also those that are down; sorted by the system's number. */
export async function listDevices(edges: Edges): Promise<Device[]> {
  const route = await defaultInterface(edges);
  const found = edges.platform === 'linux' ? linuxDevices(edges) : await macDevices(edges);
  const byName = edges.networkInterfaces();
  const words = new Int32Array(ADDRESS_WORDS);
  const devices = found.map((device): Device => {
    const addresses = (byName[device.name] ?? []).map((info) => info.address.replace(/%.*$/, ''));
    addresses.sort((a, b) => Number(isSix(a, words)) - Number(isSix(b, words)));
    return { ...device, addresses, isDefault: device.name === route };
  });
  return devices.sort((a, b) => a.index - b.index || (a.name < b.name ? -1 : 1));
}

function isSix(address: string, words: Int32Array): boolean {
  return !(parseAddress(address, words) && isV4(words, 0));
}

/** Names of all interfaces, for messages; empty where the system doesn't tell. */
export async function deviceNames(edges: Edges): Promise<string[]> {
  return edges.platform === 'linux' ? linuxDeviceNames(edges) : (await macDevices(edges)).map(({ name }) => name);
}

/**
 * The interface that carries traffic to the internet, or null when offline.
 *
 * IPv4's default route, then IPv6's, then the route to 1.1.1.1: a split-tunnel VPN sets 0/1 and 128/1 and may leave no default.
 * No packet is sent for this.
 */
export function defaultInterface(edges: Edges): Promise<string | null> {
  return edges.platform === 'linux' ? Promise.resolve(linuxDefaultInterface(edges)) : macDefaultInterface(edges);
}

/** Kinds of interfaces: from sysfs on Linux, where names lie; from the names elsewhere. */
export function deviceKinds(edges: Edges, names: readonly string[]): InterfaceKind[] {
  if (edges.platform !== 'linux') return names.map(interfaceKind);
  const kinds = new LinuxKinds(edges);
  return names.map((name) => kinds.kindOf(name));
}

/** An interface's own hardware address; null where it has none, or the system doesn't tell. */
export function hardwareAddress(edges: Edges, name: string): Uint8Array | null {
  const told =
    edges.platform === 'linux'
      ? isLinuxInterfaceName(name)
        ? readSystemFile(`${edges.paths.sys}/class/net/${name}/address`, 64)
        : null
      : (edges.networkInterfaces()[name]?.[0]?.mac ?? null);
  const text = told?.trim() ?? '';
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) || text === '00:00:00:00:00:00') return null;
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
}

/**
 * Addresses of this machine, four words each (net/address), each once.
 *
 * On Linux the kernel's own table of local addresses is added to what `os.networkInterfaces()` tells, which leaves out interfaces
 * that are not running and all but the address itself of tunnels. Broadcast, multicast and unspecified addresses are left out.
 */
export function localAddresses(edges: Edges): Int32Array {
  const texts: string[] = [];
  for (const list of Object.values(edges.networkInterfaces())) for (const info of list ?? []) texts.push(info.address);
  if (edges.platform === 'linux') texts.push(...linuxAddresses(edges));
  const seen = new Set<string>();
  const found: number[] = [];
  const words = new Int32Array(ADDRESS_WORDS);
  for (const text of texts) {
    if (seen.size >= MAX_ADDRESSES) break;
    if (!parseAddress(text, words)) continue;
    const scope = scopeOf(words);
    if (scope === 'broadcast' || scope === 'multicast' || scope === 'unspecified') continue;
    const key = words.join();
    if (seen.has(key)) continue;
    seen.add(key);
    found.push(...words);
  }
  return Int32Array.from(found);
}
