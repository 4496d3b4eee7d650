import { describe, expect, it } from 'vitest';
import { SocketTable } from '../../../../src/identify/process/socket-table.ts';
import { PROTOCOL } from '../../../../src/net/numbers.ts';
import { addresses } from '../../../support/packets.ts';

const { TCP, UDP } = PROTOCOL;

function add(
  table: SocketTable,
  protocol: number,
  local: string,
  localPort: number,
  remote: string,
  remotePort: number,
  owner: number,
) {
  table.add(protocol, addresses(local), 0, localPort, addresses(remote), 0, remotePort, owner);
}

function find(table: SocketTable, protocol: number, local: string, localPort: number, remote: string, remotePort: number) {
  const owner = table.find(protocol, addresses(local, remote), 0, localPort, 4, remotePort);
  return `${owner} ${table.match}`;
}

describe('SocketTable', () => {
  it("tells whether a port is one socket's, whatever its addresses", () => {
    const table = new SocketTable();
    add(table, UDP, '0.0.0.0', 53, '0.0.0.0', 0, 1);
    add(table, UDP, '10.0.0.1', 65_000, '192.0.2.1', 53, 2);
    add(table, TCP, '0.0.0.0', 53, '0.0.0.0', 0, 3);
    expect([table.isSole(UDP, 53), table.isSole(UDP, 65_000), table.isSole(UDP, 1)]).toEqual([true, true, true]);
    add(table, UDP, '::1', 65_000, '::', 0, 4);
    expect([table.isSole(UDP, 53), table.isSole(UDP, 65_000)]).toEqual([true, false]);
  });

  it('prefers the tuple, then the own address, then any', () => {
    const table = new SocketTable();
    add(table, TCP, '0.0.0.0', 80, '0.0.0.0', 0, 1);
    expect(find(table, TCP, '10.0.0.1', 80, '192.0.2.1', 5000)).toBe('1 listener');
    add(table, TCP, '10.0.0.1', 80, '0.0.0.0', 0, 2);
    expect(find(table, TCP, '10.0.0.1', 80, '192.0.2.1', 5000)).toBe('2 listener');
    add(table, TCP, '10.0.0.1', 80, '192.0.2.1', 5000, 3);
    expect(find(table, TCP, '10.0.0.1', 80, '192.0.2.1', 5000)).toBe('3 exact');
    expect(find(table, TCP, '10.0.0.2', 80, '192.0.2.1', 5000)).toBe('1 listener');
    expect(find(table, TCP, '10.0.0.1', 81, '192.0.2.1', 5000)).toBe('0 none');
    expect(find(table, UDP, '10.0.0.1', 80, '192.0.2.1', 5000)).toBe('0 none');
  });

  it('calls an unconnected datagram socket a wildcard', () => {
    const table = new SocketTable();
    add(table, UDP, '0.0.0.0', 5353, '0.0.0.0', 0, 7);
    expect(find(table, UDP, '224.0.0.251', 5353, '10.0.0.9', 5353)).toBe('7 wildcard');
  });

  it('gives IPv4 flows to a dual-stack socket, and to one of their own family first', () => {
    const table = new SocketTable();
    add(table, TCP, '::', 443, '::', 0, 6);
    expect(find(table, TCP, '10.0.0.1', 443, '192.0.2.1', 5000)).toBe('6 listener');
    expect(find(table, TCP, '2001:db8::1', 443, '2001:db8::2', 5000)).toBe('6 listener');
    add(table, TCP, '0.0.0.0', 443, '0.0.0.0', 0, 4);
    expect(find(table, TCP, '10.0.0.1', 443, '192.0.2.1', 5000)).toBe('4 listener');
  });

  it('never gives an IPv6 flow to a socket of IPv4', () => {
    const table = new SocketTable();
    add(table, TCP, '0.0.0.0', 443, '0.0.0.0', 0, 4);
    expect(find(table, TCP, '2001:db8::1', 443, '2001:db8::2', 5000)).toBe('0 none');
    add(table, TCP, '::', 443, '::', 0, 6);
    expect(find(table, TCP, '2001:db8::1', 443, '2001:db8::2', 5000)).toBe('6 listener');
  });

  it('finds a connected socket of IPv6 with v4-mapped addresses', () => {
    const table = new SocketTable();
    add(table, TCP, '::ffff:10.0.0.1', 22, '::ffff:192.0.2.1', 5000, 9);
    expect(find(table, TCP, '10.0.0.1', 22, '192.0.2.1', 5000)).toBe('9 exact');
  });

  it('grows, and begins anew', () => {
    const table = new SocketTable();
    for (let i = 1; i <= 20_000; i++) add(table, TCP, '10.0.0.1', i, '192.0.2.1', 443, i);
    expect(table.count).toBe(20_000);
    for (const i of [1, 256, 257, 19_999]) expect(find(table, TCP, '10.0.0.1', i, '192.0.2.1', 443)).toBe(`${i} exact`);
    table.clear();
    expect([table.count, find(table, TCP, '10.0.0.1', 1, '192.0.2.1', 443)]).toEqual([0, '0 none']);
    add(table, TCP, '10.0.0.1', 1, '192.0.2.1', 443, 5);
    expect(find(table, TCP, '10.0.0.1', 1, '192.0.2.1', 443)).toBe('5 exact');
  });
});
