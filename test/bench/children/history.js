// Reads a history in a process of its own and tells what that adds to its memory.
// usage: node --expose-gc history.js ROOT FILE

import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { NOW } from '../support/heavy-history.js';

const DAYS = 90 * 86_400_000;
const [root, file] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${root}/dist/history/${name}.js`).href);
const [{ loadHistory }, { loadSql }] = [await load('load'), await load('sqljs/engine')];
const sql = await loadSql();
new sql.Database().close();
const before = await settled();
const { database } = loadHistory(sql, file);
const open = (await settled()) - before;
const nothing = { app: null, domain: null, category: null, interface: null, filter: null };
for (const by of ['app', 'domain', 'day']) database.query({ ...nothing, from: NOW - DAYS, to: NOW, by, top: 50, steps: 90 });
console.log(JSON.stringify({ open, asked: (await settled()) - before }));

/** Resident bytes after what is garbage went. */
async function settled() {
  for (let i = 0; i < 3; i++) {
    global.gc();
    await setTimeout(50);
  }
  return process.memoryUsage.rss();
}
