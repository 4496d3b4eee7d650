import { describe, expect, it } from 'vitest';
import { FLOW_DIRECTION, Localizer } from '../../../src/flow/direction.ts';
import { DIRECTION, PROTOCOL } from '../../../src/net/numbers.ts';
import { addresses, type PacketFields, packet } from '../../support/packets.ts';

const { IN, OUT, UNKNOWN } = DIRECTION;
const NAMES = Object.fromEntries(Object.entries(FLOW_DIRECTION).map(([name, value]) => [value, name.toLowerCase()]));

function place(replay: boolean, fields: PacketFields, told: number = UNKNOWN, own = ['10.0.0.1', '2001:db8::1']): string {
  const localizer = new Localizer(replay);
  localizer.setAddresses(addresses(...own));
  const { sourceIsLocal, direction } = localizer.place(packet(fields), told);
  return `${sourceIsLocal ? 'source' : 'destination'} ${NAMES[direction]}`;
}

const UDP = PROTOCOL.UDP;
const PING = { protocol: PROTOCOL.ICMP };

describe('live', () => {
  it.each<[string, PacketFields, number, string]>([
    ['our SYN', { flags: 'S' }, UNKNOWN, 'source outbound'],
    ['a SYN to us', { src: '192.0.2.9', dst: '10.0.0.1', flags: 'S' }, UNKNOWN, 'destination inbound'],
    ['the answer to our SYN, seen first', { src: '192.0.2.9', dst: '10.0.0.1', flags: 'SA' }, UNKNOWN, 'destination outbound'],
    ['our answer, seen first', { dst: '192.0.2.9', flags: 'SA' }, UNKNOWN, 'source inbound'],
    ['TCP joined in its middle, from us', { flags: 'A' }, UNKNOWN, 'source outbound'],
    [
      'TCP joined in its middle, from their server',
      { src: '192.0.2.9', dst: '10.0.0.1', sport: 443, dport: 5000 },
      UNKNOWN,
      'destination outbound',
    ],
    ['TCP joined in its middle, from our server', { sport: 22, dport: 50_000 }, UNKNOWN, 'source inbound'],
    ['our datagram', { protocol: UDP, dport: 53 }, UNKNOWN, 'source outbound'],
    [
      'an answer seen first',
      { protocol: UDP, src: '192.0.2.9', dst: '10.0.0.1', sport: 53, dport: 40_000 },
      UNKNOWN,
      'destination outbound',
    ],
    [
      'their question',
      { protocol: UDP, src: '192.0.2.9', dst: '10.0.0.1', sport: 40_000, dport: 53 },
      UNKNOWN,
      'destination inbound',
    ],
    ['our ping', { protocol: PROTOCOL.ICMP }, UNKNOWN, 'source outbound'],
    [
      'the answer to our ping, seen first',
      { ...PING, src: '192.0.2.9', dst: '10.0.0.1', sport: 8, dport: 77 },
      UNKNOWN,
      'destination outbound',
    ],
    ['our answer to their ping, seen first', { ...PING, dst: '192.0.2.9', sport: 8, dport: 77 }, UNKNOWN, 'source inbound'],
    ['IPv6', { src: '2001:db8::9', dst: '2001:db8::1', flags: 'S' }, UNKNOWN, 'destination inbound'],
    ['both ends ours', { src: '127.0.0.1', dst: '127.0.0.1', flags: 'S' }, UNKNOWN, 'source local'],
    ['both ends ours, the answer first', { src: '10.0.0.1', dst: '127.0.0.1', flags: 'SA' }, UNKNOWN, 'destination local'],
    [
      'loopback is ours without being listed',
      { src: '127.3.2.1', dst: '127.0.0.1', sport: 80, dport: 4000 },
      UNKNOWN,
      'destination local',
    ],
    ['IPv6 loopback', { src: '::1', dst: '::1', flags: 'S' }, UNKNOWN, 'source local'],
    ['neither end ours', { src: '192.0.2.1', dst: '192.0.2.2', flags: 'S' }, UNKNOWN, 'source transit'],
    ['neither end ours, told as sent', { src: '192.0.2.1', dst: '192.0.2.2', flags: 'SA' }, OUT, 'destination transit'],
    ['our multicast', { protocol: UDP, dst: '224.0.0.251', sport: 5353, dport: 5353 }, UNKNOWN, 'source outbound'],
    [
      'their multicast',
      { protocol: UDP, src: '10.0.0.7', dst: '224.0.0.251', sport: 5353, dport: 5353 },
      UNKNOWN,
      'destination inbound',
    ],
    [
      'their IPv6 multicast',
      { protocol: UDP, src: 'fe80::7', dst: 'ff02::fb', sport: 5353, dport: 5353 },
      UNKNOWN,
      'destination inbound',
    ],
    [
      'their broadcast',
      { protocol: UDP, src: '10.0.0.7', dst: '255.255.255.255', sport: 2000, dport: 3000 },
      UNKNOWN,
      'destination inbound',
    ],
    [
      'their subnet broadcast',
      { protocol: UDP, src: '10.0.0.7', dst: '10.0.0.255', sport: 138, dport: 138, group: true },
      UNKNOWN,
      'destination inbound',
    ],
    [
      'our DHCP question',
      { protocol: UDP, src: '0.0.0.0', dst: '255.255.255.255', sport: 68, dport: 67 },
      OUT,
      'source outbound',
    ],
    [
      'a DHCP question of nobody knows whom',
      { protocol: UDP, src: '0.0.0.0', dst: '255.255.255.255', sport: 68, dport: 67 },
      UNKNOWN,
      'source outbound',
    ],
    [
      'a DHCP question that was received',
      { protocol: UDP, src: '0.0.0.0', dst: '255.255.255.255', sport: 68, dport: 67 },
      IN,
      'destination inbound',
    ],
  ])('%s', (_name, fields, told, expected) => {
    expect(place(false, fields, told)).toBe(expected);
  });

  it('takes new addresses from then on', () => {
    const localizer = new Localizer(false);
    const mine = packet({ src: '198.51.100.7', flags: 'S' });
    expect(localizer.place(mine, UNKNOWN).direction).toBe(FLOW_DIRECTION.TRANSIT);
    localizer.setAddresses(addresses('10.0.0.1', '198.51.100.7'));
    expect(localizer.place(mine, UNKNOWN)).toEqual({ sourceIsLocal: true, direction: FLOW_DIRECTION.OUTBOUND });
  });
});

