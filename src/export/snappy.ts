// Compresses into one Snappy block, which remote write asks for (github.com/google/snappy, format_description.txt). It looks for repetitions within
// 64 KiB and takes the first that it finds, as the reference does.

const FRAGMENT = 1 << 16;
const HASH_BITS = 14;
const LEAST_MATCH = 4;
const LONGEST_COPY = 64;

/** @returns the block: its length, then literals and copies */
export function snappy(input: Uint8Array): Uint8Array {
  // Incompressible input grows by a byte a fragment and a little more (MaxCompressedLength of the reference).
  const out = new Uint8Array(32 + input.length + Math.ceil(input.length / 6));
  let length = 0;
  let rest = input.length;
  for (; rest >= 128; rest >>>= 7) out[length++] = (rest & 127) | 128;
  out[length++] = rest;
  const table = new Uint16Array(1 << HASH_BITS);
  for (let from = 0; from < input.length; from += FRAGMENT) {
    table.fill(0);
    length = fragment(input.subarray(from, from + FRAGMENT), table, out, length);
  }
  return out.slice(0, length);
}

/** @param table places by hash: 0 stands for the first byte, too, which does no harm as what is there is compared @returns the end of the output */
function fragment(input: Uint8Array, table: Uint16Array, out: Uint8Array, start: number): number {
  let end = start;
  let literal = 0;
  let at = 1; // what begins at 0 has nothing before it
  while (at + LEAST_MATCH <= input.length) {
    const word = wordAt(input, at);
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS);
    const candidate = table[hash] as number;
    table[hash] = at;
    if (candidate >= at || wordAt(input, candidate) !== word) {
      at++;
      continue;
    }
    end = writeLiteral(input, literal, at, out, end);
    let matched = LEAST_MATCH;
    while (at + matched < input.length && input[at + matched] === input[candidate + matched]) matched++;
    end = writeCopy(at - candidate, matched, out, end);
    at += matched;
    literal = at;
  }
  return writeLiteral(input, literal, input.length, out, end);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Lengths above 60 follow in one or two bytes: a fragment has no longer ones. */
function writeLiteral(input: Uint8Array, from: number, to: number, out: Uint8Array, start: number): number {
  if (from === to) return start;
  let end = start;
  const less = to - from - 1;
  if (less < 60) out[end++] = less << 2;
  else if (less < 256) {
    out[end++] = 60 << 2;
    out[end++] = less;
  } else {
    out[end++] = 61 << 2;
    out[end++] = less & 255;
    out[end++] = less >> 8;
  }
  out.set(input.subarray(from, to), end);
  return end + to - from;
}

/** Copies of 1 to 64 bytes with a distance of two bytes: three bytes each. */
function writeCopy(distance: number, length: number, out: Uint8Array, start: number): number {
  let end = start;
  for (let rest = length; rest > 0; rest -= LONGEST_COPY) {
    out[end++] = ((Math.min(rest, LONGEST_COPY) - 1) << 2) | 2;
    out[end++] = distance & 255;
    out[end++] = distance >> 8;
  }
  return end;
}
