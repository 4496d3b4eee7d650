import { describe, expect, it } from 'vitest';
import { type NettopRecord, parseNettop } from '../../../../../src/identify/process/macos/nettop.ts';
import type { SocketEnd } from '../../../../../src/identify/process/socket-table.ts';
import { formatAddress } from '../../../../../src/net/address.ts';
import { NETTOP, NETTOP_CHOSEN } from '../nettop-texts.ts';

const end = (found: SocketEnd | null): string | null =>
  found === null ? null : `${found.words === null ? '*' : formatAddress(found.words)} ${found.port}`;
const line = (r: NettopRecord) => [r.pid, r.name, r.protocol, r.family, end(r.local), end(r.remote)];
const records = (text: string) => parseNettop(text).records;
/** The only record of a flow row under a process row. */
const flow = (text: string) => {
  const found = records(`,interface,state,bytes_in,bytes_out,\napp.7,,,1,2,\n${text},en0,,3,4,\n`);
  return found.length === 1 ? line(found[0] as NettopRecord).slice(2) : found.length;
};
const owner = (row: string) => {
  const [found] = records(`,interface,state,bytes_in,bytes_out,\n${row}\ntcp4 10.0.0.1:1<->10.0.0.2:2,en0,Established,3,4,\n`);
  return found === undefined ? null : [found.name, found.pid];
};

