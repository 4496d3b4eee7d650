import { expect, test } from 'vitest';
import { PROTOCOL } from '../../../src/net/numbers.ts';
import { applicationByPort, serviceName, servicePorts } from '../../../src/net/services.ts';

test('names depend on the transport', () => {
  expect(serviceName(PROTOCOL.TCP, 443)).toBe('https');
  expect(serviceName(PROTOCOL.UDP, 443)).toBe('quic');
  expect(serviceName('udp', 5353)).toBe('mdns');
  expect(serviceName(PROTOCOL.TCP, 5353)).toBe(null);
  expect(serviceName(PROTOCOL.ICMP, 53)).toBe(null);
  expect(serviceName(PROTOCOL.TCP, 54_321)).toBe(null);
});

test('every name is lower case and every port one', () => {
  let found = 0;
  for (const protocol of [PROTOCOL.TCP, PROTOCOL.UDP])
    for (let port = 0; port < 65_536; port++) {
      const name = serviceName(protocol, port);
      if (name === null) continue;
      found++;
      expect(name).toMatch(/^[a-z][a-z0-9-]*$/);
    }
  expect(found).toBeGreaterThan(180);
});

test.each([
  ['outbound', 50_000, 443, 'https'],
  ['outbound', 5432, 9999, 'postgresql'],
  ['outbound', 51_820, 9999, null],
  ['inbound', 22, 50_000, 'ssh'],
  ['inbound', 22, 443, 'ssh'],
  ['outbound', 22, 443, 'https'],
  ['local', 50_000, 6379, 'redis'],
  ['local', 6379, 50_000, 'redis'],
  ['transit', 40_000, 41_000, null],
] as const)('%s %d %d', (direction, local, remote, name) =>
  expect(applicationByPort(PROTOCOL.TCP, local, remote, direction)).toBe(name),
);

test('NTP between its own ports', () => {
  expect(applicationByPort(PROTOCOL.UDP, 123, 123)).toBe('ntp');
});

test('ports of a service', () => {
  expect(servicePorts('https')).toEqual([443]);
  expect(servicePorts('dhcp')).toEqual([67, 68]);
  expect(servicePorts('nonesuch')).toEqual([]);
});
