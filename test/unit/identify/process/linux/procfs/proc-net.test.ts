import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProcNetReader, parseProcNet } from '../../../../../../src/identify/process/linux/procfs/tables.ts';
import { SocketTable } from '../../../../../../src/identify/process/socket-table.ts';
import { PROTOCOL } from '../../../../../../src/net/numbers.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';
import { addresses } from '../../../../../support/packets.ts';

const { TCP, UDP } = PROTOCOL;
const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

// As Linux 6 prints them: a listener, a connection, and one in TIME_WAIT, which no longer has an owner.
const TCP4 = `${HEADER}                                                     
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 21301 1 0000000000000000 100 0 0 10 0                     
   1: 0100000A:9C40 500200C0:01BB 01 00000000:00000000 02:000A1B2C 00000000  1000        0 45012 2 0000000000000000 20 4 30 10 -1                    
   2: 0100000A:9C42 500200C0:01BB 06 00000000:00000000 03:00000F6E 00000000     0        0 0 3 0000000000000000                                      
`;
const TCP6 = `${HEADER.replaceAll('address', 'address                        ')}
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 5151 1 0000000000000000 100 0 0 10 0
   1: 0000000000000000FFFF00000100000A:0016 0000000000000000FFFF0000500200C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 6161 1 0000000000000000 20 4 1 10 -1
   2: B80D0120000000000000000001000000:9C40 B80D0120000000000000000002000000:01BB 01 00000000:00000000 00:00000000 00000000  1000        0 7171 1 0000000000000000 20 4 1 10 -1
`;

function parse(text: string, protocol: number, six: boolean, bytes = Buffer.from(text)): SocketTable {
  const table = new SocketTable();
  parseProcNet(bytes, bytes.length, protocol, six, new Int32Array(8), table);
  return table;
}

const find = (table: SocketTable, protocol: number, local: string, port: number, remote: string, remotePort: number) =>
  `${table.find(protocol, addresses(local, remote), 0, port, 4, remotePort)} ${table.match}`;

describe('parseProcNet', () => {
  it('reads sockets of IPv4, and leaves out those without an inode', () => {
    const table = parse(TCP4, TCP, false);
    expect(table.count).toBe(2);
    expect(find(table, TCP, '10.0.0.1', 40_000, '192.0.2.80', 443)).toBe('45012 exact');
    expect(find(table, TCP, '10.0.0.1', 22, '192.0.2.80', 999)).toBe('21301 listener');
    expect(find(table, TCP, '10.0.0.1', 40_002, '192.0.2.80', 443)).toBe('0 none');
  });

  it('reads sockets of IPv6, even those with v4-mapped addresses', () => {
    const table = parse(TCP6, TCP, true);
    expect(table.count).toBe(3);
    expect(find(table, TCP, '10.0.0.1', 22, '192.0.2.80', 50_000)).toBe('6161 exact');
    expect(find(table, TCP, '2001:db8::1', 40_000, '2001:db8::2', 443)).toBe('7171 exact');
    expect(find(table, TCP, '10.0.0.1', 80, '192.0.2.80', 50_000)).toBe('5151 listener');
  });

  it('reads every whole line of text that is cut anywhere', () => {
    for (let length = 0; length <= TCP4.length; length++) {
      const table = parse('', TCP, false, Buffer.from(TCP4.slice(0, length)));
      expect(table.count).toBeLessThanOrEqual(2);
    }
    expect(parse(TCP4.slice(0, TCP4.indexOf('   2:')), TCP, false).count).toBe(2);
  });

  it('survives empty lines, lines without a number, and lines that never end', () => {
    const lines = TCP4.split('\n');
    const text = [lines[0], '', ':', 'garbage', `   9: ${'F'.repeat(100_000)}`, lines[2], '   7: 0100000A:9C40'].join('\n');
    const table = parse(text, TCP, false);
    expect(find(table, TCP, '10.0.0.1', 40_000, '192.0.2.80', 443)).toBe('45012 exact');
  });

  it('never throws and never reads outside', () => {
    const printable = fc.string({ unit: fc.constantFrom(...'0123456789ABCDEF: \n'), maxLength: 400 });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), printable), fc.boolean(), (made, six) => {
        const body = Buffer.from(made as string);
        const bytes = Buffer.concat([Buffer.from(`${HEADER}\n`), body]);
        parse('', UDP, six, bytes);
      }),
    );
  });
});

describe('ProcNetReader', () => {
  it('reads all files that exist, even those longer than its buffer', () => {
    const line = (port: number) =>
      `   1: 0100000A:${port.toString(16).toUpperCase().padStart(4, '0')} 500200C0:01BB 01 00000000:00000000 02:00000000 00000000  1000        0 ${port} 2 0000000000000000 20 4 30 10 -1\n`;
    const many = Array.from({ length: 3000 }, (_, i) => line(i + 1)).join('');
    const root = fakeRoot({ 'net/tcp': `${HEADER}\n${many}`, 'net/tcp6': TCP6, 'net/udp': TCP4 });
    const table = new SocketTable();
    const reader = new ProcNetReader();
    expect(reader.read(`${root}/net`, table)).toBe(3);
    expect(table.count).toBe(3000 + 3 + 2);
    expect(find(table, TCP, '10.0.0.1', 3000, '192.0.2.80', 443)).toBe('3000 exact');
    expect(find(table, UDP, '10.0.0.1', 40_000, '192.0.2.80', 443)).toBe('45012 exact');
  });

  it('stops between two sockets when its time is over, and says so', () => {
    const line =
      '   1: 0100000A:0001 500200C0:01BB 01 00000000:00000000 02:00000000 00000000  1000        0 77 2 0000000000000000 20 4 30 10 -1\n';
    const root = fakeRoot({ 'net/tcp': `${HEADER}\n${line.repeat(3000)}`, 'net/udp': TCP4 });
    const table = new SocketTable();
    const reader = new ProcNetReader();
    reader.read(`${root}/net`, table, null, 0);
    expect(reader.isWhole).toBe(false);
    expect(table.count).toBeLessThan(3000);
    expect(find(table, TCP, '10.0.0.1', 1, '192.0.2.80', 443)).toBe('77 exact');
    reader.read(`${root}/net`, new SocketTable());
    expect(reader.isWhole).toBe(true);
  });

  it('reads nothing without procfs', () => {
    expect(new ProcNetReader().read('/nonexistent', new SocketTable())).toBe(0);
  });
});
