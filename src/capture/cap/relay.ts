// The half of the cap driver that touches the `cap` package: opens it once and writes what it gives into a pipe. Runs in a process of its
// own (cap-child.ts), because the addon aborts its process when the interface goes down and never yields while packets come.

import { reasonOf } from '../../model/errors.ts';
import { i32, u8, u16, u32 } from '../../net/bytes.ts';
import { ETHERTYPE, LINK, PROTOCOL, TCP_FLAG } from '../../net/numbers.ts';
import {
  DNS_PORT,
  GOOGLE_QUIC,
  HTTP2_PREFACE,
  LONGEST_INSIDE,
  METHODS,
  NAMING_PORTS,
  QUIC_LONG,
  TLS_HANDSHAKE,
  TUNNEL_PORT,
  TUNNEL_PROTOCOLS,
} from '../../net/reading.ts';
import { BULK_BYTES, WHOLE_BYTES } from '../libpcap/snap-program.ts';
import { capLine, capLink } from './protocol.ts';

// How much of a frame the cap driver passes on, and how long it was on the wire. `cap` always takes whole frames, so what the kernel
// chooses for libpcap (snap-program.ts) is chosen here. Reads bytes that it has proved; never throws.

/** `cap` sets this snap length; a longer frame is cut without a word. */
const CAP_SNAP_LENGTH = 65_535;

const IPV6_HEADER = 40;
const TUNNEL_PORTS: readonly number[] = Object.values(TUNNEL_PORT);
const TEXTS = new Set([...METHODS, HTTP2_PREFACE]);

/** Offset of the IP header in a frame of `length` bytes, -1 where there is none or it does not lie in the frame. */
function networkOffset(bytes: Uint8Array, length: number, link: number): number {
  let at = 0;
  if (link === LINK.ETHERNET) {
    at = 14;
    while (at + 4 <= length && isTag(u16(bytes, at - 2))) at += 4;
    const type = at <= length ? u16(bytes, at - 2) : 0;
    if (type !== ETHERTYPE.IPV4 && type !== ETHERTYPE.IPV6) return -1;
  } else if (link === LINK.NULL || link === LINK.LOOP) at = 4;
  else if (link === LINK.LINUX_SLL) at = 16;
  else if (link === LINK.LINUX_SLL2) at = 20;
  else if (link !== LINK.RAW && link !== LINK.RAW_DLT) return -1;
  return at + 20 <= length ? at : -1;
}

function isTag(type: number): boolean {
  return type === ETHERTYPE.VLAN || type === ETHERTYPE.QINQ || type === ETHERTYPE.QINQ_OLD;
}

/**
 * Bytes of a frame to keep: 160, or up to 16,640 where inspect may want to read it.
 *
 * Whole are TCP SYN, TCP with PSH (the tail of a ClientHello that segmentation split), and what net/reading.ts lists.
 */
export function bytesToKeep(bytes: Uint8Array, length: number, link: number): number {
  if (length <= BULK_BYTES) return length;
  return Math.min(length, wantedOf(bytes, length, networkOffset(bytes, length, link)));
}

function wantedOf(bytes: Uint8Array, length: number, at: number): number {
  if (at < 0) return BULK_BYTES;
  const version = u8(bytes, at) >>> 4;
  let protocol = 0;
  let transport = 0;
  if (version === 4) {
    if ((u16(bytes, at + 6) & 0x1fff) !== 0) return BULK_BYTES; // a later fragment has no ports
    protocol = u8(bytes, at + 9);
    transport = at + 4 * (u8(bytes, at) & 15);
  } else if (version === 6 && at + IPV6_HEADER <= length) {
    protocol = u8(bytes, at + 6);
    transport = at + IPV6_HEADER;
  } else return BULK_BYTES;
  if (TUNNEL_PROTOCOLS.includes(protocol)) return LONGEST_INSIDE;
  if (protocol === PROTOCOL.TCP && transport + 20 <= length)
    return isSegmentRead(bytes, length, transport) ? WHOLE_BYTES : BULK_BYTES;
  return protocol === PROTOCOL.UDP && transport + 9 <= length ? wantedOfDatagram(bytes, length, transport) : BULK_BYTES;
}

