// `netmon-tui run`: a command keeps its user, terminal, environment and status, and its receipt has what it and all that it started moved, and
// nothing of anybody else.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { faults, receiptSchema } from '../support/schemas.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage } from '../support/traffic/stage.ts';
import { TINY_PAYLOAD_BYTES, tinyElf } from '../support/traffic/tiny-elf.ts';

const reason = sayObstacle('live test of run');
const HEADERS = 28;

interface Destination {
  readonly pid: number;
  readonly app: string;
  readonly direction: string;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
  readonly connections: number;
  readonly refused: number;
  readonly rx_bytes: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
}

interface RunHow {
  /** Words before the program: env and the like. */
  readonly under?: readonly string[];
  readonly options?: readonly string[];
  /** Hears of what the command printed so far. */
  readonly during?: (pid: number, output: string) => void;
}

interface Seen {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly receipt: {
    readonly status: number;
    readonly user: string;
    readonly membership: string;
    readonly processes_begun: number;
    readonly total: { readonly rx_bytes: number; readonly tx_bytes: number; readonly connections: number };
    readonly membership_note: string | null;
    readonly processes: readonly {
      readonly pid: number;
      readonly name: string;
      readonly exe: string | null;
      readonly membership: string;
    }[];
    readonly destinations: readonly Destination[];
    readonly listeners: readonly { readonly port: number; readonly protocol: string }[];
    readonly untold: { readonly connections: number; readonly lost_packets: number; readonly notes: readonly string[] };
  };
}

