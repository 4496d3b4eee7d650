// Command line and configuration to the options of a run. Refuses flags that contradict each other; whether interfaces exist and filters compile is
// found out by those who use them.

import { isHost } from '../attach/ssh.ts';
import type { NotifyOptions, WebhookFormat } from '../model/delivery.ts';
import { NetmonError } from '../model/errors.ts';
import { type ExportPlan, HTTP_ENGINES, type PushPlan } from '../model/export.ts';
import {
  type AttachOptions,
  AVERAGES,
  type BudgetPlan,
  type CommandOptions,
  type HistoryOptions,
  type Options,
  type PacketOptions,
  type PrivilegeOptions,
  type ReceiptOptions,
  type SessionOptions,
  type WatchOptions,
  type WriteOptions,
} from '../model/options.ts';
import { RECEIPT_FORMATS, type ReceiptFormat } from '../model/receipt.ts';
import { quoted } from '../net/quote.ts';
import { absolutePath } from '../system/files.ts';
import type { CommandLine } from './command-line.ts';
import type { Config, Sourced } from './config/config.ts';
import { ALERT_SETTINGS } from './config/settings.ts';
import { hostText, typedHost } from './typed-host.ts';

/** Interval of a run without a screen, unless one is set. */
const HEADLESS_MS = 5000;
/** How long `why` measures, unless told: long enough to load a page twice. */
const WHY_MS = 10_000;

/** Interval of a run for a command: questions of DNS are taken by it. */
const COMMAND_MS = 1000;

/** Flags that mean nothing in a replay, with what to do instead. Settings from the file or from variables are ignored there. */
const LIVE_ONLY = {
  interface: 'leave one of them out; to choose within a file: --filter iface:NAME',
  bpf: 'use --filter, or cut the file first: tcpdump -r FILE -w OUT EXPR',
  driver: 'leave one of them out: a file needs no driver',
  snap: 'leave one of them out: a file has what was captured',
  'reverse-dns': 'leave one of them out: the addresses in a recording may belong to others by now',
} as const;

/**
 * The options of a run.
 *
 * @throws NetmonError `usage`
 */
