// Adds up what may be unknown.

/** Sum of what is known, or null when any part is not: a partial sum would pass for the whole. */
export function sumOrNull(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}
