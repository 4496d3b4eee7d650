// Owners from a fake /proc, where processes can vanish at the right moment.

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Localizer } from '../../../../../../src/flow/direction.ts';
import { FlowTable } from '../../../../../../src/flow/flow-table.ts';
import { Directory, Users } from '../../../../../../src/identify/process/directory.ts';
import { procAt } from '../../../../../../src/identify/process/linux/procfs/proc.ts';
import { ProcfsSource } from '../../../../../../src/identify/process/linux/procfs/source.ts';
import { Owners } from '../../../../../../src/identify/process/owners.ts';
import { PROTOCOL } from '../../../../../../src/net/numbers.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';
import { addresses, type PacketFields, packet, timed } from '../../../../../support/packets.ts';

const HEADER = 'sl local_address rem_address st queues timer retrnsmt uid timeout inode\n';
const ME = '0100000A';
const THEM = '500200C0';
const LOOPBACK = '0100007F';
const port = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
const line = (local: string, localPort: number, remote: string, remotePort: number, inode: number) =>
  `  0: ${local}:${port(localPort)} ${remote}:${port(remotePort)} 01 0:0 00:0 0 0 0 ${inode} 1\n`;

let proc: string;
let flows: FlowTable;
let directory: Directory;
let source: ProcfsSource;
let owners: Owners;
let now: number;

beforeEach(() => {
  // Pauses and walks take the same time on slow and stalled machines.
  vi.spyOn(performance, 'now').mockReturnValue(0);
  vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 0, system: 0 });
  proc = fakeRoot({ 'net/tcp': HEADER, 'net/udp': HEADER });
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  flows = new FlowTable(localizer, 1024, 1);
  directory = new Directory(new Users('/nonexistent'));
  source = new ProcfsSource(flows, directory, procAt(proc));
  owners = new Owners(flows, source, false);
  now = 1000;
});
afterEach(() => vi.restoreAllMocks());

function sockets(text: string, file = 'tcp'): void {
  writeFileSync(`${proc}/net/${file}`, HEADER + text);
}

function processWith(pid: number, comm: string, ...inodes: number[]): void {
  mkdirSync(`${proc}/${pid}/fd`, { recursive: true });
  writeFileSync(`${proc}/${pid}/stat`, `${pid} (${comm}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${pid} 0 0\n`);
  writeFileSync(`${proc}/${pid}/status`, 'Uid:\t0\t0\t0\t0\n');
  for (const [fd, inode] of inodes.entries()) symlinkSync(`socket:[${inode}]`, `${proc}/${pid}/fd/${fd}`);
}

function flow(fields: PacketFields = {}): number {
  const row = flows.touch(timed(packet(fields), 0), 0, 0);
  owners.admitNew();
  return row;
}

/** Calls work until nothing is due for `ms`. */
function work(ms: number): void {
  for (const end = now + ms; now <= end; now += 10) owners.work(now);
}

/** Calls work while the flow continues, until it has an owner. */
function goOn(row: number, fields: PacketFields = {}): void {
  for (let i = 0; i < 2000 && flows.owner(row) < 0; i++) {
    flows.touch(timed(packet(fields), now), 0, 0);
    work(10);
  }
}

function told(row: number): string {
  const name = (id: number) => directory.process(id)?.name ?? '-';
  const peer = flows.peer(row) < 0 ? '' : ` and ${name(flows.peer(row))}`;
  const reason = flows.reason(row) === null ? '' : `, ${flows.reason(row)}`;
  return `${name(flows.owner(row))}${peer} (${flows.attribution(row)}${reason})`;
}

