// What is left of root in the running program, thread by thread, and that the program still does all of its work with that.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Line, netnsObstacle, Pair, Running } from '../support/netns.ts';
import { Pty } from '../support/pty.ts';
import { type ThreadRights, threadRights } from '../support/thread-rights.ts';
import { attachedPrograms, heldPrograms } from '../support/traffic/attached-programs.ts';
import { type BuiltProgram, buildProgram } from '../support/traffic/built-program.ts';

const reason = netnsObstacle('curl', 'setpriv');
const SUDO = ['env', 'SUDO_UID=4242', 'SUDO_GID=4243', 'SUDO_USER=nmt-none'];
const INSPECTING = ['dac_read_search', 'sys_ptrace'];
const HELD = ['dac_read_search', 'net_raw', 'sys_ptrace'];
/** A server that answers whatever it is told with a page. */
const SERVER = `require('node:net').createServer((s) => s.on('error', () => {}).once('data', () => s.end('HTTP/1.0 200 OK\\r\\n\\r\\nx')))
  .listen(8000, '10.99.0.2', () => console.log('ready'));`;

interface Privileges {
  readonly user: string;
  readonly uid: number;
  readonly dropped: boolean;
  readonly kept: readonly string[];
  readonly note: string | null;
}

describe('privileges, live', () => {
  let program: BuiltProgram; // in a folder that only root may enter
  let pair: Pair;

  beforeAll(() => {
    if (reason === null) program = buildProgram();
  });
  afterAll(() => program?.close());
  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`privileges: ${reason}`);
    pair = new Pair();
    onTestFinished(() => pair.remove());
  });

  /** @param before words before the program's own */
  async function start(before: readonly string[], ...options: string[]): Promise<{ run: Running; pid: number }> {
    const words = [...before, process.execPath, program.bin, '--json', '--interval', '200ms', '-i', 'va', ...options];
    const child = pair.start(pair.near, words[0] as string, words.slice(1));
    const run = new Running(child);
    await run.until(() => run.samples.length > 1, `samples; it said: ${run.stderr}`);
    return { run, pid: child.pid as number };
  }
  const newest = (run: Running): Line => run.samples.at(-1) ?? run.last;
  const privilegesOf = (run: Running) => (newest(run).capture as unknown as { privileges: Privileges | null }).privileges;
  const curl = () =>
    spawnSync('ip', ['netns', 'exec', pair.near, 'curl', '-s', '-o', '/dev/null', 'http://10.99.0.2:8000/'], { timeout: 5000 })
      .status;
  /** Takes the interface away and gives it back; `lo` keeps the run alive meanwhile. */
  async function renew(run: Running): Promise<void> {
    pair.run(pair.near, 'ip link set va down; ip link set va up');
    pair.introduce();
    pair.run(pair.near, 'ip link del va');
    await run.until(() => (newest(run).capture.note ?? '').includes('va'), 'the interface to be missed');
    pair.link();
    await run.until(() => (newest(run).capture.note ?? '') === '', 'the interface to be back');
  }
  async function serve(): Promise<void> {
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
  }

  it('every thread is the one who called sudo, and has what it needs and no more', async () => {
    const { run, pid } = await start(SUDO);
    const threads = threadRights(pid);
    expect(threads.length).toBeGreaterThan(8);
    for (const thread of threads) {
      expect(thread).toMatchObject({ uids: [4242, 4242, 4242, 4242], gids: [4243, 4243, 4243, 4243], groups: [4243] });
      expect(thread).toMatchObject({ inheritable: [], ambient: [], noNewPrivs: true, seccomp: 2 });
      expect(thread.permitted).toEqual(thread.effective);
    }
    const [main, ...others] = threads.map(({ effective }) => effective);
    expect(main).toEqual(['net_raw']);
    const inspecting = others.filter((names) => names.length > 0);
    for (const names of inspecting) expect(names).toEqual(INSPECTING);
    // The thread that reads /proc, and for about a second the one of libc's that it has read an interpreter's arguments.
    expect(inspecting.length).toBeLessThanOrEqual(2);
    await expect
      .poll(() => threadRights(pid).filter(({ effective }) => effective.includes('sys_ptrace')), { timeout: 20_000 })
      .toHaveLength(1);
    expect(readFileSync(`/proc/${pid}/limits`, 'latin1')).toMatch(/Max core file size\s+0\s+0/);
    expect(privilegesOf(run)).toEqual({ user: 'nmt-none', uid: 4242, dropped: true, kept: HELD, note: null });
    await run.interrupt();
  });

  it('names 200 short curl with their path, in every state of the interface, and leaves nothing behind a hang-up', async () => {
    await serve();
    const { run, pid } = await start(SUDO, '-i', 'lo');
    const own = [...heldPrograms(pid)];
    expect(own.length).toBeGreaterThan(0);
    const curls = (path: boolean) =>
      newest(run).apps.filter((row) => row.app === 'curl' && (!path || (row as unknown as { exe: string | null }).exe !== null));
    const flows = (path: boolean) => curls(path).reduce((sum, row) => sum + row.flows, 0);
    for (let i = 0; i < 200; i++) expect(curl()).toBe(0);
    await run.until(() => flows(false) >= 200, 'all curls');
    expect([flows(false), flows(true)]).toEqual([200, 200]);

    await renew(run);
    expect(curl()).toBe(0);
    await run.until(() => flows(true) >= 201, 'a curl after it');

    const children = readdirSync(`/proc/${pid}/task`).map((tid) => readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1'));
    expect(children.join('').trim()).toBe('');
    process.kill(pid, 'SIGHUP');
    expect(await run.ended).toBe(129);
    let left = own;
    for (let i = 0; i < 100 && left.length > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const still = attachedPrograms();
      left = own.filter((id) => still.has(id));
    }
    expect(left).toEqual([]);
    expect(run.stderr).toBe('');
  });

  it('root that nobody called becomes nobody', async () => {
    const { run, pid } = await start(['env', '-u', 'SUDO_UID']);
    expect(new Set(threadRights(pid).flatMap(({ uids }) => uids))).toEqual(new Set([65_534]));
    expect(privilegesOf(run)).toMatchObject({ user: 'nobody', dropped: true, kept: HELD });
    await run.interrupt();
  });

  it('--drop-all keeps only what opens the interface again; owners are still named', async () => {
    await serve();
    const { run, pid } = await start(SUDO, '-i', 'lo', '--drop-all', '--user', 'nobody');
    expect(threadRights(pid).flatMap(({ permitted }) => permitted)).toEqual(['net_raw']);
    expect(privilegesOf(run)).toMatchObject({ user: 'nobody', kept: ['net_raw'] });
    expect(curl()).toBe(0);
    await run.until(() => newest(run).apps.some(({ app }) => app === 'curl'), 'the kernel to name it all the same');
    await renew(run);
    await run.interrupt();
  });

  it('--stay-root stays root, and says so', async () => {
    const { run, pid } = await start(SUDO, '--stay-root');
    expect(threadRights(pid)[0]).toMatchObject({ uids: [0, 0, 0, 0], seccomp: 0 });
    expect(privilegesOf(run)).toEqual({ user: 'root', uid: 0, dropped: false, kept: ['root'], note: '--stay-root' });
    await run.interrupt();
  });

  it('threads that save history and that read it hold nothing', async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-threads-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    chownSync(folder, 4242, 4243);
    const home = dirname(dirname(program.bin));
    chmodSync(home, 0o755); // a thread that is started later loads its code as the user
    onTestFinished(() => chmodSync(home, 0o700));
    const path = join(folder, 'history.sqlite');
    const { run, pid } = await start(SUDO, `--history=${path}`);
    const older = readdirSync(`/proc/${pid}/task`);
    let saving: ThreadRights | undefined;
    for (let tries = 0; saving === undefined && tries < 20; tries++) {
      pair.datagrams(pair.near, '10.99.0.2', 3); // what did not change is not saved
      process.kill(pid, 'SIGUSR1');
      // It begins with what the main thread has, while its code is loaded, and works for a few milliseconds only.
      for (let looks = 0; saving === undefined && looks < 20_000; looks++)
        saving = threadRights(pid, older).find(({ permitted }) => permitted.length === 0);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(saving).toMatchObject({ uids: [4242, 4242, 4242, 4242], permitted: [], effective: [], noNewPrivs: true, seccomp: 2 });
    await run.interrupt();
    expect(run.stderr).toBe('');

    const script = `
      const { readdirSync, readFileSync } = require('node:fs');
      (async () => {
        const dist = ${JSON.stringify(program.bin)}.replace('bin/netmon-tui.js', 'dist/');
        const { dropPrivileges } = await import(dist + 'privilege/drop.js');
        const { loadLibcCalls } = await import(dist + 'privilege/libc-calls.js');
        const { openHistory, readerThreads } = await import(dist + 'history/query/reader.js');
        const identity = { name: 'nmt-none', uid: 4242, gid: 4243, groups: [4243], by: 'sudo', note: '' };
        dropPrivileges({ platform: 'linux', identity, keep: ['net_raw', 'dac_read_search'], starts: false }, process, loadLibcCalls('linux'));
        const reader = await openHistory(${JSON.stringify(path)}, readerThreads({ dropsRights: true }));
        const { rows } = await reader.sql('SELECT COUNT(*) FROM connections', { rows: 1, timeoutMs: 9000 });
        const all = { app: null, domain: null, category: null, interface: null };
        const { series } = await reader.query({ ...all, from: 0, to: 60_000, by: 'app', filter: 'app~^a', top: 1, steps: 1 });
        const held = readdirSync('/proc/self/task').map((tid) => /^CapPrm:\\s*(\\w+)$/m.exec(readFileSync('/proc/self/task/' + tid + '/status', 'latin1'))[1]);
        console.log(JSON.stringify({ rows: rows.length, steps: series.rxBytes.length, holding: held.filter((mask) => !/^0+$/.test(mask)).length }));
        await reader.close();
      })();`;
    const text = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', cwd: `${import.meta.dirname}/../..` });
    expect(JSON.parse(text)).toEqual({ rows: 1, steps: 1, holding: 1 });
  });

  it('threads of history are fenced in its folder where the kernel has Landlock', ({ skip, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-fence-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'history'));
    writeFileSync(join(folder, 'outside'), 'x');
    writeFileSync(join(folder, 'history', 'h.sqlite'), 'x');
    const look = (mayWrite: boolean) => {
      const thread = `
        const { parentPort, workerData } = require('node:worker_threads');
        const { execFileSync } = require('node:child_process');
        const fs = require('node:fs');
        const koffi = require('koffi');
        (async () => {
          const { dist, folder, mayWrite } = workerData;
          const { fence } = await import(dist + 'privilege/landlock.js');
          const { dropThreadRights } = await import(dist + 'privilege/bare-thread.js');
          const libc = koffi.load('libc.so.6');
          const calls = { socket: libc.func('int socket(int, int, int)'), connect: libc.func('int connect(int, void*, int)') };
          await dropThreadRights({ path: folder + '/history/h.sqlite', mayWrite, owner: null });
          const said = {};
          const ask = (name, act) => { try { act(); said[name] = 'done'; } catch (error) { said[name] = error.code; } };
          ask('read inside', () => fs.readFileSync(folder + '/history/h.sqlite'));
          ask('list inside', () => fs.readdirSync(folder + '/history'));
          ask('write inside', () => { fs.writeFileSync(folder + '/history/h.sqlite.new', 'y'); fs.renameSync(folder + '/history/h.sqlite.new', folder + '/history/h.sqlite'); });
          ask('make a folder', () => fs.mkdirSync(folder + '/history/made'));
          ask('read outside', () => fs.readFileSync(folder + '/outside'));
          ask('write outside', () => fs.writeFileSync(folder + '/made', 'x'));
          ask('out by a name', () => fs.renameSync(folder + '/history/h.sqlite', folder + '/out'));
          ask('process', () => fs.readFileSync('/proc/' + process.ppid + '/environ'));
          ask('start', () => execFileSync('/bin/true'));
          const socket = calls.socket(2, 1, 0);
          said.connect = calls.connect(socket, Buffer.from([2, 0, 0, 1, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 16) < 0 ? koffi.errno() : 0;
          parentPort.postMessage({ version: fence([]), said });
        })();`;
      const script = `
        const { Worker } = require('node:worker_threads');
        const dist = ${JSON.stringify(program.bin)}.replace('bin/netmon-tui.js', 'dist/');
        const workerData = { dist, folder: ${JSON.stringify(folder)}, mayWrite: ${mayWrite} };
        const worker = new Worker(${JSON.stringify(thread)}, { eval: true, workerData });
        worker.on('message', (told) => console.log(JSON.stringify(told)));`;
      return JSON.parse(
        execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', cwd: `${import.meta.dirname}/../..` }),
      );
    };
    const { version, said } = look(true) as { version: number; said: Record<string, string | number> };
    if (version === 0) skip('this kernel has no Landlock');
    const [EACCES, ECONNREFUSED] = [13, 111];
    const refused = {
      'make a folder': 'EACCES',
      'read outside': 'EACCES',
      'write outside': 'EACCES',
      'out by a name': version === 1 ? 'EXDEV' : expect.stringMatching(/^(EXDEV|EACCES)$/),
      process: 'EACCES',
      start: 'EACCES',
      connect: version < 4 ? ECONNREFUSED : EACCES,
    };
    expect(said).toEqual({ 'read inside': 'done', 'list inside': 'done', 'write inside': 'done', ...refused });
    const reading = look(false) as { said: Record<string, string | number> };
    expect(reading.said).toEqual({ 'read inside': 'done', 'list inside': 'done', 'write inside': 'EACCES', ...refused });
  });

  it('in the folder of a history root does nothing for a user: no folder is made, no file is emptied or given away', async ({
    onTestFinished,
  }) => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-traps-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    const other = join(folder, 'other');
    writeFileSync(other, 'precious');
    const theirs = join(folder, 'theirs');
    mkdirSync(theirs);
    linkSync(other, join(theirs, 'h.sqlite.lock')); // macOS lets a user give a second name to any file
    chownSync(theirs, 4242, 4243);
    for (const path of [join(theirs, 'h.sqlite'), join(folder, 'made', 'h.sqlite')]) {
      const { run } = await start(SUDO, `--history=${path}`);
      expect(newest(run).capture).toMatchObject({
        history: { state: 'failing', note: expect.stringContaining('permission denied') },
      });
      await run.interrupt();
    }
    expect(readFileSync(other, 'utf8')).toBe('precious');
    expect(statSync(other).uid).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['other', 'theirs']);
  });

  it('root that stays root records as the user: a folder put aside for a link leads nowhere', async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-links-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    const [theirs, roots] = [join(folder, 'theirs'), join(folder, 'roots')];
    for (const each of [theirs, roots, join(theirs, 'history')]) mkdirSync(each);
    for (const each of [theirs, join(theirs, 'history')]) chownSync(each, 4242, 4243);
    const path = join(theirs, 'history', 'h.sqlite');
    const { run, pid } = await start(SUDO, '--stay-root', `--history=${path}`);
    expect(threadRights(pid)[0]).toMatchObject({ uids: [0, 0, 0, 0] });
    const saved = () => (newest(run).capture as unknown as { history: { state: string; saved_at: string | null } }).history;
    pair.datagrams(pair.near, '10.99.0.2', 3);
    await run.until(() => newest(run).total.tx_bytes > 0, 'something to record');
    for (let i = 0; i < 100 && saved().saved_at === null; i++) {
      process.kill(pid, 'SIGUSR1');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(saved()).toMatchObject({ state: 'recording', saved_at: expect.anything() });
    for (const name of readdirSync(join(theirs, 'history')))
      expect(statSync(join(theirs, 'history', name)), name).toMatchObject({ uid: 4242, gid: 4243 });
    renameSync(join(theirs, 'history'), join(theirs, 'aside'));
    symlinkSync(roots, join(theirs, 'history'));
    lchownSync(join(theirs, 'history'), 4242, 4243);
    pair.datagrams(pair.near, '10.99.0.2', 3);
    process.kill(pid, 'SIGUSR1');
    await run.until(() => saved().state === 'failing', 'the link to be refused');
    expect(readdirSync(roots)).toEqual([]);
    await run.interrupt();
    expect(readdirSync(roots)).toEqual([]);
    expect(run.stderr).toContain('permission denied');
  });

  it("root's own history is not kept where another user could exchange its folder", async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-own-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const own = join(folder, 'own');
    mkdirSync(own);
    chownSync(folder, 4242, 4243);
    const { run } = await start(['env', '-u', 'SUDO_UID'], `--history=${join(own, 'h.sqlite')}`);
    expect(newest(run).capture).toMatchObject({
      history: { state: 'failing', note: expect.stringContaining('put a link in its place') },
    });
    await run.interrupt();
    expect(readdirSync(own)).toEqual([]);
  });

  it("prune under sudo works as the user: a history of root's is not given away", async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-roots-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    chmodSync(folder, 0o755);
    const path = join(folder, 'h.sqlite');
    const { run } = await start(['env', '-u', 'SUDO_UID'], `--history=${path}`);
    pair.datagrams(pair.near, '10.99.0.2', 3);
    await run.until(() => newest(run).total.tx_bytes > 0, 'something to record');
    await run.interrupt();
    expect(statSync(path).uid).toBe(0);
    rmSync(`${path}.lock`);
    const words = [...SUDO, process.execPath, program.bin, 'prune', `--history=${path}`, '--older-than', '1d', '--yes'];
    const { status, stderr } = spawnSync(words[0] as string, words.slice(1), { encoding: 'utf8' });
    expect([status, statSync(path).uid, readdirSync(folder)]).toEqual([7, 0, ['h.sqlite']]);
    expect(stderr).toContain('permission denied');
  });

  it('a signal of another program of the user opens no debugger', async () => {
    const { run, pid } = await start(SUDO);
    const as = ['--reuid', '4242', '--regid', '4243', '--clear-groups', 'kill', '-USR1', String(pid)];
    expect(spawnSync('setpriv', as).status).toBe(0);
    const seen = run.samples.length;
    await run.until(() => run.samples.length > seen + 2, 'more samples');
    expect(pair.run(pair.near, 'cat /proc/net/tcp')).not.toMatch(/:240D 00000000:0000 0A/);
    expect(run.stderr).toBe('');
    await run.interrupt();
  });

  it('a signal before the first line opens no debugger either', async () => {
    const words = [...SUDO, process.execPath, program.bin, '--json', '--interval', '200ms', '-i', 'va'];
    const child = pair.start(pair.near, words[0] as string, words.slice(1));
    const run = new Running(child);
    let over = false;
    void run.ended.then(() => {
      over = true;
    });
    // From the moment at which Node itself catches the signal; what comes before that ends the process.
    for (let isCaught = false; !isCaught; ) {
      const caught = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? '0';
      isCaught = ((BigInt(`0x${caught}`) >> 9n) & 1n) === 1n;
    }
    process.kill(child.pid as number, 'SIGUSR1');
    await run.until(() => over || run.samples.length > 1, 'an end or samples');
    expect(pair.run(pair.near, 'cat /proc/net/tcp')).not.toMatch(/:240D 00000000:0000 0A/);
    if (over) expect([await run.ended, run.stderr]).toEqual([3, expect.stringContaining("a signal opened node's debugger")]);
    else await run.interrupt();
  });

  it("Node's options that let others in are refused as root, and to a user with capabilities", () => {
    const drop = ['setpriv', '--reuid', '4242', '--regid', '4243', '--clear-groups'];
    const hold = ['--inh-caps', '+net_raw', '--ambient-caps', '+net_raw'];
    const home = dirname(dirname(program.bin));
    chmodSync(home, 0o755);
    try {
      const run = (before: readonly string[], options: string) => {
        const words = [
          ...before,
          'env',
          'HOME=/nonexistent',
          `NODE_OPTIONS=${options}`,
          process.execPath,
          program.bin,
          '--once',
          '-r',
          '/dev/null',
        ];
        const { status, stderr } = spawnSync('ip', ['netns', 'exec', pair.near, ...words], { encoding: 'utf8' });
        return [status, /^netmon-tui: (.*)$/m.exec(stderr)?.[1]];
      };
      const refused = (option: string) => [3, `node's option ${option} is not allowed while the process has privileges`];
      expect(run([], '--inspect=0')).toEqual(refused('--inspect'));
      expect(run([...drop, ...hold], '--inspect=0')).toEqual(refused('--inspect'));
      expect(run([], '--import=data:text/javascript,0')).toEqual(refused('--import'));
      expect(run(drop, '--import=data:text/javascript,0')[0]).not.toBe(3);
    } finally {
      chmodSync(home, 0o700);
    }
  });

  it('no key is obeyed before root is given up: what is typed from the start is done as the user', async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    chownSync(folder, 4242, 4243);
    chmodSync(folder, 0o500); // root writes here all the same
    const home = dirname(dirname(program.bin));
    chmodSync(home, 0o755); // what exports is loaded when it is needed
    onTestFinished(() => chmodSync(home, 0o700));
    const env = ['env', '-C', folder, 'HOME=/nonexistent', `TMPDIR=${folder}`, 'TERM=xterm-256color', ...SUDO.slice(1)];
    const words = ['ip', 'netns', 'exec', pair.near, ...env, process.execPath, program.bin, '-i', 'va'];
    const pty = new Pty(words, { columns: 100, rows: 30, env: {} });
    onTestFinished(() => pty.end());
    for (let i = 0; i < 20; i++) pty.type('2e\r');
    await pty.until(() => /not exported: start in a folder/.test(pty.text), 'the export to be refused');
    expect(readdirSync(folder)).toEqual([]);
    pty.type('q');
    expect(await pty.status).toBe(0);
  });

  it('a key begins to record in the middle of a run: as the user, and from then on', async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-begin-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    chownSync(folder, 4242, 4243);
    const home = dirname(dirname(program.bin));
    chmodSync(home, 0o755); // what records is loaded when it is needed
    onTestFinished(() => chmodSync(home, 0o700));
    await serve();
    const env = ['env', `HOME=${folder}`, 'TERM=xterm-256color', ...SUDO.slice(1)];
    const words = ['ip', 'netns', 'exec', pair.near, ...env, process.execPath, program.bin, '-i', 'va', '--interval', '200ms'];
    const pty = new Pty(words, { columns: 120, rows: 30, env: {} });
    onTestFinished(() => pty.end());
    await pty.until(() => /curl/.test(pty.text) || curl() !== 0, 'what moves before');
    pty.type('8');
    await pty.until(() => /Nothing is recorded yet: w records from now on/.test(pty.text), 'the offer to record');
    pty.type('w');
    await pty.until(() => /recording from now on, into /.test(pty.text), 'the recording to begin');
    for (let i = 0; i < 7; i++) curl();
    pty.type('q');
    expect(await pty.status).toBe(0);
    const path = join(folder, '.local/share/netmon-tui/history.sqlite');
    expect(statSync(path)).toMatchObject({ uid: 4242, gid: 4243, mode: 0o100600 });
    const question = ['query', "SELECT COUNT(*) AS curls FROM flows WHERE app_name = 'curl'", '--csv', `--history=${path}`];
    expect(spawnSync(process.execPath, [program.bin, ...question], { encoding: 'utf8' }).stdout.trim()).toMatch(/^curls\s+7$/);
  });

  it('the child of the driver cap is the user with CAP_NET_RAW alone, filtered, also when it is started again', async ({
    skip,
    onTestFinished,
  }) => {
    try {
      createRequire(import.meta.url)('cap');
    } catch {
      skip('the package cap is not built');
    }
    const home = dirname(dirname(program.bin));
    chmodSync(home, 0o755); // a child that is started later loads its code as the user
    onTestFinished(() => chmodSync(home, 0o700));
    const { run, pid } = await start(SUDO, '--driver', 'cap');
    const children = () =>
      readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
        readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').trim().split(' '),
      );
    const child = () => Number(children().find((each) => each !== ''));
    const isBare = async () => {
      const first = child();
      const [main, ...others] = threadRights(first);
      for (const thread of [main as ThreadRights, ...others]) {
        expect(thread).toMatchObject({ uids: [4242, 4242, 4242, 4242], gids: [4243, 4243, 4243, 4243], groups: [4243] });
        expect(thread).toMatchObject({ noNewPrivs: true, seccomp: 2 });
        // Node's own threads keep what they were started with.
        for (const names of [thread.permitted, thread.effective, thread.inheritable, thread.ambient])
          expect(names.filter((name) => name !== 'net_raw')).toEqual([]);
      }
      expect(main).toMatchObject({ permitted: ['net_raw'], effective: ['net_raw'], inheritable: [], ambient: [], bounding: [] });
      return first;
    };
    const first = await isBare();
    const own = threadRights(pid)[0];
    expect(own).toMatchObject({
      permitted: ['net_raw'],
      inheritable: ['net_raw'],
      ambient: ['net_raw'],
      bounding: [],
      noNewPrivs: true,
      seccomp: 2,
    });
    expect(privilegesOf(run)).toMatchObject({ dropped: true, kept: HELD, note: null });
    pair.run(pair.near, 'ip link set va down');
    await run.until(() => (newest(run).capture.note ?? '').includes('va'), 'the interface to be missed');
    pair.run(pair.near, 'ip link set va up');
    await run.until(() => (newest(run).capture.note ?? '') === '', `the interface to be back; it said ${run.stderr}`);
    expect(await isBare()).not.toBe(first);
    pair.introduce();
    const seen = newest(run).total.tx_bytes;
    pair.datagrams(pair.near, '10.99.0.2', 3);
    await run.until(() => newest(run).total.tx_bytes > seen, 'what is sent then to be seen');
    await run.interrupt();
  });

  it('a user that does not exist is a mistake', () => {
    const words = ['netns', 'exec', pair.near, process.execPath, program.bin, '--json', '-i', 'va', '--user', 'nosuch'];
    const { status, stderr } = spawnSync('ip', words, { encoding: 'utf8' });
    expect([status, stderr.split('\n')[0]]).toEqual([2, 'netmon-tui: no such user: nosuch']);
  });

  it.each([false, true])('what was given up can not be had back (a driver starts children: %s)', (starts) => {
    const script = `
      const { readFileSync } = require('node:fs');
      (async () => {
        const dist = ${JSON.stringify(program.bin)}.replace('bin/netmon-tui.js', 'dist/privilege/');
        const { dropPrivileges } = await import(dist + 'drop.js');
        const { loadLibcCalls } = await import(dist + 'libc-calls.js');
        const koffi = (await import('koffi')).default;
        const libc = koffi.load('libc.so.6');
        const calls = {
          ptrace: libc.func('long ptrace(int, int, void*, void*)'), unshare: libc.func('int unshare(int)'),
          open_by_handle_at: libc.func('int open_by_handle_at(int, void*, int)'), setns: libc.func('int setns(int, int)'),
          socket: libc.func('int socket(int, int, int)'), ioctl: libc.func('int ioctl(int, unsigned long, void*)'),
          syscall: libc.func('long syscall(long, long, long, long, long, long)'),
        };
        const [CLONE, CLONE3, GETPID] = process.arch === 'x64' ? [56, 435, 39] : [220, 435, 172];
        const credentials = process;
        const identity = { name: 'nobody', uid: 65534, gid: 65534, groups: [65534], by: 'nobody', note: '' };
        dropPrivileges({ platform: 'linux', identity, keep: ['net_raw'], starts: ${starts} }, credentials, loadLibcCalls('linux'));
        const said = {};
        // All that is permitted made effective: by one capset(2), then by setuid(2) itself, which Node's own does not reach.
        const held = loadLibcCalls('linux').permitted();
        said.capset = loadLibcCalls('linux').setCapabilities(held, 0n);
        said.held = held.toString(16);
        const ask = (name, act) => { try { act(); said[name] = 'done'; } catch (error) { said[name] = error.code; } };
        const told = (name, ...args) => { said[name] = calls[name](...args) < 0 ? koffi.errno() : 0; };
        const raw = (name, ...args) => {
          const answer = Number(calls.syscall(...args, ...Array(6 - args.length).fill(0)));
          if (answer === 0) process.reallyExit(99); // the child of a clone that was not refused
          said[name] = answer < 0 ? koffi.errno() : 0;
        };
        raw('setuid itself', process.arch === 'x64' ? 105 : 146, 0);
        ask('setuid', () => process.setuid(0));
        ask('seteuid', () => process.seteuid(0));
        ask('setgid', () => process.setgid(0));
        ask('setgroups', () => process.setgroups([0]));
        ask('spawn', () => { const { error } = require('node:child_process').spawnSync('/bin/true'); if (error) throw error; });
        ask('write', () => require('node:fs').openSync('/etc/passwd', 'r+'));
        ask('memory', () => require('node:fs').openSync('/proc/' + process.ppid + '/mem', 'r+'));
        // What others hold open, by way of /proc: files without a name and in closed folders are written so.
        ask('descriptor', () => require('node:fs').openSync('/proc/' + process.ppid + '/fd/0', 'r+'));
        ask('folder', () => require('node:fs').readdirSync('/proc/' + process.ppid + '/cwd'));
        ask('file', () => require('node:fs').openSync('/etc/shadow', 'r'));
        told('ptrace', 16, process.ppid, null, null);
        told('open_by_handle_at', -100, Buffer.alloc(32), 0);
        told('unshare', 0x10000000);
        told('setns', 0, 0);
        told('socket', 38, 5, 0); // AF_ALG
        told('ioctl', 0, 0x5412, Buffer.from('x')); // TIOCSTI
        raw('clone', CLONE, 0x10000000 | 17); // CLONE_NEWUSER | SIGCHLD
        raw('clone3', CLONE3);
        if (process.arch === 'x64') raw('x32', 0x40000000 + GETPID);
        console.log(JSON.stringify(said));
      })();`;
    const text = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', cwd: `${import.meta.dirname}/../..` });
    const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
    expect(JSON.parse(text)).toEqual({
      capset: true,
      held: '2000',
      'setuid itself': EPERM,
      setuid: 'EPERM',
      seteuid: 'EPERM',
      setgid: 'EPERM',
      setgroups: 'EPERM',
      spawn: starts ? 'done' : 'EPERM',
      write: 'EACCES',
      memory: 'EACCES',
      descriptor: 'EACCES',
      folder: 'EACCES',
      file: 'EACCES',
      ptrace: EPERM,
      open_by_handle_at: EPERM,
      unshare: EPERM,
      setns: EPERM,
      socket: EAFNOSUPPORT,
      ioctl: EPERM,
      clone: EPERM,
      clone3: ENOSYS,
      ...(process.arch === 'x64' ? { x32: EPERM } : {}),
    });
  });
});
