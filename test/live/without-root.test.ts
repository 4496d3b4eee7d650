// Without root on Linux: the reduced view beside what was really sent, and the whole of it through capabilities of a copy of Node.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { pcapFile } from '../support/capture-writer.ts';
import { type Line, netnsObstacle, Pair, Running } from '../support/netns.ts';
import { threadRights } from '../support/thread-rights.ts';

const reason = netnsObstacle('curl', 'setpriv');
const BODY = 1_500_000;
/** Gives its bytes in drops, so that they take a second. */
const SERVER = `require('node:http').createServer((_, s) => { let n = 15; const t = setInterval(() => {
  s.write(Buffer.alloc(${BODY / 15})); if (--n === 0) { clearInterval(t); s.end(); } }, 50); }).listen(8000, '10.99.0.2', () => console.log('ready'));`;
const AS_NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--inh-caps=-all'];
const CAPABILITIES = 'cap_net_raw,cap_net_admin,cap_bpf,cap_perfmon,cap_sys_ptrace,cap_dac_read_search+ep';

describe('without root, live', () => {
  const program = inject('program');
  let folder: string;
  let pair: Pair;

  beforeAll(() => {
    if (reason !== null) return;
    folder = mkdtempSync(join(tmpdir(), 'nmt-node-'));
    execFileSync('chmod', ['755', folder]);
  });
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`without root: ${reason}`);
    const words = [
      process.execPath,
      '-e',
      `require('node:fs').readFileSync(${JSON.stringify(join(program.modules, 'main.js'))})`,
    ];
    if (spawnSync(AS_NOBODY[0] as string, [...AS_NOBODY.slice(1), ...words]).status !== 0)
      skip('without root: another user can not run node here');
    pair = new Pair();
    onTestFinished(() => pair.remove());
  });

  const newest = (run: Running): Line => run.samples.at(-1) ?? run.last;
  const netmon = (node: string, ...options: string[]) => {
    const words = [...AS_NOBODY, node, program.bin, '--json', '--interval', '200ms', '-i', 'va', ...options];
    // `ip netns exec` hides the control groups, and mounting them takes root.
    const mounted = 'mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null; exec "$@"';
    const child = pair.start(pair.near, 'sh', ['-c', mounted, 'sh', ...words]);
    return { run: new Running(child), pid: child.pid as number };
  };
  const curl = (as: readonly string[]) => {
    const words = ['netns', 'exec', pair.near, ...as, 'curl', '-s', '-o', '/dev/null', 'http://10.99.0.2:8000/'];
    expect(spawnSync('ip', words).status).toBe(0);
  };
  async function serve(): Promise<void> {
    const server = pair.start(pair.far, process.execPath, ['-e', SERVER]);
    await new Promise((resolve) => server.stdout.once('data', resolve));
  }

  it('--reduced counts the payload of each socket to the byte; what it can not know is unknown', async () => {
    await serve();
    const { run } = netmon(process.execPath, '--reduced');
    await run.until(() => run.samples.length > 1, `samples; it said: ${run.stderr}`);
    curl(AS_NOBODY);
    await run.until(() => newest(run).apps.some(({ rx_bytes }) => rx_bytes > BODY), 'the end of the socket');
    curl([]); // root's: its bytes are seen, its process is not
    await run.until(() => newest(run).total.rx_bytes > 2 * BODY, 'the other socket');
    await run.interrupt();
    const { capture, apps, flows } = run.last;
    expect(capture).toMatchObject({
      driver: 'sock_diag',
      attribution: 'procfs',
      packets: null,
      frame_bytes: null,
      dropped: null,
    });
    expect(capture.note).toMatch(/^reduced: .*sudo/);
    expect(capture).toMatchObject({ privileges: { uid: 65_534, kept: [] } });
    const own = apps.find(({ app }) => app === 'curl');
    expect(own?.flows).toBe(1);
    expect((own?.rx_bytes ?? 0) - BODY).toBeGreaterThan(0);
    expect((own?.rx_bytes ?? 0) - BODY).toBeLessThan(3000); // the head of the answer, and the chunks' lengths
    expect(flows).toMatchObject([{ protocol: 'tcp', direction: 'outbound' }, { protocol: 'tcp' }]);
    expect(run.last.total.rx_bytes).toBe(2 * (own?.rx_bytes ?? 0));
  });

  it('--json alone still ends with 3, and says what to type', async () => {
    const { run } = netmon(process.execPath);
    expect(await run.ended).toBe(3);
    expect(run.stderr).toContain('sudo');
  });

  it('capabilities of a copy of Node give all of it, and are lowered to what is needed', async ({ skip }) => {
    const node = join(folder, 'node');
    copyFileSync(process.execPath, node);
    if (spawnSync('setcap', [CAPABILITIES, node]).status !== 0) skip('without root: setcap does not work here');
    await serve();
    const { run, pid } = netmon(node);
    await Promise.race([run.until(() => run.samples.length > 1, 'samples').catch(() => undefined), run.ended]);
    if (/not permitted|permission/i.test(run.stderr)) skip('without root: capabilities of files do not work in this folder');
    const [main, ...others] = threadRights(pid);
    expect(main).toMatchObject({ uids: [65_534, 65_534, 65_534, 65_534], noNewPrivs: true, seccomp: 2 });
    expect(main?.effective).toEqual(['net_raw']);
    // Threads that are there before our first line have all that the file gave, and no call reaches them; what does: the filter, and that
    // nothing is gained by starting a program.
    const given = ['bpf', 'dac_read_search', 'net_admin', 'net_raw', 'perfmon', 'sys_ptrace'];
    for (const thread of others) {
      expect(thread).toMatchObject({
        uids: [65_534, 65_534, 65_534, 65_534],
        noNewPrivs: true,
        seccomp: 2,
        inheritable: [],
        ambient: [],
      });
      expect(given).toEqual(expect.arrayContaining([...thread.permitted]));
    }
    curl([]);
    await run.until(() => newest(run).apps.some(({ app }) => app === 'curl'), "root's curl");
    await run.interrupt();
    expect(run.last.capture).toMatchObject({ driver: 'libpcap', attribution: 'ebpf', fallbacks: [] });
    expect(run.last.apps.find(({ app }) => app === 'curl')).toMatchObject({ exe: expect.stringContaining('/curl') });
  });

  it('capabilities of a copy of Node open no file that the user could not open', ({ skip }) => {
    const node = join(folder, 'reader');
    copyFileSync(process.execPath, node);
    if (spawnSync('setcap', [CAPABILITIES, node]).status !== 0) skip('without root: setcap does not work here');
    const closed = mkdtempSync(join(folder, 'closed-'));
    const paths = {
      config: join(closed, 'secret.toml'),
      capture: join(closed, 'secret capture.pcap'),
      history: join(closed, 'secret.sqlite'),
    };
    writeFileSync(paths.config, 'secret-word = 1\n');
    writeFileSync(paths.capture, pcapFile({ records: [{ time: 0, data: new Uint8Array(60) }] }));
    const record = ['-r', paths.capture, '--json', '--once', '--stay-root', `--history=${paths.history}`];
    expect(spawnSync(process.execPath, [program.bin, ...record]).status).toBe(0);
    const env = { HOME: '/', PATH: process.env['PATH'] };
    const asNobody = (...words: string[]) =>
      spawnSync(AS_NOBODY[0] as string, [...AS_NOBODY.slice(1), node, program.bin, ...words], { encoding: 'utf8', env });
    const hint = `netmon-tui: can't read ${paths.capture}: permission denied\n  type: ls -l '${paths.capture}'\n`;
    expect(asNobody('-r', paths.capture, '--json', '--once')).toMatchObject({ status: 3, stdout: '', stderr: hint });
    expect(asNobody('history', `--history=${paths.history}`)).toMatchObject({ status: 7, stdout: '' });
    for (const words of [['--once', '--duration', '1s'], ['explain', 'x.org'], ['doctor'], ['record', '--duration', '1s']]) {
      const { stdout, stderr } = asNobody(...words, '--config', paths.config);
      expect(stdout + stderr).toMatch(/permission denied|can't be read|can not be read|EACCES/i);
      expect(stdout + stderr).not.toContain('secret-word');
    }
  });
});
