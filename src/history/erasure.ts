// Deletes what the user wants gone: everything before a day, of an app, or both. The file is rewritten after it: free pages would keep the bytes.

import type { HistoryMeta } from './schema.ts';
import { minutesOf, SUBJECT_MASK, SUBJECTS } from './schema.ts';
import type { Statements } from './sqljs/statements.ts';
import type { HistoryDictionary } from './writer.ts';

/** What to delete; not both null. */
export interface Erasure {
  /** Epoch ms; what is older goes, in whole UTC days. null for all time. */
  readonly before: number | null;
  /** Name as it is shown; null for all apps. */
  readonly app: string | null;
}

const DAY_MS = 86_400_000;
/** Above every id. */
const EVER = Number.MAX_SAFE_INTEGER;

/** The start of the UTC day that a time is in: everything before goes, and the day stays, for its sum can't be divided. */
export function erasureEnd(before: number): number {
  return Math.floor(before / DAY_MS) * DAY_MS;
}

/**
 * Deletes, in its caller's transaction. The times at which an app first reached a domain go only with the whole app. The next step of retention
 * deletes labels that are no longer used.
 */
export function erase(statements: Statements, dictionary: HistoryDictionary, meta: HistoryMeta, { before, app }: Erasure): void {
  const label = app === null ? null : dictionary.find(app);
  if (app !== null && label === null) return; // never recorded
  const end = before === null ? null : erasureEnd(before);
  const minute = end === null ? null : end / 60_000;
  const subjects = label === null ? '' : 'IN (SELECT id FROM subject WHERE app = ?)';
  const values = label === null ? [] : [label];
  for (const table of ['minute', 'hour', 'day'] as const) {
    const below = minute === null ? EVER : (minute / minutesOf(table)) * SUBJECTS;
    statements.run(`DELETE FROM ${table} WHERE id < ?${subjects && ` AND id & ${SUBJECT_MASK} ${subjects}`}`, [below, ...values]);
  }
  statements.run(`DELETE FROM flow WHERE start + duration < ?${subjects && ` AND subject ${subjects}`}`, [
    end ?? EVER,
    ...values,
  ]);
  if (label !== null && minute === null) statements.run('DELETE FROM contact WHERE app = ?', [label]);
  if (label === null && minute !== null) moveOldest(statements, meta, minute);
  meta.set('swept', 0);
}

function moveOldest(statements: Statements, meta: HistoryMeta, minute: number): void {
  const { oldest, newest } = meta;
  if (oldest === null || newest === null || oldest >= minute) return;
  if (newest >= minute) meta.set('oldest', minute);
  else {
    statements.run("DELETE FROM meta WHERE key IN ('oldest', 'newest')", []);
    meta.reload();
  }
}
