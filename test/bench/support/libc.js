// libc through koffi, for what Node has no call for: batches of datagrams and terminals. Linux and macOS spellings.

import { createRequire } from 'node:module';

/** Loads koffi from the clone that is measured, and libc. @param {string} root */
export function loadLibc(root) {
  const koffi = createRequire(`${root}/package.json`)('koffi');
  const libc = koffi.load(process.platform === 'darwin' ? '/usr/lib/libSystem.B.dylib' : 'libc.so.6');
  return { koffi, libc };
}
