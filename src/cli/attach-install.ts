// `attach --install` and `--uninstall`: copies what runs of this program to another machine, into a folder of the user's there, and takes it away
// again. It asks first, and touches no folder that it didn't make.

import { spawn } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { lineEnd } from '../attach/ssh.ts';
import { NetmonError } from '../model/errors.ts';
import { shellWords } from '../net/quote.ts';
import { sanitize } from '../net/text.ts';
import { isExecutable, ownFilesIn, ownFolder } from '../system/own-files.ts';

/** What a clone or a package has that runs. */
const FILES = ['bin/netmon-tui.js', 'bin/package.json', 'dist/bundle', 'data', 'themes'];
/** In that folder, and in no other. */
const MARK = 'installed-by-attach';
const FOREIGN = 'NETMON-FOREIGN';
const LEAST_NODE = [20, 19] as const;
/** What other machines call their systems and processors. */
const SYSTEMS: Readonly<Record<string, string>> = { Linux: 'linux', Darwin: 'darwin' };
const PROCESSORS: Readonly<Record<string, string>> = { x86_64: 'x64', amd64: 'x64', aarch64: 'arm64', arm64: 'arm64' };
const MOST_OUTPUT = 64 * 1024;

/** What a program printed, and how it ended. */
interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the commands work with; tests replace it. */
export interface InstallIo {
  /** Runs a command at a host. @param files whether this program's files go to its standard input, as a tar archive */
  readonly run: (host: string, command: string, files: boolean) => Promise<Ran>;
  /** null if nobody can be asked. */
  readonly ask: ((question: string) => Promise<string>) | null;
  readonly say: (text: string) => void;
  readonly version: string;
  /** Platforms that this copy has libraries for: `linux_x64`. */
  readonly platforms: readonly string[];
}

const quoted = (...lines: readonly string[]): string => `exec sh -c '${lines.join('; ')}'`;
const FOLDER = 'd=$HOME/.netmon-tui';
const OWN = `[ ! -e "$d" ] || [ -e "$d/${MARK}" ] || { echo ${FOREIGN} >&2; exit 1; }`;

/** Says what the other machine is: its system, its Node, and whether the folder is there. */
const PROBE = quoted(
  'PATH="$PATH:/usr/local/bin:/opt/homebrew/bin"',
  'uname -sm',
  'node -p process.versions.node 2>/dev/null || echo none',
  FOLDER,
  OWN,
);
const UNPACK = quoted(
  'set -e',
  'umask 022',
  FOLDER,
  OWN,
  'rm -rf "$d.new"',
  'mkdir "$d.new"',
  'tar -xzf - -C "$d.new"',
  `echo netmon-tui > "$d.new/${MARK}"`,
  'mkdir -p "$d.new/bin"',
  '[ -e "$d.new/bin/netmon-tui" ] || ln -s netmon-tui.js "$d.new/bin/netmon-tui"',
  'rm -rf "$d"',
  'mv "$d.new" "$d"',
);
/** Says so where there is nothing. */
const REMOVE = quoted(FOLDER, OWN, '[ -e "$d" ] || echo none', 'rm -rf "$d"');

/** Copies this program to hosts, one after the other. @returns the exit status. @throws NetmonError for the first that can't have it */
export async function installAt(hosts: readonly string[], yes: boolean, io: InstallIo): Promise<number> {
  for (const host of hosts) {
    const lacks = whatIsMissing(host, (await ran(io, host, PROBE, false)).stdout, io);
    if (lacks !== null) throw lacks;
    if (!(await agreed(`copy netmon-tui ${io.version} to ~/.netmon-tui on ${host}`, yes, io))) return 0;
    await ran(io, host, UNPACK, true);
    io.say(`netmon-tui is in ~/.netmon-tui on ${host}. To see it: ${shellWords(['netmon-tui', 'attach', host])}`);
  }
  return 0;
}

