// Who made the programs that run here: real processes, the kernel's word on which file they execute, and the packages of this system.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Users as AllUsers, Directory as Processes } from '../../src/identify/process/directory.ts';
import type { ExecWatch as Watch } from '../../src/identify/process/linux/exec-watch.ts';
import type { Publisher } from '../../src/model/terms.ts';
import type { Publishers as All, publisherSource as sourceOf } from '../../src/publisher/publishers.ts';
import type { systemEdges as edgesOf } from '../../src/system/programs.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';

const reason =
  sayObstacle('live test of publishers') ?? (existsSync('/var/lib/dpkg/status') ? null : 'dpkg has no packages here');

describe.skipIf(reason !== null)('publishers, live', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-publisher-'));
  const sleep = realpathSync('/usr/bin/sleep');
  const children: ChildProcess[] = [];
  let watch: Watch;
  let directory: Processes;
  let publishers: All;
  let now = 0;

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    const load = async (name: string) => import(pathToFileURL(join(inject('program').modules, `${name}.js`)).href);
    const { ExecWatch } = (await load('identify/process/linux/exec-watch')) as { ExecWatch: typeof Watch };
    const { Directory, Users } = (await load('identify/process/directory')) as {
      Directory: typeof Processes;
      Users: typeof AllUsers;
    };
    const { Publishers, publisherSource } = (await load('publisher/publishers')) as {
      Publishers: typeof All;
      publisherSource: typeof sourceOf;
    };
    const { systemEdges } = (await load('system/programs')) as { systemEdges: typeof edgesOf };
    watch = new ExecWatch('/proc', '/etc/passwd', null);
    await watch.opened();
    directory = new Directory(new Users('/etc/passwd'));
    publishers = new Publishers(directory, watch, publisherSource(systemEdges()), () => {});
    publishers.work(now);
  });
  afterAll(() => {
    publishers?.close();
    watch?.close();
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts a program that stays, and meets it. @returns its number and pid */
  async function met(program: string, words: readonly string[], exe = program): Promise<[id: number, pid: number]> {
    const child = spawn(program, words, { stdio: 'ignore' });
    children.push(child);
    const pid = child.pid ?? 0;
    await vi.waitFor(() => expect(watch.exe(pid)).toBe(exe));
    const facts = { pid, name: 'sleep', exe, uid: 0, parentPid: process.pid, startTime: pid, script: null, unit: null };
    return [directory.learn(facts), pid];
  }

  async function publisherOf(id: number): Promise<Publisher> {
    return vi.waitFor(
      () => {
        now += 2000;
        publishers.work(now);
        const { publisher } = directory.process(id) ?? {};
        if (publisher == null) throw new Error('not known yet');
        return publisher;
      },
      { timeout: 20_000, interval: 50 },
    );
  }

  it('the package that owns a program, and none', async () => {
    const own = join(folder, 'own');
    copyFileSync(sleep, own);
    const ids = [await met(sleep, ['60']), await met(own, ['60'])].map(([id]) => id);
    const version = spawnSync('dpkg-query', ['-W', '-f', `\${Version}`, 'coreutils'], { encoding: 'utf8' }).stdout;
    expect(await publisherOf(ids[0] as number)).toMatchObject({
      kind: 'package',
      name: 'coreutils',
      version,
      source: 'dpkg',
      note: null,
    });
    expect(await publisherOf(ids[1] as number)).toMatchObject({ kind: 'unpackaged', name: null });
  });

  it('nobody, where the file at the path is another', async () => {
    const other = join(folder, 'other');
    copyFileSync(sleep, other);
    // What it executes is the copy; the path says /usr/bin/sleep.
    const [mounted] = await met('unshare', ['-m', 'sh', '-c', `mount --bind ${other} ${sleep} && exec ${sleep} 60`], sleep);
    const removed = join(folder, 'removed');
    copyFileSync(sleep, removed);
    const [gone] = await met(removed, ['60']);
    rmSync(removed);
    for (const id of [mounted, gone])
      expect(await publisherOf(id)).toMatchObject({ kind: 'unknown', note: expect.stringContaining('replaced or removed') });
  });

  it('the SHA-256 of what a process executes', async () => {
    const own = join(folder, 'summed');
    copyFileSync(sleep, own);
    const [id] = await met(own, ['60']);
    await publisherOf(id);
    expect(publishers.digest(id)).toBeNull();
    const expected = spawnSync('sha256sum', [own], { encoding: 'utf8' }).stdout.slice(0, 64);
    await vi.waitFor(() => expect(directory.process(id)?.publisher?.digest).toBe(expected), { timeout: 20_000 });
  });
});
