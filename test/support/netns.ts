// Two network namespaces joined by a veth pair, made and removed by a test; and the program, run in one of them.

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Longest wait for what the program says. Only a failure takes that long; a machine that is busy with other things takes its time, too. */
const PATIENCE_MS = 30_000;

/** Why namespaces can't be had here; null where they can. */
export function netnsObstacle(...programs: readonly string[]): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.geteuid?.() !== 0) return 'needs root';
  for (const program of ['ip', ...programs]) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    } catch {
      return `needs the program ${program}`;
    }
  }
  try {
    execFileSync('ip', ['netns', 'add', `nmtry${process.pid}`], { stdio: 'ignore' });
    execFileSync('ip', ['netns', 'del', `nmtry${process.pid}`], { stdio: 'ignore' });
    return null;
  } catch {
    return 'needs network namespaces';
  }
}

/** `near` (10.99.0.1 on `va`) and `far` (10.99.0.2 on `vb`), without IPv6, so that nothing is sent but by the test. */
export class Pair {
  readonly near: string;
  readonly far: string;
  readonly #children: ChildProcessWithoutNullStreams[] = [];

  constructor() {
    const id = `${process.pid}${Math.floor(Math.random() * 1000)}`;
    this.near = `nmn${id}`;
    this.far = `nmf${id}`;
    for (const name of [this.near, this.far]) {
      execFileSync('ip', ['netns', 'add', name]);
      execFileSync('ip', [
        'netns',
        'exec',
        name,
        'sh',
        '-c',
        'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null || :',
      ]);
    }
    this.link();
  }

  /** Makes the pair of interfaces, anew after one was deleted. */
  link(): void {
    execFileSync('ip', ['link', 'add', 'va', 'netns', this.near, 'type', 'veth', 'peer', 'name', 'vb', 'netns', this.far]);
    this.run(this.near, 'ip addr add 10.99.0.1/24 dev va; ip link set va up; ip link set lo up');
    this.run(this.far, 'ip addr add 10.99.0.2/24 dev vb; ip link set vb up; ip link set lo up');
    this.introduce();
  }

  /** Tells each end the other's address, so that no ARP is sent; anew after an interface was down. */
  introduce(): void {
    const mac = (name: string, device: string) => this.run(name, `cat /sys/class/net/${device}/address`).trim();
    this.run(this.near, `ip neigh replace 10.99.0.2 dev va lladdr ${mac(this.far, 'vb')} nud permanent`);
    this.run(this.far, `ip neigh replace 10.99.0.1 dev vb lladdr ${mac(this.near, 'va')} nud permanent`);
  }

  /** Runs a shell command to its end. */
  run(namespace: string, command: string): string {
    return execFileSync('ip', ['netns', 'exec', namespace, 'sh', '-c', command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Sends datagrams of 100 bytes. */
  datagrams(namespace: string, to: string, count: number): void {
    const script = `const s = require('node:dgram').createSocket('udp4'); let left = ${count};
      const next = () => left-- > 0 ? s.send(Buffer.alloc(100), 9, '${to}', next) : s.close(); s.on('error', () => {}); next();`;
    execFileSync('ip', ['netns', 'exec', namespace, process.execPath, '-e', script]);
  }

  /** Starts a program; it ends with the pair. */
  start(namespace: string, command: string, args: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn('ip', ['netns', 'exec', namespace, command, ...args]);
    child.stdin.on('error', () => undefined);
    this.#children.push(child);
    return child;
  }

  /** What an interface of `near` counted. */
  counter(device: string, name: string): number {
    return Number(this.run(this.near, `cat /sys/class/net/${device}/statistics/${name}`));
  }

  remove(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const name of [this.near, this.far]) {
      if (existsSync(`/var/run/netns/${name}`)) execFileSync('ip', ['netns', 'del', name]);
    }
  }
}

export interface Line {
  readonly type: string;
  readonly capture: {
    packets: number;
    frame_bytes: number;
    interface_bytes: number | null;
    dropped: number;
    note: string | null;
  };
  readonly total: { rx_bytes: number; tx_bytes: number; passing_bytes: number | null };
  readonly hosts: { rx_bytes: number; tx_bytes: number }[];
  readonly interfaces: { interface: string; rx_bytes: number; tx_bytes: number; passing_bytes: number | null }[];
  readonly apps: { app: string | null; rx_bytes: number; tx_bytes: number; flows: number; pids: number[] }[];
  readonly flows: {
    protocol: string;
    direction: string;
    app: string | null;
    interface: string;
    remote: { port: number };
    rx_bytes: number;
    tx_bytes: number;
  }[];
}

/** A running program whose lines are read as they come. */
export class Running {
  readonly lines: Line[] = [];
  stderr = '';
  /** Exit status, or the signal's name. */
  readonly ended: Promise<number | string | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  #isOver = false;
  #rest = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const parts = (this.#rest + text).split('\n');
      this.#rest = parts.pop() ?? '';
      for (const part of parts) this.lines.push(JSON.parse(part) as Line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#isOver = true;
        resolve(code ?? signal);
      });
    });
  }

  get samples(): Line[] {
    return this.lines.filter(({ type }) => type === 'sample');
  }

  get last(): Line {
    const line = this.lines.at(-1);
    if (line === undefined) throw new Error(`no output; standard error: ${this.stderr}`);
    return line;
  }

  /** Waits until the program has said what is looked for, and in vain at the most `PATIENCE_MS`. */
  async until(done: () => boolean, what: string): Promise<void> {
    const begun = performance.now();
    while (performance.now() - begun < PATIENCE_MS) {
      if (done()) return;
      if (this.#isOver) throw new Error(`it ended before ${what}: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(
      `waited in vain: ${what}; standard error: ${this.stderr}; last line: ${JSON.stringify(this.lines.at(-1))?.slice(0, 500)}`,
    );
  }

  /** Ctrl+C, and its end. @returns the exit status */
  async interrupt(): Promise<number | string | null> {
    this.#child.kill('SIGINT');
    return this.ended;
  }
}
