import { describe, expect, it } from 'vitest';
import { Directory, MAX_APPS, MAX_PROCESSES, SPARE_PROCESSES, Users } from '../../../../src/identify/process/directory.ts';
import type { ProcessFacts } from '../../../../src/identify/process/process-facts.ts';
import { StartClock } from '../../../../src/identify/process/start-clock.ts';
import { NO_LINEAGE, type Process } from '../../../../src/model/terms.ts';
import { fakeRoot } from '../../../support/fake-edges.ts';

const facts = (pid: number, name: string, more: Partial<ProcessFacts> = {}): ProcessFacts => ({
  pid,
  name,
  exe: `/bin/${name}`,
  uid: 0,
  parentPid: 1,
  startTime: 1,
  script: null,
  unit: null,
  ...more,
});
const make = () => new Directory(new Users('/nonexistent'));

describe('Directory', () => {
  it('recognises a process, and tells another one with the same pid apart', () => {
    const directory = make();
    const first = directory.learn(facts(7, 'curl'));
    expect(directory.learn(facts(7, 'curl'))).toBe(first);
    const reused = directory.learn(facts(7, 'curl', { startTime: 2 }));
    const changed = directory.learn(facts(7, 'wget'));
    expect(new Set([first, reused, changed]).size).toBe(3);
    expect([directory.process(first)?.app, directory.process(reused)?.app]).toEqual([0, 0]);
    expect(directory.process(changed)).toMatchObject({ pid: 7, name: 'wget', app: 1, user: '0' });
    expect(directory.process(99)).toBeUndefined();
  });

  it('knows the messenger of the run by its pid, whatever it is called, and only while it runs', () => {
    let messenger = 7;
    const directory = new Directory(new Users('/nonexistent'), null, null, null, (pid) => pid === messenger);
    const nameOf = (...args: Parameters<typeof facts>) => {
      const app = directory.process(directory.learn(facts(...args)))?.app ?? -1;
      return directory.app(app)?.name;
    };
    expect(nameOf(7, 'node', { exe: null })).toBe('netmon-tui (sender)');
    expect(nameOf(7, 'netmon-tui', { exe: '/opt/netmon-tui' })).toBe('netmon-tui (sender)');
    expect(nameOf(8, 'node')).toBe('node');
    messenger = -1;
    expect(nameOf(7, 'node', { startTime: 9 })).toBe('node');
  });

  it('recognises a process by either truncation of its name, even in the middle of a letter', () => {
    for (const [short, long] of [
      ['Google Chrome H', 'Google Chrome He'],
      ['aaaaaaaaaaaaaa\ufffd', 'aaaaaaaaaaaaaaé'],
      ['aaaaaaaaaaaaa\ufffd', 'aaaaaaaaaaaaa\ufffd'],
      ['aaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaa\ufffd'],
    ] as const) {
      const directory = make();
      const first = directory.learn(facts(7, short, { exe: null }));
      expect([directory.learn(facts(7, long, { exe: null })), directory.learn(facts(8, long, { exe: null }))]).toEqual([
        first,
        1,
      ]);
    }
    const directory = make();
    const names = ['bash', 'bas', 'a-name-of-15-letx', 'a-name-of-15-lety', 'a-name-of-15-le'];
    expect(new Set(names.map((name) => directory.learn(facts(7, name, { exe: null })))).size).toBe(5);
  });

  it('takes a longer form of a truncated name only while nothing else is known', () => {
    const directory = make();
    const id = directory.learn(facts(7, 'Google Chrome H', { exe: null }));
    expect(directory.lengthen(id, 'Google Chrome')).toBe(false);
    expect(directory.lengthen(id, 'Google Chrome X and more')).toBe(false);
    expect(directory.lengthen(id, 'Google Chrome He')).toBe(true);
    expect(directory.process(id)?.name).toBe('Google Chrome He');
    directory.complete(id, {
      name: 'Google Chrome Helper',
      exe: '/x',
      uid: 1,
      parentPid: 1,
      startedAt: null,
      lineage: NO_LINEAGE,
    });
    expect(directory.lengthen(id, 'Google Chrome Helper and more')).toBe(false);
  });

  it('gives a process’s start in whole seconds, or none if unknown', () => {
    const root = fakeRoot({ 'proc/stat': 'cpu  1 2 3\ncpu0 1 2 3\nbtime 1769860800\nprocesses 99\n' });
    const started = (proc: string, startTime: number | null) => {
      const directory = new Directory(new Users('/nonexistent'), new StartClock(proc));
      return directory.process(directory.learn(facts(7, 'curl', { startTime })))?.startedAt;
    };
    expect(started(`${root}/proc`, 12_399)).toBe(1_769_860_923_000);
    expect(started(`${root}/proc`, null)).toBeNull();
    expect(started(root, 12_399)).toBeNull();
  });

  it('folds a process with an unreadable executable into the app with its name, in either order', () => {
    const directory = make();
    directory.learn(facts(1, 'curl', { exe: null }));
    directory.learn(facts(2, 'curl', { exe: '/usr/bin/curl' }));
    directory.learn(facts(3, 'curl', { exe: null }));
    directory.learn(facts(4, 'curl', { exe: '/opt/curl' }));
    expect(directory.app(0)).toMatchObject({ name: 'curl', exe: '/usr/bin/curl', pids: [1, 2, 3], processCount: 3 });
    expect(directory.app(1)).toMatchObject({ exe: '/opt/curl', pids: [4] });
    expect(directory.app(0)?.processes.map(({ exe }) => exe)).toEqual([null, '/usr/bin/curl', null]);
  });

  it('folds processes of one executable and user into an app', () => {
    const directory = make();
    for (const pid of [1, 2, 3]) directory.learn(facts(pid, 'firefox'));
    directory.learn(facts(4, 'firefox', { uid: 5 }));
    expect(directory.appCount).toBe(2);
    expect(directory.app(0)).toMatchObject({ name: 'firefox', exe: '/bin/firefox', user: '0', pids: [1, 2, 3] });
    expect(directory.app(1)).toMatchObject({ user: '5', pids: [4] });
  });

  it('doesn’t change lists that a snapshot may hold, and limits their length', () => {
    const directory = make();
    directory.learn(facts(1, 'sh'));
    const held = directory.app(0)?.pids;
    for (let pid = 2; pid <= 200; pid++) directory.learn(facts(pid, 'sh', { startTime: pid }));
    expect(held).toEqual([1]);
    expect(directory.app(0)?.pids).toHaveLength(64);
    expect(directory.app(0)?.pids.at(-1)).toBe(200);
  });

  it('limits apps, and puts all further ones into one', () => {
    const directory = make();
    for (let i = 0; i < MAX_APPS + 10; i++) directory.learn(facts(i, `app${i}`));
    expect(directory.appCount).toBe(MAX_APPS + 1);
    const late = directory.process(directory.learn(facts(1, 'late')));
    expect(directory.app(late?.app ?? -1)?.name).toBe('(more apps)');
    expect(directory.app(directory.process(directory.learn(facts(0, 'app0')))?.app ?? -1)?.name).toBe('app0');
  });

  it('limits processes, and leaves further ones with their app', () => {
    const directory = make();
    for (let i = 0; i < MAX_PROCESSES + 100; i++) directory.learn(facts(i, i % 2 === 0 ? 'even' : 'odd', { startTime: i }));
    const late = directory.process(directory.learn(facts(9_999_999, 'odd')));
    expect(directory.app(late?.app ?? -1)?.name).toBe('odd');
    expect(directory.process(MAX_PROCESSES)).toBeUndefined();
  });

  it('forgets processes without flows except the newest, and recognises them when they return', () => {
    const directory = make();
    const daemon = directory.learn(facts(1, 'daemon'));
    const held = directory.learn(facts(2, 'ssh'));
    directory.learn(facts(3, 'ssh', { startTime: 2 }));
    expect(directory.hasManyProcesses).toBe(false);
    let most = 0;
    for (let i = 0; i < 100_000; i++) {
      directory.learn(facts(10 + i, 'make', { startTime: i }));
      if (directory.hasManyProcesses) directory.forgetProcesses((id) => id === held);
      most = Math.max(most, directory.processCount);
    }
    expect(most).toBeLessThanOrEqual(3 * SPARE_PROCESSES);
    expect(directory.process(held)).toMatchObject({ pid: 2, name: 'ssh' });
    expect(directory.process(directory.end - 1)).toMatchObject({ pid: 100_009 });
    expect(directory.process(daemon)).toMatchObject({ name: 'daemon' }); // its app has no other
    expect(directory.process(directory.end - 90_000)).toBeUndefined();
    const make1 = directory.learn(facts(11, 'make', { startTime: 1 }));
    expect(make1).toBe(directory.end - 1);
    expect(directory.process(make1)).toMatchObject({ pid: 11, app: 2 });
    const app = directory.app(2);
    const again = app?.processes.at(-2) as Process;
    directory.forgetProcesses(() => false);
    for (let i = 0; i < 2 * SPARE_PROCESSES; i++) directory.learn(facts(200_000 + i, 'cc', { startTime: i }));
    directory.forgetProcesses(() => false);
    expect(directory.process(again.id)).toBeUndefined();
    const count = app?.processCount;
    directory.learn(facts(again.pid, 'make', { startTime: again.pid - 10 }));
    expect(directory.app(2)?.processCount).toBe(count);
    expect(directory.app(2)?.pids.filter((pid) => pid === again.pid)).toHaveLength(1);
  });

  it('gives the slot of a forgotten app to another one', () => {
    const directory = new Directory(new Users('/nonexistent'), null, null, null, undefined, 8);
    const ids = Array.from({ length: 8 }, (_, i) => directory.learn(facts(i, `app${i}`)));
    expect(directory.appsAreNearlyFull).toBe(true);
    const before = directory.app(3);
    directory.forgetApps([3, 4]);
    expect([directory.app(3), directory.process(ids[3] as number), directory.appCount]).toEqual([undefined, undefined, 6]);
    const late = directory.process(directory.learn(facts(90, 'late')))?.app ?? -1;
    expect([3, 4]).toContain(late);
    expect([before?.name, directory.app(late)?.name, directory.app(late)?.pids]).toEqual(['app3', 'late', [90]]);
    const back = directory.process(directory.learn(facts(3, 'app3')))?.app ?? -1;
    expect([3, 4]).toContain(back);
    expect(directory.app(back)).toMatchObject({ name: 'app3', processCount: 1 });
  });
});
