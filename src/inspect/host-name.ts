// Converts host names in messages to checked, lower-case text. It refuses everything else, including addresses in place of names.

const LONGEST_NAME = 253;
const LONGEST_LABEL = 63;
const DOT = 0x2e;
/** Byte -> its lower-case form if a host name may contain it (RFC 1123 section 2.1, plus the underscore of service names), else 0. */
const ALPHABET = new Uint8Array(256);
for (const letter of 'abcdefghijklmnopqrstuvwxyz0123456789-_.') {
  ALPHABET[letter.charCodeAt(0)] = letter.charCodeAt(0);
  ALPHABET[letter.toUpperCase().charCodeAt(0)] = letter.charCodeAt(0);
}
const text = Buffer.alloc(256);

/**
 * Text of the host name at `from`, without a final dot. Internationalised names keep their ASCII form.
 *
 * @returns null if it isn't a host name: invalid bytes, empty or long labels (RFC 1035 section 2.3.4), or a last label without a letter (an
 * address)
 */
export function hostName(bytes: Uint8Array, from: number, to: number): string | null {
  const end = to > from && bytes[to - 1] === DOT ? to - 1 : to;
  const length = end - from;
  if (length < 1 || length > LONGEST_NAME) return null;
  let label = 0;
  let letters = false;
  for (let i = 0; i < length; i++) {
    const byte = ALPHABET[bytes[from + i] as number] as number;
    if (byte === 0) return null;
    text[i] = byte;
    if (byte === DOT) {
      if (label === 0) return null;
      label = 0;
      letters = false;
    } else {
      if (++label > LONGEST_LABEL) return null;
      if (byte >= 0x61) letters = true;
    }
  }
  return label > 0 && letters ? text.toString('latin1', 0, length) : null;
}

/**
 * Host name of an authority (RFC 3986 section 3.2), without user information and port.
 *
 * @returns null if it is an address or empty
 */
export function hostOfAuthority(bytes: Uint8Array, from: number, to: number): string | null {
  let start = from;
  for (let i = from; i < to; i++) if (bytes[i] === 0x40) start = i + 1;
  let end = start;
  while (end < to && bytes[end] !== 0x3a) end++;
  return hostName(bytes, start, end);
}

const dotted = new Uint8Array(256);

/** Host name of a name in DNS wire form: length-prefixed labels, `length` bytes without the root. */
export function hostNameOfLabels(wire: Uint8Array, length: number): string | null {
  if (length < 2 || length > 254) return null;
  let at = 0;
  while (at < length) {
    const size = wire[at] as number;
    if (at > 0) dotted[at - 1] = DOT;
    for (let i = 1; i <= size; i++) {
      const byte = wire[at + i] as number;
      if (byte === DOT) return null; // a dot inside a label would look like a separator
      dotted[at + i - 1] = byte;
    }
    at += size + 1;
  }
  return hostName(dotted, 0, length - 1);
}
