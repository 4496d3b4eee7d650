// Sockets that pass to other processes, in a fake /proc. The test decides who holds one at which time.

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Localizer } from '../../../../../src/flow/direction.ts';
import { FlowTable } from '../../../../../src/flow/flow-table.ts';
import { Directory, Users } from '../../../../../src/identify/process/directory.ts';
import { procAt } from '../../../../../src/identify/process/linux/procfs/proc.ts';
import { readProcess } from '../../../../../src/identify/process/linux/procfs/process.ts';
import { TransferredSockets } from '../../../../../src/identify/process/linux/transferred-sockets.ts';
import { PROTOCOL } from '../../../../../src/net/numbers.ts';
import { fakeRoot } from '../../../../support/fake-edges.ts';
import { addresses, type PacketFields, packet, timed } from '../../../../support/packets.ts';

const { UDP, ICMP } = PROTOCOL;
const HEADER = 'sl local_address rem_address st queues timer retrnsmt uid timeout inode\n';
const ANY = '00000000';
const ME = '0100000A';
const THEM = '500200C0';
const LOOPBACK = '0100007F';
const LOOPBACK_ENDS = { src: '127.0.0.1', dst: '127.0.0.1', dport: 80, flags: 'S' };
/** Times of the first and second look-up of a flow reported at 0. */
const FIRST = 500;
const SECOND = 4100;
const port = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
const line = (local: string, localPort: number, remote: string, remotePort: number, inode: number) =>
  `  0: ${local}:${port(localPort)} ${remote}:${port(remotePort)} 01 0:0 00:0 0 0 0 ${inode} 1\n`;
const CONNECTION = line(ME, 40_000, THEM, 443, 500);

let proc: string;
let flows: FlowTable;
let directory: Directory;
let transferred: TransferredSockets;

beforeEach(() => {
  // Pauses take the same time on a stalled machine, because the test sets the clock.
  vi.spyOn(performance, 'now').mockReturnValue(0);
  vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 0, system: 0 });
  proc = fakeRoot({ 'net/tcp': HEADER, 'net/udp': HEADER });
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  flows = new FlowTable(localizer, 1 << 12, 1);
  directory = new Directory(new Users('/nonexistent'));
  transferred = new TransferredSockets(flows, directory, procAt(proc));
});
afterEach(() => vi.restoreAllMocks());

function sockets(text: string, file = 'tcp'): void {
  writeFileSync(`${proc}/net/${file}`, HEADER + text);
}

/** A process with these sockets. Another call replaces them. */
function processWith(pid: number, comm: string, ...inodes: number[]): void {
  rmSync(`${proc}/${pid}`, { recursive: true, force: true });
  mkdirSync(`${proc}/${pid}/fd`, { recursive: true });
  writeFileSync(`${proc}/${pid}/stat`, `${pid} (${comm}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${pid} 0 0\n`);
  writeFileSync(`${proc}/${pid}/status`, 'Uid:\t0\t0\t0\t0\n');
  for (const [fd, inode] of inodes.entries()) symlinkSync(`socket:[${inode}]`, `${proc}/${pid}/fd/${fd}`);
}

const ends = (pid: number) => rmSync(`${proc}/${pid}`, { recursive: true });

function learnt(pid: number): number {
  const facts = readProcess(procAt(proc), pid);
  if (facts === null) throw new Error(`no process ${pid}`);
  return directory.learn(facts);
}

/** A flow whose packets span `livedMs`, reported at `now` as the process's. */
function told(pid: number, fields: PacketFields = {}, livedMs = 400, now = 0): number {
  const row = flows.touch(timed(packet(fields), now), 0, 0);
  goesOn(fields, now + livedMs);
  flows.clearNew();
  const process = learnt(pid);
  flows.own(row, process, 'exact');
  transferred.add(row, false, process, now);
  return row;
}

const goesOn = (fields: PacketFields, time: number) => flows.touch(timed(packet({ ...fields, flags: 'A' }), time), 0, 0);

/** Calls work every ten ms. */
function work(from: number, to: number): void {
  for (let now = from; now <= to; now += 10) transferred.work(now);
}

const nameOf = (process: number) => directory.process(process)?.name ?? null;
const owner = (row: number) => nameOf(flows.owner(row));
const attribution = (row: number) => flows.attribution(row);

