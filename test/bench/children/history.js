// Holds a history in a process of its own and tells what that adds to its memory.
// usage: node --expose-gc history.js ROOT FILE

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const [root, file] = process.argv.slice(2);
const { HistoryDatabase } = await import(pathToFileURL(`${root}/dist/store/history-database.js`).href);
const sql = await createRequire(import.meta.url)('sql.js')({ useOldExtensionFunctions: false });
new sql.Database().close();
const before = await settled();
const history = HistoryDatabase.open(sql, readFileSync(file));
const open = (await settled()) - before;
const image = history.image();
const withImage = (await settled()) - before + (image.length === 0 ? 1 : 0);
// A day later the old is given up and the file is written anew.
while (history.prune(Date.UTC(2026, 10, 23, 22), Number.MAX_SAFE_INTEGER));
console.log(JSON.stringify({ open, image: withImage, later: (await settled()) - before }));

/** Resident bytes after what is garbage went. */
async function settled() {
  for (let i = 0; i < 3; i++) {
    global.gc();
    await setTimeout(50);
  }
  return process.memoryUsage.rss();
}
