// What is said to Apple's tcpdump and what it says: its arguments, the lines on its standard error, and what they mean for the user.

import { NetmonError } from '../../model/errors.ts';
import { LINK } from '../../net/numbers.ts';
import { sanitize } from '../../net/text.ts';
import { badFilter, misfitFilter } from '../errors.ts';
import { pktapNames } from '../pktap.ts';
import type { CaptureRequest } from '../source.ts';

/** Bytes kept of a packet, the 156 of the PKTAP header included. */
const SNAP_BYTES = 2204;
/** Bytes kept of a frame. */
export const FRAME_SNAP_BYTES = SNAP_BYTES - 156;
/** Names that `pktap,a,b,c` takes, libpcap pcap-darwin.c. */
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
