// Numbers and times as a reader sees them: the unit always printed, columns of one width, unknown never shown as zero.

import type { UnitMode } from '../../model/options.ts';
import { grouped } from '../../net/counted.ts';

interface UnitScale {
  readonly perByte: number;
  readonly base: 1000 | 1024;
  readonly units: readonly string[];
}

const SCALES: Record<UnitMode, UnitScale> = {
  bytes: { perByte: 1, base: 1024, units: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] },
  'bytes-decimal': { perByte: 1, base: 1000, units: ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'] },
  bits: { perByte: 8, base: 1000, units: ['b', 'kb', 'Mb', 'Gb', 'Tb', 'Pb', 'Eb'] },
  'bits-binary': { perByte: 8, base: 1024, units: ['b', 'Kib', 'Mib', 'Gib', 'Tib', 'Pib', 'Eib'] },
};
/** The next prefix starts at this share of it: no column flips between `1023` and `1.00` (bandwhich's STEP_UP_FRAC). */
export const STEP_UP = 0.95;

/** Shown units for each byte, and how many of one prefix make the next. */
export function unitScale(mode: UnitMode): { readonly perByte: number; readonly base: 1000 | 1024 } {
  return SCALES[mode];
}

/** Cells of `formatAmount`. */
export const AMOUNT_WIDTH = 8;
/** Cells of `formatRate`, and those of its number. */
export const RATE_WIDTH = 10;
export const RATE_DIGITS = 4;

function scaled(bytes: number, mode: UnitMode): { number: string; unit: string } {
  const { perByte, base, units } = SCALES[mode];
  let value = bytes * perByte;
  let step = 0;
  while (value >= base * STEP_UP && step < units.length - 1) {
    value /= base;
    step++;
  }
  const unit = units[step] as string;
  if (step === 0) return { number: value > 0 && value < 1 ? '<1' : String(Math.round(value)), unit };
  return { number: value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : String(Math.round(value)), unit };
}

/** A number of bytes, right-aligned number and left-aligned unit: always `AMOUNT_WIDTH` cells. */
export function formatAmount(bytes: number, mode: UnitMode): string {
  const { number, unit } = scaled(bytes, mode);
  return `${number.padStart(4)} ${unit.padEnd(3)}`;
}

/** A rate in bytes/s: always `RATE_WIDTH` cells. */
export function formatRate(bytesPerSecond: number, mode: UnitMode): string {
  const { number, unit } = scaled(bytesPerSecond, mode);
  return `${number.padStart(RATE_DIGITS)} ${`${unit}/s`.padEnd(5)}`;
}

/** A count in at most five cells: `99999`, `123k`, `1.2M`; `?` for NaN. */
export function formatCount(count: number): string {
  if (Number.isNaN(count)) return '?';
  if (count < 100_000) return String(count);
  for (const [unit, size] of [
    ['k', 1e3],
    ['M', 1e6],
    ['G', 1e9],
  ] as const) {
    const value = count / size;
    if (value < 9.95) return `${value.toFixed(1)}${unit}`;
    if (value < 950) return `${Math.round(value)}${unit}`;
  }
  return `${Math.round(count / 1e12)}T`;
}

/** A count with its digits in groups of three, for places with room. */
export function formatGrouped(count: number): string {
  return Number.isNaN(count) ? '?' : grouped(count);
}

/** A share of 1 as percent, in at most six cells: `0 %` only when it is nothing, `100 %` only when it is all. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent <= 0) return '0 %';
  if (percent < 0.1) return '<0.1 %';
  if (percent > 99 && percent < 100) return `${(Math.floor(percent * 10) / 10).toFixed(1)} %`;
  return `${percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** A length of time in at most six cells: `59s`, `12m05s`, `3h12m`, `5d04h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  const days = Math.floor(hours / 24);
  return days < 100 ? `${days}d${two(hours % 24)}h` : `${days}d`;
}

/** How long ago, in at most six cells and in steps that keep a screen still: `now`, `10s` to `50s`, `1m` to `59m`, then as a duration. */
export function formatAge(ms: number): string {
  if (ms < 10_000) return 'now';
  if (ms < 60_000) return `${Math.floor(ms / 10_000)}0s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m`;
  return formatDuration(ms);
}

/** A round-trip time in at most six cells. */
export function formatRtt(ms: number): string {
  if (ms < 0.95) return `${Math.max(1, Math.round(ms * 1000))}us`; // loopback and virtual pairs
  if (ms < 9.95) return `${ms.toFixed(1)}ms`;
  if (ms < 9_950) return `${Math.round(ms)}ms`;
  return `${Math.round(ms / 1000)}s`;
}

/** Local time of day, 24 h: `14:03:22`. */
export function formatClock(epochMs: number): string {
  const date = new Date(epochMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** Local time of day where that is today's, else the date before it: `14:03:22`, `2026-01-30 14:03:22`. */
export function formatMoment(epochMs: number, now: number): string {
  const isToday = new Date(epochMs).toDateString() === new Date(now).toDateString();
  return isToday ? formatClock(epochMs) : formatDateTime(epochMs);
}

/** Local date and time, 24 h: `2026-01-31 14:03:22`. */
export function formatDateTime(epochMs: number): string {
  const date = new Date(epochMs);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
  return `${day} ${formatClock(epochMs)}`;
}
