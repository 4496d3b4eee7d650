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
    log?.write('error', `failed: ${thrown.code}`);
    log?.write('debug', stackOf(thrown));
    return { text: lines(reasonOf(thrown), hint), status: thrown.exitStatus };
  }
  log?.write('error', `bug: ${placeOf(thrown)}`);
  log?.write('debug', stackOf(thrown));
  const hint = `this is a bug in netmon-tui; ${log === null ? 'to see where it happened, add --log FILE' : 'the log says where it happened'}`;
  return { text: lines(`internal error: ${reasonOf(thrown)}`, hint), status: EXIT_STATUS.internal };
}

function lines(message: string, hint: string | null): string {
  const said = [`netmon-tui: ${sanitize(message)}`];
  if (hint !== null) said.push(`  ${sanitize(hint)}`);
  return `${said.join('\n')}\n`;
}

/** An error and what caused it, five at most. */
function chainOf(thrown: unknown): Error[] {
  const chain: Error[] = [];
  for (let error = thrown; error instanceof Error && chain.length < 5; error = error.cause) chain.push(error);
  return chain;
}

/** Stacks of an error and of what caused it, with their messages. */
function stackOf(thrown: unknown): string {
  const stacks = chainOf(thrown).map((error) => error.stack ?? String(error));
  return stacks.length === 0 ? String(thrown) : stacks.join('\n');
}

/** Where an error and what caused it happened: functions, and files without their folders. Messages, which may quote anything, are left out. */
function placeOf(thrown: unknown): string {
  const places = chainOf(thrown).map((error) => {
    const { message, stack = '' } = error;
    const begin = stack.indexOf(message);
    const isHead = begin >= 0 && HEAD.test(stack.slice(0, begin));
    const frames = isHead ? stack.slice(begin + message.length).matchAll(FRAME) : [];
    return [error.constructor.name, ...Array.from(frames, ([, name = 'top level', file]) => `at ${name}, ${file}`)].join('\n');
  });
  return places.length === 0 ? 'no error was thrown' : places.join('\n');
}

/** What stands before the message: `TypeError [CODE]: `. */
const HEAD = /^[\w$]{0,100}(?: \[\w{1,100}\])?(?:: )?$/;
/** A line of a stack: the function, and the file with line and column. */
const FRAME = /^ +at (?:([\w$.# <>]{1,100}) \()?.{0,1000}?([\w.-]{1,100}:\d+:\d+)\)?$/gm;
