// What it takes to write a gigabyte a minute of whole packets, beside `tcpdump -w` of the same packets at the same time, and beside the program that
// writes nothing.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CannotRun } from '../support/cannot-run.js';
import { makeNamespace, needNamespaces, removeNamespace } from '../support/namespace.js';
import { cpuSeconds, sleep, start } from '../support/program.js';

/** Datagrams of this size, this many bits a second: a gigabyte a minute on the wire. */
const PAYLOAD = 1400;
const BITS = '140M';
const SECONDS = 20;
const START_MS = 4000;
const REST_MS = 2000;

export const about = 'processor time for 1 GB of whole packets a minute, written to a file';

/** @param {import('../run.js').Context} context */
export async function run({ root, small }) {
  needNamespaces();
  for (const name of ['tcpdump', 'iperf3']) if (spawnSync('which', [name]).status !== 0) throw new CannotRun(`it takes ${name}`);
  const folder = mkdtempSync(join(tmpdir(), 'netmon-bench-'));
  const namespace = makeNamespace();
  const seconds = small ? 5 : SECONDS;
  const program = [process.execPath, `${root}/bin/netmon-tui.js`, '-i', 'lo', '--snap', 'full', '--stay-root'];
  const writer = start([...program, '--write', join(folder, 'ours.pcapng')], { namespace });
  const plain = start([...program, '--json'], { namespace });
  const tcpdump = start(['tcpdump', '-i', 'lo', '-B', '65536', '-w', join(folder, 'theirs.pcap')], { namespace });
  const server = start(['iperf3', '-s'], { namespace });
  const all = { writer, plain, tcpdump };
  try {
    await sleep(START_MS);
    const before = measure(all);
    const sent = ['iperf3', '-u', '-c', '127.0.0.1', '-b', BITS, '-l', String(PAYLOAD), '-t', String(seconds)];
    await start(sent, { namespace }).exited;
    await sleep(REST_MS);
    const after = measure(all);
    const core = (name) => ((after[name] - before[name]) * 100) / seconds;
    const [ours, idle, theirs] = [core('writer'), core('plain'), core('tcpdump')];
    writer.kill('SIGINT');
    await writer.exited;
    const peers = [{ name: 'tcpdump -w', value: theirs }];
    const note = writer
      .errors()
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/,? to .*/, '');
    return [
      { what: 'writing alone', value: ours - idle, unit: '% of a core', goal: { most: 2 * theirs }, peers, note },
      {
        what: 'the whole program',
        value: ours,
        unit: '% of a core',
        peers: [...peers, { name: 'without --write', value: idle }],
      },
    ];
  } finally {
    for (const child of [writer, plain, tcpdump, server]) child.kill();
    await Promise.all([writer.exited, plain.exited, tcpdump.exited, server.exited]);
    removeNamespace(namespace);
    rmSync(folder, { recursive: true, force: true });
  }
}

function measure(all) {
  return Object.fromEntries(Object.entries(all).map(([name, { pid }]) => [name, cpuSeconds(pid)]));
}
