// What tunnels carry, through whole runs: the inner flow and its name are told, the bytes stay with the flow that carries them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { pcapFile } from '../support/capture-writer.ts';
import {
  be16,
  be32,
  bytesOf,
  ethernet,
  gre,
  hex,
  type Inner,
  ipv4,
  ipv6,
  join,
  type Layer,
  tcp,
  udp,
  vxlan,
} from '../support/frames.ts';
import { cryptoFrame, helloMessage, httpRequest, quicInitial, tlsHello } from '../support/payloads.ts';
import { linesOf } from '../support/whole-run.ts';

const T0 = Date.UTC(2026, 0, 1);
const folder = mkdtempSync(path(tmpdir(), 'netmon-tunnels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Flow {
  readonly protocol: string;
  readonly host: string;
  readonly name_source: string;
  readonly tunnel: string | null;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly inside: { protocol: string; source: unknown; destination: unknown; host: string | null } | null;
}

async function flowsOf(layers: readonly Layer[]): Promise<Flow[]> {
  const file = path(folder, 'capture.pcap');
  writeFileSync(file, pcapFile({ records: layers.map((layer, i) => ({ time: T0 + i, data: ethernet({}, layer) })) }));
  const [end] = await linesOf(file, '--once');
  return (end as unknown as { flows: Flow[] }).flows;
}

const hello = tlsHello({ name: 'inner.example.com' });
const from = { address: '172.16.0.1', port: 40_000 };
const to = { address: '172.16.0.2', port: 443 };
const inside = (transport: Inner = tcp({ flags: 0x18 }, hello)) => ipv4({ src: from.address, dst: to.address }, transport);
const inside6 = (transport: Inner = tcp({ flags: 0x18 }, hello)) => ipv6({ src: '2001:db8::a', dst: '2001:db8::b' }, transport);
const outer = (inner: Inner) => ipv4({ src: '10.0.0.1', dst: '198.51.100.7' }, inner);
const outer6 = (inner: Inner) => ipv6({ src: 'fd00::1', dst: '2001:db8::7' }, inner);
const over = (dport: number, payload: Uint8Array) => outer(udp({ sport: 50_000, dport }, payload));
const greWith = (flags: number, type: number, options: Uint8Array, inner: Inner): Layer => ({
  protocol: 47,
  bytes: join(be16(flags), be16(type), options, bytesOf(inner)),
});
const geneve = (options: Uint8Array, type: number, inner: Inner) =>
  join([options.length / 4, 0], be16(type), [0, 0, 42, 0], options, bytesOf(inner));
const gtp = (flags: number, options: Uint8Array, inner: Inner) =>
  join([0x30 | flags, 0xff], be16(options.length + bytesOf(inner).length), be32(7), options, bytesOf(inner));

it.each<[string, string, Layer]>([
  ['6in4', '6in4', outer(inside6())],
  ['4in6', '4in6', outer6(inside())],
  ['IP in IP', 'ip-in-ip', outer(inside())],
  ['GRE', 'gre', outer(gre(inside()))],
  ['GRE with checksum, key and number', 'gre', outer(greWith(0xb000, 0x0800, new Uint8Array(12), inside()))],
  ['Ethernet in GRE', 'gre', outer(greWith(0, 0x6558, new Uint8Array(0), ethernet({ vlan: 5 }, inside6())))],
  ['VXLAN', 'vxlan', over(4789, vxlan(42, ethernet({}, inside())))],
  ['VXLAN with reserved bits', 'vxlan', over(4789, join(hex('ffffffff00002aff'), ethernet({}, inside6())))],
  ['Geneve', 'geneve', over(6081, geneve(new Uint8Array(0), 0x6558, ethernet({}, inside())))],
  ['Geneve with options, IP inside', 'geneve', over(6081, geneve(new Uint8Array(8), 0x0800, inside()))],
  ['GTP-U', 'gtp-u', over(2152, gtp(0, new Uint8Array(0), inside()))],
  ['GTP-U with an extension', 'gtp-u', over(2152, gtp(4, hex('00000085 01 00 00 00'), inside()))],
  ['Teredo', 'teredo', over(3544, inside6().bytes)],
  [
    'Teredo with authentication and origin',
    'teredo',
    over(3544, join(hex('0001 0000 0000000000000000 00 0000 1234 01020304'), inside6().bytes)),
  ],
])('%s: the ends and the name inside, the bytes with the outer flow', async (_what, tunnel, layer) => {
  const flows = await flowsOf([layer, layer]);
  expect(flows).toHaveLength(1);
  const [flow] = flows as [Flow];
  const is6 = JSON.stringify(flow.inside).includes('2001:');
  expect(flow.inside).toEqual({
    protocol: 'tcp',
    source: is6 ? { address: '2001:db8::a', port: 40_000 } : from,
    destination: is6 ? { address: '2001:db8::b', port: 443 } : to,
    host: 'inner.example.com',
  });
  expect([flow.tunnel, flow.host, flow.name_source]).toEqual([tunnel, 'inner.example.com', 'inner']);
  expect([flow.tx_bytes, flow.tx_packets]).toEqual([2 * bytesOf(layer).length, 2]);
});

it('tells the first flow inside until one tells a name', async () => {
  const [pinged] = (await flowsOf([outer(gre(inside(udp({ sport: 1, dport: 2 }, 'x'))))])) as [Flow];
  expect([pinged.inside?.protocol, pinged.inside?.host, pinged.name_source]).toEqual(['udp', null, 'none']);
  const quic = inside(
    udp({ sport: 40_000, dport: 443 }, quicInitial(cryptoFrame(0, helloMessage({ name: 'quic.example.com' })))),
  );
  const [named] = (await flowsOf([outer(gre(inside(udp({ sport: 1, dport: 2 }, 'x')))), outer(gre(quic))])) as [Flow];
  expect([named.inside?.protocol, named.inside?.host, named.host]).toEqual(['udp', 'quic.example.com', 'quic.example.com']);
});

it('puts a message of an inner flow together over packets', async () => {
  const parts = [hello.subarray(0, 50), hello.subarray(50)];
  const frames = parts.map((part, i) => outer(gre(inside(tcp({ flags: 0x10, seq: 1 + 50 * i }, part)))));
  expect((await flowsOf(frames)).map(({ inside: inner }) => inner?.host)).toEqual(['inner.example.com']);
});

it('lets a name of the outer address stand above one from inside, and tells that all the same', async () => {
  const answer = udp(
    { sport: 53, dport: 40_001 },
    hex('1234 8180 0001 0001 0000 0000 03677765 07657861 6d706c65 0000 0100 01 c00c 0001 0001 00000e10 0004 c6336407'),
  );
  const flows = await flowsOf([
    ipv4({ src: '10.0.0.53', dst: '10.0.0.1' }, answer),
    outer(gre(inside(tcp({ dport: 80 }, httpRequest('inner.example.com'))))),
  ]);
  const tunnel = flows.find((flow) => flow.tunnel === 'gre');
  expect([tunnel?.host, tunnel?.name_source, tunnel?.inside?.host]).toEqual(['gwe.example', 'dns', 'inner.example.com']);
});

it.each<[string, Layer]>([
  ['WireGuard', over(51_820, join([4, 0, 0, 0], new Uint8Array(60)))],
  ['a GRE version of PPTP', outer(greWith(0x3001, 0x880b, new Uint8Array(8), inside()))],
  ['Geneve of another version', over(6081, join([0x40], geneve(new Uint8Array(0), 0x6558, ethernet({}, inside())).subarray(1)))],
  ['a signal of GTP', over(2152, join([0x32, 1, 0, 4], be32(0), new Uint8Array(30)))],
  ['nothing inside', outer(gre(new Uint8Array(0)))],
])('invents nothing inside of %s', async (_what, layer) => {
  const [flow] = (await flowsOf([layer])) as [Flow];
  expect([flow.inside, flow.name_source]).toEqual([null, 'none']);
});