describe.skipIf(reason !== null)('run, live', () => {
  let stage: Stage;
  let folder: string;
  let number = 0;

  beforeAll(() => {
    stage = new Stage();
    folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-run-'));
    chmodSync(folder, 0o755); // other users run programs in it
  });
  afterAll(async () => {
    await stage?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a command as `start` does. Its receipt, if there is one, holds to the schema. */
  async function run(command: readonly string[], how?: RunHow): Promise<Seen> {
    const seen = await start(command, how);
    if (seen.receipt !== null) expect(faults(seen.receipt, receiptSchema())).toEqual([]);
    return seen;
  }

  /** Runs a command under the program in the near namespace. @param under words before the program: sudo and the like */
  function start(command: readonly string[], { under = [], options = [], during }: RunHow = {}): Promise<Seen> {
    const path = join(folder, `${number++}.json`);
    const words = [process.execPath, inject('program').bin, 'run', '--receipt', path, ...options, '--', ...command];
    const child = spawn('ip', ['netns', 'exec', stage.ground.near.namespace, ...under, ...words], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      during?.(child.pid as number, stdout);
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    return new Promise((resolve) => {
      child.once('close', (status, signal) => {
        const text = spawnSync('cat', [path], { encoding: 'utf8' }).stdout;
        const receipt = text === '' ? null : JSON.parse(text);
        resolve({ status, signal, stdout, stderr, receipt });
      });
    });
  }

  async function receiver(count: number) {
    const { far } = stage.ground;
    const there = await stage.far('udp-receive', { on: far.v4, port: 0, count, patienceMs: 20_000 });
    there.go();
    return there;
  }

  function tiny(name: string, port: number): string {
    const exe = join(folder, name);
    writeFileSync(exe, tinyElf(process.arch === 'arm64' ? 'arm64' : 'x64', stage.ground.far.v4, port), { mode: 0o755 });
    return exe;
  }

  it('1000 processes of a moment, beside as many of others: all named, all counted, no other', async () => {
    const COUNT = 1000;
    const there = await receiver(COUNT);
    const port = there.ready.port ?? 0;
    const [own, other] = [tiny('own-life', port), tiny('other-life', port)];
    const loop = (exe: string) => `i=0; while [ $i -lt ${COUNT} ]; do ${exe}; i=$((i + 1)); done`;
    const beside = spawn('ip', ['netns', 'exec', stage.ground.near.namespace, 'sh', '-c', `sleep 1; ${loop(other)}`]);
    const seen = await run(['sh', '-c', `echo; ${loop(own)}; sleep 3`]);
    beside.kill();
    const { destinations, processes, untold, total } = seen.receipt;
    const sent = destinations.filter(({ app }) => app === 'own-life');
    console.log(`${processes.length} processes, ${total.tx_bytes} bytes, untold ${untold.connections}`);
    expect(destinations.filter(({ app }) => app !== 'own-life')).toEqual([]);
    expect(sent.reduce((sum, { tx_packets }) => sum + tx_packets, 0)).toBe(COUNT);
    expect(total.tx_bytes).toBe(COUNT * (HEADERS + TINY_PAYLOAD_BYTES));
    expect(new Set(sent.map(({ pid }) => pid)).size).toBe(COUNT);
    expect([seen.receipt.membership, new Set(processes.map(({ membership }) => membership))]).toEqual([
      'cgroup',
      new Set(['cgroup']),
    ]);
    expect(seen.receipt.processes_begun).toBe(COUNT + 2);
    expect((await there.done).messages).toBe(COUNT);
    await there.leave();
  });

  it('a daemon that left it, and what setsid, a second user and a namespace hide', async () => {
    const there = await receiver(3);
    const exe = tiny('left-life', there.ready.port ?? 0);
    const words = [
      `setsid sh -c 'sleep 0.3; ${exe}' </dev/null >/dev/null 2>&1 &`,
      `(setpriv --reuid=65534 --clear-groups sh -c '(sleep 0.4; ${exe}) &')`,
      `unshare --pid --fork --mount-proc sh -c '${exe}; true'`,
      'sleep 1',
    ];
    const seen = await run(['sh', '-c', words.join('\n')]);
    const sent = seen.receipt.destinations.filter(({ app }) => app === 'left-life');
    expect(sent.reduce((sum, { tx_packets }) => sum + tx_packets, 0)).toBe(3);
    expect((await there.done).messages).toBe(3);
    await there.leave();
  });

  it('sudo inside, a thread, a parent that ends first and a double fork', async (context) => {
    if (spawnSync('sudo', ['-n', 'true']).status !== 0) context.skip('sudo is not here, or asks for a password');
    const there = await receiver(4);
    const port = there.ready.port ?? 0;
    const exe = tiny('hidden-life', port);
    const thread = `require('dgram').createSocket('udp4').send('thread', ${port}, '${stage.ground.far.v4}', () => process.exit())`;
    const words = [
      `sudo -n ${exe}`,
      `sh -c '(sleep 0.3; ${exe}) &'`,
      `(sh -c "(sleep 0.5; ${exe}) &" &)`,
      `${process.execPath} -e "new (require('worker_threads').Worker)(process.argv[1], { eval: true })" "${thread}"`,
      'sleep 1.5',
    ];
    const { destinations, untold } = (await run(['sh', '-c', words.join('\n')])).receipt;
    const packets = (app: string) =>
      destinations.filter((each) => each.app === app).reduce((sum, { tx_packets }) => sum + tx_packets, 0);
    expect([packets('hidden-life'), packets('node'), untold.connections]).toEqual([3, 1, 0]);
    expect((await there.done).messages).toBe(4);
    await there.leave();
  });

  it('a process that leaves the cgroup for that of a container is known by who started it; what is left goes to the one above', async () => {
    const there = await receiver(2);
    const exe = tiny('gone-life', there.ready.port ?? 0);
    const container = `docker-${'ab12'.repeat(16)}.scope`;
    const inside = (words: string) => `unshare -m sh -c 'mount -t cgroup2 none /mnt && ${words}'`;
    const words = [
      'grep ^0:: /proc/self/cgroup',
      exe,
      inside(`mkdir -p /mnt/${container} && echo $$ >/mnt/${container}/cgroup.procs && ${exe}; echo $$ >/mnt/cgroup.procs`),
      inside(`rmdir /mnt/${container}`),
      '(setsid sleep 4 >/dev/null 2>&1 & echo $!)',
    ];
    const seen = await run(['sh', '-c', words.join('\n')]);
    const [own, daemon] = seen.stdout.trim().split('\n') as [string, string];
    expect(own).toMatch(/^0::\/.*netmon-tui-run-\d+$/);
    const { destinations, processes, membership } = seen.receipt;
    expect(membership).toBe('cgroup');
    expect(destinations.map(({ app, tx_packets }) => [app.split(' ')[0], tx_packets])).toEqual([
      ['gone-life', 1],
      ['gone-life', 1],
    ]);
    expect(processes.map((each) => each.membership).sort()).toEqual(['cgroup', 'lineage']);
    const above = own.replace(/\/netmon-tui-run-\d+$/, '').replace(/^0::$/, '0::/');
    expect(readFileSync(`/proc/${daemon}/cgroup`, 'utf8').split('\n')).toContain(above);
    expect((await there.done).messages).toBe(2);
    await there.leave();
  });

  it('killed, it leaves the command running, and no cgroup', async () => {
    let killed = 0;
    const seen = await start(['sh', '-c', 'echo $$; exec sleep 6'], {
      during: (pid, output) => {
        if (!output.endsWith('\n') || killed !== 0) return;
        killed = Number(output);
        process.kill(pid, 'SIGKILL');
      },
    });
    expect(seen.signal).toBe('SIGKILL');
    await expect.poll(() => readFileSync(`/proc/${killed}/cgroup`, 'utf8'), { timeout: 5000 }).not.toContain('netmon-tui-run');
    process.kill(killed, 'SIGKILL');
  });

  it('a stranger who gets the pid of a process of the command is not the command', async (context) => {
    const there = await receiver(2);
    const port = there.ready.port ?? 0;
    const [own, other] = [tiny('first-life', port), tiny('second-life', port)];
    const pids = { own: 0, other: 0 };
    const seen = await run(['sh', '-c', `${own} & echo $!; wait; sleep 4`], {
      during: (_, output) => {
        if (!output.endsWith('\n') || pids.own !== 0) return;
        pids.own = Number(output);
        // The next process gets the next free pid, if nobody else is faster.
        const again = `for attempt in 1 2 3 4 5 6 7 8 9; do echo ${pids.own - 1} >/proc/sys/kernel/ns_last_pid; sh -c '[ $$ = ${pids.own} ] && exec ${other}' && echo got && break; done`;
        const stranger = spawnSync('ip', ['netns', 'exec', stage.ground.near.namespace, 'sh', '-c', `sleep 0.5; ${again}`]);
        pids.other = String(stranger.stdout).includes('got') ? pids.own : 0;
      },
    });
    if (pids.other === 0) context.skip('the pid could not be had again');
    expect(seen.receipt.destinations.map(({ app, pid, tx_packets }) => [app, pid, tx_packets])).toEqual([
      ['first-life', pids.own, 1],
    ]);
    expect((await there.done).messages).toBe(2);
    await there.leave();
  });

  it('is the command that it would be without: user, groups, rights, limits, mask, environment, descriptors and status', async () => {
    const tell = [
      'id -u; id -g; umask; ulimit -Sn; pwd; tty',
      'grep -E "^(Cap|NoNewPrivs|Seccomp:|SigIgn|SigBlk|Groups)" /proc/self/status',
      'ls /proc/self/fd | grep -v 251 | wc -l; grep -v ^0:: /proc/self/cgroup',
      'env | grep -vE "^(_|SHLVL|PWD|OLDPWD)=" | sort; exit 7',
    ].join('\n');
    const seen = await run(['sh', '-c', tell]);
    const bare = spawnSync('ip', ['netns', 'exec', stage.ground.near.namespace, 'sh', '-c', tell], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(seen.stdout).toBe(bare.stdout);
    expect(seen.status).toBe(7);
    expect(seen.receipt.status).toBe(7);
    expect(seen.receipt.destinations).toEqual([]);
  });

  it('gives the command no descriptor that the program inherited', async () => {
    const seen = await run(['ls', '/proc/self/fd'], { under: ['bash', '-c', 'exec 40</etc/passwd; exec "$@"', 'bash'] });
    expect(seen.stdout).toBe('0\n1\n2\n3\n'); // 3 is the folder
  });

  it('a command that is not there, and one that is killed', async () => {
    const missing = await run(['nmt-no-such-command']);
    expect([missing.status, missing.stderr]).toEqual([127, 'netmon-tui: nmt-no-such-command: not found\n']);
    const closed = mkdtempSync(join(folder, 'closed-')); // as /root/bin is to the user, in a PATH of root's
    const env = ['env', `PATH=${closed}:${process.env['PATH']}`];
    const beyond = await run(['nmt-no-such-command'], { under: env, options: ['--user', 'nobody'] });
    expect([beyond.status, beyond.stderr]).toEqual([127, 'netmon-tui: nmt-no-such-command: not found\n']);
    const denied = await run(['/etc/passwd']);
    expect([denied.status, denied.stderr]).toEqual([126, 'netmon-tui: /etc/passwd: permission denied\n']);
    const killed = await run(['sh', '-c', 'kill -9 $$']);
    expect([killed.status, killed.receipt.status]).toEqual([137, 137]);
  });

  it('passes SIGTERM on, to a command of root too, and still writes the receipt', async () => {
    const seen = await run(['sh', '-c', 'trap "echo term; exit 6" TERM; echo ready; while :; do sleep 0.1; done'], {
      during: (pid, output) => (output === 'ready\n' ? void process.kill(pid, 'SIGTERM') : undefined),
    });
    expect([seen.status, seen.stdout, seen.receipt.status]).toEqual([6, 'ready\nterm\n', 6]);
  });

  it('runs as the user who called sudo, and lets setuid programs become root', async (context) => {
    const there = await receiver(1);
    const exe = tiny('setuid-life', there.ready.port ?? 0);
    chmodSync(exe, 0o4755);
    copyFileSync('/usr/bin/id', join(folder, 'setuid-id'));
    chmodSync(join(folder, 'setuid-id'), 0o4755);
    const environment = ['env', 'SUDO_UID=65534', 'SUDO_GID=65534', 'SUDO_USER=nobody'];
    const tell = `id -u; id -ru; env | grep -c SUDO; echo $USER; ${folder}/setuid-id -u; ${exe}`;
    const seen = await run(['sh', '-c', tell], { under: environment });
    if (seen.stdout.split('\n')[4] === '65534') context.skip('this folder is mounted nosuid');
    expect(seen.stdout.split('\n').slice(0, 5)).toEqual(['65534', '65534', '0', 'nobody', '0']);
    expect(seen.receipt.user).toBe('nobody');
    expect(seen.receipt.destinations.map(({ app, tx_packets }) => [app, tx_packets])).toEqual([['setuid-life', 1]]);
    await there.leave();
  });

  it('a policy: what is allowed, status 10 for what is not, and the status of a command that failed', async () => {
    const there = await receiver(4);
    const port = there.ready.port ?? 0;
    const exe = tiny('policed', port);
    const policy = join(folder, 'policy.toml');
    const made = await run([exe, '--password=hunter2'], { options: ['--update', policy] });
    expect(made.status).toBe(0);
    expect(readFileSync(policy, 'utf8')).toContain(stage.ground.far.v4);
    expect(readFileSync(policy, 'utf8')).not.toContain('hunter2');
    expect((await run([exe], { options: ['--policy', policy] })).status).toBe(0);
    writeFileSync(policy, '[app.policed]\nallow = ["192.0.2.9"]\n');
    expect((await run([exe], { options: ['--policy', policy] })).status).toBe(10);
    expect((await run(['sh', '-c', `${exe}; exit 4`], { options: ['--policy', policy] })).status).toBe(4);
    await there.leave();
  });

  it('loopback counts once, both its ends are told, and what is refused is', async () => {
    const script = `
      const server = require('net').createServer((socket) => socket.end('x'.repeat(10000))).listen(0, '127.0.0.1', () => {
        const { port } = server.address();
        require('net').connect(port, '127.0.0.1').resume().on('close', () => {
          server.close();
          require('net').connect(1, '127.0.0.1').on('error', () => {});
        });
      });`;
    const seen = await run([process.execPath, '-e', script]);
    const { destinations, total } = seen.receipt;
    const served = destinations.filter(({ port }) => port > 1);
    expect(total.connections).toBe(2);
    expect(served.length).toBe(2);
    const [a, b] = served as [Destination, Destination];
    expect([a.rx_bytes, a.tx_bytes]).toEqual([b.tx_bytes, b.rx_bytes]);
    expect(destinations.find(({ port }) => port === 1)?.refused).toBe(1);
  });

  it('a receipt that is there already is left alone, and the command never runs', async () => {
    const path = join(folder, `${number}.json`);
    writeFileSync(path, '{"mine":1}');
    const seen = await start(['sh', '-c', 'echo ran']);
    expect([seen.status, seen.stdout, readFileSync(path, 'utf8')]).toEqual([2, '', '{"mine":1}']);
  });
});
