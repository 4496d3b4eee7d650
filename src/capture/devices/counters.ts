// Reads the interfaces' own counters, to compare with captured bytes, and computes what they counted since the start. A total that can't be
// trusted is null with a reason, never a wrong number.

import type { Edges } from '../../system/edges.ts';
import { readSystemFile } from '../../system/small-file.ts';
import { netstatRows } from './macos.ts';

/** Most bytes read of /proc/net/dev: about 30,000 interfaces. */
const MAX_BYTES = 4 << 20;

/** Frame bytes and frames that an interface counted since its creation. */
export interface Counters {
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  /** null on macOS, which doesn't count them. */
  readonly rxDropped: number | null;
  readonly txDropped: number | null;
  /** Receive plus transmit errors; null if the system doesn't say. */
  readonly errors: number | null;
}

/**
 * Counters of the named interfaces. An absent or unreadable one is missing from the map.
 *
 * @returns null if the system's answer was missing or incomplete
 */
export async function readCounters(edges: Edges, names: Iterable<string>): Promise<Map<string, Counters> | null> {
  return edges.platform === 'linux' ? linuxCounters(edges, names) : await macCounters(edges, names);
}

/**
 * Reads one file for all interfaces. sysfs has eight files per interface; with a hundred interfaces, reading those takes a tenth of a second.
 *
 * Lines of /proc/net/dev (net/core/net-procfs.c): `name: `, then for received traffic bytes packets errs drop fifo frame compressed multicast, then
 * for sent traffic bytes packets errs drop ... Received drops include frames for which the hardware had no buffer.
 */
function linuxCounters(edges: Edges, names: Iterable<string>): Map<string, Counters> {
  const wanted = new Set(names);
  const found = new Map<string, Counters>();
  for (const line of (readSystemFile(`${edges.paths.proc}/net/dev`, MAX_BYTES) ?? '').split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).trim();
    if (!wanted.has(name)) continue;
    const columns = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    if (columns.length < 16 || !columns.every(Number.isFinite)) continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = columns;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = columns.slice(8);
    found.set(name, { rxBytes, txBytes, rxPackets, txPackets, rxDropped, txDropped, errors: rxErrors + txErrors });
  }
  return found;
}

async function macCounters(edges: Edges, names: Iterable<string>): Promise<Map<string, Counters> | null> {
  const wanted = new Set(names);
  const found = new Map<string, Counters>();
  if (wanted.size === 0) return found;
  const { rows, whole } = await netstatRows(edges);
  if (!whole) return null;
  for (const row of rows) {
    if (!wanted.has(row.name)) continue;
    const { rxBytes, txBytes, rxPackets, txPackets, errors } = row;
    found.set(row.name, { rxBytes, txBytes, rxPackets, txPackets, rxDropped: null, txDropped: null, errors });
  }
  return found;
}

/** What an interface counted since the tracker first saw it. */
interface CounterDelta {
  /** null if the system may count received bytes twice. */
  readonly rxBytes: number | null;
  readonly txBytes: number;
  readonly rxDropped: number | null;
  readonly txDropped: number | null;
  readonly errors: number | null;
}

/** Captured frame bytes on an interface since the start. */
interface CapturedBytes {
  readonly rxBytes: number;
  readonly txBytes: number;
}

interface Track {
  last: Counters;
  rxBytes: number;
  txBytes: number;
  rxDropped: number | null;
  txDropped: number | null;
  errors: number | null;
  /** Captured received bytes when the received counter last moved. */
  capturedAtMove: number;
  /** Counted sent bytes at that moment. */
  sentAtMove: number;
  frozen: boolean;
  broken: string | null;
}

/** Some macOS releases give third-party programs only the lower 32 bits of counters, which wrap here. */
const WRAP = 2 ** 32;
/** A counter counts as frozen if it stands still for this many captured bytes. Drivers may publish counters seconds late. */
const FROZEN_BYTES = 256 * 1024;

/**
 * Tracks the counters of all interfaces and decides which totals can be trusted.
 *
 * - A byte counter that decreases while its packet counter increases has wrapped (macOS only; Linux has 64 bits).
 * - If both decrease, the counter was reset. What it counted before is lost, so its total is unknown from then on.
 * - If received bytes stand still while sent bytes increase and the capture receives, the counter is frozen (macOS 26.4 and later, on
 *   Skywalk interfaces). It is unknown for as long as that lasts.
 * - A macOS utun counts received bytes once or twice, depending on how its program reads them (xnu bsd/net/if_utun.c,
 *   `utun_proto_input` after `ifnet_input`), so they are unknown.
 */
