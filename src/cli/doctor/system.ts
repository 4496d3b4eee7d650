// The doctor's steps about the machine: versions, interfaces, counters, terminal. They change nothing.

import { release } from 'node:os';
import { readCounters } from '../../capture/devices/counters.ts';
import { listDevices } from '../../capture/devices/devices.ts';
import { libpcapHint } from '../../capture/libpcap/handle.ts';
import { isOverSsh } from '../../identify/process/ssh.ts';
import { reasonOf } from '../../model/errors.ts';
import { counted } from '../../net/counted.ts';
import { nodeText } from '../../system/build.ts';
import type { Edges } from '../../system/edges.ts';
import { readSystemFile } from '../../system/small-file.ts';
import { refuseTerminal, speaksUtf8 } from '../../tui/terminal.ts';
import { no, ok, type Step, skipped } from './step.ts';

/** What the terminal says about itself. */
export interface TerminalFacts {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  readonly rows: number | undefined;
}

const LIMITS = { timeoutMs: 5000, maxBytes: 65_536 };
const LEAST_NODE = [20, 19] as const;
const LEAST_COLUMNS = 80;
const LEAST_ROWS = 24;

/** Versions of the program and of what it depends on. */
export function versionSteps(edges: Edges, version: string, commit: string | null): Step[] {
  return [
    { name: 'netmon-tui', ask: () => ok(commit === null ? version : `${version}, commit ${commit}`) },
    { name: 'node', ask: nodeVersion },
    { name: 'system', ask: async () => ok(await systemVersion(edges)) },
    { name: 'libpcap', ask: () => libpcapVersion(edges) },
    { name: 'tcpdump', ask: () => tcpdumpVersion(edges) },
  ];
}

function nodeVersion() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const detail = nodeText();
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return enough ? ok(detail) : no(`${detail}; ${LEAST_NODE.join('.')} or newer is needed`, 'see https://nodejs.org/en/download');
}

async function systemVersion(edges: Edges): Promise<string> {
  if (edges.platform === 'darwin') {
    const result = await edges.run('/usr/bin/sw_vers', ['-productVersion'], LIMITS);
    return `macOS ${result.stdout.trim() || '(unknown)'}, Darwin ${release()}`;
  }
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(readSystemFile('/etc/os-release') ?? '')?.[1] ?? 'Linux';
  return `${name}, Linux ${release()}`;
}

async function libpcapVersion(edges: Edges) {
  try {
    const { loadLibpcap } = await import('../../capture/libpcap/calls.ts');
    return ok(loadLibpcap(edges.platform).version);
  } catch (thrown) {
    return no(
      `could not be loaded: ${reasonOf(thrown)}`,
      edges.platform === 'darwin' ? 'in a clone, type: rm -r dist && bin/setup' : libpcapHint(edges),
    );
  }
}

async function tcpdumpVersion(edges: Edges) {
  if (edges.platform !== 'darwin') return skipped('used on macOS only');
  const { stdout, stderr, failure } = await edges.run(edges.paths.tcpdump, ['--version'], LIMITS);
  if (failure !== null) return no(`${edges.paths.tcpdump} can't be run: ${failure}`);
  const line = `${stdout}${stderr}`.split('\n', 1)[0] ?? '';
  return /Apple version/.test(line) ? ok(line) : no(`not Apple's: ${line}`);
}

/** Interfaces, the default route, and the interfaces' own counters. */
export function interfaceSteps(edges: Edges): Step[] {
  const devices = listDevices(edges);
  devices.catch(() => undefined); // each step that waits for it reports the failure
  return [
    {
      name: 'interfaces',
      ask: async () => {
        const found = await devices;
        const list = found.map(({ name, kind, up }) => `${name} (${kind}${up ? '' : ', down'})`).join(', ');
        return found.length === 0 ? no('none is visible') : ok(list);
      },
    },
    {
      name: 'default route',
      ask: async () => {
        const name = (await devices).find((device) => device.isDefault)?.name;
        return name === undefined ? no('none: this machine is offline', 'type: netmon-tui -i NAME') : ok(name);
      },
    },
    {
      name: 'counters',
      ask: async () => {
        const names = (await devices).map((device) => device.name);
        const counters = await readCounters(edges, names);
        return counters === null || counters.size === 0
          ? no("can't be read; coverage will be unknown")
          : ok(`${counters.size} of ${counted(names.length, 'interface')}`);
      },
    },
  ];
}

/** What the screen can do. */
export function terminalSteps(terminal: TerminalFacts, env: NodeJS.ProcessEnv, edges: Edges): Step[] {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return [
    {
      name: 'terminal',
      ask: () => {
        if (!terminal.isTTY) return skipped('standard output is not a terminal');
        const refused = refuseTerminal(env, terminal.isTTY);
        if (refused !== null) return no(refused, 'type: TERM=xterm-256color netmon-tui');
        return ok(`TERM=${env['TERM']} COLORTERM=${env['COLORTERM'] || '(unset)'}`);
      },
    },
    {
      name: 'size',
      ask: () => {
        const { columns = 0, rows = 0 } = terminal;
        if (!terminal.isTTY) return skipped('standard output is not a terminal');
        const detail = `${columns}x${rows}`;
        return columns < LEAST_COLUMNS || rows < LEAST_ROWS
          ? no(`${detail}; ${LEAST_COLUMNS}x${LEAST_ROWS} is the minimum`, 'make the window larger')
          : ok(detail);
      },
    },
    {
      name: 'UTF-8',
      ask: () =>
        speaksUtf8(env)
          ? ok(locale || 'no locale is set; assumed')
          : no(locale, 'type: LANG=en_US.UTF-8 netmon-tui, or netmon-tui --ascii'),
    },
    { name: 'over SSH', ask: async () => ok((await isOverSsh(edges, env)) ? 'yes' : 'no') },
  ];
}
