// A program that behaves like Apple's tcpdump, or like a broken one, told what to do run by run: in this process, or as a Node script in a
// temporary directory where real signals and pipes matter.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Edges, RunResult } from '../../src/system/edges.ts';

/** What one run does, in this order. */
export interface FakeRun {
  /** Ignores SIGTERM from the beginning. */
  readonly stubborn?: boolean;
  /** Written to standard error first; the line that makes it ready by default. */
  readonly say?: string;
  /** Bytes of noise on standard error after it; the script alone. */
  readonly flood?: number;
  /** Written to standard output. */
  readonly write?: Uint8Array;
  /** Bytes of a write; all at once by default. */
  readonly split?: number;
  /** Written to standard error whenever SIGUSR2 comes; without it the signal is ignored. */
  readonly answer?: string;
  /** Said at the end. */
  readonly farewell?: string;
  /** Exit status at the end; without it, it stays until it is killed. */
  readonly status?: number;
}

const READY =
  'tcpdump: data link type PKTAP\ntcpdump: listening on pktap, link-type PKTAP (Apple DLT_PKTAP), snapshot length 2204 bytes\n';

const SCRIPT = `
const fs = require('fs'), path = require('path');
if (process.argv[2] === '--version') {
  process.stdout.write(fs.readFileSync(path.join(__dirname, 'version')));
  process.exit(0);
}
let n = 0;
while (fs.existsSync(path.join(__dirname, 'run-' + n))) n++;
const runs = JSON.parse(fs.readFileSync(path.join(__dirname, 'plan.json'), 'utf8'));
const run = runs[Math.min(n, runs.length - 1)];
if (run.stubborn) process.on('SIGTERM', () => {});
process.on('SIGUSR2', () => { if (run.answer) fs.writeSync(2, run.answer); });
fs.writeFileSync(path.join(__dirname, 'run-' + n), JSON.stringify({ pid: process.pid, args: process.argv.slice(2) }));
fs.writeSync(2, run.say);
for (let left = run.flood; left > 0; left -= 4096) fs.writeSync(2, 'x'.repeat(4095) + (left % 3 ? '\\n' : 'x'));
const bytes = Buffer.from(run.write, 'base64');
const put = (piece) => { for (let at = 0; at < piece.length; ) { try { at += fs.writeSync(1, piece, at); } catch (e) { if (e.code !== 'EAGAIN') process.exit(3); } } };
for (let at = 0; at < bytes.length; at += run.split) put(bytes.subarray(at, at + run.split));
if (run.farewell) fs.writeSync(2, run.farewell);
if (run.status !== null) process.exit(run.status);
setInterval(() => {}, 1000);
`;

/** What a test asks of a made-up tcpdump. */
export interface FakeProgram {
  readonly edges: Edges;
  /** The runs so far, oldest first. */
  runs(): { readonly pid: number; readonly args: readonly string[] }[];
  /** Process numbers of the runs that are still there. */
  alive(): number[];
  remove(): void;
}

const APPLE = 'tcpdump version 4.99.1 -- Apple version 148\n';

/** Runs in this process: nothing is started, and no time passes. */
export class FakeTcpdump implements FakeProgram {
  readonly edges: Edges;
  readonly #children: FakeProcess[] = [];

