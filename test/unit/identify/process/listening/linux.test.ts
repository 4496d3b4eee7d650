// Listening sockets from a fake /proc, and from the kernel's own messages.

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Users } from '../../../../../src/identify/process/directory.ts';
import { procAt } from '../../../../../src/identify/process/linux/procfs/proc.ts';
import { LinuxListening } from '../../../../../src/identify/process/listening/linux.ts';
import { LinuxListeningSource } from '../../../../../src/identify/process/listening/linux-source.ts';
import { Listeners } from '../../../../../src/identify/process/listening/listeners.ts';
import type { ListeningSocket } from '../../../../../src/identify/process/listening/sockets.ts';
import { StartClock } from '../../../../../src/identify/process/start-clock.ts';
import { formatAddress } from '../../../../../src/net/address.ts';
import { PROTOCOL } from '../../../../../src/net/numbers.ts';
import { fakeRoot, removeFakeRoots } from '../../../../support/fake-edges.ts';

const HEADER = 'sl local_address rem_address st queues timer retrnsmt uid timeout inode\n';
const ANY = '00000000';
const LOOPBACK = '0100007F';
const ANY_SIX = '0'.repeat(32);
const port = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
const line = (local: string, localPort: number, inode: number, remote = local.replace(/./g, '0'), remotePort = 0) =>
  `  0: ${local}:${port(localPort)} ${remote}:${port(remotePort)} 0A 0:0 00:0 0 0 0 ${inode} 1\n`;

let proc: string;
let listeners: Listeners;
let source: LinuxListeningSource;

function process(pid: number, comm: string, started: number, ...inodes: number[]): void {
  mkdirSync(`${proc}/${pid}/fd`, { recursive: true });
  writeFileSync(`${proc}/${pid}/stat`, `${pid} (${comm}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${started} 0 0\n`);
  writeFileSync(`${proc}/${pid}/status`, 'Uid:\t7\t7\t7\t7\n');
  for (const [fd, inode] of inodes.entries()) symlinkSync(`socket:[${inode}]`, `${proc}/${pid}/fd/${fd}`);
}

const sockets = (file: string, ...lines: string[]) => writeFileSync(`${proc}/net/${file}`, HEADER + lines.join(''));

beforeEach(() => {
  proc = fakeRoot({ 'net/tcp': HEADER, 'net/tcp6': HEADER, 'net/udp': HEADER, stat: 'btime 1000\n', passwd: 'ann:x:7:7\n' });
  source = new LinuxListeningSource(procAt(proc), new LinuxListening(procAt(proc), null), Number.POSITIVE_INFINITY);
  listeners = new Listeners(source, new Users(`${proc}/passwd`), new StartClock(proc));
});
afterAll(removeFakeRoots);

