// "Did you mean": the known word closest to a mistyped one. Pure.

/** The choice within two edits (one for words under four letters) of `word`, or null. Ties go to the earlier choice. */
export function nearest(word: string, choices: Iterable<string>): string | null {
  const lower = word.toLowerCase().slice(0, 64);
  let best: string | null = null;
  let least = (lower.length < 4 ? 1 : 2) + 1;
  for (const choice of choices) {
    const distance = edits(lower, choice.toLowerCase(), least);
    if (distance < least) {
      least = distance;
      best = choice;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours between two words; `limit` when it is that or more. */
function edits(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((above[j] as number) + 1, (row[j - 1] as number) + 1, (above[j - 1] as number) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, (before[j - 2] as number) + 1);
      row.push(least);
    }
    before = above;
    above = row;
  }
  return Math.min(above[b.length] as number, limit);
}
