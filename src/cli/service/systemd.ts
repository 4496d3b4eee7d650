// The unit for systemd: the user's own process with six capabilities and nothing else to gain (systemd.exec(5)). Pure.

import { dirname } from 'node:path';
import { NetmonError } from '../../model/errors.ts';
import { shellWords } from '../../net/quote.ts';
import type { Service, ServiceFile } from './service.ts';

const UNIT = 'netmon-tui.service';
const PATH = `/etc/systemd/system/${UNIT}`;
/** Packets; eBPF; the kernel's word on processes that begin; others' /proc. */
const CAPABILITIES = 'CAP_NET_RAW CAP_NET_ADMIN CAP_BPF CAP_PERFMON CAP_SYS_PTRACE CAP_DAC_READ_SEARCH';
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * A unit that records from boot on.
 *
 * @throws NetmonError `usage` for words that no unit can hold
 */
export function systemdUnit({ node, script, words, history, log, user, typed }: Service): ServiceFile {
  const command = [node, script, 'record', ...words];
  const folder = dirname(history);
  if ([...command, folder].some((word) => CONTROL.test(word)))
    throw new NetmonError('usage', 'a word with a control character in it does not fit into a unit', 'leave it out');
  const ambient =
    user === null
      ? []
      : [`User=${user.uid}`, ...(user.gid < 0 ? [] : [`Group=${user.gid}`]), `AmbientCapabilities=${CAPABILITIES}`];
  const lines = [
    '# Records network history with netmon-tui. The file is the one that its user reads: netmon-tui history.',
    '[Unit]',
    'Description=Network history (netmon-tui record)',
    'Documentation=man:systemd.exec(5)',
    'After=network.target',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${command.map(quotedWord).join(' ')}`,
    ...ambient,
    `CapabilityBoundingSet=${CAPABILITIES}`,
    '# SIGTERM writes the file and ends the run; 143 is how that is told. SIGUSR1 writes it now: systemctl kill -s USR1 netmon-tui',
    'KillSignal=SIGTERM',
    'SuccessExitStatus=143',
    'TimeoutStopSec=30',
    'Restart=on-failure',
    'RestartSec=10',
    'UMask=0077',
    'LimitCORE=0',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    `ReadWritePaths=${[folder, ...(log === null ? [] : [dirname(log)])].map(quotedPath).join(' ')}`,
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectControlGroups=yes',
    'RestrictAddressFamilies=AF_PACKET AF_NETLINK AF_UNIX AF_INET AF_INET6',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'LockPersonality=yes',
    'SystemCallArchitectures=native',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  const claim = shellWords([...(user === null ? [] : ['-u', `#${user.uid}`]), 'mkdir', '-p', '-m', '700', folder]);
  return {
    text: `${lines.join('\n')}\n`,
    path: PATH,
    install: (file) => [
      `sudo ${claim}`,
      file === null ? `${typed} | sudo tee ${PATH} > /dev/null` : `sudo install -m 644 ${file} ${PATH}`,
      'sudo systemctl daemon-reload',
      'sudo systemctl enable --now netmon-tui',
    ],
    besides: [
      ['To see how it goes', 'systemctl status netmon-tui'],
      ['To end it for good', 'sudo systemctl disable --now netmon-tui'],
    ],
    warnings: [],
  };
}

/** One word of a command line (systemd.service(5), COMMAND LINES): quoted, with nothing for systemd to expand. */
function quotedWord(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./-]+$/.test(plain) && !plain.includes('$') ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}

/** A path in a list of paths: quoted where it has to be, with nothing to expand but no command's `$`. */
function quotedPath(path: string): string {
  const plain = path.replaceAll('%', '%%');
  return /^[\w@%+=:,./-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}
