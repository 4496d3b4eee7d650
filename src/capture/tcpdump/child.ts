// One running tcpdump: its readiness, its standard error, its counters, and its end, which it always finds.

import type { ChildProcess } from 'node:child_process';
import { NetmonError, reasonOf } from '../../model/errors.ts';
import { LINK } from '../../net/numbers.ts';
import { sanitize } from '../../net/text.ts';
import { badFilter, misfitFilter } from '../errors.ts';
import { pktapNames } from '../pktap.ts';
import type { CaptureRequest } from '../source.ts';

const KEPT_LINES = 8;
const LONGEST_LINE = 1_024;

/** How a child went: `ready` is true when it had begun to capture. */
export interface ChildEnd {
  readonly ready: boolean;
  /** As a user reads it: `status 1`, `killed by SIGKILL`, `ENOENT`. */
  readonly how: string;
  /** It never ran: the program is missing or may not be executed. */
  readonly neverRan: boolean;
  /** Its last lines on standard error. */
  readonly lines: readonly string[];
}

/** A tcpdump child, from its start to its end. */
export class TcpdumpChild {
  /** Settles once, when it listens or ends before. */
  readonly ready: Promise<boolean>;
  /** Settles once, when the process is gone and its standard error was read. */
  readonly ended: Promise<ChildEnd>;
  counters: TcpdumpCounters = { received: null, droppedByKernel: null, droppedByInterface: null };
  /** Lines with counters that came so far: answers to SIGINFO. */
  answers = 0;
  isReady = false;
  readonly #child: ChildProcess;
  readonly #graceMs: number;
  readonly #heardLine: (line: string) => void;
  readonly #lines: string[] = [];
  #partial = '';
  #how: string | null = null;
  #neverRan = false;
  #stopping = false;
  #grace: NodeJS.Timeout | null = null;
  #settleReady: (ready: boolean) => void = () => {};
  #settleEnd: (end: ChildEnd) => void = () => {};
  /** The process may end without waiting for us; then it is too late to be gentle. */
  readonly #onExit = () => this.#signal('SIGKILL');

