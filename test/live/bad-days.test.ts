// What goes wrong around the program on a bad day, done to the real one: it says so, goes on with what is left, or ends with the right status.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

const reason = netnsObstacle('unshare');
/** Where the loader finds libpcap. */
const LIBRARY_FOLDERS = ['/usr/lib', '/usr/lib64', '/lib', '/lib64', ...archFolders()];

function archFolders(): string[] {
  if (process.platform !== 'linux') return [];
  return ['/usr/lib', '/lib'].flatMap((root) =>
    readdirSync(root, { withFileTypes: true }).flatMap(({ name }) => (/-linux-/.test(name) ? [join(root, name)] : [])),
  );
}

/** A library that this process has, and that is no libpcap. */
const ANOTHER_LIBRARY = /\/\S+\/libm(?:-[\d.]+)?\.so\S*/.exec(mapsOf())?.[0] ?? '/dev/null';

function mapsOf(): string {
  return process.platform === 'linux' ? readFileSync('/proc/self/maps', 'latin1') : '';
}

/** Runs what it is given in a terminal that goes away a second after it was first written to, and prints how it ended. */
const GONE = `
import fcntl, os, pty, select, struct, sys, termios, time
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
    os.environ['TERM'] = 'xterm-256color'
    os.execv(sys.argv[1], sys.argv[1:])
end = time.time() + 20
while time.time() < end:
    if select.select([terminal], [], [], 0.2)[0]:
        os.read(terminal, 65536)
        end = min(end, time.time() + 1)
os.close(terminal)
_, status = os.waitpid(pid, 0)
print('signal', os.WTERMSIG(status)) if os.WIFSIGNALED(status) else print('status', os.WEXITSTATUS(status))
`;

