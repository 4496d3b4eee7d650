// Where the unified cgroup hierarchy is mounted: alone, or beside version 1 (hybrid). Programs attached to its root see every socket.

import { readFileSync } from 'node:fs';

/** Mount point of cgroup2 from /proc/mounts, null where there is none. @param proc `/proc` */
export function cgroupMount(proc: string): string | null {
  let mounts: string;
  try {
    mounts = readFileSync(`${proc}/self/mounts`, 'latin1');
  } catch {
    return null;
  }
  for (const line of mounts.split('\n')) {
    const [, point, type] = line.split(' ');
    // Blanks and the like are written as octal escapes (getmntent(3)).
    if (type === 'cgroup2' && point !== undefined)
      return point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  }
  return null;
}
