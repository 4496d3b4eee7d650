#!/usr/bin/env node
// Checks what must hold before any of our modules can load, then hands over to dist/main.js.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
const main = new URL('../dist/main.js', import.meta.url);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `netmon-tui: node ${process.versions.node} is too old, 20.19 or newer is needed\n  install a newer one: https://nodejs.org\n`,
  );
  process.exitCode = 2;
} else if (!existsSync(main)) {
  process.stderr.write('netmon-tui: this clone is not built yet\n  type: bin/setup\n');
  process.exitCode = 2;
} else {
  await import(main.href);
}
