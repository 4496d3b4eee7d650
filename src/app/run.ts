// One run, from options to exit status. This folder only puts together what other folders make: it decodes nothing, draws nothing, and prints
// nothing but what the user must know at the end.
//
//     open      take rights, capture and screen; nothing is read of either
//     assemble  build the pipeline around the capture, behind the first frame
//     attach    load the rest, drop root, then begin what makes files and reads keys
//     loop      run until the user, a signal, the end of the file or the loss of the capture
//     close     give everything back, the screen first

import { FOUND_STATUS } from '../model/errors.ts';
import type { Options } from '../model/options.ts';
import type { Output } from '../output/output.ts';
import { type Clock, systemClock } from '../system/clock.ts';
import type { Edges } from '../system/edges.ts';
import type { Log } from '../system/log.ts';
import { systemEdges } from '../system/programs.ts';
import type { Watchman } from '../watch/watchman.ts';
import { assemble } from './assemble.ts';
import { attach } from './attach.ts';
import { Closing } from './close.ts';
import { loop } from './loop.ts';
import { open, type RightsOf } from './open.ts';

/** What a run stands on; tests hand in others. */
export interface RunBase {
  /** The machine's by default. */
  readonly edges?: Edges;
  readonly clock?: Clock;
  /** Decides which rights the run drops and keeps; without it they stay as they are. */
  readonly rightsOf?: RightsOf | null;
  /** Where the run says what it does; nowhere by default. */
  readonly log?: Log | null;
}

/**
 * Runs to the end.
 *
 * @returns the exit status: 0, 128 + n after signal n, or FOUND_STATUS if the user asked to be told of alerts by it. @throws NetmonError for everything that a user can put right
 */
export async function run(options: Options, base: RunBase = {}): Promise<number> {
  const { clock = systemClock, rightsOf = null, log = null } = base;
  const { edges, logged } = await logging(base.edges ?? systemEdges(), log);
  const closing = new Closing();
  try {
    const opened = await open({ options, edges, clock, rightsOf, log }, closing);
    const assembled = await assemble({ ...opened, output: logged(opened.output) }, closing);
    const attached = await attach(assembled, closing);
    const status = await loop(attached);
    return status === 0 && options.exitCode && hasTold(assembled.watch?.watchman ?? null, options) ? FOUND_STATUS : status;
  } finally {
    await closing.close();
  }
}

/** True if there is what the exit status is to tell: drift with a policy, else any alert. */
function hasTold(watchman: Watchman | null, { policy }: Options): boolean {
  const told = watchman?.told;
  return told !== undefined && (policy === null ? told.size > 0 : told.has('policy'));
}

/** What logs the programs and the samples of a run; nothing is loaded for it unless there is a log. */
async function logging(edges: Edges, log: Log | null): Promise<{ edges: Edges; logged: (output: Output) => Output }> {
  if (log === null) return { edges, logged: (output) => output };
  const [{ loggedEdges }, { loggedOutput }] = await Promise.all([
    import('../system/log.ts'),
    import('../output/logged-output.ts'),
  ]);
  return { edges: loggedEdges(edges, log), logged: (output) => loggedOutput(output, log) };
}
