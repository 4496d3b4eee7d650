// Starts the user's command: as the user who called sudo, in the program's place at the terminal, holding nothing of the program's. It waits at a
// gate until the program watches, so that its first packet is counted. On Linux it has a cgroup of its own, where one can be made.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { sanitize } from '../net/text.ts';
import { startUmask } from '../privilege/harden.ts';
import { type Identity, identityOf, macAccount } from '../system/accounts.ts';
import { type Edges, NO_DEBUGGER } from '../system/edges.ts';
import { childCommand } from '../system/own-files.ts';
import { readSystemFile } from '../system/small-file.ts';
import { type CgroupRemoval, CommandCgroup } from './cgroup.ts';
import { commandEnvironment } from './environment.ts';

/** The gate's end of the pair of sockets to the program. */
export const GATE_DESCRIPTOR = 3;
/** Statuses that shells give a command that can't be executed, or isn't there. */
export const [NOT_EXECUTABLE, NOT_FOUND] = [126, 127];
/** Where the relay has the root of the cgroups. */
const RELAY_ROOT = 3;
/** How long the end of the run waits for the cgroup's removal, which takes a few ms. */
const REMOVAL_MS = 1000;

/** What the gate is told. Texts are bytes, one a character. */
export interface CommandOrders {
  readonly words: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** The user to become; null to stay. */
  readonly identity: Pick<Identity, 'name' | 'uid' | 'gid' | 'groups'> | null;
  readonly umask: number;
  /** Soft limit of open files; null leaves it. */
  readonly files: number | null;
}

/** How a command ended. */
export interface CommandEnd {
  /** As a shell says it: its own, or 128 + n after signal n. */
  readonly status: number;
  /** Why it never began; null if it did. */
  readonly failure: string | null;
}

/** A command at the gate, then running. */
export class Command {
  readonly words: readonly string[];
  /** Name of the user that it runs as. */
  readonly user: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<CommandEnd>;
  /** Its cgroup; else why it has none, in words, empty where there are none. */
  readonly cgroup: CommandCgroup | string;
  readonly #child: ChildProcess;
  readonly #gate: Duplex;
  /**
   * Does what this process can't, once it isn't root: passes signals on to a command that stays root, or becomes it, and removes the cgroup, even
   * if this process is killed. null if neither is needed.
   */
  readonly #relay: ChildProcess | null;
  #isOver = false;
  #failure = '';

  /** Starts the gate. Call it before anything is opened: what is open by then could be inherited. @param user `--user`; null if not given */
  static async start(words: readonly string[], edges: Edges, user: string | null): Promise<Command> {
    const identity = await identityFor(edges, user);
    const isOther = identity.by === 'sudo' || identity.by === 'user';
    const orders: CommandOrders = {
      words: words.map(bytesOf),
      env: commandEnvironment(edges, isOther ? identity : null),
      identity: isOther ? identity : null,
      umask: startUmask(),
      files: edges.platform === 'linux' ? openFiles(edges) : null,
    };
    return new Command(words, orders, isOther || identity.by === 'self' ? identity.name : 'root', edges);
  }

