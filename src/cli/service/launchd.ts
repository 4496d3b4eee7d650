// The property list for launchd (launchd.plist(5)). Capturing takes root on a Mac; whose history it is, it learns as it would under sudo. Pure.

import { dirname } from 'node:path';
import { NetmonError } from '../../model/errors.ts';
import type { Service, ServiceFile } from './service.ts';

const LABEL = 'netmon-tui.record';
const PATH = `/Library/LaunchDaemons/${LABEL}.plist`;
/** Neither XML 1.0 nor a command line holds them. */
const CONTROL = /[\u0000-\u001f\u007f\ufffe\uffff]/;
/** What macOS lets no daemon read, root or not (TCC), unless its program was given full access to the disk. */
const GUARDED = /^\/Users\/[^/]+\/(Desktop|Documents|Downloads|Library\/Mobile Documents)\//;
const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * A daemon that records from boot on.
 *
 * @throws NetmonError `usage` for words that no property list can hold
 */
export function launchdPlist({ node, script, words, history, user, typed }: Service): ServiceFile {
  const command = [node, script, 'record', ...words];
  if (command.some((word) => CONTROL.test(word)))
    throw new NetmonError('usage', 'a word with a control character in it does not fit into a property list', 'leave it out');
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
      : ['  <!-- whose configuration is read and who owns the file, as under sudo -->', ...environment(user)]),
    '  <key>RunAtLoad</key><true/>',
    '  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>',
    '  <key>ThrottleInterval</key><integer>30</integer>',
    '  <key>ExitTimeOut</key><integer>30</integer>',
    '  <!-- the timers and cores of background jobs are too late and too slow to empty the ring in time -->',
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
      ['To see how it goes', `sudo launchctl print system/${LABEL}`],
      ['To end it for good, or before it is installed anew', `sudo launchctl bootout system/${LABEL}`],
    ],
    warnings: [script, history]
      .filter((path) => GUARDED.test(path))
      .map(
        (path) =>
          `macOS lets no daemon into ${dirname(path)}: without full disk access for ${node} it can't start. Choose another folder.`,
      ),
  };
}

function environment({ uid, gid, name, home }: NonNullable<Service['user']>): string[] {
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
