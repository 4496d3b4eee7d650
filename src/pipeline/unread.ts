// Counts captured frames that contain something other than IP, and names what it is: a bare number doesn't help, and an empty table needs a reason.

import { type Packet, STATUS, UNREAD } from '../decode/packet.ts';
import { counted } from '../net/counted.ts';
import { ETHERTYPE } from '../net/numbers.ts';

/** Most kinds counted separately. All others count as one. */
const MAX_KINDS = 64;
/** Most kinds that the note names, most frequent first. */
const MAX_NAMED = 4;

/** Names of link types in files (https://www.tcpdump.org/linktypes.html). */
const LINK_NAMES = new Map<number, string>([
  [6, 'token ring'],
  [10, 'FDDI'],
  [11, 'ATM'],
  [104, 'Cisco HDLC'],
  [107, 'frame relay'],
  [117, 'pflog'],
  [143, 'DOCSIS'],
  [187, 'Bluetooth'],
  [189, 'USB'],
  [195, '802.15.4'],
  [201, 'Bluetooth'],
  [220, 'USB'],
  [227, 'CAN'],
  [230, '802.15.4'],
  [239, 'nflog'],
  [249, 'USB'],
  [251, 'Bluetooth LE'],
  [253, 'netlink'],
  [256, 'Bluetooth LE'],
  [266, 'USB'],
]);
const ETHERTYPE_NAMES = new Map<number, string>([
  [ETHERTYPE.MPLS, 'MPLS without IP'],
  [ETHERTYPE.PPPOE_DISCOVERY, 'PPPoE discovery'],
  [ETHERTYPE.NSH, 'NSH without IP'],
  [0x0842, 'wake on LAN'],
  [0x8137, 'IPX'],
  [0x809b, 'AppleTalk'],
  [0x8809, 'LACP'],
  [0x888e, 'EAPOL'],
  [0x8892, 'PROFINET'],
  [0x88a4, 'EtherCAT'],
  [0x88cc, 'LLDP'],
  [0x88f7, 'PTP'],
  [0x9000, 'loopback test'],
]);
const LLC_NAMES = new Map<number, string>([
  [0x42, 'spanning tree'],
  [0xaa, 'SNAP'],
  [0xe0, 'IPX'],
  [0xf0, 'NetBIOS'],
  [0xfe, 'OSI'],
]);
const PPP_NAMES = new Map<number, string>([
  [0x8021, 'IPCP'],
  [0x8057, 'IPv6CP'],
  [0xc021, 'LCP'],
  [0xc023, 'PAP'],
  [0xc223, 'CHAP'],
]);
const WIRELESS_NAMES = ['802.11 management', '802.11 control', '802.11 without a packet'] as const;

/** Unread frames of a run, by `Packet.unread`. */
export class UnreadFrames {
  readonly #kinds = new Int32Array(MAX_KINDS);
  readonly #counts = new Float64Array(MAX_KINDS);
  #known = 0;

  /** Counts a frame without addresses. */
  add({ status, unread: kind }: Packet): void {
    const unread = status === STATUS.UNSUPPORTED ? kind : -status;
    let at = 0;
    while (at < this.#known && this.#kinds[at] !== unread) at++;
    if (at === this.#known) {
      if (at === MAX_KINDS) at--;
      else this.#kinds[this.#known++] = at === MAX_KINDS - 1 ? UNREAD.OTHER << 16 : unread;
    }
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  /**
   * One line; empty if everything was read.
   *
   * @param replay lists all kinds with their counts; live, only kinds that the user may have expected, without counts, which would change all the
   *   time
   */
  note(replay: boolean): string {
    const kinds = Array.from(this.#kinds.subarray(0, this.#known), (unread, at) => ({
      unread,
      count: this.#counts[at] as number,
    }));
    if (!replay) {
      const missed = kinds.filter(({ unread }) => unread >>> 16 === UNREAD.LINK || unread >>> 16 === UNREAD.ENCRYPTED);
      return missed.length === 0 ? '' : `can't read frames: ${missed.slice(0, MAX_NAMED).map(nameOf).join(', ')}`;
    }
    if (kinds.length === 0) return '';
    kinds.sort((a, b) => b.count - a.count);
    const named = kinds.slice(0, MAX_NAMED);
    const sum = kinds.reduce((all, { count }) => all + count, 0);
    const rest = sum - named.reduce((all, { count }) => all + count, 0);
    const parts = named.map((kind) => `${kind.count} ${nameOf(kind)}`);
    if (rest > 0) parts.push(counted(rest, 'other'));
    return `${counted(sum, 'frame')} not read: ${parts.join(', ')}`;
  }
}

function nameOf({ unread }: { readonly unread: number }): string {
  if (unread < 0) return unread === -STATUS.TRUNCATED ? 'truncated before their addresses' : 'malformed';
  const number = unread & 0xffff;
  switch (unread >>> 16) {
    case UNREAD.LINK: {
      const name = LINK_NAMES.get(number);
      if (number === 0xffff) return 'of an unknown link type';
      return `of link type ${number}${name === undefined ? '' : ` (${name})`}`;
    }
    case UNREAD.ETHERTYPE:
      return ETHERTYPE_NAMES.get(number) ?? `EtherType 0x${number.toString(16).padStart(4, '0')}`;
    case UNREAD.LLC:
      return LLC_NAMES.get(number) ?? `LLC 0x${number.toString(16).padStart(2, '0')}`;
    case UNREAD.PPP:
      return `PPP ${PPP_NAMES.get(number) ?? `0x${number.toString(16)}`}`;
    case UNREAD.ENCRYPTED:
      return number === ETHERTYPE.MACSEC ? 'encrypted (MACsec)' : 'encrypted (802.11)';
    case UNREAD.WIRELESS:
      return WIRELESS_NAMES[number] ?? '802.11';
    default:
      return 'of another kind';
  }
}
