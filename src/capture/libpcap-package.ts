// The one command that brings libpcap to this machine, by the package manager that is here. Names it, never runs it.

import type { Edges } from '../net/edges.ts';
import { systemPathExists } from './system-file.ts';

/** By absolute path, in the order of trust; /usr/bin and /usr/sbin are one folder on many systems. */
const MANAGERS: readonly (readonly [path: string, command: string])[] = [
  ['/usr/bin/apt-get', 'apt-get install -y libpcap0.8'],
  ['/usr/bin/dnf', 'dnf install -y libpcap'],
  ['/usr/bin/yum', 'yum install -y libpcap'],
  ['/sbin/apk', 'apk add libpcap'],
  ['/usr/bin/pacman', 'pacman -S --needed libpcap'],
  ['/usr/bin/zypper', 'zypper install -y libpcap1'],
];
const SUDO = '/usr/bin/sudo';

/**
 * Hint for a machine whose libpcap is missing.
 *
 * @param exists tells which programs are there; the file system by default
 */
export function libpcapHint(
  edges: Pick<Edges, 'platform' | 'euid'>,
  exists: (path: string) => boolean = systemPathExists,
): string {
  // A Mac has its own built in. No other is ever loaded: Homebrew's knows no processes, and its folder is its user's to write to.
  if (edges.platform === 'darwin') return 'type: netmon-tui doctor';
  const command = MANAGERS.find(([path]) => exists(path))?.[1];
  if (command === undefined) return "install your system's libpcap package";
  if (edges.euid() === 0) return `type: ${command}`;
  return exists(SUDO) ? `type: sudo ${command}` : `as root, type: ${command}`;
}
