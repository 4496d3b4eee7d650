// Finds some strings in a JSON text without building what it says: the text may be hostile, deep or larger than the thread's memory. It doesn't
// check the rest of the text.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Levels whose names are told. Deeper ones are passed over. */
const DEEPEST = 6;
/** Bytes of a string that is read. Longer ones are passed over. */
const LONGEST = 4096;

/**
 * Takes one string.
 *
 * @param path names on the way to it, `''` for a place in a list; valid until this returns
 * @param read decodes it; null if it is too long or malformed
 */
export type TakeString = (path: readonly string[], read: () => string | null) => void;

/** Passes each string that is a value to `take`, in order. @returns false if brackets don't match: the text is cut off, or no JSON */
export function eachString(text: Buffer, take: TakeString): boolean {
  const path: string[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number;
    if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth <= DEEPEST) path.push('');
    } else if (byte === 0x7d || byte === 0x5d) {
      if (depth-- <= DEEPEST) path.pop();
      if (depth < 0) return false;
    } else if (byte === QUOTE) {
      const end = endOf(text, at + 1);
      if (end < 0) return false;
      if (depth <= DEEPEST && depth > 0) {
        if (isKey(text, end + 1)) path[depth - 1] = decoded(text, at, end) ?? '';
        else {
          const start = at;
          take(path, () => decoded(text, start, end));
        }
      }
      at = end;
    }
  }
  return depth === 0;
}

/** Where a string ends: at its closing quote; -1 if it doesn't. */
function endOf(text: Buffer, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === BACKSLASH) at++;
    else if (text[at] === QUOTE) return at;
  }
  return -1;
}

function isKey(text: Buffer, from: number): boolean {
  let at = from;
  while (text[at] === 0x20 || (text[at] as number) === 0x0a || text[at] === 0x0d || text[at] === 0x09) at++;
  return text[at] === 0x3a;
}

/** @param start, end its quotes */
function decoded(text: Buffer, start: number, end: number): string | null {
  if (end - start > LONGEST) return null;
  try {
    return JSON.parse(text.toString('utf8', start, end + 1)) as string;
  } catch {
    return null; // a bad escape
  }
}