export class CounterTracker {
  readonly #isMac: boolean;
  readonly #tracks = new Map<string, Track>();

  constructor(platform: Edges['platform']) {
    this.#isMac = platform === 'darwin';
  }

  /**
   * Takes one reading of all interfaces. Call it more often than 4 GiB can pass.
   *
   * @param captured by interface, since the start; needed to detect frozen counters
   */
  update(readings: ReadonlyMap<string, Counters>, captured?: ReadonlyMap<string, CapturedBytes>): void {
    for (const [name, now] of readings) {
      const track = this.#tracks.get(name);
      const seen = captured?.get(name);
      if (track === undefined) this.#tracks.set(name, baseline(now, seen));
      else this.#advance(track, now, seen);
    }
    // An interface that comes back counts from zero, and may already exceed its last reading.
    for (const [name, track] of this.#tracks) if (!readings.has(name)) track.broken = 'the interface was gone for a while';
  }

  /** All interfaces ever read. A reading that lacks one counts it as gone. */
  get names(): Iterable<string> {
    return this.#tracks.keys();
  }

  /** What an interface counted since the start; null if that can't be trusted. */
  delta(name: string): CounterDelta | null {
    const track = this.#tracks.get(name);
    if (track === undefined || track.broken !== null || track.frozen) return null;
    const { rxBytes, txBytes, rxDropped, txDropped, errors } = track;
    return { rxBytes: this.#doubles(name) ? null : rxBytes, txBytes, rxDropped, txDropped, errors };
  }

  /** Why `delta`, or its received bytes, are null, in words for the user; empty if they aren't. */
  note(name: string): string {
    const track = this.#tracks.get(name);
    if (track === undefined) return 'the interface has no counters';
    if (track.broken !== null) return track.broken;
    if (track.frozen) return 'the receive counter stands still while packets arrive';
    return this.#doubles(name) ? 'macOS counts bytes that a utun receives twice' : '';
  }

  #doubles(name: string): boolean {
    return this.#isMac && name.startsWith('utun');
  }

  #advance(track: Track, now: Counters, seen: CapturedBytes | undefined): void {
    const { last } = track;
    const rx = this.#step(last.rxBytes, now.rxBytes, now.rxPackets < last.rxPackets);
    const tx = this.#step(last.txBytes, now.txBytes, now.txPackets < last.txPackets);
    track.last = now;
    if (rx === null || tx === null) {
      track.broken = 'the interface counters were reset';
      return;
    }
    track.rxBytes += rx;
    track.txBytes += tx;
    track.rxDropped = added(track.rxDropped, last.rxDropped, now.rxDropped);
    track.txDropped = added(track.txDropped, last.txDropped, now.txDropped);
    track.errors = added(track.errors, last.errors, now.errors);
    const received = seen?.rxBytes ?? track.capturedAtMove;
    if (rx > 0) {
      track.capturedAtMove = received;
      track.sentAtMove = track.txBytes;
      track.frozen = false;
    } else if (received - track.capturedAtMove > FROZEN_BYTES && track.txBytes > track.sentAtMove) track.frozen = true;
  }

  /** How far a counter advanced; null if it was reset. */
  #step(before: number, now: number, packetsWentBack: boolean): number | null {
    if (packetsWentBack) return null;
    if (now >= before) return now - before;
    return this.#isMac && before < WRAP ? now + WRAP - before : null;
  }
}

function baseline(now: Counters, seen: CapturedBytes | undefined): Track {
  return {
    last: now,
    rxBytes: 0,
    txBytes: 0,
    rxDropped: now.rxDropped === null ? null : 0,
    txDropped: now.txDropped === null ? null : 0,
    errors: now.errors === null ? null : 0,
    capturedAtMove: seen?.rxBytes ?? 0,
    sentAtMove: 0,
    frozen: false,
    broken: null,
  };
}

function added(total: number | null, before: number | null, now: number | null): number | null {
  if (total === null || before === null || now === null) return null;
  return total + Math.max(0, now - before);
}
