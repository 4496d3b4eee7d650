// How often the image is written: the less often, the more it costs to write. Numbers only.

/** While the file is small. */
const OFTEN_MS = 5 * 60_000;
/** Bytes that are written in an hour, images and journal together. */
const HOURLY_BYTES = 150e6;
/** Left to images in any case. */
const LEAST_FOR_IMAGES = 50e6;
/** Of the journal, while nothing is known yet. */
const USUAL_JOURNAL = 8e6;
const HOUR_MS = 3_600_000;
/** Largest files are written this often, whatever that costs. */
const SELDOM_MS = 2 * HOUR_MS;
/** The first save of a run tells what the next ones cost. */
const FIRST_MS = 15 * 60_000;
const LONGEST_RETRY_MS = 15 * 60_000;

/** Bytes that the journal takes in an hour, by what it had taken at two times (monotonic ms). */
export function hourlyBytes(
  from: { readonly at: number; readonly bytes: number } | null,
  to: { readonly at: number; readonly bytes: number },
): number {
  if (from === null || to.at - from.at < OFTEN_MS) return USUAL_JOURNAL;
  return ((to.bytes - from.bytes) / (to.at - from.at)) * HOUR_MS;
}

/**
 * Time from one save to the next, ms.
 *
 * @param written bytes that the last one wrote: less than the file where only what changed is written, 0 where nothing was written yet
 * @param hourlyJournal bytes that the journal takes in an hour, as it went lately
 */
export function saveInterval(written: number, bytes: number, hourlyJournal: number): number {
  const forImages = Math.max(LEAST_FOR_IMAGES, HOURLY_BYTES - hourlyJournal);
  const share = (written === 0 ? bytes : written) / forImages;
  // Whole saves an hour, so that it is no more in any hour, whenever that begins.
  const wanted = Math.max(OFTEN_MS, HOUR_MS * (share > 1 ? share : 1 / Math.floor(1 / share)));
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
