// The user's command: a program of the user's, with arguments fixed in the configuration, started without a shell. Alerts reach it as JSON on
// standard input and in a few environment variables; outside text is never part of its arguments.

import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { DELIVERED, type Delivery, failed, type Outcome } from './delivery.ts';
import type { Message } from './message.ts';
import { whyOpenToOthers } from './trusted-path.ts';

/** How long a program may take. */
export const LONGEST_MS = 30_000;
/** Status by which a program asks to be started again later (sysexits(3), EX_TEMPFAIL). */
const TRY_AGAIN = 75;
const PATIENCE_MS = 24 * 3_600_000;

/** The command of the configuration. */
export class HookDelivery implements Delivery {
  readonly channel = 'command';
  readonly isLog = false;
  readonly patienceMs = PATIENCE_MS;
  readonly #command: readonly string[];
  readonly #longestMs: number;

  /** @param command an absolute path and arguments */
  constructor(command: readonly string[], longestMs = LONGEST_MS) {
    this.#command = command;
    this.#longestMs = longestMs;
  }

  async send({ json, alert, severity, text }: Message): Promise<Outcome> {
    const [path = '', ...args] = this.#command;
    const refusal = whyNotStarted(path);
    if (refusal !== null) return failed(refusal, true);
    const ended = await runAsUser(
      { path, args, input: `${json}\n`, longestMs: this.#longestMs },
      {
        NETMON_ALERT_KIND: alert?.kind ?? 'digest',
        NETMON_ALERT_SEVERITY: severity,
        NETMON_ALERT_ID: alert?.id ?? '',
        NETMON_ALERT_APP: alert?.app ?? '',
        NETMON_ALERT_HOST: alert?.host ?? '',
        NETMON_ALERT_TEXT: text,
      },
    );
    if (ended === 0) return DELIVERED;
    // What a program did before it failed is not done twice, unless it asks for it.
    if (typeof ended === 'number') return failed(`the command ended with status ${ended}`, ended === TRY_AGAIN);
    return failed(`the command ${ended.reason}`, !ended.hasRun);
  }
}

/** Why a program isn't started for a user: it is missing, or somebody else could replace it; null if it may be. */
export function whyNotStarted(path: string, uid = process.geteuid?.()): string | null {
  try {
    accessSync(path, constants.X_OK);
    return whyOpenToOthers(path, uid);
  } catch (thrown) {
    return `${path} can't be started (${(thrown as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
}

interface Program {
  readonly path: string;
  readonly args: readonly string[];
  readonly input: string;
  readonly longestMs: number;
}

/** Runs a program of the user's in a session of its own, and kills all of that when it takes too long. @returns its status, or why there is none */
export function runAsUser(
  { path, args, input, longestMs }: Program,
  more: Readonly<Record<string, string>> = {},
): Promise<number | { readonly reason: string; readonly hasRun: boolean }> {
  return new Promise((resolve) => {
    const { home, name } = account();
    const env = { ...process.env, HOME: home, USER: name, LOGNAME: name, ...more };
    const child = started(path, args, { env, cwd: home });
    if (typeof child === 'string') {
      resolve({ reason: `can't be started (${child})`, hasRun: false });
      return;
    }
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      if (child.pid !== undefined) killGroup(child.pid);
    }, longestMs);
    child.stdin.on('error', () => undefined); // it need not read
    child.stdin.end(input);
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (child.pid === undefined) resolve({ reason: `can't be started (${error.code ?? 'unknown error'})`, hasRun: false });
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      if (isLate) resolve({ reason: `took longer than ${longestMs / 1000} s and was killed`, hasRun: true });
      else resolve(code ?? { reason: `was ended by ${signal}`, hasRun: true });
    });
  });
}

/** Node throws some errors of the system, and reports others by an event. @returns the error's code if it threw */
function started(path: string, args: readonly string[], { env, cwd }: { readonly env: NodeJS.ProcessEnv; readonly cwd: string }) {
  try {
    return spawn(path, args, { env, cwd, stdio: ['pipe', 'ignore', 'ignore'], detached: true, shell: false });
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
  }
}

function account(): { home: string; name: string } {
  try {
    const { homedir, username } = userInfo();
    return { home: statSync(homedir, { throwIfNoEntry: false })?.isDirectory() ? homedir : '/', name: username };
  } catch {
    return { home: '/', name: '' }; // a user that the system has no name for
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
