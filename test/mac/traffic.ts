// The traffic of the fake Mac, as PKTAP delivers it: a burst of frames that repeats, and the processes behind it.

import dns from 'dns-packet';
import { type PktapFields, pcapFile, pktapHeader } from '../support/capture-writer.ts';
import { ethernet, icmp, ipv4, join, type Layer, nullLink, tcp, udp } from '../support/frames.ts';

/** A process as the kernel knows it. */
export interface MacProcess {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  readonly path: string;
  /** What `ps` prints, when the process has overwritten it. */
  readonly title?: string;
}

const CHROME = '/Applications/Google Chrome.app/Contents';

/** The processes that still run. Process 4242 has ended, so only PKTAP knows it. */
export const PROCESSES: readonly MacProcess[] = [
  { pid: 1, parent: 0, uid: 0, path: '/sbin/launchd' },
  { pid: 401, parent: 1, uid: 65, path: '/usr/sbin/mDNSResponder' },
  { pid: 794, parent: 1, uid: 501, path: '/Applications/Spotify.app/Contents/MacOS/Spotify' },
  { pid: 888, parent: 1, uid: 0, path: '/usr/local/bin/tailscaled' },
  { pid: 2227, parent: 1, uid: 501, path: `${CHROME}/MacOS/Google Chrome` },
  {
    pid: 2228,
    parent: 2227,
    uid: 501,
    path: `${CHROME}/Frameworks/Google Chrome Framework.framework/Versions/142.0/Helpers/Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper`,
  },
  { pid: 53147, parent: 1, uid: 501, path: '/opt/homebrew/Cellar/node/24.1.0/bin/node' },
  {
    pid: 53245,
    parent: 1,
    uid: 501,
    path: '/opt/homebrew/Cellar/postgresql@16/16.4/bin/postgres',
    title: 'postgres: checkpointer ',
  },
];

const ME = '192.168.1.10';
const GATEWAY = '192.168.1.1';
const SERVER = '203.0.113.9';
const DELEGATED = 0x4;
const AF_INET = 2;
/** Bursts a second; see libraries.c. */
const BURSTS = 10;

/** A frame and its PKTAP header. */
type Tapped = readonly [PktapFields, Uint8Array];

function onEn0(fields: PktapFields, inner: Layer): Tapped {
  return [{ ...fields, name: 'en0', link: 1 }, ethernet({}, inner)];
}

function withFamily(name: 'lo0' | 'utun4', fields: PktapFields, inner: Layer): Tapped {
  return [{ ...fields, name, link: 0 }, nullLink(AF_INET, inner)];
}

function between(src: string, dst: string, inner: Layer): Layer {
  return ipv4({ src, dst }, inner);
}

/** mDNSResponder looks up a name for Chrome. */
function lookup(): Tapped[] {
  const questions = [{ type: 'A' as const, name: 'www.example.com' }];
  const answers = [{ ...questions[0]!, ttl: 300, data: SERVER }];
  const asks = dns.encode({ type: 'query', id: 7, questions });
  const tells = dns.encode({ type: 'response', id: 7, questions, answers });
  const by = { pid: 401, comm: 'mDNSResponder', effectivePid: 2228, effectiveComm: 'Google Chrome H', flags: DELEGATED };
  return [
    onEn0({ ...by, direction: 'out' }, between(ME, GATEWAY, udp({ sport: 51_000, dport: 53 }, asks))),
    onEn0({ ...by, direction: 'in' }, between(GATEWAY, ME, udp({ sport: 53, dport: 51_000 }, tells))),
  ];
}

/** A download. PKTAP cuts names after 15 letters on outgoing packets and after 16 on incoming ones (xnu bsd/net/pktap.c:955, in_pcb.c:3816). */
function download(pid: number, name: string, server: string, port: number): Tapped[] {
  const request = tcp({ sport: port, dport: 443, flags: 0x18 }, new Uint8Array(60).fill(0x71));
  const answer = tcp({ sport: 443, dport: port, flags: 0x18 }, new Uint8Array(1400).fill(0x72));
  return [
    onEn0({ pid, comm: name.slice(0, 15), direction: 'out' }, between(ME, server, request)),
    onEn0({ pid, comm: name.slice(0, 16), direction: 'in' }, between(server, ME, answer)),
    onEn0({ pid, comm: name.slice(0, 16), direction: 'in' }, between(server, ME, answer)),
  ];
}

/** An app's packet in a VPN, and the VPN's own packet around it. */
function tunnel(): Tapped[] {
  const music = udp({ sport: 4070, dport: 60_000 }, new Uint8Array(900));
  const wrapped = udp({ sport: 41_641, dport: 41_641 }, new Uint8Array(960));
  return [
    withFamily('utun4', { pid: 794, comm: 'Spotify', direction: 'in' }, between('100.64.0.1', '100.64.0.2', music)),
    onEn0({ pid: 888, comm: 'tailscaled', direction: 'in' }, between('198.51.100.7', ME, wrapped)),
  ];
}

/** Local traffic, which PKTAP delivers twice: once for each end. */
function local(): Tapped[] {
  const rows = tcp({ sport: 5432, dport: 60_123, flags: 0x18 }, new Uint8Array(300));
  const packet = between('127.0.0.1', '127.0.0.1', rows);
  return [
    withFamily('lo0', { pid: 53_245, comm: 'postgres', direction: 'out' }, packet),
    withFamily('lo0', { pid: 53_147, comm: 'node', direction: 'in' }, packet),
  ];
}

/** A ping, for which PKTAP names no process. */
function ping(): Tapped[] {
  return [onEn0({ direction: 'in' }, between('198.51.100.9', ME, icmp({ type: 0 }, new Uint8Array(56))))];
}

const FRAMES: readonly Tapped[] = [
  ...lookup(),
  ...download(2228, 'Google Chrome Helper', SERVER, 50_001),
  ...download(4242, 'com.example.long-name', '203.0.113.50', 50_100),
  ...tunnel(),
  ...local(),
  ...ping(),
];

/** Stand for pids that nobody knows before: the file `pids` gives them. Their frames come once it does. */
export const NAMED_PIDS = { command: 77_001, child: 77_002 } as const;

/** What a command and its child send while the program runs it, beside everything else. */
const OF_A_COMMAND: readonly Tapped[] = [
  ...download(NAMED_PIDS.command, 'sh', '203.0.113.77', 50_777),
  ...download(NAMED_PIDS.child, 'npm', '203.0.113.78', 50_778),
];

/** The capture file of one burst: PKTAP frames, link type 149. @param hasCommand with those of a command */
export function wire(hasCommand = false): Uint8Array {
  const frames = hasCommand ? [...FRAMES, ...OF_A_COMMAND] : FRAMES;
  return pcapFile({ link: 149, records: frames.map(([fields, frame]) => ({ data: join(pktapHeader(fields), frame) })) });
}

/** What each interface counts in a second: name, packets and bytes in, packets and bytes out. */
export function rates(): string {
  const lines = ['en0', 'lo0', 'utun4'].map((interfaceName) => {
    const numbers = (['in', 'out'] as const).flatMap((way) => {
      const frames = FRAMES.filter(([{ name, direction }]) => name === interfaceName && direction === way);
      return [frames.length, frames.reduce((sum, [, frame]) => sum + frame.length, 0)].map((each) => each * BURSTS);
    });
    return [interfaceName, ...numbers].join(' ');
  });
  return `${lines.join('\n')}\n`;
}
