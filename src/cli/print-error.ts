// Anything thrown -> what is said about it on standard error, and the exit status. One line that names the thing, one that says what
// to type; a stack only for those who ask for it.

import { EXIT_STATUS, NetmonError, reasonOf } from '../model/errors.ts';
import { sanitize } from '../net/text.ts';
import { type Invocation, permissionHint } from '../privilege/sudo-command.ts';

/** What is written, and the status to exit with. */
export interface ErrorReport {
  /** Lines with a newline at the end, safe for a terminal. */
  readonly text: string;
  readonly status: number;
}

/**
 * Reports a failure.
 *
 * @param debug true (NETMON_DEBUG=1) adds the stack, and what caused it
 */
export function reportError(thrown: unknown, invocation: Invocation, debug: boolean): ErrorReport {
  if (thrown instanceof NetmonError) {
    // files may lack permission too, and sudo is not the answer there
    const needsRoot = thrown.code === 'permission' && (thrown.hint === null || /\bsudo\b/.test(thrown.hint));
    const hint = needsRoot ? permissionHint(invocation) : thrown.hint;
    return { text: lines(reasonOf(thrown), hint, debug ? thrown : null), status: thrown.exitStatus };
  }
  const message = `internal error: ${reasonOf(thrown)}`;
  const hint = debug
    ? 'this is a bug in netmon-tui; the stack is below'
    : 'this is a bug in netmon-tui; NETMON_DEBUG=1 shows where';
  return { text: lines(message, hint, debug ? thrown : null), status: EXIT_STATUS.internal };
}

function lines(message: string, hint: string | null, stackOf: unknown): string {
  const said = [`netmon-tui: ${sanitize(message)}`];
  if (hint !== null) said.push(`  ${sanitize(hint)}`);
  for (let error = stackOf, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++) {
    said.push(...(error.stack ?? '').split('\n').map((line) => `  ${sanitize(line)}`));
  }
  return `${said.join('\n')}\n`;
}
