// A key press to its frame: on a quiet interface and in a flood, from the byte typed to the first byte drawn.

import { FloodGround } from '../support/flood.js';
import { needNamespaces } from '../support/namespace.js';
import { sleep } from '../support/program.js';
import { startOnTerminal } from '../support/terminal.js';

const SIZE = { columns: 120, rows: 40 };
const FLOWS = 16;
/** Changes the units on the whole screen, whatever is on it: there is no press without a frame. */
const KEY = 'u';
const PATIENCE_MS = 3000;
/** Between keys: long enough that the last frame is out, and no multiple of the second in which samples come. */
const BETWEEN_MS = 137;
/** More than a flood of this bench lasts at any speed; it is stopped. */
const ENDLESS = 20_000_000;

export const about = 'a key typed on a real terminal, 120x40, to the first byte of its frame';

/** @param {import('../run.js').Context} context */
export async function run({ root, small }) {
  needNamespaces();
  const presses = small ? 30 : 150;
  const ground = await FloodGround.make(root, 'loopback', FLOWS);
  const rows = [];
  try {
    const program = [process.execPath, `${root}/bin/netmon-tui.js`, '-i', ground.device];
    const terminal = startOnTerminal(root, program, { ...SIZE, namespace: ground.namespace });
    try {
      if ((await terminal.awaits('quit', 20_000)) === null) throw new Error('no first frame');
      await sleep(1500);
      rows.push(...rowsOf('idle', await press(terminal, presses)));
      const sender = await ground.sender(ENDLESS, 0);
      const flood = sender.go();
      await sleep(1000);
      rows.push(...rowsOf('in the flood', await press(terminal, presses), 100));
      sender.stop();
      await Promise.allSettled([flood]);
    } finally {
      await terminal.close();
    }
  } finally {
    await ground.close();
  }
  return rows;
}

async function press(terminal, presses) {
  const times = [];
  for (let i = 0; i < presses; i++) {
    await sleep(BETWEEN_MS);
    const frame = terminal.awaits('', PATIENCE_MS);
    const begun = performance.now();
    terminal.type(KEY);
    times.push(((await frame) ?? Number.POSITIVE_INFINITY) - begun);
  }
  return times.sort((a, b) => a - b);
}

function rowsOf(where, times, goal) {
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  return [
    { what: `${where}, median`, value: at(0.5), unit: 'ms' },
    {
      what: `${where}, p99`,
      value: at(0.99),
      unit: 'ms',
      ...(goal === undefined ? {} : { goal: { most: goal } }),
      note: `${times.length} presses, ${times.at(-1).toFixed(1)} ms the slowest`,
    },
  ];
}
