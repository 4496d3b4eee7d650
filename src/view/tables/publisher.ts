// Who made a program, in words: and a mark for where nobody vouches for one.

import type { Process, Publisher, PublisherKind } from '../../model/terms.ts';
import type { CellContext } from './column.ts';
import { shown } from './masking.ts';

/** What each kind is called where no name says more. */
const WORDS: Readonly<Record<PublisherKind, string>> = {
  apple: 'Apple',
  signed: 'signed',
  package: 'a package',
  unpackaged: 'not from a package',
  unsigned: 'unsigned',
  adhoc: 'signed by nobody (ad hoc)',
  untrusted: "signed by somebody for whom Apple doesn't vouch",
  invalid: 'its signature is not valid',
  unknown: 'unknown',
};

/** The same in a word or two. */
const MARKS: Partial<Record<PublisherKind, string>> = {
  unpackaged: 'no package',
  unsigned: 'unsigned',
  adhoc: 'ad hoc',
  untrusted: 'untrusted',
  invalid: 'bad signature',
};

/** Who made an executable, whose word that is, and what is to be said of it. */
export function publisherText({ kind, name, version, by, source, note }: Publisher, context: CellContext): string {
  const what = name === null ? WORDS[kind] : [name, version].filter((part) => part !== null).join(' ');
  const whose = [
    ...(kind === 'package' && source !== null ? [source] : []),
    ...(by === null ? [] : [kind === 'signed' ? `team ${by}` : by]),
  ];
  const named = whose.length === 0 ? what : `${what} (${whose.join(', ')})`;
  return shown(note === null ? named : `${named}: ${note}`, context);
}

/** A mark for programs of which one is vouched for by nobody; empty without one. */
export function unvouchedMark(processes: readonly Process[]): string {
  for (const { publisher } of processes) {
    const mark = publisher === null ? undefined : MARKS[publisher.kind];
    if (mark !== undefined) return mark;
  }
  return '';
}
