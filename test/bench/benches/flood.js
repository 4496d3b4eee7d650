// Live flood: 64-byte datagrams to sockets that nobody reads, the whole program watching, beside tcpdump on the same flood.

import { createRequire } from 'node:module';
import { FloodGround } from '../support/flood.js';
import { needNamespaces } from '../support/namespace.js';
import { cpuSeconds, sleep, start } from '../support/program.js';

const FLOWS = 16;
const SECONDS = 4;
/** What a sender without a pause is asked for; how fast it gets there is measured. */
const FASTEST = 1_000_000;
const SETTLE_MS = 1200;

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
  const watch = (watcher) => best(repeat, () => watcher(root, ground, packets, rate));
  const ours = await watch(watchedByProgram('libpcap'));
  const keeping = await watch(watchedByProgram('libpcap', ['--keep-packets', '60s']));
  const peers = [
    ['tcpdump -w /dev/null', await watch(watchedByTcpdump)],
    ['--driver cap', capIsBuilt(root) ? await watch(watchedByProgram('cap')) : null],
  ].filter(([, result]) => result !== null);
  const beside = (field) => peers.map(([name, result]) => ({ name, value: result[field] }));
  const paces = [
    `${k(alone.rate)} alone`,
    `${k(ours.rate)} beside us`,
    ...peers.map(([name, { rate: pace }]) => `${k(pace)} beside ${name}`),
  ];
  return [
    {
      what,
      value: ours.core,
      unit: '% of a core',
      goal: { most: rate === 0 ? 30 : 18 },
      peers: beside('core'),
      note: `sent at ${paces.join(', ')}${capIsBuilt(root) ? '' : '; cap is not built here'}`,
    },
    {
      what: '  lost',
      value: ours.lost,
      unit: 'lost %',
      goal: { most: 0 },
      peers: beside('lost'),
      note: `${ours.dropped} dropped by the kernel`,
    },
    {
      what: '  more with --keep-packets 60s',
      value: keeping.core - ours.core,
      unit: '% of a core',
      ...(rate === 0 ? {} : { goal: { most: 8 } }),
      note: `at ${k(keeping.rate)}; ${keeping.lost.toFixed(3)} % lost`,
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

/** The run that lost least, and of those the cheapest. */
async function best(repeat, work) {
  let chosen = null;
  for (let i = 0; i < repeat; i++) {
    const result = await work();
    if (chosen === null || result.lost < chosen.lost || (result.lost === chosen.lost && result.core < chosen.core))
      chosen = result;
  }
  return chosen;
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
