import { describe, expect, it } from 'vitest';
import { Directory, MAX_APPS, MAX_PROCESSES } from '../../../../src/identify/process/directory.ts';
import type { ProcessFacts } from '../../../../src/identify/process/process-facts.ts';
import { StartClock } from '../../../../src/identify/process/start-clock.ts';
import { Users } from '../../../../src/identify/process/users.ts';
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
  it('knows a process again, and another one with its number', () => {
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

  it('tells when a process began, to the second, and nothing where that is not known', () => {
    const root = fakeRoot({ 'proc/stat': 'cpu  1 2 3\ncpu0 1 2 3\nbtime 1769860800\nprocesses 99\n' });
    const started = (proc: string, startTime: number | null) => {
      const directory = new Directory(new Users('/nonexistent'), new StartClock(proc));
      return directory.process(directory.learn(facts(7, 'curl', { startTime })))?.startedAt;
    };
    expect(started(`${root}/proc`, 12_399)).toBe(1_769_860_923_000);
    expect(started(`${root}/proc`, null)).toBeNull();
    expect(started(root, 12_399)).toBeNull();
  });

  it('folds a process whose executable could not be read into the app of its name, whichever comes first', () => {
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

  it('leaves lists alone that a snapshot may hold, and bounds them', () => {
    const directory = make();
    directory.learn(facts(1, 'sh'));
    const held = directory.app(0)?.pids;
    for (let pid = 2; pid <= 200; pid++) directory.learn(facts(pid, 'sh', { startTime: pid }));
    expect(held).toEqual([1]);
    expect(directory.app(0)?.pids).toHaveLength(64);
    expect(directory.app(0)?.pids.at(-1)).toBe(200);
  });

  it('is bounded in apps: what comes beyond is one', () => {
    const directory = make();
    for (let i = 0; i < MAX_APPS + 10; i++) directory.learn(facts(i, `app${i}`));
    expect(directory.appCount).toBe(MAX_APPS + 1);
    const late = directory.process(directory.learn(facts(1, 'late')));
    expect(directory.app(late?.app ?? -1)?.name).toBe('(more apps)');
    expect(directory.app(directory.process(directory.learn(facts(0, 'app0')))?.app ?? -1)?.name).toBe('app0');
  });

  it('is bounded in processes: what comes beyond stays with its app', () => {
    const directory = make();
    for (let i = 0; i < MAX_PROCESSES + 100; i++) directory.learn(facts(i, i % 2 === 0 ? 'even' : 'odd', { startTime: i }));
    const late = directory.process(directory.learn(facts(9_999_999, 'odd')));
    expect(directory.app(late?.app ?? -1)?.name).toBe('odd');
    expect(directory.process(MAX_PROCESSES)).toBeUndefined();
  });
});