  private constructor(words: readonly string[], orders: CommandOrders, user: string, edges: Edges) {
    this.words = words;
    this.user = user;
    const { path, args, env } = childCommand('command-gate', [NO_DEBUGGER, '--max-old-space-size=32'], []);
    this.#child = spawn(path, args, { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], env, shell: false });
    this.#gate = this.#child.stdio[GATE_DESCRIPTOR] as Duplex;
    this.#gate.on('error', () => undefined);
    const { pid } = this.#child;
    this.cgroup = edges.platform === 'linux' && pid !== undefined ? CommandCgroup.make(edges.paths.proc, pid) : '';
    const removal = typeof this.cgroup === 'string' ? null : this.cgroup.removal;
    this.#relay = pid !== undefined && (removal !== null || process.geteuid?.() === 0) ? startRelay(pid, removal) : null;
    this.#gate.on('data', (chunk: Buffer) => {
      this.#failure = sanitize(`${this.#failure}${chunk.toString('utf8')}`.slice(0, 512).trim());
    });
    this.#gate.write(`${JSON.stringify(orders)}\n`, 'latin1');
    const closed = new Promise<void>((resolve) => this.#gate.once('close', () => resolve()));
    this.ended = new Promise((resolve) => {
      const end = (status: number) => {
        this.#isOver = true;
        this.#relay?.stdin?.end();
        void closed.then(() => resolve({ status, failure: this.#failure === '' ? null : this.#failure }));
      };
      this.#child.once('error', (thrown) => {
        if (this.#child.pid !== undefined) return; // a signal that failed
        this.#failure = thrown.message;
        end(NOT_EXECUTABLE);
      });
      this.#child.once('exit', (code, signal) => end(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Opens the gate: the command begins. */
  go(): void {
    this.#gate.end('go\n');
  }

  /** Passes on a signal that only the program got. */
  signal(name: NodeJS.Signals): void {
    if (this.#isOver) return;
    if (this.#relay === null) this.#child.kill(name);
    else this.#relay.stdin?.write(`${name.slice('SIG'.length)}\n`);
  }

  /** Ends what still waits at the gate, and has the cgroup removed. A command that runs goes on. */
  async close(): Promise<void> {
    this.#gate.destroy();
    this.#child.unref();
    if (typeof this.cgroup !== 'string') this.cgroup.close();
    if (this.#relay === null) return;
    const gone = new Promise((resolve) => this.#relay?.once('exit', resolve));
    this.#relay.stdin?.end();
    if (typeof this.cgroup === 'string' || this.#relay.exitCode !== null) return;
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, REMOVAL_MS))]);
  }
}

/**
 * Starts what sends a few signals to one process until its input ends, and then removes the cgroup: those that still run in it go to the one
 * above. It is out of the terminal's reach.
 */
function startRelay(pid: number, removal: CgroupRemoval | null): ChildProcess {
  const script = `
    while read -r name; do case $name in TERM|HUP|INT) kill -s "$name" "$0";; esac; done
    [ -n "$1" ] || exit
    for attempt in 1 2 3 4 5 6 7 8; do
      while read -r pid; do echo "$pid" >"$1/../cgroup.procs"; done <"$1/cgroup.procs"
      find "$1" -depth -type d -exec rmdir {} \\;
      [ -d "$1" ] || exit
    done`;
  const folder = removal === null ? [] : [`/proc/self/fd/${RELAY_ROOT}${removal.path}`];
  const relay = spawn('/bin/sh', ['-c', script, String(pid), ...folder], {
    stdio: ['pipe', 'ignore', 'ignore', ...(removal === null ? [] : [removal.root])],
    env: {},
    shell: false,
    cwd: '/',
    detached: true,
  });
  relay.on('error', () => undefined);
  relay.stdin?.on('error', () => undefined);
  relay.unref();
  return relay;
}

/** The bytes of a word, one a character. */
function bytesOf(word: string): string {
  return Buffer.from(word, 'utf8').toString('latin1');
}

/** Whom the command runs as: who called sudo, or was named; never nobody. */
async function identityFor(edges: Edges, user: string | null): Promise<Identity> {
  const beside = (name: string) => readSystemFile(join(dirname(edges.paths.passwd), name), 1 << 20) ?? '';
  const passwd = `${beside('passwd')}\n${await macAccount(edges, user)}`;
  const request = { euid: edges.euid(), stayRoot: false, records: false, passwd, group: beside('group') };
  return identityOf({ ...request, env: process.env, user });
}

/** The soft limit of open files that whoever started the program has: Node raises its own. */
function openFiles({ paths }: Edges): number | null {
  const limits = readSystemFile(`${paths.proc}/${process.ppid}/limits`) ?? '';
  const found = /^Max open files\s+(\d{1,15})\b/m.exec(limits);
  return found === null ? null : Number(found[1]);
}
