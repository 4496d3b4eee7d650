// The single executable on a machine whose Node is hidden: what it reads, what it captures as root and which rights its threads keep.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { COMMAND } from '../../src/privilege/root-child.ts';
import { pcapFile } from '../support/capture-writer.ts';
import { ethernet, ipv4, udp } from '../support/frames.ts';
import { type Line, netnsObstacle, Pair, Running } from '../support/netns.ts';
import { Pty, ptyObstacle } from '../support/pty.ts';
import { threadRights } from '../support/thread-rights.ts';

const ROOT = join(import.meta.dirname, '../..');
const holds = () => readFileSync(process.execPath).includes('NODE_SEA_FUSE_');
/** Why it can't be tried; null if it can. */
function obstacle(): string | null {
  if (!existsSync(join(ROOT, 'node_modules/postject'))) return 'postject is not installed: bin/setup --develop';
  return holds() ? netnsObstacle('unshare') : "this Node can't hold a program";
}

const reason = obstacle();
const NOON = Date.UTC(2026, 0, 31, 14, 3, 22);
const ANN = { uid: 4242, gid: 4243 };
const SUDO = ['env', `SUDO_UID=${ANN.uid}`, `SUDO_GID=${ANN.gid}`, 'SUDO_USER=ann'];

describe('the executable', () => {
  let folder: string;
  let program: string;

  beforeAll(() => {
    if (reason !== null) return;
    folder = mkdtempSync(join(tmpdir(), 'nmt-executable-'));
    chmodSync(folder, 0o755);
    program = join(folder, 'netmon-tui');
    execFileSync(process.execPath, [join(ROOT, 'scripts/binary.mjs'), program], { stdio: 'pipe' });
    mkdirSync(join(folder, 'ann'), { mode: 0o700 });
    chownSync(join(folder, 'ann'), ANN.uid, ANN.gid);
  });
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(({ skip }) => {
    if (reason !== null) skip(`executable: ${reason}`);
  });

  /** Words that start it where there is no Node. */
  const alone = (...words: string[]) => {
    const hidden = `mount --bind /dev/null '${realpathSync(process.execPath)}' && exec "$@"`;
    return ['unshare', '--mount', 'sh', '-c', hidden, 'sh', program, ...words];
  };
  const run = (...words: string[]) => {
    const [command = '', ...rest] = alone(...words);
    return spawnSync(command, rest, { encoding: 'utf8', cwd: '/', env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', HOME: folder } });
  };

  it('replays a capture, records it and answers from the history', () => {
    const capture = join(folder, 'capture.pcap');
    const frame = ethernet(
      {},
      ipv4({ src: '198.51.100.7', dst: '10.0.0.1' }, udp({ sport: 443, dport: 5000 }, new Uint8Array(500))),
    );
    writeFileSync(capture, pcapFile({ records: [{ time: NOON, data: frame }] }));
    const history = `--history=${join(folder, 'replayed.sqlite')}`;
    const replayed = run('-r', capture, '--json', '--once', '--stay-root', history);
    expect([replayed.status, replayed.stderr]).toEqual([0, '']);
    expect((JSON.parse(replayed.stdout) as Line).flows).toHaveLength(1);
    const asked = run('query', 'SELECT COUNT(*) AS n FROM connections', history, '--csv');
    expect([asked.status, asked.stderr, asked.stdout.trim().split(/\s+/)]).toEqual([0, '', ['n', '1']]);
    expect(run('explain', 'zqtk.net').stdout).toContain('third-party-web'); // a list that it holds
  });

  it('captures as root, goes on as the user, and leaves no file of its own', async ({ onTestFinished }) => {
    const pair = new Pair();
    onTestFinished(() => pair.remove());
    const path = join(folder, 'ann/history.sqlite');
    const words = [...SUDO, program, '--json', '--interval', '200ms', '-i', 'va', `--history=${path}`];
    const child = pair.start(pair.near, words[0] as string, words.slice(1));
    const running = new Running(child);
    await running.until(() => running.samples.length > 0, `samples; it said: ${running.stderr}`);
    pair.datagrams(pair.near, '10.99.0.2', 3);
    await running.until(() => running.samples.some(({ flows }) => flows.length > 0), `flows; it said: ${running.stderr}`);
    expect(running.last.capture).toMatchObject({ driver: 'libpcap', attribution: 'ebpf', fallbacks: [] });
    const pid = child.pid as number;
    for (const { uids, permitted } of threadRights(pid)) {
      expect(uids).toEqual([ANN.uid, ANN.uid, ANN.uid, ANN.uid]);
      expect(permitted.filter((name) => !['net_raw', 'sys_ptrace', 'dac_read_search'].includes(name))).toEqual([]);
    }
    // koffi's library has no name, and nothing that is open for writing leads to it
    const held = readdirSync(`/proc/${pid}/fd`).map((fd) => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'));
    const maps = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n');
    const inode = maps.find((line) => / r-xp .*\(deleted\)$/.test(line))?.split(/\s+/)[4];
    expect(inode).toMatch(/^[1-9]/);
    const leading = held.filter((text) => new RegExp(`^ino:\\s*${inode}$`, 'm').test(text));
    expect(leading.map((text) => Number.parseInt(/^flags:\s*(\d+)/m.exec(text)?.[1] ?? '', 8) & 3)).toEqual([0]);
    expect(await running.interrupt()).toBe(130);
    expect(running.stderr).toBe('');
    expect(run('query', 'SELECT SUM(packet_size) > 0 AS some FROM connections', `--history=${path}`, '--csv').stdout).toMatch(
      /1/,
    );
  });

  it('takes capabilities of a file only where no signal opens its debugger before the first line', ({ skip }) => {
    const held = join(folder, 'held');
    copyFileSync(program, held);
    if (spawnSync('setcap', ['cap_net_raw+ep', held]).status !== 0) skip('executable: setcap does not work here');
    const words = ['--reuid', '65534', '--regid', '65534', '--clear-groups', held, '--once', '--duration', '100ms', '-i', 'lo'];
    const { status, stderr } = spawnSync('setpriv', words, {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: '/usr/bin:/bin', HOME: '/' },
    });
    // both came with Node 24.8; an option alone isn't put into an executable by an older one
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major > 24 || (major === 24 && minor >= 8)) expect([status, stderr]).toEqual([0, '']);
    else expect([status, stderr]).toEqual([3, expect.stringContaining('must not have capabilities')]);
  });

  it('is its own child, under the limits that Node takes from the environment', async () => {
    const lister = { path: '/bin/sh', args: ['-c', 'echo "with $NODE_OPTIONS$NETMON_ROLE."'], timeoutMs: 5000, maxBytes: 1000 };
    const orders = { tcpdump: lister, lsof: lister, ifconfig: { ...lister, owner: process.pid }, question: 'SIGINT', env: {} };
    const flags = '--max-old-space-size=32 --max-semi-space-size=1';
    const child = spawn(program, [JSON.stringify(orders)], { env: { NETMON_ROLE: 'root-child', NODE_OPTIONS: flags } });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (said.includes('code 0')) child.stdin.end(); // the list has ended, and so may the child
    });
    child.stdin.write(Buffer.from([COMMAND.LIST]));
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect([status, said]).toEqual([0, expect.stringContaining('with .')]);
  });

  it('draws the screen with its own themes', async ({ skip, onTestFinished }) => {
    const obstacle = ptyObstacle();
    if (obstacle !== null) skip(`executable: ${obstacle}`);
    const env = {
      XDG_CONFIG_HOME: folder,
      XDG_STATE_HOME: folder,
      HOME: folder,
      TMUX: undefined,
      LANG: 'C.UTF-8',
      TERM: 'xterm-256color',
    };
    const words = alone('-r', join(folder, 'capture.pcap'), '--theme', 'dusk', '--stay-root');
    const pty = new Pty(words, { columns: 100, rows: 30, env });
    onTestFinished(() => pty.end());
    await pty.until(() => pty.text.includes('198.51.100.7'), 'rows');
    pty.type('q');
    expect(await pty.status).toBe(0);
  });
});
