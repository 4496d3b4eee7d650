// Apple's tcpdump: its arguments, and what the lines on its standard error mean for the user.

import { NetmonError } from '../../model/errors.ts';
import { LINK } from '../../net/numbers.ts';
import { sanitize } from '../../net/text.ts';
import { badFilter, misfitFilter } from '../errors.ts';
import { pktapNames } from '../pktap.ts';
import type { CaptureRequest } from '../source.ts';

/** Bytes kept of a packet, including 156 for the PKTAP header; and if all of it is wanted. */
const SNAP_BYTES = 2204;
const FULL_BYTES = 1 << 17;
const PKTAP_HEADER = 156;

/** Bytes kept of a frame. */
export function frameBytes({ wholePackets }: Pick<CaptureRequest, 'wholePackets'>): number {
  return (wholePackets === true ? FULL_BYTES : SNAP_BYTES) - PKTAP_HEADER;
}
/** Most names in `pktap,a,b,c` (libpcap pcap-darwin.c). */
const MAX_INTERFACES = 8;

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
    String(frameBytes(request) + PKTAP_HEADER),
    '-B',
    String(kibibytes),
    '-n',
    '-U',
    // Without this the kernel holds packets back for a second despite -U, and drops what it holds at the end.
    '--immediate-mode',
    '-w',
    '-',
  ];
  // `--` keeps a filter that begins with a dash from being parsed as options.
  return bpf === null ? args : [...args, '--', bpf];
}

/**
 * The error for a filter that tcpdump couldn't compile; null for any other line.
 *
 * On PKTAP, tcpdump compiles the filter at the first packet of each interface, long after it began to listen (pktaputil.c). Up to macOS 12 it
 * prints this for each packet and continues; newer versions exit with status 0.
 */
export function filterRefusal(line: string, bpf: string | null): NetmonError | null {
  const match = /pcap_add_if_info\(([^,)]+), *(\d+)\) failed: ?(.*)/.exec(line);
  if (match === null || bpf === null) return null;
  const [, where = '', link, reason = ''] = match;
  return Number(link) === LINK.ETHERNET && reason !== '' ? badFilter(bpf, reason) : misfitFilter(bpf, where, reason);
}

/**
 * The error for a tcpdump that ended before it was ready.
 *
 * @param lines its last lines on standard error, oldest first
 * @param ending how it ended, in case it printed nothing
 */
export function failureOf(lines: readonly string[], ending: string, request: CaptureRequest): NetmonError {
  const messages = lines.filter((line) => !/data link type|listening on/.test(line));
  const text = sanitize((messages.at(-1) ?? ending).replace(/^tcpdump: /, ''));
  const all = messages.join('\n');
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
