// Counts in prose: the digits in groups, the noun in the singular for one; and what was lost of a capture, in the same words everywhere.

/** A whole number with its digits in groups of three: `12 345`. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** A count and its noun: `1 connection`, `2 connections`. @param many the plural, where it isn't made with an s */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** Packets that were lost, by who lost them. */
export interface Dropped {
  readonly kernel: number;
  readonly own: number;
}

/** What was lost since `before`, in words; empty for nothing: `12 packets dropped by the kernel, 1 packet dropped by netmon-tui`. */
export function droppedText(now: Dropped, before: Dropped = { kernel: 0, own: 0 }): string {
  const [kernel, own] = [now.kernel - before.kernel, now.own - before.own];
  const parts = [
    kernel > 0 ? `${counted(kernel, 'packet')} dropped by the kernel` : '',
    own > 0 ? `${counted(own, 'packet')} dropped by netmon-tui` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
