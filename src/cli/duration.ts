// Durations as a user writes them (500ms, 2s, 1m) and as the program keeps them, in milliseconds. Pure.

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** Milliseconds of a text such as `500ms`, `1.5s` or `2m`; null when it is none. A number without a unit is none. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s?(ms|[smhd])$/.exec(text.trim());
  if (match === null) return null;
  const factor = UNITS.find(([unit]) => unit === match[2])?.[1] as number;
  return Math.round(Number(match[1]) * factor);
}

/** The shortest text that `parseDuration` reads back to the same milliseconds. */
export function formatDuration(ms: number): string {
  const [unit, factor] = UNITS.find(([, size]) => ms >= size && ms % size === 0) ?? ['ms', 1];
  return `${ms / factor}${unit}`;
}
