// The property list for launchd (launchd.plist(5)). Capturing needs root on a Mac; the daemon finds its user's history as it would under sudo. Pure.

import { dirname } from 'node:path';
import { NetmonError } from '../../model/errors.ts';
import type { Service, ServiceFile, ServiceUser } from './service.ts';

const LABEL = 'netmon-tui.record';
const PATH = `/Library/LaunchDaemons/${LABEL}.plist`;
/** Neither XML 1.0 nor a command line can hold these. */
const CONTROL = /[\u0000-\u001f\u007f\ufffe\uffff]/;
/** What macOS (TCC) keeps from daemons, even as root, unless their program has full disk access. */
const GUARDED = /^\/Users\/[^/]+\/(Desktop|Documents|Downloads|Library\/Mobile Documents)\//;
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * A daemon that records from boot.
 *
 * @throws NetmonError `usage` for words that a property list can't hold
 */
export function launchdPlist({
  program,
  words,
  history,
  user,
  typed,
}: Service & { readonly user: ServiceUser | null }): ServiceFile {
  const command = [...program, 'record', ...words];
  if (command.some((word) => CONTROL.test(word)))
    throw new NetmonError('usage', 'a property list can hold no control characters', 'leave them out');
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<!-- Records network history with netmon-tui. SIGTERM writes the file and ends the run. -->',
    '<plist version="1.0">',
    '<dict>',
    `  <key>Label</key><string>${LABEL}</string>`,
    '  <key>ProgramArguments</key>',
    '  <array>',
    ...command.map((word) => `    <string>${escaped(word)}</string>`),
    '  </array>',
    ...(user === null
      ? []
      : ['  <!-- whose configuration is read and who owns the history file, as under sudo -->', ...environment(user)]),
    '  <key>RunAtLoad</key><true/>',
    '  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>',
    '  <key>ThrottleInterval</key><integer>30</integer>',
    '  <key>ExitTimeOut</key><integer>30</integer>',
    '  <!-- background jobs get late timers and slow cores, and would not empty the ring in time -->',
    '  <key>ProcessType</key><string>Standard</string>',
    '  <!-- 077 -->',
    '  <key>Umask</key><integer>63</integer>',
    '  <key>WorkingDirectory</key><string>/</string>',
    '  <key>StandardErrorPath</key><string>/var/log/netmon-tui.log</string>',
    '</dict>',
    '</plist>',
  ];
  return {
    text: `${lines.join('\n')}\n`,
    path: PATH,
    install: (file) => [
      file === null ? `${typed} | sudo tee ${PATH} > /dev/null` : `sudo install -m 644 -o root -g wheel ${file} ${PATH}`,
      `sudo launchctl bootstrap system ${PATH}`,
    ],
    besides: [
      ['To see its state', `sudo launchctl print system/${LABEL}`],
      ['To stop it for good, or before installing it again', `sudo launchctl bootout system/${LABEL}`],
    ],
    warnings: [...program, history]
      .filter((path) => GUARDED.test(path))
      .map(
        (path) =>
          `macOS keeps daemons out of ${dirname(path)}: without full disk access for ${program[0]} it can't start. Choose another folder.`,
      ),
  };
}

function environment({ uid, gid, name, home }: ServiceUser): string[] {
  const values: readonly (readonly [string, string | null])[] = [
    ['HOME', home],
    ['SUDO_GID', gid < 0 ? null : String(gid)],
    ['SUDO_UID', String(uid)],
    ['SUDO_USER', name],
  ];
  const pairs = values.flatMap(([key, value]) =>
    value === null || CONTROL.test(value) ? [] : [`    <key>${key}</key><string>${escaped(value)}</string>`],
  );
  return ['  <key>EnvironmentVariables</key>', '  <dict>', ...pairs, '  </dict>'];
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (sign) => ESCAPES[sign] as string);
}