export function resolveOptions(line: CommandLine, config: Config): Options {
  const read = line.text('read');
  if (read === '') throw usage('--read needs a file', 'type: netmon-tui --read FILE, or - for standard input');
  const isReplay = read !== null;
  if (isReplay) refuseLive(line);
  const once = line.has('once');
  const json = line.has('json');
  const headless = line.command === 'record';
  const why = line.command === 'why' ? hostText(typedHost(line.operand ?? '', 'why')) : null;
  const isCommand = line.command === 'run';
  const isStream = line.command === 'stream';
  const durationMs = line.value('duration');
  const samples = line.value('samples');
  const write = writeOptions(line, isReplay, json || once);
  if (headless && write === null && line.text('filter') !== null)
    throw usage('--filter goes only with --write here', 'leave it out: history has everything, and is filtered when it is read');
  if (durationMs !== null && !json && !once && !headless && write === null && why === null && line.text('session') === null)
    throw usage('--duration does not go with the screen', 'add --json or --once');
  if (samples !== null && once) throw usage('--samples does not go with --once', 'leave one of them out: --once is one sample');
  if (samples !== null && !json) throw usage('--samples does not go with the screen', 'add --json');
  const dns = line.has('dns');
  if (dns && !json) throw usage('--dns goes only with --json', 'add --json; the screen shows questions in view 9');
  if (line.has('lineage') && !json)
    throw usage('--lineage goes only with --json', 'add --json; the screen shows it in details, and by B');
  if (dns && once) throw usage('--dns does not go with --once', 'leave --once out: questions come before the end of the run');
  if (durationMs !== null && isReplay && once)
    throw usage(
      '--duration does not go with --read and --once',
      'leave --duration out: --once reads the whole file; for its beginning: --json',
    );
  const { settings } = config;
  return {
    interfaces: isReplay ? [] : settings.interface.value,
    read,
    speed: why === null ? speed(line, isReplay, once || write?.isAlone === true) : 0,
    filter: why !== null || isCommand || isStream || (headless && write === null) ? null : settings.filter.value,
    bpf: isReplay ? null : settings.bpf.value,
    intervalMs: isCommand
      ? COMMAND_MS
      : headless && settings.interval.origin === 'default'
        ? HEADLESS_MS
        : settings.interval.value,
    headless,
    why,
    stream: isStream,
    json,
    once,
    durationMs: why === null || isReplay ? durationMs : (durationMs ?? WHY_MS),
    dns,
    lineage: line.has('lineage'),
    samples,
    driver: settings.driver.value,
    names: settings.names.value,
    reverseDns: !isReplay && settings['reverse-dns'].value,
    theme: settings.theme.value,
    units: settings.units.value,
    average: AVERAGES.find((seconds) => `${seconds}s` === settings.average.value) ?? null,
    lite: settings.lite.value,
    ascii: settings.ascii.value,
    color: settings.color.value,
    mouse: settings.mouse.value,
    categories: valuesOf(config.categories),
    place: { country: settings['place.country'].value, asn: settings['place.asn'].value, home: config.home },
    history: why === null && !isCommand ? history(line, config, isReplay) : null,
    screen: { savedState: config.screenState, owner: config.owner },
    budget: isReplay ? null : budget(config),
    notify: resolveNotify(config, isReplay || isCommand || isStream, headless),
    exports: isReplay || isCommand || isStream || why !== null ? null : resolveExports(config, process.env),
    reduced: reduced(line, isReplay),
    privileges: privileges(line),
    keys: valuesOf(config.keys),
    exitCode: line.has('exit-code'),
    policy: null, // read once the options are known
    log:
      settings.log.value === null ? null : { path: settings.log.value, level: settings['log-level'].value, owner: config.owner },
    packets: why === null ? packets(config, isReplay, write) : { whole: false, keep: null, onAlert: null, write: null },
    watch: why === null && !isCommand ? watch(line, config, isReplay, once) : null,
    command: isCommand ? command(line) : null,
    session: session(line, isReplay, once),
    attach: line.command === 'attach' ? attach(line, config) : null,
  };
}

/** Machines that one terminal can show. */
const MOST_MACHINES = 64;

/** The machines to show: hosts, and names of groups. */
function attach(line: CommandLine, { groups }: Config): AttachOptions {
  const { operand, words } = line;
  const [install, uninstall] = [line.text('install'), line.text('uninstall')];
  if (install !== null && uninstall !== null) throw usage('--install does not go with --uninstall', 'leave one of them out');
  const served = install ?? uninstall;
  const task = install !== null ? 'install' : uninstall !== null ? 'uninstall' : 'show';
  if (task === 'show' && line.has('yes')) throw usage('--yes goes only with --install and --uninstall', 'leave it out');
  const named = [served, operand, ...words].filter((name) => name !== null);
  const machines = [...new Set(named.flatMap((name) => groups.get(name)?.value ?? [name]))];
  const bad = machines.find((name) => !isHost(name));
  if (bad !== undefined) throw usage(`${quoted(bad)} is not a host`, 'type for example: netmon-tui attach ann@mac1 db3');
  if (machines.length > MOST_MACHINES)
    throw usage(`${machines.length} machines are more than a terminal can show`, `name at most ${MOST_MACHINES}`);
  return { machines, ssh: 'ssh', task, yes: line.has('yes') };
}

/** The command to run. */
function command(line: CommandLine): CommandOptions {
  const words = line.words;
  if (words.length === 0 || words[0] === '') throw usage('run needs a command', 'type: netmon-tui run -- npm ci');
  const update = line.text('update');
  if (update === '') throw usage('--update needs a file', 'type for example: --update ci.toml');
  return { words, ...receiptOf(line), update: update === null ? null : { path: absolutePath(update), known: null } };
}

