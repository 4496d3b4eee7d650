// Who holds packet sockets (AF_PACKET): they send frames that no other table knows. /proc/net/packet, as far as its sockets can send IP.

import { readFileSync } from 'node:fs';

/** EtherTypes a socket is bound to that may send IP: none, all, IPv4, IPv6. Others are for LLDP, 802.1X and the like, or ARP. */
const SENDS_IP = new Set(['0000', '0003', '0800', '86dd']);

/** Inodes of the packet sockets of our network namespace, our own among them; bounded. @param proc `/proc` */
export function packetSocketInodes(proc: string): number[] {
  let text: string;
  try {
    text = readFileSync(`${proc}/net/packet`, 'latin1');
  } catch {
    return [];
  }
  const inodes: number[] = [];
  // sk RefCnt Type Proto Iface R Rmem User Inode
  for (const line of text.split('\n').slice(1, 257)) {
    const fields = line.trim().split(/\s+/);
    const inode = Number(fields[8]);
    if (inode > 0 && SENDS_IP.has(fields[3] ?? '')) inodes.push(inode);
  }
  return inodes;
}
