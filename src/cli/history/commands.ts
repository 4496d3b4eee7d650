// Runs the commands that work on recorded history. Each is loaded when it is asked for.

import { realpathSync } from 'node:fs';
import { NetmonError, reasonOf } from '../../model/errors.ts';
import type { HistoryOptions, Options } from '../../model/options.ts';
import { shellWords } from '../../net/quote.ts';
import { commandOf, thisInvocation } from '../../privilege/sudo-command.ts';
import type { CommandLine } from '../command-line.ts';
import type { Starter } from '../service/command.ts';
import { lastingNode } from '../service/service.ts';
import { systemIo } from './command-io.ts';

/**
 * Runs `record`, `history`, `query`, `export`, `alerts`, `dns`, `policy`, `report`, `prune`.
 *
 * @param start begins a run with these options
 * @returns the exit status. @throws NetmonError
 */
export async function historyCommands(
  line: CommandLine,
  options: Options,
  version: () => string,
  start: () => Promise<number>,
): Promise<number> {
  const { history } = options;
  if (history === null)
    throw new NetmonError(
      'history',
      'no home folder is known, so there is nowhere to look for history',
      `say where: netmon-tui ${line.command} --history=PATH`,
    );
  const { path, owner } = history;
  const io = systemIo(async (file) => (await import('../../history/query/reader.ts')).openHistory(file));
  switch (line.command) {
    case 'record':
      if (line.text('install') === null) {
        for (const flag of line.text('write') === null ? ['output', 'force'] : ['output'])
          if (line.has(flag) || line.text(flag) !== null)
            throw new NetmonError('usage', `--${flag} goes only with --install`, 'to say where history is kept: --history=PATH');
        return start();
      }
      return (await import('../service/command.ts')).serviceCommand(line, history, starter(options, history), io);

    case 'history':
      return (await import('./history.ts')).historyCommand(line, options, path, io);
    case 'query':
      return (await import('./query.ts')).queryCommand(line, options, path, io, standardInput);
    case 'export':
      return (await import('./export.ts')).exportCommand(line, path, owner, io);
    case 'alerts':
      return (await import('./alerts.ts')).alertsCommand(line, options, path, io);
    case 'dns':
      return (await import('./dns.ts')).dnsCommand(line, options, path, io);
    case 'policy':
      return (await import('./policy.ts')).policyCommand(line, options, path, owner, io);
    case 'report':
      return (await import('../report/report.ts')).reportCommand(line, options, path, owner, version(), io);
    case 'prune': {
      const { pruneCommand, askOnTerminal } = await import('./prune.ts');
      const { lockFile, systemFlock } = await import('../../system/file-lock.ts');
      const { saveInThread } = await import('../../history/save-thread.ts');
      const flock = await systemFlock();
      if (owner !== null)
        await (await import('../../privilege/rights.ts')).becomeInvoker((await import('../../system/programs.ts')).systemEdges());
      const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;
      return pruneCommand(line, history, {
        ...io,
        takeLock: (file, user) => lockFile(file, user, flock),
        runSave: saveInThread,
        ask: canAsk ? askOnTerminal : null,
      });
    }
    default:
      throw new Error(`${line.command} is not a history command`);
  }
}

/** How a service would be started, and for whom: the user whose history it is. */
function starter({ place, notify }: Options, { owner }: HistoryOptions): Starter {
  const invocation = thisInvocation();
  const { node, script, words } = invocation;
  const program = realpathSync(script);
  const how: Omit<Starter, 'user'> = {
    state: notify.plan?.folder ?? null,
    program: node === null ? [program] : [lastingNode(node, process.env['PATH'] ?? '', realOf), program],
    typed: shellWords([commandOf(invocation), ...words]),
  };
  if (owner !== null) return { ...how, user: { ...owner, name: process.env['SUDO_USER'] ?? '', home: place.home } };
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return { ...how, user: null };
  return { ...how, user: { uid, gid: process.getgid?.() ?? -1, name: process.env['USER'] ?? '', home: place.home } };
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** Reads standard input to its end, but stops after `mostBytes`. Waits for the writer, also if the descriptor doesn't block. */
async function standardInput(mostBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of process.stdin) {
      pieces.push(piece as Buffer);
      bytes += (piece as Buffer).length;
      if (bytes > mostBytes) break;
    }
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? reasonOf(thrown);
    throw new NetmonError('usage', `standard input can't be read (${code})`, 'give the statement as an argument', thrown);
  }
  return Buffer.concat(pieces).toString('utf8');
}