/** What becomes of a receipt. */
function receiptOf(line: CommandLine): ReceiptOptions {
  const receipt = line.text('receipt');
  if (receipt === '') throw usage('--receipt needs a file', 'type for example: --receipt receipt.json');
  const force = line.has('force');
  if (force && receipt === null && line.text('write') === null)
    throw usage('--force goes only with --receipt', 'type: --receipt FILE --force');
  const asked = line.value('format') ?? formatBy(receipt ?? '');
  const format = RECEIPT_FORMATS.find((name) => name === asked);
  if (format === undefined)
    throw usage(`--format ${asked} does not go with a receipt`, `type one of ${RECEIPT_FORMATS.join(', ')}`);
  return { receipt, format, force };
}

/** The session to follow; null for none. */
function session(line: CommandLine, isReplay: boolean, once: boolean): SessionOptions | null {
  if (line.command !== 'watch') return null;
  const pid = line.value('session');
  if (pid === null) {
    for (const flag of ['receipt', 'format'])
      if (line.text(flag) !== null)
        throw usage(`--${flag} goes only with --session, or with run`, `type: netmon-tui --session PID --receipt FILE`);
    return null;
  }
  if (isReplay) throw usage('--session does not go with --read', 'leave one of them out: what a file has is over');
  if (once) throw usage('--session does not go with --once', 'leave --once out: it is followed to its end');
  return { pid, ...receiptOf(line) };
}

function formatBy(path: string): ReceiptFormat {
  if (/\.json$/i.test(path)) return 'json';
  if (/\.md$/i.test(path)) return 'markdown';
  return /\.sarif$/i.test(path) ? 'sarif' : 'text';
}

/** A replay is watched only if it is asked for, because the JSON of a file has always been the same. One sample has nothing to be compared with. */
function watch(line: CommandLine, { settings, rules }: Config, isReplay: boolean, once: boolean): WatchOptions | null {
  const judges = line.text('policy') !== null;
  if (judges && line.has('no-alerts')) throw usage('--no-alerts does not go with --policy', 'leave one of them out');
  const isAsked = line.has('alerts') || judges;
  if (!isAsked && (isReplay || once || !settings['alerts.enabled'].value)) {
    if (line.has('exit-code') && line.command !== 'alerts')
      throw usage('--exit-code without alerts tells nothing', 'add --alerts, or --policy FILE');
    return null;
  }
  const kinds = ALERT_SETTINGS.flatMap(({ kind, name }) => {
    const { value } = settings[name];
    return value === null ? [] : [[kind, value] as const];
  });
  return {
    learnMs: settings['alerts.learn'].value,
    uploadFloor: settings['alerts.upload-floor'].value,
    kinds: Object.fromEntries(kinds),
    rules: rules.map(({ value }) => value),
  };
}

/** What becomes of packets. A replay freezes nothing by itself: its packets are in a file already. */
function packets({ settings, dataFolder }: Config, isReplay: boolean, write: WriteOptions | null): PacketOptions {
  const keep = settings['packets.keep'].value;
  const folder = settings['packets.folder'].value ?? (dataFolder === null ? null : `${dataFolder}/packets`);
  const freezes = keep !== null && !isReplay && settings['packets.on-alert'].value && folder !== null;
  const [maxBytes, maxAgeMs] = [settings['packets.folder-size'].value, settings['packets.folder-age'].value];
  return {
    whole: !isReplay && settings['packets.snap'].value === 'full',
    keep,
    write,
    onAlert: freezes ? { folder, maxBytes, maxAgeMs } : null,
  };
}

