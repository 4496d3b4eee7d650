import { expect, test } from 'vitest';
import { hasPorts, PROTOCOL, protocolName } from '../../../src/net/numbers.ts';

test('protocols have one name each', () => {
  const names = Array.from({ length: 257 }, (_, number) => protocolName(number));
  expect(new Set(names).size).toBe(257);
  expect(names[PROTOCOL.TCP]).toBe('tcp');
  expect(names[PROTOCOL.ICMPV6]).toBe('icmpv6');
  expect(names[253]).toBe('ip-253');
});

test('ports are where the transport has them', () => {
  const ported = Array.from({ length: 257 }, (_, number) => number).filter(hasPorts);
  expect(ported).toEqual([PROTOCOL.TCP, PROTOCOL.UDP, PROTOCOL.SCTP, PROTOCOL.UDPLITE]);
});
