// Owners that vanish by exec or exit in a fake /proc, and who holds their sockets afterwards.

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Localizer } from '../../../../src/flow/direction.ts';
import { FlowTable } from '../../../../src/flow/flow-table.ts';
import { Directory, Users } from '../../../../src/identify/process/directory.ts';
import { procAt } from '../../../../src/identify/process/linux/procfs/proc.ts';
import { readProcess } from '../../../../src/identify/process/linux/procfs/process.ts';
import { ProcfsTables } from '../../../../src/identify/process/linux/procfs/tables.ts';
import { TransferredSockets } from '../../../../src/identify/process/linux/transferred-sockets.ts';
import { OwnerChecks } from '../../../../src/identify/process/owner-checks.ts';
import { PROTOCOL } from '../../../../src/net/numbers.ts';
import { fakeRoot } from '../../../support/fake-edges.ts';
import { addresses, type PacketFields, packet, timed } from '../../../support/packets.ts';

const HEADER = 'sl local_address rem_address st queues timer retrnsmt uid timeout inode\n';
const ANY = '00000000';
const ME = '0100000A';
const THEM = '500200C0';
const LOOPBACK = '0100007F';
const port = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
const line = (local: string, localPort: number, remote: string, remotePort: number, inode: number) =>
  `  0: ${local}:${port(localPort)} ${remote}:${port(remotePort)} 01 0:0 00:0 0 0 0 ${inode} 1\n`;
const CONNECTION = line(ME, 40_000, THEM, 443, 500);
/** Long after the checks of a new flow. */
const LATER = 10_000;

let proc: string;
let flows: FlowTable;
let directory: Directory;
let transferred: TransferredSockets;
/** Exec events not reported yet. */
let execed: number[];
let reads: string[];
/** Number of socket queries by address. */
let finds: number;

beforeEach(() => {
  vi.spyOn(performance, 'now').mockReturnValue(0);
  vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: 0, system: 0 });
  proc = fakeRoot({ 'net/tcp': HEADER + CONNECTION, 'net/udp': HEADER });
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('10.0.0.1'));
  flows = new FlowTable(localizer, 1 << 12, 1);
  directory = new Directory(new Users('/nonexistent'));
  execed = [];
  reads = [];
  finds = 0;
  const find = ProcfsTables.prototype.find;
  vi.spyOn(ProcfsTables.prototype, 'find').mockImplementation(function (this: ProcfsTables, ...ends) {
    finds++;
    return find.apply(this, ends);
  });
  const files = procAt(proc);
  const exeOf = (pid: number) => {
    reads.push(`exe ${pid}`);
    return files.exe(pid);
  };
  const watched = { ...files, exe: exeOf };
  const execs = { execs: (take: (pid: number) => void) => execed.splice(0).forEach(take) };
  const checks = new OwnerChecks(flows, directory, watched, execs);
  transferred = new TransferredSockets(flows, directory, watched, null, checks);
});
afterEach(() => vi.restoreAllMocks());

interface Being {
  readonly exe?: string;
  readonly start?: number;
  readonly state?: string;
  readonly parent?: number;
}

/** A process with these sockets. Another call replaces both. */
function processWith(pid: number, comm: string, inodes: readonly number[], being: Being = {}): void {
  const { exe = `/bin/${comm}`, start = pid, state = 'S', parent = 1 } = being;
  ends(pid);
  mkdirSync(`${proc}/${pid}/fd`, { recursive: true });
  writeFileSync(`${proc}/${pid}/stat`, `${pid} (${comm}) ${state} ${parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0\n`);
  writeFileSync(`${proc}/${pid}/status`, 'Uid:\t0\t0\t0\t0\n');
  if (state !== 'Z') symlinkSync(exe, `${proc}/${pid}/exe`);
  for (const [fd, inode] of inodes.entries()) symlinkSync(`socket:[${inode}]`, `${proc}/${pid}/fd/${fd}`);
}

const ends = (pid: number) => rmSync(`${proc}/${pid}`, { recursive: true, force: true });

/** Runs another program by exec, and reports it. */
function execs(pid: number, comm: string, inodes: readonly number[], being: Being = {}): void {
  processWith(pid, comm, inodes, being);
  execed.push(pid);
}

