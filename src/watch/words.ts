// Figures and times in the sentences of alerts. Decimal units: they are read by people, beside the figures of providers.

import { counted } from '../net/counted.ts';

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** An amount of bytes: `5.2 GB`, `120 MB`, `17 bytes`. */
export function amount(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${UNITS[unit]}`;
}

/** A length of time: `0.4 s`, `60 s`, `5 min`, `2 h`, `3 days`. */
export function span(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, '')} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return counted(seconds / 86_400, 'day');
}

/** A day: `2026-11-03`, by the user's clock. */
export function day(epochMs: number): string {
  const date = new Date(epochMs);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}

/** A time: `2026-11-03 14:05`, by the user's clock. */
export function moment(epochMs: number): string {
  const date = new Date(epochMs);
  return `${day(epochMs)} ${[date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':')}`;
}

/** How many others: `one other app`, `3 other apps`. */
export function several(count: number, one: string): string {
  return count === 1 ? `one ${one}` : counted(count, one);
}

/** A percentage without digits behind the point; below one, with one. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value < 1 ? value.toFixed(1) : Math.round(value)} %`;
}

/** Made for the first alert that names a country: ICU takes 10 ms, which the first frame needs not wait for. */
let regions: Intl.DisplayNames | null = null;

/** Name of a country: `Germany`; its code if it has none. */
export function countryName(code: string): string {
  if (!/^[A-Z]{2}$/.test(code)) return code;
  regions ??= new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });
  return regions.of(code) ?? code;
}
