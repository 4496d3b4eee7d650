// Resource records of one message as columns of numbers: where they are, not what they mean. A message may claim 65,535 of them.

import { u16, u32 } from '../../net/bytes.ts';
import { skipName } from './name.ts';

/** Records looked at in one message. */
const MOST_WALKED = 512;
/** Records kept of one message. */
const MOST_KEPT = 96;
const FIXED_BYTES = 10;

/** Types that are kept (IANA DNS parameters; NB and NBSTAT of RFC 1002 section 4.2.1.3). */
export const RECORD = { A: 1, CNAME: 5, PTR: 12, AAAA: 28, NB: 0x20, NBSTAT: 0x21, SVCB: 64, HTTPS: 65 } as const;

const KEPT = new Uint8Array(66);
for (const type of Object.values(RECORD)) KEPT[type] = 1;

/**
 * The records worth reading; column i describes record i.
 *
 *     owner   offset of its name          type   class with the top bit of mDNS taken off
 *     data    offset of its data          size   bytes of data           ttl   seconds, 31 bits
 */
export class Records {
  count = 0;
  /** How many of them stood in the answer section, in front of the others. */
  answers = 0;
  readonly owner = new Int32Array(MOST_KEPT);
  readonly type = new Int32Array(MOST_KEPT);
  readonly data = new Int32Array(MOST_KEPT);
  readonly size = new Int32Array(MOST_KEPT);
  readonly ttl = new Int32Array(MOST_KEPT);

  /**
   * Walks the records from `at`, keeping those of class IN and a known type, until the counts, the bytes or the bounds end.
   *
   * @param answers records of the answer section, as the header claims
   * @param total records of all sections
   * @returns offset behind the last whole record; -1 when a record is broken (those before it are kept)
   */
  walk(message: Uint8Array, at: number, end: number, answers: number, total: number): number {
    this.count = 0;
    this.answers = 0;
    let i = at;
    const most = Math.min(total, MOST_WALKED);
    for (let record = 0; record < most; record++) {
      const fixed = skipName(message, i, end);
      if (fixed < 0 || fixed + FIXED_BYTES > end) return -1;
      const type = u16(message, fixed);
      const size = u16(message, fixed + 8);
      const data = fixed + FIXED_BYTES;
      if (data + size > end) return -1;
      if (type < KEPT.length && KEPT[type] === 1 && (u16(message, fixed + 2) & 0x7fff) === 1 && this.count < MOST_KEPT) {
        const ttl = u32(message, fixed + 4);
        const kept = this.count++;
        this.owner[kept] = i;
        this.type[kept] = type;
        this.data[kept] = data;
        this.size[kept] = size;
        this.ttl[kept] = ttl > 0x7fffffff ? 0 : ttl; // RFC 2181 section 8
        if (record < answers) this.answers = this.count;
      }
      i = data + size;
    }
    return i;
  }
}