function isSegmentRead(bytes: Uint8Array, length: number, transport: number): boolean {
  if ((u8(bytes, transport + 13) & (TCP_FLAG.SYN | TCP_FLAG.PSH)) !== 0) return true;
  if (u16(bytes, transport) === DNS_PORT || u16(bytes, transport + 2) === DNS_PORT) return true;
  const payload = transport + 4 * (u8(bytes, transport + 12) >>> 4);
  if (payload < length && u8(bytes, payload) === TLS_HANDSHAKE) return true;
  return payload + 4 <= length && TEXTS.has(i32(bytes, payload));
}

function wantedOfDatagram(bytes: Uint8Array, length: number, transport: number): number {
  for (const port of [u16(bytes, transport), u16(bytes, transport + 2)]) {
    if (NAMING_PORTS.includes(port)) return WHOLE_BYTES;
    if (TUNNEL_PORTS.includes(port)) return LONGEST_INSIDE;
  }
  const first = u8(bytes, transport + 8);
  if (first === TLS_HANDSHAKE || (first & QUIC_LONG) === QUIC_LONG) return WHOLE_BYTES;
  const version = transport + 8 + GOOGLE_QUIC.versionAt;
  if ((first & GOOGLE_QUIC.mask) !== GOOGLE_QUIC.value || version + 4 > length) return BULK_BYTES;
  return GOOGLE_QUIC.versions.some((each) => each === u32(bytes, version) >>> 8) ? WHOLE_BYTES : BULK_BYTES;
}

/**
 * Bytes that a frame had on the wire. `cap` does not tell: it is what was captured, unless that is all that a snap length of 65,535
 * takes; then the IP header knows, where segmentation offload did not write 0 into it.
 */
export function bytesOnWire(bytes: Uint8Array, length: number, link: number): number {
  if (length < CAP_SNAP_LENGTH) return length;
  const at = networkOffset(bytes, length, link);
  if (at < 0) return length;
  const version = u8(bytes, at) >>> 4;
  const told = version === 4 ? u16(bytes, at + 2) : version === 6 ? IPV6_HEADER + u16(bytes, at + 4) : 0;
  return Math.max(at + told, length);
}

/** What is used of the package `cap` 0.2.1. */
export interface CapModule {
  readonly Cap: new () => CapHandle;
}

/** An opened device. */
export interface CapHandle {
  /** @returns the link type as text; throws what libpcap says */
  open(device: string, filter: string, ringBytes: number, buffer: Buffer): string;
  on(event: 'packet', listener: (length: number, truncated: boolean) => void): unknown;
}

/** Where the relay writes and what time it is. */
interface RelayEnds {
  /** Writes what the pipe takes now; 0 when it is full. Throws when the reader is gone. */
  write(bytes: Uint8Array, from: number, to: number): number;
  tell(line: string): void;
  /** Epoch milliseconds. */
  now(): number;
  /** Runs `then` when the loop turns. */
  soon(then: () => void, milliseconds: number): void;
}

const RECORD_HEADER = 16;
/**
 * Room for what is to be written; 64 KiB are written at a time, the rest waits for a reader that is busy: three seconds of 20,000 bulk frames a
 * second. Memory that was never written takes none.
 */
const PENDING_BYTES = 12 << 20;
const WRITE_BYTES = 1 << 16;
/** While the pipe is full: packets between two tries, and milliseconds until the next when none come. */
const RETRY_PACKETS = 64;
const RETRY_MS = 5;
const TELL_SHED = 8192;
/** A frame that libpcap reassembled may be a little longer than the snap length. */
const FRAME_BYTES = CAP_SNAP_LENGTH + 1024;

/**
 * Every relay that was made, for as long as the process lives. The addon writes into the frame buffer without holding it, so a collected
 * buffer is a corrupted heap; and a handle whose `open` threw aborts the process when it is closed or collected.
 */
const forever: CapRelay[] = [];

