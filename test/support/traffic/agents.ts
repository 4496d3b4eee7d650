// Starts traffic agents: processes with an executable of their own name, so that a row of the program's output can only be theirs.

import { type ChildProcess, spawn } from 'node:child_process';
import { constants, copyFileSync, linkSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SCRIPT = join(import.meta.dirname, 'agents/agent.js');

/** What an agent says when it is ready. */
export interface Ready {
  readonly pid: number;
  readonly port?: number;
  readonly pids?: readonly number[];
  /** What the kernel lacks for this kind. */
  readonly without?: string;
}

/** Bytes on the wire, IP header included, as the agent saw them. */
export interface Done {
  readonly tx: number;
  readonly rx: number;
  readonly messages?: number;
  readonly accepted?: number;
  readonly children?: readonly Done[];
}

/** A running agent. */
export interface Agent {
  readonly exe: string;
  readonly pid: number;
  readonly ready: Ready;
  /** Lets it work; `done` settles when it has. It keeps its sockets until `leave`. */
  go(): void;
  readonly done: Promise<Done>;
  leave(): Promise<void>;
}

/** The agents of a test file. */
export class Agents {
  readonly #folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmt-'));
  readonly #running = new Set<ChildProcess>();
  readonly #node = realpathSync(process.execPath);
  #count = 0;

  /** An executable whose path nothing else on this machine has. */
  executable(name: string): string {
    const exe = join(this.#folder, `${name}-${process.pid}-${this.#count++}`);
    try {
      linkSync(this.#node, exe);
    } catch {
      copyFileSync(this.#node, exe, constants.COPYFILE_FICLONE); // another file system, or a locked file
    }
    return exe;
  }

  /** Starts an agent in a namespace and waits until it is ready. @param exe another name than the kind's */
  async start(namespace: string, kind: string, how: object, exe = this.executable(kind)): Promise<Agent> {
    const words = ['netns', 'exec', namespace, exe, SCRIPT, kind, JSON.stringify(how)];
    const child = spawn('ip', words, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#running.add(child);
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors = (errors + chunk).slice(-2000);
    });
    child.stdin.on('error', () => {});
    const left = new Promise<void>((resolve) => child.once('close', () => resolve()));
    void left.then(() => this.#running.delete(child));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<{ ready?: Ready; done?: Done }> => {
      const line = await lines.next();
      if (line.done === true) throw new Error(`${kind} ended: ${errors.trim()}`);
      return JSON.parse(line.value);
    };
    const { ready } = await next();
    if (ready === undefined) throw new Error(`${kind} was not ready`);
    let settle: (done: Promise<Done>) => void = () => {};
    const done = new Promise<Done>((resolve) => {
      settle = resolve;
    });
    return {
      exe,
      pid: ready.pid,
      ready,
      go() {
        child.stdin.write('go\n');
        settle(
          next().then((said) => {
            if (said.done === undefined) throw new Error(`${kind} did not tell what it did`);
            return said.done;
          }),
        );
      },
      done,
      async leave() {
        child.stdin.end();
        await left;
      },
    };
  }

  /** Ends what still runs and removes the executables. */
  close(): void {
    for (const child of this.#running) child.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
