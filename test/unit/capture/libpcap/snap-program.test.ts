// An interpreter runs the snap program over frames of every link type that it knows.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainPrograms, type Instruction } from '../../../../src/capture/libpcap/bpf-assembler.ts';
import { BULK_BYTES, PUSHED_BYTES, snapProgram, WHOLE_BYTES } from '../../../../src/capture/libpcap/snap-program.ts';
import { ETHERTYPE, LINK, PROTOCOL, TCP_FLAG } from '../../../../src/net/numbers.ts';
import { LONGEST_INSIDE } from '../../../../src/net/reading.ts';
import { COOKED, runBpf } from '../../../support/bpf-machine.ts';
import {
  arp,
  bytesOf,
  ethernet,
  extension,
  fragmentHeader,
  gre,
  hex,
  icmp,
  icmpv6,
  ipv4,
  ipv6,
  join,
  type Layer,
  mpls,
  nullLink,
  sctp,
  sll,
  sll2,
  snap,
  tcp,
  udp,
} from '../../../support/frames.ts';

const { SYN, ACK, PSH } = TCP_FLAG;
const WHOLE = WHOLE_BYTES;
const BULK = BULK_BYTES;

const programs = new Map<number, Instruction[]>();
function keep(link: number, frame: Uint8Array): number {
  const program = programs.get(link) ?? snapProgram(link);
  if (program === null) throw new Error(`no program for link type ${link}`);
  programs.set(link, program);
  return runBpf(program, frame, COOKED[link] ?? null);
}

const tls = join([0x16, 3, 1, 0, 5], new Uint8Array(300));
const request = join(bytesOf(`GET /${'u'.repeat(3000)} HTTP/1.1\r\nHost: late.example.com\r\n\r\n`));
const data = new Uint8Array(1400).fill(0x41);
const dtls = join([0x16, 0xfe, 0xfd], new Uint8Array(300));
const quic = join([0xc3, 0, 0, 0, 1], new Uint8Array(1200));

/** Every carrier gives the same answers. */
const carriers: [string, number, (layer: Layer) => Uint8Array][] = [
  ['Ethernet', LINK.ETHERNET, (layer) => ethernet({}, layer)],
  ['Ethernet, one tag', LINK.ETHERNET, (layer) => ethernet({ vlan: 7 }, layer)],
  [
    'Ethernet, two tags',
    LINK.ETHERNET,
    (layer) =>
      ethernet(
        {
          vlan: [
            { id: 7, type: ETHERTYPE.QINQ },
            { id: 8, type: ETHERTYPE.VLAN },
          ],
        },
        layer,
      ),
  ],
  ['cooked', LINK.LINUX_SLL, (layer) => sll({}, layer)],
  ['cooked, version 2', LINK.LINUX_SLL2, (layer) => sll2({}, layer)],
  ['loopback', LINK.NULL, (layer) => nullLink(layer.etherType === ETHERTYPE.IPV6 ? 30 : 2, layer)],
  ['OpenBSD loopback', LINK.LOOP, (layer) => nullLink(layer.etherType === ETHERTYPE.IPV6 ? 30 : 2, layer, 'big')],
  ['raw IP', LINK.RAW, (layer) => layer.bytes],
  ['raw IP, live', LINK.RAW_DLT, (layer) => layer.bytes],
];
const families: [string, (transport: Layer) => Layer][] = [
  ['IPv4', (transport) => ipv4({}, transport)],
  ['IPv4 with options', (transport) => ipv4({ options: new Uint8Array(24).fill(1) }, transport)],
  ['IPv6', (transport) => ipv6({}, transport)],
];
const stamped = { timestamps: [1, 2] as const };

const cases: [string, Layer, number][] = [
  ['SYN', tcp({ flags: SYN }), WHOLE],
  ['SYN+ACK', tcp({ flags: SYN | ACK }), WHOLE],
  ['ACK', tcp({ flags: ACK, ...stamped }), BULK],
  ['a ClientHello', tcp({ flags: ACK }, tls), WHOLE],
  ['a ClientHello behind TCP options', tcp({ flags: ACK | PSH, ...stamped }, tls), WHOLE],
  ['pushed data', tcp({ flags: ACK | PSH, ...stamped }, data), PUSHED_BYTES],
  ['a request of HTTP', tcp({ flags: ACK }, request), WHOLE],
  ['a request of HTTP, pushed', tcp({ flags: ACK | PSH, ...stamped }, request), WHOLE],
  ['the preface of HTTP/2', tcp({ flags: ACK }, join(bytesOf('PRI * HTTP/2.0'), data)), WHOLE],
  ['letters that are no method', tcp({ flags: ACK }, join(bytesOf('GETS'), data)), BULK],
  ['bulk data', tcp({ flags: ACK, ...stamped }, data), BULK],
  ['bulk data with the longest header', tcp({ flags: ACK, options: new Uint8Array(40).fill(1) }, data), BULK],
  ['DNS over TCP', tcp({ flags: ACK, dport: 53 }, data), WHOLE],
  ['DNS over TCP, answered', tcp({ flags: ACK, sport: 53 }, data), WHOLE],
  ['a TCP header whose length lies', tcp({ flags: ACK | PSH, dataOffset: 15 }, 'abc'), BULK],
  ['a DNS question', udp({ dport: 53 }, data), WHOLE],
  ['a DNS answer', udp({ sport: 53, dport: 40_001 }, data), WHOLE],
  ['mDNS', udp({ sport: 5353, dport: 5353 }, data), WHOLE],
  ['DHCP', udp({ sport: 68, dport: 67 }, data), WHOLE],
  ['LLMNR', udp({ dport: 5355 }, data), WHOLE],
  ['a QUIC long header', udp({ dport: 443 }, quic), WHOLE],
  ['a record of DTLS', udp({ dport: 50_000 }, dtls), WHOLE],
  ['Google’s own QUIC', udp({ dport: 443 }, join(hex('0d 0102030405060708'), bytesOf('Q043'), data)), WHOLE],
  ['Google’s own QUIC without a version', udp({ dport: 443 }, join(hex('0d 0102030405060708 51303939'), data)), BULK],
  ['a QUIC short header', udp({ dport: 443 }, data), BULK],
  ['a tunnel over UDP', udp({ dport: 4789 }, data), LONGEST_INSIDE],
  ['a tunnel with a protocol of its own', gre(ipv4({}, tcp({ flags: ACK }, data))), LONGEST_INSIDE],
  ['an empty datagram', udp({ dport: 4433 }), BULK],
  ['SCTP', sctp({}), BULK],
];

