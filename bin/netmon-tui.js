#!/usr/bin/env node
// Checks what must be true before the program can load, then runs dist/bundle/main.cjs. In the single executable this file begins, too.

// This comes first: SIGUSR1 opens Node's debugger, through which anybody could run code here. A signal may have come even before this line.
process.on('SIGUSR1', () => undefined);
const inspector = process.features.inspector ? require('node:inspector') : null;
const isAsked = /--inspect/.test([...process.execArgv, process.env.NODE_OPTIONS].join(' ')); // refused later, if there are privileges to lose
const isDebugged = inspector?.url() !== undefined && !isAsked;
if (isDebugged) inspector.close();

function refuse(status, text, hint) {
  process.stderr.write(`netmon-tui: ${text}\n  ${hint}\n`);
  process.exitCode = status;
}

/**
 * Runs a file of the bundle. What V8 compiled of it before is beside it, and is used by the very build and Node that made it, if its sum is right: V8
 * itself doesn't look, and crashes on what a broken disk made of it.
 */
function run(role) {
  const { readFileSync } = require('node:fs');
  const { createRequire } = require('node:module');
  const { dirname, join } = require('node:path');
  const { Script } = require('node:vm');
  const { getRawAsset, isSea } = require('node:sea');
  // nothing can lie below the executable
  const filename = join(isSea() ? process.execPath : dirname(__dirname), `dist/bundle/${role}.cjs`);
  const read = (suffix) =>
    isSea() ? Buffer.from(getRawAsset(`dist/bundle/${role}.cjs${suffix}`)) : readFileSync(filename + suffix);
  const text = read('').latin1Slice();
  const source = role === 'main' ? text : `(function (require, __filename) {${text}\n})`; // others are modules of their own
  let cachedData;
  try {
    const cache = read('.cache');
    const build = source.slice(0, source.indexOf('\n'));
    const data = cache.subarray(build.length + 4);
    const isWhole = () => require('node:zlib').crc32(data) === cache.readUInt32LE(build.length);
    if (cache.latin1Slice(0, build.length) === build && isWhole()) cachedData = data;
  } catch {
    // none was made
  }
  new Script(source, { filename, cachedData }).runInThisContext()(createRequire(filename), filename);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  refuse(2, `node ${process.versions.node} is too old: 20.19 or newer is needed`, 'get it from https://nodejs.org');
} else if (isDebugged) {
  refuse(3, "a signal opened node's debugger during start-up", 'start netmon-tui again');
} else if (process.env.NETMON_ROLE !== undefined && require('node:sea').isSea()) {
  const role = process.env.NETMON_ROLE;
  for (const name of ['NETMON_ROLE', 'NODE_OPTIONS']) delete process.env[name]; // its own, not for what it starts
  run(role);
} else {
  try {
    run('main');
  } catch (error) {
    if (error.code !== 'ENOENT' || !error.path?.endsWith('/dist/bundle/main.cjs')) throw error;
    refuse(2, 'this clone is not built yet', 'type: bin/setup');
  }
}
