import { describe, expect, test } from 'vitest';
import { countersOf, isReady } from '../../../../src/capture/program.ts';
import type { CaptureRequest } from '../../../../src/capture/source.ts';
import { failureOf, filterRefusal, tcpdumpArguments } from '../../../../src/capture/tcpdump/messages.ts';
import type { NetmonError } from '../../../../src/model/errors.ts';

const request = (fields: Partial<CaptureRequest> = {}): CaptureRequest => ({
  interfaces: [],
  bpf: null,
  bufferBytes: 16 * 1024 * 1024,
  ...fields,
});

describe('arguments', () => {
  test('the default listens on everything that carries apps', () => {
    expect(tcpdumpArguments(request()).join(' ')).toBe(
      '-i pktap,en,utun,ipsec,ppp,lo0 -s 2204 -B 16384 -n -U --immediate-mode -w -',
    );
  });

  test('whole packets', () => {
    expect(tcpdumpArguments(request({ wholePackets: true })).join(' ')).toContain(' -s 131072 ');
  });

  test('names, any, and a filter that cannot pass for options', () => {
    expect(tcpdumpArguments(request({ interfaces: ['en0', 'utun4'] }))[1]).toBe('pktap,en0,utun4');
    expect(tcpdumpArguments(request({ interfaces: ['any'] }))[1]).toBe('pktap,all');
    expect(tcpdumpArguments(request({ bpf: '-w /etc/passwd' })).slice(-3)).toEqual(['-', '--', '-w /etc/passwd']);
  });

  test('more names than pktap takes are refused', () => {
    const interfaces = Array.from({ length: 9 }, (_, i) => `en${i}`);
    expect(() => tcpdumpArguments(request({ interfaces }))).toThrow(/9 interfaces are too many/);
  });
});

describe('lines', () => {
  test.each([
    'tcpdump: listening on pktap, link-type PKTAP (Apple DLT_PKTAP), snapshot length 2204 bytes',
    'tcpdump: listening on pktap, link-type PKTAP (Packet Tap), capture size 262144 bytes',
  ])('ready: %s', (line) => expect(isReady(line)).toBe(true));

  test('data link type alone is not ready', () => expect(isReady('tcpdump: data link type PKTAP')).toBe(false));

  test('counters, after SIGINFO and at the end', () => {
    expect(countersOf('tcpdump: 12 packets captured, 40 packets received by filter, 3 packets dropped by kernel')).toEqual({
      received: 40,
      droppedByKernel: 3,
    });
    expect(countersOf('1 packet received by filter')).toEqual({ received: 1 });
    expect(countersOf('2 packets dropped by interface')).toEqual({ droppedByInterface: 2 });
    expect(countersOf('375 packets captured')).toBeNull();
  });
});

describe('failures', () => {
  test.each([
    ['tcpdump: ioctl(SIOCIFCREATE): Operation not permitted', 'permission'],
    ['tcpdump: (cannot open BPF device) /dev/bpf0: Permission denied', 'permission'],
    ["tcpdump: en0: You don't have permission to capture on that device", 'permission'],
    ['tcpdump: en9: No such device exists', 'no-device'],
    ['tcpdump: BIOCSETIF: en9: Device not configured', 'no-device'],
    ["tcpdump: can't parse filter expression: syntax error", 'bad-filter'],
    ['tcpdump: unknown host nowhere.invalid', 'bad-filter'],
    ['tcpdump: something else', 'no-device'],
  ])('%s', (line, code) => {
    const failure: NetmonError = failureOf(['tcpdump: data link type PKTAP', line], 'status 1', request({ bpf: 'port http(' }));
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(line.replace('tcpdump: ', ''));
    expect(failure.message).not.toMatch(/\n/);
  });

  test('a filter that can not be compiled for an interface', () => {
    const said = (line: string) => filterRefusal(`pktap_filter_packet: pcap_add_if_info(${line}`, 'ether host x');
    expect(said("en0, 1) failed: can't parse filter expression: syntax error")).toMatchObject({
      code: 'bad-filter',
      message: `capture filter "ether host x": can't parse filter expression: syntax error`,
    });
    expect(said('lo0, 0) failed: ethernet addresses supported only on ethernet')).toMatchObject({
      code: 'bad-filter',
      message: expect.stringContaining('does not work on lo0: ethernet addresses'),
      hint: expect.stringContaining('--interface en0'),
    });
    // macOS 12 gives no reason
    expect(said('en0, 1) failed: ')?.code).toBe('bad-filter');
    expect(filterRefusal('tcpdump: 12 packets captured', 'x')).toBeNull();
    expect(filterRefusal('pcap_add_if_info(en0, 1) failed: x', null)).toBeNull();
  });

  test('silence is told by how it ended', () => {
    expect(failureOf([], 'killed by SIGKILL', request()).message).toContain('killed by SIGKILL');
  });
});
