// Valid inputs from which cases are made: frames of every link type, messages of every protocol that is read, captures, listings.

import dnsPacket from 'dns-packet';
import { ETHERTYPE, LINK, PROTOCOL } from '../../../src/net/numbers.ts';
import { type Block, pcapFile, pcapngFile, pktapHeader, snoopFile } from '../capture-writer.ts';
import {
  aggregate,
  arp,
  authentication,
  avs,
  backbone,
  etag,
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
  macsec,
  mpls,
  nsh,
  nullLink,
  ppi,
  ppp,
  pppoe,
  prism,
  radiotap,
  sctp,
  sll,
  sll2,
  snap,
  tcp,
  udp,
  udplite,
  vntag,
  vxlan,
  wireguard,
  wireless,
} from '../frames.ts';
import { cryptoFrame, dhcp, dtlsHello, helloMessage, httpRequest, quicInitial, tlsHello, tlsRecords } from '../payloads.ts';
import { alert, answerMessage, changeOfKeys, encrypted, flight } from '../talk.ts';

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, 'latin1'));

/** A message of DNS with all kinds of records. */
const DNS = Uint8Array.from(
  dnsPacket.encode({
    type: 'response',
    questions: [{ name: 'www.example.com', type: 'A' }],
    answers: [
      { type: 'CNAME', name: 'www.example.com', data: 'a.example.net', ttl: 60 },
      { type: 'A', name: 'a.example.net', data: '192.0.2.1', ttl: 60 },
      { type: 'AAAA', name: 'a.example.net', data: '2001:db8::1', ttl: 60 },
      { type: 'PTR', name: '1.2.0.192.in-addr.arpa', data: 'printer.local', ttl: 1 },
      { type: 'TXT', name: 'example.com', data: ['v=1'], ttl: 1 },
    ],
  }),
);

/** What goes into TCP segments and UDP datagrams. */
export const PAYLOADS: readonly Uint8Array[] = [
  DNS,
  join([0, DNS.length], DNS),
  tlsHello({ alpn: ['h2', 'http/1.1'], ech: true }),
  tlsHello({ padding: 600 }, 100),
  ...dtlsHello({ padding: 500 }, 300),
  quicInitial(cryptoFrame(0, helloMessage())),
  quicInitial(cryptoFrame(0, answerMessage()), { isServers: true, bytes: 0 }),
  tlsRecords(answerMessage({ keyed: true })),
  flight({ protocol: 'h2' }),
  join(changeOfKeys(), encrypted()),
  alert(40),
  text('HTTP/1.1 200 OK\r\n\r\n'),
  httpRequest('a.test'),
  dhcp(5, { yours: '192.0.2.1', name: 'phone', fqdn: Uint8Array.from([4, 0, 0, 1, 0x61, 0]) }),
  text(
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x11\x01\x05\0\0\0\x01\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff',
  ),
  text('CONNECT b.test:443 HTTP/1.1\r\nHost: b.test\r\n\r\n'),
  text('SSH-2.0-OpenSSH_9.9\r\n'),
  text('220 mail.test ESMTP\r\nEHLO x\r\n'),
  text('\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05'),
  text('M-SEARCH * HTTP/1.1\r\nST: ssdp:all\r\n\r\n'),
  join(hex('000100002112a442'), new Uint8Array(12)),
  join(hex('e300'), new Uint8Array(46)),
  hex('302902010004067075626c6963a01c02040102030402010002010030'),
  text('\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02id'),
  wireguard(1),
];

