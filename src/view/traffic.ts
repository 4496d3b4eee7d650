// Sums and differences of traffic, for rows, totals and trees.

import { AVERAGES, type Average } from '../model/options.ts';
import { NO_MEANS, type Traffic } from '../model/snapshot.ts';

/** Traffic that can be added to. */
export type TrafficSum = { -readonly [Key in keyof Traffic]: Traffic[Key] };

/** A sum of nothing. */
export function noTraffic(): TrafficSum {
  return { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0, means: NO_MEANS };
}

/** Adds `part` to `sum`. */
export function addTraffic(sum: TrafficSum, part: Traffic): void {
  sum.rxBytes += part.rxBytes;
  sum.txBytes += part.txBytes;
  sum.rxPackets += part.rxPackets;
  sum.txPackets += part.txPackets;
  sum.rxRate += part.rxRate;
  sum.txRate += part.txRate;
  sum.means = sum.means.length === 0 ? part.means : sum.means.map((mean, i) => mean + (part.means[i] ?? 0));
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
    means: all.means.map((mean, i) => Math.max(0, mean - (part.means[i] ?? 0))),
  };
}

/** Share of the bytes that an interface counted itself and that were not captured; null where its counter is unknown. */
export function notCaptured(frameBytes: number | null, counterBytes: number | null): number | null {
  if (frameBytes === null || counterBytes === null || counterBytes === 0) return null;
  return Math.max(0, 1 - frameBytes / counterBytes);
}

/** Where the two means of a window stand; asked for each row of each tick. */
const PLACES = Object.fromEntries(AVERAGES.map((average, index) => [average, 2 * index])) as Readonly<Record<Average, number>>;

/** RX bytes/s of a row as it is shown: the mean over the last seconds, or over a range of the past. */
export function shownRx(row: Traffic, average: Average): number {
  return row.means[PLACES[average]] ?? row.rxRate;
}

/** TX bytes/s of a row as it is shown. */
export function shownTx(row: Traffic, average: Average): number {
  return row.means[PLACES[average] + 1] ?? row.txRate;
}

/** RX+TX bytes/s of a row as it is shown. */
export function shownRate(row: Traffic, average: Average): number {
  return shownRx(row, average) + shownTx(row, average);
}
