// What the cap driver and its child process say to each other. The child writes pcap records to standard output, and these lines to standard
// error between whatever the addon and Node print there.

/** A line from the child. */
export interface CapMessage {
  /**
   * `ready`: capturing, with the LINKTYPE as text. `no-module`: the package is missing or can't be loaded. `no-open`: the interface can't be
   * opened. `shed`: frames lost so far because the pipe was full.
   */
  readonly kind: 'ready' | 'no-module' | 'no-open' | 'shed';
  readonly text: string;
}

/** Characters of a line that are read; the rest is cut. */
export const LONGEST_CAP_LINE = 1024;

/** A message as a line, with its newline. */
export function capLine(kind: CapMessage['kind'], text: string): string {
  return `netmon-cap ${kind} ${text.replace(/\s+/g, ' ').slice(0, 512)}\n`;
}

/** The message in a line without its newline; null when it isn't from our code. */
export function parseCapLine(line: string): CapMessage | null {
  const match = /^netmon-cap (ready|no-module|no-open|shed) (.*)$/.exec(line);
  return match === null ? null : { kind: match[1] as CapMessage['kind'], text: match[2] as string };
}
