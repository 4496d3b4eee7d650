// One statement of the user's, read-only: its first word, the database's own ban on writing, and that only one is run. It has no clock: whoever
// holds the thread stops it when it takes too long.

import type { Database, SqlValue, Statement } from 'sql.js';
import { NetmonError, reasonOf } from '../errors.ts';
import type { SqlResult } from '../net/history.ts';
import type { SqlLimits } from './history-reader.ts';

/** Characters of all cells of an answer; beyond it is cut. */
const MOST_TEXT = 64 * 1024 * 1024;
/** Memory of all databases of the thread, so that a statement fails before the thread does. It can't be raised again: only readers run statements. */
const MOST_MEMORY = 512 * 1024 * 1024;
const READING = new Set(['select', 'with', 'values', 'explain']);
const HINT = 'it reads only: SELECT ... FROM connections, flows or first_seen';

/** @throws NetmonError `usage` for what is no statement, more than one, or one that would write */
export function runStatement(database: Database, text: string, limits: SqlLimits): SqlResult {
  const word = /^[a-z]+/i.exec(withoutComments(text))?.[0].toLowerCase() ?? '';
  if (word === '') throw new NetmonError('usage', 'no SQL statement', HINT);
  if (!READING.has(word)) throw new NetmonError('usage', `${word.toUpperCase()} is refused`, HINT);
  database.run(`PRAGMA hard_heap_limit = ${MOST_MEMORY}; PRAGMA query_only = ON`);
  try {
    const statements = database.iterateStatements(text);
    const first = statements.next();
    if (first.done) throw new NetmonError('usage', 'no SQL statement', HINT);
    try {
      if (withoutComments(statements.getRemainingSQL()) !== '')
        throw new NetmonError('usage', 'more than one SQL statement', 'run them one by one');
      return rowsOf(first.value, limits.rows);
    } finally {
      first.value.free();
    }
  } catch (thrown) {
    if (thrown instanceof NetmonError) throw thrown;
    throw new NetmonError('usage', `SQL: ${reasonOf(thrown)}`, HINT, thrown);
  } finally {
    database.run('PRAGMA query_only = OFF');
  }
}

function rowsOf(statement: Statement, most: number): SqlResult {
  const columns = statement.getColumnNames();
  const rows: (string | number | null)[][] = [];
  let length = 0;
  while (statement.step()) {
    if (rows.length >= most || length > MOST_TEXT) return { columns, rows, cut: true };
    const row = statement.get().map(cellOf);
    for (const cell of row) length += typeof cell === 'string' ? cell.length : 8;
    rows.push(row);
  }
  return { columns, rows, cut: false };
}

function cellOf(value: SqlValue): string | number | null {
  return value instanceof Uint8Array ? Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('') : value;
}

/** Without the comments, blanks and semicolons that it begins with. */
function withoutComments(text: string): string {
  return text.replace(/^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))+/, '');
}
