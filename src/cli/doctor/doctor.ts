// `netmon-tui doctor`: checks step by step what works on this machine, with reasons and remedies for what doesn't. The output can be pasted into a
// bug report: addresses, host, user and home folder are taken out. It runs without privileges, and then says what they would allow.

import { readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { DRIVER_TABLE, type DriverTable } from '../../capture/opener.ts';
import type { NotifyOptions } from '../../model/delivery.ts';
import type { Options } from '../../model/options.ts';
import { counted } from '../../net/counted.ts';
import { permissionHint, thisInvocation } from '../../privilege/sudo-command.ts';
import { commit, version } from '../../system/build.ts';
import { type Clock, systemClock } from '../../system/clock.ts';
import type { Edges } from '../../system/edges.ts';
import { systemFiles } from '../../system/files.ts';
import { wrapWords } from '../../view/text/cells.ts';
import { findConfig } from '../config/find.ts';
import type { Surroundings } from '../config/surroundings.ts';
import { alertSteps, type ProbeMessenger } from './alerts.ts';
import { type HistoryLook, historyLook, historySteps } from './history.ts';
import { ownerSteps } from './owners.ts';
import { type CapturedOwners, driverSteps } from './probes.ts';
import { rightsSteps } from './rights.ts';
import { answerOf, type Finding, type Identity, ok, redactor, type Step } from './step.ts';
import { interfaceSteps, type TerminalFacts, terminalSteps, versionSteps } from './system.ts';

/** What the doctor looks at besides the edges; tests replace it. */
export interface DoctorIo {
  readonly version: string;
  /** null if it is unknown. */
  readonly commit: string | null;
  readonly clock: Clock;
  readonly drivers: DriverTable;
  readonly env: NodeJS.ProcessEnv;
  readonly terminal: TerminalFacts;
  readonly identity: Identity;
  /** The remedy for missing privileges, exactly as it is to be typed here. */
  readonly sudo: string;
  /** null: the machine's own. */
  readonly history: HistoryLook | null;
  /** Starts a messenger; undefined: as a run does. */
  readonly messenger: ProbeMessenger | undefined;
  /** How long each driver is open. */
  readonly openMs: number;
  /** How long a step may take before it counts as hanging. */
  readonly stepMs: number;
}

/** Ring that the drivers are asked for: large enough to show whether the system refuses one. */
const RING_BYTES = 16 << 20;
const NAME_CELLS = 15;
const RESULT_CELLS = 7;
/** Left of the details. */
const MARGIN = ' '.repeat(RESULT_CELLS + NAME_CELLS + 4);
const LEAST_ROOM = 30;
/** The remedy given by parts that don't know how this process was started. */
const ANY_SUDO = /^(type: )?sudo (env "PATH=\$PATH" )?netmon-tui$/;

/** What the doctor needs of the command line. */
type DoctorOptions = Pick<Options, 'interfaces' | 'bpf' | 'privileges' | 'history' | 'json'> & {
  /** The configuration file that `--config` names. */
  readonly config: string | null;
  /** How alerts are told; null if the configuration can't be read. */
  readonly notify: NotifyOptions | null;
  /** Send a test of alerts. */
  readonly deliver: boolean;
};

/**
 * Takes each step in turn and writes a line as soon as its result is known, and a second with the remedy; as JSON, one object at the end.
 *
 * @param io replaces parts of the surroundings
 * @returns exit status 0, also if something doesn't work: the check itself succeeded
 */
export async function doctor(options: DoctorOptions, edges: Edges, out: Writable, io: Partial<DoctorIo> = {}): Promise<number> {
  const { version, commit, clock, drivers, env, terminal, identity, sudo, openMs, stepMs, history, messenger } = {
    ...systemIo(edges),
    ...io,
  };
  const redact = redactor(identity);
  const around = surroundingsOf(edges, options.config === null ? env : { ...env, NETMON_CONFIG: options.config });
  const request = { interfaces: options.interfaces, bpf: options.bpf, bufferBytes: RING_BYTES };
  const seen: CapturedOwners[] = [];
  const parts: readonly (readonly [title: string, steps: () => Step[]])[] = [
    ['versions', () => versionSteps(edges, version, commit)],
    ['rights', () => rightsSteps(edges, env, { privileges: options.privileges, records: options.history?.record ?? false })],
    ['interfaces', () => interfaceSteps(edges)],
    ['capture', () => driverSteps(edges, { request, drivers, clock, openMs }, seen)],
    ['processes', () => ownerSteps(edges, seen)],
    ['terminal', () => terminalSteps(terminal, env, edges)],
    ['alerts', () => alertSteps({ ...options, user: options.privileges.user }, edges, env, messenger)],
    [
      'files',
      () => [
        { name: 'configuration', ask: () => configuration(around) },
        { name: 'policy', ask: () => policy(around) },
        { name: 'rules', ask: () => rules(around) },
        { name: 'packets kept', ask: () => packets(around) },
        ...historySteps(history ?? historyLook(around)),
      ],
    ],
  ];
  const report = options.json ? new JsonReport(out, version) : new TextReport(out, terminal);
  for (const [title, steps] of parts) {
    report.part(title);
    for (const step of steps()) {
      const { result, detail, wayOut } = await answerOf(step, stepMs);
      const remedy = wayOut == null ? null : redact(wayOut.replace(ANY_SUDO, () => sudo));
      report.step(step.name, { result, detail: redact(detail), wayOut: remedy });
    }
  }
  report.end();
  return 0;
}

type Writable = { write(text: string): unknown };
/** A finding whose texts may be shown. */
type Redacted = Finding & { readonly wayOut: string | null };

/** For people: a line for each step as soon as it is known. On a terminal a long one is wrapped; a remedy isn't, so that it can be copied. */
class TextReport {
  readonly #out: Writable;
  /** Cells of a line of detail. */
  readonly #room: number;
  #failed = 0;
  #lastWayOut: string | null = null;

  constructor(out: Writable, { isTTY, columns = 80 }: TerminalFacts) {
    this.#out = out;
    this.#room = isTTY ? Math.max(LEAST_ROOM, columns - MARGIN.length) : Number.POSITIVE_INFINITY;
  }

  part(title: string): void {
    this.#out.write(`${title}\n`);
  }

  step(name: string, { result, detail, wayOut }: Redacted): void {
    if (result === 'no') this.#failed++;
    this.#out.write(
      `  ${result.padEnd(RESULT_CELLS)} ${name.padEnd(NAME_CELLS)} ${wrapWords(detail, this.#room).join(`\n${MARGIN}`)}\n`,
    );
    // the same remedy for several steps in a row is written once
    if (wayOut !== null && wayOut !== this.#lastWayOut) this.#out.write(`${MARGIN}${wayOut}\n`);
    if (result !== 'ok') this.#lastWayOut = wayOut ?? this.#lastWayOut;
  }

  end(): void {
    const verb = this.#failed === 1 ? 'does' : 'do';
    this.#out.write(`\n${this.#failed === 0 ? 'all steps work' : `${counted(this.#failed, 'step')} ${verb} not work`}\n`);
  }
}

/** For programs: one object. */
class JsonReport {
  readonly #out: Writable;
  readonly #version: string;
  readonly #steps: object[] = [];
  #part = '';
  #failed = 0;

  constructor(out: Writable, version: string) {
    this.#out = out;
    this.#version = version;
  }

  part(title: string): void {
    this.#part = title;
  }

  step(name: string, { result, detail, wayOut }: Redacted): void {
    if (result === 'no') this.#failed++;
    this.#steps.push({ part: this.#part, step: name, result, detail, remedy: wayOut });
  }

  end(): void {
    const report = { type: 'doctor', schema: 1, version: this.#version, failed: this.#failed, steps: this.#steps };
    this.#out.write(`${JSON.stringify(report)}\n`);
  }
}

function configuration(around: Surroundings): Finding {
  const { file, warnings } = findConfig(around.env['NETMON_CONFIG'] ?? null, around);
  return ok([file === null ? 'none: the defaults apply' : file.path, ...warnings].join('; '));
}

/** The configuration of a run without flags. */
async function configOf(around: Surroundings) {
  const [{ parseCommandLine }, { loadConfig }] = await Promise.all([import('../command-line.ts'), import('../config/config.ts')]);
  return loadConfig(parseCommandLine([]), around);
}

/** The policy of a run without flags. */
async function policy(around: Surroundings): Promise<Finding> {
  const { readPolicy } = await import('../config/policy-file.ts');
  const path = (await configOf(around)).settings.policy.value;
  if (path === null) return ok('none');
  const { apps, strict } = readPolicy(path, around).policy;
  const entries = [...apps.values()].reduce((sum, { allow }) => sum + allow.length, 0);
  return ok(`${path}: ${counted(apps.size, 'app')}, ${counted(entries, 'entry', 'entries')}${strict ? ', strict' : ''}`);
}

/** Packets that a run without flags keeps. */
async function packets(around: Surroundings): Promise<Finding> {
  const [{ parseCommandLine }, { resolveOptions }, { formatDuration, KEEP }] = await Promise.all([
    import('../command-line.ts'),
    import('../resolve.ts'),
    import('../config/value-types.ts'),
  ]);
  const { keep, whole, onAlert } = resolveOptions(parseCommandLine([]), await configOf(around)).packets;
  if (keep === null) return ok('none: --keep-packets 60s keeps the last minute, for P to write');
  const parts = [
    `${KEEP.write(keep)}, in ${Math.round(keep.bytes / 2 ** 20)} MiB of memory at most`,
    whole ? 'whole' : 'bulk data cut to its headers',
  ];
  if (onAlert !== null) parts.push(`those behind alerts for ${formatDuration(onAlert.maxAgeMs)} in ${onAlert.folder}`);
  return ok(parts.join(', '));
}

/** The user's rules, and those that history doesn't help. */
async function rules(around: Surroundings): Promise<Finding> {
  const known = (await configOf(around)).rules.map(({ value }) => value);
  if (known.length === 0) return ok('none');
  const { unrecordedFields } = await import('../../watch/rules.ts');
  const fromStart = known.flatMap((rule) => {
    const lacking = unrecordedFields(rule).map((field) => (field === 'text' ? 'what a bare word searches' : field));
    return lacking.length === 0
      ? []
      : [`${rule.name} counts from the start of each run, because history lacks ${lacking.join(' and ')}`];
  });
  return ok([counted(known.length, 'rule'), ...fromStart].join('; '));
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
  return {
    version: version(),
    commit: commit(),
    clock: systemClock,
    drivers: DRIVER_TABLE,
    env: process.env,
    terminal: { isTTY: isTTY === true, columns, rows },
    identity: { host: hostname(), user: process.env['SUDO_USER'] ?? userName(), home: homedir() },
    sudo: permissionHint({ ...thisInvocation(), platform, euid: euid() }),
    history: null,
    messenger: undefined,
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
