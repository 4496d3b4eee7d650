// Which build this is: the version, and the commit if it was built in a clone.

import { readFileSync } from 'node:fs';

/** Version of the program, from package.json. */
export function version(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** Short commit that dist/ was built from, `-dirty` after it if files differed; null if it is unknown, as in a package. */
export function commit(): string | null {
  try {
    const text = readFileSync(new URL('../commit', import.meta.url), 'utf8').trim();
    return /^[0-9a-f]{7,40}(?:-dirty)?$/.test(text) ? text : null;
  } catch {
    return null;
  }
}

/** Node, as `--version` and the doctor name it. */
export function nodeText(): string {
  return `${process.versions.node} ${process.platform} ${process.arch}`;
}