/** Takes it away again. @returns the exit status. @throws NetmonError */
export async function uninstallAt(hosts: readonly string[], yes: boolean, io: InstallIo): Promise<number> {
  for (const host of hosts) {
    if (!(await agreed(`remove ~/.netmon-tui on ${host}`, yes, io))) return 0;
    const { stdout } = await ran(io, host, REMOVE, false);
    io.say(stdout.trim() === 'none' ? `there is no ~/.netmon-tui on ${host}` : `~/.netmon-tui is gone from ${host}`);
  }
  return 0;
}

async function agreed(what: string, yes: boolean, { ask }: InstallIo): Promise<boolean> {
  if (yes) return true;
  if (ask === null) throw new NetmonError('usage', `nobody can be asked whether to ${what}`, 'add --yes');
  return /^y(?:es)?$/i.test((await ask(`${what}? [y/N] `)).trim());
}

async function ran(io: InstallIo, host: string, command: string, files: boolean): Promise<Ran> {
  const result = await io.run(host, command, files);
  if (result.status === 0) return result;
  if (result.stderr.includes(FOREIGN))
    throw new NetmonError('usage', `~/.netmon-tui on ${host} was not made by attach --install`, 'move it away there');
  const { note, hint } = lineEnd(host, result.status, result.stderr);
  throw new NetmonError('usage', `${host}: ${note}`, hint === '' ? null : `type: ${hint}`);
}

/** Why a machine can't run what would be copied; null if it can. @param said by PROBE */
function whatIsMissing(host: string, said: string, { platforms }: InstallIo): NetmonError | null {
  const [kind = '', node = ''] = said.trim().split('\n').map(sanitize);
  const [system = '', processor = ''] = kind.split(' ');
  const platform = `${SYSTEMS[system] ?? system}_${PROCESSORS[processor] ?? processor}`;
  const isOther = platform !== `${process.platform}_${process.arch}`;
  const hint = 'install it there: docs/install.md';
  if (isExecutable)
    return isOther ? new NetmonError('usage', `${host} is another system (${kind}) than this executable is for`, hint) : null;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (!(major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])))
    return new NetmonError(
      'usage',
      `${host} has ${node === 'none' ? 'no node' : `node ${node}`}, and 20.19 or newer is needed`,
      hint,
    );
  const isHere = platforms.some((name) => name.startsWith(platform));
  return isHere ? null : new NetmonError('usage', `this copy of netmon-tui has no library for ${host} (${kind})`, hint);
}

/** Platforms that this copy of the program can run on. */
export function ownPlatforms(): readonly string[] {
  return ownFilesIn('dist/bundle/koffi');
}

/** Runs ssh, which may ask for what it needs on the terminal. */
export function sshRunner(ssh: string): InstallIo['run'] {
  return (host, command, files) =>
    new Promise((resolve) => {
      const child = spawn(ssh, ['-T', '--', host, command], { stdio: ['pipe', 'pipe', 'pipe'], env: process.env, shell: false });
      const output = ['', ''];
      for (const [at, pipe] of [child.stdout, child.stderr].entries())
        pipe.on('data', (chunk: Buffer) => {
          output[at] = (output[at] + chunk.toString('utf8')).slice(-MOST_OUTPUT);
        });
      const end = (status: number | null): void => resolve({ status, stdout: output[0] ?? '', stderr: output[1] ?? '' });
      child.once('error', () => end(null));
      child.once('close', end);
      child.stdin.on('error', () => undefined); // its end says why
      if (files)
        spawn('tar', tarArguments(), { stdio: ['ignore', 'pipe', 'ignore'], env: process.env, shell: false }).stdout.pipe(
          child.stdin,
        );
      else child.stdin.end();
    });
}

/** Packs what runs; the executable is a file of its own, under the name that it has there. */
function tarArguments(): string[] {
  const folder = ownFolder();
  if (folder !== null) return ['-C', folder, '-czf', '-', ...FILES];
  const name = basename(process.execPath);
  const renamed = `,^${name}$,bin/netmon-tui,`;
  const rename = process.platform === 'darwin' ? ['-s', renamed] : [`--transform=s${renamed}`];
  return ['-C', dirname(process.execPath), '-czf', '-', ...rename, name];
}
