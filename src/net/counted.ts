// Counts in prose: the digits in groups, the noun in the singular for one. The screen, the tables, the log and the messages share it.

/** A whole number with its digits in groups of three: `12 345`. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** A count and its noun: `1 connection`, `2 connections`. @param many the plural, where it isn't made with an s */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}
