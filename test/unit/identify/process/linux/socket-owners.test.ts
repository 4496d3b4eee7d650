import { describe, expect, it } from 'vitest';
import { Directory, Users } from '../../../../../src/identify/process/directory.ts';
import { REPORT, REPORT_BYTES } from '../../../../../src/identify/process/linux/ebpf/socket-programs.ts';
import type { ExecWatch } from '../../../../../src/identify/process/linux/exec-watch.ts';
import { procAt } from '../../../../../src/identify/process/linux/procfs/proc.ts';
import { KERNEL_THREAD, SocketOwners } from '../../../../../src/identify/process/linux/socket-owners.ts';
import type { ProcessFacts } from '../../../../../src/identify/process/process-facts.ts';
import { fakeRoot } from '../../../../support/fake-edges.ts';

/** Files of a process; a zombie has no exe. */
function proc(pid: number, comm: string, start: number, exe: string | null = `/bin/${comm}`): Record<string, string> {
  const fields = ['S', '1', ...new Array(17).fill('0'), String(start), '0'];
  return {
    [`proc/${pid}/stat`]: `${pid} (${comm}) ${fields.join(' ')}\n`,
    [`proc/${pid}/status`]: 'Name:\tx\nUid:\t5\t5\t5\t5\n',
    ...(exe === null ? {} : { [`proc/${pid}/exe`]: `-> ${exe}` }),
  };
}

function facts(pid: number, name: string, startTime: number | null, more: Partial<ProcessFacts> = {}): ProcessFacts {
  return { pid, name, exe: `/bin/${name}`, uid: 7, parentPid: 1, startTime, script: null, unit: null, ...more };
}

function ownersOf(files: Record<string, string>, begun: ProcessFacts[] = []) {
  const root = fakeRoot(files);
  const directory = new Directory(new Users(`${root}/passwd`));
  const byPid = new Map(begun.map((each) => [each.pid, each]));
  const watch = { facts: (pid: number) => byPid.get(pid) } as unknown as ExecWatch;
  const owners = new SocketOwners(directory, procAt(`${root}/proc`), watch);
  const seen = (number: number, now: number) => {
    const process = directory.process(owners.process(number, now));
    return process === undefined ? null : { name: process.name, exe: process.exe, uid: process.uid };
  };
  return { owners, directory, byPid, seen };
}

