// Strips PKTAP headers in place: the bytes after the header become the frame, its fields become columns. It refuses version 2 headers, which the
// kernel writes only on request.

import { i32le, u32le } from '../net/bytes.ts';
import { DIRECTION, LINK } from '../net/numbers.ts';
import { moveFrame, NO_PROCESS, type PacketBatch } from './batch.ts';
import { type InterfaceTable, nameEnd } from './interface-names.ts';
import type { ProcessTable } from './process-names.ts';

/**
 * struct pktap_header, xnu bsd/net/pktap.h; little-endian, 108 bytes in OS X 10.9, 156 since 10.10. The offsets below never moved.
 *
 *     0 length u32      4 next u32       8 dlt u32      12 interface 24 bytes    36 flags u32
 *     52 pid i32       56 name 17      84 effective pid i32     88 effective name 17
 */
const AT = { LENGTH: 0, NEXT: 4, DLT: 8, IFNAME: 12, FLAGS: 36, PID: 52, COMM: 56, EPID: 84, ECOMM: 88 } as const;
const MIN_HEADER_BYTES = 108;
const IFNAME_BYTES = 24;
const COMM_BYTES = 17;
const NEXT_IS_PACKET = 1;
const LAST_LINK = 0xffff;

const FLAG_IN = 0x1;
const FLAG_OUT = 0x2;
const FLAG_V2 = 0x8_0000;

/** Whether the link type is PKTAP: files and live handles on macOS use different numbers. */
export function isPktap(link: number): boolean {
  return link === LINK.PKTAP || link === LINK.PKTAP_DLT;
}

/**
 * Unwraps the PKTAP frames of a batch.
 *
 * Afterwards `offset`, `captured` and `wire` describe the inner frame, `link` is its DLT, and `iface`, `direction`, `process` and `effective` come
 * from the header. `effective` is the process on whose behalf the packet was sent; 0 if it is the same one. Frames with an invalid header are
 * removed and counted.
 */
export class PktapUnwrapper {
  /** Frames removed. */
  malformed = 0;
  readonly #interfaces: InterfaceTable;
  readonly #processes: ProcessTable;

  constructor(interfaces: InterfaceTable, processes: ProcessTable) {
    this.#interfaces = interfaces;
    this.#processes = processes;
  }

  /**
   * Unwraps the frames from index `first` on. Each must be inside `batch.bytes`, as `RecordWalk` ensures. Frames of other link types stay as they
   * are.
   */
  unwrap(batch: PacketBatch, first = 0): void {
    let kept = first;
    for (let i = first; i < batch.count; i++) {
      if (isPktap(batch.link[i] as number)) {
        if (this.#strip(batch, i, kept)) kept++;
        else this.malformed++;
      } else {
        if (kept !== i) moveFrame(batch, i, kept);
        kept++;
      }
    }
    batch.count = kept;
  }

  /** Writes the inner frame of record i as record `to`. @returns false if the header is invalid */
  #strip(batch: PacketBatch, i: number, to: number): boolean {
    const { bytes } = batch;
    const at = batch.offset[i] as number;
    const captured = batch.captured[i] as number;
    if (captured < MIN_HEADER_BYTES) return false;
    const length = u32le(bytes, at + AT.LENGTH);
    const link = u32le(bytes, at + AT.DLT);
    const flags = u32le(bytes, at + AT.FLAGS);
    if (length < MIN_HEADER_BYTES || length > captured || link > LAST_LINK) return false;
    if (u32le(bytes, at + AT.NEXT) !== NEXT_IS_PACKET || (flags & FLAG_V2) !== 0) return false;
    const wire = (batch.wire[i] as number) - length;
    batch.offset[to] = at + length;
    batch.captured[to] = captured - length;
    batch.wire[to] = Math.max(wire, captured - length);
    batch.time[to] = batch.time[i] as number;
    batch.link[to] = link;
    const name = at + AT.IFNAME;
    batch.iface[to] = this.#interfaces.indexOf(link, true, bytes, name, nameEnd(bytes, name, name + IFNAME_BYTES));
    batch.direction[to] = (flags & FLAG_OUT) !== 0 ? DIRECTION.OUT : (flags & FLAG_IN) !== 0 ? DIRECTION.IN : DIRECTION.UNKNOWN;
    const pid = i32le(bytes, at + AT.PID);
    const effectivePid = i32le(bytes, at + AT.EPID);
    batch.process[to] = this.#process(pid, bytes, at + AT.COMM);
    // The effective pid may just repeat the pid, with or without the name.
    batch.effective[to] = effectivePid === pid && pid >= 0 ? NO_PROCESS : this.#process(effectivePid, bytes, at + AT.ECOMM);
    return true;
  }

  #process(pid: number, bytes: Uint8Array, name: number): number {
    return this.#processes.indexOf(pid, bytes, name, nameEnd(bytes, name, name + COMM_BYTES));
  }
}

/** Interfaces that PKTAP captures by default. A name without a final digit is a prefix (libpcap, pcap-darwin.c). */
const DEFAULT = ['en', 'utun', 'ipsec', 'ppp', 'lo0'] as const;

/** The list to append to `pktap,`. @param interfaces as in a request; empty for the default ones */
export function pktapNames(interfaces: readonly string[]): string {
  if (interfaces.includes('any')) return 'all';
  return (interfaces.length === 0 ? DEFAULT : interfaces).join(',');
}

/** Whether a capture opened with these interfaces includes frames of `name`. */
export function pktapCovers(interfaces: readonly string[], name: string): boolean {
  if (interfaces.includes('any')) return true;
  const isListed = (asked: string) => name === asked || (!/\d$/.test(asked) && name.startsWith(asked));
  return (interfaces.length === 0 ? DEFAULT : interfaces).some(isListed);
}
