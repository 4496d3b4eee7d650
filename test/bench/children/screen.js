// Draws a minute of synthetic traffic on a terminal that only counts. Prints bytes and times of its frames.
// usage: node screen.js ROOT COLUMNS ROWS APPS FLOWS

import { PassThrough, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { Traffic } from '../support/traffic.js';

const [root, columns, rows, apps, flows] = process.argv.slice(2).map((word, i) => (i === 0 ? word : Number(word)));
const built = (path) => import(pathToFileURL(`${root}/dist/${path}`).href);
const [{ assemble }, { Categories }, { systemEdges }, { PacketBatch }, { LIVE_LIMITS }, { Tui }, { ThemeShelf }] =
  await Promise.all([
    built('pipeline/assembly.js'),
    built('identify/category/categories.js'),
    built('system/programs.js'),
    built('capture/batch.js'),
    built('aggregate/aggregator.js'),
    built('tui/tui.js'),
    built('tui/theme-files.js'),
  ]);
const FRAMES = 60;

/** A terminal's end that counts what comes. */
class CountingOutput extends Writable {
  isTTY = true;
  bytes = 0;
  columns = columns;
  rows = rows;

  constructor() {
    super({ decodeStrings: false });
  }

  _write(chunk, _encoding, done) {
    this.bytes += Buffer.byteLength(chunk);
    done();
  }
}

const clock = {
  time: Date.UTC(2026, 0, 31, 14, 3, 22),
  now() {
    return this.time;
  },
  monotonic() {
    return this.time;
  },
};
const traffic = new Traffic(PacketBatch, apps, flows);
const subject = { named: [], file: 'synthetic', categories: new Categories(), places: null };
const { monitor } = await assemble({ source: traffic, fallbacks: [] }, subject, systemEdges(), clock);
monitor.aggregator.keepRateHistory();
const input = Object.assign(new PassThrough(), { isTTY: true, isRaw: false, setRawMode: () => input });
const output = new CountingOutput();
const theme = new ThemeShelf([{ path: `${root}/themes`, uid: null }]).load('netmon');
const tui = new Tui({ input, output, theme, colour: 'true', clock });
tui.listen(() => {});
await drawn();

const bytes = [];
const frameMs = [];
const frameCpuMs = [];
const tickMs = [];
let snapshot = null;
let first = 0;
for (let i = 0; i <= FRAMES; i++) {
  clock.time += 1000;
  const batch = traffic.second(clock.time);
  monitor.ingest(batch, 0, batch.count);
  const begun = performance.now();
  snapshot = monitor.tick(clock.time, 1000, [], LIVE_LIMITS);
  const closed = performance.now();
  const before = process.cpuUsage();
  const [count, ms] = await show(snapshot);
  const cpu = process.cpuUsage(before);
  if (i === 0)
    first = count; // an empty screen is filled: no frame like the others
  else {
    bytes.push(count);
    tickMs.push(closed - begun);
    frameMs.push(ms);
    frameCpuMs.push((cpu.user + cpu.system) / 1000);
  }
}
clock.time += 1000;
const [same] = await show(snapshot);
tui.close();
const mean = bytes.reduce((sum, each) => sum + each, 0) / bytes.length;
console.log(
  JSON.stringify({
    bytes: { mean, most: Math.max(...bytes), first, same },
    frameMs: spread(frameMs),
    frameCpuMs: spread(frameCpuMs),
    tickMs: spread(tickMs),
  }),
);

/** Shows a snapshot. @returns bytes it wrote and the time until the last was written */
async function show(next) {
  const before = output.bytes;
  const begun = performance.now();
  tui.show(next);
  await drawn();
  return [output.bytes - before, performance.now() - begun];
}

/** blessed writes a frame on the next tick of the event loop. */
async function drawn() {
  await new Promise((done) => setImmediate(done));
  await new Promise((done) => setImmediate(done));
}

function spread(times) {
  const sorted = times.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], p99: sorted[Math.floor(sorted.length * 0.99)] };
}
