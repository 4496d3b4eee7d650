// What it takes to do nothing: resident memory and processor time on a quiet interface, beside node that only waits.

import { makeNamespace, needNamespaces, removeNamespace } from '../support/namespace.js';
import { cpuSeconds, resident, sleep, start } from '../support/program.js';
import { startOnTerminal } from '../support/terminal.js';

const PATIENCE_MS = 20_000;
/** V8 clears up once, 8 to 14 s after a program went quiet: that is not what doing nothing costs. */
const SETTLE_MS = 16_000;
const WATCH_MS = 10_000;
/** Makes more than 30 frames in the time to settle. */
const SCREEN_INTERVAL = '500ms';

export const about = `resident memory, and processor time over ${WATCH_MS / 1000} s, on a quiet interface`;

/** @param {import('../run.js').Context} context */
export async function run({ root }) {
  needNamespaces();
  const namespace = makeNamespace();
  const program = [process.execPath, `${root}/bin/netmon-tui.js`, '-i', 'lo'];
  const json = start([...program, '--json'], { namespace });
  const terminal = startOnTerminal(root, program, { columns: 120, rows: 40, namespace });
  const frames = startOnTerminal(root, [...program, '--interval', SCREEN_INTERVAL], { columns: 120, rows: 40, namespace });
  const node = start([process.execPath, '-e', 'setInterval(() => {}, 1000)']);
  const all = { json, terminal, frames, node };
  try {
    const [line, frame] = await Promise.all([json.line(), terminal.awaits('quit', PATIENCE_MS)]);
    if (line === null || frame === null) throw new Error(`it did not start: ${json.errors()}${terminal.tail.slice(-500)}`);
    await sleep(SETTLE_MS);
    const before = measure(all);
    await sleep(WATCH_MS);
    const after = measure(all);
    const core = (name) => ((after[name].cpu - before[name].cpu) * 100_000) / WATCH_MS;
    const memory = (name) => after[name].resident.now;
    const bare = (value) => [{ name: 'node, waiting', value }];
    return [
      { what: '--json, memory', value: memory('json'), unit: 'MiB', goal: { most: 80 }, peers: bare(memory('node')) },
      {
        what: 'screen, memory after 30 frames',
        value: memory('frames'),
        unit: 'MiB',
        goal: { most: 125 },
        peers: bare(memory('node')),
      },
      { what: '--json, processor', value: core('json'), unit: '% of a core', goal: { most: 1 }, peers: bare(core('node')) },
      {
        what: 'screen, processor',
        value: core('terminal'),
        unit: '% of a core',
        goal: { most: 1 },
        peers: bare(core('node')),
        note: `one frame a second; ticks of the kernel are 10 ms, so 0.1 % is the least`,
      },
    ];
  } finally {
    for (const child of [json, node]) child.kill();
    await Promise.all([json.exited, node.exited, terminal.close(), frames.close()]);
    removeNamespace(namespace);
  }
}

function measure(all) {
  return Object.fromEntries(
    Object.entries(all).map(([name, { pid }]) => [name, { cpu: cpuSeconds(pid), resident: resident(pid) }]),
  );
}
