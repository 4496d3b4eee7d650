// Prints as text what a recorded terminal session showed: `node .github/read-screen.mjs COLUMNS ROWS <typescript`.
// It shows six frames, evenly spread over those of the session, and what stood there after the program had left the screen.

import { readFileSync } from 'node:fs';
import xterm from '@xterm/headless';

const FRAMES = 6;
const [cols, rows] = process.argv.slice(2).map(Number);
const terminal = new xterm.Terminal({ cols, rows, allowProposedApi: true });
const write = (text) => new Promise((done) => terminal.write(text, done));
const print = (title) => {
  const { active } = terminal.buffer;
  const lines = Array.from({ length: rows }, (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? '');
  process.stdout.write(`==== ${title}\n${lines.join('\n').trimEnd()}\n`);
};

// The program restores the cursor at the end of each frame, and clears the screen before it leaves.
const parts = readFileSync(0, 'utf8').split(/(?<=\x1b8)/);
const end = parts.length - 1;
for (const [index, part] of parts.entries()) {
  await write(part);
  if (index < end && Math.floor(((index + 1) * FRAMES) / end) > Math.floor((index * FRAMES) / end))
    print(`frame ${index + 1} of ${end}`);
}
print('afterwards');
