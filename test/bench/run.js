// The benchmarks: figures of the design, each beside a peer in the same run. A figure that is missed is said, and is no failure: the
// status is 0 unless a bench broke or a name is unknown.
// usage: npm run bench -- [--list] [--small] [--repeat N] [--root DIR] [--against baseline|FILE] [--save FILE] [NAME ...]

import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { changesSince, machine, readBaseline, saveBaseline } from './support/baseline.js';
import { CannotRun } from './support/cannot-run.js';
import { tableOf } from './support/table.js';

/**
 * What a bench is given.
 *
 * @typedef {object} Context
 * @property {string} root of the built clone that is measured
 * @property {number} repeat rounds of what is measured in turn with a peer; elsewhere the best of so many runs is taken, since other work on the machine only ever makes one slower
 * @property {boolean} small a tenth of the work, for a first look
 */

const NAMES = [
  'files',
  'flood',
  'peers',
  'start',
  'frames',
  'order',
  'keys',
  'idle',
  'attribution',
  'scenarios',
  'inspect',
  'floods',
  'limits',
  'history',
  'recording',
  'writing',
];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean' },
    small: { type: 'boolean' },
    repeat: { type: 'string', default: '3' },
    against: { type: 'string' },
    save: { type: 'string' },
    root: { type: 'string', default: fileURLToPath(new URL('../..', import.meta.url)) },
  },
});

const unknown = positionals.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) refuse(`no such bench: ${unknown.join(', ')}`, `there are: ${NAMES.join(', ')}`);
const context = { root: resolve(values.root), repeat: Math.max(1, Number(values.repeat) || 1), small: values.small === true };
if (!existsSync(`${context.root}/dist/main.js`)) refuse(`${context.root} is not built`, 'type: npm run modules && npm run build');

// No configuration, and a screen as on the first run: what this user saved would change what is measured.
process.env['NETMON_CONFIG'] = '/dev/null';

if (values.list) {
  for (const name of NAMES) console.log(`${name.padEnd(10)} ${(await load(name)).about}`);
  process.exit(0);
}

const baseline = values.against === undefined ? null : baselineFrom(values.against);
const told = new Map();
console.log(`node ${process.versions.node}, ${machine()}`);
console.log(`${context.repeat} rounds; load before the start ${loadavg()[0].toFixed(2)}`);
for (const name of positionals.length > 0 ? positionals : NAMES) {
  const bench = await load(name);
  console.log(`\n${name}: ${bench.about}`);
  try {
    const rows = await bench.run(context);
    told.set(name, rows);
    for (const line of tableOf(rows)) console.log(line);
    if (baseline !== null)
      for (const line of ['', 'against the baseline:', ...changesSince(baseline, name, rows)]) console.log(line);
  } catch (thrown) {
    if (thrown instanceof CannotRun) console.log(`cannot run here: ${thrown.message}`);
    else {
      console.log(`broke: ${thrown?.stack ?? thrown}`);
      process.exitCode = 1;
    }
  }
}
if (values.save !== undefined) saveBaseline(fileOf(values.save), told);
process.exit();

/** `baseline` is the one that the repository keeps. */
function fileOf(name) {
  return name === 'baseline' ? fileURLToPath(new URL('baseline.json', import.meta.url)) : resolve(name);
}

function baselineFrom(name) {
  try {
    return readBaseline(fileOf(name));
  } catch (thrown) {
    return refuse(`no baseline in ${fileOf(name)}: ${thrown.message}`, `make one: npm run bench -- --save ${name}`);
  }
}

function load(name) {
  return import(`./benches/${name}.js`);
}

function refuse(message, hint) {
  console.error(`bench: ${message}\n  ${hint}`);
  process.exit(2);
}
