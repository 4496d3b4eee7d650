// Machines for `attach`: namespaces on one bridge, each with an sshd, a host key, accounts and rules of sudo of its own. Nothing is written to the
// machine that the test runs on: what each has of /etc is bound over it in the mount namespace of its sshd.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An account that nobody has here. */
const ANN = 'netmon-ann';
const ANN_ID = 39_417;
/** Where this side is on the bridge. */
const HERE = '10.98.0.1';

/** How a machine differs from the others. */
export interface MachineKind {
  /** What sudo lets the account run as root, with BIN for the folder of netmon-tui. */
  readonly sudo?: string;
  /** Whether netmon-tui is on its PATH. */
  readonly isBare?: boolean;
}

/** Three machines and more, in the order in which they are named. */
export class Machines {
  readonly folder = mkdtempSync(join(tmpdir(), 'netmon-machines-'));
  readonly here: string;
  readonly #names: readonly string[];
  readonly #id = `${process.pid}${Math.floor(Math.random() * 1000)}`;
  readonly #daemons: ChildProcess[] = [];

  /** @param program how netmon-tui is started there */
  constructor(kinds: Readonly<Record<string, MachineKind>>, program: readonly string[]) {
    this.#names = Object.keys(kinds);
    this.here = this.#netns('here');
    chmodSync(this.folder, 0o755);
    execFileSync('ip', ['netns', 'add', this.here]);
    this.run(this.here, `ip link add br0 type bridge; ip addr add ${HERE}/24 dev br0; ip link set br0 up; ip link set lo up`);
    this.#keygen('key');
    for (const folder of ['bin', 'ssh']) mkdirSync(join(this.folder, folder));
    this.#script('bin/netmon-tui', `${program.join(' ')} "$@" -i eth0`);
    for (const [name, kind] of Object.entries(kinds)) this.#machine(name, kind);
    this.#sshConfig();
    this.#script('ssh/ssh', `/usr/bin/ssh -F ${this.folder}/ssh_config "$@"`);
  }

  /** Namespace of a machine. */
  of(name: string): string {
    return this.#netns(name);
  }

  /** Address of a machine. */
  address(name: string): string {
    return `10.98.0.${this.#names.indexOf(name) + 2}`;
  }

  /** Runs a shell command to its end. */
  run(namespace: string, command: string): string {
    return execFileSync('ip', ['netns', 'exec', namespace, 'sh', '-c', command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Processes in a namespace but its sshd, with their command lines. */
  processes(namespace: string): readonly { readonly pid: number; readonly command: string }[] {
    const own = this.#daemons.map(({ pid }) => pid);
    return execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '')
      .map(Number)
      .filter((pid) => !own.includes(pid))
      .flatMap((pid) => {
        try {
          return [{ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }];
        } catch {
          return []; // it ended meanwhile
        }
      });
  }

  /** Has ssh know another host key for a machine than it has. */
  mistake(name: string): void {
    this.#keygen('mistaken');
    const key = readFileSync(join(this.folder, 'mistaken.pub'), 'utf8');
    writeFileSync(join(this.folder, 'known'), `${this.address(name)} ${key}`);
  }

  remove(): void {
    for (const name of ['here', ...this.#names]) {
      const namespace = this.#netns(name);
      for (const pid of this.#pids(namespace)) process.kill(pid, 'SIGKILL');
      execFileSync('ip', ['netns', 'del', namespace]);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #netns(name: string): string {
    return `nma${name}${this.#id}`;
  }

  #pids(namespace: string): readonly number[] {
    return execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' }).split('\n').filter(Boolean).map(Number);
  }

  #keygen(name: string): void {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(this.folder, name)]);
  }

  #script(path: string, line: string): void {
    writeFileSync(join(this.folder, path), `#!/bin/sh\nexec ${line}\n`);
    chmodSync(join(this.folder, path), 0o755);
  }

  #machine(name: string, { sudo, isBare = false }: MachineKind): void {
    const namespace = this.#netns(name);
    const own = join(this.folder, name);
    execFileSync('ip', ['netns', 'add', namespace]);
    this.run(this.here, `ip link add ${name} type veth peer name eth0 netns ${namespace}; ip link set ${name} up master br0`);
    this.run(namespace, `ip addr add ${this.address(name)}/24 dev eth0; ip link set eth0 up; ip link set lo up`);
    for (const folder of ['', 'home', 'sudoers.d']) mkdirSync(join(own, folder));
    chownSync(join(own, 'home'), ANN_ID, ANN_ID);
    this.#keygen(`${name}/host`);
    const passwd = `${ANN}:x:${ANN_ID}:${ANN_ID}::${own}/home:/bin/sh\n`;
    writeFileSync(join(own, 'passwd'), readFileSync('/etc/passwd', 'utf8') + passwd, { mode: 0o644 });
    // No password of this machine's own accounts is copied.
    writeFileSync(join(own, 'shadow'), `root:*:1::::::\n${ANN}:*:1::::::\n`, { mode: 0o600 });
    writeFileSync(
      join(own, 'sudoers.d/rules'),
      sudo === undefined ? '' : `${ANN} ALL=(root) NOPASSWD: ${sudo.replace('BIN', `${this.folder}/bin`)}\n`,
      { mode: 0o440 },
    );
    writeFileSync(join(own, 'authorized'), readFileSync(join(this.folder, 'key.pub')), { mode: 0o644 });
    writeFileSync(
      join(own, 'sshd_config'),
      [
        ...['Port 22', `ListenAddress ${this.address(name)}`, `HostKey ${own}/host`, `AuthorizedKeysFile ${own}/authorized`],
        ...['StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'PermitRootLogin yes', `PidFile ${own}/pid`],
        `SetEnv PATH=${isBare ? '' : `${this.folder}/bin:`}/usr/bin:/bin`,
        '',
      ].join('\n'),
    );
    const binds = ['passwd', 'shadow', 'sudoers.d'].map((file) => `mount --bind ${own}/${file} /etc/${file}`);
    const start = [...binds, `exec $(command -v sshd) -D -f ${own}/sshd_config`].join(' && ');
    mkdirSync('/run/sshd', { recursive: true });
    this.#daemons.push(spawn('ip', ['netns', 'exec', namespace, 'sh', '-c', start], { stdio: 'ignore' }));
  }

  #sshConfig(): void {
    const hosts = this.#names.flatMap((name) => [`Host ${name}`, `HostName ${this.address(name)}`, `User ${ANN}`]);
    const shared = [
      ...['Host *', 'User root', `IdentityFile ${this.folder}/key`, 'StrictHostKeyChecking accept-new', 'LogLevel ERROR'],
      `UserKnownHostsFile ${this.folder}/known`,
    ];
    writeFileSync(join(this.folder, 'ssh_config'), [...hosts, ...shared, ''].join('\n'));
  }
}
