// From arguments to a command or a run, and to an exit status. The only top-level catch and the only process.exit are here. Each answer loads
// only what it needs.

import { closeSync, readFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import type { CommandLine } from './cli/command-line.ts';
import type { Shell } from './cli/commands.ts';
import type { Config } from './cli/config/config.ts';
import type { Surroundings } from './cli/config/surroundings.ts';
import { type ErrorReport, reportError } from './cli/print-error.ts';
import { EXIT_STATUS, NetmonError } from './model/errors.ts';
import type { AttachOptions, LogOptions, Options } from './model/options.ts';
import type { TextStyle } from './output/text-table.ts';
import { hardenStart, holdsRights, refuseDebugger, setCapabilitiesAside } from './privilege/harden.ts';
import { thisInvocation } from './privilege/sudo-command.ts';
import { version } from './system/build.ts';
import { absolutePath, systemFiles } from './system/files.ts';
import type { Log } from './system/log.ts';
import { keepHeapSmall } from './system/thread.ts';

const words = process.argv.slice(2);
/** Commands that capture. */
const LIVE: ReadonlySet<CommandLine['command']> = new Set(['watch', 'run', 'record', 'doctor', 'why', 'stream']);
/** Commands that are a run. */
const STARTS: ReadonlySet<CommandLine['command']> = new Set(['watch', 'run', 'why', 'stream']);
/** Status after SIGHUP. */
const HUNG_UP = 128 + constants.signals.SIGHUP;
/** The log is null until it is open, and if nobody asked for one. */
const known: { log: Log | null } = { log: null };

/** Runs what the words ask for. @returns the exit status */
async function main(): Promise<number> {
  const { parseCommandLine } = await import('./cli/command-line.ts');
  const line = parseCommandLine(words);
  if (line.has('help')) return print((await import('./cli/help.ts')).helpText(line.command));
  if (line.has('version')) return printVersion();
  if (line.command === 'interfaces') return interfaces(line);
  if (line.command === 'listeners') return listeners(line);
  if (line.command === 'schema') return print((await import('./export/clickhouse.ts')).CLICKHOUSE_SCHEMA);
  if (line.command === 'completions') return print((await import('./cli/completions.ts')).completions(line.operand as Shell));

  const hadRights = holdsRights();
  // files that are named are opened with the user's own rights
  const isLive = LIVE.has(line.command) && line.text('read') === null;
  const useCapabilities = await setCapabilitiesAside(!isLive);
  const { loadConfig } = await import('./cli/config/config.ts');
  const euid = process.geteuid?.() ?? -1;
  const surroundings = { platform: process.platform, env: process.env, euid, passwd, files: systemFiles };
  // the doctor is for broken machines: it examines the configuration file itself, and works without it
  const config = await loadConfig(line, surroundings, line.command !== 'doctor');
  for (const warning of config.warnings) process.stderr.write(`netmon-tui: ${warning}\n`);
  if (line.has('print-config')) return print((await import('./cli/config/print-config.ts')).configText(config, version()));
  await refuseDebugger(hadRights);
  const { resolveOptions } = await import('./cli/resolve.ts');
  const options = await withPolicy(line, config, await withLists(resolveOptions(line, config), surroundings), surroundings);
  if (options.log !== null) known.log = await openLog(options.log, line);
  if (line.command === 'explain') return explain(line, options);
  if (line.command === 'doctor') {
    useCapabilities(['dac_read_search']); // it reads files to the end
    return diagnose(line, options, surroundings);
  }
  if (options.attach !== null) return attach(options, options.attach);
  const start = async () => {
    useCapabilities([]);
    const [{ run }, { Rights }] = await Promise.all([import('./app/run.ts'), import('./privilege/rights.ts')]);
    return run(options, { rightsOf: (...asked) => Rights.of(...asked), log: known.log });
  };
  if (STARTS.has(line.command)) return start();
  return (await import('./cli/history/commands.ts')).historyCommands(line, options, version, start);
}

async function printVersion(): Promise<number> {
  const { versionFacts, versionText } = await import('./cli/version.ts');
  return print(versionText(await versionFacts(process.platform)));
}

/** Reads the domain lists that the categories name; most name none. */
async function withLists(options: Options, surroundings: Surroundings): Promise<Options> {
  if (!Object.values(options.categories).some((entries) => entries.some((entry) => entry.startsWith('file:')))) return options;
  const { readLists } = await import('./cli/config/category-lists.ts');
  const { categories, warnings } = readLists(options.categories, surroundings);
  for (const warning of warnings) process.stderr.write(`netmon-tui: ${warning}\n`);
  return { ...options, categories };
}

/** Reads the policy that is named; most runs have none. */
async function withPolicy(line: CommandLine, config: Config, options: Options, surroundings: Surroundings): Promise<Options> {
  const typed = line.operand === 'check' ? line.file : line.command === 'run' ? line.text('policy') : null;
  const path = typed !== null ? absolutePath(typed) : options.watch === null ? null : config.settings.policy.value;
  const { command } = options;
  const update = command?.update ?? null;
  if (path === null && update === null) return options;
  const { readPolicy } = await import('./cli/config/policy-file.ts');
  const policy = path === null ? null : readPolicy(path, surroundings);
  if (command === null || update === null || surroundings.files.read(update.path, true).kind === 'missing')
    return { ...options, policy };
  return { ...options, policy, command: { ...command, update: { ...update, known: readPolicy(update.path, surroundings) } } };
}

async function openLog(options: LogOptions, { command }: CommandLine): Promise<Log> {
  const [{ LogFile }, { systemClock }] = await Promise.all([import('./system/log.ts'), import('./system/clock.ts')]);
  const file = LogFile.open(options, systemClock);
  const { platform, arch, versions, pid } = process;
  file.write('info', `netmon-tui ${version()} ${command}, pid ${pid}, Node ${versions.node} on ${platform} ${arch}`);
  return file;
}

async function explain(line: CommandLine, options: Options): Promise<number> {
  const { explainHost, explainJson, explainText } = await import('./cli/explain.ts');
  const explained = explainHost(line.operand ?? '', line.text('app'), options);
  return print(line.has('json') ? explainJson(explained) : explainText(explained));
}

/** Other machines are shown as the user: ssh is the user's own. */
async function attach(options: Options, asked: AttachOptions): Promise<number> {
  if (process.geteuid?.() === 0 && process.env['SUDO_UID'] !== undefined)
    throw new NetmonError('usage', 'attach needs no root here, and root has other keys', 'type it without sudo');
  if (asked.task === 'show') return (await import('./app/attached-run.ts')).runAttached(options, asked);
  const [{ installAt, ownPlatforms, sshRunner, uninstallAt }, { askOnTerminal }] = await Promise.all([
    import('./cli/attach-install.ts'),
    import('./cli/history/prune.ts'),
  ]);
  const { machines, ssh, yes } = asked;
  const isAskable = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const say = (text: string) => process.stderr.write(`${text}\n`);
  const io = { run: sshRunner(ssh), ask: isAskable ? askOnTerminal : null, say, version: version(), platforms: ownPlatforms() };
  return asked.task === 'install' ? installAt(machines, yes, io) : uninstallAt(machines, yes, io);
}

async function diagnose(line: CommandLine, options: Options, surroundings: Surroundings): Promise<number> {
  const { systemEdges } = await import('./system/programs.ts');
  const { doctor } = await import('./cli/doctor/doctor.ts');
  const asked = {
    ...options,
    config: line.text('config'),
    notify: await notifyOf(line, surroundings),
    deliver: line.has('deliver'),
  };
  const status = await doctor(asked, systemEdges(), process.stdout);
  await print(''); // waits for a slow reader
  return status;
}

/** What the configuration says about alerts; null if it can't be read, which the doctor says elsewhere. */
async function notifyOf(line: CommandLine, surroundings: Surroundings): Promise<Options['notify'] | null> {
  const [{ loadConfig }, { resolveNotify }] = await Promise.all([import('./cli/config/config.ts'), import('./cli/resolve.ts')]);
  try {
    return resolveNotify(await loadConfig(line, surroundings), false, true);
  } catch (thrown) {
    if (thrown instanceof NetmonError) return null;
    throw thrown;
  }
}

async function interfaces(line: CommandLine): Promise<number> {
  const { systemEdges } = await import('./system/programs.ts');
  const { listDevices } = await import('./capture/devices/devices.ts');
  const devices = await listDevices(systemEdges());
  const { interfacesJson, interfacesText } = await import('./cli/interfaces.ts');
  return print(line.has('json') ? interfacesJson(devices) : interfacesText(devices, await listStyle(line)));
}

async function listeners(line: CommandLine): Promise<number> {
  await setCapabilitiesAside(true); // whoever asks sees what they may see themselves
  const { systemEdges } = await import('./system/programs.ts');
  const { listenersCommand } = await import('./cli/listeners.ts');
  return print(await listenersCommand(systemEdges(), line.has('json') ? null : await listStyle(line)));
}

/** How a list is drawn by commands that read no configuration. */
async function listStyle(line: CommandLine): Promise<TextStyle> {
  const { speaksUtf8 } = await import('./tui/terminal.ts');
  const { NO_COLOR, TERM } = process.env;
  return {
    columns: process.stdout.columns,
    ascii: line.has('ascii') || (!line.has('no-ascii') && !speaksUtf8(process.env)),
    color: process.stdout.isTTY === true && !line.has('no-color') && !NO_COLOR && TERM !== 'dumb',
  };
}

/** Writes to standard output. A reader that went away is a normal end. */
function print(text: string): Promise<number> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error: NodeJS.ErrnoException | null | undefined) => {
      if (!error || error.code === 'EPIPE') resolve(0);
      else
        reject(
          new NetmonError('internal', `standard output can't be written: ${error.code}`, 'make room, or write elsewhere', error),
        );
    });
  });
}

