// Who sent it: processes of a short life beside nethogs, what the eBPF programs cost a sender, and what new flows cost us.

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinNamespaces, makeNamespace, needNamespaces, removeNamespace } from '../support/namespace.js';
import { cpuSeconds, sleep, start } from '../support/program.js';
import { TINY_HEX } from '../support/tiny.js';

const CHILD = fileURLToPath(new URL('../children/attributed.js', import.meta.url));
const NO_OWNERS = fileURLToPath(new URL('../support/no-owners.js', import.meta.url));
const DATAGRAMS = fileURLToPath(new URL('../children/datagrams.js', import.meta.url));
const COUNT = 200;
const PAIRS = 5;
const NEW_FLOWS = 5000;
const SECONDS = 4;
const ROUNDS = 3;
const IDLE_MS = 2000;
/** Sockets of the new flows stay open so long in one of the ways: what is closed at once no table can tell. */
const HELD_MS = 300;
/** What the program may not have, so that it falls back to procfs. */
const WITHOUT = ['setpriv', '--bounding-set=-bpf,-sys_admin,-perfmon'];

export const about = `${COUNT} processes that are gone at once, the sender's loss by eBPF, ${NEW_FLOWS} new flows/s`;

/** @param {import('../run.js').Context} context */
export async function run({ root, small }) {
  needNamespaces();
  return [...(await shortLives(root)), ...(await slowdown(root, small)), ...(await newFlows(root, small))];
}

const child = (root, namespace, ...words) => start([process.execPath, CHILD, root, ...words], { namespace });

/** Starts a child's work and waits until it is done. */
async function go(process) {
  if ((await process.line()) !== 'ready') throw new Error(`a child did not start: ${process.errors()}`);
  process.say('\n');
  const told = JSON.parse((await process.line()) ?? 'null');
  if (told === null) throw new Error(`a child failed: ${process.errors()}`);
  return told;
}

async function shortLives(root) {
  const near = makeNamespace();
  const far = makeNamespace();
  const device = joinNamespaces(near, far);
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'nmb-'));
  try {
    const rows = [];
    const tiny = join(folder, 'tiny-life');
    writeFileSync(tiny, Buffer.from(TINY_HEX[process.arch] ?? '', 'hex'));
    chmodSync(tiny, 0o755);
    const server = child(root, far, 'http', '192.0.2.2');
    const port = await server.line();
    const curl = spawnSync('sh', ['-c', 'command -v curl'], { encoding: 'utf8' }).stdout.trim();
    const kinds = [
      { name: 'tiny-life', command: [tiny], exe: tiny, paths: 170, here: TINY_HEX[process.arch] !== undefined },
      {
        name: 'curl',
        command: [curl, '-s', `http://192.0.2.2:${port}/`],
        exe: curl && realpathSync(curl),
        paths: 195,
        here: curl !== '',
      },
    ];
    for (const kind of kinds.filter(({ here }) => here)) rows.push(...(await named(root, near, device, kind)));
    server.kill();
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    for (const name of [near, far]) removeNamespace(name);
  }
}

async function named(root, namespace, device, { name, command, exe, paths }) {
  const ours = start([process.execPath, `${root}/bin/netmon-tui.js`, '-i', device, '--json', '--once', '--duration', '60s'], {
    namespace,
  });
  const peer = start(['nethogs', '-t', '-C', '-d', '1', device], { namespace });
  const started = sleep(1500); // ours takes its time to start, with or without a peer
  const isThere = await Promise.race([peer.exited.then(() => false), started.then(() => true)]);
  await started;
  const told = await go(child(root, namespace, 'many', `${COUNT}`, ...command));
  await sleep(2500);
  ours.kill('SIGTERM');
  const { apps, capture } = JSON.parse((await ours.line()) ?? '{}');
  const rows = apps.filter((row) => row.exe === exe || (row.exe === null && row.app === name));
  const flows = (some) => some.reduce((sum, row) => sum + row.flows, 0);
  peer.kill('SIGTERM');
  const pids = new Set();
  for (let line = isThere ? await peer.line() : null; line !== null; line = await peer.line()) {
    const found = new RegExp(`${name}(?: .*)?/(\\d+)/\\d+\t`).exec(line);
    if (found !== null && found[1] !== '0') pids.add(found[1]);
  }
  const peers = isThere ? [{ name: 'nethogs', value: pids.size }] : [];
  const note = `attribution ${capture.attribution}, ${told.count} ran, ${(told.ms / COUNT).toFixed(1)} ms each${isThere ? '' : '; nethogs is not installed'}`;
  return [
    { what: `${COUNT} x ${name}: named`, value: flows(rows), unit: 'count', goal: { least: COUNT }, peers, note },
    { what: '  path known', value: flows(rows.filter((row) => row.exe !== null)), unit: 'count', goal: { least: paths } },
  ];
}

