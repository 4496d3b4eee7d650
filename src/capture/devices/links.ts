// How good radio links are, as far as the system says it for nothing: /proc/net/wireless on Linux, `ifconfig -v` on macOS. It sends nothing and
// scans for nothing.

import type { LinkQuality } from '../../model/quality.ts';
import { ChildPoll } from '../../system/child-poll.ts';
import type { Clock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { readSystemFile } from '../../system/small-file.ts';

const READ_MS = 2000;
/** `ifconfig` is a process; links change slower than it is worth. */
const PAUSE_MS = 10_000;
const LIMITS = { timeoutMs: 3000, maxBytes: 64 << 10 };
/** Signal at which most cards begin to lose frames, dBm. */
const WEAK_DBM = -75;
/** Link quality up to which a Mac's driver calls its link poor (xnu bsd/net/if_var.h, IFNET_LQM_THRESH_POOR), of 100. */
const POOR = 50;
/** What drivers of cfg80211 give at the most: dBm from -110 to -40 (net/wireless/wext-compat.c). */
const BEST = 70;

/** Reads links when they are asked for, every few seconds. */
export class LinkWatch {
  readonly #edges: Edges;
  readonly #clock: Clock;
  readonly #poll: ChildPoll;
  #links = new Map<string, LinkQuality>();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(edges: Edges, clock: Clock) {
    this.#edges = edges;
    this.#clock = clock;
    this.#poll = new ChildPoll(edges, { path: edges.paths.ifconfig, pauseMs: PAUSE_MS, limits: LIMITS });
  }

  /** The link of an interface; null for a cable, and as long as it is unknown. */
  of(name: string): LinkQuality | null {
    const now = this.#clock.monotonic();
    if (this.#edges.platform === 'darwin') this.#runIfconfig(now);
    else if (now - this.#readAt >= READ_MS) {
      this.#readAt = now;
      this.#links = parseWireless(readSystemFile(`${this.#edges.paths.proc}/net/wireless`) ?? '');
    }
    return this.#links.get(name) ?? null;
  }

  #runIfconfig(now: number): void {
    if (!this.#poll.isReady(now)) return;
    this.#poll.start({
      args: ['-v', '-a'],
      read: ({ stdout }) => {
        this.#links = parseIfconfig(stdout);
        return null;
      },
      failed: () => this.#links.clear(),
    });
  }
}

/**
 * Links of /proc/net/wireless (net/wireless/wext-proc.c): after two lines of heads `name: status link. level. noise. ...`. A level below 0 is in dBm.
 */
export function parseWireless(text: string): Map<string, LinkQuality> {
  const links = new Map<string, LinkQuality>();
  for (const line of text.split('\n').slice(2)) {
    const [, name, quality, level] = /^\s*(\S{1,64}):\s+[0-9a-f]+\s+(\d{1,3})\.?\s+(-?\d{1,3})\.?\s/.exec(line) ?? [];
    if (name === undefined) continue;
    const signal = Number(level) < 0 ? Number(level) : null;
    const share = Number(quality) > 0 ? Math.min(1, Number(quality) / BEST) : null;
    links.set(name, { signal, share, rate: null, isWeak: signal !== null && signal <= WEAK_DBM });
  }
  return links;
}

/** Links of `ifconfig -v -a`: of its Wi-Fi interfaces, the quality that the driver tells the kernel, and the rate at which it sends. */
export function parseIfconfig(text: string): Map<string, LinkQuality> {
  const links = new Map<string, LinkQuality>();
  for (const block of text.split(/^(?=\S)/m)) {
    const name = /^([!-~]{1,64}): flags=/.exec(block)?.[1];
    if (name === undefined || !/^\s+type: Wi-Fi\s*$/m.test(block)) continue;
    const quality = /^\s+link quality: (\d{1,3}) \(/m.exec(block)?.[1];
    if (quality === undefined) continue;
    const [, rate, unit] = /^\s+uplink rate: (\d{1,6}(?:\.\d{1,3})?) ([KMG])bps/m.exec(block) ?? [];
    const times = unit === 'G' ? 1000 : unit === 'K' ? 0.001 : 1;
    links.set(name, {
      signal: null,
      share: Math.min(1, Number(quality) / 100),
      rate: rate === undefined ? null : Number(rate) * times,
      isWeak: Number(quality) <= POOR,
    });
  }
  return links;
}
