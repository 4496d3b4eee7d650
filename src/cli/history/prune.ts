// `netmon-tui prune`: deletes recorded history: everything before a time, an app, or the oldest until the file is small enough. It first says what
// would be deleted, and asks.

import { dirname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { type Erasure, erasureEnd } from '../../history/erasure.ts';
import { historyError, lockPath, systemReason } from '../../history/files.ts';
import type { TakeLock } from '../../history/recorder.ts';
import type { RunSave } from '../../history/save-thread.ts';
import { pruneFile } from '../../history/save-thread.ts';
import { NetmonError } from '../../model/errors.ts';
import type { HistoryTotals } from '../../model/history.ts';
import type { HistoryOptions } from '../../model/options.ts';
import { counted } from '../../net/counted.ts';
import { quoted } from '../../net/quote.ts';
import { fileWork } from '../../system/as-owner.ts';
import type { LockResult } from '../../system/file-lock.ts';
import type { FileOwner } from '../../system/files.ts';
import { formatAmount, formatDateTime } from '../../view/text/format.ts';
import type { CommandLine } from '../command-line.ts';
import type { CommandIo } from './command-io.ts';
import { Progress, reading } from './command-io.ts';
import { parseMoment } from './range.ts';

/** What deleting needs besides. */
export interface PruneIo extends CommandIo {
  readonly takeLock: TakeLock;
  readonly runSave: RunSave;
  /** Asks on the terminal; null if there is none. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

/** What is to be deleted. */
interface Deletion {
  readonly erase: Erasure | null;
  /** Size in bytes that the file must not exceed; null leaves that to retention. */
  readonly maxBytes: number | null;
}

/**
 * Deletes, if the user says yes.
 *
 * @returns exit status 0, also when the answer is no. @throws NetmonError `usage`, `history`
 */
export async function pruneCommand(line: CommandLine, history: HistoryOptions, io: PruneIo): Promise<number> {
  const deletion = deletionOf(line, io.clock.now());
  const isDry = line.has('dry-run');
  const { path, owner } = history;
  if (!isDry && !line.has('yes') && io.ask === null)
    throw new NetmonError(
      'usage',
      'prune asks first, and there is no terminal to ask on',
      'add --yes, or --dry-run to see what would be deleted',
    );
  const lock = isDry ? null : locked(path, owner, io.takeLock);
  if (lock !== null && lock.held === null) {
    const who = lock.pid === null ? 'another netmon-tui' : `another netmon-tui (pid ${lock.pid})`;
    throw new NetmonError('history', `${who} records into ${quoted(path)}`, 'stop it first; --dry-run works while it runs');
  }
  try {
    const preview = await reading(path, io, async (reader) => {
      const nothing = { app: null, domain: null, category: null, interface: null, filter: null, top: 1, steps: 0 };
      const to =
        deletion.erase === null
          ? 0
          : deletion.erase.before === null
            ? io.clock.now() + 60_000
            : erasureEnd(deletion.erase.before);
      const gone = to <= 0 ? null : await reader.query({ ...nothing, from: 0, to, by: 'app', app: deletion.erase?.app ?? null });
      const { oldest } = await reader.query({ ...nothing, from: 0, to: 60_000, by: 'app' });
      const bytes = (await reader.image()).length;
      return { text: deletionText(deletion, gone?.total ?? null, path, oldest, bytes), bytes };
    });
    await io.out.write(preview.text);
    if (isDry) return await said(io, 'nothing was deleted: this is a dry run\n');
    if (!line.has('yes') && !/^y(es)?$/i.test((await io.ask?.('Delete it? [y/N] ')) ?? ''))
      return await said(io, 'nothing was deleted\n');
    const progress = new Progress(io.err, `rewriting ${path}`);
    try {
      const maxBytes = deletion.maxBytes ?? history.maxBytes;
      const after = await pruneFile({ path, owner, erase: deletion.erase, maxBytes, now: io.clock.now() }, io.runSave);
      progress.end();
      return await said(io, `${path} was ${sizeText(preview.bytes)} and is now ${sizeText(after)}\n`);
    } finally {
      progress.end();
    }
  } finally {
    lock?.held?.release();
  }
}

/** @throws NetmonError `history` */
function locked(path: string, owner: FileOwner, takeLock: TakeLock): LockResult {
  try {
    return fileWork(owner, dirname(path))(() => takeLock(lockPath(path), owner));
  } catch (thrown) {
    if (thrown instanceof NetmonError) throw thrown;
    const hint = "prune as its owner; root's own takes: sudo env -u SUDO_UID netmon-tui prune ...";
    throw historyError(path, systemReason(thrown), hint, thrown);
  }
}

/** Asks a question on this terminal. */
export async function askOnTerminal(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

async function said(io: CommandIo, text: string): Promise<number> {
  await io.out.write(text);
  return 0;
}

function deletionOf(line: CommandLine, now: number): Deletion {
  const [before, app] = [line.text('before'), line.text('app')];
  const [age, maxBytes] = [line.value('older-than'), line.value('max-size')];
  if (before !== null && age !== null)
    throw new NetmonError('usage', '--before does not go with --older-than', 'leave one of them out');
  const time = before !== null ? parseMoment('before', before, now) : age !== null ? now - age : null;
  if (time !== null && time > now)
    throw new NetmonError('usage', `--before ${quoted(before)} is not in the past`, 'type for example: --before 2026-01-01');
  const erase = time === null && !app ? null : { before: time, app: app || null };
  if (erase === null && maxBytes === null)
    throw new NetmonError(
      'usage',
      'nothing says what to delete',
      'type for example: netmon-tui prune --older-than 90d --dry-run',
    );
  return { erase, maxBytes };
}

function deletionText(
  { erase, maxBytes }: Deletion,
  total: HistoryTotals | null,
  path: string,
  oldest: number | null,
  bytes: number,
): string {
  const lines = [
    `${path} is ${sizeText(bytes)}; ${oldest === null ? 'nothing is recorded in it' : `recorded since ${formatDateTime(oldest).slice(0, 16)}`}`,
  ];
  if (erase !== null) {
    const { before, app } = erase;
    const what = [app === null ? 'everything' : `everything of ${quoted(app)}`];
    if (before !== null) what.push(`before ${formatDateTime(erasureEnd(before)).slice(0, 16)} (whole days in UTC)`);
    lines.push(`to delete: ${what.join(' ')}`, `  ${totalText(total)}`);
    lines.push(
      app !== null && before === null
        ? '  its alerts, and when it first reached each domain, country and network'
        : '  and alerts; when apps first reached each domain, country and network is kept',
    );
  }
  if (maxBytes !== null) {
    lines.push(
      `to delete: the oldest until the file is ${sizeText(maxBytes)}${bytes <= maxBytes ? ', which it already is' : ''}`,
    );
    if (bytes > maxBytes)
      lines.push('  minutes first, then the connection log, hours, and small hosts of old days; totals of days are kept');
  }
  return `${lines.join('\n')}\n`;
}

function totalText(total: HistoryTotals | null): string {
  if (total === null || total.rxPackets + total.txPackets + total.flows === 0) return 'nothing is recorded there';
  const amount = (bytes: number) => formatAmount(bytes, 'bytes').trim();
  return `${amount(total.rxBytes)} received, ${amount(total.txBytes)} sent, ${counted(total.flows, 'connection')}`;
}

function sizeText(bytes: number): string {
  return formatAmount(bytes, 'bytes-decimal').trim();
}
