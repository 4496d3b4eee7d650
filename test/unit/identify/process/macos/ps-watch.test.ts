import { describe, expect, it } from 'vitest';
import { Aggregator, LIVE_LIMITS } from '../../../../../src/aggregate/aggregator.ts';
import type { ParentOf } from '../../../../../src/identify/process/macos/libproc.ts';
import { PsWatch } from '../../../../../src/identify/process/macos/ps-watch.ts';
import { NO_LINEAGE } from '../../../../../src/model/terms.ts';
import { flowRoom, programs, turns } from '../polled.ts';

const PS = 'ps -axww -o pid=,ppid=,uid=,tty=,lstart=,comm=';
const BUNDLE = '/Applications/Google Chrome.app/Contents';
const CHROME = `${BUNDLE}/MacOS/Google Chrome`;
const HELPER = `${BUNDLE}/Frameworks/Google Chrome Framework.framework/Versions/131.0/Helpers/Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper`;

/** A machine on which ps prints these processes. */
function setUp(list: (args: string) => string, paths: Record<number, string> = {}, parentOf: ParentOf = () => null) {
  const edges = programs({ ps: (args) => ({ stdout: list(args) }) });
  const room = flowRoom();
  const watch = new PsWatch(room.flows, room.directory, edges, (pid) => paths[pid] ?? null, parentOf);
  const learn = (pid: number, name: string): number =>
    room.directory.learn({ pid, name, exe: null, uid: null, parentPid: null, startTime: null, script: null, unit: null });
  const app = (id: number) => room.directory.app(room.directory.process(id)?.app ?? -1);
  return { ...room, edges, watch, learn, app };
}

