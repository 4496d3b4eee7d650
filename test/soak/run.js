// The soak: a week of varied traffic by the packets' clock through the whole program, or the program itself live for a while. Says what memory,
// handles and processor time did after the first tenth; the status is 1 when one of them grew.
// usage: npm run soak -- [--days 7] [--live 1h]

import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { makeNamespace, needNamespaces } from '../bench/support/namespace.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values } = parseArgs({ options: { days: { type: 'string', default: '7' }, live: { type: 'string' } } });
const folder = mkdtempSync(join(tmpdir(), 'netmon-soak-'));
const history = join(folder, 'history.sqlite');
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const MIB = 2 ** 20;
/** The first tenth is lived so many times as fast, and saved so often: what fills up is full then, and what still grows is lost. */
const HASTE = 12;
const SAVES = 24;

/** Slope of a straight line through the samples, per day, as a share of their mean. */
function slope(samples, of) {
  const x = samples.map(({ day }) => day);
  const y = samples.map(of);
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const [mx, my] = [mean(x), mean(y)];
  const over = x.reduce((sum, value, i) => sum + (value - mx) * (y[i] - my), 0);
  const under = x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
  return { perDay: over / under / my, mean: my };
}

/** Prints a verdict. @returns whether it holds */
function verdict(what, holds, text) {
  console.log(`${holds ? 'holds ' : 'FAILS '} ${what.padEnd(44)} ${text}`);
  return holds;
}

function judge(samples, limitPerDay) {
  const [first] = samples;
  const last = samples.at(-1);
  const tenth = first.day + (last.day - first.day) / 10;
  // The traffic has a day's rhythm: a straight line is laid through whole days, else it tells where in a day it was begun.
  const from = last.day - tenth >= 1 ? last.day - Math.floor(last.day - tenth) + 1e-6 : tenth;
  const late = samples.filter(({ day }) => day >= from);
  const results = [];
  for (const [what, of] of [
    ['memory of the program', (one) => one.heap],
    ['resident memory', (one) => one.resident],
    ['processor time for what came', (one) => one.cpuMs / Math.max(1, one.came)],
  ]) {
    const known = late.filter((one) => Number.isFinite(of(one)));
    if (known.length < 4) continue;
    const { perDay, mean } = slope(known, of);
    const text = `${(perDay * 100).toFixed(2)} % a day, mean ${what.includes('memory') ? `${(mean / MIB).toFixed(1)} MiB` : `${mean.toFixed(4)} ms a packet`}`;
    results.push(verdict(what, perDay < limitPerDay, text));
  }
  for (const what of ['handles', 'listeners']) {
    const counts = late.map((one) => one[what]).filter((count) => count !== undefined);
    if (counts.length < 2) continue;
    const half = counts.length >> 1;
    const [early, then] = [Math.max(...counts.slice(0, half)), Math.max(...counts.slice(half))];
    results.push(verdict(what, then <= early, `${early} at most in the first half, ${then} in the second`));
  }
  return results.every(Boolean);
}

async function week(days) {
  const words = ['--expose-gc', fileURLToPath(new URL('week.js', import.meta.url)), root, String(days), history];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const samples = [];
  let end = null;
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line);
    if (told.end) {
      end = told;
      continue;
    }
    told.came = told.packets - (samples.at(-1)?.packets ?? 0);
    samples.push(told);
    console.log(
      `day ${told.day.toFixed(2)}  ${(told.heap / MIB).toFixed(1)} MiB, resident ${(told.resident / MIB).toFixed(0)}, V8 ${(told.reserved / MIB).toFixed(0)}  ${told.packets} packets  ${told.cpuMs} ms  ${told.handles} handles  ${told.frames} frames`,
    );
  }
  if (end === null) {
    console.log('FAILS  the week did not come to its end');
    return false;
  }
  const flat = judge(samples, 0.01);
  const recorded = await recordedBytes();
  const exact = verdict(
    'history holds what was counted',
    recorded === end.bytes,
    `${recorded} of ${end.bytes} bytes, ${(statSync(history).size / MIB).toFixed(1)} MiB`,
  );
  const calm = judgeAlerts(end.alerts, days);
  return verdict('the recorder has nothing to say', end.word === '', end.word) && flat && exact && calm;
}

