// Who holds packet sockets (AF_PACKET): they send frames that no other table knows. /proc/net/packet, without ourselves.

import { readFileSync } from 'node:fs';

/** Inodes of the machine's packet sockets; bounded. @param proc `/proc` */
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
    const inode = Number(line.trim().split(/\s+/)[8]);
    if (inode > 0) inodes.push(inode);
  }
  return inodes;
}
