// Captures that the program itself writes, of real traffic in network namespaces, as other programs read them: whole, in rows under load, on a full
// disk, and through a pipe. And that they say of each flow what the program said live.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { pcapFile } from '../support/capture-writer.ts';
import { ethernet, ipv4, udp } from '../support/frames.ts';
import { netnsObstacle, Pair } from '../support/netns.ts';

const reason = netnsObstacle('curl', 'tshark', 'capinfos', 'tcpdump', 'editcap', 'mergecap');
const SERVER = `
const http = require('node:http');
const body = Buffer.alloc(50_000, 120);
http.createServer((_, response) => response.end(body)).listen(80, '10.99.0.2', () => console.log('ready'));
`;
/** Sends datagrams to nobody, as fast as it can. */
const FLOOD = `
const socket = require('node:dgram').createSocket('udp4');
let left = 20000;
const next = () => (left-- > 0 ? socket.send(Buffer.alloc(200), 9999, '10.99.0.2', next) : socket.close());
next();
`;
/** What tshark says of running as root, which is no fault of the file. */
const AS_ROOT = /^Running as user "root" and group "root"\. This could be dangerous\.\n/;

describe('a written capture', () => {
  const program = inject('program');
  const folder = mkdtempSync(join(tmpdir(), 'netmon-write-'));
  chmodSync(folder, 0o755);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Reads it with other programs, none of which may complain. @returns packets in it */
  function proven(path: string): number {
    for (const [name, words] of [
      ['tshark', ['-n', '-r', path]],
      ['capinfos', [path]],
      ['tcpdump', ['-n', '-r', path]],
      ['editcap', [path, join(folder, 'copy.pcapng')]],
      ['mergecap', ['-w', join(folder, 'copy.pcapng'), path, path]],
    ] as const) {
      const { status, stderr } = spawnSync(name, words, { encoding: 'utf8', maxBuffer: 1 << 28 });
      const complaint = stderr.replace(AS_ROOT, '').replace(/^reading from file .*\n/, '');
      expect({ name, status, complaint }).toEqual({ name, status: 0, complaint: '' });
    }
    return Number(/Number of packets:\s*(\d+)/.exec(execFileSync('capinfos', ['-M', '-c', path], { encoding: 'utf8' }))?.[1]);
  }

  const numberIn = (text: string) => Number(/wrote ([\d ]+) packets?/.exec(text)?.[1]?.replaceAll(' ', ''));

  /** What a line of JSON says of apps and connections. */
  function meaning(line: string) {
    const { total, apps, flows } = JSON.parse(line) as Record<string, Record<string, unknown>[]>;
    const pick = (row: Record<string, unknown>, ...names: string[]) => names.map((name) => JSON.stringify(row[name])).join(' ');
    const bytes = ['rx_bytes', 'tx_bytes', 'rx_packets', 'tx_packets'];
    const named = ['local', 'remote', 'app', 'pid', 'peer_app', 'host', 'name_source', 'category', 'direction', 'state'];
    return {
      total: pick(total as unknown as Record<string, unknown>, ...bytes),
      apps: apps?.map((row) => pick(row, 'app', 'user', 'exe', 'pids', ...bytes)).sort(),
      flows: flows?.map((row) => pick(row, ...named, ...bytes)).sort(),
    };
  }

  async function pairWithServer(onTestFinished: (done: () => void) => void): Promise<Pair> {
    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    return pair;
  }

  it('says of each connection what the program said, and other programs read it', async ({ skip, onTestFinished }) => {
    if (reason !== null) skip(`written captures: ${reason}`);
    const pair = await pairWithServer(onTestFinished);
    const path = join(folder, 'live.pcapng');
    const words = [program.bin, '-i', 'va', '-i', 'lo', '-w', path, '--json', '--once', '--duration', '6s'];
    const run = pair.start(pair.near, process.execPath, words);
    let [said, printed] = ['', ''];
    run.stderr.on('data', (chunk) => {
      said += chunk;
    });
    run.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    const ended = new Promise((resolve) => run.on('close', resolve));
    const fetch = "curl -s -o /dev/null -H 'Host: files.example.com' http://10.99.0.2/; sleep 0.2";
    pair.run(pair.near, `sleep 2.5; ${fetch}; ${fetch}; ping -c 1 -q 127.0.0.1 >/dev/null`);
    expect(await ended).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const packets = proven(path);
    expect(numberIn(said)).toBe(packets);
    const read = spawnSync(process.execPath, [program.bin, '-r', path, '--json', '--once'], { encoding: 'utf8' });
    expect(meaning(read.stdout)).toEqual(meaning(printed));
    expect(
      meaning(printed).flows?.filter((flow) => flow.includes('"curl"') && flow.includes('"files.example.com"')),
    ).toHaveLength(2);
    const comments = execFileSync('tshark', ['-n', '-r', path, '-T', 'fields', '-e', 'frame.comment'], { encoding: 'utf8' });
    expect(comments.match(/app curl, pid \d+, user root, host files\.example\.com \(http\)/g)).toHaveLength(2);
  });

  it('says of connections with a container what the program said', async ({ skip, onTestFinished }) => {
    if (reason !== null) skip(`written captures: ${reason}`);
    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const path = join(folder, 'contained.pcapng');
    const words = [program.bin, '-i', 'va', '-w', path, '--json', '--once', '--duration', '6s', '--stay-root'];
    const run = pair.start(pair.near, process.execPath, words);
    let printed = '';
    run.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    const ended = new Promise((resolve) => run.on('close', resolve));
    pair.run(pair.near, 'sleep 2.5');
    // Only a process that begins later is known in another namespace.
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
    pair.run(pair.near, 'curl -s -o /dev/null http://10.99.0.2/');
    pair.run(pair.far, 'ping -c 1 -q 10.99.0.1 >/dev/null');
    expect(await ended).toBe(0);
    const read = spawnSync(process.execPath, [program.bin, '-r', path, '--json', '--once'], { encoding: 'utf8' });
    const [live, again] = [meaning(printed), meaning(read.stdout)];
    expect(live.flows?.filter((flow) => /"curl".*"node"|"node".*"curl"/.test(flow) && flow.includes('"local"'))).toHaveLength(1);
    expect(again.flows).toEqual(live.flows);
    expect(again.total).toEqual(live.total);
    expect(again.apps).toEqual(live.apps);
  });

  it('has no interface numbers on `any`: tcpdump would warn that they mean nothing', async ({ skip, onTestFinished }) => {
    if (reason !== null) skip(`written captures: ${reason}`);
    const pair = await pairWithServer(onTestFinished);
    const path = join(folder, 'any.pcapng');
    const run = pair.start(pair.near, process.execPath, [
      program.bin,
      '-i',
      'any',
      '-w',
      path,
      '--duration',
      '5s',
      '--stay-root',
    ]);
    const ended = new Promise((resolve) => run.on('close', resolve));
    await new Promise((resolve) => run.stderr.once('data', resolve));
    pair.run(pair.near, 'sleep 1; curl -s -o /dev/null http://10.99.0.2/; ping -c 1 -q 127.0.0.1 >/dev/null');
    expect(await ended).toBe(0);
    expect(proven(path)).toBeGreaterThan(8);
    const names = execFileSync('tshark', ['-n', '-r', path, '-T', 'fields', '-e', 'frame.interface_name'], { encoding: 'utf8' });
    expect([...new Set(names.trim().split('\n'))].sort()).toEqual(['lo', 'va']);
  });

  it('is a row of files under load, and has every packet in one of them', async ({ skip, onTestFinished }) => {
    if (reason !== null) skip(`written captures: ${reason}`);
    const pair = await pairWithServer(onTestFinished);
    const row = join(folder, 'row');
    mkdirSync(row);
    const words = [program.bin, '-i', 'va', '-w', join(row, 'x.pcapng'), '--rotate', '500kB', '--duration', '6s', '--stay-root'];
    const run = pair.start(pair.near, process.execPath, words);
    let said = '';
    run.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const ended = new Promise((resolve) => run.on('close', resolve));
    await new Promise((resolve) => run.stderr.once('data', resolve));
    pair.start(pair.near, process.execPath, ['-e', FLOOD]);
    expect(await ended).toBe(0);
    const files = readdirSync(row).sort();
    expect(files.length).toBeGreaterThan(3);
    for (const [i, name] of files.entries()) {
      expect(name).toMatch(new RegExp(`^x-0000${i + 1}-\\d{8}T\\d{6}Z\\.pcapng$`));
      expect(statSync(join(row, name)).size).toBeLessThanOrEqual(500_000);
    }
    const held = files.map((name) => proven(join(row, name))).reduce((sum, count) => sum + count, 0);
    expect(held).toBe(numberIn(said));
    expect(held).toBeGreaterThanOrEqual(20_000);
    expect(said).not.toContain('faster than');
  });

  it('ends behind a whole packet when the disk is full, and the program says so', ({ skip }) => {
    if (reason !== null) skip(`written captures: ${reason}`);
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const data = ethernet({}, ipv4({ src: '198.51.100.7', dst: '10.0.0.1' }, udp({ sport: 443, dport: 5000 }, 'x'.repeat(900))));
    const from = join(folder, 'large.pcap');
    writeFileSync(from, pcapFile({ records: Array.from({ length: 3000 }, (_, i) => ({ time: 1_700_000_000_000 + i, data })) }));
    const script = `mount -t tmpfs -o size=256k none '${disk}'; "$@"; echo "status $?" >&2; cp '${disk}/x.pcapng' '${folder}/cut.pcapng'`;
    const words = [process.execPath, program.bin, '-r', from, '-w', join(disk, 'x.pcapng')];
    const { stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...words], { encoding: 'utf8', timeout: 30_000 });
    expect(stderr).toMatch(
      /x\.pcapng" can't be written \(ENOSPC\)\n {2}the disk is full: make room, or choose another\nstatus 2\n$/,
    );
    const packets = proven(join(folder, 'cut.pcapng'));
    expect(packets).toBeGreaterThan(200);
    expect(numberIn(stderr)).toBe(packets);
  });

  it('goes through a pipe, and ends the run when its reader goes away', async ({ skip, onTestFinished }) => {
    if (reason !== null) skip(`written captures: ${reason}`);
    const pair = await pairWithServer(onTestFinished);
    const netmon = `'${process.execPath}' '${program.bin}' -i va -w -`;
    const shell = pair.start(pair.near, 'sh', [
      '-c',
      `${netmon} | tshark -n -l -c 5 -r - -T fields -e ip.dst 2>/dev/null; echo end`,
    ]);
    let text = '';
    const ended = new Promise((resolve) => shell.on('close', resolve));
    shell.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await new Promise((resolve) => shell.stderr.once('data', resolve));
    // It notices with the next packet that nobody reads any more.
    pair.start(pair.near, 'sh', ['-c', 'while curl -s -o /dev/null http://10.99.0.2/; do sleep 0.5; done']);
    await ended;
    expect(text).toMatch(/^10\.99\.0\.2\n[\s\S]*end\n$/);
  });
});
