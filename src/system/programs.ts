// The real edges: run system programs without a shell, with a fixed PATH and limits on time and output. It doesn't interpret output.

import { type ChildProcess, spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { NetmonError } from '../model/errors.ts';
import type { EdgePaths, Edges, RunLimits, RunResult } from './edges.ts';

/** PATH of children. The user's own may contain folders that others can write to, and this may run as root. */
const SAFE_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';
/** How long to wait for output after the program has exited. A grandchild may hold the pipes forever. */
const DRAIN_MS = 500;
/** How long to wait for a killed program. One that hangs in the kernel never exits. */
const REAP_MS = 500;

const DARWIN_PATHS: EdgePaths = {
  tcpdump: '/usr/sbin/tcpdump',
  nettop: '/usr/bin/nettop',
  lsof: '/usr/sbin/lsof',
  netstat: '/usr/sbin/netstat',
  route: '/sbin/route',
  ps: '/bin/ps',
  arp: '/usr/sbin/arp',
  ndp: '/usr/sbin/ndp',
  ifconfig: '/sbin/ifconfig',
  pbcopy: '/usr/bin/pbcopy',
  codesign: '/usr/bin/codesign',
  proc: '/proc',
  sys: '/sys',
  passwd: '/etc/passwd',
  packages: '/',
};

const LINUX_PATHS: EdgePaths = {
  ...DARWIN_PATHS,
  tcpdump: '/usr/bin/tcpdump',
  lsof: '/usr/bin/lsof',
  netstat: '/usr/bin/netstat',
};

/**
 * The edges of this machine.
 *
 * @param paths replaces single paths, in tests
 * @throws NetmonError `usage` on a system that is neither macOS nor Linux
 */
export function systemEdges(paths: Partial<EdgePaths> = {}): Edges {
  const platform = process.platform;
  if (platform !== 'darwin' && platform !== 'linux') {
    throw new NetmonError('usage', `netmon-tui runs on macOS and Linux, not on ${platform}`);
  }
  const all: EdgePaths = { ...(platform === 'darwin' ? DARWIN_PATHS : LINUX_PATHS), ...paths };
  // Without a UTF-8 locale lsof writes bytes above 0x7e as \xNN, and pbcopy reads them as Mac Roman. All others must print numbers and dates as in C and UTC.
  const utf8 = platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  const environment = (path: string): NodeJS.ProcessEnv => ({
    PATH: SAFE_PATH,
    LC_ALL: path === all.lsof || path === all.pbcopy ? utf8 : 'C',
    TZ: 'UTC0',
  });
  return {
    platform,
    paths: all,
    run: (path, args, limits) => runToEnd(path, args, environment(path), limits),
    spawn: (path, args) => start(path, args, environment(path)),
    networkInterfaces: () => networkInterfaces(),
    euid: () => process.geteuid?.() ?? -1,
  };
}

function start(path: string, args: readonly string[], env: NodeJS.ProcessEnv, input: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
  return spawn(path, args, { stdio: [input, 'pipe', 'pipe'], env, shell: false, cwd: '/' });
}

/** Runs a program. Always resolves, at the latest after `timeoutMs` + REAP_MS. */
function runToEnd(path: string, args: readonly string[], env: NodeJS.ProcessEnv, limits: RunLimits): Promise<RunResult> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = start(path, args, env, limits.input === undefined ? 'ignore' : 'pipe');
    } catch (thrown) {
      // A NUL byte in an argument throws here; all other failures arrive as events.
      resolve({ status: null, stdout: '', stderr: '', cut: null, failure: (thrown as NodeJS.ErrnoException).code ?? 'EINVAL' });
      return;
    }
    const output: [Buffer[], Buffer[]] = [[], []];
    let bytes = 0;
    let status: number | null = null;
    let cut: RunResult['cut'] = null;
    let failure: string | null = null;
    let settled = false;
    let late: NodeJS.Timeout | undefined;

    const settle = (): void => {
      if (settled) return;
      settled = true;
      clearTimeout(deadline);
      clearTimeout(late);
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve({ status: cut === null ? status : null, stdout: text(output[0]), stderr: text(output[1]), cut, failure });
    };
    const kill = (why: 'time' | 'size'): void => {
      if (cut !== null || settled) return;
      cut = why;
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.kill('SIGKILL');
      clearTimeout(late);
      late = setTimeout(settle, REAP_MS);
    };
    const deadline = setTimeout(() => kill('time'), limits.timeoutMs);
    for (const [i, pipe] of [child.stdout, child.stderr].entries()) {
      pipe?.on('error', () => undefined);
      pipe?.on('data', (chunk: Buffer) => {
        const room = limits.maxBytes - bytes;
        bytes += chunk.length;
        output[i as 0 | 1].push(chunk.length <= room ? chunk : chunk.subarray(0, Math.max(0, room)));
        if (bytes > limits.maxBytes) kill('size');
      });
    }
    child.stdin?.on('error', () => undefined); // it may not read all of it
    child.stdin?.end(limits.input);
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return; // a kill that failed; the exit still comes
      failure = error.code ?? 'UNKNOWN';
      settle();
    });
    child.on('exit', (code) => {
      status = code;
      if (cut !== null) settle();
      else late = setTimeout(settle, DRAIN_MS);
    });
    child.on('close', settle);
  });
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}
