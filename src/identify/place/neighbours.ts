// Finds the device behind an address of the local network: in the system's neighbour tables, which it reads when an unknown address turns up,
// and in IPv6 addresses that contain a hardware address. It sends no packets.

import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { type Neighbour, NOBODY } from '../../model/terms.ts';
import { isV4, parseAddress, scopeOf } from '../../net/address.ts';
import { ChildPoll } from '../../system/child-poll.ts';
import type { Edges } from '../../system/edges.ts';
import { formatMac, isDevice, macInAddress, parseMac } from './mac.ts';
import { Vendors } from './vendors.ts';

/** Shortest time between two reads of a table. */
const PAUSE_MS = 5000;
/** Longest time between two lookups of an address that no table has (behind a router or a tunnel). The time doubles up to this. */
const LONGEST_PAUSE_MS = 300_000;
const LIMITS = { timeoutMs: 3000, maxBytes: 4 << 20 };
const MAX_ADDRESSES = 4096;
/** How often our own networks are read again. */
const NETWORKS_MS = 30_000;

/** IPv4 as a number, IPv6 as text. */
type AddressKey = number | string;

/** One of the system's tables, and the addresses to look for in it. */
interface Table {
  asked: Set<AddressKey>;
  /** null means the table is procfs's file. */
  readonly poll: ChildPoll | null;
  readonly args: readonly string[];
  readonly parse: (text: string) => NeighbourEntry[];
}

/** The neighbours seen so far. Call `meet` per flow, `lookup` and `work` per tick. */
export class Neighbours {
  readonly #edges: Edges | null;
  readonly #loadVendors: () => Promise<Vendors>;
  readonly #macs = new LRUCache<AddressKey, number>({ max: MAX_ADDRESSES });
  readonly #misses = new LRUCache<AddressKey, { readonly pauseMs: number; readonly until: number }>({ max: MAX_ADDRESSES });
  /** IPv4, then IPv6; absent if the system has no readable table. */
  readonly #tables: readonly (Table | undefined)[];
  /** The first two words of each of this machine's IPv6 networks. */
  #networks: Int32Array = new Int32Array(0);
  #networksAt = Number.NEGATIVE_INFINITY;
  #readAt = Number.NEGATIVE_INFINITY;
  #now = 0;
  /** A device was found, so its vendor is needed. */
  #needsVendors = false;
  #vendors: Vendors | null = null;
  #loading: Promise<void> | null = null;

  /**
   * @param edges null in a replay: its neighbours were another machine's
   * @param loadVendors loads the table of vendors; called once
   */
  constructor(edges: Edges | null, loadVendors: () => Promise<Vendors> = Vendors.load) {
    this.#edges = edges;
    this.#loadVendors = loadVendors;
    this.#tables = edges === null ? [] : tablesOf(edges);
  }

  /** Takes the address of a new flow. Unless it is known, the next read of the tables looks for it. */
  meet(words: Int32Array, at: number): void {
    if (!this.#isNear(words, at)) return;
    if (macInAddress(words, at) !== null) {
      this.#needsVendors = true;
      return;
    }
    const table = this.#tables[isV4(words, at) ? 0 : 1];
    if (table === undefined || table.asked.size >= MAX_ADDRESSES) return;
    const key = keyOf(words, at);
    if (this.#macs.has(key) || (this.#misses.peek(key)?.until ?? Number.NEGATIVE_INFINITY) > this.#now) return;
    table.asked.add(key);
  }

  /** The device behind the address at `at`; all fields null if unknown or not a neighbour. The vendor appears once the table is loaded. */
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

  /** Reads the tables that are due and have addresses to look for. @param now monotonic ms */
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

  /** Resolves when the vendors of the neighbours seen so far are known. */
  async ready(): Promise<void> {
    if (this.#needsVendors) await this.#load();
  }

  /** Stops further reads. */
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
      // A missing table counts as an empty one, so it is read less and less often.
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
        for (const key of asked) if (table.asked.size < MAX_ADDRESSES) table.asked.add(key);
      },
    });
  }

  #learn(entries: readonly NeighbourEntry[], asked: ReadonlySet<AddressKey>): void {
    const found = new Map<AddressKey, number | null>();
    for (const { words, mac } of entries) {
      const key = keyOf(words, 0);
      const other = found.get(key);
      // Two networks may use the same address, and a flow doesn't say which one it is on.
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

  /** Whether the address may be on one of this machine's networks: private, link-local, or under one of its IPv6 prefixes. */
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
      () => undefined, // vendors stay unknown
    );
    return this.#loading;
  }
}

function tablesOf(edges: Edges): (Table | undefined)[] {
  // Linux lists IPv6 neighbours only over netlink, which we don't read.
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

// Parses the neighbour tables: /proc/net/arp on Linux, the output of arp and ndp on macOS. Skips lines that it can't read.

/** One line of a table: an address, and the device that answered for it. */
interface NeighbourEntry {
  /** Four words. */
  readonly words: Int32Array;
  readonly mac: number;
}

/** Arguments of `arp` and `ndp`: all entries, addresses not resolved. */
const ARP_ARGUMENTS = ['-an'] as const;
const NDP_ARGUMENTS = ['-an'] as const;

/** Most lines read of a table. Kernels keep fewer. */
const MAX_LINES = 65_536;
/** The device has answered (linux/if_arp.h, ATF_COM). */
const COMPLETE = 0x2;
/** Ethernet and Wi-Fi (linux/if_arp.h, ARPHRD_ETHER). */
const ETHER = 0x1;

/** `192.168.1.1  0x1  0x2  00:11:22:33:44:55  *  eth0`, after a header line. */
export function parseProcArp(text: string): NeighbourEntry[] {
  return entriesOf(text, (line) => {
    const [address, type, flags, mac] = line.split(/\s+/);
    if (Number(type) !== ETHER || (Number(flags) & COMPLETE) === 0) return null;
    return [address, mac];
  });
}

/** `? (192.168.1.1) at 0:11:22:33:44:55 on en0 ifscope [ethernet]`. A device that didn't answer is `(incomplete)`. */
export function parseArp(text: string): NeighbourEntry[] {
  return entriesOf(text, (line) => {
    const match = /^\S+ \(([^)\s]+)\) at (\S+) on /.exec(line);
    return match === null ? null : [match[1], match[2]];
  });
}

/** `fe80::1%en0  0:11:22:33:44:55  en0 23h59m58s S R`, after a header line. */
export function parseNdp(text: string): NeighbourEntry[] {
  return entriesOf(text, (line) => {
    const [address, mac] = line.split(/\s+/);
    return [address, mac];
  });
}

function entriesOf(text: string, fields: (line: string) => (string | undefined)[] | null): NeighbourEntry[] {
  const entries: NeighbourEntry[] = [];
  for (const line of text.split('\n', MAX_LINES)) {
    const [address, text] = fields(line.trim()) ?? [];
    const mac = text === undefined ? null : parseMac(text);
    if (address === undefined || mac === null || !isDevice(mac)) continue;
    const words = new Int32Array(4);
    if (parseAddress(address, words)) entries.push({ words, mac });
  }
  return entries;
}
