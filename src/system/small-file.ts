// Reads small files of procfs and sysfs up to a bound. A missing or unreadable file gives null, never an exception.

import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';

/**
 * Text of a system file, truncated at `limit` bytes.
 *
 * Reads to the end, because the sizes of these files can't be trusted.
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
    return null; // sysfs gives EINVAL for attributes that an interface lacks, ENODEV while it is being removed
  } finally {
    closeSync(file);
  }
}

/** The number in a system file, decimal or `0x` hexadecimal; null if there is none. */
export function readSystemNumber(path: string): number | null {
  const text = readSystemFile(path, 64)?.trim();
  if (text === undefined || !/^(0x[0-9a-f]+|\d+)$/i.test(text)) return null;
  return Number(text);
}

/** Names in a system folder; empty if it is unreadable. */
export function listSystemFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Whether the path exists and is accessible. */
export function systemPathExists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
