// How often the image is written: the less often, the more it costs to write. Numbers only.

/** While the file is small. */
const OFTEN_MS = 5 * 60_000;
/** Bytes of images an hour; the journal takes some more, 150 MB in all. A file of 32 MB is written every 15 minutes. */
const HOURLY_BYTES = 130e6;
const HOUR_MS = 3_600_000;
/** Largest files are written this often, whatever that costs. */
const SELDOM_MS = 2 * HOUR_MS;
const LONGEST_RETRY_MS = 15 * 60_000;

/**
 * Time from one save to the next, ms.
 *
 * @param written bytes that the last one wrote: less than the file where only what changed is written
 */
export function saveInterval(written: number): number {
  return Math.min(SELDOM_MS, Math.max(OFTEN_MS, (written / HOURLY_BYTES) * HOUR_MS));
}

/** Time until a save that failed is tried again, ms: a minute at first, then longer. */
export function saveRetry(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, 60_000 * 2 ** Math.max(0, failures - 1));
}

/** The same for the journal, which holds the newest. */
export function journalRetry(failures: number): number {
  return Math.min(60_000, 2_000 * 2 ** Math.max(0, failures - 1));
}