/** Nothing happens in this week that a person should be told of. */
function judgeAlerts(alerts, days) {
  const told = alerts.filter(({ held }) => held === null);
  for (const { day, kind, text } of told.slice(0, 20)) console.log(`  day ${day.toFixed(2)}  ${kind}  ${text}`);
  const byDay = Array.from({ length: Math.ceil(days) }, (_, day) => told.filter((one) => Math.floor(one.day) === day).length);
  const most = Math.max(...byDay);
  const critical = told.filter(({ severity }) => severity === 'critical').length;
  return verdict(
    'at most two alerts a day, none critical',
    most <= 2 && critical === 0,
    `${most} on one day, ${critical} critical, ${alerts.length - told.length} held`,
  );
}

async function recordedBytes() {
  const { openHistory } = await import(pathToFileURL(join(root, 'dist/history/query/reader.js')).href);
  const reader = await openHistory(history);
  const { rows } = await reader.sql('SELECT SUM(packet_size) FROM connections', { timeoutMs: 60_000, rows: 1 });
  await reader.close();
  return rows[0][0];
}

/** The program itself on the loopback of a namespace that nobody else uses, with traffic, for so many milliseconds. */
async function live(ms) {
  const counter = new URL('counts.js', import.meta.url).href;
  needNamespaces();
  const within = ['netns', 'exec', makeNamespace(), process.execPath];
  const words = [`--import=${counter}`, join(root, 'bin/netmon-tui.js'), '--json', '-i', 'lo', `--history=${history}`];
  const child = spawn('ip', [...within, ...words], { stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  let counted = {};
  createInterface({ input: child.stdio[3] }).on('line', (line) => (counted = JSON.parse(line)));
  const chatter = fileURLToPath(new URL('chatter.js', import.meta.url));
  const talk = (times) => spawn('ip', [...within, chatter, String(times)], { stdio: 'ignore' });
  let traffic = talk(HASTE);
  const saving = setInterval(() => child.kill('SIGUSR1'), ms / 10 / SAVES);
  const began = Date.now();
  const samples = [];
  let before = null;
  const every = Math.max(2000, ms / 60);
  try {
    while (Date.now() - began < ms && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, every));
      if (samples.length === Math.floor(ms / every / 10) - 1) {
        clearInterval(saving);
        traffic.kill();
        traffic = talk(1);
      }
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      const ticks = Number(stat[11]) + Number(stat[12]);
      const resident = Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024;
      const descriptors = readdirSync(`/proc/${child.pid}/fd`).length;
      const cpuMs = before === null ? 0 : (ticks - before) * 10;
      before = ticks;
      samples.push({ resident, descriptors, cpuMs, ...counted });
      console.log(
        `${((Date.now() - began) / 60_000).toFixed(1)} min  resident ${(resident / MIB).toFixed(1)} MiB  ${descriptors} descriptors  ${counted.handles} handles  ${counted.listeners} listeners  ${((cpuMs / every) * 100).toFixed(1)} % of a core`,
      );
    }
  } finally {
    clearInterval(saving);
    traffic.kill();
  }
  const alive = verdict('it still runs', child.exitCode === null, '');
  child.kill('SIGTERM');
  const status = await new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  // A slope per day of a run of minutes is noise times a thousand: what is judged is what the run itself added.
  const late = samples.slice(Math.ceil(samples.length / 10));
  const half = late.length >> 1;
  const halves = (of) => [late.slice(0, half).map(of), late.slice(half).map(of)];
  const results = [alive];
  for (const [what, of, most] of [
    ['resident memory', (one) => one.resident, 0.03],
    ['processor time', (one) => one.cpuMs, 0.1],
  ]) {
    const [first, second] = halves(of).map((list) => list.reduce((sum, value) => sum + value, 0) / list.length);
    const grown = second / first - 1;
    results.push(verdict(`${what}, second half to first`, grown < most, `${(grown * 100).toFixed(2)} % more`));
  }
  for (const [what, spare] of [
    ['descriptors', 2],
    ['handles', 2],
    ['listeners', 0],
  ]) {
    const [early, then] = halves((one) => one[what] ?? Number.NaN).map((list) => Math.max(...list));
    results.push(verdict(what, then <= early + spare, `${early} at most in the first half, ${then} in the second`));
  }
  results.push(verdict('it ends as it was told', status === 143, `status ${status}`));
  return results.every(Boolean);
}

function milliseconds(text) {
  const match = /^(\d+)(s|m|h)$/.exec(text);
  if (match === null) {
    console.error(`--live "${text}" is no time\n  type: npm run soak -- --live 1h`);
    process.exit(2);
  }
  return Number(match[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[match[2]];
}

const holds = values.live === undefined ? await week(Number(values.days)) : await live(milliseconds(values.live));
process.exit(holds ? 0 : 1);