const INNERS: readonly Layer[] = [
  ipv4({}, tcp({ timestamps: [1, 2], options: hex('020405b4') }, tlsHello({}).subarray(0, 200))),
  ipv4({ options: hex('94040000') }, udp({}, 'hello')),
  ipv4({ id: 7, flags: 1 }, udp({}, 'hello world, hello')),
  ipv4({ id: 7, fragmentOffset: 3, protocol: PROTOCOL.UDP }, 'hello'),
  ipv4({}, udp({ sport: 53 }, DNS)),
  ipv4({}, udp({ dport: 4789 }, vxlan(1, ethernet({}, ipv4({}, udp({})))))),
  ipv4({}, udp({ dport: 51820 }, wireguard(4, 64))),
  ipv4({}, gre(ipv4({}, icmp({ type: 8 })))),
  ipv4({}, sctp({})),
  ipv6({}, tcp({ timestamps: [1, 2] }, 'hello')),
  ipv6({ extensions: [extension(PROTOCOL.HOPOPTS), fragmentHeader(1, 0, true), authentication()] }, udplite({}, 'hello')),
  ipv6({ extensions: [extension(PROTOCOL.HOPOPTS, hex('c204 00000030'))], payloadLength: 0 }, udp({}, 'hello')),
  ipv6({ extensions: [extension(PROTOCOL.HOPOPTS, hex('0502 0000 0100 c204 00000030'))], payloadLength: 0 }, udp({}, 'hello')),
  ipv6({ extensions: [fragmentHeader(1, 2, false)] }, icmpv6({ type: 128 }, 'hello')),
  arp('10.0.0.1', '10.0.0.2'),
];

/** Frame check sequence of 802.11; nobody verifies it. */
const CHECKSUM = hex('deadbeef');

/** Link types with frames of theirs. */
export const FRAMES: readonly { readonly link: number; readonly frames: readonly Uint8Array[] }[] = [
  {
    link: LINK.ETHERNET,
    frames: INNERS.flatMap((inner) => [
      ethernet({}, inner),
      ethernet({ vlan: 5 }, inner),
      ethernet({}, mpls([1, 2], inner)),
      ethernet({ vlan: [{ id: 1, type: ETHERTYPE.QINQ }] }, pppoe(inner)),
      ethernet({ type: 100 }, snap(inner)),
      ethernet({}, etag(vntag(macsec(inner, 0x20)))),
      ethernet({}, nsh(4, nsh(3, ethernet({}, inner)))),
      ethernet({}, backbone(ethernet({}, inner))),
    ]),
  },
  { link: LINK.NULL, frames: INNERS.map((inner) => nullLink(inner.etherType === ETHERTYPE.IPV6 ? 30 : 2, inner)) },
  { link: LINK.IEEE802_11, frames: INNERS.map((inner) => wireless({ control: 0x88, flags: 0x83 }, snap(inner))) },
  {
    link: LINK.RADIOTAP,
    frames: INNERS.flatMap((inner) => [
      radiotap(join(wireless({}, snap(inner)), CHECKSUM), 0x10),
      radiotap(join(wireless({ control: 0x88, quality: 0x80 }, aggregate(inner, inner, inner)), CHECKSUM), 0x10, 2),
    ]),
  },
  { link: LINK.PPI, frames: INNERS.map((inner) => ppi(join(wireless({}, snap(inner)), CHECKSUM), 1)) },
  { link: LINK.PRISM, frames: INNERS.map((inner) => prism(wireless({}, snap(inner)))) },
  { link: LINK.AVS, frames: INNERS.map((inner) => avs(wireless({ control: 0x88, quality: 0x80 }, aggregate(inner)))) },
  { link: LINK.LINUX_SLL, frames: INNERS.map((inner) => sll({ packetType: 4 }, inner)) },
  { link: LINK.LINUX_SLL2, frames: INNERS.map((inner) => sll2({ packetType: 2 }, inner)) },
  { link: LINK.PPP, frames: INNERS.map((inner) => ppp(inner)) },
  { link: LINK.PPP_HDLC, frames: INNERS.map((inner) => ppp(inner)) },
  { link: LINK.PPP_ETHER, frames: INNERS.map((inner) => pppoe(inner).bytes) },
  { link: LINK.RAW, frames: INNERS.map((inner) => inner.bytes) },
  { link: LINK.IPV4, frames: INNERS.map((inner) => inner.bytes) },
  { link: LINK.IPV6, frames: INNERS.map((inner) => inner.bytes) },
];

