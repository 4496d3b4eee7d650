#!/usr/bin/env node
// Checks what must be true before any of our modules can load, then hands over to dist/main.js.
import { existsSync } from 'node:fs';

// This comes first: SIGUSR1 opens Node's debugger, through which anybody could run code here. A signal may have come even before this line.
process.on('SIGUSR1', () => undefined);
const inspector = process.features.inspector ? await import('node:inspector') : null;
const isAsked = /--inspect/.test([...process.execArgv, process.env.NODE_OPTIONS].join(' ')); // refused later, if there are privileges to lose
const isDebugged = inspector?.url() !== undefined && !isAsked;
if (isDebugged) inspector.close();

const [major, minor] = process.versions.node.split('.').map(Number);
const main = new URL('../dist/main.js', import.meta.url);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `netmon-tui: node ${process.versions.node} is too old: 20.19 or newer is needed\n  get it from https://nodejs.org\n`,
  );
  process.exitCode = 2;
} else if (isDebugged) {
  process.stderr.write("netmon-tui: a signal opened node's debugger during start-up\n  start netmon-tui again\n");
  process.exitCode = 3;
} else if (!existsSync(main)) {
  process.stderr.write('netmon-tui: this clone is not built yet\n  type: bin/setup\n');
  process.exitCode = 2;
} else {
  await import(main.href);
}
