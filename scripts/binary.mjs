// Makes build/netmon-tui, or the file that is named: one executable for machines like this one, without Node. It is this machine's Node, stripped, with the bundle and its
// files inside (Node's "single executable applications"). Needs a Node that can be copied: one file, not linked to a library of its own.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const work = join(root, 'build/executable');
const out = process.argv[2] ?? join(root, 'build/netmon-tui');
/** Where Node looks for what is inside (doc/api/single-executable-applications.md). */
const SEA = { resource: 'NODE_SEA_BLOB', fuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2', segment: 'NODE_SEA' };
const isMac = process.platform === 'darwin';
/** Before a program's first line, only this keeps SIGUSR1 from opening Node's debugger; a Node that doesn't know it in an executable leaves it out. */
const NO_SIGNAL = '--disable-sigusr1';

/** Files below a folder, by their names in the executable. */
function assets(folder) {
  const paths = readdirSync(join(work, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  return Object.fromEntries(paths.map((path) => [relative(work, path), path]));
}

/** Runs a program that the result is better with; does without it. */
function attempt(program, ...words) {
  if (spawnSync(program, words, { stdio: 'ignore' }).status !== 0) process.stderr.write(`binary: ${program} failed, going on\n`);
}

if (!readFileSync(process.execPath).includes(SEA.fuse)) {
  process.stderr.write(`binary: ${process.execPath} can't hold a program\n  take a Node that is one file: https://nodejs.org\n`);
  process.exit(1);
}
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
for (const folder of ['data', 'themes']) cpSync(join(root, folder), join(work, folder), { recursive: true });
execFileSync(process.execPath, [join(root, 'scripts/bundle.mjs'), work], { stdio: 'inherit' });
rmSync(join(work, 'dist/bundle/packages.json'));
rmSync(join(work, 'dist/bundle/cap-child.cjs')); // a package that is compiled on its machine can't be inside

const start = join(work, 'start.cjs');
writeFileSync(start, readFileSync(join(root, 'bin/netmon-tui.js'), 'utf8').replace(/^#!.*\n/, ''));
const config = {
  main: start,
  output: join(work, 'blob'),
  disableExperimentalSEAWarning: true,
  ...(process.allowedNodeEnvironmentFlags.has(NO_SIGNAL) ? { execArgv: [NO_SIGNAL] } : {}),
  assets: Object.assign({}, ...['dist/bundle', 'data', 'themes'].map(assets)),
};
writeFileSync(join(work, 'sea.json'), JSON.stringify(config));
execFileSync(process.execPath, ['--experimental-sea-config', join(work, 'sea.json')], { stdio: ['ignore', 'ignore', 'inherit'] });

const binary = join(work, 'netmon-tui');
copyFileSync(process.execPath, binary);
chmodSync(binary, 0o755);
if (isMac) attempt('codesign', '--remove-signature', binary);
attempt('strip', ...(isMac ? ['-x'] : []), binary);
// Its own program, because it prints a page of warnings that mean nothing here.
const words = [
  binary,
  SEA.resource,
  config.output,
  '--sentinel-fuse',
  SEA.fuse,
  ...(isMac ? ['--macho-segment-name', SEA.segment] : []),
];
execFileSync(process.execPath, [join(root, 'node_modules/postject/dist/cli.js'), ...words], { stdio: 'pipe' });
if (isMac) attempt('codesign', '--sign', '-', binary);
const { status, stdout, stderr } = spawnSync(binary, ['--version'], { encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
if (status !== 0 || !stdout.startsWith('netmon-tui '))
  throw new Error(`the executable does not start: ${stderr || stdout}; this Node may be one that can't be copied`);
rmSync(out, { force: true }); // one that runs keeps its file
copyFileSync(binary, out);
rmSync(work, { recursive: true, force: true });
process.stdout.write(`${relative(process.cwd(), out)}: ${(statSync(out).size / 1e6).toFixed(0)} MB\n`);
