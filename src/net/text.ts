// The one sanitiser of text from outside: process names, host names, file names, error texts of other programs. It only strips; view and tui
// then fit text to cells and escape it, in that order.

/**
 * C0, DEL and C1 controls; bidi marks, embeddings, overrides and isolates; line and paragraph separators; zero-width characters;
 * soft hyphen, Hangul and Mongolian fillers, interlinear and tag characters; lone surrogates; byte order marks.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each is stripped on its own, joiners and variation selectors included.
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]|[\u{e0000}-\u{e0fff}]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;
const LONGEST = 512;

/**
 * Strips whatever could move a cursor, change the reading direction or hide itself, and cuts at 512 UTF-16 units.
 *
 * @returns text that is safe to measure and to escape; never longer than the input.
 */
export function sanitize(text: string): string {
  const bounded = text.length > LONGEST ? text.slice(0, LONGEST) : text;
  return bounded.replace(UNSAFE, '');
}

/** `sanitize` for bytes of unknown encoding: UTF-8 up to the first NUL, with U+FFFD for broken parts. */
export function sanitizeBytes(bytes: Uint8Array, from: number, to: number): string {
  let end = from;
  while (end < to && bytes[end] !== 0) end++;
  return sanitize(new TextDecoder('utf-8').decode(bytes.subarray(from, end)));
}