/** @param shows something else goes to standard output */
function writeOptions(line: CommandLine, isReplay: boolean, shows: boolean): WriteOptions | null {
  const path = line.text('write');
  const [rotate, most, force] = [line.value('rotate'), line.value('keep'), line.has('force')];
  const example = `type: netmon-tui ${line.command === 'record' ? 'record ' : ''}--write trace.pcapng`;
  if (path === null) {
    const given =
      rotate !== null
        ? 'rotate'
        : most !== null
          ? 'keep'
          : force && line.command === 'watch' && line.text('session') === null
            ? 'force'
            : null;
    if (given === null) return null;
    throw usage(`--${given} goes only with --write`, `${example} --${given}${given === 'force' ? '' : ` ${line.text(given)}`}`);
  }
  if (path === '') throw usage('--write needs a file', `${example}, or - for standard output`);
  if (line.value('install') !== null)
    throw usage('--write does not go with --install', 'leave it out: the service may write in no folder but that of the history');
  if (line.has('reduced')) throw usage('--write does not go with --reduced', 'leave one of them out: --reduced captures nothing');
  if (most !== null && rotate === null) throw usage('--keep goes only with --rotate', `${example} --rotate 100MB --keep ${most}`);
  if (path === '-') {
    if (shows)
      throw usage('--write - and --json or --once both write to standard output', 'write to a file, or leave the other out');
    if (rotate !== null) throw usage('--rotate does not go with --write -', 'standard output is one file: name another');
  }
  if (path !== '-' && path === line.text('read'))
    throw usage('--write would write over what --read reads', 'name another file after --write');
  const isConverting = isReplay && line.value('speed') === null;
  const isAlone = !shows && (path === '-' || isConverting || line.value('duration') !== null);
  return { path, force, rotate, most, isAlone };
}

function refuseLive(line: CommandLine): void {
  for (const [flag, hint] of Object.entries(LIVE_ONLY))
    if (line.has(flag) || line.text(flag) !== null) throw usage(`--${flag} does not go with --read`, hint);
}

/** `--once` reads the whole file as fast as possible. */
function speed(line: CommandLine, isReplay: boolean, once: boolean): number {
  const times = line.value('speed');
  if (times === null) return isReplay && once ? 0 : 1;
  if (!isReplay) throw usage('--speed goes only with --read', 'type: netmon-tui --read FILE --speed 10');
  if (once && times !== 0)
    throw usage('--speed does not go with --once', 'leave --speed out: --once reads a file as fast as possible');
  return times;
}

/**
 * History of a run, or of a command that reads it; null if there is none.
 *
 * A replay records only into a file that was named: its packets belong to another time, and perhaps to another machine.
 */
function history(line: CommandLine, { settings, historyDefault, owner }: Config, isReplay: boolean): HistoryOptions | null {
  const named = line.text('history');
  if (isReplay && named === null) return null;
  if (isReplay && named === '')
    throw usage('--history with --read needs a file of its own', 'type: netmon-tui --read FILE --history=PATH');
  const path = settings['history.path'].value ?? historyDefault;
  const isRecorder = line.command === 'record';
  // what runs beside the machine's own recorder only reads
  const record = isRecorder || (settings['history.enabled'].value && line.command !== 'stream');
  if (path !== null) return { path, record, maxBytes: settings['history.size'].value, owner };
  if (!record) return null;
  throw usage(
    'no home folder is known, so there is nowhere to keep history',
    `say where: netmon-tui ${isRecorder ? 'record ' : ''}--history=PATH`,
  );
}

/** null if no budget is set. */
function budget({ settings }: Config): BudgetPlan | null {
  const { value: amount } = settings['budget.amount'];
  if (amount === null) return null;
  return {
    bytes: amount.bytes,
    day: settings['budget.day'].value,
    interface: settings['budget.interface'].value,
    units: amount.isBinary ? 'bytes' : 'bytes-decimal',
  };
}

/** How alerts are told. A replay is of another time, and disturbs nobody. @throws NetmonError `usage` for a file that others could have written */
export function resolveNotify(
  { settings, path, risk, stateFolder }: Config,
  isReplay: boolean,
  headless: boolean,
): NotifyOptions {
  const [command, url] = [settings['notify.command'].value, settings['notify.webhook'].value];
  if (risk !== null && (command.length > 0 || url !== null))
    throw usage(
      `the configuration file ${quoted(path)} ${risk}, so the command and the webhook in it are refused`,
      'copy it to a file of your own that only you can write',
    );
  const desktop = settings['notify.desktop'].value;
  const syslog = settings['notify.syslog'].value && headless;
  const isUsed = !isReplay && (command.length > 0 || url !== null || desktop || syslog);
  const token = settings['notify.webhook-token'].value;
  const ca = settings['notify.webhook-ca'].value;
  const pacing = { quiet: settings['notify.quiet'].value, ...settings['notify.rate'].value };
  return {
    terminal: isReplay ? 'off' : settings['notify.terminal'].value,
    pacing,
    plan: isUsed
      ? {
          desktop,
          command,
          webhook: url === null ? null : { url, format: settings['notify.webhook-format'].value ?? formatOf(url), token, ca },
          syslog,
          folder: stateFolder,
          ...pacing,
        }
      : null,
  };
}

