// What holds from the first line of a run, root or not: files are the owner's alone, nobody opens Node's debugger or loads code of his own, and
// capabilities of the executable open no file that its user couldn't open.

import { readFileSync } from 'node:fs';
import { NetmonError } from '../model/errors.ts';
import { isExecutable } from '../system/own-files.ts';
import type { Capability } from './capabilities.ts';

/** Node's options that open its debugger, or write its memory to a file on a signal. Node accepts `_` for `-`. */
const DEBUGGER = /^--(inspect|debug|heapsnapshot-signal|report-on-signal)\b/;
/** Node's options that run other code before ours. On the command line they are the user's own choice, but NODE_OPTIONS may be inherited. */
const PRELOAD = /^(-r$|--(require|import|loader|experimental-loader|snapshot-blob|experimental-(default-)?config-file)\b)/;

/** umask(2) as the program was started. */
let umaskBefore = 0o022;

const NO_CAPABILITY = /^CapPrm:\s*0+$/m;

/**
 * Hardens the process as it starts.
 *
 * SIGUSR1 makes Node listen for a debugger, through which anybody on this machine could run code in this process. Once root is dropped, the user's
 * other programs may send that signal, so we ignore it.
 */
export function hardenStart(): void {
  umaskBefore = process.umask(0o077);
  process.on('SIGUSR1', () => undefined);
}

/** The mask of new files that the program was started with, for commands of the user's. */
export function startUmask(): number {
  return umaskBefore;
}

/** The first dangerous option on Node's command line or in NODE_OPTIONS; null if there is none. */
export function foreignOption(execArgv: readonly string[], nodeOptions = ''): string | null {
  const typed = execArgv.find((word) => DEBUGGER.test(word.replaceAll('_', '-')));
  const inherited = (word: string) => DEBUGGER.test(word) || PRELOAD.test(word);
  return typed ?? nodeOptions.split(/[\s"']+/).find((word) => inherited(word.replaceAll('_', '-'))) ?? null;
}

/**
 * If the process has rights, closes the debugger and refuses to run with options that open it or preload other code.
 *
 * @param hadRights at the start: threads of Node's keep capabilities that this one has given up @throws NetmonError `permission`
 */
export async function refuseDebugger(hadRights: boolean): Promise<void> {
  if (!hadRights) return;
  if (isExecutable && isLent(ownStatus()) && !process.execArgv.includes('--disable-sigusr1'))
    throw new NetmonError(
      'permission',
      `made with Node ${process.versions.node}, this executable must not have capabilities: other programs of its user could take them over`,
      'make it with Node 24.8 or newer, or take them away: setcap -r FILE',
    );
  const option = foreignOption(process.execArgv, process.env['NODE_OPTIONS']);
  const wasOpen = await closeDebugger();
  if (option !== null) {
    const hint = 'type: unset NODE_OPTIONS, and start node without it';
    throw new NetmonError(
      'permission',
      `node's option ${option.split('=', 1)[0]} is not allowed while the process has privileges`,
      hint,
    );
  }
  if (wasOpen) throw new NetmonError('permission', "a signal opened node's debugger during start-up", 'start it again');
}

/** @returns whether it was open */
async function closeDebugger(): Promise<boolean> {
  if (!process.features.inspector) return false;
  const { close, url } = await import('node:inspector');
  if (url() === undefined) return false;
  close();
  return true;
}

/**
 * Takes this thread's capabilities out of effect, unless the process is root. A file gives them to everybody who may run it, and with
 * CAP_DAC_READ_SEARCH they would read any file that such a user names: a configuration, a capture, another user's history. Threads that start
 * meanwhile have none in effect, either.
 *
 * @param forGood the command needs none @returns puts them back into effect, without those that are named @throws NetmonError `permission`
 */
export async function setCapabilitiesAside(forGood: boolean): Promise<(without: readonly Capability[]) => void> {
  if (process.platform !== 'linux' || process.geteuid?.() === 0 || !holdsRights()) return () => undefined;
  const [{ loadLibcCalls }, { maskOf }] = await Promise.all([import('./libc-calls.ts'), import('./capabilities.ts')]);
  const calls = loadLibcCalls('linux');
  if (!(forGood ? calls.setCapabilities(0n, 0n) : calls.setEffective(0n)))
    throw new NetmonError('permission', 'capabilities could not be lowered', 'start it again, or without capabilities');
  return (without) => {
    const permitted = calls.permitted() ?? 0n;
    calls.setEffective(permitted & ~maskOf(without));
  };
}

/** Whether the process is root or has any Linux capability. */
export function holdsRights(): boolean {
  if (process.geteuid?.() === 0) return true;
  return process.platform === 'linux' && !NO_CAPABILITY.test(ownStatus());
}

/**
 * Whether a file gave this process capabilities. The signals of its user reach it, as other users' don't.
 *
 * @param status proc_pid_status(5); a service manager gives ambient ones, which a file takes away
 */
export function isLent(status: string, euid = process.geteuid?.()): boolean {
  return euid !== 0 && /^CapPrm:/m.test(status) && !NO_CAPABILITY.test(status) && /^CapAmb:\s*0+$/m.test(status);
}

/** Empty if it can't be read. */
function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'latin1');
  } catch {
    return '';
  }
}
