// Watches for new addresses of this machine on Linux (rtnetlink(7)). The kernel announces an address before any packet from it can be captured, so
// call `added` before counting captured packets. Without netlink there is no watch.

import koffi from 'koffi';
import { V4_MAPPED } from '../../net/address.ts';
import type { Edges } from '../../system/edges.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const MSG_DONTWAIT = 0x40;
/** RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR (linux/rtnetlink.h). */
const GROUPS = 0x110;
const RTM_NEWADDR = 20;
/** struct nlmsghdr, struct ifaddrmsg. */
const HEADER_BYTES = 16;
const ADDRESS_HEADER_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const FAMILIES = new Map([
  [2, 4],
  [10, 16],
]);
/** Messages per call. The rest waits for the next call, and all addresses are reread every two seconds anyway. */
const MAX_MESSAGES = 256;

/** A watch for new addresses. The caller closes it. */
export interface AddressWatch {
  /** New addresses since the last call, four words each; null if there are none. */
  added(): Int32Array | null;
  close(): void;
}

/** Starts the watch. @returns null without netlink */
export function watchAddresses({ platform }: Edges): AddressWatch | null {
  if (platform !== 'linux') return null;
  try {
    const libc = koffi.load('libc.so.6');
    const fd = libc.func('int socket(int, int, int)')(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE) as number;
    if (fd < 0) return null;
    const name = Buffer.alloc(12); // struct sockaddr_nl
    name.writeUInt16LE(AF_NETLINK, 0);
    name.writeUInt32LE(GROUPS, 8);
    libc.func('int bind(int, void*, uint32_t)')(fd, name, name.length);
    const recv = libc.func('long recv(int, void*, size_t, int)');
    const close = libc.func('int close(int)');
    const message = Buffer.alloc(8192);
    return {
      added() {
        const found: number[] = [];
        for (let i = 0; i < MAX_MESSAGES; i++) {
          const got = Number(recv(fd, message, message.length, MSG_DONTWAIT));
          if (got <= 0) break;
          found.push(...addedAddresses(message.subarray(0, got)));
        }
        return found.length === 0 ? null : Int32Array.from(found);
      },
      close: () => void close(fd),
    };
  } catch {
    return null; // not glibc, or koffi has no build
  }
}

/** Words of the addresses in RTM_NEWADDR messages. @param bytes one little-endian datagram from the kernel */
export function addedAddresses(bytes: Buffer): number[] {
  const words: number[] = [];
  for (let at = 0; at + HEADER_BYTES + ADDRESS_HEADER_BYTES <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const end = at + length;
    if (length < HEADER_BYTES || end > bytes.length) break;
    const size = FAMILIES.get(bytes[at + HEADER_BYTES] as number);
    if (bytes.readUInt16LE(at + 4) === RTM_NEWADDR && size !== undefined) {
      const place = ownAddress(bytes, at + HEADER_BYTES + ADDRESS_HEADER_BYTES, end, size);
      if (place >= 0 && size === 4) words.push(0, 0, V4_MAPPED, bytes.readInt32BE(place));
      else if (place >= 0) for (let i = 0; i < 16; i += 4) words.push(bytes.readInt32BE(place + i));
    }
    at += (length + 3) & ~3;
  }
  return words;
}

/** Offset of our own address; -1 if there is none. On a point-to-point link IFA_ADDRESS is the other end and IFA_LOCAL ours. */
function ownAddress(bytes: Buffer, from: number, end: number, size: number): number {
  let place = -1;
  for (let at = from; at + 4 <= end; ) {
    const length = bytes.readUInt16LE(at);
    const type = bytes.readUInt16LE(at + 2);
    if (length < 4 || at + length > end) break;
    if (length === 4 + size && (type === IFA_LOCAL || (type === IFA_ADDRESS && place < 0))) place = at + 4;
    at += (length + 3) & ~3;
  }
  return place;
}
