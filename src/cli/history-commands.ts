// The subcommands on recorded history, each loaded when it is asked for.

import { readFileSync } from 'node:fs';
import { NetmonError } from '../errors.ts';
import type { CommandLine } from './command-line.ts';
import { systemRoom } from './history/room.ts';
import type { Options } from './options.ts';

/**
 * Runs `history`, `query`, `export`, `report`, `prune`.
 *
 * @returns the exit status. @throws NetmonError
 */
export async function historyCommands(line: CommandLine, options: Options, version: string): Promise<number> {
  const { history } = options;
  if (history === null)
    throw new NetmonError(
      'history',
      'no home folder is known to look for history in',
      `say where: netmon-tui ${line.command} --history=PATH`,
    );
  const { path, owner } = history;
  const room = systemRoom(async (file) => (await import('../store/open-history.ts')).openHistory(file));
  switch (line.command) {
    case 'history':
      return (await import('./history-command.ts')).historyCommand(line, options, path, room);
    case 'query':
      return (await import('./query-command.ts')).queryCommand(line, options, path, room, () => Promise.resolve(standardInput()));
    case 'export':
      return (await import('./export-command.ts')).exportCommand(line, path, owner, room);
    case 'report':
      return (await import('./report-command.ts')).reportCommand(line, options, path, owner, version, room);
    case 'prune': {
      const { pruneCommand, askOnTerminal } = await import('./prune-command.ts');
      const { lockFile, systemFlock } = await import('../privilege/file-lock.ts');
      const { saveInThread } = await import('../store/save-thread.ts');
      const flock = await systemFlock();
      const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;
      return pruneCommand(line, history, {
        ...room,
        takeLock: (file, user) => lockFile(file, user, flock),
        runSave: saveInThread,
        ask: canAsk ? askOnTerminal : null,
      });
    }
    default:
      throw new Error(`${line.command} is no command on history`);
  }
}

function standardInput(): string {
  try {
    return readFileSync(0, 'utf8');
  } catch (thrown) {
    throw new NetmonError(
      'usage',
      `standard input can't be read (${(thrown as NodeJS.ErrnoException).code})`,
      'give the statement as an argument',
      thrown,
    );
  }
}
