// Sums and differences of traffic, for rows, totals and trees.

import type { Traffic } from '../model/snapshot.ts';

/** Traffic that can be added to. */
export type TrafficSum = { -readonly [Key in keyof Traffic]: Traffic[Key] };

/** A sum of nothing. */
export function noTraffic(): TrafficSum {
  return { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0 };
}

/** Adds `part` to `sum`. */
export function addTraffic(sum: TrafficSum, part: Traffic): void {
  sum.rxBytes += part.rxBytes;
  sum.txBytes += part.txBytes;
  sum.rxPackets += part.rxPackets;
  sum.txPackets += part.txPackets;
  sum.rxRate += part.rxRate;
  sum.txRate += part.txRate;
}

/** Sum of several. */
export function sumTraffic(parts: Iterable<Traffic>): TrafficSum {
  const sum = noTraffic();
  for (const part of parts) addTraffic(sum, part);
  return sum;
}

/** What `all` has beyond `part`, never below zero. */
export function subtractTraffic(all: Traffic, part: Traffic): Traffic {
  return {
    rxBytes: Math.max(0, all.rxBytes - part.rxBytes),
    txBytes: Math.max(0, all.txBytes - part.txBytes),
    rxPackets: Math.max(0, all.rxPackets - part.rxPackets),
    txPackets: Math.max(0, all.txPackets - part.txPackets),
    rxRate: Math.max(0, all.rxRate - part.rxRate),
    txRate: Math.max(0, all.txRate - part.txRate),
  };
}

/** Share of the bytes that an interface counted itself and that were not captured; null where its counter is unknown. */
export function notCaptured(frameBytes: number | null, counterBytes: number | null): number | null {
  if (frameBytes === null || counterBytes === null || counterBytes === 0) return null;
  return Math.max(0, 1 - frameBytes / counterBytes);
}
