// SHA-256 of an executable. It reads only a regular file on a local disk: another machine, or a program of another user's, could let it wait for
// ever, and Node waits for its threads when it ends.

import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '../model/errors.ts';
import { type Executable, fileText, OTHER_FILE } from './package-search.ts';

const MAX_BYTES = 2 * 2 ** 30;
const PIECE = 1 << 20;
/** File systems that ask another machine or another program for what they hold. */
const REMOTE = /^(?:fuse|nfs|cifs|smb|9p|afs|autofs|ceph|coda|ncp|gfs|ocfs|lustre|beegfs|virtiofs|vboxsf|vmhgfs|webdav)/;

/** SHA-256 in hexadecimal, or why there is none. @param prepare called with the file's folder before anything in it is opened */
export async function checksumOf({ path, file }: Executable, prepare: (folder: string) => Promise<void>): Promise<string> {
  const kind = fileSystemOf(path);
  if (kind !== null && REMOTE.test(kind)) return `not read: it lies on ${kind}`;
  await prepare(dirname(path));
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    return `not read: ${reasonOf(thrown)}`;
  }
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) return 'not read: not a regular file';
    if (file !== '' && fileText(stats) !== file) return `not read: ${OTHER_FILE}`;
    if (stats.size > MAX_BYTES) return 'not read: larger than 2 GiB';
    const hash = createHash('sha256');
    const piece = Buffer.allocUnsafe(PIECE);
    for (let got = 1, left = Number(stats.size); got > 0 && left > 0; left -= got) {
      got = readSync(descriptor, piece, 0, Math.min(PIECE, left), null);
      hash.update(piece.subarray(0, got));
    }
    return hash.digest('hex');
  } catch (thrown) {
    return `not read: ${reasonOf(thrown)}`;
  } finally {
    closeSync(descriptor);
  }
}

/** Type of the file system that a path lies on, by the longest mount point above it; null if the system doesn't tell. */
function fileSystemOf(path: string): string | null {
  let [longest, kind]: [number, string | null] = [-1, null];
  for (const line of mounts().split('\n')) {
    // id parent major:minor root MOUNT options [tags] - TYPE source options (proc_pid_mountinfo(5))
    const [before = '', after = ''] = line.split(' - ');
    const point = (before.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const isAbove = point !== '' && (point === '/' || path === point || path.startsWith(`${point}/`));
    if (isAbove && point.length >= longest) [longest, kind] = [point.length, after.split(' ')[0] ?? null];
  }
  return kind;
}

function mounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
