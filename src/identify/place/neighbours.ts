// Which device is behind an address of the local network. Out of the system's own tables, read when somebody turned up of whom nothing is
// known, and out of IPv6 addresses that were made from a hardware address. Nobody is asked: no packet is sent.

import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { type Neighbour, NOBODY } from '../../model/terms.ts';
import { isV4, parseAddress, scopeOf } from '../../net/address.ts';
import { ChildPoll } from '../../system/child-poll.ts';
import type { Edges } from '../../system/edges.ts';
import { formatMac, isDevice, macInAddress, parseMac } from './mac.ts';
import { Vendors } from './vendors.ts';

/** Least time between two readings of a table. */
const PAUSE_MS = 5000;
/** Who is in no table (behind a router or a tunnel) is looked for ever more seldom. */
const LONGEST_PAUSE_MS = 300_000;
const LIMITS = { timeoutMs: 3000, maxBytes: 4 << 20 };
const MOST = 4096;
/** Our own networks are looked at again after this long. */
const NETWORKS_MS = 30_000;

/** IPv4 as a number, IPv6 as text. */
type AddressKey = number | string;

/** One table of the system, and who is to be looked for in it. */
interface Table {
  asked: Set<AddressKey>;
  /** null reads the file of procfs. */
  readonly poll: ChildPoll | null;
  readonly args: readonly string[];
  readonly parse: (text: string) => NeighbourEntry[];
}

/** Knows the neighbours met so far. `meet` on the per-flow clock, `lookup` and `work` on the tick's. */
export class Neighbours {
  readonly #edges: Edges | null;
  readonly #loadVendors: () => Promise<Vendors>;
  readonly #macs = new LRUCache<AddressKey, number>({ max: MOST });
  readonly #misses = new LRUCache<AddressKey, { readonly pauseMs: number; readonly until: number }>({ max: MOST });
  /** IPv4, IPv6; absent where the system has no such table that can be read. */
  readonly #tables: readonly (Table | undefined)[];
  /** First two words of the IPv6 networks of this machine. */
  #networks: Int32Array = new Int32Array(0);
  #networksAt = Number.NEGATIVE_INFINITY;
  #readAt = Number.NEGATIVE_INFINITY;
  #now = 0;
  /** A device was met, so there is something to tell of it. */
  #needsVendors = false;
  #vendors: Vendors | null = null;
  #loading: Promise<void> | null = null;

  /**
   * @param edges null in a replay: its neighbours were another machine's
   * @param loadVendors gives the table of vendors, asked once
   */
  constructor(edges: Edges | null, loadVendors: () => Promise<Vendors> = Vendors.load) {
    this.#edges = edges;
    this.#loadVendors = loadVendors;
    this.#tables = edges === null ? [] : tablesOf(edges);
  }