describe('PsWatch', () => {
  it('folds helpers under their bundle, with user and parent', async () => {
    const { watch, learn, app, directory } = setUp(
      () =>
        `  1  0  0 /sbin/launchd\n 700 1 501 ${CHROME}\n 793 700 501 Sat Jan 31 12:00:01 2026     ${HELPER}\n 794 700 501 ${HELPER}\n 42 1 0 /usr/bin/curl\n`,
    );
    const ids = [
      learn(700, 'Google Chrome'),
      learn(793, 'Google Chrome He'),
      learn(794, 'Google Chrome H'),
      learn(42, 'curl'),
    ] as const;
    const [main, helper, other, curl] = ids;
    await turns(watch, 0);
    expect(new Set([app(main), app(helper), app(other)]).size).toBe(1);
    expect(app(main)).toMatchObject({
      name: 'Google Chrome',
      exe: '/Applications/Google Chrome.app',
      user: 'anna',
      pids: [700, 793, 794],
    });
    expect(directory.process(helper)).toMatchObject({
      id: helper,
      pid: 793,
      name: 'Google Chrome Helper',
      exe: HELPER,
      uid: 501,
      user: 'anna',
      parentPid: 700,
      startedAt: Date.UTC(2026, 0, 31, 12, 0, 1),
      command: null,
    });
    const above = directory.process(helper)?.ancestors.map(({ pid, name }) => `${name} ${pid}`);
    expect(above?.at(-1)).toBe('Google Chrome 700');
    expect(app(curl)).toMatchObject({ name: 'curl', exe: '/usr/bin/curl', user: 'root', pids: [42] });
  });

  it('moves booked bytes, and removes the pid from its old app', async () => {
    const { watch, learn, flows, directory, open } = setUp(() => `793 1 501 ${HELPER}\n801 1 0 /usr/sbin/mDNSResponder\n`);
    const aggregator = new Aggregator({ flows, directory, started: 0, seed: 1 });
    const tick = () =>
      aggregator.tick({ time: 1, intervalMs: 1000, capture: {} as never, interfaces: [], gaps: [] }, LIVE_LIMITS);
    const helper = learn(793, 'Google Chrome He');
    const before = directory.process(helper)?.app ?? -1;
    const row = open({ bytes: 700 });
    const local = open({ src: '127.0.0.1', dst: '127.0.0.1', bytes: 300 });
    flows.own(row, helper, 'exact');
    flows.own(local, learn(801, 'mDNSResponder'), 'exact');
    flows.ownPeer(local, helper);
    const booked = () => tick().apps.map((each) => [each.app, each.rxBytes + each.txBytes, each.pids]);
    expect(booked()).toEqual([
      ['Google Chrome He', 1000, [793]],
      ['mDNSResponder', 300, [801]],
    ]);
    await turns(watch, 0);
    expect(booked().sort()).toEqual([
      ['Google Chrome', 1000, [793]],
      ['mDNSResponder', 300, [801]],
    ]);
    expect(directory.app(before)?.pids).toEqual([]);
    const rows = tick().flows;
    expect(rows.map((each) => [each.app, each.peerApp])).toEqual([
      ['Google Chrome', null],
      ['mDNSResponder', 'Google Chrome'],
    ]);
  });

  it('skips a pid that is another process’s by now', async () => {
    const { watch, learn, directory } = setUp(
      () => '10 1 0 /bin/bash\n11 1 0 /sbin/shutdown\n12 1 0 /Applications/Google Chrome Canary.app/Contents/MacOS/x\n',
    );
    const ids = [learn(10, 'curl'), learn(11, 'sh'), learn(12, 'Google Chrome He'), learn(13, 'gone')];
    await turns(watch, 0);
    for (const id of ids) expect(directory.process(id)).toMatchObject({ exe: null, uid: null });
  });

  it.each([
    ['-zsh', 'zsh', 'zsh'],
    ['./tool', 'tool', 'tool'],
    ['node', 'node', 'node'],
  ])('learns the user of what was started as %s', async (comm, short, name) => {
    const { watch, learn, directory, app } = setUp(() => `20 7 501 ${comm}\n`);
    const id = learn(20, short);
    await turns(watch, 0);
    expect(directory.process(id)).toMatchObject({ name, exe: null, user: 'anna', parentPid: 7 });
    expect(app(id)).toMatchObject({ name, user: 'anna', pids: [20] });
  });

  it('trusts the kernel about the executable, not the arguments or the title of a process', async () => {
    const list = () =>
      '70 1 501 python3\n71 1 501 npm run dev\n72 1 501 /Applications/Safari.app/Contents/MacOS/Safari\n73 1 0 (nfsd)\n';
    const python = '/opt/homebrew/Frameworks/Python.framework/Versions/3.13/Resources/Python.app/Contents/MacOS/Python';
    const paths = { 70: python, 71: '/opt/homebrew/bin/node', 72: '/tmp/Safari', 73: '/sbin/nfsd' };
    const { watch, learn, directory, app } = setUp(list, paths);
    const ids = [learn(70, 'Python'), learn(71, 'node'), learn(72, 'Safari'), learn(73, 'nfsd')] as const;
    await turns(watch, 0);
    expect(ids.map((id) => directory.process(id)).map((each) => [each?.name, each?.exe, each?.user, each?.parentPid])).toEqual([
      ['Python', python, 'anna', 1],
      ['node', '/opt/homebrew/bin/node', 'anna', 1],
      ['Safari', '/tmp/Safari', 'anna', 1],
      ['nfsd', '/sbin/nfsd', 'root', 1],
    ]);
    expect(app(ids[0])?.name).toBe('Python');
  });

  it('knows the executable of a process that ends before ps runs, and doesn’t confuse it with another', async () => {
    const paths: Record<number, string> = { 80: '/usr/bin/curl', 81: '/usr/bin/dig', 82: '/usr/bin/ssh' };
    const { watch, learn, directory } = setUp(() => '81 1 0 /sbin/shutdown\n82 1 501 sshd\n', paths);
    const ids = [learn(80, 'curl'), learn(81, 'dig'), learn(82, 'sshd')];
    watch.work(0);
    paths[80] = '';
    paths[81] = '/sbin/shutdown';
    await turns(watch, 10);
    expect(ids.map((id) => directory.process(id)).map((each) => [each?.exe, each?.uid])).toEqual([
      ['/usr/bin/curl', null],
      ['/usr/bin/dig', null],
      [null, 501], // the path is another program's, so ps's name is used
    ]);
  });

  it('recognises a name that was truncated in the middle of a letter', async () => {
    const { watch, learn, directory } = setUp(() => '30 1 501 /opt/Übersetzungshülle\n');
    const cut = Buffer.from('Übersetzungshülle').subarray(0, 15).toString('utf8');
    expect(cut.endsWith('\ufffd')).toBe(true);
    const id = learn(30, cut);
    await turns(watch, 0);
    expect(directory.process(id)?.exe).toBe('/opt/Übersetzungshülle');
  });

  it('runs only while a process is unknown, at most every two seconds', async () => {
    const { watch, learn, edges } = setUp(() => '1 0 0 /sbin/launchd\n');
    await turns(watch, 0, 10_000);
    expect(edges.ran).toEqual([]);
    learn(40, 'a');
    learn(0, 'kernel_task');
    await turns(watch, 10_010, 10_020);
    learn(41, 'b');
    await turns(watch, 11_000, 12_000, 12_020, 20_000, 30_000);
    expect(edges.ran).toEqual([PS, PS]);
    learn(0, 'another that has no pid');
    await turns(watch, 40_000);
    expect(edges.ran).toHaveLength(2);
  });

  it('asks again at growing intervals while ps fails, and forgets no process', async () => {
    let works = false;
    const { watch, learn, edges, directory } = setUp(() => (works ? '50 1 0 /bin/a\n51 1 0 /bin/b\n' : ''));
    const a = learn(50, 'a');
    await turns(watch, 0, 1990);
    const b = learn(51, 'b');
    await turns(watch, 2000, 5990, 6010);
    expect(edges.ran).toHaveLength(3);
    expect(watch.note).toBe('ps failed: it lists nothing (status 0)');
    works = true;
    await turns(watch, 14_020);
    expect(watch.note).toBe('');
    expect([directory.process(a)?.exe, directory.process(b)?.exe]).toEqual(['/bin/a', '/bin/b']);
  });

  it('changes nothing after close', async () => {
    const { watch, learn, directory } = setUp(() => '60 1 0 /bin/a\n');
    const id = learn(60, 'a');
    watch.work(0);
    watch.close();
    await turns(watch, 10);
    expect(directory.process(id)?.exe).toBeNull();
  });
});