describe.each(carriers)('%s', (_carrier, link, wrap) => {
  describe.each(families)('%s', (_family, network) => {
    it.each(cases)('%s', (_name, transport, expected) => {
      expect(keep(link, wrap(network(transport)))).toBe(expected);
    });
  });

  it.each<[string, Layer, number]>([
    ['ping', ipv4({}, icmp({ type: 8 })), BULK],
    ['ICMPv6', ipv6({}, icmpv6({ type: 135 }, data)), BULK],
    ['a later fragment, though its bytes look like DNS', ipv4({ fragmentOffset: 10 }, udp({ dport: 53 })), BULK],
    ['a first fragment', ipv4({ flags: 1 }, udp({ dport: 53 }, data)), WHOLE],
    ['IPv6 with extension headers', ipv6({ extensions: [extension(PROTOCOL.HOPOPTS)] }, tcp({ flags: ACK }, data)), WHOLE],
    ['an IPv6 fragment', ipv6({ extensions: [fragmentHeader(1, 0, true)] }, udp({ dport: 9 }, data)), WHOLE],
    ['IPv4 whose header length is none', ipv4({ headerWords: 0 }, tcp({ flags: ACK }, data)), BULK],
    ['IPv4 whose header is longer than the packet', ipv4({ headerWords: 15 }, new Uint8Array(4)), BULK],
  ])('%s', (_name, layer, expected) => {
    expect(keep(link, wrap(layer))).toBe(expected);
  });

  it('accepts every frame, truncated anywhere', () => {
    const least = COOKED[link]?.header ?? 0; // the kernel adds that header itself
    for (const [, network] of families) {
      for (const [, transport] of cases) {
        const frame = wrap(network(transport));
        for (let length = least; length < Math.min(frame.length, 130); length++) {
          expect(keep(link, frame.subarray(0, length))).toBeGreaterThanOrEqual(BULK);
        }
      }
    }
  });

  it('accepts random bytes, and frames with random bytes in their headers', () => {
    const least = COOKED[link]?.header ?? 0;
    const lies = fc.array(fc.tuple(fc.nat(70), fc.nat(255)), { maxLength: 8 });
    const pick = fc.tuple(fc.constantFrom(...families), fc.constantFrom(...cases), lies, fc.nat(1500));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ minLength: least, maxLength: 120 }), pick), (made) => {
        if (made instanceof Uint8Array) return keep(link, made) > 0;
        const [[, network], [, transport], changes, length] = made;
        const frame = Uint8Array.from(wrap(network(transport)));
        for (const [at, value] of changes) if (at < frame.length) frame[at] = value;
        return keep(link, frame.subarray(0, Math.max(least, length))) > 0;
      }),
      { numRuns: 400 },
    );
  });
});

describe('Ethernet only', () => {
  it.each<[string, Uint8Array, number]>([
    ['ARP', ethernet({}, arp('192.0.2.1', '192.0.2.2')), WHOLE],
    ['ARP behind a tag', ethernet({ vlan: 3 }, arp('192.0.2.1', '192.0.2.2')), WHOLE],
    [
      'three tags',
      ethernet({ vlan: [1, 2, 3].map((id) => ({ id, type: ETHERTYPE.VLAN })) }, ipv4({}, tcp({ flags: SYN }))),
      BULK,
    ],
    ['MPLS', ethernet({}, mpls([16], ipv4({}, tcp({ flags: SYN })))), BULK],
    ['802.3', ethernet({ type: 100 }, snap(ipv4({}, tcp({ flags: SYN })))), BULK],
    ['nothing known', ethernet({ type: 0x88cc }, data), BULK],
  ])('%s', (_name, frame, expected) => {
    expect(keep(LINK.ETHERNET, frame)).toBe(expected);
  });
});

it('has no program for link types that it can’t parse', () => {
  for (const link of [LINK.PKTAP, LINK.PKTAP_DLT, LINK.PPP, 127]) expect(snapProgram(link)).toBeNull();
});

it('is short enough for a Mac’s 512 instructions, with a user filter of 200 before it', () => {
  for (const [, link] of carriers) expect(snapProgram(link)?.length).toBeLessThanOrEqual(312);
});

it('keeps the same bytes behind a user’s filter', () => {
  // `ip6`, as `tcpdump -dd ip6` prints it.
  const onlyIpv6: Instruction[] = [
    { code: 0x28, jt: 0, jf: 0, k: 12 },
    { code: 0x15, jt: 0, jf: 1, k: 0x86dd },
    { code: 0x06, jt: 0, jf: 0, k: 262_144 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
  ];
  const program = chainPrograms(onlyIpv6, snapProgram(LINK.ETHERNET) ?? []);
  for (const [, transport, expected] of cases) {
    expect(runBpf(program, ethernet({}, ipv6({}, transport)))).toBe(expected);
    expect(runBpf(program, ethernet({}, ipv4({}, transport)))).toBe(0);
  }
});