function learnt(pid: number): number {
  const facts = readProcess(procAt(proc), pid);
  if (facts === null) throw new Error(`no process ${pid}`);
  return directory.learn(facts);
}

/** A flow of the process, known from the kernel's report or from the holder of its socket. */
function flowOf(pid: number, fields: PacketFields = {}, how: 'made' | 'held' = 'made', now = 0): number {
  const row = flows.touch(timed(packet(fields), now), 0, 0);
  flows.clearNew();
  const id = learnt(pid);
  flows.own(row, id, 'exact');
  if (how === 'made') transferred.add(row, false, id, now);
  else transferred.track(row, false, id);
  return row;
}

const goesOn = (fields: PacketFields, time: number) => flows.touch(timed(packet({ ...fields, flags: 'A' }), time), 0, 0);

/** Calls work every ten ms. */
function work(from: number, to: number): void {
  for (let now = from; now <= to; now += 10) transferred.work(now);
}

const nameOf = (process: number) => directory.process(process)?.name ?? null;
const owner = (row: number) => nameOf(flows.owner(row));

describe('OwnerChecks', () => {
  it.each(['made', 'held'] as const)('gives a flow to the program that its process became by exec, at once, %s', (how) => {
    processWith(10, 'bash', [500]);
    const row = flowOf(10, {}, how);
    work(0, LATER);
    expect(owner(row)).toBe('bash');
    execs(10, 'cat', [500]);
    work(LATER + 10, LATER + 30);
    expect(owner(row)).toBe('cat');
    execs(10, 'dd', [500]);
    work(LATER + 40, LATER + 60);
    expect(owner(row)).toBe('dd');
  });

  it.each([
    ['by exec, at any age', 1000, () => execs(10, 'cat', [500]), ['own']],
    ['to an heir, in its first seconds', 1000, () => ends(10), []],
    ['to an heir, later', 10_000, () => ends(10), ['own']],
  ])('says that what moved stays with the owner where that used it: %s', (_, age, happens, expected) => {
    const kept: string[] = [];
    flows.observe({ flowRemoved() {}, ownerLeaves: (_row, isPeer) => void kept.push(isPeer ? 'peer' : 'own') });
    processWith(10, 'bash', [500]);
    processWith(20, 'heir', [500]);
    const row = flowOf(10);
    goesOn({}, age);
    work(0, 1000);
    happens();
    work(1010, 3000);
    expect([owner(row) === 'bash', kept]).toEqual([false, expected]);
  });

  it('sees an exec without an event, a second later', () => {
    processWith(10, 'bash', [500]);
    const row = flowOf(10);
    work(0, LATER);
    processWith(10, 'cat', [500]);
    work(LATER + 10, LATER + 1100);
    expect(owner(row)).toBe('cat');
  });

  it('changes nothing if the same program runs again, or if exec closed its socket', () => {
    processWith(10, 'bash', [500]);
    const row = flowOf(10);
    work(0, LATER);
    execs(10, 'bash', [500]);
    work(LATER + 10, LATER + 1100);
    expect([owner(row), directory.processCount]).toEqual(['bash', 1]);
    execs(10, 'cat', []);
    work(LATER + 1110, LATER + 3000);
    expect(owner(row)).toBe('bash');
  });

  it('changes nothing for a thread that was renamed', () => {
    processWith(10, 'node', [500]);
    const row = flowOf(10);
    work(0, LATER);
    processWith(10, 'MainThread', [500], { exe: '/bin/node' });
    work(LATER + 10, LATER + 1100);
    expect([owner(row), directory.processCount]).toEqual(['node', 1]);
  });

  it('doesn’t look at processes that own no flow, even if many start', () => {
    processWith(10, 'bash', [500]);
    flowOf(10);
    work(0, LATER);
    reads = [];
    for (let pid = 100; pid < 200; pid++) execs(pid, 'true', []);
    work(LATER + 10, LATER + 3000);
    expect(reads).toEqual([]);
  });

  it.each([
    ['ended', () => ends(10)],
    ['is a zombie', () => processWith(10, 'daemon', [], { state: 'Z' })],
    ['ended and its pid is another process', () => processWith(10, 'other', [], { start: 900 })],
  ])('gives a flow whose maker %s to who holds its socket', (_, happens) => {
    processWith(10, 'daemon', [500]);
    processWith(20, 'heir', [500]);
    const row = flowOf(10);
    work(0, LATER);
    expect(owner(row), 'while the maker lives').toBe('daemon');
    happens();
    work(LATER + 10, LATER + 1100);
    expect(owner(row)).toBe('heir');
  });

  it('gives it to the oldest holder: a script, not what the script runs', () => {
    processWith(10, 'daemon', [500]);
    processWith(20, 'script', [500], { parent: 10 });
    processWith(30, 'sleep', [500], { parent: 20 });
    const row = flowOf(10);
    work(0, LATER);
    ends(10);
    work(LATER + 10, LATER + 1100);
    expect(owner(row)).toBe('script');
  });

  it('gives a flow to a child that starts after its creator ended, even if it is short', () => {
    processWith(10, 'daemon', [500]);
    processWith(20, 'heir', [500]);
    const id = learnt(10);
    ends(10);
    const row = flows.touch(timed(packet(), 0), 0, 0);
    flows.own(row, id, 'exact');
    transferred.add(row, false, id, 0);
    transferred.work(0);
    expect(owner(row)).toBe('heir');
  });

  it('corrects only the far end of a local flow', () => {
    const ports = line(LOOPBACK, 40_000, LOOPBACK, 80, 600) + line(LOOPBACK, 80, LOOPBACK, 40_000, 700);
    writeFileSync(`${proc}/net/tcp`, HEADER + ports);
    processWith(10, 'client', [600]);
    processWith(20, 'server', [700]);
    const row = flowOf(10, { src: '127.0.0.1', dst: '127.0.0.1', dport: 80, flags: 'S' });
    flows.ownPeer(row, learnt(20));
    transferred.track(row, true, learnt(20));
    work(0, LATER);
    execs(20, 'service', [700]);
    work(LATER + 10, LATER + 30);
    expect([owner(row), nameOf(flows.peer(row))]).toEqual(['client', 'service']);
  });

  it('skips flows whose socket isn’t found by exact addresses, as the same port may be another socket’s', () => {
    writeFileSync(`${proc}/net/udp`, HEADER + line(ANY, 40_000, ANY, 0, 500));
    processWith(10, 'contained', []);
    processWith(20, 'other', [500]);
    const row = flows.touch(timed(packet({ protocol: PROTOCOL.UDP }), 0), 0, 0);
    flows.own(row, learnt(10), 'exact');
    work(0, 100);
    ends(10);
    work(110, 3000);
    expect(owner(row)).toBe('contained');
  });

  it('looks at growing intervals for the owner of a socket without a holder, and only while the flow is active', () => {
    processWith(10, 'daemon', [500]);
    const row = flowOf(10);
    work(0, LATER);
    ends(10);
    finds = 0;
    let now = LATER;
    const pass = (ms: number, isMoving: boolean) => {
      for (const until = now + ms; now < until; now += 50) {
        if (isMoving) goesOn({}, now);
        transferred.work(now);
      }
    };
    pass(64_000, true);
    expect(finds).toBeGreaterThan(3);
    expect(finds).toBeLessThan(12);
    pass(64_000, false);
    finds = 0;
    processWith(20, 'heir', [500]);
    pass(64_000, false);
    expect([finds, owner(row)]).toEqual([0, 'daemon']);
    pass(2000, true);
    expect(owner(row)).toBe('heir');
  });

  it('uses at most a fiftieth of the time', () => {
    for (let i = 0; i < 300; i++) {
      processWith(1000 + i, `p${i}`, []);
      flowOf(1000 + i, { sport: 10_000 + i }, 'held');
    }
    let time = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => ++time);
    vi.spyOn(process, 'cpuUsage').mockImplementation((since) => ({ user: time * 1000 - (since?.user ?? 0), system: 0 }));
    for (let now = 0; now < 20_000; now += 10) transferred.work(now);
    expect(time).toBeGreaterThan(300);
    expect(time).toBeLessThan(20_000 / 49);
  });
});
