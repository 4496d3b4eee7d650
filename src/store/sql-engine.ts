// SQLite itself: sql.js, loaded where a thread needs it.

import initSqlJs, { type SqlJsStatic } from 'sql.js';

/** Loads SQLite into this thread. The option, which the types do not know, keeps a deprecation warning off the console, that is off the screen. */
export function loadSql(): Promise<SqlJsStatic> {
  return initSqlJs({ useOldExtensionFunctions: false } as Parameters<typeof initSqlJs>[0]);
}