describe('ProcfsSource', () => {
  it('finds the owner of a connection, soon', () => {
    sockets(line(ME, 40_000, THEM, 443, 500));
    processWith(77, 'curl', 400, 500);
    const row = flow();
    expect(told(row)).toBe('- (none, not looked up yet)');
    work(30);
    expect(told(row)).toBe('curl (exact)');
    expect(directory.process(flows.owner(row))).toMatchObject({ pid: 77, user: '0' });
  });

  it('finds both owners of a local flow', () => {
    sockets(line(LOOPBACK, 40_000, LOOPBACK, 80, 500) + line(LOOPBACK, 80, LOOPBACK, 40_000, 600));
    processWith(77, 'curl', 500);
    processWith(88, 'nginx', 600);
    const row = flow({ src: '127.0.0.1', dst: '127.0.0.1', dport: 80, flags: 'S' });
    work(30);
    expect(told(row)).toBe('curl and nginx (exact)');
  });

  it('matches an unconnected socket for datagrams', () => {
    sockets(line('00000000', 5353, '00000000', 0, 500), 'udp');
    processWith(77, 'avahi', 500);
    const row = flow({ protocol: PROTOCOL.UDP, dst: '224.0.0.251', sport: 5353, dport: 5353 });
    work(30);
    expect(told(row)).toBe('avahi (wildcard)');
  });

  it('waits before it takes the listener, as the connection may be being accepted', () => {
    const listener = line('00000000', 22, '00000000', 0, 500);
    sockets(listener);
    processWith(77, 'sshd', 500);
    const row = flow({ src: '192.0.2.80', dst: '10.0.0.1', sport: 50_000, dport: 22, flags: 'S' });
    work(30);
    expect(told(row)).toContain('not looked up yet');
    sockets(listener + line(ME, 22, THEM, 50_000, 600));
    processWith(78, 'sshd-session', 600);
    work(2000);
    expect(told(row)).toBe('sshd-session (exact)');
    const refused = flow({ src: '192.0.2.80', dst: '10.0.0.1', sport: 50_001, dport: 22, flags: 'S' });
    work(5000);
    expect(told(refused)).toBe('sshd (listener)');
  });

  it('gives up after a while, with the reason', () => {
    const row = flow();
    work(100);
    expect(told(row)).toContain('not looked up yet');
    work(20_000);
    expect(told(row)).toBe('- (none, closed before it could be looked up)');
  });

  it('keeps looking while a flow continues', () => {
    const row = flow();
    work(60);
    sockets(line(ME, 40_000, THEM, 443, 500));
    processWith(77, 'curl', 500);
    goOn(row);
    expect(told(row)).toBe('curl (exact)');
  });

  it('looks once more for waiting flows at the end, and then sets their reason', () => {
    const found = flow();
    const lost = flow({ sport: 40_001 });
    work(10);
    const listener = flow({ src: '192.0.2.80', dst: '10.0.0.1', sport: 50_000, dport: 22, flags: 'S' });
    sockets(line(ME, 40_000, THEM, 443, 500) + line('00000000', 22, '00000000', 0, 600));
    for (let pid = 100; pid < 150; pid++) processWith(pid, 'newer', 9000 + pid);
    processWith(77, 'curl', 500);
    processWith(78, 'sshd', 600);
    owners.finish(now);
    expect([found, lost, listener].map(told)).toEqual([
      'curl (exact)',
      '- (none, closed before it could be looked up)',
      'sshd (listener)',
    ]);
  });

  it('reads every process only for flows that outlast a short look at the newest', () => {
    sockets(line(ME, 40_000, THEM, 443, 500));
    for (let pid = 100; pid < 150; pid++) processWith(pid, 'newer', 9000 + pid);
    processWith(77, 'curl', 500);
    const row = flow();
    work(40);
    expect(told(row)).toContain('not looked up yet');
    work(20_000);
    expect(told(row)).toBe('curl (exact)');
  });

  describe('where the kernel answers for single sockets', () => {
    const asked: number[] = [];
    let inode: number;
    beforeEach(() => {
      asked.length = 0;
      inode = 500;
      const query = {
        match: 'exact' as const,
        answers: (protocol: number) => protocol === PROTOCOL.TCP,
        find: (_: number, _ends: Int32Array, _near: number, nearPort: number) => {
          asked.push(nearPort);
          return nearPort === 40_000 ? inode : 0;
        },
      };
      source = new ProcfsSource(flows, directory, procAt(proc), query);
      owners = new Owners(flows, source, false);
      processWith(77, 'curl', 500);
    });

    it('reads no table for a new flow', () => {
      rmSync(`${proc}/net`, { recursive: true });
      const row = flow();
      work(30);
      expect([told(row), asked, source.note]).toEqual(['curl (exact)', [40_000], '']);
    });

    it('reads the table for other protocols, and for flows that continue without an owner', () => {
      sockets(line('00000000', 5353, '00000000', 0, 600), 'udp');
      processWith(78, 'avahi', 600);
      const datagrams = flow({ protocol: PROTOCOL.UDP, dst: '224.0.0.251', sport: 5353, dport: 5353 });
      inode = 0;
      sockets(line(ME, 40_000, THEM, 443, 500));
      const bound = flow();
      work(100);
      expect([told(datagrams), told(bound)]).toEqual(['avahi (wildcard)', '- (none, not looked up yet)']);
      goOn(bound);
      expect(told(bound)).toBe('curl (exact)');
    });
  });

  it('finds another holder of a socket after the known process is gone', () => {
    const udp = line('00000000', 53, '00000000', 0, 500);
    sockets(udp, 'udp');
    processWith(88, 'resolver', 500);
    processWith(77, 'worker', 500);
    const first = flow({ protocol: PROTOCOL.UDP, src: '192.0.2.80', dst: '10.0.0.1', sport: 4000, dport: 53 });
    work(30);
    expect(told(first)).toBe('resolver (wildcard)');
    rmSync(`${proc}/88`, { recursive: true });
    const second = flow({ protocol: PROTOCOL.UDP, src: '192.0.2.80', dst: '10.0.0.1', sport: 4001, dport: 53 });
    work(10_000);
    expect(told(second)).toBe('worker (wildcard)');
  });

  it('gives a row to nobody if it is another flow by now', () => {
    sockets(line(ME, 40_000, THEM, 443, 500));
    processWith(77, 'curl', 500);
    const row = flow();
    flows.remove(row);
    expect(flow({ sport: 40_001 })).toBe(row);
    work(30);
    expect(told(row)).toContain('not looked up yet');
  });

  it('asks for the socket behind a translated address, even if the far end is known', () => {
    // The far end is in another namespace and known from its table. Our end is a socket in a third one, with its own address.
    sockets(line(THEM, 443, ME, 40_000, 500) + line('0200A8C0', 5000, THEM, 443, 600));
    const there = 'src=192.168.0.2 dst=192.0.2.80 sport=5000 dport=443';
    const back = 'src=192.0.2.80 dst=10.0.0.1 sport=443 dport=40000';
    writeFileSync(`${proc}/net/nf_conntrack`, `ipv4 2 tcp 6 99 ESTABLISHED ${there} ${back} [ASSURED]\n`);
    processWith(77, 'server', 500);
    processWith(88, 'contained', 600);
    const row = flow();
    flows.joinEnds(row);
    work(30);
    expect(told(row)).toBe('contained and server (exact)');
  });

  it('doesn’t take a socket of another namespace for ours because of the same port', () => {
    processWith(77, 'contained', 500, 600);
    mkdirSync(`${proc}/77/net`, { recursive: true });
    mkdirSync(`${proc}/77/ns`, { recursive: true });
    symlinkSync('net:[2]', `${proc}/77/ns/net`);
    writeFileSync(`${proc}/77/net/tcp`, HEADER + line(ME, 40_001, THEM, 443, 600));
    writeFileSync(`${proc}/77/net/udp`, HEADER + line('00000000', 40_000, '00000000', 0, 500));
    const loopback = flow({ protocol: PROTOCOL.UDP, src: '127.0.0.1', dst: '127.0.0.1', dport: 9 });
    const outside = flow({ protocol: PROTOCOL.UDP });
    const exact = flow({ sport: 40_001 });
    work(20_000);
    expect([loopback, outside].map(told)).toEqual(new Array(2).fill('- (none, closed before it could be looked up)'));
    expect(told(exact)).toBe('contained (exact)');
  });

  it('ignores flows that no process can own', () => {
    const forwarded = flow({ src: '192.0.2.1', dst: '192.0.2.2' });
    const arp = flow({ protocol: PROTOCOL.ARP });
    work(2500);
    expect(told(forwarded)).toBe('- (kernel, forwarded)');
    expect(told(arp)).toBe('- (kernel, no process: the kernel itself)');
  });

  it('matches a ping by its identifier, and gives nothing to other holders of raw ICMP sockets', () => {
    sockets(line('00000000', 77, '00000000', 0, 500), 'icmp');
    sockets(line('00000000', 1, '00000000', 0, 600), 'raw');
    processWith(70, 'ping', 500);
    processWith(80, 'quietd', 600);
    const echo = { protocol: PROTOCOL.ICMP, sport: 77, dport: 8 };
    const ping = flow(echo);
    const other = flow({ ...echo, sport: 78 });
    const answer = flow({ ...echo, sport: 8, dport: 77, dst: '192.0.2.99' });
    const error = flow({ protocol: PROTOCOL.ICMP, dst: '192.0.2.99' });
    work(20_000);
    expect([ping, other, answer, error].map(told)).toEqual([
      'ping (wildcard)',
      '- (none, hidden by the system)',
      ...new Array(2).fill('- (kernel, no process: the kernel itself)'),
    ]);
  });

  describe('for sockets that no process holds', () => {
    const KERNEL = '- (kernel, no process: the kernel itself)';
    const VXLAN = { protocol: PROTOCOL.UDP, sport: 4789, dport: 50_000 };
    beforeEach(() => {
      mkdirSync(`${proc}/self/ns`, { recursive: true });
      symlinkSync('pid:[4026531836]', `${proc}/self/ns/pid`);
      processWith(1, 'init');
      sockets(line('00000000', 4789, '00000000', 0, 900), 'udp');
    });
    /** Keeps sending until the flow has an owner or a reason. */
    const outcome = (fields: PacketFields) => {
      const row = flow(fields);
      for (let i = 0; i < 30; i++) {
        flows.touch(timed(packet(fields), i * 100), 0, 0);
        work(100);
      }
      return told(row);
    };

    it('names the kernel itself after it read every process twice', () => {
      expect(outcome(VXLAN)).toBe(KERNEL);
    });

    it('also names it for what a tunnel sends from any port to its own', () => {
      expect(outcome({ protocol: PROTOCOL.UDP, sport: 50_001, dport: 4789 })).toBe(KERNEL);
    });

    it('names it for flows that have been silent since', () => {
      const kinds = [VXLAN, { protocol: PROTOCOL.UDP, sport: 50_001, dport: 4789 }];
      const rows = kinds.map((fields) => flow(fields));
      for (const fields of kinds) flows.touch(timed(packet(fields), now + 1), 0, 0);
      work(5000);
      expect(rows.map(told)).toEqual([KERNEL, KERNEL]);
    });

    it('doesn’t give a flow to a process that listens on the port to which another, now gone, sent', () => {
      processWith(77, 'resolver', 900);
      expect(outcome({ protocol: PROTOCOL.UDP, sport: 50_001, dport: 4789 })).toContain('closed before');
    });

    it.each([
      ['in a container', () => rmSync(`${proc}/self/ns/pid`)],
      ['where not even the first is to be seen', () => rmSync(`${proc}/1`, { recursive: true })],
    ])('says nothing of the kind %s', (_, hide) => {
      hide();
      expect(outcome(VXLAN)).toBe('- (none, closed before it could be looked up)');
    });
  });

  describe('for a port where nothing listens', () => {
    const REFUSED = '- (kernel, nothing listens on the port)';
    const inbound = { src: '192.0.2.80', dst: '10.0.0.1', sport: 50_000, dport: 9999 };

    it('says so if our end is silent', () => {
      const rows = [flow({ ...inbound, protocol: PROTOCOL.UDP }), flow({ ...inbound, flags: 'S' })];
      work(5000);
      expect(rows.map(told)).toEqual([REFUSED, REFUSED]);
    });

    it('says so if a connection was reset as it began, but not after it was accepted', () => {
      const answers = (sport: number, ...flags: string[]) => {
        const row = flow({ ...inbound, sport, flags: 'S' });
        for (const each of flags) flow({ src: '10.0.0.1', dst: '192.0.2.80', sport: 9999, dport: sport, flags: each });
        return row;
      };
      const rows = [answers(50_001, 'RA'), answers(50_002, 'SA', 'RA')];
      work(5000);
      expect(rows.map(told)).toEqual([REFUSED, '- (none, closed before it could be looked up)']);
    });
  });

  it.each([
    ['udp', { protocol: PROTOCOL.UDP, sport: 4444, dport: 4444 }],
    ['tcp', {}],
  ])('gives what no socket is found for to nobody who holds a packet socket, %s', (_, fields) => {
    writeFileSync(`${proc}/net/packet`, 'sk RefCnt Type Proto Iface R Rmem User Inode\n0 3 3 0003 2 1 0 0 500\n');
    processWith(77, 'tcpdump', 500);
    const row = flow(fields);
    for (let i = 0; i < 15; i++) {
      flows.touch(timed(packet(fields), i * 200), 0, 0);
      work(200);
    }
    expect(told(row)).toBe('- (none, closed before it could be looked up)');
  });

  it('says when there is no /proc, and continues', () => {
    rmSync(`${proc}/net`, { recursive: true });
    flow();
    work(30);
    expect(source.note).toContain("can't be read");
    owners.close();
    work(30);
  });
});