describe('replay', () => {
  it.each<[string, PacketFields, number, string]>([
    ['the capture says sent', { src: '192.0.2.1', dst: '192.0.2.2', flags: 'S' }, OUT, 'source outbound'],
    ['the capture says received', { src: '192.0.2.1', dst: '192.0.2.2', flags: 'S' }, IN, 'destination inbound'],
    ['its word goes before private addresses', { src: '10.1.1.1', dst: '192.0.2.2', flags: 'S' }, IN, 'destination inbound'],
    ['a private source', { src: '192.168.1.2', dst: '192.0.2.2', flags: 'S' }, UNKNOWN, 'source outbound'],
    ['a private destination', { src: '192.0.2.2', dst: '172.16.0.9', flags: 'S' }, UNKNOWN, 'destination inbound'],
    ['a private destination answered', { src: '192.0.2.2', dst: 'fd00::1', flags: 'SA' }, UNKNOWN, 'destination outbound'],
    ['both private: who spoke first', { src: '192.168.1.2', dst: '192.168.1.3', flags: 'S' }, UNKNOWN, 'source outbound'],
    ['both private: who opened', { src: '192.168.1.2', dst: '192.168.1.3', flags: 'SA' }, UNKNOWN, 'destination outbound'],
    ['both public', { src: '192.0.2.2', dst: '198.51.100.1', flags: 'S' }, UNKNOWN, 'source outbound'],
    [
      'multicast is sent by the local end',
      { src: '192.0.2.2', dst: '224.0.0.251', protocol: UDP, sport: 5353, dport: 5353 },
      UNKNOWN,
      'source outbound',
    ],
    ['loopback', { src: '127.0.0.1', dst: '127.0.0.1', flags: 'SA' }, UNKNOWN, 'destination local'],
    ['link-local and shared addresses are near', { src: '100.64.0.1', dst: '192.0.2.2', flags: 'SA' }, UNKNOWN, 'source inbound'],
  ])('%s', (_name, fields, told, expected) => {
    expect(place(true, fields, told, [])).toBe(expected);
  });
});
