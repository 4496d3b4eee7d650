// Addresses inside of records, and which of them a name may be put to.

import { scopeOf, V4_MAPPED } from '../../net/address.ts';
import { i32 } from '../../net/bytes.ts';

/**
 * Reads 4 or 16 bytes as an address.
 *
 * @returns false for any other length, and for what is nobody's address or everybody's: blocked names are answered with 0.0.0.0 or
 * 127.0.0.1, and all local traffic would be called by the last of them
 */
export function readNameable(bytes: Uint8Array, at: number, size: number, words: Int32Array): boolean {
  if (size === 4) {
    words[0] = 0;
    words[1] = 0;
    words[2] = V4_MAPPED;
    words[3] = i32(bytes, at);
  } else if (size === 16) {
    for (let word = 0; word < 4; word++) words[word] = i32(bytes, at + 4 * word);
  } else return false;
  const scope = scopeOf(words);
  return scope === 'global' || scope === 'private' || scope === 'link-local' || scope === 'shared';
}