  /** A flow with the address at `at` began: it is looked for when the tables are next read. */
  meet(words: Int32Array, at: number): void {
    if (!this.#isNear(words, at)) return;
    if (macInAddress(words, at) !== null) {
      this.#needsVendors = true;
      return;
    }
    const table = this.#tables[isV4(words, at) ? 0 : 1];
    if (table === undefined || table.asked.size >= MOST) return;
    const key = keyOf(words, at);
    if (this.#macs.has(key) || (this.#misses.peek(key)?.until ?? Number.NEGATIVE_INFINITY) > this.#now) return;
    table.asked.add(key);
  }

  /** The device behind the address at `at`; all null where it is no neighbour or nothing is known. Its vendor comes a moment later. */
  lookup(words: Int32Array, at: number): Neighbour {
    if (!this.#isNear(words, at)) return NOBODY;
    const mac = macInAddress(words, at) ?? this.#macs.get(keyOf(words, at));
    if (mac === undefined) {
      this.meet(words, at);
      return NOBODY;
    }
    void this.#load();
    return { mac: formatMac(mac), vendor: this.#vendors?.vendorOf(mac) ?? null };
  }

  /** Reads the tables that somebody is looked for in, where they are due. @param now monotonic ms */
  work(now: number): void {
    this.#now = now;
    if (this.#edges === null) return;
    if (now - this.#networksAt >= NETWORKS_MS) {
      this.#networksAt = now;
      this.#networks = networksOf(this.#edges);
    }
    for (const table of this.#tables) {
      if (table === undefined) continue;
      if (table.poll === null) this.#readFile(table, this.#edges.paths.proc);
      else this.#readChild(table, table.poll);
    }
  }

  /** Resolves when the vendors of the neighbours that were met can be told: at once where there were none. */
  async ready(): Promise<void> {
    if (this.#needsVendors) await this.#load();
  }

  /** Begins no further reading. */
  close(): void {
    for (const table of this.#tables) table?.poll?.close();
  }

  #readFile(table: Table, proc: string): void {
    if (table.asked.size === 0 || this.#now - this.#readAt < PAUSE_MS) return;
    this.#readAt = this.#now;
    const { asked } = table;
    table.asked = new Set();
    let text = '';
    try {
      text = readFileSync(`${proc}/net/arp`, 'latin1');
    } catch {
      // without the table nobody is found in it, and it is looked at ever more seldom
    }
    this.#learn(table.parse(text), asked);
  }

  #readChild(table: Table, poll: ChildPoll): void {
    if (!poll.isReady(this.#now) || table.asked.size === 0) return;
    const { asked } = table;
    table.asked = new Set();
    poll.start({
      args: table.args,
      read: ({ stdout, status }) => {
        const entries = table.parse(stdout);
        if (entries.length === 0 && status !== 0) return `it lists nothing (status ${status ?? 'unknown'})`;
        this.#learn(entries, asked);
        return null;
      },
      failed: () => {
        for (const key of asked) if (table.asked.size < MOST) table.asked.add(key);
      },
    });
  }

  #learn(entries: readonly NeighbourEntry[], asked: ReadonlySet<AddressKey>): void {
    const found = new Map<AddressKey, number | null>();
    for (const { words, mac } of entries) {
      const key = keyOf(words, 0);
      const other = found.get(key);
      // Two networks may use the same address, and a flow does not tell in which of them its end is.
      found.set(key, other === undefined || other === mac ? mac : null);
    }
    for (const [key, mac] of found) {
      if (mac === null) this.#macs.delete(key);
      else this.#macs.set(key, mac);
    }
    for (const key of asked) {
      if (this.#macs.has(key)) {
        this.#needsVendors = true;
        this.#misses.delete(key);
      } else {
        const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, (this.#misses.get(key)?.pauseMs ?? 0) * 2));
        this.#misses.set(key, { pauseMs, until: this.#now + pauseMs });
      }
    }
  }

  /** True for an address that may be on a network of this machine: private, link-local, or under one of its IPv6 prefixes. */
  #isNear(words: Int32Array, at: number): boolean {
    const scope = scopeOf(words, at);
    if (scope === 'private' || scope === 'link-local') return true;
    if (scope !== 'global' || isV4(words, at)) return false;
    const networks = this.#networks;
    for (let i = 0; i < networks.length; i += 2) if (words[at] === networks[i] && words[at + 1] === networks[i + 1]) return true;
    return false;
  }

  #load(): Promise<void> {
    this.#loading ??= this.#loadVendors().then(
      (vendors) => {
        this.#vendors = vendors;
      },
      () => undefined, // then they stay unknown
    );
    return this.#loading;
  }
}

function tablesOf(edges: Edges): (Table | undefined)[] {
  // IPv6 neighbours of Linux are told by netlink only.
  if (edges.platform === 'linux') return [{ asked: new Set(), poll: null, args: [], parse: parseProcArp }];
  const poll = (path: string) => new ChildPoll(edges, { path, pauseMs: PAUSE_MS, limits: LIMITS });
  return [
    { asked: new Set(), poll: poll(edges.paths.arp), args: ARP_ARGUMENTS, parse: parseArp },
    { asked: new Set(), poll: poll(edges.paths.ndp), args: NDP_ARGUMENTS, parse: parseNdp },
  ];
}

/** The /64 networks of this machine's global IPv6 addresses, two words each. */
function networksOf(edges: Edges): Int32Array {
  const networks: number[] = [];
  const words = new Int32Array(4);
  for (const { address } of Object.values(edges.networkInterfaces()).flatMap((addresses) => addresses ?? [])) {
    if (!address.includes(':') || !parseAddress(address, words) || scopeOf(words) !== 'global') continue;
    networks.push(words[0] as number, words[1] as number);
  }
  return Int32Array.from(networks.slice(0, 64));
}

function keyOf(words: Int32Array, at: number): AddressKey {
  if (isV4(words, at)) return words[at + 3] as number;
  return `${words[at]}.${words[at + 1]}.${words[at + 2]}.${words[at + 3]}`;
}

// The system's tables of neighbours: /proc/net/arp on Linux, the output of arp and ndp on macOS. Skips lines that it can't read.

/** One line of a table: an address of this network, and the device that answered for it. */
interface NeighbourEntry {
  /** Four words. */
  readonly words: Int32Array;
  readonly mac: number;
}

/** All entries of `arp` and `ndp`, addresses as numbers: no look-ups. */
const ARP_ARGUMENTS = ['-an'] as const;
const NDP_ARGUMENTS = ['-an'] as const;

/** Lines that are read of one table; kernels keep fewer. */
const MAX_LINES = 65_536;
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
  for (const line of text.split('\n', MAX_LINES)) {
    const [address, told] = fields(line.trim()) ?? [];
    const mac = told === undefined ? null : parseMac(told);
    if (address === undefined || mac === null || !isDevice(mac)) continue;
    const words = new Int32Array(4);
    if (parseAddress(address, words)) entries.push({ words, mac });
  }
  return entries;
}
