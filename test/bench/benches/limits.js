// What the tables take when they are full, for docs/limits.md: each filled in a process of its own, memory after a collection of garbage.

import { fileURLToPath } from 'node:url';
import { timed } from '../support/program.js';

const CHILD = fileURLToPath(new URL('../children/table.js', import.meta.url));
const TABLES = {
  flows: 'flows, with what is booked of each',
  hosts: 'hosts, with their sums',
  names: 'names of flows, of 24 letters',
  answers: 'answers, of 24 letters',
  processes: 'processes, 64 programs',
  lineage: 'processes whose beginning was seen, arguments of 512 bytes',
  apps: 'apps of one process each',
  rates: 'rates of the past, one app or host',
  means: 'means of flows, hosts and apps, for a screen',
  fragments: 'fragments that wait',
  events: 'events, of 60 letters',
  met: 'names met, of 24 letters',
  questions: 'questions of DNS for a screen, of 24 letters, with two answers',
  waiting: 'history that waits, hosts of 24 letters',
};

export const about = 'bytes an entry takes in each table, measured when it is full';

/** @param {import('../run.js').Context} context */
export async function run({ root }) {
  return Object.entries(TABLES).map(([name, what]) => {
    const result = timed([process.execPath, '--expose-gc', CHILD, root, name], { keep: true });
    if (result === null) throw new Error(`${name}: it could not be filled`);
    const { bytes, entries } = JSON.parse(result.output);
    const note = `${entries} of them, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
    return { what, value: bytes / entries, unit: 'bytes', note };
  });
}
