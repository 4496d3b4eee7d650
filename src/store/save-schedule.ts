// How often the image is written: the less often, the more it costs to write. Numbers only.

/** While the file is small. */
const OFTEN_MS = 5 * 60_000;
/** Bytes of images an hour; the journal takes some more, 150 MB in all. A file of 32 MB is written every 15 minutes. */
const HOURLY_BYTES = 130e6;
const HOUR_MS = 3_600_000;
/** Largest files are written this often, whatever that costs. */
const SELDOM_MS = 2 * HOUR_MS;
/** The first save of a run tells what the next ones cost. */
const FIRST_MS = 15 * 60_000;
const LONGEST_RETRY_MS = 15 * 60_000;

/**
 * Time from one save to the next, ms.
 *
 * @param written bytes that the last one wrote: less than the file where only what changed is written, 0 where nothing was written yet
 */
export function saveInterval(written: number, bytes: number): number {
  const wanted = Math.max(OFTEN_MS, ((written === 0 ? bytes : written) / HOURLY_BYTES) * HOUR_MS);
  return Math.min(wanted, written === 0 ? FIRST_MS : SELDOM_MS);
}

/** Time until a save that failed is tried again, ms: a minute at first, then longer. */
export function saveRetry(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, 60_000 * 2 ** Math.max(0, failures - 1));
}

/** The same for the journal, which holds the newest. */
export function journalRetry(failures: number): number {
  return Math.min(60_000, 2_000 * 2 ** Math.max(0, failures - 1));
}
