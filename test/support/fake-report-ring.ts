// A ring of reports as the kernel would leave them, in plain memory: what is pushed is there at the next drain.

import { ReportRing } from '../../src/identify/process/linux/ebpf/report-ring.ts';
import { REPORT, REPORT_BYTES, REPORT_DIRECTION } from '../../src/identify/process/linux/ebpf/socket-programs.ts';
import { isV4, parseAddress } from '../../src/net/address.ts';

const PAGE = 4096;
const BUSY = 0x8000_0000;
const DISCARDED = 0x4000_0000;

/** One report in words that a test reads well. */
export interface ReportText {
  readonly pid: number;
  readonly tid?: number;
  readonly uid?: number;
  readonly comm: string;
  readonly direction?: 'egress' | 'ingress';
  readonly protocol: number;
  readonly source: string;
  /** CLOCK_MONOTONIC. */
  readonly timeMs?: number;
  readonly sourcePort?: number;
  readonly destination: string;
  readonly destinationPort?: number;
  readonly connected?: boolean;
  readonly namespace?: bigint;
}

/** The kernel's side of a ring. */
export class FakeReportRing {
  readonly ring: ReportRing;
  readonly #size: number;
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #data: Uint8Array;
  #position = 0;

  constructor(size = 1 << 16) {
    const consumer = new ArrayBuffer(PAGE);
    const producer = new ArrayBuffer(PAGE + 2 * size);
    this.#size = size;
    this.#consumer = new BigUint64Array(consumer);
    this.#producer = new BigUint64Array(producer, 0, 1);
    this.#data = new Uint8Array(producer, PAGE);
    this.ring = new ReportRing(consumer, producer, size);
  }

  /** How far the reader says it is. */
  get read(): number {
    return Number(this.#consumer[0]);
  }

  push(text: ReportText): void {
    this.pushBytes(reportBytes(text));
  }

  /** A record of any kind. @param state as the kernel marks records that it is still writing, or has thrown away */
  pushBytes(bytes: Uint8Array, state: 'done' | 'busy' | 'discarded' = 'done'): () => void {
    const at = this.#position;
    const header = new DataView(new ArrayBuffer(8));
    const mark = state === 'busy' ? BUSY : state === 'discarded' ? DISCARDED : 0;
    header.setUint32(0, (bytes.length | mark) >>> 0, true);
    this.#write(at, new Uint8Array(header.buffer));
    this.#write(at + 8, bytes);
    this.#position += (bytes.length + 8 + 7) & ~7;
    this.#producer[0] = BigInt(this.#position);
    return () => {
      header.setUint32(0, bytes.length, true);
      this.#write(at, new Uint8Array(header.buffer));
    };
  }

  /** The data is mapped twice in a row, so that no record is ever split. */
  #write(at: number, bytes: Uint8Array): void {
    for (const [i, byte] of bytes.entries()) {
      const place = (at + i) % this.#size;
      this.#data[place] = byte;
      this.#data[place + this.#size] = byte;
    }
  }
}

/** Bytes of a report. */
export function reportBytes(text: ReportText): Buffer {
  const bytes = Buffer.alloc(REPORT_BYTES);
  const words = new Int32Array(8);
  if (!parseAddress(text.source, words, 0) || !parseAddress(text.destination, words, 4)) throw new Error('no address');
  const four = isV4(words, 0);
  bytes.writeBigUInt64LE(text.namespace ?? 1n, REPORT.NAMESPACE);
  bytes.writeUInt32LE(text.tid ?? text.pid, REPORT.OWNER);
  bytes.writeUInt32LE(text.pid, REPORT.OWNER + 4);
  bytes.writeUInt32LE(text.uid ?? 0, REPORT.IDS);
  bytes.write(text.comm, REPORT.COMM, 15, 'latin1');
  bytes.writeUInt32LE(text.direction === 'ingress' ? REPORT_DIRECTION.INGRESS : REPORT_DIRECTION.EGRESS, REPORT.DIRECTION);
  bytes.writeUInt32LE(((four ? 4 : 6) << 8) | text.protocol, REPORT.PROTOCOL);
  bytes.writeBigUInt64LE(BigInt(Math.round((text.timeMs ?? 0) * 1e6)), REPORT.TIME);
  bytes.writeUInt16BE(text.sourcePort ?? 0, REPORT.PORTS);
  bytes.writeUInt16BE(text.destinationPort ?? 0, REPORT.PORTS + 2);
  bytes.writeUInt32LE(text.connected === false ? 0 : 1, REPORT.CONNECTED);
  for (const [end, to] of [
    [0, REPORT.SOURCE],
    [4, REPORT.DESTINATION],
  ] as const) {
    if (four) bytes.writeInt32BE(words[end + 3] as number, to);
    else for (let i = 0; i < 4; i++) bytes.writeInt32BE(words[end + i] as number, to + 4 * i);
  }
  return bytes;
}
