import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Conntrack } from '../../../../../../src/identify/process/linux/netlink/conntrack.ts';
import { formatAddress } from '../../../../../../src/net/address.ts';
import { PROTOCOL } from '../../../../../../src/net/numbers.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';
import { addresses } from '../../../../../support/packets.ts';

const { TCP, UDP } = PROTOCOL;
const IN = '172.17.0.2';
const HOST = '192.0.2.1';
const OUT = '198.51.100.9';
const entry = (from: string, to: string, protocol = 'tcp      6') =>
  `ipv4     2 ${protocol} 431999 ESTABLISHED ${from} ${to} [ASSURED] mark=0 zone=0 use=2\n`;
const ends = (src: string, dst: string, sport: number, dport: number) => `src=${src} dst=${dst} sport=${sport} dport=${dport}`;
/** A container connects to the outside through the host's address. */
const MASQUERADED = entry(ends(IN, OUT, 5000, 443), ends(OUT, HOST, 443, 61_000));
/** The outside connects to a container through the host's port. */
const PUBLISHED = entry(ends(OUT, HOST, 7000, 8080), ends(IN, OUT, 80, 7000));

let proc: string;
let table: Conntrack;
beforeEach(() => {
  proc = fakeRoot({ 'net/nf_conntrack': '' });
  table = new Conntrack(proc);
});
afterEach(() => vi.restoreAllMocks());

const writes = (text: string) => writeFileSync(`${proc}/net/nf_conntrack`, text);

function behind(protocol: number, local: string, localPort: number, remote: string, remotePort: number, now = 0): string | null {
  const found = table.behind(protocol, addresses(local, remote), 0, localPort, remotePort, now);
  if (found === null) return null;
  return `${formatAddress(found.words, 0)} ${found.ownPort} > ${formatAddress(found.words, 4)} ${found.otherPort}`;
}

describe('Conntrack', () => {
  it('knows the socket behind a translated source', () => {
    writes(MASQUERADED);
    expect(behind(TCP, HOST, 61_000, OUT, 443)).toBe(`${IN} 5000 > ${OUT} 443`);
  });

  it.each([
    ['icmp     1', 'ipv4     2', PROTOCOL.ICMP, 8, 0, IN, HOST, OUT],
    ['icmpv6   58', 'ipv6     10', PROTOCOL.ICMPV6, 128, 129, '2001:db8:1::2', '2001:db8::1', '2001:db8::9'],
  ])('knows the ping behind a translated source, %s', (name, family, protocol, asks, answers, inside, host, out) => {
    const reply = `src=${out} dst=${host} type=${answers} code=0 id=61000`;
    writes(`${family} ${name} 29 src=${inside} dst=${out} type=${asks} code=0 id=77 [UNREPLIED] ${reply} mark=0 zone=0 use=2\n`);
    expect(behind(protocol, host, 61_000, out, 8)).toBe(`${inside} 77 > ${out} 8`);
    expect(behind(protocol, host, 77, out, 8)).toBeNull();
  });

  it('knows the socket behind a published port', () => {
    writes(PUBLISHED);
    expect(behind(TCP, HOST, 8080, OUT, 7000)).toBe(`${IN} 80 > ${OUT} 7000`);
  });

  it('reads IPv6, and lines of protocols without a state', () => {
    const line = `ipv6     10 udp      17 29 ${ends('2001:db8:1::2', '2001:db8::9', 5000, 53)} ${ends('2001:db8::9', '2001:db8::1', 53, 61_000)} mark=0\n`;
    writes(line);
    expect(behind(UDP, '2001:db8::1', 61_000, '2001:db8::9', 53)).toBe('2001:db8:1::2 5000 > 2001:db8::9 53');
  });

  it('returns nothing for untranslated flows, other protocols or ends, or a single end', () => {
    writes(MASQUERADED + entry(ends(HOST, OUT, 1, 2), ends(OUT, HOST, 2, 1)));
    expect(behind(TCP, HOST, 1, OUT, 2)).toBeNull();
    expect(behind(UDP, HOST, 61_000, OUT, 443)).toBeNull();
    expect(behind(TCP, HOST, 61_000, OUT, 444)).toBeNull();
    expect(behind(TCP, HOST, 61_001, OUT, 443)).toBeNull();
  });

  it("passes over what it can't read, and is there without a table", () => {
    const broken = ['', 'ipv4', entry('src=x dst=y sport=1 dport=2', ends(OUT, HOST, 443, 3)), `\u0000${'src='.repeat(5000)}`];
    writes(`${broken.join('\n')}\n${MASQUERADED}`);
    expect(behind(TCP, HOST, 61_000, OUT, 443)).toBe(`${IN} 5000 > ${OUT} 443`);
    table = new Conntrack('/nonexistent');
    expect(behind(TCP, HOST, 61_000, OUT, 443)).toBeNull();
  });

  it('reads again soon, but for at most a twentieth of the time', () => {
    const spent = vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 0, system: 0 });
    expect(behind(TCP, HOST, 61_000, OUT, 443, 0)).toBeNull();
    writes(MASQUERADED);
    expect(behind(TCP, HOST, 61_000, OUT, 443, 190)).toBeNull();
    spent.mockReturnValue({ user: 30_000, system: 20_000 });
    expect(behind(TCP, HOST, 61_000, OUT, 443, 200)).not.toBeNull();
    writes('');
    expect(behind(TCP, HOST, 61_000, OUT, 443, 1190)).not.toBeNull();
    expect(behind(TCP, HOST, 61_000, OUT, 443, 1200)).toBeNull();
  });
});
