// Which build this is: the version, and the commit if it was built in a clone.

import { bundle, readOwnFile } from './own-files.ts';

/** Version of the program. */
export function version(): string {
  return bundle?.version ?? (JSON.parse(readOwnFile('package.json').toString('utf8')) as { version: string }).version;
}

/** Short commit that the program was built from, `-dirty` after it if files differed; null if it is unknown. */
export function commit(): string | null {
  return bundle?.commit ?? null;
}

/** Node, as `--version` and the doctor name it. */
export function nodeText(): string {
  return `${process.versions.node} ${process.platform} ${process.arch}`;
}
