import { afterAll, describe, expect, it } from 'vitest';
import { Directory, Users } from '../../../src/identify/process/directory.ts';
import type { Proc } from '../../../src/identify/process/linux/procfs/proc.ts';
import type { ProcessFacts } from '../../../src/identify/process/process-facts.ts';
import type { Publisher } from '../../../src/model/terms.ts';
import { type Executable, unknownPublisher } from '../../../src/publisher/package-search.ts';
import { Publishers, publisherSource } from '../../../src/publisher/publishers.ts';
import { fakeEdges, removeFakeRoots } from '../../support/fake-edges.ts';

/** /proc with these links and files by pid. */
function fakeProc(processes: Record<number, { exe: string; file: string }>): Proc {
  return {
    path: '/proc',
    exe: (pid) => processes[pid]?.exe ?? null,
    file: (pid) => processes[pid]?.file ?? '',
    sockets: () => [],
    namespace: () => '',
  };
}

function room(proc: Proc | null) {
  const directory = new Directory(new Users('/nonexistent'));
  const asked: Executable[][] = [];
  const marked: number[] = [];
  let answer = (_: Executable): Publisher => ({ ...unknownPublisher(''), kind: 'package', name: 'p' });
  const publishers = new Publishers(
    directory,
    proc,
    {
      find: async (executables) => {
        asked.push([...executables]);
        return executables.map((each) => answer(each));
      },
      digest: async ({ path, file }) => `hash of ${path} ${file}`,
    },
    (processes) => marked.push(...processes),
  );
  const learn = (pid: number, exe: string | null, unit: string | null = null) =>
    directory.learn({ pid, name: 'x', exe, uid: 0, parentPid: 1, startTime: pid, script: null, unit } satisfies ProcessFacts);
  const of = (id: number) => directory.process(id)?.publisher ?? null;
  const turns = async (from: number, to: number) => {
    for (let now = from; now <= to; now += 250) {
      publishers.work(now);
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return {
    directory,
    publishers,
    asked,
    marked,
    learn,
    of,
    turns,
    answers: (by: typeof answer) => {
      answer = by;
    },
  };
}

afterAll(removeFakeRoots);

describe('publishers', () => {
  it('are asked for once for each executable, and told to all of its processes and their apps', async () => {
    const { directory, asked, marked, learn, of, turns } = room(
      fakeProc({ 1: { exe: '/a', file: '8.1:1' }, 2: { exe: '/a', file: '8.1:1' } }),
    );
    const ids = [learn(1, '/a'), learn(2, '/a')];
    await turns(0, 750);
    expect(asked).toEqual([]); // the first frame comes first
    await turns(1000, 2000);
    expect(asked).toEqual([[{ path: '/a', file: '8.1:1' }]]);
    expect(ids.map((id) => of(id)?.name)).toEqual(['p', 'p']);
    expect(directory.app(directory.process(0)?.app ?? -1)?.processes.map(({ publisher }) => publisher?.name)).toEqual(['p', 'p']);
    const late = learn(3, '/a');
    const other = learn(4, '/b');
    await turns(2250, 4500);
    expect(asked.slice(1)).toEqual([
      [
        { path: '/a', file: '' },
        { path: '/b', file: '' },
      ],
    ]); // gone: by their paths
    expect([of(late)?.name, of(other)?.name]).toEqual(['p', 'p']);
    expect(marked).toEqual([...ids, late, other]);
  });

  it('tell files apart that have the same path', async () => {
    const { asked, learn, turns } = room(fakeProc({ 1: { exe: '/a', file: '8.1:1' }, 2: { exe: '/a', file: '8.1:2' } }));
    learn(1, '/a');
    learn(2, '/a');
    await turns(0, 2000);
    expect(asked).toEqual([
      [
        { path: '/a', file: '8.1:1' },
        { path: '/a', file: '8.1:2' },
      ],
    ]);
  });

  it('are unknown, with the reason, where a path says nothing of this system', async () => {
    const proc = fakeProc({ 1: { exe: '/a (deleted)', file: '8.1:1' }, 4: { exe: '/other', file: '8.1:4' } });
    const { asked, learn, of, turns } = room(proc);
    const ids = [
      learn(1, '/a'),
      learn(2, '/usr/bin/curl', 'docker 0123456789ab'),
      learn(3, '/app/bin/maps'),
      learn(5, 'relative'),
    ];
    await turns(0, 2000);
    expect(asked).toEqual([]);
    expect(ids.map((id) => [of(id)?.kind, of(id)?.note])).toEqual([
      ['unknown', expect.stringContaining('replaced or removed')],
      ['unknown', 'in a container, which has files of its own'],
      ['unknown', expect.stringContaining('flatpak')],
      ['unknown', 'its path is unknown'],
    ]);
    // Another process has its pid by now.
    const reused = learn(4, '/a');
    await turns(2250, 4000);
    expect(asked).toEqual([[{ path: '/a', file: '' }]]);
    expect(of(reused)?.name).toBe('p');
  });

  it('are nobody where a program runs from memory', async () => {
    const { asked, learn, of, turns } = room(fakeProc({ 1: { exe: '/memfd:x (deleted)', file: '0.1:1' } }));
    const id = learn(1, '/memfd:x');
    await turns(0, 1000);
    expect([asked, of(id)?.kind, of(id)?.note]).toEqual([[], 'unpackaged', 'it runs from memory, without a file']);
  });

  it('wait for an executable that becomes known late', async () => {
    const { directory, asked, learn, of, turns } = room(null);
    const id = learn(7, null);
    await turns(0, 2000);
    expect(asked).toEqual([]);
    const process = directory.process(id);
    if (process !== undefined)
      directory.complete(id, { ...process, exe: '/Applications/X.app/Contents/MacOS/X', lineage: process });
    await turns(2250, 3500);
    expect(asked).toEqual([[{ path: '/Applications/X.app/Contents/MacOS/X', file: '' }]]);
    expect(of(id)?.name).toBe('p');
  });

  it('bound what waits, what is asked at once and what is looked at', async () => {
    const { asked, learn, turns } = room(fakeProc({}));
    for (let pid = 1; pid <= 5000; pid++) learn(pid, `/bin/${pid}`);
    await turns(0, 1250);
    expect(asked.map(({ length }) => length)).toEqual([16]);
    await turns(1500, 400_000);
    expect(Math.max(...asked.map(({ length }) => length))).toBeLessThanOrEqual(64);
    expect(asked.flat().length).toBe(4096);
  });

  it('compute a SHA-256 when asked, beside what is known', async () => {
    const { publishers, learn, of, turns } = room(
      fakeProc({ 1: { exe: '/a', file: '8.1:1' }, 2: { exe: '/b (deleted)', file: '8.1:2' } }),
    );
    const ids = [learn(1, '/a'), learn(2, '/b'), learn(3, null), learn(4, '/c', 'podman 0123456789ab')];
    await turns(0, 2000);
    expect(ids.map((id) => publishers.digest(id))).toEqual([
      null,
      expect.stringContaining('replaced or removed'),
      'its executable is unknown',
      'its executable is in a container, which has files of its own',
    ]);
    expect(publishers.digest(99)).toBe('that process is gone');
    await turns(2250, 2500);
    expect(of(0)).toMatchObject({ kind: 'package', name: 'p', digest: 'hash of /a 8.1:1' });
  });
});

describe('on a Mac', () => {
  const programs = { 'codesign --display -vv /x': { status: 1, stderr: '/x: code object is not signed at all\n' } };
  // What the run reaches may run as root, through the child that keeps it.
  const edges = fakeEdges({ platform: 'darwin', euid: 0, programs });

  it('codesign reads an executable as the user, and not as root', async () => {
    const asked = [{ path: '/x', file: '' }];
    expect(await publisherSource(edges, () => true).find(asked)).toMatchObject([
      { kind: 'unknown', note: 'codesign is not run as root' },
    ]);
    expect(edges.ran).toEqual([]);
    expect(await publisherSource(edges, () => false).find(asked)).toMatchObject([{ kind: 'unsigned' }]);
  });

  it('root reads no executable that others could have put there', async () => {
    expect(await publisherSource(edges, () => true).digest({ path: '/x', file: '' })).toMatch(/^not read: as root/);
  });
});