function passwd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return ''; // a machine without one has its users elsewhere
  }
}

function report(thrown: unknown): ErrorReport {
  return reportError(thrown, thisInvocation(), known.log);
}

/** Ends the process. The text is written last, when the screen and everything else is gone. */
function leave(status: number, text: string): never {
  process.on('exit', () => {
    try {
      writeSync(2, text);
    } catch {
      // standard error is gone or full: the status has to do
    }
  });
  process.exit(status);
}

// Node restores the terminal's modes when it ends, and aborts if the terminal is gone (src/node.cc, ResetStdio); closed descriptors it leaves
// alone. The screen has restored them by then, if there still was a terminal.
process.on('exit', (status) => {
  if (status !== HUNG_UP) return;
  for (const descriptor of [0, 1, 2]) {
    try {
      closeSync(descriptor);
    } catch {
      // closed already
    }
  }
});
hardenStart();
keepHeapSmall();
process.on('uncaughtException', (thrown) => {
  // a run listens, too, and first writes history and gives the terminal back
  if (process.listenerCount('uncaughtException') === 1) leave(EXIT_STATUS.internal, report(thrown).text);
});
// without a listener a closed pipe would be an exception; each writer checks its own writes
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

main().then(
  (status) => {
    known.log?.write('info', `exit status ${status}`);
    process.exit(status);
  },
  (thrown) => {
    const { status, text } = report(thrown);
    leave(status, text);
  },
);
