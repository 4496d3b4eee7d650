// Child processes of a bench: started in a namespace or not, measured from outside, and gone when the bench is.

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux
/** A program that is measured by its whole run may take this long. */
const LONGEST_MS = 120_000;
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts a program; what it prints is in `output` and, line by line, in `line()`.
 *
 * @param {readonly string[]} command
 * @param {{namespace?: string | null, stdio?: import('node:child_process').StdioOptions, env?: NodeJS.ProcessEnv}} [how]
 */
export function start(command, { namespace = null, stdio = ['pipe', 'pipe', 'pipe'], env } = {}) {
  const words = namespace === null ? [...command] : ['ip', 'netns', 'exec', namespace, ...command];
  const child = spawn(words[0], words.slice(1), { stdio, env: env ?? process.env });
  running.add(child);
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, error }));
    child.once('close', (code, signal) => resolve({ code, signal, error: null }));
  }).finally(() => running.delete(child));
  let errors = '';
  child.stderr?.on('data', (chunk) => {
    errors = (errors + chunk).slice(-4000);
  });
  child.stdin?.on('error', () => {});
  const waiting = [];
  const held = [];
  let over = false;
  if (child.stdout) {
    const reader = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on('line', (line) => (waiting.length > 0 ? waiting.shift()(line) : held.push(line)));
    reader.on('close', () => {
      over = true;
      for (const wake of waiting.splice(0)) wake(null);
    });
  }
  return {
    pid: child.pid,
    exited,
    /** What it wrote to standard error, the last of it. */
    errors: () => errors,
    /** Its next line; null when there are no more. */
    line: () =>
      held.length > 0 ? Promise.resolve(held.shift()) : over ? Promise.resolve(null) : new Promise((wake) => waiting.push(wake)),
    say: (text) => child.stdin?.write(text),
    kill: (signal = 'SIGKILL') => child.kill(signal),
  };
}

/**
 * Runs a program to its end.
 *
 * @param {readonly string[]} command
 * @param {{keep?: boolean}} [how] `keep` to have what it prints; a peer prints into nothing, which is its fastest
 * @returns how long it took, or null where it is not installed or failed
 */
export function timed(command, { keep = false } = {}) {
  const begun = performance.now();
  const { status, stdout } = spawnSync(command[0], command.slice(1), {
    stdio: ['ignore', keep ? 'pipe' : 'ignore', keep ? 'inherit' : 'ignore'],
    timeout: LONGEST_MS,
    encoding: 'utf8',
  });
  return status === 0 ? { ms: performance.now() - begun, output: stdout ?? '' } : null;
}

/** Seconds of processor time that a process and its living children have taken, user and system. Linux. @param {number} pid */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const own = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  return childrenOf(pid).reduce((sum, child) => sum + cpuSeconds(child), own);
}

/** A child is its starting thread's, whichever that was. */
function childrenOf(pid) {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  });
}

/** Resident memory of a process in MiB: now, and at its highest. Linux. @param {number} pid */
export function resident(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const kib = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN);
  return { now: kib('VmRSS') / 1024, peak: kib('VmHWM') / 1024 };
}

/** @param {number} ms */
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
