// `netmon-tui doctor`: checks step by step what works on this machine, with reasons and remedies for what doesn't. The output can be pasted into a
// bug report: addresses, host, user and home folder are taken out. It runs without privileges, and then says what they would allow.

import { readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { DRIVER_TABLE, type DriverTable } from '../../capture/opener.ts';
import type { Options } from '../../model/options.ts';
import { permissionHint } from '../../privilege/sudo-command.ts';
import { type Clock, systemClock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { systemFiles, workingFolder } from '../../system/files.ts';
import { findConfig } from '../config/find.ts';
import type { Surroundings } from '../config/surroundings.ts';
import { type HistoryLook, historyLook, historySteps } from './history.ts';
import { ownerSteps } from './owners.ts';
import { type CapturedOwners, driverSteps } from './probes.ts';
import { rightsSteps } from './rights.ts';
import { answerOf, type Finding, type Identity, ok, redactor, type Step } from './step.ts';
import { interfaceSteps, type TerminalFacts, terminalSteps, versionSteps } from './system.ts';

/** What the doctor looks at besides the edges; tests replace it. */
export interface DoctorIo {
  readonly version: string;
  readonly clock: Clock;
  readonly drivers: DriverTable;
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: TerminalFacts;
  readonly identity: Identity;
  /** The remedy for missing privileges, exactly as it is to be typed here. */
  readonly sudo: string;
  /** null: the machine's own. */
  readonly history: HistoryLook | null;
  /** How long each driver is open. */
  readonly openMs: number;
  /** How long a step may take before it counts as hanging. */
  readonly stepMs: number;
}

/** Ring that the drivers are asked for: large enough to show whether the system refuses one. */
const RING_BYTES = 16 << 20;
const NAME_CELLS = 15;
const RESULT_CELLS = 7;
/** The remedy given by parts that don't know how this process was started. */
const ANY_SUDO = /^(type: )?sudo (env "PATH=\$PATH" )?netmon-tui$/;

/**
 * Takes each step in turn and writes a line as soon as its result is known, and a second with the remedy.
 *
 * @param io replaces parts of the surroundings
 * @returns exit status 0, also if something doesn't work: the check itself succeeded
 */
export async function doctor(
  options: Pick<Options, 'interfaces' | 'bpf' | 'privileges' | 'history'>,
  edges: Edges,
  out: { write(text: string): unknown },
  io: Partial<DoctorIo> = {},
): Promise<number> {
  const { version, clock, drivers, env, terminal, identity, sudo, openMs, stepMs, history } = { ...systemIo(edges), ...io };
  const redact = redactor(identity);
  const around = surroundingsOf(edges, env);
  const request = { interfaces: options.interfaces, bpf: options.bpf, bufferBytes: RING_BYTES };
  const seen: CapturedOwners[] = [];
  const parts: readonly (readonly [title: string, steps: () => Step[]])[] = [
    ['versions', () => versionSteps(edges, version)],
    ['rights', () => rightsSteps(edges, env, { privileges: options.privileges, records: options.history?.record ?? false })],
    ['interfaces', () => interfaceSteps(edges)],
    ['capture', () => driverSteps(edges, { request, drivers, clock, openMs }, seen)],
    ['processes', () => ownerSteps(edges, seen)],
    ['terminal', () => terminalSteps(terminal, env)],
    [
      'files',
      () => [{ name: 'configuration', ask: () => configuration(around) }, ...historySteps(history ?? historyLook(around))],
    ],
  ];
  let failed = 0;
  let lastWayOut: string | null = null;
  for (const [title, steps] of parts) {
    out.write(`${title}\n`);
    for (const step of steps()) {
      const finding = await answerOf(step, stepMs);
      if (finding.result === 'no') failed++;
      const wayOut = finding.wayOut?.replace(ANY_SUDO, () => sudo) ?? null;
      // the same remedy for several steps in a row is written once
      out.write(linesOf(step.name, { ...finding, wayOut: wayOut === lastWayOut ? null : wayOut }, redact));
      if (finding.result !== 'ok') lastWayOut = wayOut ?? lastWayOut;
    }
  }
  out.write(`\n${failed === 0 ? 'all steps work' : `${failed} ${failed === 1 ? 'step does' : 'steps do'} not work`}\n`);
  return 0;
}

function linesOf(name: string, { result, detail, wayOut = null }: Finding, redact: (text: string) => string): string {
  const line = `  ${result.padEnd(RESULT_CELLS)} ${name.padEnd(NAME_CELLS)} ${redact(detail)}\n`;
  return wayOut === null ? line : `${line}${' '.repeat(RESULT_CELLS + NAME_CELLS + 4)}${redact(wayOut)}\n`;
}

function configuration(around: Surroundings): Finding {
  const { file, warnings } = findConfig(around.env['NETMON_CONFIG'] ?? null, around);
  return ok([file === null ? 'none: the defaults apply' : file.path, ...warnings].join('; '));
}

/** Decides where the user's files are looked for. */
function surroundingsOf(edges: Edges, env: NodeJS.ProcessEnv): Surroundings {
  const passwd = (): string => {
    try {
      return readFileSync(edges.paths.passwd, 'utf8');
    } catch {
      return '';
    }
  };
  return { platform: edges.platform, env, euid: edges.euid(), passwd, files: systemFiles };
}

function systemIo({ platform, euid }: Edges): DoctorIo {
  const { isTTY, columns, rows } = process.stdout;
  const [node, script = 'netmon-tui', ...words] = process.argv;
  return {
    version: (JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }).version,
    clock: systemClock,
    drivers: DRIVER_TABLE,
    env: process.env,
    terminal: { isTTY: isTTY === true, columns, rows },
    identity: { host: hostname(), user: process.env['SUDO_USER'] ?? userName(), home: homedir() },
    sudo: permissionHint({ platform, euid: euid(), node: node ?? process.execPath, script, folder: workingFolder(), words }),
    history: null,
    openMs: 1000,
    stepMs: 15_000,
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return ''; // a user id that the system has no name for
  }
}
