// The machine's interfaces: lists them, finds the default route's and our own addresses. It changes nothing.

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
  /** The system's interface index; 0 if unknown. */
  readonly index: number;
  /** Administratively up. */
  readonly up: boolean;
  /** Has a link; null if the system doesn't say. */
  readonly running: boolean | null;
  readonly kind: InterfaceKind;
  /** As text, IPv4 before IPv6, without zones. */
  readonly addresses: readonly string[];
  /** DLT name of frames in a plain capture (EN10MB, NULL, RAW ...); null if unknown. */
  readonly linkType: string | null;
  readonly isDefault: boolean;
}

/** Most addresses kept. Hardly any host has more. */
const MAX_ADDRESSES = 4096;

/** All interfaces, including those that are down, sorted by index. */
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

/** Names of all interfaces; empty if the system lists none. */
export async function deviceNames(edges: Edges): Promise<string[]> {
  return edges.platform === 'linux' ? linuxDeviceNames(edges) : (await macDevices(edges)).map(({ name }) => name);
}

/**
 * The interface that carries traffic to the internet; null when offline.
 *
 * It looks for IPv4's default route, then IPv6's, then the route to 1.1.1.1: a split-tunnel VPN sets 0/1 and 128/1 and may leave no default. It
 * sends no packet.
 */
export function defaultInterface(edges: Edges): Promise<string | null> {
  return edges.platform === 'linux' ? Promise.resolve(linuxDefaultInterface(edges)) : macDefaultInterface(edges);
}

/** Kinds of interfaces: from sysfs on Linux, where names can mislead, else from the names. */
export function deviceKinds(edges: Edges, names: readonly string[]): InterfaceKind[] {
  if (edges.platform !== 'linux') return names.map(interfaceKind);
  const kinds = new LinuxKinds(edges);
  return names.map((name) => kinds.kindOf(name));
}

/** An interface's hardware address; null if it has none or the system doesn't say. */
export function hardwareAddress(edges: Edges, name: string): Uint8Array | null {
  const address =
    edges.platform === 'linux'
      ? isLinuxInterfaceName(name)
        ? readSystemFile(`${edges.paths.sys}/class/net/${name}/address`, 64)
        : null
      : (edges.networkInterfaces()[name]?.[0]?.mac ?? null);
  const text = address?.trim() ?? '';
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text) || text === '00:00:00:00:00:00') return null;
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
}

/**
 * Addresses of this machine, four words each (net/address), without duplicates.
 *
 * On Linux this includes the kernel's table of local addresses, because `os.networkInterfaces()` omits interfaces that aren't running. It excludes
 * broadcast, multicast and unspecified addresses.
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
