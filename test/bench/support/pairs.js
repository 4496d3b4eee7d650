// Ways of doing the same work, measured in turn: what else runs on the machine meets each, so ratios hold where times don't.

/**
 * How two ways compare, over all rounds.
 *
 * @typedef {object} Ratio
 * @property {string} to the other way
 * @property {number} median of the rounds' ratios
 * @property {number} least
 * @property {number} most
 * @property {{most?: number, least?: number}} [goal]
 */

/**
 * Runs each way once a round; the order turns with each round, because the first after a pause meets a colder machine.
 *
 * @param {number} rounds
 * @param {Record<string, () => Promise<number | null> | number | null>} ways null where it can't run here; it isn't tried again
 * @returns {Promise<Record<string, number[]>>} figures of the ways that ran in all rounds
 */
export async function inTurn(rounds, ways) {
  const told = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const names = Object.keys(told);
    for (const name of round % 2 === 0 ? names : names.reverse()) {
      const value = await ways[name]();
      if (value === null) delete told[name];
      else told[name].push(value);
    }
  }
  return told;
}

/** The middle one. @param {readonly number[]} values at least one */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/**
 * Ratio of one way to another, round by round; null if the other didn't run, or took nothing that could be measured.
 *
 * @param {readonly number[]} ours @param {readonly number[] | undefined} theirs @param {string} to @param {{most?: number, least?: number}} [goal]
 * @returns {Ratio | null}
 */
export function ratio(ours, theirs, to, goal) {
  if (theirs === undefined || theirs.length !== ours.length || theirs.includes(0)) return null;
  const ratios = ours.map((value, round) => value / theirs[round]);
  return { to, median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios), ...(goal ? { goal } : {}) };
}
