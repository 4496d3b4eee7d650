// The format of a journal: one record after the other, each with its own checksum. Reading ends at the first record that was cut off or
// damaged; all before it counts. Pure: bytes in, bytes out.

import { crc32, deflateRaw, inflateRawSync } from 'node:zlib';
import type { HistoryBatch } from '../../model/history-batch.ts';
import { decodeBatch, encodeBatch } from './batch-codec.ts';

/** The first bytes of a journal; the digits are the version of the format. */
export const JOURNAL_HEAD: Uint8Array = Buffer.from('nmonJ001', 'latin1');

/**
 * A record, little-endian:
 *
 *     0 bytes of the payload u32 | 4 CRC-32 of all from 8 on u32 | 8 sequence number f64 | 16 payload: the batch as JSON, deflated
 */
const HEAD = 16;
/** More than any batch takes: 1024 entries, each with texts of its own, make some 600 KB before they are deflated. */
const LARGEST = 16 << 20;

/** A batch and its sequence number, under which an image applies it once. Numbers go up by one. */
export interface JournalRecord {
  readonly sequence: number;
  readonly batch: HistoryBatch;
}

/** Encodes a record: in a turn of its own, for a thousand entries take some milliseconds to spell. Deflates in a thread of Node's pool. */
export async function encodeRecord({ sequence, batch }: JournalRecord): Promise<Buffer> {
  await new Promise(setImmediate);
  return await new Promise((resolve, reject) => {
    deflateRaw(encodeBatch(batch), { level: 1 }, (error, payload) => {
      if (error !== null) {
        reject(error);
        return;
      }
      const bytes = Buffer.allocUnsafe(HEAD + payload.length);
      bytes.writeUInt32LE(payload.length, 0);
      bytes.writeDoubleLE(sequence, 8);
      payload.copy(bytes, HEAD);
      bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
      resolve(bytes);
    });
  });
}

/** False for a journal that can't hold a whole record. */
export function holdsRecords(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && bytes.length > JOURNAL_HEAD.length + HEAD;
}

/** The complete records of a journal, in order, one at a time: together they may take much memory. */
export function* readJournal(bytes: Uint8Array): Generator<JournalRecord> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!buffer.subarray(0, JOURNAL_HEAD.length).equals(JOURNAL_HEAD)) return;
  let at = JOURNAL_HEAD.length;
  while (buffer.length - at >= HEAD) {
    const length = buffer.readUInt32LE(at);
    const end = at + HEAD + length;
    if (length > LARGEST || end > buffer.length) return;
    if (crc32(buffer.subarray(at + 8, end)) !== buffer.readUInt32LE(at + 4)) return;
    const sequence = buffer.readDoubleLE(at + 8);
    const batch = inflated(buffer.subarray(at + HEAD, end));
    if (batch === null || !Number.isSafeInteger(sequence)) return;
    yield { sequence, batch };
    at = end;
  }
}

function inflated(payload: Buffer): HistoryBatch | null {
  try {
    return decodeBatch(inflateRawSync(payload, { maxOutputLength: LARGEST * 4 }).toString('utf8'));
  } catch {
    return null; // the checksum fits, but the program did not write this
  }
}
