// The ssh of one machine: what it is started with, what runs at the other end, and in plain words why it ended. It is the user's own ssh, with the
// user's configuration, keys and agent; nothing asks for a password, because the terminal shows something else.

import { shellWords } from '../net/quote.ts';
import { sanitize } from '../net/text.ts';

/** What ssh is told beyond the user's configuration: ask nothing, and notice a line that is gone. */
const OPTIONS = ['BatchMode=yes', 'ConnectTimeout=10', 'ServerAliveInterval=5', 'ServerAliveCountMax=2', 'RequestTTY=no'];
/** Folders in which the other side looks besides its PATH: shells without a terminal have a short one. */
const FOLDERS = ['/usr/local/bin', '/opt/homebrew/bin', '$HOME/.local/bin', '$HOME/.netmon-tui/bin'];
/** Said by the other side if it finds no netmon-tui. */
const MISSING = 'NETMON-MISSING';

/**
 * What a line brings: a stream as root, which needs a rule of sudo there; what any user there may see; or, where there is no netmon-tui, bare packets.
 */
export type Rights = 'root' | 'own' | 'packets';

/** Bytes of each packet: most names are in DNS answers, which are shorter. */
const SNAP_BYTES = 512;

/** True for what ssh takes as the name of a host, and not as one of its options. */
export function isHost(text: string): boolean {
  return /^[^\s-][^\s]{0,254}$/.test(text) && sanitize(text) === text;
}

/** Arguments for ssh. */
export function sshArguments(host: string, command: string): string[] {
  return [...OPTIONS.flatMap((option) => ['-o', option]), '--', host, command];
}

/** What runs at the other end: a word for whatever shell the user has there, and a script for sh. */
export function streamCommand(rights: Rights): string {
  const asRoot = [
    'if [ "$(id -u)" = 0 ] || ! command -v sudo >/dev/null; then exec "$n" stream; fi',
    'if sudo -n true 2>/dev/null; then exec sudo -n env "PATH=$PATH" "$n" stream; fi',
    'exec sudo -n "$n" stream',
  ];
  const lines = [
    `PATH="$PATH:${FOLDERS.join(':')}"`,
    `n=$(command -v netmon-tui) || { echo ${MISSING} >&2; exit 127; }`,
    ...(rights === 'root' ? asRoot : ['exec "$n" stream']),
  ];
  return `exec sh -c '${lines.join('; ')}'`;
}

/**
 * What runs at the other end for bare packets: tcpdump, without those of this very line. It would notice the end of the line with the next packet
 * only, so a process beside it, with the same rights, ends it with standard input. Where sudo allows nothing but tcpdump, that can't be had.
 */
export function packetsCommand(): string {
  const capture = `"$t" -U -s ${SNAP_BYTES} -w - not port "$p"`;
  const asRoot = `exec 3<&0; { cat <&3; kill $$; } >/dev/null 2>&1 & exec ${capture} </dev/null`;
  const lines = [
    'PATH="$PATH:/usr/sbin:/sbin"',
    `p=\${SSH_CONNECTION##* }`,
    `t=$(command -v tcpdump) || { echo ${MISSING} >&2; exit 127; }`,
    'export p t',
    `r=${shellWords([asRoot])}`,
    'if [ "$(id -u)" = 0 ]; then eval "$r"; fi',
    'if sudo -n true 2>/dev/null; then exec sudo -n env "p=$p" "t=$t" sh -c "$r"; fi',
    `exec sudo -n ${capture}`,
  ];
  return `exec sh -c ${shellWords([lines.join('; ')])}`;
}

/**
 * A shell's line that has this machine's own program make a stream of packets. Orders come over standard input, packets beside it; descriptor 3 is
 * open as long as the line is wanted.
 */
export function packetsLine(ssh: string, host: string, program: readonly string[]): string {
  const packets = shellWords([ssh, ...sshArguments(host, packetsCommand())]);
  return `{ ${packets} <&3 4<&- 3<&- | ${shellWords(program)} stream --read /dev/fd/5 5<&0 0<&4 4<&- 3<&-; } 4<&0`;
}

/** Why a line ended. */
export interface LineEnd {
  readonly note: string;
  /** What to type; empty for nothing. */
  readonly hint: string;
  /** It is no use to try again soon: somebody has to do something first. */
  readonly isLasting: boolean;
  /** sudo refused: the other side may be asked for what any user may see. */
  readonly isWithoutRights: boolean;
  /** There is no netmon-tui: it may be asked for packets. */
  readonly isMissing: boolean;
}

interface Cause {
  readonly says: RegExp;
  readonly note: string;
  readonly hint?: (host: string) => string;
  readonly isLasting?: boolean;
  readonly isWithoutRights?: boolean;
  readonly isMissing?: boolean;
}

const asSsh = (host: string) => shellWords(['ssh', host]);

/** What ssh and the other side say, the first that fits; docs/attach.md has them all. */
export const CAUSES: readonly Cause[] = [
  {
    says: new RegExp(MISSING),
    note: 'netmon-tui is not installed there',
    hint: (host) => shellWords(['netmon-tui', 'attach', '--install', host]),
    isLasting: true,
    isMissing: true,
  },
  {
    // A machine that doesn't know its own name makes sudo say so, and go on.
    says: /^sudo: (?!unable to resolve host)/m,
    note: 'sudo there asks for a password',
    hint: (host) => shellWords(['ssh', '-t', host, 'sudo visudo -f /etc/sudoers.d/netmon-tui']),
    isWithoutRights: true,
  },
  {
    says: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    note: 'its host key has changed',
    // ssh says under which name it keeps the key, and how to remove it: only it knows what the user's configuration makes of the host.
    hint: asSsh,
    isLasting: true,
  },
  { says: /Host key verification failed/, note: 'its host key is not known here', hint: asSsh, isLasting: true },
  { says: /Permission denied/, note: 'it takes no key of yours', hint: asSsh, isLasting: true },
  { says: /Could not resolve hostname/, note: 'no host has that name', isLasting: true },
  { says: /Connection refused/, note: 'nothing takes ssh there' },
  { says: /timed out|Timeout/, note: 'it does not answer' },
  { says: /No route to host|Network is unreachable/, note: 'there is no way to it' },
  {
    says: /env: .*node.*: No such file/,
    note: 'node is not found there',
    hint: () => 'install node there, or the executable of netmon-tui, which needs none',
    isLasting: true,
    isMissing: true,
  },
  {
    says: /unknown command "?'?stream/,
    note: 'its netmon-tui is too old',
    hint: (host) => shellWords(['netmon-tui', 'attach', '--install', host]),
    isLasting: true,
  },
];

/**
 * Why ssh ended.
 *
 * @param stderr the last that it or the other side said @param status null after a signal
 */
export function lineEnd(host: string, status: number | null, stderr: string): LineEnd {
  const cause = CAUSES.find(({ says }) => says.test(stderr));
  if (cause !== undefined)
    return {
      note: cause.note,
      hint: cause.hint?.(host) ?? '',
      isLasting: cause.isLasting ?? false,
      isWithoutRights: cause.isWithoutRights ?? false,
      isMissing: cause.isMissing ?? false,
    };
  const own = /^netmon-tui: (.+)/m.exec(stderr);
  const last = stderr.trim().split('\n').at(-1) ?? '';
  const said = own?.[1] ?? last;
  const ended = status === null ? 'the line was cut' : `ssh ended with status ${status}`;
  return {
    note: said === '' ? ended : sanitize(said),
    hint: '', // what to type here is never worded there
    isLasting: false,
    isWithoutRights: false,
    isMissing: false,
  };
}
