// A run that shows other machines: the screen of any run over lines of ssh. It captures nothing, needs no rights here, and records nothing; what
// the machines themselves decide, such as mutes, is left to them.

import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { AttachSession } from '../attach/session.ts';
import { packetsLine, type Rights, sshArguments, streamCommand } from '../attach/ssh.ts';
import { saysSsh } from '../identify/process/ssh.ts';
import { NetmonError } from '../model/errors.ts';
import type { AttachOptions, Options } from '../model/options.ts';
import type { SessionEnd } from '../pipeline/live-session.ts';
import { thisInvocation } from '../privilege/sudo-command.ts';
import type { DemandTable } from '../stream/orders.ts';
import { systemClock } from '../system/clock.ts';
import { workingFolder } from '../system/files.ts';
import { systemEdges } from '../system/programs.ts';
import { letNewSpaceGrow } from '../system/thread.ts';
import { refuseTerminal } from '../tui/terminal.ts';
import type { Action } from '../view/action.ts';
import type { ViewName } from '../view/state.ts';
import { systemClipboard } from './clipboard.ts';
import { Closing } from './close.ts';
import { Guard } from './loop.ts';
import { openScreen } from './screen.ts';
import { copyHandler, EffectRunner, Exports } from './screen-effects.ts';

/** Tables that travel only while their view is open. */
const BY_VIEW: Partial<Record<ViewName, readonly DemandTable[]>> = {
  dns: ['questions', 'resolvers', 'encrypted'],
  listeners: ['listeners'],
};
const NONE: readonly DemandTable[] = [];
/** Said of what only the machine itself can do. */
const THERE = 'type it there';

/** Shows machines to the end. @returns the exit status */
export async function runAttached(options: Options, { machines, ssh }: AttachOptions): Promise<number> {
  const reason = process.stdout.isTTY === true ? refuseTerminal(process.env, true) : 'attach needs a terminal';
  if (reason !== null) throw new NetmonError('terminal', reason, 'for text: ssh HOST netmon-tui --once');
  if (machines.length > 1) letNewSpaceGrow();
  const closing = new Closing();
  try {
    const edges = systemEdges();
    const guard = new Guard();
    closing.add('signals', () => guard.close());
    const screen = openScreen({ ...options, history: null, budget: null }, edges.platform, saysSsh(process.env));
    closing.add('screen', () => screen.close());
    const { tui } = screen;
    const session = new AttachSession<SessionEnd>({
      machines: machines.map((name) => ({ name, start: (rights) => startSsh(ssh, name, rights) })),
      clock: systemClock,
      show: (snapshot) => tui.show(snapshot),
      wants: () => BY_VIEW[tui.state.view] ?? NONE,
    });
    const { filter, average } = tui.state;
    session.match(filter.filter?.text ?? null, average);
    const apply = (action: Action) => tui.apply(action);
    const notice = (text: string) => apply({ type: 'notice', text });
    const folders = [workingFolder(), options.place.home, tmpdir()].filter((folder) => folder !== null);
    const exports = new Exports({ folders, owner: options.screen.owner }, { tell: () => undefined }, notice);
    closing.add('effects', () => exports.idle());
    const effects = new EffectRunner(
      {
        quit: () => guard.stop({ kind: 'done' }),
        'save-history': () => notice(`nothing is recorded here: to record a machine, ${THERE}`),
        // From a time on, what a filter matches is summed over the rows that the machines send: they have no snapshot of that time.
        match: ({ filter, from, average }) => session.match(from === null ? (filter?.text ?? null) : null, average),
        'watch-packets': ({ id }) => apply({ type: 'packets', page: session.watchPackets(id) }),
        'range-totals': ({ from, to }) => apply({ type: 'range-totals', from, to, answer: session.between(from, to) }),
        history: async ({ requests }) => {
          await Promise.all(
            requests.map(async ({ slot, serial, question }) =>
              apply({ type: 'history', slot, serial, answer: await session.ask(question) }),
            ),
          );
        },
        'list-interfaces': () => apply({ type: 'interfaces', items: [] }),
        'capture-on': () => apply({ type: 'captured-on', isTaken: false, text: `a machine chooses its interfaces: ${THERE}` }),
        mute: () => notice(`a machine keeps its own mutes: ${THERE}`),
        unmute: () => notice(`a machine keeps its own mutes: ${THERE}`),
        follow: () => notice(`a machine follows its own sessions: ${THERE}`),
        digest: () => notice(`what an executable sums up to is told there: ${THERE}`),
        allow: () => notice(`a machine keeps its own policy: ${THERE}`),
        export: (effect) => exports.write(effect),
        packets: () => notice(`a machine keeps its own packets: ${THERE}`),
        copy: copyHandler(systemClipboard(edges, process.env), tui),
      },
      notice,
    );
    tui.listen((effect) => effects.run(effect));
    const end = await guard.run(session, false);
    return end.kind === 'signal' ? 128 + end.number : 0;
  } finally {
    await closing.close();
  }
}

/** The user's own ssh, with all that it knows of the user. */
function startSsh(program: string, name: string, rights: Rights) {
  const { env } = process;
  if (rights !== 'packets')
    return spawn(program, sshArguments(name, streamCommand(rights)), { stdio: ['pipe', 'pipe', 'pipe'], env, shell: false });
  const { node, script } = thisInvocation();
  const own = node === null ? [script] : [node, script];
  const child = spawn('/bin/sh', ['-c', packetsLine(program, name, own)], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env,
    shell: false,
    detached: true,
  });
  // The shell has a group of its own, which ends as one: the shell's end alone would leave ssh.
  child.kill = (signal = 'SIGTERM') => {
    try {
      return child.pid !== undefined && process.kill(-child.pid, signal);
    } catch {
      return false; // it has ended
    }
  };
  return child;
}