/** Where records go besides this machine; null for nowhere. @param env has secrets that aren't in files @throws NetmonError `usage` */
export function resolveExports(
  { settings, path, risk, stateFolder }: Config,
  env: Readonly<Record<string, string | undefined>>,
): ExportPlan | null {
  const prometheus = settings['export.prometheus.listen'].value;
  const push = HTTP_ENGINES.flatMap((engine): PushPlan[] => {
    const [url, user] = [settings[`export.${engine}.url`].value, settings[`export.${engine}.user`].value];
    const [secretFile, ca] = [settings[`export.${engine}.secret-file`].value, settings[`export.${engine}.ca`].value];
    if (url !== null) {
      const { username, password } = new URL(url);
      if (username !== '' || password !== '')
        throw usage(`export.${engine}.url holds a password`, 'write user = "..." and secret-file = "..." instead');
      return [{ engine, url, user, secretFile, secret: env[secretVariable(engine)] || null, ca }];
    }
    if (user !== null || secretFile !== null || ca !== null)
      throw usage(`[export.${engine}] has no address to send to`, 'add for example: url = "https://collector.example"');
    return [];
  });
  const to = settings['export.ipfix.to'].value;
  if (to !== null) push.push({ engine: 'ipfix', url: to, user: null, secretFile: null, secret: null, ca: null });
  if (prometheus === null && push.length === 0) return null;
  if (risk !== null)
    throw usage(
      `the configuration file ${quoted(path)} ${risk}, so the exports in it are refused`,
      'copy it to a file of your own that only you can write',
    );
  const hash = settings['export.hash'].value;
  const fields = settings['export.fields'].value.filter((field) => !hash.includes(field));
  return { push, prometheus, fields, hash, folder: stateFolder };
}

/** Variable with the secret of an engine. */
export function secretVariable(engine: string): string {
  return `NETMON_${engine.toUpperCase()}_SECRET`;
}

/** What the receivers that everybody knows take. */
function formatOf(url: string): WebhookFormat {
  const { hostname, pathname } = new URL(url);
  if (hostname === 'hooks.slack.com') return 'slack';
  if (/^(?:\w+\.)?discord(?:app)?\.com$/.test(hostname) && pathname.startsWith('/api/')) return 'discord';
  return hostname === 'ntfy.sh' ? 'ntfy' : 'json';
}

function reduced(line: CommandLine, isReplay: boolean): boolean {
  if (!line.has('reduced')) return false;
  if (isReplay) throw usage('--reduced does not go with --read', 'leave one of them out: a file needs no permission');
  return true;
}

function privileges(line: CommandLine): PrivilegeOptions {
  const user = line.value('user');
  const [dropAll, stayRoot, sandbox] = [line.has('drop-all'), line.has('stay-root'), line.has('sandbox')];
  if (stayRoot && (dropAll || user !== null))
    throw usage(`--stay-root does not go with --${dropAll ? 'drop-all' : 'user'}`, 'leave one of them out');
  const other = stayRoot ? 'stay-root' : 'reduced';
  if (sandbox && line.has(other)) throw usage(`--sandbox does not go with --${other}`, 'leave one of them out');
  return { user, dropAll, stayRoot, sandbox };
}

function valuesOf(table: ReadonlyMap<string, Sourced<readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries([...table].map(([key, { value }]) => [key, value]));
}

function usage(message: string, hint: string): NetmonError {
  return new NetmonError('usage', message, hint);
}
