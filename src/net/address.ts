// IP addresses as four signed 32-bit words in network order. IPv4 is kept v4-mapped (::ffff:a.b.c.d): both families share one shape, one
// comparison and one hash. This folder knows addresses, bytes, numbers and text of the network; it keeps no state and does no I/O.

/** Words of an address. */
export const ADDRESS_WORDS = 4;
/** Third word of a v4-mapped address; the first two are zero. */
export const V4_MAPPED = 0x0000ffff;

/** True if the address at `at` is IPv4 (v4-mapped). */
export function isV4(words: Int32Array, at: number): boolean {
  return words[at + 2] === V4_MAPPED && words[at] === 0 && words[at + 1] === 0;
}

/** True if two addresses are the same. */
export function sameAddress(a: Int32Array, at: number, b: Int32Array, bt: number): boolean {
  return a[at + 3] === b[bt + 3] && a[at + 2] === b[bt + 2] && a[at + 1] === b[bt + 1] && a[at] === b[bt];
}

/**
 * True if two addresses are probably in one network: neighbours share the first 64 bits, or with IPv4 mostly the first 24. The network's own mask
 * isn't in any packet.
 */
export function areNeighbours(words: Int32Array, a: number, b: number): boolean {
  if (isV4(words, a)) return isV4(words, b) && (words[a + 3] as number) >>> 8 === (words[b + 3] as number) >>> 8;
  return words[a] === words[b] && words[a + 1] === words[b + 1];
}

/** Text of an address: dotted IPv4, or IPv6 after RFC 5952. */
export function formatAddress(words: Int32Array, at = 0): string {
  const last = words[at + 3] as number;
  if (isV4(words, at)) return `${last >>> 24}.${(last >>> 16) & 255}.${(last >>> 8) & 255}.${last & 255}`;
  const groups: number[] = [];
  for (let i = 0; i < 4; i++) {
    const word = words[at + i] as number;
    groups.push(word >>> 16, word & 0xffff);
  }
  let best = -1;
  let bestLength = 1; // RFC 5952 section 4.2.2: a single zero group is not shortened
  for (let i = 0; i < 8; ) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) {
      best = i;
      bestLength = length;
    }
    i += length + 1;
  }
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return best < 0 ? text(0, 8) : `${text(0, best)}::${text(best + bestLength, 8)}`;
}

/**
 * Reads an address from text into four words at `at`.
 *
 * A zone (`%en0`) is dropped. @returns false if the text is not an address; the words are then undefined.
 */
export function parseAddress(text: string, words: Int32Array, at = 0): boolean {
  const zone = text.indexOf('%');
  const bare = zone < 0 ? text : text.slice(0, zone);
  if (!bare.includes(':')) {
    const v4 = parseV4(bare);
    if (v4 === null) return false;
    words[at] = 0;
    words[at + 1] = 0;
    words[at + 2] = V4_MAPPED;
    words[at + 3] = v4;
    return true;
  }
  const groups = parseGroups(bare);
  if (groups === null) return false;
  for (let i = 0; i < 4; i++) words[at + i] = ((groups[2 * i] as number) << 16) | (groups[2 * i + 1] as number);
  return true;
}

function parseV4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    if (!/^\d{1,3}$/.test(part) || Number(part) > 255) return null;
    value = (value << 8) | Number(part);
  }
  return value;
}

function parseGroups(text: string): number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groupsOf(halves[0] as string, halves.length === 1);
  if (head === null) return null;
  if (halves.length === 1) return head.length === 8 ? head : null;
  const tail = groupsOf(halves[1] as string, true);
  if (tail === null || head.length + tail.length > 7) return null;
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** Groups of one side of `::`; only the last of the whole address may be a dotted IPv4 one. */
function groupsOf(text: string, endsAddress: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = endsAddress && i === parts.length - 1 ? parseV4(part) : null;
      if (v4 === null) return null;
      groups.push(v4 >>> 16, v4 & 0xffff);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

/** Scope of an address: who could own it, and whether it means anything elsewhere. */
export type AddressScope =
  | 'unspecified'
  | 'loopback'
  | 'link-local'
  | 'private'
  | 'shared'
  | 'multicast'
  | 'broadcast'
  | 'global';

/** Scope of the address at `at` (RFC 6890, RFC 6598 for `shared`). */
export function scopeOf(words: Int32Array, at = 0): AddressScope {
  const last = words[at + 3] as number;
  if (isV4(words, at)) {
    const first = last >>> 24;
    const second = (last >>> 16) & 255;
    if (last === 0) return 'unspecified';
    if (last === -1) return 'broadcast';
    if (first === 127) return 'loopback';
    if (first === 10 || (first === 172 && second >= 16 && second < 32) || (first === 192 && second === 168)) return 'private';
    if (first === 169 && second === 254) return 'link-local';
    if (first === 100 && second >= 64 && second < 128) return 'shared';
    if (first >= 224 && first < 240) return 'multicast';
    return 'global';
  }
  const word = words[at] as number;
  if (word === 0 && words[at + 1] === 0 && words[at + 2] === 0) {
    if (last === 0) return 'unspecified';
    if (last === 1) return 'loopback';
  }
  if (word >>> 24 === 0xff) return 'multicast';
  if (word >>> 22 === 0x3fa) return 'link-local'; // fe80::/10
  if (word >>> 25 === 0x7e) return 'private'; // fc00::/7
  return 'global';
}
