// Anything thrown to what standard error and the log say about it, and the exit status. One line names the thing, one says what to type; stacks
// are for the log.

import { EXIT_STATUS, NetmonError, reasonOf } from '../model/errors.ts';
import { sanitize } from '../net/text.ts';
import { type Invocation, permissionHint } from '../privilege/sudo-command.ts';
import type { Log } from '../system/log.ts';

/** What is written, and the status to exit with. */
export interface ErrorReport {
  /** Lines with a newline at the end, safe for a terminal. */
  readonly text: string;
  readonly status: number;
}

/** Reports a failure, to the log too if there is one. */
export function reportError(thrown: unknown, invocation: Invocation, log: Log | null): ErrorReport {
  if (thrown instanceof NetmonError) {
    // files may lack permission too, and sudo is not the answer there
    const needsRoot = thrown.code === 'permission' && (thrown.hint === null || /\bsudo\b/.test(thrown.hint));
    const hint = needsRoot ? permissionHint(invocation) : thrown.hint;
    log?.write('error', reasonOf(thrown));
    log?.write('debug', stackOf(thrown));
    return { text: lines(reasonOf(thrown), hint), status: thrown.exitStatus };
  }
  log?.write('error', `bug: ${stackOf(thrown)}`);
  const hint = `this is a bug in netmon-tui; ${log === null ? 'to see where it happened, add --log FILE' : 'the log says where it happened'}`;
  return { text: lines(`internal error: ${reasonOf(thrown)}`, hint), status: EXIT_STATUS.internal };
}

function lines(message: string, hint: string | null): string {
  const said = [`netmon-tui: ${sanitize(message)}`];
  if (hint !== null) said.push(`  ${sanitize(hint)}`);
  return `${said.join('\n')}\n`;
}

/** Stacks of an error and of what caused it, five at most. */
function stackOf(thrown: unknown): string {
  const stacks: string[] = [];
  for (let error = thrown; error instanceof Error && stacks.length < 5; error = error.cause)
    stacks.push(error.stack ?? String(error));
  return stacks.length === 0 ? String(thrown) : stacks.join('\n');
}
