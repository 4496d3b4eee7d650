// Why live traffic can't be made on this machine, if so. Every live test asks first, and says what it hears.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** A reason to skip, or null. */
function trafficObstacle(): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.arch !== 'x64' && process.arch !== 'arm64') return `not for ${process.arch}`;
  if (process.geteuid?.() !== 0) return 'needs root';
  const namespaces = spawnSync('ip', ['netns'], { stdio: 'ignore' });
  if (namespaces.status !== 0) return 'needs ip of iproute2';
  const trial = `nmt-try-${process.pid}`;
  if (spawnSync('ip', ['netns', 'add', trial], { stdio: 'ignore' }).status !== 0)
    return 'needs the right to make network namespaces';
  spawnSync('ip', ['netns', 'del', trial], { stdio: 'ignore' });
  const names = ['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'];
  const folders = ['/usr/lib', '/usr/lib64', '/lib', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'];
  if (!folders.some((folder) => names.some((name) => existsSync(`${folder}/${name}`)))) return 'needs libpcap';
  return null;
}

/** `trafficObstacle`, printed once for a test file. */
export function sayObstacle(what: string): string | null {
  const reason = trafficObstacle();
  if (reason !== null) console.log(`skipped: ${what}: ${reason}`);
  return reason;
}
