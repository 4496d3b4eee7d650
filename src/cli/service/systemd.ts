// The unit for systemd: a process of the user with six capabilities and no way to gain more (systemd.exec(5)). Pure.

import { dirname } from 'node:path';
import { LAST_MS } from '../../messenger/dispatcher.ts';
import { LONGEST_MS } from '../../messenger/hook.ts';
import { NetmonError } from '../../model/errors.ts';
import { shellWords } from '../../net/quote.ts';
import type { Service, ServiceFile } from './service.ts';

const UNIT = 'netmon-tui.service';
const PATH = `/etc/systemd/system/${UNIT}`;
/** For packets, for eBPF, for events of new processes, and for /proc of other users' processes. */
const CAPABILITIES = 'CAP_NET_RAW CAP_NET_ADMIN CAP_BPF CAP_PERFMON CAP_SYS_PTRACE CAP_DAC_READ_SEARCH';
/** The messenger may still begin a delivery, and then finishes it; killed in the middle, it would repeat it at the next start. */
const STOP_SECONDS = (LAST_MS + LONGEST_MS) / 1000 + 5;
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * A unit that records from boot.
 *
 * @throws NetmonError `usage` for words that a unit can't hold
 */
export function systemdUnit({ program, words, history, log, state, user, typed }: Service): ServiceFile {
  const command = [...program, 'record', ...words];
  const folder = dirname(history);
  if ([...command, folder].some((word) => CONTROL.test(word)))
    throw new NetmonError('usage', 'a unit can hold no control characters', 'leave them out');
  const writable = [...(user === 'dynamic' ? [] : [folder]), ...(log === null ? [] : [dirname(log)])];
  const kept = user === 'dynamic' || state === null ? [] : [state];
  const lines = [
    user === 'dynamic'
      ? '# Records network history with netmon-tui. To read it: sudo netmon-tui history --history=/var/lib/netmon-tui/history.sqlite'
      : '# Records network history with netmon-tui. The file is the one that its user reads: netmon-tui history.',
    '[Unit]',
    'Description=Network history (netmon-tui record)',
    'Documentation=man:systemd.exec(5)',
    'After=network.target',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${command.map(quotedWord).join(' ')}`,
    ...accountOf(user),
    `CapabilityBoundingSet=${CAPABILITIES}`,
    '# SIGTERM saves the history and ends the run with status 143. SIGUSR1 saves it now: systemctl kill -s USR1 netmon-tui',
    'KillSignal=SIGTERM',
    'SuccessExitStatus=143',
    `TimeoutStopSec=${STOP_SECONDS}`,
    'Restart=on-failure',
    'RestartSec=10',
    'UMask=0077',
    'LimitCORE=0',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    ...(writable.length === 0 ? [] : [`ReadWritePaths=${writable.map(quotedPath).join(' ')}`]),
    // It may be missing until the service is installed.
    ...kept.map((path) => `ReadWritePaths=${quotedPath(`-${path}`)}`),
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
  const claim = shellWords([
    ...(user === null || user === 'dynamic' ? [] : ['-u', `#${user.uid}`]),
    'mkdir',
    '-p',
    '-m',
    '700',
    folder,
    ...kept,
  ]);
  return {
    text: `${lines.join('\n')}\n`,
    path: PATH,
    install: (file) => [
      ...(user === 'dynamic' ? [] : [`sudo ${claim}`]),
      file === null ? `${typed} | sudo tee ${PATH} > /dev/null` : `sudo install -m 644 ${file} ${PATH}`,
      'sudo systemctl daemon-reload',
      'sudo systemctl enable --now netmon-tui',
    ],
    besides: [
      ['To see its state', 'systemctl status netmon-tui'],
      ['To stop it for good', 'sudo systemctl disable --now netmon-tui'],
    ],
    warnings: [],
  };
}

/** Who the service is. A user that systemd makes has a folder below /var/lib, which only root finds from outside (`DynamicUser=`, systemd.exec(5)). */
function accountOf(user: Service['user']): string[] {
  if (user === null) return [];
  const capabilities = `AmbientCapabilities=${CAPABILITIES}`;
  if (user === 'dynamic') return ['DynamicUser=yes', 'StateDirectory=netmon-tui', 'StateDirectoryMode=0700', capabilities];
  return [`User=${user.uid}`, ...(user.gid < 0 ? [] : [`Group=${user.gid}`]), capabilities];
}

/** One word of a command line (systemd.service(5), COMMAND LINES): quoted, with nothing left for systemd to expand. */
function quotedWord(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./-]+$/.test(plain) && !plain.includes('$') ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}

/** A path in a list of paths: quoted if it has to be. `%` is expanded here too, `$` is not. */
function quotedPath(path: string): string {
  const plain = path.replaceAll('%', '%%');
  return /^[\w@%+=:,./-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}
