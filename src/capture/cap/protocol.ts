// What passes between the cap driver and the process that holds the `cap` package: records of classic pcap on standard output,
// and on standard error these lines. Both sides read this file; neither imports the other.

import { LINK } from '../../net/numbers.ts';

/** Lines that begin so are ours; all others are what the addon and the runtime print. */
const PREFIX = 'netmon-cap';

/** What the child tells. */
export type CapWord =
  /** Capturing; the link type as `cap` spells it. */
  | { readonly word: 'ready'; readonly text: string }
  /** The package is absent, not built or of another Node. */
  | { readonly word: 'no-module'; readonly text: string }
  /** `open` threw. */
  | { readonly word: 'no-open'; readonly text: string }
  /** Frames given up so far because the pipe was full. */
  | { readonly word: 'shed'; readonly text: string };

/** Longest line that is kept. */
export const LONGEST_CAP_LINE = 1024;

/** One line to write, with its newline. */
export function capLine(word: CapWord['word'], text: string): string {
  return `${PREFIX} ${word} ${text.replace(/\s+/g, ' ').slice(0, 512)}\n`;
}

/** Reads a line; null for one that is not ours. */
export function parseCapLine(line: string): CapWord | null {
  const match = /^netmon-cap (ready|no-module|no-open|shed) (.*)$/.exec(line);
  return match === null ? null : { word: match[1] as CapWord['word'], text: match[2] as string };
}

const LINK_NAMES = new Map<string, number>([
  ['ETHERNET', LINK.ETHERNET],
  ['NULL', LINK.NULL],
  ['RAW', LINK.RAW],
  ['LINKTYPE_LINUX_SLL', LINK.LINUX_SLL],
]);
/** Those that `cap` has no name for and that can be decoded. */
const LINK_NUMBERS = new Set<number>([LINK.PPP, LINK.RAW_DLT, LINK.LOOP, LINK.LINUX_SLL2]);

/** LINKTYPE for the text that `Cap.open` returns; null for what is not decoded (802.11 in monitor mode, FireWire ...). */
export function capLink(text: string): number | null {
  const named = LINK_NAMES.get(text);
  if (named !== undefined) return named;
  const number = Number(/^Unknown linktype (\d{1,5})$/.exec(text)?.[1] ?? -1);
  return LINK_NUMBERS.has(number) ? number : null;
}