/**
 * Passes frames from `cap` on as pcap records (pcap-records.ts) in the machine's byte order, each cut to what is worth keeping.
 *
 * No frame is given up silently: one that finds no room is counted, and the count is told.
 */
export class CapRelay {
  /** Written by the addon. */
  readonly #frame = Buffer.alloc(FRAME_BYTES);
  readonly #pending = Buffer.alloc(PENDING_BYTES);
  readonly #words = new DataView(this.#pending.buffer, this.#pending.byteOffset, PENDING_BYTES);
  readonly #ends: RelayEnds;
  readonly #littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  #handle: CapHandle | null = null;
  #link = -1;
  #start = 0;
  #end = 0;
  #shed = 0;
  #toldShed = 0;
  #skipped = 0;
  #scheduled = false;

  constructor(ends: RelayEnds) {
    this.#ends = ends;
  }

  /**
   * Opens the one capture of this process and says how it went.
   *
   * @returns false when it failed; the process has no further use then
   */
  open(module: CapModule, device: string, filter: string, ringBytes: number): boolean {
    if (forever.length > 0) {
      this.#ends.tell(capLine('no-open', 'cap can open one interface in a process only'));
      return false;
    }
    forever.push(this);
    try {
      this.#handle = new module.Cap();
      this.#handle.on('packet', (length) => this.#take(length));
      const text = this.#handle.open(device, filter, ringBytes, this.#frame);
      this.#link = capLink(text) ?? -1;
      this.#ends.tell(capLine('ready', text));
      return true;
    } catch (thrown) {
      this.#ends.tell(capLine('no-open', reasonOf(thrown)));
      return false;
    }
  }

  #take(length: number): void {
    const captured = Math.min(length, FRAME_BYTES);
    const keep = bytesToKeep(this.#frame, captured, this.#link);
    const needed = RECORD_HEADER + keep;
    if (this.#end - this.#start >= WRITE_BYTES && --this.#skipped <= 0) this.#flush();
    if (this.#end + needed > PENDING_BYTES) this.#compact();
    if (this.#end + needed > PENDING_BYTES) {
      this.#shed++;
      // In a drain without end the loop never turns, and the count must be told all the same.
      if (this.#shed - this.#toldShed >= TELL_SHED) this.#tellShed();
      return;
    }
    const time = this.#ends.now();
    const seconds = Math.floor(time / 1000);
    const words = this.#words;
    const at = this.#end;
    words.setUint32(at, seconds, this.#littleEndian);
    words.setUint32(at + 4, (time - seconds * 1000) * 1000, this.#littleEndian);
    words.setUint32(at + 8, keep, this.#littleEndian);
    words.setUint32(at + 12, bytesOnWire(this.#frame, captured, this.#link), this.#littleEndian);
    this.#frame.copy(this.#pending, at + RECORD_HEADER, 0, keep);
    this.#end = at + needed;
    if (!this.#scheduled) this.#schedule(0);
  }

  #schedule(milliseconds: number): void {
    this.#scheduled = true;
    this.#ends.soon(this.#turn, milliseconds);
  }

  /** The loop turned: what a burst left is written, so that nothing lies here while the network is quiet. */
  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#flush();
    if (this.#shed !== this.#toldShed) this.#tellShed();
    if (this.#end > this.#start) this.#schedule(RETRY_MS);
  };

  #tellShed(): void {
    this.#toldShed = this.#shed;
    this.#ends.tell(capLine('shed', String(this.#shed)));
  }

  #flush(): void {
    while (this.#start < this.#end) {
      const wrote = this.#ends.write(this.#pending, this.#start, this.#end);
      if (wrote === 0) {
        this.#skipped = RETRY_PACKETS;
        return;
      }
      this.#start += wrote;
    }
    this.#start = 0;
    this.#end = 0;
    this.#skipped = 0;
  }

  #compact(): void {
    if (this.#start < PENDING_BYTES / 4) return; // else a slow reader would cost a copy for every frame
    this.#pending.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }
}

/** Lets the next relay open, as a new process would; for tests. */
export function forgetRelays(): void {
  forever.length = 0;
}
