// Names through the whole pipeline beside tshark's, over a generated capture and over those of other projects: none missed, none invented.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { fileURLToPath } from 'node:url';
import dnsPacket from 'dns-packet';
import { afterAll, describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/net/address.ts';
import { pcapFile } from '../support/capture-writer.ts';
import { ethernet, type Inner, ipv4, ipv6, tcp, udp } from '../support/frames.ts';
import { cryptoFrame, helloMessage, httpRequest, quicInitial, tlsHello } from '../support/payloads.ts';
import { linesOf } from '../support/whole-run.ts';

const SAMPLES = fileURLToPath(new URL('../../../shared/samples/', import.meta.url));
const CLIENT = '10.0.0.1';
const CLIENT6 = 'fd00::1';
const RESOLVER = '10.0.0.53';
const FLOWS = 400;
const T0 = Date.UTC(2026, 0, 1);

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
if (!hasTshark) console.warn('skipped: names compared with tshark (it is not installed)');

const folder = mkdtempSync(path(tmpdir(), 'netmon-names-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Flow {
  readonly protocol: string;
  readonly direction: string;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  readonly host: string;
  readonly name_source: string;
  readonly name_reason: string | null;
}

/** What flows said of themselves, and what answers said of addresses. */
interface Names {
  /** Names by flow, the first one first. */
  readonly said: Map<string, string[]>;
  /** `name address` */
  readonly answered: Set<string>;
}

const canonical = (text: string) => {
  const words = new Int32Array(4);
  return parseAddress(text, words) ? formatAddress(words) : text;
};
const keyOf = (protocol: string, a: string, b: string) => `${protocol} ${[a, b].sort().join(' ')}`;

async function ours(file: string): Promise<Flow[]> {
  const [end] = await linesOf(file, '--once');
  return (end as unknown as { flows: Flow[] }).flows;
}

function theirs(file: string): Names {
  const fields =
    'ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport udp.srcport udp.dstport tls.handshake.extensions_server_name http.host dns.flags.response dns.qry.name dns.a dns.aaaa'.split(
      ' ',
    );
  const options = ['-o', 'tcp.reassemble_out_of_order:TRUE', '-T', 'fields', '-E', 'occurrence=a'];
  const output = execFileSync('tshark', ['-n', '-r', file, ...options, ...fields.flatMap((each) => ['-e', each])], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 1 << 27,
  });
  const names: Names = { said: new Map(), answered: new Set() };
  for (const line of output.split('\n')) {
    const cells = line.split('\t');
    // Of an error of ICMP and of a tunnel the outer packet counts; what is inside has its fields behind a comma.
    const [src4 = '', dst4 = '', src6 = '', dst6 = '', tcpFrom = '', tcpTo = '', udpFrom = '', udpTo = ''] = cells.map(
      (cell) => cell.split(',')[0] as string,
    );
    const [sni = '', host = '', response = '', asked = '', v4 = '', v6 = ''] = cells.slice(8);
    const from = `${canonical(src4 || src6)}:${tcpFrom || udpFrom}`;
    const to = `${canonical(dst4 || dst6)}:${tcpTo || udpTo}`;
    const key = keyOf(tcpFrom === '' ? 'udp' : 'tcp', from, to);
    for (const text of [...sni.split(','), ...host.split(',')]) {
      const name = text.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
      if (name === '' || /^[\d.]+$/.test(name)) continue;
      const known = names.said.get(key) ?? [];
      names.said.set(key, known);
      known.push(name);
    }
    if (/^(True|1)/i.test(response))
      for (const name of asked.toLowerCase().split(','))
        for (const address of `${v4},${v6}`.split(',')) if (address !== '') names.answered.add(`${name} ${canonical(address)}`);
  }
  return names;
}

/** What is wrong with our names beside tshark's, one line each. */
function differences(flows: readonly Flow[], names: Names): string[] {
  const wrong: string[] = [];
  const named = new Set<string>();
  for (const flow of flows) {
    const ends = [flow.local, flow.remote].map(({ address, port }) => `${address}:${port}`) as [string, string];
    const key = keyOf(flow.protocol, ...ends);
    const said = names.said.get(key) ?? [];
    const own = ['tls', 'quic', 'http'].includes(flow.name_source);
    if (own) {
      named.add(key);
      if (!said.includes(flow.host)) wrong.push(`invented: ${flow.host} for ${key}`);
    } else if (flow.direction === 'inbound' && flow.name_reason === 'the other end opened it, and named this machine')
      named.add(key);
    else if (flow.name_source === 'dns' && !names.answered.has(`${flow.host} ${flow.remote.address}`))
      wrong.push(`invented by DNS: ${flow.host} for ${key}`);
  }
  for (const [key, said] of names.said) if (!named.has(key)) wrong.push(`missed: ${said[0]} for ${key}`);
  return wrong;
}

/** Server of flow i. */
const serverOf = (i: number) => (i % 5 === 4 ? `2001:db8::${(i + 16).toString(16)}` : `198.18.${i >> 8}.${i & 255}`);

function between(i: number, inner: Inner): Uint8Array {
  const dst = serverOf(i);
  return ethernet({}, dst.includes(':') ? ipv6({ src: CLIENT6, dst }, inner) : ipv4({ src: CLIENT, dst }, inner));
}

function stream(i: number, dport: number, payload: Uint8Array, size: number): Uint8Array[] {
  const ends = { sport: 20_000 + i, dport };
  const frames = [between(i, tcp({ ...ends, seq: i * 7, flags: 2 }))];
  for (let at = 0; at < payload.length; at += size)
    frames.push(between(i, tcp({ ...ends, seq: i * 7 + 1 + at, flags: 0x18 }, payload.subarray(at, at + size))));
  return frames;
}

/** Frames of flow i: its kind follows from i; an answer of DNS comes before every third. */
function framesOf(i: number): Uint8Array[] {
  const name = `h${i}.${['example.com', 'x.test', 'a.b.c.example.org'][i % 3]}`;
  const frames: Uint8Array[] = [];
  if (i % 3 === 0) {
    const data = serverOf(i);
    const type = data.includes(':') ? 'AAAA' : 'A';
    const answers: dnsPacket.Answer[] = [
      { type: 'CNAME', name: `dns-${name}`, data: `cdn.${name}`, ttl: 60 },
      { type, name: `cdn.${name}`, data, ttl: 60 },
    ];
    const message = dnsPacket.encode({ type: 'response', id: i, questions: [{ name: `dns-${name}`, type }], answers });
    const answer = udp({ sport: 53, dport: 40_000 + (i % 50) }, Uint8Array.from(message));
    frames.push(ethernet({}, ipv4({ src: RESOLVER, dst: CLIENT }, answer)));
  }
  switch (i % 4) {
    case 0:
      return [...frames, ...stream(i, 443, tlsHello({ name, keyBytes: i % 8 === 0 ? 1216 : 32, alpn: ['h2'] }), 900)];
    case 1: {
      const hello = helloMessage({ name, alpn: ['h3'], keyBytes: i % 8 === 1 ? 1216 : 32 });
      const destination = Uint8Array.from([i >> 8, i & 255, 1, 2, 3, 4, 5, 6]);
      for (let at = 0, number = 0; at < hello.length; at += 900, number++) {
        const initial = quicInitial(cryptoFrame(at, hello.subarray(at, at + 900)), { destination, number });
        frames.push(between(i, udp({ sport: 20_000 + i, dport: 443 }, initial)));
      }
      return frames;
    }
    case 2:
      return [...frames, ...stream(i, 80, httpRequest(name, `/${'x'.repeat(i)}`), 500)];
    default:
      return [...frames, ...stream(i, 9000, Uint8Array.from([0, 1, 2, 3, i & 255]), 500)];
  }
}

describe('names of the whole pipeline', () => {
  it.skipIf(!hasTshark)('are those of tshark in a generated capture', async () => {
    const frames = Array.from({ length: FLOWS }, (_, i) => framesOf(i)).flat();
    const file = path(folder, 'names.pcap');
    writeFileSync(file, pcapFile({ records: frames.map((data, i) => ({ data, time: T0 + i })) }));
    const names = theirs(file);
    expect(names.said.size).toBe((FLOWS * 3) / 4);
    expect(names.answered.size).toBe(Math.ceil(FLOWS / 3));
    const flows = await ours(file);
    expect(differences(flows, names)).toEqual([]);
    const sources = new Map<string, number>();
    for (const { remote, name_source } of flows)
      if (remote.port !== 53) sources.set(name_source, (sources.get(name_source) ?? 0) + 1);
    const silent = Array.from({ length: FLOWS }, (_, i) => i).filter((i) => i % 4 === 3);
    const answered = silent.filter((i) => i % 3 === 0).length;
    expect(Object.fromEntries(sources)).toEqual({
      tls: FLOWS / 4,
      quic: FLOWS / 4,
      http: FLOWS / 4,
      dns: answered,
      none: silent.length - answered,
    });
  });

  const samples = existsSync(SAMPLES)
    ? readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(pcap|pcapng|cap)(\.gz)?$/.test(name))
    : [];
  if (samples.length === 0) console.warn(`skipped: no sample captures at ${SAMPLES}`);
  it.skipIf(!hasTshark || samples.length === 0).each(samples)('are those of tshark in %s', async (name) => {
    const file = path(SAMPLES, name);
    expect(differences(await ours(file), theirs(file))).toEqual([]);
  });
});
