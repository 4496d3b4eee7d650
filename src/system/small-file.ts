// Small files of procfs and sysfs, read whole up to a bound. An absent or unreadable file is null, never an exception.

import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';

/**
 * Text of a file of the system, cut at `limit` bytes.
 *
 * These files have no size that could be trusted, so it is read until nothing comes.
 */
export function readSystemFile(path: string, limit = 65_536): string | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const chunks: Buffer[] = [];
    let left = limit;
    while (left > 0) {
      const chunk = Buffer.allocUnsafe(Math.min(left, 65_536));
      const got = readSync(file, chunk, 0, chunk.length, null);
      if (got === 0) break;
      chunks.push(chunk.subarray(0, got));
      left -= got;
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch {
    return null; // sysfs answers EINVAL for what an interface does not have, ENODEV while it goes
  } finally {
    closeSync(file);
  }
}

/** A number in a file of the system, decimal or `0x` hexadecimal; null where there is none. */
export function readSystemNumber(path: string): number | null {
  const text = readSystemFile(path, 64)?.trim();
  if (text === undefined || !/^(0x[0-9a-f]+|\d+)$/i.test(text)) return null;
  return Number(text);
}

/** Names in a folder of the system; empty where it is absent. */
export function listSystemFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** True when the path is there and may be looked at. */
export function systemPathExists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
