// A fake Mac on Linux: a mount namespace in which Node says it runs on darwin, Apple's libraries and programs lie at Apple's paths, and PKTAP
// delivers the traffic of traffic.ts. It tests logic and formats; it proves nothing about Apple's kernel.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
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
import koffi from 'koffi';
import { Running } from '../support/netns.ts';
import { NAMED_PIDS, PROCESSES, rates, wire } from './traffic.ts';

/** Who starts the program: root without sudo, as launchd does; ann through sudo; or ann. */
export type Starter = 'root' | 'sudo' | 'ann';

const APPLE = join(import.meta.dirname, 'apple');
const ENTER = join(import.meta.dirname, 'enter.sh');
const LIBRARIES = 'libraries.so';
/** Ann, who is in no passwd file. */
const [UID, GID] = [501, 20];
const AS_ANN = ['setpriv', '--reuid', String(UID), '--regid', String(GID), '--clear-groups'];
/** The program hangs when a run takes longer. */
const RUN_MS = 50_000;

/** Makes Macs, whose files lie in one folder. `close` it after the last. */
export class MacFactory {
  readonly #bin: string;
  readonly #folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-macs-'));

  /** @param bin path of bin/netmon-tui.js, which other users can read */
  constructor(bin: string) {
    this.#bin = bin;
    chmodSync(this.#folder, 0o755);
    execFileSync('cc', ['-shared', '-fPIC', '-o', join(this.#folder, LIBRARIES), join(APPLE, 'libraries.c'), '-ldl']);
  }

  make(): Mac {
    const state = mkdtempSync(join(this.#folder, 'mac-'));
    copyFileSync(join(this.#folder, LIBRARIES), join(state, LIBRARIES));
    return new Mac(this.#bin, state);
  }

  close(): void {
    // The root child of a program that failed may write its last lines meanwhile.
    for (let tries = 1; existsSync(this.#folder); tries++) {
      try {
        rmSync(this.#folder, { recursive: true, force: true });
      } catch (thrown) {
        if (tries === 10) throw thrown;
      }
    }
  }
}

/** A Mac on which nothing runs yet. */
export class Mac {
  readonly #bin: string;
  /** A folder, which is /usr/mac inside. */
  readonly #state: string;
  #child: ChildProcess | null = null;

  /** See MacFactory. */
  constructor(bin: string, state: string) {
    this.#bin = bin;
    this.#state = state;
    chmodSync(this.#state, 0o755);
    for (const name of ['interfaces', 'layers', 'home']) mkdirSync(join(this.#state, name));
    chownSync(join(this.#state, 'home'), UID, GID);
    this.#write('node', `#!/bin/sh\nexec '${process.execPath}' --import '${join(APPLE, 'darwin.mjs')}' "$@"\n`, 0o755);
    this.#write('tcpdump', `#!/bin/sh\nexec '${process.execPath}' '${join(APPLE, 'tcpdump.mjs')}' "$@"\n`, 0o755);
    this.#write('wire.pcap', wire());
    this.#write('rates', rates());
    this.#write('paths', PROCESSES.map(({ pid, path }) => `${pid} ${path}\n`).join(''));
    const listed = PROCESSES.map(({ pid, parent, uid, path, title = path }) =>
      [String(pid).padStart(5), String(parent).padStart(5), String(uid).padStart(5), 'Sun Nov 22 09:03:22 2026    ', title].join(
        ' ',
      ),
    );
    this.#write('ps', `${listed.join('\n')}\n`);
    this.#write('calls.log', '', 0o666);
    this.#write('clipboard', '', 0o666);
  }

  /** Forbids PKTAP to libpcap; tcpdump may still open it. */
  refusePktap(): void {
    this.#write('refuses-pktap', '');
  }

  /**
   * Adds the traffic of a command that the program runs, and of a child of it.
   *
   * @returns what the command is to do first: it says that it sends, and lists itself and the child among the processes
   */
  expectCommand(): string {
    this.#write('wire.pcap', wire(true));
    for (const name of ['pids', 'ps', 'paths']) this.#write(name, name === 'pids' ? '' : this.#read(name), 0o666);
    const process = (pid: string, parent: string, path: string, number: number) =>
      [
        `printf '%5d %5d   501 Sun Nov 22 09:03:22 2026    %s\\n' ${pid} ${parent} ${path} >>/usr/mac/ps`,
        `echo ${pid} ${path} >>/usr/mac/paths`,
        `echo ${number} ${pid} >>/usr/mac/pids`,
      ].join('; ');
    const { command, child } = NAMED_PIDS;
    return `sleep 4 & ${process('$$', '1', '/bin/sh', command)}; ${process('$!', '$$', '/opt/homebrew/bin/npm', child)}`;
  }

  /** Lets everybody open /dev/bpf0, as Wireshark's ChmodBPF does. Takes effect when the program starts. */
  openBpf(): void {
    this.#write('opens-bpf', '');
  }

  /** The programs that were run, and the calls of pcap_create and pcap_close: `EUID NAME ARGUMENTS`, oldest first. */
  get calls(): readonly string[] {
    return readFileSync(join(this.#state, 'calls.log'), 'utf8').split('\n').slice(0, -1);
  }

  /** Names of the pktap interfaces. */
  get interfaces(): readonly string[] {
    return readdirSync(join(this.#state, 'interfaces'));
  }

  /** Waits until no pktap interface is left. */
  async cleared(): Promise<void> {
    for (let i = 0; i < 1000 && this.interfaces.length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    if (this.interfaces.length > 0) throw new Error(`left behind: ${this.interfaces}`);
  }

  /** Removes a pktap interface while it is in use. */
  destroy(name: string): void {
    rmSync(join(this.#state, 'interfaces', name));
  }

  /** Ann's home. */
  get home(): string {
    return join(this.#state, 'home');
  }

  /** Writes Ann's configuration. */
  configure(text: string): void {
    const folder = join(this.home, '.config', 'netmon-tui');
    mkdirSync(folder, { recursive: true });
    const path = join(folder, 'config.toml');
    writeFileSync(path, text, { mode: 0o600 });
    chownSync(path, UID, GID);
  }

  get clipboard(): string {
    return readFileSync(join(this.#state, 'clipboard'), 'utf8');
  }

  /** Runs the program to its end. */
  run(starter: Starter, ...words: string[]): { status: number | null; stdout: string; stderr: string } {
    const [command = '', ...rest] = this.command(starter, words);
    return spawnSync(command, rest, {
      encoding: 'utf8',
      env: this.environment(starter),
      timeout: RUN_MS,
      killSignal: 'SIGKILL',
    });
  }

  /** Starts the program with --json and reads its lines as they come. `kill` it at the end. */
  start(starter: Starter, ...words: string[]): Running {
    const [command = '', ...rest] = this.command(starter, ['--json', '--interval', '200ms', ...words]);
    const child = spawn(command, rest, { env: this.environment(starter) });
    this.#child = child;
    return new Running(child);
  }

  /** Kills what `start` started, if it still runs. */
  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Runs the program on this process's own terminal. @returns its exit status */
  show(starter: Starter, ...words: string[]): number {
    const [command = '', ...rest] = this.command(starter, words);
    const { TERM = '', COLORTERM = '' } = process.env;
    const { status } = spawnSync(command, rest, { stdio: 'inherit', env: { ...this.environment(starter), TERM, COLORTERM } });
    return status ?? 1;
  }

  /** What runs the program. */
  command(starter: Starter, words: readonly string[]): string[] {
    const as = starter === 'ann' ? AS_ANN : [];
    return ['unshare', '--mount', ENTER, this.#state, ...as, '/usr/mac/node', this.#bin, ...words];
  }

  /** What the program finds as its environment. On a Mac, sudo keeps HOME. */
  environment(starter: Starter): Record<string, string> {
    const sudo = { SUDO_USER: 'ann', SUDO_UID: String(UID), SUDO_GID: String(GID) };
    const env = { PATH: process.env['PATH'] ?? '', HOME: '/usr/mac/home', LANG: 'en_US.UTF-8', TZ: 'UTC' };
    return starter === 'sudo' ? { ...env, ...sudo } : env;
  }

  #read(name: string): string {
    return readFileSync(join(this.#state, name), 'utf8');
  }

  #write(name: string, content: string | Uint8Array, mode = 0o644): void {
    const path = join(this.#state, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
  }
}

/** Why this machine can't be a fake Mac; null when it can. */
export function macObstacle(): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.geteuid?.() !== 0) return 'needs root';
  for (const program of ['bash', 'cc', 'mount', 'setpriv', 'unshare']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `needs the program ${program}`;
  }
  if (!['libpcap.so.0.8', 'libpcap.so.1', 'libpcap.so'].some(loads)) return 'needs libpcap';
  if (spawnSync('unshare', ['--mount', 'true']).status !== 0) return 'needs mount namespaces';
  const state = mkdtempSync(join(tmpdir(), 'nmt-mac-'));
  try {
    mkdirSync(join(state, 'layers'));
    const words = ['--mount', ENTER, state, ...AS_ANN, process.execPath, '-e', `require('node:fs').readFileSync('${ENTER}')`];
    const { status, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
    if (status === 97) return stderr.trim();
    return status === 0 ? null : 'another user can not run node here';
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

function loads(library: string): boolean {
  try {
    koffi.load(library);
    return true;
  } catch {
    return false;
  }
}