  /**
   * @param graceMs between SIGTERM and SIGKILL, and between the end of the process and that of its standard error
   * @param heard called with each line that is neither readiness nor counters
   */
  constructor(child: ChildProcess, graceMs: number, heard: (line: string) => void) {
    this.#child = child;
    this.#heardLine = heard;
    this.#graceMs = graceMs;
    this.ready = new Promise((resolve) => {
      this.#settleReady = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#settleEnd = resolve;
    });
    process.once('exit', this.#onExit);
    child.on('error', (error) => this.#failed(error));
    child.once('exit', (status, signal) => this.#gone(signal === null ? `status ${status}` : `killed by ${signal}`));
    child.stderr?.setEncoding('latin1');
    child.stderr?.on('data', (text: string) => this.#heard(text));
    child.stderr?.on('error', () => {});
    child.stderr?.once('close', () => this.#finish());
  }

  /** Sends a signal that asks for counters. @returns false where the system has no such signal, or the child is gone */
  ask(signal: NodeJS.Signals): boolean {
    return this.#signal(signal);
  }

  /** Ends it: SIGTERM, so that it removes its pktap interface; SIGKILL after the grace. May be called again. */
  stop(): void {
    if (this.#stopping || this.#how !== null) return;
    this.#stopping = true;
    this.#signal('SIGTERM');
    this.#grace = setTimeout(() => {
      this.#signal('SIGKILL');
      // Where it may not be signalled, it dies at its next write.
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }, this.#graceMs);
  }

  #signal(signal: NodeJS.Signals): boolean {
    if (this.#how !== null) return false;
    try {
      return this.#child.kill(signal);
    } catch {
      return false;
    }
  }

  #heard(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) this.#line(sanitize(line.slice(0, LONGEST_LINE)));
  }

  #line(line: string): void {
    if (!this.isReady && isReady(line)) {
      this.isReady = true;
      this.#settleReady(true);
      return;
    }
    const counters = countersOf(line);
    if (counters !== null) {
      this.counters = { ...this.counters, ...counters };
      this.answers++;
    } else if (line !== '') {
      this.#lines.push(line);
      if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      this.#heardLine(line);
    }
  }

  #failed(error: Error): void {
    // The event also reports a signal that could not be sent; only a child without a pid never ran.
    if (this.#child.pid !== undefined) return;
    this.#neverRan = true;
    this.#gone((error as NodeJS.ErrnoException).code ?? reasonOf(error));
    this.#finish();
  }

  #gone(how: string): void {
    if (this.#how !== null) return;
    this.#how = how;
    process.off('exit', this.#onExit);
    if (this.#grace !== null) clearTimeout(this.#grace);
    const { stderr } = this.#child;
    if (stderr === null || stderr.closed) this.#finish();
    else this.#grace = setTimeout(() => stderr.destroy(), this.#graceMs);
  }

  #finish(): void {
    if (this.#how === null) return;
    if (this.#grace !== null) clearTimeout(this.#grace);
    if (this.#partial !== '') this.#line(sanitize(this.#partial));
    this.#partial = '';
    this.#settleReady(false);
    this.#settleEnd({ ready: this.isReady, how: this.#how, neverRan: this.#neverRan, lines: [...this.#lines] });
  }
}

// What is said to Apple's tcpdump and what it says: its arguments, the lines on its standard error, and what they mean for the user.

/** Bytes kept of a packet, the 156 of the PKTAP header included. */
const SNAP_BYTES = 2204;
/** Bytes kept of a frame. */
export const FRAME_SNAP_BYTES = SNAP_BYTES - 156;
/** Names that `pktap,a,b,c` takes, libpcap pcap-darwin.c. */
const MAX_INTERFACES = 8;

/** Counters that tcpdump prints at its end, and when it is sent SIGINFO. */
export interface TcpdumpCounters {
  readonly received: number | null;
  readonly droppedByKernel: number | null;
  readonly droppedByInterface: number | null;
}

/**
 * Arguments of a capture to standard output.
 *
 * @throws NetmonError `usage` for more interfaces than PKTAP takes
 */
export function tcpdumpArguments(request: CaptureRequest): string[] {
  const { interfaces, bpf, bufferBytes } = request;
  if (interfaces.length > MAX_INTERFACES) {
    throw new NetmonError('usage', `${interfaces.length} interfaces are too many for pktap`, `name at most ${MAX_INTERFACES}`);
  }
  const kibibytes = Math.max(1, Math.floor(bufferBytes / 1024));
  const args = [
    '-i',
    `pktap,${pktapNames(interfaces)}`,
    '-s',
    String(SNAP_BYTES),
    '-B',
    String(kibibytes),
    '-n',
    '-U',
    // Otherwise the kernel holds packets back for a second, whatever -U says, and drops what it still holds at the end.
    '--immediate-mode',
    '-w',
    '-',
  ];
  // Without the dashes a filter that begins with one would be taken for options.
  return bpf === null ? args : [...args, '--', bpf];
}

/** True for the line after which frames can come. */
export function isReady(line: string): boolean {
  return /\blistening on \S+/.test(line);
}

/** Counters of a line; null when it has none. On exit each stands on its own line, after SIGINFO all stand on one. */
export function countersOf(line: string): Partial<TcpdumpCounters> | null {
  const received = /(\d{1,15}) packets? received by filter/.exec(line);
  const kernel = /(\d{1,15}) packets? dropped by kernel/.exec(line);
  const device = /(\d{1,15}) packets? dropped by interface/.exec(line);
  if (received === null && kernel === null && device === null) return null;
  return {
    ...(received === null ? {} : { received: Number(received[1]) }),
    ...(kernel === null ? {} : { droppedByKernel: Number(kernel[1]) }),
    ...(device === null ? {} : { droppedByInterface: Number(device[1]) }),
  };
}

/**
 * The failure of a filter that tcpdump could not compile; null for any other line.
 *
 * On PKTAP it compiles the filter at the first packet of each interface, long after it began to listen (pktaputil.c). Up to macOS 12 it
 * prints this for each packet and goes on, later it ends with status 0.
 */
export function filterRefusal(line: string, bpf: string | null): NetmonError | null {
  const match = /pcap_add_if_info\(([^,)]+), *(\d+)\) failed: ?(.*)/.exec(line);
  if (match === null || bpf === null) return null;
  const [, where = '', link, said = ''] = match;
  return Number(link) === LINK.ETHERNET && said !== '' ? badFilter(bpf, said) : misfitFilter(bpf, where, said);
}

/**
 * What a tcpdump that ended before it was ready wants to say.
 *
 * @param lines its last lines on standard error, oldest first
 * @param ending how it ended, for when it said nothing
 */
export function failureOf(lines: readonly string[], ending: string, request: CaptureRequest): NetmonError {
  const said = lines.filter((line) => !/data link type|listening on/.test(line));
  const text = sanitize((said.at(-1) ?? ending).replace(/^tcpdump: /, ''));
  const all = said.join('\n');
  if (/operation not permitted|permission denied|don't have permission|privileges/i.test(all)) {
    return new NetmonError('permission', `tcpdump has no permission to capture: ${text}`, 'sudo netmon-tui');
  }
  if (
    request.bpf !== null &&
    /syntax error|filter expression|expression|unknown (host|network|port|proto|ether)|qualifier|illegal/i.test(all)
  ) {
    return badFilter(request.bpf, text);
  }
  if (/no such device|device not configured|does(n't| not) exist|not up|disappeared|BIOCSETIF/i.test(all)) {
    return new NetmonError('no-device', `no such interface: ${text}`, 'netmon-tui interfaces');
  }
  return new NetmonError('no-device', `tcpdump failed: ${text}`, 'netmon-tui doctor');
}