/** Alternating runs of a flood to a socket that nobody reads, without and with the programs; the middle one of the ratios. */
async function slowdown(root, small) {
  const namespace = makeNamespace();
  const rows = [];
  const receiver = start([process.execPath, DATAGRAMS, root, 'hold', '127.0.0.1', '20000', '1'], { namespace });
  try {
    if ((await receiver.line()) !== 'ready') throw new Error(`the receiver did not start: ${receiver.errors()}`);
    const packets = small ? 400_000 : 2_000_000;
    for (const kind of ['connected', 'open']) {
      // By the processor time that a packet takes its sender: other work on the machine stretches the clock, not that.
      const send = async () => {
        const told = await go(child(root, namespace, 'flood', '127.0.0.1', '20000', `${packets}`, kind));
        return (told.count * 1000) / told.cpuMs;
      };
      await send();
      const losses = [];
      const rates = [];
      for (let i = 0; i < PAIRS; i++) {
        const alone = await send();
        const holder = child(root, null, 'programs');
        if ((await holder.line()) !== 'ready') throw new Error(`the programs were not loaded: ${holder.errors()}`);
        const beside = await send();
        holder.kill();
        await holder.exited;
        losses.push(100 - (beside * 100) / alone);
        rates.push(alone);
      }
      losses.sort((a, b) => a - b);
      rows.push({
        what: `sender slowed, ${kind} socket`,
        value: losses[PAIRS >> 1],
        unit: 'lost %',
        goal: { most: 10 },
        note: `${PAIRS} pairs: ${losses.map((loss) => loss.toFixed(1)).join(', ')} %; alone ${(Math.max(...rates) / 1e6).toFixed(2)} M/s`,
      });
    }
    return rows;
  } finally {
    receiver.kill();
    await receiver.exited;
    removeNamespace(namespace);
  }
}

/** Rounds of all ways in turn, so that what else runs on the machine meets each; the least of each counts. */
async function newFlows(root, small) {
  const canDrop = spawnSync(WITHOUT[0], [...WITHOUT.slice(1), 'true']).status === 0;
  const ways = [
    { name: 'no attribution', words: ['--import', NO_OWNERS] },
    { name: 'eBPF', words: [], goal: 5 },
    ...(canDrop ? [{ name: 'procfs', under: WITHOUT, words: [], goal: 10 }] : []),
    ...(canDrop ? [{ name: 'procfs, held', under: WITHOUT, words: [], goal: 10, heldMs: HELD_MS }] : []),
    { name: 'no attribution, held', words: ['--import', NO_OWNERS], heldMs: HELD_MS },
  ];
  const told = new Map(ways.map((way) => [way, []]));
  for (let round = small ? ROUNDS : 1; round <= ROUNDS; round++)
    for (const way of ways) told.get(way).push(await load(root, way, small ? 1 : SECONDS));
  const least = (way) => told.get(way).toSorted((a, b) => a.core - b.core)[0];
  const percents = (way) => told.get(way).map(({ core }) => core.toFixed(1));
  const [without, withoutHeld] = [ways[0], ways.at(-1)];
  return ways
    .filter(({ goal }) => goal !== undefined)
    .map((way) => {
      const bare = least(way.heldMs === undefined ? without : withoutHeld);
      const { core, idle, rate, unowned } = least(way);
      return {
        what: `${NEW_FLOWS} new flows/s, ${way.name}: attribution`,
        value: core - bare.core,
        unit: '% of a core',
        goal: { most: way.goal },
        note:
          `the whole ${percents(way).join(', ')}, without it ${bare.core.toFixed(1)} %; ${Math.round(rate)} flows/s sent, sockets held ${way.heldMs ?? 0} ms; ` +
          `${unowned.toFixed(1)} % of the bytes without an owner; nothing new: ${idle.toFixed(2)} %, without it ${bare.idle.toFixed(2)} %`,
      };
    });
}

/** One run of the program under the load. */
async function load(root, { under = [], words, heldMs = 0 }, seconds) {
  const near = makeNamespace();
  const far = makeNamespace();
  const device = joinNamespaces(near, far);
  try {
    const command = [...under, process.execPath, ...words, `${root}/bin/netmon-tui.js`, '-i', device, '--json'];
    const ours = start(command, { namespace: near });
    if ((await ours.line()) === null) throw new Error(`it did not start: ${ours.errors()}`);
    await sleep(1000);
    const idleFrom = cpuSeconds(ours.pid);
    await sleep(IDLE_MS);
    const idle = ((cpuSeconds(ours.pid) - idleFrom) * 100_000) / IDLE_MS;
    const sender = child(root, near, 'flows', '192.0.2.2', '9', `${NEW_FLOWS}`, `${seconds}`, `${heldMs}`);
    const before = cpuSeconds(ours.pid);
    const { count, ms } = await go(sender);
    await sleep(200);
    const core = ((cpuSeconds(ours.pid) - before) * 100_000) / (ms + 200);
    await sleep(1500);
    ours.kill('SIGTERM');
    let last = null;
    for (let line = await ours.line(); line !== null; line = await ours.line()) last = line;
    const { total } = JSON.parse(last);
    const unowned = (total.unowned_bytes * 100) / (total.tx_bytes + total.rx_bytes || 1);
    return { core, idle, rate: (count * 1000) / ms, unowned };
  } finally {
    for (const name of [near, far]) removeNamespace(name);
  }
}
