// Live flood: 64-byte datagrams to sockets that nobody reads, the whole program watching, in turn with tcpdump.

import { createRequire } from 'node:module';
import { FloodGround } from '../support/flood.js';
import { needNamespaces } from '../support/namespace.js';
import { inTurn, median, ratio } from '../support/pairs.js';
import { cpuSeconds, sleep, start } from '../support/program.js';

const FLOWS = 16;
const SECONDS = 4;
/** What a sender without a pause is asked for; how fast it gets there is measured. */
const FASTEST = 1_000_000;
const SETTLE_MS = 1200;
const TCPDUMP = 'tcpdump -w /dev/null';
const CAP = '--driver cap';

export const about = `${SECONDS} s of 64-byte UDP, ${FLOWS} flows: what was lost of it and what it cost, in % of a core`;

/** @param {import('../run.js').Context} context */
export async function run({ root, repeat, small }) {
  needNamespaces();
  const rows = [];
  for (const kind of ['loopback', 'veth']) {
    const ground = await FloodGround.make(root, kind, FLOWS);
    try {
      for (const rate of [0, 500_000]) {
        const packets = (rate || FASTEST) * (small ? 1 : SECONDS);
        rows.push(...(await compare({ root, repeat, ground, rate, packets })));
      }
    } finally {
      await ground.close();
    }
  }
  return rows;
}

async function compare({ root, repeat, ground, rate, packets }) {
  const alone = await send(ground, packets, rate, () => 0);
  const what = `${ground.kind}, ${rate === 0 ? 'as fast as it sends' : k(rate)}`;
  const told = { ours: [], [TCPDUMP]: [], keeping: [], [CAP]: [] };
  const way = (name, watcher) => async () => {
    const result = await watcher(root, ground, packets, rate);
    if (result !== null) told[name].push(result);
    return result?.core ?? null;
  };
  const cores = await inTurn(repeat, {
    ours: way('ours', watchedByProgram('libpcap')),
    [TCPDUMP]: way(TCPDUMP, watchedByTcpdump),
    keeping: way('keeping', watchedByProgram('libpcap', ['--keep-packets', '60s'])),
    ...(capIsBuilt(root) ? { [CAP]: way(CAP, watchedByProgram('cap')) } : {}),
  });
  const of = (name, field) => median(told[name].map((result) => result[field]));
  const names = [TCPDUMP, CAP].filter((name) => cores[name] !== undefined);
  const beside = (field) => names.map((name) => ({ name, value: of(name, field) }));
  const paces = ['ours', ...names].map((name) => `${k(of(name, 'rate'))} beside ${name}`);
  const more = cores.keeping.map((core, round) => core - cores.ours[round]);
  return [
    {
      what,
      value: of('ours', 'core'),
      unit: '% of a core',
      ratios: names.map((name) => ratio(cores.ours, cores[name], name, name === TCPDUMP ? { most: 2.5 } : undefined)),
      peers: beside('core'),
      note: `sent at ${[`${k(alone.rate)} alone`, ...paces].join(', ')}${capIsBuilt(root) ? '' : '; cap is not built here'}`,
    },
    {
      what: '  lost',
      value: of('ours', 'lost'),
      unit: 'lost %',
      goal: { most: 0 },
      peers: beside('lost'),
      note: `${Math.max(...told.ours.map(({ dropped }) => dropped))} dropped by the kernel at the most`,
    },
    {
      what: '  more with --keep-packets 60s',
      value: median(more),
      unit: '% of a core',
      ...(rate === 0 ? {} : { goal: { most: 8 } }),
      note: `at ${k(of('keeping', 'rate'))}; ${of('keeping', 'lost').toFixed(3)} % lost`,
    },
  ];
}

const k = (rate) => `${Math.round(rate / 1000)} k/s`;

function capIsBuilt(root) {
  try {
    createRequire(`${root}/package.json`)('cap');
    return true;
  } catch {
    return false;
  }
}

/** Sends once, with the processor time that `cpu` tells before and after it. */
async function send(ground, packets, rate, cpu) {
  const sender = await ground.sender(packets, rate);
  const before = cpu();
  const { sent, ms } = await sender.go();
  await sleep(100); // what still waits in the ring is part of the cost
  return { sent, rate: (sent * 1000) / ms, core: ((cpu() - before) * 100_000) / ms };
}

function watchedByProgram(driver, more = []) {
  return async (root, ground, packets, rate) => {
    const words = ['-i', ground.device, '--json', '--driver', driver, ...more];
    const child = start([process.execPath, `${root}/bin/netmon-tui.js`, ...words], { namespace: ground.namespace });
    try {
      if ((await child.line()) === null) throw new Error(`it did not start: ${child.errors()}`);
      const result = await send(ground, packets, rate, () => cpuSeconds(child.pid));
      await sleep(SETTLE_MS);
      child.kill('SIGTERM');
      let last = null;
      for (let line = await child.line(); line !== null; line = await child.line()) last = line;
      const { capture } = JSON.parse(last);
      return { ...result, lost: lostShare(result.sent, capture.packets), dropped: capture.dropped };
    } finally {
      child.kill();
      await child.exited;
    }
  };
}

async function watchedByTcpdump(_root, ground, packets, rate) {
  const words = ['-i', ground.device, '-nn', '-s', '160', '-B', '8192', '-w', '/dev/null'];
  const child = start(['tcpdump', ...words], { namespace: ground.namespace });
  try {
    await sleep(500);
    const result = await send(ground, packets, rate, () => cpuSeconds(child.pid));
    await sleep(SETTLE_MS);
    child.kill('SIGINT');
    await child.exited;
    const captured = Number(/(\d+) packets captured/.exec(child.errors())?.[1] ?? Number.NaN);
    return { ...result, lost: lostShare(result.sent, captured) };
  } catch {
    return null; // not installed
  } finally {
    child.kill();
    await child.exited;
  }
}

/** Percent of what was sent; packets of others' making (there are none, but for a stray one) do not make it negative. */
function lostShare(sent, seen) {
  return (Math.max(0, sent - seen) * 100) / sent;
}
