// What holds from the first line of a run, root or not: files are the owner's alone, and nobody opens Node's debugger or loads code of his own.

import { readFileSync } from 'node:fs';
import { NetmonError } from '../model/errors.ts';

/** Options of Node that open its debugger, or write its memory to a file on a signal. Node takes `_` for `-` in them. */
const DEBUGGER = /^--(inspect|debug|heapsnapshot-signal|report-on-signal)\b/;
/** And those that run other code before ours. Whoever types them behind `node` runs that code with these rights anyway; the environment is inherited. */
const PRELOAD = /^(-r$|--(require|import|loader|experimental-loader|snapshot-blob|experimental-(default-)?config-file)\b)/;

/**
 * Hardens the process as it starts.
 *
 * SIGUSR1 makes Node listen for a debugger, on which anybody on this machine could then run code here. After root is given up the
 * user's other programs may send signals, so it must mean nothing.
 */
export function hardenStart(): void {
  process.umask(0o077);
  process.on('SIGUSR1', () => undefined);
}

/** The first option that lets others in, of Node's own command line or of NODE_OPTIONS; null for none. */
export function foreignOption(execArgv: readonly string[], nodeOptions = ''): string | null {
  const typed = execArgv.find((word) => DEBUGGER.test(word.replaceAll('_', '-')));
  const inherited = (word: string) => DEBUGGER.test(word) || PRELOAD.test(word);
  return typed ?? nodeOptions.split(/[\s"']+/).find((word) => inherited(word.replaceAll('_', '-'))) ?? null;
}

/**
 * Refuses to go on with rights that a debugger or code loaded before ours could use, and closes the debugger.
 *
 * @throws NetmonError `permission`
 */
export async function refuseDebugger(): Promise<void> {
  if (!holdsRights()) return;
  const option = foreignOption(process.execArgv, process.env['NODE_OPTIONS']);
  const wasOpen = await closeDebugger();
  if (option !== null) {
    const hint = 'type: unset NODE_OPTIONS, and start node without it';
    throw new NetmonError(
      'permission',
      `node's option ${option.split('=', 1)[0]} is refused while the process has privileges`,
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

/** Root, or any capability of Linux. */
function holdsRights(): boolean {
  if (process.geteuid?.() === 0) return true;
  if (process.platform !== 'linux') return false;
  try {
    return !/^CapPrm:\s*0+$/m.test(readFileSync('/proc/self/status', 'latin1'));
  } catch {
    return true;
  }
}
