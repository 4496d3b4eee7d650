// Frames of a client's Initial packet (RFC 9000 section 17.2.2): handshake bytes are taken out, in whatever order they come.

import { u8 } from '../../net/bytes.ts';
import type { Reassembly } from '../reassembly.ts';
import { Cursor } from './header.ts';

const FRAME = { PADDING: 0, PING: 1, ACK: 2, ACK_ECN: 3, CRYPTO: 6, CLOSE: 0x1c } as const;
/** Chrome cuts its hello into dozens of frames. */
const MOST_FRAMES = 256;
const MOST_ACK_RANGES = 64;

const cursor = new Cursor();

/**
 * Walks the frames and puts the handshake bytes into `into`.
 *
 * @returns false when a frame is broken or has no place in an Initial packet; what stood in front of it was taken
 */
export function takeCrypto(frames: Uint8Array, into: Reassembly): boolean {
  cursor.at = 0;
  cursor.end = frames.length;
  for (let count = 0; count < MOST_FRAMES; count++) {
    while (cursor.at < cursor.end && u8(frames, cursor.at) === FRAME.PADDING) cursor.at++;
    if (cursor.at >= cursor.end) return true;
    const type = u8(frames, cursor.at++);
    if (type === FRAME.CRYPTO) {
      const offset = cursor.varint(frames);
      const length = cursor.varint(frames);
      if (offset < 0 || length < 0 || length > cursor.end - cursor.at) return false;
      if (offset < into.bytes.length && !into.add(offset, frames, cursor.at, length)) return false;
      cursor.at += length;
    } else if (type === FRAME.ACK || type === FRAME.ACK_ECN) {
      if (!skipAck(frames, type === FRAME.ACK_ECN)) return false;
    } else if (type !== FRAME.PING) return type === FRAME.CLOSE;
  }
  return true;
}

/** Passes an acknowledgement: largest, delay, count of further ranges, first range, then two numbers a range (section 19.3). */
function skipAck(frames: Uint8Array, congestion: boolean): boolean {
  cursor.varint(frames);
  cursor.varint(frames);
  const ranges = cursor.varint(frames);
  if (ranges < 0 || ranges > MOST_ACK_RANGES) return false;
  let last = cursor.varint(frames);
  for (let i = ranges * 2 + (congestion ? 3 : 0); i > 0 && last >= 0; i--) last = cursor.varint(frames);
  return last >= 0;
}