describe('bad days', () => {
  const program = inject('program');
  let pair: Pair;

  beforeEach(({ skip, onTestFinished }) => {
    if (reason !== null) skip(`bad days: ${reason}`);
    pair = new Pair();
    onTestFinished(() => pair.remove());
  });

  const words = (...args: string[]) => [process.execPath, program.bin, '--json', '--interval', '200ms', ...args];
  const netmon = (...args: string[]): Running => new Running(pair.start(pair.near, process.execPath, words(...args).slice(1)));
  const quoted = (...args: string[]) => args.map((word) => `'${word}'`).join(' ');

  /** Runs to the end in a mount namespace of its own, after `before` has broken something there. */
  function broken(before: string, ...args: string[]) {
    const line = `${before}\nexec ${quoted(...words(...args))}`;
    const made = spawnSync('ip', ['netns', 'exec', pair.near, 'unshare', '-m', 'sh', '-c', line], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    const lines = made.stdout.split('\n').filter((text) => text !== '');
    return { status: made.status, stderr: made.stderr, lines: lines.map((text) => JSON.parse(text)) };
  }

  it('no default route: status 4, and what to type', () => {
    const { status, stderr, lines } = broken(':');
    expect([status, lines]).toEqual([4, []]);
    expect(stderr).toMatch(/^netmon-tui: no default route.*\n {2}name one: .*--interface/);
  });

  it('no procfs: packets are counted, owners and counters are not known and not zero', () => {
    const { status, lines } = broken('mount -t tmpfs none /proc', '-i', 'va', '--samples', '2');
    expect(status).toBe(0);
    expect(lines.at(-1).capture).toMatchObject({ driver: 'libpcap', interfaces: ['va'], interface_bytes: null });
    for (const { reason: why, app } of lines.at(-1).flows) expect(app === null ? why : '').not.toBe(null);
  });

  it('no sysfs: it runs', () => {
    const { status, lines } = broken('mount -t tmpfs none /sys', '-i', 'va', '--samples', '2');
    expect([status, lines.at(-1).type]).toEqual([0, 'end']);
  });

  it('no control groups: it runs with what else tells owners', () => {
    const { status, lines } = broken('umount -l /sys/fs/cgroup; umount -l /sys/fs/bpf; :', '-i', 'va', '--samples', '2');
    expect(status).toBe(0);
    expect(lines.at(-1).capture.attribution).toMatch(/^(ebpf|procfs)$/);
  });

  it('an empty environment: no HOME, no LANG, no TERM, no PATH', () => {
    const { status, lines, stderr } = broken('unset HOME LANG LC_ALL TERM PATH', '-i', 'va', '--samples', '2');
    expect([status, lines.at(-1).type, stderr]).toEqual([0, 'end', '']);
  });

  it.each([
    ['is missing', '/dev/null', /libpcap could not be loaded/],
    [
      'is too old to have what is asked of it',
      ANOTHER_LIBRARY,
      ANOTHER_LIBRARY === '/dev/null' ? /libpcap could not/ : /Cannot find function 'pcap_/,
    ],
  ])('libpcap %s: status 4, and the one command that brings it', (_, other, said) => {
    const masks = LIBRARY_FOLDERS.map(
      (folder) => `for f in ${folder}/libpcap.so*; do [ ! -e "$f" ] || mount --bind '${other}' "$f"; done`,
    );
    const { status, stderr, lines } = broken(masks.join('\n'), '-i', 'va', '--samples', '1');
    expect([status, lines]).toEqual([4, []]);
    expect(stderr).toMatch(said);
    expect(stderr).toMatch(/\n {2}type: .*libpcap/);
  });

  it('no interface but loopback: status 4, and `any` waits', () => {
    const alone = 'ip link del va';
    expect(broken(alone).status).toBe(4);
    const { status, lines } = broken(':', '-i', 'any', '--samples', '2');
    expect([status, lines.at(-1).capture.interfaces]).toEqual([0, []]);
  });

  it('koffi can not be loaded: cap takes over where it was built, else status 4', () => {
    const koffi = join(dirname(program.bin), '../dist/bundle/koffi');
    const { status, stderr, lines } = broken(`mount -t tmpfs none '${koffi}'`, '-i', 'va', '--samples', '1');
    if (status === 0) {
      expect(lines.at(-1).capture.driver).toBe('cap');
      expect(lines.at(-1).capture.fallbacks[0]).toMatchObject({ driver: 'libpcap' });
      expect(lines.at(-1).capture.attribution).toBe('procfs');
    } else {
      expect(status).toBe(4);
      expect(stderr).toMatch(/koffi/);
    }
  });

  it.each([
    ['standard error is closed', '2>&-', '-i va --samples 2', 0],
    ['standard error is closed and there is something to say', '2>&-', '-i nosuch', 4],
    ['standard output is closed', '>&-', '-i va --samples 2', 0],
    ['standard input is closed', '<&-', '-i va --samples 2', 0],
  ])('%s', (_, redirection, args, status) => {
    const line = `exec ${quoted(...words(...args.split(' ')))} ${redirection}`;
    const made = spawnSync('ip', ['netns', 'exec', pair.near, 'sh', '-c', line], { encoding: 'utf8', timeout: 20_000 });
    expect(made.status).toBe(status);
  });

  it('standard output is full: it ends, and names the cause', () => {
    const line = `exec ${quoted(...words('-i', 'va', '--samples', '2'))} >/dev/full`;
    const made = spawnSync('ip', ['netns', 'exec', pair.near, 'sh', '-c', line], { encoding: 'utf8', timeout: 20_000 });
    expect(made.status).not.toBe(0);
    expect(made.stderr).toMatch(/ENOSPC.*\n {2}make room/);
  });

  it('an interface is renamed: it is gone, status 8', async () => {
    const run = netmon('-i', 'va');
    await run.until(() => run.samples.length > 0, 'the first sample');
    pair.run(pair.near, 'ip link set va down; ip link set va name vc; ip link set vc up');
    expect(await run.ended).toBe(8);
    expect(run.stderr).toMatch(/va/);
  });

  it('the default route moves, and the interface that it left goes away: the capture goes with it', async () => {
    pair.run(
      pair.near,
      'ip route add default via 10.99.0.2 dev va; ip link add vx type veth peer name vy; ip link set vy up; ip addr add 10.97.0.1/24 dev vx; ip link set vx up',
    );
    const run = netmon();
    await run.until(() => run.samples.length > 0, 'the first sample');
    expect(run.samples[0]?.capture).toMatchObject({ interfaces: ['va'] });
    pair.run(
      pair.near,
      'ip route replace default via 10.97.0.2 dev vx; ip neigh replace 10.97.0.2 dev vx lladdr 02:00:00:00:00:01 nud permanent',
    );
    await run.until(
      () => run.lines.some((line) => JSON.stringify(line).includes('the default route moved from va to vx')),
      'word of the move',
    );
    await run.until(() => {
      pair.datagrams(pair.near, '10.97.0.2', 3);
      return run.samples.at(-1)?.flows.some((flow) => flow.interface === 'vx') ?? false;
    }, 'a flow on the new interface');
    pair.run(pair.near, 'ip link del va');
    const { length } = run.samples;
    await run.until(() => run.samples.length > length + 3, 'more samples');
    expect(await run.interrupt()).toBe(130);
  });

  it('a VPN takes the default route, and goes away with it: the capture goes there and back', async () => {
    pair.run(pair.near, 'ip route add default via 10.99.0.2 dev va metric 100');
    const run = netmon();
    await run.until(() => run.samples.length > 0, 'the first sample');
    pair.run(
      pair.near,
      'ip link add vx type veth peer name vy; ip link set vy up; ip addr add 10.97.0.1/24 dev vx; ip link set vx up; ip route add default via 10.97.0.2 dev vx metric 50',
    );
    const isTold = (move: string) =>
      run.lines.some((line) => JSON.stringify(line).includes(`the default route moved from ${move}`));
    await run.until(() => isTold('va to vx'), 'word of the way there');
    pair.run(pair.near, 'ip link del vx');
    await run.until(() => isTold('vx to va'), 'word of the way back');
    expect(await run.interrupt()).toBe(130);
    expect(run.last.capture).toMatchObject({ interfaces: ['va'] });
  });

  it('an interface that somebody named is not left when the default route moves', async () => {
    pair.run(
      pair.near,
      'ip route add default via 10.99.0.2 dev va; ip link add vx type veth peer name vy; ip link set vy up; ip addr add 10.97.0.1/24 dev vx; ip link set vx up',
    );
    const run = netmon('-i', 'va');
    await run.until(() => run.samples.length > 0, 'the first sample');
    pair.run(pair.near, 'ip route replace default via 10.97.0.2 dev vx');
    await run.until(() => run.samples.length > 15, 'three seconds');
    expect(run.lines.filter(({ type }) => type === 'gap')).toEqual([]);
    await run.interrupt();
  });

  it('its address changes: what it sends from the new one is its own, too', async () => {
    const run = netmon('-i', 'va');
    await run.until(() => run.samples.length > 0, 'the first sample');
    pair.run(
      pair.near,
      'ip addr add 10.99.0.77/24 dev va; ip addr del 10.99.0.1/24 dev va; ip addr add 10.99.0.77/24 dev va 2>/dev/null || :',
    );
    pair.introduce();
    await run.until(() => {
      pair.datagrams(pair.near, '10.99.0.2', 3);
      const flow = run.samples.at(-1)?.flows.find(({ protocol }) => protocol === 'udp');
      return flow?.direction === 'outbound';
    }, 'an outbound flow from the new address');
    await run.interrupt();
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s: the last line is written, status %i', async (signal, status) => {
    const child = pair.start(pair.near, process.execPath, words('-i', 'va').slice(1));
    const run = new Running(child);
    await run.until(() => run.samples.length > 0, 'the first sample');
    child.kill(signal);
    expect(await run.ended).toBe(status);
    expect(run.last.type).toBe('end');
  });

  it('the terminal itself is gone: status 129, and no crash', ({ skip }) => {
    if (spawnSync('python3', ['-V']).status !== 0) skip('bad days: needs the program python3');
    const theme = join(import.meta.dirname, '../../themes/netmon.theme');
    const screen = words('-i', 'va', '--theme', theme).filter((word) => !['--json', '--interval', '200ms'].includes(word));
    const args = ['netns', 'exec', pair.near, 'python3', '-c', GONE, ...screen];
    expect(spawnSync('ip', args, { encoding: 'utf8', timeout: 25_000 }).stdout.trim()).toBe('status 129');
  });

  it('a reader that stops reading: capture goes on, and what was left out is counted', async () => {
    const child = pair.start(pair.near, process.execPath, words('-i', 'va').slice(1));
    const run = new Running(child);
    await run.until(() => run.samples.length > 0, 'the first sample');
    child.stdout.pause();
    for (let i = 0; i < 12; i++) {
      pair.datagrams(pair.near, '10.99.0.2', 100);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.stdout.resume();
    await run.until(() => (run.samples.at(-1)?.capture.packets ?? 0) >= 1200, 'all packets, after the pause');
    expect(await run.interrupt()).toBe(130);
  });
});