describe('listeners on Linux', () => {
  it('are the sockets without a peer, each with its process', () => {
    sockets('tcp', line(ANY, 22, 1), line(LOOPBACK, 631, 2), line(LOOPBACK, 22, 3, LOOPBACK, 4000));
    sockets('udp', line('0200A8C0', 5353, 4), line(LOOPBACK, 9999, 5, LOOPBACK, 53));
    process(10, 'sshd', 500, 1, 3);
    process(11, 'cupsd', 600, 2);
    expect(listeners.rows).toBeNull();
    expect(listeners.work(0, 5000)).toEqual([]);
    expect(listeners.rows).toMatchObject([
      {
        protocol: 'tcp',
        address: '*',
        port: 22,
        reach: 'everywhere',
        app: 'sshd',
        pid: 10,
        user: 'ann',
        startedAt: 1_005_000,
        since: null,
      },
      { protocol: 'tcp', address: '127.0.0.1', port: 631, reach: 'loopback', app: 'cupsd', pid: 11 },
      { protocol: 'udp', address: '192.168.0.2', port: 5353, reach: 'network', app: null, pid: null, user: null },
    ]);
  });

  it('of both families on any address are one, a second process has its own', () => {
    sockets('tcp', line(ANY, 80, 1));
    sockets('tcp6', line(ANY_SIX, 80, 2), line(ANY_SIX, 80, 3));
    process(10, 'nginx', 500, 1, 2);
    process(11, 'caddy', 500, 3);
    listeners.work(0, 5000);
    expect(listeners.rows?.map(({ address, app }) => [address, app])).toEqual([
      ['*', 'nginx'],
      ['*', 'caddy'],
    ]);
  });

  it('that come later are told once, with their time; those that go are forgotten', () => {
    sockets('tcp', line(ANY, 22, 1));
    process(10, 'sshd', 500, 1);
    listeners.work(0, 5000);
    process(12, 'python3', 700, 8);
    sockets('tcp', line(ANY, 22, 1), line(ANY, 8000, 8));
    expect(listeners.work(1000, 6000)).toEqual([]); // not due yet
    expect(listeners.work(2000, 7000)).toMatchObject([{ port: 8000, app: 'python3', since: 7000 }]);
    expect(listeners.work(4000, 9000)).toEqual([]);
    expect(listeners.rows?.map(({ since }) => since)).toEqual([null, 7000]);
    sockets('tcp', line(ANY, 22, 1));
    listeners.work(6000, 11_000);
    expect(listeners.rows?.length).toBe(1);
    sockets('tcp', line(ANY, 22, 1), line(ANY, 8000, 8));
    expect(listeners.work(8000, 13_000)).toMatchObject([{ port: 8000, since: 13_000 }]);
  });

  it("a socket that outlives its process, or is passed on, gets the new holder's name", () => {
    sockets('tcp', line(ANY, 22, 1));
    process(10, 'systemd', 500, 1);
    listeners.work(0, 5000);
    rmSync(`${proc}/10`, { recursive: true });
    process(20, 'sshd', 900, 1);
    expect(listeners.work(2000, 7000)).toMatchObject([{ app: 'sshd', pid: 20 }]);
  });

  it('of another namespace say so', () => {
    process(10, 'sshd', 500);
    process(30, 'redis', 500, 9);
    for (const [pid, namespace] of [
      ['self', 'net:[1]'],
      [10, 'net:[1]'],
      [30, 'net:[2]'],
    ] as const) {
      mkdirSync(`${proc}/${pid}/ns`, { recursive: true });
      symlinkSync(namespace, `${proc}/${pid}/ns/net`);
    }
    mkdirSync(`${proc}/30/net`);
    writeFileSync(`${proc}/30/net/tcp`, HEADER + line(ANY, 6379, 9));
    listeners.work(0, 5000);
    expect(listeners.rows).toMatchObject([{ port: 6379, app: 'redis', elsewhere: true }]);
  });

  it('are unknown, not none, where nothing can be read', () => {
    rmSync(`${proc}/net`, { recursive: true });
    listeners.work(0, 5000);
    expect(listeners.rows).toBeNull();
    expect(listeners.failure).toContain("can't be read");
  });
});

describe('the kernel', () => {
  it('lists our own socket, and says whose it is', async ({ skip }) => {
    if (globalThis.process.platform !== 'linux') return skip('sock_diag is Linux only');
    const { ListeningDump } = await import('../../../../../src/identify/process/linux/netlink/listening-dump.ts');
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address() as { port: number };
    const dump = new ListeningDump();
    const mine = dump.list()?.filter((socket) => socket.port === address.port && socket.protocol === PROTOCOL.TCP) ?? [];
    dump.close();
    server.close();
    expect(mine.map(({ words, uid }) => [formatAddress(words), uid])).toEqual([['127.0.0.1', globalThis.process.getuid?.()]]);
  });

  it('may cut a message, or answer with an error: the list has failed', async ({ skip }) => {
    if (globalThis.process.platform !== 'linux') return skip('sock_diag is Linux only');
    const { readListening } = await import('../../../../../src/identify/process/linux/netlink/listening-dump.ts');
    const message = Buffer.alloc(88);
    message.writeUInt32LE(88, 0);
    message.writeUInt16LE(20, 4);
    message[16] = 2;
    message.writeUInt16BE(22, 20);
    message.writeUInt32LE(0x0100007f, 24);
    message.writeUInt32LE(7, 80);
    message.writeUInt32LE(4711, 84);
    const found: ListeningSocket[] = [];
    expect(readListening(message, PROTOCOL.TCP, found)).toBe('more');
    expect(found).toMatchObject([{ port: 22, uid: 7, inode: 4711, elsewhere: false }]);
    expect(formatAddress((found[0] as ListeningSocket).words)).toBe('127.0.0.1');
    expect(readListening(message.subarray(0, 60), PROTOCOL.TCP, found)).toBe('failed');
    message.writeUInt16LE(2, 4);
    expect(readListening(message, PROTOCOL.TCP, found)).toBe('failed');
    message.writeUInt16LE(3, 4);
    expect(readListening(message, PROTOCOL.TCP, found)).toBe('done');
    expect(found.length).toBe(1);
  });
});