describe('TransferredSockets', () => {
  it('gives a connection to the child that accepted it, after half a second', () => {
    sockets(line(ANY, 443, ANY, 0, 300) + CONNECTION);
    processWith(10, 'master', 300);
    processWith(20, 'worker', 300, 500);
    const row = told(10);
    work(0, FIRST - 10);
    expect(owner(row)).toBe('master');
    work(FIRST, FIRST + 100);
    expect([owner(row), attribution(row)]).toEqual(['worker', 'exact']);
    expect(directory.process(flows.owner(row))?.pid).toBe(20);
  });

  it('gives it to its holder if its creator is gone, or the pid was reused', () => {
    sockets(CONNECTION);
    processWith(10, 'opener', 500);
    const row = told(10);
    ends(10);
    processWith(20, 'heir', 500);
    work(0, FIRST + 100);
    expect(owner(row)).toBe('heir');
  });

  it('keeps a socket with its creator while the creator holds it, even if others do too', () => {
    sockets(CONNECTION);
    processWith(10, 'maker', 500);
    processWith(20, 'child', 500);
    const row = told(10);
    work(0, 20_000);
    expect(owner(row)).toBe('maker');
  });

  it('looks again some seconds later, in case the creator was slow to close it', () => {
    sockets(CONNECTION);
    processWith(10, 'superserver', 500);
    processWith(20, 'service', 500);
    const row = told(10);
    work(0, FIRST + 100);
    expect(owner(row)).toBe('superserver');
    processWith(10, 'superserver');
    work(FIRST + 110, SECOND);
    expect(owner(row)).toBe('service');
    processWith(20, 'service');
    processWith(30, 'third', 500);
    work(SECOND, 30_000);
    expect(owner(row), 'and never again').toBe('service');
  });

  it('looks again for a flow that was quiet at first', () => {
    sockets(CONNECTION);
    processWith(10, 'maker');
    processWith(20, 'child', 500);
    const quiet = told(10, {}, 0);
    work(0, FIRST + 100);
    expect(owner(quiet)).toBe('maker');
    goesOn({}, 3000);
    work(FIRST, SECOND);
    expect(owner(quiet)).toBe('child');
  });

  it('ignores flows that lived less than a third of a second', () => {
    sockets(CONNECTION);
    processWith(10, 'maker');
    processWith(20, 'child', 500);
    const row = told(10, {}, 290);
    work(0, 20_000);
    expect(owner(row)).toBe('maker');
  });

  it('ignores a match with a listener, as the connection is already gone, or not there yet', () => {
    const fields = { src: '192.0.2.80', dst: '10.0.0.1', sport: 50_000, dport: 443, flags: 'S' };
    sockets(line(ANY, 443, ANY, 0, 300));
    processWith(10, 'worker');
    processWith(20, 'master', 300);
    const row = told(10, fields);
    work(0, 20_000);
    expect(owner(row)).toBe('worker');
  });

  describe('unconnected sockets', () => {
    const fields = { protocol: UDP };

    it('go to their holder, as a match by port only', () => {
      sockets(line(ANY, 40_000, ANY, 0, 500), 'udp');
      processWith(10, 'maker');
      processWith(20, 'child', 500);
      const row = told(10, fields);
      work(0, FIRST + 100);
      expect([owner(row), attribution(row)]).toEqual(['child', 'wildcard']);
    });

    it.each([
      ['on the same address', line(ANY, 40_000, ANY, 0, 500) + line(ANY, 40_000, ANY, 0, 600)],
      ['on another address', line(ANY, 40_000, ANY, 0, 600) + line(ME, 40_000, ANY, 0, 500)],
    ])('stay where they are when two share the port %s', (_, text) => {
      sockets(text, 'udp');
      processWith(10, 'first', 600);
      processWith(20, 'second', 500);
      const row = told(10, fields);
      work(0, 20_000);
      expect(owner(row)).toBe('first');
    });

    it('are kept apart from a connected one with the same port', () => {
      sockets(line(ANY, 40_000, ANY, 0, 600) + line(ME, 40_000, THEM, 443, 500), 'udp');
      processWith(10, 'maker', 600);
      processWith(20, 'child', 500);
      const row = told(10, fields);
      work(0, FIRST + 100);
      expect([owner(row), attribution(row)]).toEqual(['child', 'exact']);
    });

    it('of two pings stay with their own process', () => {
      sockets(line(ANY, 1, ANY, 0, 500) + line(ANY, 1, ANY, 0, 600), 'raw');
      processWith(10, 'ping-a', 500);
      processWith(20, 'ping-b', 600);
      const rows = [told(10, { protocol: ICMP }), told(20, { protocol: ICMP, dst: '192.0.2.99' })];
      work(0, 20_000);
      expect(rows.map(owner)).toEqual(['ping-a', 'ping-b']);
    });
  });

  it('corrects only the far end of a local flow', () => {
    sockets(line(LOOPBACK, 40_000, LOOPBACK, 80, 500) + line(LOOPBACK, 80, LOOPBACK, 40_000, 600));
    processWith(5, 'client', 500);
    processWith(10, 'master');
    processWith(20, 'worker', 600);
    const row = told(5, LOOPBACK_ENDS);
    flows.ownPeer(row, learnt(10));
    transferred.add(row, true, learnt(10), 0);
    work(0, FIRST + 100);
    expect([owner(row), nameOf(flows.peer(row))]).toEqual(['client', 'worker']);
  });

  it('skips a row that is another flow by now, or has another owner', () => {
    sockets(CONNECTION + line(ME, 40_001, THEM, 443, 501));
    processWith(10, 'maker');
    processWith(20, 'child', 500, 501);
    processWith(30, 'other');
    const gone = told(10);
    flows.remove(gone);
    const next = flows.touch(timed(packet({ sport: 40_001 }), 0), 0, 0);
    goesOn({ sport: 40_001 }, 400);
    flows.own(next, learnt(10), 'exact');
    const given = told(10, {});
    flows.own(given, learnt(30), 'exact');
    work(0, 20_000);
    expect([next === gone, owner(next), owner(given)]).toEqual([true, 'maker', 'other']);
  });

  it('doesn’t change a flow that ended during the look-up', () => {
    sockets(CONNECTION);
    processWith(10, 'maker');
    for (let pid = 20; pid < 40; pid++) processWith(pid, `p${pid}`, pid);
    processWith(11, 'child', 500);
    const row = told(10);
    // Time passes only during the walk, each of whose turns ends after one process.
    let time = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => {
      time += 5;
      return time;
    });
    transferred.work(FIRST);
    transferred.work(FIRST + 10);
    flows.remove(row);
    const next = flows.touch(timed(packet({ sport: 40_001 }), 0), 0, 0);
    work(FIRST + 20, FIRST + 500);
    expect([next === row, owner(next)]).toEqual([true, null]);
  });

  it('doesn’t name a process that has closed the socket since', () => {
    const other = line(ME, 40_001, THEM, 443, 501);
    sockets(CONNECTION + other);
    processWith(10, 'maker');
    processWith(20, 'child', 500, 501);
    const first = told(10);
    work(0, FIRST + 100);
    expect(owner(first)).toBe('child');
    processWith(20, 'child', 500);
    const second = told(10, { sport: 40_001 }, 400, 1000);
    work(1000, 3000);
    expect(owner(second)).toBe('maker');
  });

  it('does nothing without tables', () => {
    processWith(10, 'maker');
    const row = told(10);
    rmSync(`${proc}/net`, { recursive: true });
    work(0, 20_000);
    expect(owner(row)).toBe('maker');
  });

  it('does nothing while no flow is due', () => {
    sockets(CONNECTION);
    processWith(10, 'maker');
    told(10, {}, 0);
    work(0, FIRST - 10);
    expect(process.cpuUsage, 'no reading was measured').not.toHaveBeenCalled();
    work(FIRST, FIRST);
    expect(process.cpuUsage).toHaveBeenCalled();
  });

  it('has a limit, reports what it left out, and handles a burst in parts', () => {
    let text = '';
    const inodes: number[] = [];
    for (let i = 0; i < 1030; i++) {
      text += line(ME, 10_000 + i, THEM, 443, 1000 + i);
      inodes.push(1000 + i);
    }
    sockets(text);
    processWith(10, 'maker');
    processWith(20, 'child', ...inodes);
    const rows = inodes.map((_, i) => told(10, { sport: 10_000 + i }));
    const corrected = () => rows.filter((row) => owner(row) === 'child').length;
    transferred.work(FIRST);
    expect(corrected()).toBe(32);
    work(FIRST + 10, FIRST + 1000);
    expect([corrected(), transferred.overflowed]).toEqual([1024, 6]);
  });

  it('uses at most a twentieth of the time, walks included', () => {
    sockets(CONNECTION + line(ME, 40_001, THEM, 443, 501));
    processWith(10, 'maker');
    for (let pid = 20; pid < 40; pid++) processWith(pid, `p${pid}`, pid);
    processWith(11, 'child', 500, 501);
    const first = told(10);
    const second = told(10, { sport: 40_001 }, 400, 100);
    let time = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => ++time);
    vi.spyOn(process, 'cpuUsage').mockImplementation((since) => ({ user: time * 1000 - (since?.user ?? 0), system: 0 }));
    // Duration of a turn by this clock.
    const turn = (now: number) => {
      const before = time;
      transferred.work(now);
      return time - before;
    };
    const turns: number[] = [];
    let now = FIRST;
    for (; owner(first) !== 'child'; now += 10) turns.push(turn(now));
    expect(turns.length, 'a walk of several turns').toBeGreaterThan(2);
    const rested = now - 10 + turns.reduce((sum, took) => sum + took, 0) * 20;
    expect(rested, 'the second flow is due long before').toBeGreaterThan(FIRST + 200);
    for (; now < rested; now += 10) expect(turn(now)).toBe(0);
    expect(turn(now)).toBeGreaterThan(0);
    for (; owner(second) !== 'child' && now < 20_000; now += 10) turn(now);
    expect(owner(second)).toBe('child');
  });
});
