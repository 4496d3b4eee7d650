#!/usr/bin/env node
// Checks what must hold before any of our modules can load, then hands over to dist/main.js.
import { existsSync } from 'node:fs';

// First of all: SIGUSR1 opens Node's debugger, and whoever reaches that runs code here. A signal may have come before this line, too.
process.on('SIGUSR1', () => undefined);
const inspector = process.features.inspector ? await import('node:inspector') : null;
const isAsked = /--inspect/.test([...process.execArgv, process.env.NODE_OPTIONS].join(' ')); // refused later, where there are rights to lose
const isDebugged = inspector?.url() !== undefined && !isAsked;
if (isDebugged) inspector.close();

const [major, minor] = process.versions.node.split('.').map(Number);
const main = new URL('../dist/main.js', import.meta.url);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `netmon-tui: node ${process.versions.node} is too old, 20.19 or newer is needed\n  install a newer one: https://nodejs.org\n`,
  );
  process.exitCode = 2;
} else if (isDebugged) {
  process.stderr.write("netmon-tui: node's debugger was opened by a signal during the start\n  start it again\n");
  process.exitCode = 3;
} else if (!existsSync(main)) {
  process.stderr.write('netmon-tui: this clone is not built yet\n  type: bin/setup\n');
  process.exitCode = 2;
} else {
  await import(main.href);
}
