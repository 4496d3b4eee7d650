// Kills a recorder under load at random moments, one run after the other on one file, and looks each time at what is there: the image whole,
// the sums at least what was confirmed and at most what was offered. Prints one object as JSON; status 1 where something was wrong.
// usage: node kills.js DIST KILLS [SEED]

import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [dist, kills, seed = '1'] = process.argv.slice(2);
const load = (name) => import(pathToFileURL(`${dist}/${name}`).href);
const { loadSql } = await load('history/sqljs/engine.js');
const { loadHistory } = await load('history/load.js');
const { HistoryDatabase } = await load('history/database.js');
const { DiskFile } = await load('history/sqljs/database-file.js');
const sql = await loadSql();
const folder = mkdtempSync(join(tmpdir(), 'netmon-kills-'));
const path = join(folder, 'history.sqlite');
const child = fileURLToPath(new URL('./recorder.js', import.meta.url));
const all = {
  from: 0,
  to: Date.now() + 86_400_000,
  by: 'app',
  app: null,
  domain: null,
  category: null,
  interface: null,
  filter: null,
};
const result = {
  kills: 0,
  confirmedBytes: 0,
  offeredBytes: 0,
  foundBytes: 0,
  unconfirmedBatches: 0,
  unconfirmedMs: 0,
  images: 0,
  leftovers: 0,
  faults: [],
};
let state = Number(seed);

/** 0 to 1; the same for the same seed. */
function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  return (state >>> 0) / 2 ** 32;
}

/** Runs a recorder and kills it some time after its first confirmation. */
function runAndKill(ms) {
  return new Promise((resolve) => {
    const run = spawn(process.execPath, [child, dist, path], { stdio: ['ignore', 'pipe', 'pipe'] });
    const told = { offered: 0, confirmed: 0, pending: [], errors: '', lost: 0 };
    let rest = '';
    let killedAt = 0;
    run.stderr.on('data', (text) => (told.errors += text));
    run.stdout.setEncoding('latin1').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const [word, bytes, time] = line.split(' ');
        told[word] = Number(bytes);
        if (word === 'offered') told.pending.push(Number(time));
        else {
          if (told.pending.length > 0 && killedAt === 0 && told.timer === undefined)
            told.timer = setTimeout(() => {
              killedAt = Date.now();
              run.kill('SIGKILL');
            }, ms);
          told.pending = [];
        }
      }
    });
    run.on('close', (code) => {
      clearTimeout(told.timer);
      if (code !== null) told.errors += `ended with ${code}`;
      if (told.pending.length > 0) told.lost = Math.max(0, killedAt - told.pending[0]);
      resolve(told);
    });
  });
}

function total() {
  const state = loadHistory(sql, path);
  const { rxBytes } = state.database.query({ ...all, top: 1, steps: 0 }).total;
  state.close();
  return rxBytes;
}

try {
  let before = 0;
  for (let i = 0; i < Number(kills); i++) {
    const told = await runAndKill(Math.round(random() * 700));
    if (told.errors !== '') result.faults.push(told.errors);
    result.kills++;
    if (existsSync(`${path}.new`)) result.leftovers++;
    if (existsSync(path)) {
      result.images++;
      const descriptor = openSync(path, 'r');
      HistoryDatabase.open(sql, new DiskFile(descriptor, statSync(path).size)).close(); // throws where it is not whole
      closeSync(descriptor);
    }
    const found = total();
    if (found < before + told.confirmed)
      result.faults.push(`kill ${i}: ${before + told.confirmed - found} confirmed bytes are gone`);
    if (found > before + told.offered) result.faults.push(`kill ${i}: ${found - before - told.offered} bytes too many`);
    result.confirmedBytes += told.confirmed;
    result.offeredBytes += told.offered;
    result.unconfirmedBatches = Math.max(result.unconfirmedBatches, told.pending.length);
    result.unconfirmedMs = Math.max(result.unconfirmedMs, told.lost);
    before = found;
  }
  result.foundBytes = before;
} catch (thrown) {
  result.faults.push(String(thrown?.stack ?? thrown));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(JSON.stringify(result));
process.exitCode = result.faults.length > 0 ? 1 : 0;
