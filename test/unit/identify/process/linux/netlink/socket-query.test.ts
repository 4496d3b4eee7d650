import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { parseAddress } from '../../../../../../src/net/address.ts';
import { PROTOCOL } from '../../../../../../src/net/numbers.ts';

/** Our own sockets' inodes. */
function own(): Set<number> {
  const inodes = new Set<number>();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const found = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`));
      if (found !== null) inodes.add(Number(found[1]));
    } catch {
      // the descriptor of the listing itself
    }
  }
  return inodes;
}

function ends(near: string, far: string): Int32Array {
  const words = new Int32Array(8);
  parseAddress(near, words, 0);
  parseAddress(far, words, 4);
  return words;
}

it('finds sockets by their ends, as the kernel would deliver to them', async ({ skip }) => {
  if (process.platform !== 'linux') return skip('sock_diag is Linux only');
  const { SocketQuery } = await import('../../../../../../src/identify/process/linux/netlink/socket-query.ts');
  const query = new SocketQuery();
  if (!query.answers(PROTOCOL.TCP) || !query.answers(PROTOCOL.UDP)) return skip('this kernel answers no questions for sockets');
  const loopback = ends('127.0.0.1', '127.0.0.1');
  const ask = (protocol: number, nearPort: number, farPort: number) => {
    const inode = query.find(protocol, loopback, 0, nearPort, 4, farPort);
    return [inode, query.match] as const;
  };
  const datagrams = createSocket('udp4');
  datagrams.bind(0, '127.0.0.1');
  const server = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(datagrams, 'listening'), once(server, 'listening')]);
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown];
  const seen = [
    ask(PROTOCOL.UDP, datagrams.address().port, 53),
    ask(PROTOCOL.TCP, client.localPort ?? 0, port),
    ask(PROTOCOL.TCP, port, client.localPort ?? 0),
    ask(PROTOCOL.TCP, port, 1),
  ];
  const held = own();
  expect(seen.map(([, match]) => match)).toEqual(['wildcard', 'exact', 'exact', 'listener']);
  expect(seen.map(([inode]) => held.has(inode))).toEqual([true, true, true, true]);
  expect(new Set(seen.map(([inode]) => inode)).size).toBe(4);
  expect(ask(PROTOCOL.ICMP, 1, 1)).toEqual([0, 'none']);
  for (const each of [client, accepted]) each.destroy();
  datagrams.close();
  server.close();
  query.close();
});