describe('parseNettop', () => {
  it('reads the full list', () => {
    const report = parseNettop(NETTOP);
    expect(report.records.map(line)).toEqual([
      [272, 'mDNSResponder', 17, 6, '* 5353', null],
      [272, 'mDNSResponder', 17, 4, '* 5353', null],
      [772, 'Microsoft Edge', 17, 6, '* 5353', null],
      [772, 'Microsoft Edge', 6, 4, '192.168.3.37 56241', '17.57.145.55 5223'],
      [0, 'kernel_task', 6, 4, '127.0.0.1 57970', '127.0.0.1 57969'],
    ]);
    expect(report.records[3]).toMatchObject({
      uid: null,
      interface: 'en0',
      state: 'Established',
      rxBytes: 27_201,
      txBytes: 31_090,
    });
    expect(report.records[0]).toMatchObject({ interface: 'en0', state: null });
    expect(report.processes).toBe(3);
    expect(report.columns).toEqual(expect.arrayContaining(['time', 'interface', 'state', 'bytes_in', 'bytes_out', 'arch']));
    expect(report.columns).toHaveLength(19);
  });

  it('reads selected columns, which lack the time', () => {
    const report = parseNettop(NETTOP_CHOSEN);
    expect(report.columns).toEqual(['interface', 'state', 'bytes_in', 'bytes_out']);
    expect(report.records.map(line)).toEqual([
      [99_998, 'node', 6, 6, 'fd9c:4d71:ddf0::2 61604', 'fd9c:4d71:ddf0::1 57726'],
      [99_998, 'node', 6, 6, 'fe80::1 61605', 'fe80::aede:48ff:fe00:1122 443'],
      [100_321, 'com.apple.WebKi', 17, 4, '192.168.3.37 50123', '17.57.145.55 443'],
    ]);
  });

  it('finds columns by their names, in any order and without some', () => {
    const text = 'state,bytes_out,,bytes_in,\n,9,a.1,8,\nEstablished,2,tcp4 10.0.0.1:1<->10.0.0.2:2,1,\n';
    expect(records(text)[0]).toMatchObject({ pid: 1, state: 'Established', interface: null, rxBytes: 1, txBytes: 2 });
    expect(records(',interface,\na.1,,\ntcp4 10.0.0.1:1<->10.0.0.2:2,en0,\n')[0]).toMatchObject({ rxBytes: null, txBytes: null });
  });

  it('skips terminal echoes, repeated headers and carriage returns', () => {
    for (const echo of ['\u0004\b\b', '^D\b\b'])
      expect(records(`${echo}${NETTOP.replaceAll('\n', '\r\n')}`).map(line)).toEqual(records(NETTOP).map(line));
    expect(parseNettop(`${NETTOP_CHOSEN}${NETTOP_CHOSEN}`).records).toHaveLength(6);
  });

  it.each([
    ['Microsoft Edge .772,,,1,2,', ['Microsoft Edge', 772]],
    ['com.docker.back.4242,,,1,2,', ['com.docker.back', 4242]],
    ['1.2.3.4,,,1,2,', ['1.2.3', 4]],
    ['wrapped.99999,,,1,2,', ['wrapped', 99_999]],
    ['beyond.4194304,,,1,2,', ['beyond', 4_194_304]],
    ['Foo, Bar.12,,,1,2,', ['Foo, Bar', 12]],
    ['"Foo, ""Bar""".12,,,1,2,', ['Foo, "Bar"', 12]],
    ['"Foo, Bar.12",,,1,2,', ['Foo, Bar', 12]],
    ['\u001b[31mx\u202e.12,,,1,2,', ['[31mx', 12]],
    ['Ünïcode.12,,,1,2,', ['Ünïcode', 12]],
    ['.12,,,1,2,', ['pid 12', 12]],
    ['noPid,,,1,2,', null],
    ['huge.99999999999,,,1,2,', null],
    ['negative.-1,,,1,2,', null],
  ])('%j owns the flows under it: %j', (row, expected) => {
    expect(owner(row)).toEqual(expected);
  });

  it('gives flows to nobody after a row that it can’t read', () => {
    const text = ',interface,\na.1,,\nnonsense,,\ntcp4 10.0.0.1:1<->10.0.0.2:2,en0,\nb.2,,\ntcp4 10.0.0.1:3<->10.0.0.2:4,en0,\n';
    expect(records(text).map((record) => record.pid)).toEqual([2]);
  });

  it.each([
    ['tcp4 *:22<->*:*', [6, 4, '* 22', null]],
    ['tcp6 *.22<->*.*', [6, 6, '* 22', null]],
    ['tcp4 0.0.0.0:22<->*:*', [6, 4, '* 22', null]],
    ['tcp6 ::1.631<->*.*', [6, 6, '::1 631', null]],
    ['udp6 fe80::1%en0.546<->*.*', [17, 6, 'fe80::1 546', null]],
    ['udp6 fe80:4::1.546<->ff02::1:2.547', [17, 6, 'fe80::1 546', 'ff02::1:2 547']],
    ['tcp6 ::ffff:192.0.2.1.80<->::ffff:192.0.2.2.5000', [6, 6, '192.0.2.1 80', '192.0.2.2 5000']],
    ['udp4 192.0.2.1:5353<->*:5353', [17, 4, '192.0.2.1 5353', '* 5353']],
    ['quic 192.0.2.1:50000<->192.0.2.2:443', [17, 4, '192.0.2.1 50000', '192.0.2.2 443']],
    ['quic 2001:db8::1.50000<->2001:db8::2.443', [17, 6, '2001:db8::1 50000', '2001:db8::2 443']],
  ])('%s', (text, expected) => {
    expect(flow(text)).toEqual(expected);
  });

  it.each([
    ['tcp4 10.0.0.1:1<->10.0.0.2:70000'],
    ['tcp4 10.0.0.1:1<->'],
    ['tcp4 host:1<->10.0.0.2:2'],
    ['tcp4 10.0.0.1:1<->10.0.0.2:http'],
    ['tcp6 2001:db8::1<->2001:db8::2'],
    ['icmp 10.0.0.1<->10.0.0.2'],
    ['tcp4 10.0.0.1:1 <-> 10.0.0.2:2'],
    [`tcp4 ${'1'.repeat(2000)}:1<->10.0.0.2:2`],
  ])('makes no record of %j', (text) => {
    expect(flow(text)).toBe(0);
  });

  it.each([
    [''],
    ['\n\n'],
    ['nettop: illegal option -- J\n'],
    ['a.1,,\ntcp4 10.0.0.1:1<->10.0.0.2:2,en0,\n'],
    ['interface,state\n'],
  ])('finds no list in %j', (text) => {
    expect(parseNettop(text)).toEqual({ columns: [], processes: 0, records: [] });
  });

  it('keeps no more than necessary of a flood', () => {
    const row = 'tcp4 10.0.0.1:1<->10.0.0.2:2,en0,\n';
    expect(records(`,interface,\na.1,,\n${row.repeat(70_000)}`)).toHaveLength(65_536);
  });
});
