// Says which link types are not read, where frames were left out for that: a count alone does not tell what to do about it.

import { isLinkRead } from '../decode/link.ts';
import { LINK } from '../net/numbers.ts';

/** The note; empty where all is read. @param unsupported frames that were left out */
export function linkNote(links: readonly number[], unsupported: number): string {
  if (unsupported === 0) return '';
  // what PKTAP wraps has link types of its own
  const unread = new Set(links.filter((link) => link !== LINK.PKTAP && link !== LINK.PKTAP_DLT && !isLinkRead(link)));
  return unread.size === 0 ? '' : `frames of link type ${[...unread].join(', ')} are not read`;
}
