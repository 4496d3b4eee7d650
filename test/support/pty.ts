// The program on a real pseudo-terminal: keys, resizes and signals in, what a terminal emulator makes of its output out. Needs python3.

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import xterm from '@xterm/headless';

const SCRIPT = fileURLToPath(new URL('./on-terminal.py', import.meta.url));
/** The emulator draws this much at a time before it is asked again. */
const LOOK_MS = 20;
const PATIENCE_MS = 30_000;
/** A slow line takes seconds for a frame, and some stand in a queue. */
const SLOW_PATIENCE_MS = 60_000;

/** Why nothing can be run on a terminal here; null when all is well. */
export function ptyObstacle(): string | null {
  try {
    execFileSync('python3', ['-c', 'import pty, termios'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'python3 with its pty module is not installed';
  }
}

/** How a terminal is made. */
export interface PtyOptions {
  readonly columns: number;
  readonly rows: number;
  /** Set over this process's own; undefined takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Bytes a second that the line takes; no limit unless told. */
  readonly speed?: number;
}

/** A program on a terminal. End every one. */
export class Pty {
  readonly terminal: InstanceType<typeof xterm.Terminal>;
  /** Everything that was written to it. */
  log = '';
  /** Resolves with the exit status. */
  readonly status: Promise<number>;
  #failure: Error | null = null;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #patience: number;

  constructor(command: readonly string[], { columns, rows, env, speed = 0 }: PtyOptions) {
    this.#patience = speed > 0 ? SLOW_PATIENCE_MS : PATIENCE_MS;
    this.terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    const words = [SCRIPT, columns, rows, speed, ...command].map(String);
    this.#child = spawn('python3', words, { env: { ...process.env, ...env } });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.log += chunk.toString('latin1');
      this.terminal.write(chunk);
    });
    let said = '';
    this.#child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    this.status = new Promise((resolve, reject) => {
      this.#child.once('close', () => {
        const match = /status (\d+)/.exec(said);
        if (match === null) reject(new Error(`the terminal broke: ${said}`));
        else resolve(Number(match[1]));
      });
    });
    this.status.catch((thrown) => {
      this.#failure = thrown;
    });
  }

  type(keys: string): void {
    this.#say(`type ${Buffer.from(keys).toString('hex')}`);
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
    this.#say(`resize ${columns} ${rows}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#say(`signal ${constants.signals[name]}`);
  }

  /** The line takes nothing any more, until `flow`. */
  stall(): void {
    this.#say('stall');
  }

  flow(): void {
    this.#say('flow');
  }

  /** What stands on the screen, trailing blanks gone. */
  get lines(): readonly string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: this.terminal.rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '');
  }

  get text(): string {
    return this.lines.join('\n');
  }

  /** True while the program has the alternate screen. */
  get isTaken(): boolean {
    return this.terminal.buffer.active.type === 'alternate';
  }

  /** Waits until something is so. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    const begun = Date.now();
    while (!isSo()) {
      if (this.#failure !== null) throw this.#failure;
      if (Date.now() - begun > this.#patience) throw new Error(`waited for ${what}; on the screen:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.status.catch(() => {});
    this.terminal.dispose();
  }

  #say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }
}