describe('SocketOwners', () => {
  it('reads a live process', () => {
    const { owners, seen } = ownersOf(proc(10, 'wget', 500));
    expect(seen(owners.intern(10, 10, 5, 'wget', 0), 0)).toEqual({ name: 'wget', exe: '/bin/wget', uid: 5 });
  });

  it('tells which process a marked report names, and no other of the same pid, user and name', () => {
    const root = fakeRoot(proc(10, 'wget', 500));
    const directory = new Directory(new Users(`${root}/passwd`));
    const marked: number[] = [];
    const owners = new SocketOwners(directory, procAt(`${root}/proc`), null, { marked: (process) => marked.push(process) });
    const report = (isMember: boolean) => {
      const bytes = new Uint8Array(REPORT_BYTES);
      const view = new DataView(bytes.buffer);
      view.setUint32(REPORT.OWNER, 10, true);
      view.setUint32(REPORT.OWNER + 4, 10, true);
      bytes.set(Buffer.from('wget'), REPORT.COMM);
      bytes[REPORT.MEMBER] = Number(isMember);
      return owners.ofReport(bytes, 0, 0);
    };
    owners.process(report(false), 0);
    expect(marked).toEqual([]);
    const process = owners.process(report(true), 0);
    expect(marked).toEqual([process]);
    owners.process(report(false), 0);
    expect(marked).toEqual([process]);
  });

  it('takes a kernel thread for the kernel, not for a process', () => {
    const stat = `11 (kworker/0:1) ${['S', '2', ...new Array(17).fill('0'), '500', '0'].join(' ')}\n`;
    const { owners, directory } = ownersOf({ 'proc/11/stat': stat });
    expect(owners.process(owners.intern(11, 11, 0, 'kworker/0:1', 0), 300)).toBe(KERNEL_THREAD);
    expect(directory.processCount).toBe(0);
  });

  it('gives each process one number, and another if any mark differs', () => {
    const { owners } = ownersOf({});
    const first = owners.intern(10, 10, 5, 'a', 0);
    expect(owners.intern(10, 12, 5, 'a', 9)).toBe(first);
    expect(owners.intern(11, 11, 5, 'a', 0)).not.toBe(first);
    expect(owners.intern(10, 10, 6, 'a', 0)).not.toBe(first);
    expect(owners.intern(10, 10, 5, 'b', 0)).not.toBe(first);
  });

  it('recognises the owner of a report, and tells another one apart if any mark differs or the pid was reused', () => {
    const { owners, byPid, seen } = ownersOf({}, [facts(10, 'curl', 500)]);
    const report = (pid: number, uid: number, comm: string) => {
      const bytes = new Uint8Array(200);
      const view = new DataView(bytes.buffer);
      view.setUint32(100 + REPORT.OWNER, pid, true);
      view.setUint32(100 + REPORT.OWNER + 4, pid, true);
      view.setUint32(100 + REPORT.IDS, uid, true);
      bytes.set(Buffer.from(comm), 100 + REPORT.COMM);
      return owners.ofReport(bytes, 100, 0);
    };
    const first = report(10, 5, 'curl');
    expect([report(10, 5, 'curl'), owners.intern(10, 10, 5, 'curl', 0)]).toEqual([first, first]);
    const others = [report(11, 5, 'curl'), report(10, 6, 'curl'), report(10, 5, 'curl2')];
    expect(new Set([first, ...others]).size).toBe(4);
    expect(report(10, 5, 'curl')).toBe(first);
    expect(seen(first, 0)).toMatchObject({ name: 'curl' });
    byPid.set(10, facts(10, 'wget', 900));
    expect(report(10, 5, 'curl')).not.toBe(first);
  });

  it('uses what was read at the start of a process that is gone', () => {
    const { owners, seen } = ownersOf({}, [facts(10, 'curl', 500)]);
    expect(seen(owners.intern(10, 10, 5, 'curl', 0), 0)).toEqual({ name: 'curl', exe: '/bin/curl', uid: 7 });
  });

  it('uses what was read at the start of a zombie, whose executable is no longer readable', () => {
    const { owners, seen } = ownersOf(proc(10, 'curl', 500, null), [facts(10, 'curl', 500)]);
    expect(seen(owners.intern(10, 10, 5, 'curl', 0), 0)).toMatchObject({ name: 'curl', exe: '/bin/curl' });
  });

  it('waits for the newest image of a process that is gone, but not forever', () => {
    const { owners, byPid, seen } = ownersOf({}, [facts(10, 'ip', 500)]);
    const number = owners.intern(10, 10, 5, 'curl', 0);
    expect(seen(number, 100)).toBeNull();
    byPid.set(10, facts(10, 'curl', 500));
    expect(seen(number, 120)).toMatchObject({ exe: '/bin/curl' });
  });

  it('accepts a name that differs from the executable, such as a link or a title', () => {
    const { owners, seen } = ownersOf({}, [facts(10, 'busybox', 500)]);
    const number = owners.intern(10, 10, 5, 'nc', 0);
    expect(seen(number, 249)).toBeNull();
    expect(seen(number, 250)).toMatchObject({ name: 'busybox', exe: '/bin/busybox' });
  });

  it('has at least the short name', () => {
    const { owners, seen } = ownersOf({});
    const number = owners.intern(10, 10, 5, 'flash', 0);
    expect([seen(number, 249), seen(number, 250)]).toEqual([null, { name: 'flash', exe: null, uid: 5 }]);
  });

  it('takes the name of the program if only the thread that made the socket is known', () => {
    const { owners, seen } = ownersOf({}, [facts(10, 'dig', 500, { exe: null })]);
    const thread = owners.intern(10, 12, 5, 'isc-net-0000', 0);
    expect(seen(thread, 0)).toEqual({ name: 'dig', exe: null, uid: 7 });
  });

  it('takes the process of another thread if nothing is left to read, unless it is too old', () => {
    const { owners, byPid, directory, seen } = ownersOf({}, [facts(10, 'dig', 500)]);
    const first = owners.intern(10, 10, 5, 'dig', 0);
    expect(seen(first, 0)).toMatchObject({ name: 'dig' });
    byPid.delete(10);
    expect(seen(owners.intern(10, 12, 5, 'isc-net-0000', 10), 260)).toMatchObject({ name: 'dig', exe: '/bin/dig' });
    expect(directory.processCount).toBe(1);
    expect(seen(owners.intern(10, 13, 5, 'isc-net-0001', 60_000), 60_250)).toMatchObject({ name: 'isc-net-0001' });
    expect(seen(owners.intern(10, 10, 5, 'other', 300), 550), 'a main thread is the program').toMatchObject({ name: 'other' });
  });

  it('has the short name if it saw the start but could read nothing', () => {
    const { owners, seen } = ownersOf({}, [facts(10, '', null, { exe: null, uid: null })]);
    expect(seen(owners.intern(10, 10, 5, 'flash', 0), 0)).toEqual({ name: 'flash', exe: null, uid: 5 });
  });

  it('treats a reused pid as another process', () => {
    const { owners, byPid, seen } = ownersOf({}, [facts(10, 'curl', 500)]);
    const first = owners.intern(10, 10, 5, 'curl', 0);
    seen(first, 0);
    byPid.set(10, facts(10, 'wget', 900));
    const second = owners.intern(10, 10, 5, 'wget', 0);
    const third = owners.intern(10, 10, 5, 'curl', 0);
    expect([seen(second, 0)?.name, seen(first, 0)?.name, third === first]).toEqual(['wget', 'curl', false]);
  });

  it('takes a pid that runs another program now for another owner, once, although its socket has the former name', () => {
    const { owners, byPid, seen } = ownersOf({}, [facts(10, 'bash', 500)]);
    const first = owners.intern(10, 10, 5, 'bash', 0);
    seen(first, 0);
    byPid.set(10, facts(10, 'bash', 500));
    expect(owners.intern(10, 10, 5, 'bash', 0), 'the same program again').toBe(first);
    byPid.set(10, facts(10, 'cat', 500));
    const second = owners.intern(10, 10, 5, 'bash', 0);
    expect([seen(second, 300)?.name, seen(first, 300)?.name]).toEqual(['cat', 'bash']);
    expect(owners.intern(10, 10, 5, 'bash', 300)).toBe(second);
  });

  it('prefers the reported process if its pid was reused meanwhile', () => {
    const { owners, seen } = ownersOf(proc(10, 'sshd', 900), [facts(10, 'curl', 500)]);
    expect(seen(owners.intern(10, 10, 5, 'curl', 0), 0)).toMatchObject({ exe: '/bin/curl' });
    expect(seen(owners.intern(10, 10, 5, 'sshd', 0), 0)).toMatchObject({ exe: '/bin/sshd' });
  });

  it('accepts any name for a thread', () => {
    const { owners, seen } = ownersOf({}, [facts(10, 'node', 500)]);
    expect(seen(owners.intern(10, 14, 5, 'libuv-worker', 0), 0)).toMatchObject({ name: 'node' });
  });

  it('recognises a kernel thread, which has no executable, after a while', () => {
    const { owners, seen } = ownersOf(proc(10, 'nfsd', 3, null));
    const number = owners.intern(10, 10, 0, 'nfsd', 0);
    expect([seen(number, 0), seen(number, 250)]).toEqual([null, { name: 'nfsd', exe: null, uid: 5 }]);
  });

  it('forgets those not seen for longest, and never reuses a number', () => {
    const root = fakeRoot({});
    const directory = new Directory(new Users(`${root}/passwd`));
    const owners = new SocketOwners(directory, procAt(`${root}/proc`), null, null, 8);
    const busy = owners.intern(1, 1, 5, 'busy', 0);
    const numbers = new Set([busy]);
    for (let pid = 2; pid < 100; pid++) {
      numbers.add(owners.intern(pid, pid, 5, 'brief', 0));
      expect(owners.intern(1, 1, 5, 'busy', 0)).toBe(busy);
    }
    expect(numbers.size).toBe(99);
    expect([...numbers].filter((number) => owners.has(number)).length).toBeLessThanOrEqual(8);
    expect([owners.has(2), owners.process(2, 1000), owners.has(99)]).toEqual([false, -1, true]);
    expect(owners.intern(2, 2, 5, 'brief', 0)).toBe(100);
  });

  it('learns a process again after the directory forgot it', () => {
    const { owners, directory, seen } = ownersOf(proc(10, 'wget', 500));
    const number = owners.intern(10, 10, 5, 'wget', 0);
    const before = owners.process(number, 0);
    directory.forgetApps([0]);
    expect(directory.process(before)).toBeUndefined();
    expect(seen(number, 1000)).toMatchObject({ name: 'wget', exe: '/bin/wget' });
    expect(owners.process(number, 1000)).not.toBe(before);
  });
});
