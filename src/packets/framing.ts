// Gives all frames of a file one link type, because libpcap reads no others: what has no Ethernet header beside Ethernet gets one. It keeps what the
// interface delivered wherever the file has no other kind, and everything behind the link header always.

import type { CaptureInterface, PacketSource } from '../capture/source.ts';
import { u8, u16 } from '../net/bytes.ts';
import { ETHERTYPE, LINK } from '../net/numbers.ts';

const ETHERNET_BYTES = 14;
const FAMILY_BYTES = 4;
const SLL_BYTES = 16;
const SLL2_BYTES = 20;
const ADDRESS_BYTES = 6;
/** The address and control bytes that PPP may leave out, and PPPoE does (RFC 2516). */
const PPP_START = 0xff03;
const PPPOE_BYTES = 6;
const PPPOE_VERSION_TYPE = 0x11;
/** What is no IP (IEEE 802 numbers: for local experiments). */
const ETHERTYPE_OTHER = 0x88b5;
/** Lower numbers aren't EtherTypes in a cooked header, and would be lengths in Ethernet; this one stands for an LLC header. */
const LEAST_ETHERTYPE = 0x0600;
const PROTOCOL_LLC = 4;

/** The link types of a file, or of a row of them. */
export class Framing {
  /** What takes the place of the first `skipped` bytes of the frame that was read last: `head[0..headBytes)`. */
  readonly head = new Uint8Array(ETHERNET_BYTES + PPPOE_BYTES);
  headBytes = 0;
  skipped = 0;
  readonly #source: Pick<PacketSource, 'interfaces' | 'driver' | 'namesProcesses'>;
  /** Link type of the file; null before the first interface. */
  #link: number | null = null;

  constructor(source: Pick<PacketSource, 'interfaces' | 'driver' | 'namesProcesses'>) {
    this.#source = source;
  }

  /** LINKTYPE that an interface's frames have in this file. */
  linkOf({ link }: CaptureInterface): number {
    this.#link ??= this.#choose();
    const own = inFiles(link);
    return own === this.#link || !canBecome(own, this.#link) ? own : this.#link;
  }

  /** Makes the head of a frame: `bytes[at..at + captured)`. @param to as `linkOf` returned it */
  read(from: number, to: number, bytes: Uint8Array, at: number, captured: number, wire: number): void {
    this.headBytes = 0;
    this.skipped = 0;
    if (inFiles(from) === to) return;
    if (to === LINK.LINUX_SLL) this.#cook(bytes, at, captured);
    else this.#ethernet(from, bytes, at, captured, wire);
  }

  /** One of the link types that the capture has, or Ethernet. PKTAP brings another at any time, so there it is always Ethernet. */
  #choose(): number {
    const { interfaces, driver, namesProcesses } = this.#source;
    const links = new Set(interfaces.map(({ link }) => inFiles(link)));
    const [only] = links;
    if (only === undefined || links.size > 1 || (driver !== 'file' && namesProcesses)) return LINK.ETHERNET;
    // The interface's number means nothing on another machine, and tcpdump warns of it. Its name stands in the interface block.
    return only === LINK.LINUX_SLL2 && driver !== 'file' ? LINK.LINUX_SLL : only;
  }

  /** Turns SLL2 into SLL. */
  #cook(bytes: Uint8Array, at: number, captured: number): void {
    if (captured < SLL2_BYTES) return;
    const { head } = this;
    this.skipped = SLL2_BYTES;
    this.headBytes = SLL_BYTES;
    head[0] = 0;
    head[1] = u8(bytes, at + 10);
    head[2] = u8(bytes, at + 8);
    head[3] = u8(bytes, at + 9);
    head[4] = 0;
    head[5] = u8(bytes, at + 11);
    for (let i = 0; i < 8; i++) head[6 + i] = u8(bytes, at + 12 + i);
    head[14] = u8(bytes, at);
    head[15] = u8(bytes, at + 1);
  }

  /** An Ethernet header with as much as is known: of most tunnels, that it is IP. */
  #ethernet(link: number, bytes: Uint8Array, at: number, captured: number, wire: number): void {
    const { head } = this;
    head.fill(0);
    this.headBytes = ETHERNET_BYTES;
    let type: number = ETHERTYPE_OTHER;
    let skipped = 0;
    if (link === LINK.LINUX_SLL) {
      const protocol = captured < SLL_BYTES ? 0 : u16(bytes, at + 14);
      if (protocol >= LEAST_ETHERTYPE) type = protocol;
      else if (protocol === PROTOCOL_LLC) type = ETHERTYPE.LLC;
      if (type !== ETHERTYPE_OTHER) {
        skipped = SLL_BYTES;
        if (u16(bytes, at + 4) === ADDRESS_BYTES) for (let i = 0; i < ADDRESS_BYTES; i++) head[6 + i] = u8(bytes, at + 6 + i);
      }
    } else if (link === LINK.PPP || link === LINK.PPP_HDLC) {
      type = ETHERTYPE.PPPOE_SESSION;
      if (captured >= 2 && u16(bytes, at) === PPP_START) skipped = 2;
      const length = Math.min(0xffff, wire - skipped);
      head[ETHERNET_BYTES] = PPPOE_VERSION_TYPE;
      head[ETHERNET_BYTES + 4] = length >>> 8;
      head[ETHERNET_BYTES + 5] = length & 0xff;
      this.headBytes += PPPOE_BYTES;
    } else {
      const family = link === LINK.NULL || link === LINK.LOOP ? FAMILY_BYTES : 0;
      const version = captured > family ? u8(bytes, at + family) >>> 4 : 0;
      if (version === 4 || version === 6) {
        type = version === 4 ? ETHERTYPE.IPV4 : ETHERTYPE.IPV6;
        skipped = family;
      }
    }
    this.skipped = skipped;
    head[12] = type >>> 8;
    head[13] = type & 0xff;
  }
}

/** LINKTYPE as files have it. */
function inFiles(link: number): number {
  return link === LINK.RAW_DLT ? LINK.RAW : link;
}

function canBecome(from: number, to: number): boolean {
  if (to === LINK.LINUX_SLL) return from === LINK.LINUX_SLL2;
  if (to !== LINK.ETHERNET) return false;
  switch (from) {
    case LINK.RAW:
    case LINK.IPV4:
    case LINK.IPV6:
    case LINK.NULL:
    case LINK.LOOP:
    case LINK.LINUX_SLL:
    case LINK.PPP:
    case LINK.PPP_HDLC:
      return true;
    default:
      return false;
  }
}
