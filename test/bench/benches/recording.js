// Recording a heavy user: what a save costs and whether the main thread notices it, what an hour writes, and whether anything is lost when the
// recorder is killed. Beside a save, sqlite3's own copy of the same file.

import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { busyMinute, NOW, writeHeavy } from '../support/heavy-history.js';
import { watchStall } from '../support/stall.js';

const MIB = 1024 * 1024;
const MINUTE = 60_000;
const BUSY = 500;
const COLLECTIONS_A_MINUTE = 24;
const KILLS = fileURLToPath(new URL('../children/kills.js', import.meta.url));

export const about = 'a save of 90 days of a heavy user, the stall of the main thread, writes in an hour, kill -9';

/** @param {import('../run.js').Context} context */
export async function run({ root, small }) {
  const load = (name) => import(pathToFileURL(`${root}/dist/${name}`).href);
  const { returnMemory } = await load('system/memory.js');
  await returnMemory();
  const folder = mkdtempSync(join(tmpdir(), 'netmon-bench-'));
  const path = join(folder, 'history.sqlite');
  try {
    const first = (await writeHeavy(root, path, small)) + 1;
    const rows = [...(await saving(load, path, first)), ...(await stalls(load, path))];
    const { stdout } = await promisify(execFile)(process.execPath, [KILLS, `${root}/dist`, small ? '10' : '200']).catch(
      (failed) => failed,
    );
    const kills = JSON.parse(stdout);
    rows.push({
      what: `confirmed bytes lost, kill -9 ${kills.kills} times`,
      value: kills.faults.length,
      unit: 'count',
      goal: { most: 0 },
    });
    rows.push({ what: 'oldest that was not confirmed then', value: kills.unconfirmedMs, unit: 'ms', goal: { most: 5000 } });
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A save of what ten busy minutes left in the journal. */
async function saving(load, path, first) {
  const { saveInThread } = await load('history/save-thread.js');
  const { saveInterval } = await load('history/recorder.js');
  const { encodeRecord, JOURNAL_HEAD } = await load('history/journal/record.js');
  const journal = `${path}.pending-1`;
  const records = [JOURNAL_HEAD];
  let encoding = 0;
  for (let i = 0; i < 10 * COLLECTIONS_A_MINUTE; i++) {
    const batch = busyMinute(Math.floor(NOW / MINUTE) + Math.floor(i / COLLECTIONS_A_MINUTE), BUSY);
    const began = performance.now();
    const encoded = encodeRecord({ sequence: first + i, batch });
    encoding = Math.max(encoding, i < 5 ? 0 : performance.now() - began);
    records.push(await encoded);
  }
  writeFileSync(journal, Buffer.concat(records), { mode: 0o600 });
  const resident = () => process.memoryUsage().rss / MIB;
  const before = resident();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, resident())), 5);
  const stalled = watchStall();
  const began = performance.now();
  const answer = await saveInThread({ path, journals: [journal], owner: null, maxBytes: 200e6, now: NOW + 10 * MINUTE });
  const took = performance.now() - began;
  const stall = stalled();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const peer = await threadStall(took);
  clearInterval(watch);
  const copy = performance.now();
  const { status } = spawnSync('sqlite3', [path, `VACUUM INTO '${path}.copy'`]);
  const peers = status === 0 ? { peers: [{ name: 'sqlite3 VACUUM INTO', value: performance.now() - copy }] } : {};
  const hourlyJournal = 6 * statSync(journal).size;
  const busy = saveInterval(answer.written, answer.bytes, hourlyJournal);
  rmSync(journal);
  return [
    { what: 'the file', value: answer.bytes / MIB, unit: 'MiB', goal: { most: 95 } },
    { what: 'a save of it, with ten busy minutes', value: took, unit: 'ms', ...peers },
    ...stallRows('a save', stall, peer),
    { what: `a record of ${BUSY} apps and hosts, on the main thread`, value: encoding, unit: 'ms', goal: { most: 5 } },
    {
      what: 'minutes from save to save',
      value: saveInterval(answer.written, answer.bytes, 0) / MINUTE,
      unit: 'count',
      goal: { most: 15 },
      note: `in hours of ${BUSY} apps and hosts a minute: ${(busy / MINUTE).toFixed(1)}`,
    },
    {
      what: 'written in such an hour, journal too',
      value: ((60 * MINUTE * answer.written) / busy + hourlyJournal) / MIB,
      unit: 'MiB',
      goal: { most: 143 },
    },
    { what: 'resident during a save, above before', value: peak - before, unit: 'MiB' },
    { what: 'resident after it, above before', value: Math.max(0, resident() - before), unit: 'MiB', goal: { most: 20 } },
  ];
}

/** A minute of collections, each written and synced. */
async function stalls(load, path) {
  const { Journal } = await load('history/journal/journal.js');
  const journal = new Journal(`${path}.stalls`, null, (work) => work());
  journal.begin(0, 0);
  const batches = Array.from({ length: COLLECTIONS_A_MINUTE * 2 }, (_, i) => busyMinute(i, BUSY));
  journal.offer(busyMinute(0, 5)); // a run begins with few, too
  await journal.write();
  const stalled = watchStall();
  for (const batch of batches) {
    journal.offer(batch);
    await journal.write();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const stall = stalled();
  await journal.close();
  return stallRows('journal', stall, await threadStall(1500));
}

/** The stall of the main thread, and beside it what waiting for a processor made of it: that is the machine's, and any thread's that runs. */
function stallRows(what, { own, longest }, peer) {
  return [
    { what: `${what}: longest stall of the main thread`, value: own, unit: 'ms', goal: { most: 5 } },
    { what: `${what}: the same with waiting for a processor`, value: longest, unit: 'ms', peers: [peer] },
  ];
}

/** What a thread that only counts, on this machine, does to one that has nothing to do. */
async function threadStall(ms) {
  const stalled = watchStall();
  const worker = new Worker(`for (const end = performance.now() + ${ms}; performance.now() < end; );`, { eval: true });
  await new Promise((resolve) => worker.once('exit', resolve));
  return { name: 'a thread that counts', value: stalled().longest };
}