  /** @param runs one for each start; the last one is repeated */
  constructor(runs: readonly FakeRun[], version = APPLE) {
    this.edges = {
      ...edgesFor('/usr/sbin/tcpdump'),
      run: () => Promise.resolve({ status: 0, stdout: version, stderr: '', cut: null, failure: null }),
      spawn: (_path, args) => {
        const run = runs[Math.min(this.#children.length, runs.length - 1)] ?? {};
        const child = new FakeProcess(this.#children.length + 1, args, run);
        this.#children.push(child);
        return child as unknown as ChildProcess;
      },
    };
  }

  runs(): FakeProcess[] {
    return [...this.#children];
  }

  alive(): number[] {
    return this.#children.filter((child) => child.lives).map(({ pid }) => pid);
  }

  remove(): void {}
}

/** One run. */
class FakeProcess extends EventEmitter {
  readonly pid: number;
  readonly args: readonly string[];
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  lives = true;
  readonly #run: FakeRun;

  constructor(pid: number, args: readonly string[], run: FakeRun) {
    super();
    this.pid = pid;
    this.args = args;
    this.#run = run;
    setImmediate(() => this.#work(run));
  }

  kill(signal: string): boolean {
    if (!this.lives) return false;
    const { answer = '', stubborn = false } = this.#run;
    if (signal === 'SIGUSR2') this.stderr.write(answer);
    else if (signal === 'SIGKILL' || !stubborn) this.#end(null, signal);
    return true;
  }

  #work({ say = READY, write = new Uint8Array(0), split = 1 << 30, farewell = '', status }: FakeRun): void {
    if (!this.lives) return;
    this.stderr.write(say);
    for (let at = 0; at < write.length; at += split) this.stdout.write(Buffer.from(write.subarray(at, at + split)));
    this.stderr.write(farewell);
    if (status !== undefined) this.#end(status, null);
  }

  #end(status: number | null, signal: string | null): void {
    this.lives = false;
    this.emit('exit', status, signal);
    this.stdout.end();
    this.stderr.end();
  }
}

/** The script, its edges, and what it was asked. */
export class TcpdumpScript implements FakeProgram {
  readonly edges: Edges;
  readonly #directory = mkdtempSync(join(tmpdir(), 'fake-tcpdump-'));

  /** @param runs one for each start; the last one is repeated */
  constructor(runs: readonly FakeRun[], version = APPLE) {
    const path = join(this.#directory, 'tcpdump');
    writeFileSync(path, `#!${process.execPath}\n${SCRIPT}`, { mode: 0o755 });
    writeFileSync(join(this.#directory, 'version'), version);
    writeFileSync(
      join(this.#directory, 'plan.json'),
      JSON.stringify(
        runs.map((run) => ({
          stubborn: run.stubborn ?? false,
          say: run.say ?? READY,
          flood: run.flood ?? 0,
          write: Buffer.from(run.write ?? []).toString('base64'),
          split: run.split ?? 1 << 30,
          answer: run.answer ?? '',
          farewell: run.farewell ?? '',
          status: run.status ?? null,
        })),
      ),
    );
    this.edges = edgesFor(path);
  }

  runs(): { pid: number; args: string[] }[] {
    const runs: { pid: number; args: string[] }[] = [];
    for (let n = 0; existsSync(join(this.#directory, `run-${n}`)); n++) {
      const text = readFileSync(join(this.#directory, `run-${n}`), 'utf8');
      if (text !== '') runs.push(JSON.parse(text));
    }
    return runs;
  }

  alive(): number[] {
    return this.runs()
      .map((run) => run.pid)
      .filter(isAlive);
  }

  remove(): void {
    for (const pid of this.alive()) process.kill(pid, 'SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Edges of a Mac of which only tcpdump is there. */
export function edgesFor(tcpdump: string): Edges {
  const none = '/nonexistent';
  const others = {
    nettop: none,
    lsof: none,
    netstat: none,
    route: none,
    ps: none,
    arp: none,
    ndp: none,
    ifconfig: none,
    pbcopy: none,
    codesign: none,
  };
  const paths = { tcpdump, ...others, proc: none, sys: none, passwd: none, packages: none };
  return {
    platform: 'darwin',
    paths,
    euid: () => 0,
    networkInterfaces: () => ({}),
    spawn: (path, args) => spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] }),
    run: (path, args) =>
      new Promise<RunResult>((resolve) => {
        execFile(path, args, (error, stdout, stderr) => {
          const failure = typeof error?.code === 'string' ? error.code : null;
          resolve({ status: failure === null ? Number(error?.code ?? 0) : null, stdout, stderr, cut: null, failure });
        });
      }),
  };
}
