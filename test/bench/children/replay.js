// Reads one capture through the real replay and says how long it took. Runs as a process of its own, so that its peak memory is known.
// usage: node replay.js ROOT FILE live|end [BYTES OF FRAMES TO KEEP]

import { existsSync, readFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const [root, file, limits, keep] = process.argv.slice(2);
const built = (path) => import(pathToFileURL(`${root}/dist/${path}`).href);
const [
  { openFile },
  { Categories },
  { assemble },
  { systemEdges },
  { JsonOutput },
  { ReplaySession },
  { systemClock },
  { keepHeapSmall },
] = await Promise.all([
  built('capture/file/source.js'),
  built('identify/category/categories.js'),
  built('pipeline/assembly.js'),
  built('system/programs.js'),
  built('output/json-output.js'),
  built('pipeline/replay-session.js'),
  built('system/clock.js'),
  built('system/thread.js'),
]);

let last = null;
const output = {
  wantsEvents: false,
  sample: () => {},
  opened: () => {},
  closed: () => {},
  gap: () => {},
  end: (snapshot) => {
    last = snapshot;
    return Promise.resolve();
  },
  /** As `--once --json` does it, to a reader that takes everything. */
  endWithRows: (tick) => {
    last = tick.snapshot;
    const reader = new Writable({ write: (_piece, _encoding, done) => setImmediate(done) });
    return new JsonOutput(reader, false, null, { tell: () => {} }, () => {}).endWithRows(tick);
  },
};

keepHeapSmall(); // as the program does
const edges = systemEdges();
const begun = performance.now();
const cpuBegun = threadCpuMs();
const source = await openFile(file);
const subject = {
  named: [],
  file,
  categories: new Categories(),
  places: null,
  keep: keep === undefined ? null : { bytes: Number(keep), forMs: null },
};
const parts = await assemble({ source, fallbacks: [] }, subject, edges, systemClock);
const session = new ReplaySession({
  ...parts,
  source,
  clock: systemClock,
  output,
  intervalMs: 1000,
  speed: 0,
  ticks: limits === 'live',
  samples: null,
  durationMs: null,
  collect: null,
  writing: null,
});
await session.run();
const ms = performance.now() - begun;
const cpuMs = threadCpuMs() - cpuBegun;
const { capture, total, flowCount, flowsEvicted, apps, hosts, interfaces } = last;
const bytes = (rows) => rows.reduce((sum, row) => sum + row.rxBytes + row.txBytes, 0);
const peak = /VmHWM:\s+(\d+)/.exec(process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : '');
const peakKiB = peak === null ? process.resourceUsage().maxRSS : Number(peak[1]);
const created = parts.monitor.flows.created;
console.log(
  JSON.stringify({
    ms,
    cpuMs,
    packets: capture.packets,
    undecoded: capture.undecoded,
    created,
    flowCount,
    flowsEvicted,
    total,
    /** Bytes of all rows: each sum is the total's, or something was lost or counted twice. */
    sums: { apps: bytes(apps), hosts: bytes(hosts), interfaces: bytes(interfaces) },
    peakKiB,
  }),
);

/** Processor time of this thread alone where the system tells it, else of all: other work on the machine hardly lengthens it. */
function threadCpuMs() {
  const told = '/proc/thread-self/schedstat';
  if (existsSync(told)) return Number(readFileSync(told, 'utf8').split(' ')[0]) / 1e6;
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