const FRAME = ethernet({}, ipv4({}, udp({}, 'hello')));
const BLOCKS: readonly Block[] = [
  { block: 'section' },
  { block: 'interface', name: 'en0', snapLength: 2204 },
  { block: 'process', pid: 501, name: 'Safari\0' },
  { block: 'packet', data: FRAME, ticks: 1_700_000_000_000_250n, direction: 'out', process: 0, wire: 1514 },
  { block: 'other', type: 5, body: new Uint8Array(28) },
  { block: 'section', endian: 'big' },
  { block: 'interface', name: 'utun4', link: 0, resolution: 9 },
  { block: 'packet', data: FRAME, direction: 'in' },
  { block: 'simple', data: FRAME },
  { block: 'packet', obsolete: true, data: FRAME },
];

/** Whole files: classic ones in both byte orders, PKTAP, pcapng. */
export const CAPTURES: readonly Uint8Array[] = [
  pcapFile({ records: [{ data: FRAME }, { data: FRAME, wire: 1500 }] }),
  snoopFile([{ data: FRAME }, { data: FRAME, wire: 1500, drops: 3 }]),
  pcapFile({ records: [{ data: FRAME }], endian: 'big', nanos: true }),
  pcapFile({ link: 258, records: [{ data: join(pktapHeader({}), FRAME) }] }),
  pcapngFile(BLOCKS),
];

/** What programs and files of the system say. */
export const LISTINGS: readonly Uint8Array[] = [
  ',interface,state,bytes_in,bytes_out,\nSafari.501,,,1,2,\ntcp4 10.0.0.1:1<->192.0.2.1:443,en0,Established,3,4,\nudp6 *.5353<->*.*,en0,,,,\n',
  'p501\ncSafari\nu501\nf12\ntIPv4\nPTCP\nn10.0.0.1:1->192.0.2.1:443\nTST=ESTABLISHED\nf13\nPUDP\nn*:5353\n',
  '  501     1   501 /Applications/Safari.app/Contents/MacOS/Safari\n    1     0     0 /sbin/launchd\n',
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0 100 0 0 10 0\n',
  'IP address       HW type     Flags       HW address            Mask     Device\n192.0.2.1 0x1 0x2 00:11:22:33:44:55 * eth0\n',
  '? (192.0.2.1) at 0:11:22:33:44:55 on en0 ifscope [ethernet]\n',
  'Neighbor Linklayer Address Netif Expire St Flgs Prbs\nfe80::1%en0 0:11:22:33:44:55 en0 23h S R\n',
  'Name  Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll Drop\nen0   1500  <Link#4>    00:11:22:33:44:55      1     0        2      3     0        4     0   0\n',
  '   route to: default\ndestination: default\n    gateway: 192.0.2.1\n  interface: en0\n',
  '12:cpu:/system.slice/ssh.service\n0::/user.slice/user-1000.slice/session-1.scope\n',
  'python3\0/srv/app.py\0--port\0' + '80\0',
  'theme[main_bg]="#101010"\ntheme[main_fg]="cc"\ntheme[title]="10 20 30"\n',
  'full:example.com\nexample.org @ads\nregexp:^a+b\\.c$\ninclude:other\nkeyword:x # note\n',
].map(text);

/** Filters, right and nearly. */
export const FILTERS: readonly Uint8Array[] = [
  'app:curl and not host~"x"',
  '(net:10.0.0.0/8 or port:80,443,8000-8100) !local',
  '/^a(b|c)*d{2,5}[^x-z]$/',
  'rate>10K rx<=1.5Gi age>5m',
  'process:"a b" sni=x -dst:1.2.3.4',
].map(text);