describe('Directory.complete', () => {
  it('says whether the app changed, and keeps number, pid and unit', () => {
    const { directory, learn } = setUp(() => '');
    const id = learn(1, 'a');
    const facts = { name: 'a', exe: '/bin/a', uid: 0, parentPid: 1, startedAt: 5000, lineage: NO_LINEAGE };
    expect(directory.complete(id, facts)).toBe(true);
    expect(directory.complete(id, facts)).toBe(false);
    expect(directory.complete(99, facts)).toBe(false);
    expect(learn(1, 'a')).toBe(id);
    expect(directory.process(id)).toMatchObject({ id, pid: 1, exe: '/bin/a', startedAt: 5000, unit: null });
  });

  describe('where a process comes from', () => {
    const at = 'Sat Jan 31 12:00:01 2026';
    const line = (of: { readonly ancestors: readonly { readonly pid: number; readonly name: string }[] } | undefined) =>
      of?.ancestors.map(({ pid, name }) => `${name} ${pid}`).join(' > ');
    /** What the kernel says of these. */
    const kernel =
      (known: Record<number, readonly [parent: number, name: string]>): ParentOf =>
      (pid) =>
        known[pid] === undefined ? null : { parent: known[pid][0], name: known[pid][1] };

    it('is what ps said of a parent that has ended since, with its terminal', async () => {
      const shell = `  1  0  0 ?? ${at} /sbin/launchd\n 20 1 501 ttys003 ${at} -zsh\n 30 20 501 ttys003 ${at} npm\n`;
      let list = `${shell}40 30 501 ttys003 ${at} node\n`;
      const { watch, learn, directory } = setUp(() => list);
      const first = learn(40, 'node');
      await turns(watch, 0);
      expect(directory.process(first)).toMatchObject({ origin: { pid: 20, name: 'zsh' }, terminal: 'ttys003' });
      list = `  1  0  0 ?? ${at} /sbin/launchd\n 40 1 501 ttys003 ${at} node\n 50 40 501 ttys003 ${at} curl\n`;
      const second = learn(50, 'curl');
      await turns(watch, 2500, 5000);
      expect(line(directory.process(second))).toBe('launchd 1 > zsh 20 > npm 30 > node 40');
    });

    it('is the kernel’s word for a process that is gone when ps runs, and for a parent that ended in between', async () => {
      const { watch, learn, directory } = setUp(
        () => `  1  0  0 ${at} /sbin/launchd\n 60 1 501 ${at} wget\n`,
        {},
        kernel({ 1: [0, 'launchd'], 20: [1, 'zsh'], 30: [20, 'make'], 50: [30, 'curl'], 60: [30, 'wget'], 70: [70, 'loop'] }),
      );
      const ids = [learn(50, 'curl'), learn(60, 'wget'), learn(70, 'loop'), learn(60, 'other')].map((id) => id);
      await turns(watch, 0);
      const [curl, wget, loop, other] = ids.map((id) => directory.process(id));
      expect([line(curl), line(wget)]).toEqual(Array(2).fill('launchd 1 > zsh 20 > make 30'));
      expect(curl).toMatchObject({ name: 'curl', exe: null, origin: { name: 'zsh' } });
      expect(wget).toMatchObject({ user: 'anna', parentPid: 1 });
      expect(line(loop)).toBe('loop 70');
      expect(line(other)).toBe('');
    });

    it('has a command line from ps, secrets masked, unless the pid is another’s by now', async () => {
      let start = at;
      const { watch, learn, directory, edges } = setUp((args) =>
        args.startsWith('-ax')
          ? ` 20 1 501 ${at} curl\n 30 1 501 ${at} wget\n`
          : ` 20 1 501 ?? ${at} curl --user a:b https://example.com/\n 30 1 501 ?? ${start} wget x\n`,
      );
      start = 'Sat Jan 31 12:34:56 2026';
      const [curl, wget] = [learn(20, 'curl'), learn(30, 'wget')];
      await turns(watch, 0, 2500);
      expect(edges.ran).toContain('ps -ww -o pid=,ppid=,uid=,tty=,lstart=,command= -p 20,30');
      expect(directory.process(curl)?.command).toBe('curl --user a:*** https://example.com/');
      expect(directory.process(wget)?.command).toBeNull();
      expect(edges.ran.filter((run) => run.startsWith('ps ')).length).toBe(2);
    });
  });
});
