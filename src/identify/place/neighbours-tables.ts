// What the system prints of its neighbours: /proc/net/arp on Linux, arp and ndp on macOS. Lines that are none are passed over.

import { parseAddress } from '../../net/address.ts';
import { isDevice, parseMac } from './mac.ts';

/** One line of a table: an address of this network, and the device that answered for it. */
export interface NeighbourEntry {
  /** Four words. */
  readonly words: Int32Array;
  readonly mac: number;
}

/** All entries of `arp` and `ndp`, addresses as numbers: no look-ups. */
export const ARP_ARGUMENTS = ['-an'] as const;
export const NDP_ARGUMENTS = ['-an'] as const;

/** Lines that are read of one table; kernels keep fewer. */
const MOST_LINES = 65_536;
/** The device has answered (linux/if_arp.h, ATF_COM). */
const COMPLETE = 0x2;
/** Ethernet, Wi-Fi too (linux/if_arp.h, ARPHRD_ETHER). */
const ETHER = 0x1;

/** `192.168.1.1  0x1  0x2  00:11:22:33:44:55  *  eth0`, under a line of titles. */
export function parseProcArp(text: string): NeighbourEntry[] {
  return entriesOf(text, (line) => {
    const [address, type, flags, mac] = line.split(/\s+/);
    if (Number(type) !== ETHER || (Number(flags) & COMPLETE) === 0) return null;
    return [address, mac];
  });
}

/** `? (192.168.1.1) at 0:11:22:33:44:55 on en0 ifscope [ethernet]`; one that did not answer is `(incomplete)`. */
export function parseArp(text: string): NeighbourEntry[] {
  return entriesOf(text, (line) => {
    const match = /^\S+ \(([^)\s]+)\) at (\S+) on /.exec(line);
    return match === null ? null : [match[1], match[2]];
  });
}

/** `fe80::1%en0  0:11:22:33:44:55  en0 23h59m58s S R`, under a line of titles. */
export function parseNdp(text: string): NeighbourEntry[] {
  return entriesOf(text, (line) => {
    const [address, mac] = line.split(/\s+/);
    return [address, mac];
  });
}

function entriesOf(text: string, fields: (line: string) => (string | undefined)[] | null): NeighbourEntry[] {
  const entries: NeighbourEntry[] = [];
  for (const line of text.split('\n', MOST_LINES)) {
    const [address, told] = fields(line.trim()) ?? [];
    const mac = told === undefined ? null : parseMac(told);
    if (address === undefined || mac === null || !isDevice(mac)) continue;
    const words = new Int32Array(4);
    if (parseAddress(address, words)) entries.push({ words, mac });
  }
  return entries;
}
