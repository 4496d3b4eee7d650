// The benchmarks: figures of the design, each beside a peer in the same run. A figure that is missed is said, and is no failure: the
// status is 0 unless a bench broke or a name is unknown.
// usage: npm run bench -- [--list] [--small] [--repeat N] [--root DIR] [NAME ...]

import { existsSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CannotRun } from './support/cannot-run.js';
import { tableOf } from './support/table.js';

/**
 * What a bench is given.
 *
 * @typedef {object} Context
 * @property {string} root of the built clone that is measured
 * @property {number} repeat runs of which the best is taken: other work on the machine only ever makes a run slower
 * @property {boolean} small a tenth of the work, for a first look
 */

const NAMES = [
  'files',
  'flood',
  'start',
  'frames',
  'order',
  'keys',
  'idle',
  'attribution',
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

console.log(
  `node ${process.versions.node}, ${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
);
console.log(`best of ${context.repeat}; load before the start ${loadavg()[0].toFixed(2)}`);
for (const name of positionals.length > 0 ? positionals : NAMES) {
  const bench = await load(name);
  console.log(`\n${name}: ${bench.about}`);
  try {
    for (const line of tableOf(await bench.run(context))) console.log(line);
  } catch (thrown) {
    if (thrown instanceof CannotRun) console.log(`cannot run here: ${thrown.message}`);
    else {
      console.log(`broke: ${thrown?.stack ?? thrown}`);
      process.exitCode = 1;
    }
  }
}
process.exit();

function load(name) {
  return import(`./benches/${name}.js`);
}

function refuse(message, hint) {
  console.error(`bench: ${message}\n  ${hint}`);
  process.exit(2);
}
