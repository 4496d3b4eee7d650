// Whose child is a process that is gone when anybody looks: real trees, by the kernel's own events. docs/usage.md has a row for each.

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { ExecWatch as Watch } from '../../src/identify/process/linux/exec-watch.ts';
import type { LinuxLineage as Lineages } from '../../src/identify/process/linux/lineage.ts';
import type { StartClock as Starts } from '../../src/identify/process/start-clock.ts';
import type { Lineage } from '../../src/model/terms.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';

const reason = sayObstacle('live test of lineage');
const NOBODY = 65_534;
const SHORT_LIVES = 200;
const has = (program: string) => spawnSync('which', [program]).status === 0;

describe.skipIf(reason !== null)('lineage, live', () => {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-lineage-'));
  let watch: Watch;
  let lineages: Lineages;

  beforeAll(async () => {
    chmodSync(folder, 0o755);
    const load = async (name: string) =>
      import(pathToFileURL(join(inject('program').modules, `identify/process/${name}.js`)).href);
    const { LinuxLineage } = (await load('linux/lineage')) as { LinuxLineage: typeof Lineages };
    const { ExecWatch } = (await load('linux/exec-watch')) as { ExecWatch: typeof Watch };
    const { StartClock } = (await load('start-clock')) as { StartClock: typeof Starts };
    lineages = new LinuxLineage('/proc', new StartClock('/proc'));
    lineages.seed();
    watch = new ExecWatch('/proc', '/etc/passwd', lineages);
    await watch.opened();
    expect(watch.note).toBe('');
    watch.lower(~0n); // as with --stay-root: arguments are read from now on
  });
  afterAll(() => {
    watch?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a program to its end, whose output is pids. @returns its own pid, then those */
  function run(program: string, words: readonly string[], options: object = {}): number[] {
    const { pid, stdout, stderr, status } = spawnSync(program, words, { encoding: 'utf8', ...options });
    expect([status, stderr]).toEqual([0, '']);
    return [pid, ...stdout.split(/\s+/).filter(Boolean).map(Number)];
  }

  /** Facts and lineage of a process that is gone, once its beginning was heard. */
  async function gone(pid: number) {
    const facts = await vi.waitFor(() => {
      watch.refresh();
      const found = watch.facts(pid);
      if (found === undefined) throw new Error(`${pid} was not heard of`);
      return found;
    });
    return { ...facts, ...lineages.of(facts) };
  }

  /** The nearest ancestors down from a process, by name. */
  const below = ({ ancestors }: Lineage, pid: number) => {
    const from = ancestors.findIndex((each) => each.pid === pid);
    expect(from, `${pid} above`).toBeGreaterThanOrEqual(0);
    return ancestors.slice(from).map(({ name }) => name);
  };

  it(`${SHORT_LIVES} processes of a fraction of a millisecond`, async () => {
    const [shell = 0, ...pids] = run('sh', [
      '-c',
      `i=0; while [ $i -lt ${SHORT_LIVES} ]; do /bin/true $i & echo $!; i=$((i+1)); done; wait`,
    ]);
    expect(pids.length).toBe(SHORT_LIVES);
    let told = 0;
    for (const pid of pids) {
      const { ancestors } = await gone(pid);
      if (ancestors.at(-1)?.pid === shell) told++;
    }
    expect(told).toBe(SHORT_LIVES);
  });

  it('a parent that exits first', async () => {
    const [shell = 0, middle = 0, child = 0] = run('sh', [
      '-c',
      `sh -c 'echo $$; (sleep 0.3; exec env true) & echo $!'; sleep 0.6`,
    ]);
    const process = await gone(child);
    expect(below(process, shell).length).toBe(2);
    expect(process.ancestors.at(-1)?.pid).toBe(middle);
  });

  it('a daemon that forks twice and begins a session of its own', async () => {
    const [shell = 0, daemon = 0] = run('sh', [
      '-c',
      '( (setsid sh -c "echo \\$\\$; exec sleep 0.2 >/dev/null" &) & ); sleep 0.4',
    ]);
    const process = await gone(daemon);
    expect(process).toMatchObject({ name: 'sleep', session: daemon, command: 'sleep 0.2' });
    expect(below(process, shell).length).toBeGreaterThanOrEqual(3);
  });

  it('a setuid program that another user started', async () => {
    const copy = join(folder, 'setuid-sleep');
    copyFileSync('/bin/sleep', copy);
    chownSync(copy, 0, 0);
    chmodSync(copy, 0o4755);
    const [shell = 0, pid = 0] = run('sh', ['-c', `${copy} 0.1 & echo $!; wait`], { uid: NOBODY, gid: NOBODY });
    const process = await gone(pid);
    expect(process.ancestors.at(-1)?.pid).toBe(shell);
    expect(process).toMatchObject({ name: 'setuid-sleep', uid: 0, command: `${copy} 0.1` });
  });

  it.runIf(has('sudo'))('a program behind sudo', async () => {
    const [shell = 0, pid = 0] = run('sh', ['-c', 'sudo -u nobody sh -c "echo \\$\\$; exec /bin/true"']);
    expect(below(await gone(pid), shell)).toContain('sudo');
  });

  it('a process in namespaces of its own, which knows itself as 1', async () => {
    const [shell = 0, unshare = 0] = run('sh', [
      '-c',
      'unshare --pid --fork --mount-proc --net sh -c "[ \\$\\$ = 1 ] && exec sleep 0.1" & echo $!; wait',
    ]);
    const process = await vi.waitFor(() => {
      for (let pid = unshare + 1; pid < unshare + 64; pid++) {
        watch.refresh();
        const facts = watch.facts(pid);
        const found = facts?.name === 'sleep' ? lineages.of(facts) : null;
        if (found?.ancestors.at(-1)?.pid === unshare) return found;
      }
      throw new Error('not heard of');
    });
    expect(below(process, shell).length).toBe(2);
  });

  it('a child of a thread is a child of its process', async () => {
    const script = `
      const { Worker, isMainThread } = require('node:worker_threads');
      if (isMainThread) new Worker(__filename);
      else console.log(require('node:child_process').spawnSync('/bin/true').pid);`;
    const file = join(folder, 'threads.cjs');
    writeFileSync(file, script);
    const [node = 0, pid = 0] = run(process.execPath, [file]);
    expect((await gone(pid)).ancestors.at(-1)).toMatchObject({ pid: node, name: 'threads.cjs' });
  });

  it('a pid that another process has had', async ({ skip }) => {
    const [former = 0, pid = 0] = run('sh', ['-c', 'sleep 0.1 & echo $!; wait']);
    const first = await gone(pid);
    for (let tries = 0; tries < 40; tries++) {
      const script = 'echo $(($0 - 1)) > /proc/sys/kernel/ns_last_pid; sleep 0.03 & echo $!; wait';
      const [shell = 0, next] = run('sh', ['-c', script, String(pid)]);
      if (next !== pid) continue; // somebody else was faster
      const second = await vi.waitFor(async () => {
        const found = await gone(pid);
        expect(found.startTime).not.toBe(first.startTime);
        return found;
      });
      expect([first, second].map(({ ancestors }) => ancestors.at(-1)?.pid)).toEqual([former, shell]);
      expect([first, second].map((each) => lineages.of(each).ancestors.at(-1)?.pid)).toEqual([former, shell]);
      return;
    }
    skip('the pid could not be had again');
  });

  it('a program that becomes another, and that yet another', async () => {
    const [shell = 0, pid = 0] = run('sh', ['-c', `sh -c 'echo $$; exec sh -c "/bin/true; exec env sleep 0.1"'`]);
    const process = await vi.waitFor(async () => {
      const found = await gone(pid);
      expect(found).toMatchObject({ name: 'sleep', command: 'sleep 0.1' });
      return found;
    });
    expect(process.ancestors.filter((each) => each.pid === pid)).toEqual([]);
    expect(below(process, shell).length).toBe(1);
  });
});
