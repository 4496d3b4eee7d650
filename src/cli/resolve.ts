// Command line and configuration -> Options. Refuses what contradicts itself; what only a machine can tell (names of interfaces,
// filters that compile) is not asked here.

import { NetmonError } from '../model/errors.ts';
import type { Options, PrivilegeOptions } from '../model/options.ts';
import { quoted } from '../net/quote.ts';
import type { CommandLine } from './command-line.ts';
import { budgetPlan } from './config/budget-settings.ts';
import type { Config } from './config/config.ts';
import { historyOptions } from './config/history-settings.ts';
import { parseDuration } from './config/settings.ts';
import type { Sourced } from './config/values.ts';

const LONGEST_RUN_MS = 366 * 86_400_000;
const MOST_SAMPLES = 1_000_000_000;
const FASTEST = 1_000_000;
/** How often a run without a screen looks whether all is well, where nobody said otherwise. */
const HEADLESS_MS = 5000;

/** Live capture has no meaning in a replay: these flags beside `--read` are a mistake. In a file or a variable they just wait. */
const LIVE_ONLY = ['interface', 'bpf', 'driver', 'reverse-dns'] as const;

/**
 * The options of a run.
 *
 * @throws NetmonError `usage`
 */
export function resolveOptions(line: CommandLine, config: Config): Options {
  const read = line.text('read');
  if (read === '') throw usage('--read needs a file', 'type: netmon-tui --read FILE, or - for standard input');
  const isReplay = read !== null;
  for (const flag of LIVE_ONLY)
    if (isReplay && (flag === 'reverse-dns' ? line.has(flag) : line.text(flag) !== null))
      throw usage(`--${flag} does not go with --read`, hintFor(flag));
  const once = line.has('once');
  const json = line.has('json');
  const headless = line.command === 'record';
  const durationMs = duration(line);
  const samples = count(line);
  if (durationMs !== null && !json && !once && !headless)
    throw usage('--duration does not go with the screen', 'add --json or --once');
  if (samples !== null && once) throw usage('--samples does not go with --once', 'leave one of them out: --once is one sample');
  if (samples !== null && !json) throw usage('--samples does not go with the screen', 'add --json');
  if (durationMs !== null && isReplay && once)
    throw usage(
      '--duration does not go with --read and --once',
      'leave --duration out: --once reads the whole file; for its beginning: --json',
    );
  const { settings } = config;
  return {
    interfaces: isReplay ? [] : settings.interface.value,
    read,
    speed: speed(line, isReplay, once),
    filter: settings.filter.value,
    bpf: isReplay ? null : settings.bpf.value,
    intervalMs: headless && settings.interval.origin === 'default' ? HEADLESS_MS : settings.interval.value,
    headless,
    json,
    once,
    durationMs,
    samples,
    driver: settings.driver.value,
    names: settings.names.value,
    reverseDns: !isReplay && settings['reverse-dns'].value,
    theme: settings.theme.value,
    units: settings.units.value,
    ascii: settings.ascii.value,
    color: settings.color.value,
    mouse: settings.mouse.value,
    categories: values(config.categories),
    place: { country: config.placeCountry.value, asn: config.placeAsn.value, home: config.home },
    history: historyOptions(line, config, isReplay),
    screen: { memory: config.screenMemory, owner: config.historyOwner },
    budget: isReplay ? null : budgetPlan(config),
    reduced: reduced(line, isReplay),
    privileges: privileges(line),
    keys: values(config.keys),
  };
}

function duration(line: CommandLine): number | null {
  const text = line.text('duration');
  if (text === null) return null;
  const ms = parseDuration(text);
  if (ms !== null && ms >= 100 && ms <= LONGEST_RUN_MS) return ms;
  throw usage(`--duration ${quoted(text)} is not a duration from 100ms to 366d`, 'type for example: --duration 10s');
}

function count(line: CommandLine): number | null {
  const text = line.text('samples');
  if (text === null) return null;
  const samples = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (samples >= 1 && samples <= MOST_SAMPLES) return samples;
  throw usage(`--samples ${quoted(text)} is not a whole number from 1 to ${MOST_SAMPLES}`, 'type for example: --samples 10');
}

function reduced(line: CommandLine, isReplay: boolean): boolean {
  if (!line.has('reduced')) return false;
  if (isReplay) throw usage('--reduced does not go with --read', 'leave one of them out: a file takes no rights');
  return true;
}

function privileges(line: CommandLine): PrivilegeOptions {
  const user = line.text('user');
  const [dropAll, stayRoot, sandbox] = [line.has('drop-all'), line.has('stay-root'), line.has('sandbox')];
  if (user !== null && !/^[\w][\w.$-]{0,63}$/.test(user))
    throw usage(`--user ${quoted(user)} is not a user name`, 'type for example: --user nobody');
  if (stayRoot && (dropAll || user !== null))
    throw usage(`--stay-root does not go with --${dropAll ? 'drop-all' : 'user'}`, 'leave one of them out');
  const other = stayRoot ? 'stay-root' : 'reduced';
  if (sandbox && line.has(other)) throw usage(`--sandbox does not go with --${other}`, 'leave one of them out');
  return { user, dropAll, stayRoot, sandbox };
}

/** `--once` reads the whole file as fast as it goes, whatever was asked. */
function speed(line: CommandLine, isReplay: boolean, once: boolean): number {
  const text = line.text('speed');
  if (text === null) return isReplay && once ? 0 : 1;
  if (!isReplay) throw usage('--speed goes only with --read', 'type: netmon-tui --read FILE --speed 10');
  const times = /^\d{1,7}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(times === 0 || (times >= 0.001 && times <= FASTEST))) {
    throw usage(
      `--speed ${quoted(text)} is not 0 or a number from 0.001 to ${FASTEST}`,
      'type for example: --speed 10, or 0 for as fast as it goes',
    );
  }
  if (once && times !== 0)
    throw usage('--speed does not go with --once', 'leave --speed out: --once reads a file as fast as it goes');
  return times;
}

function hintFor(flag: (typeof LIVE_ONLY)[number]): string {
  if (flag === 'bpf') return 'use --filter, or cut the file first: tcpdump -r FILE -w OUT EXPR';
  if (flag === 'reverse-dns') return 'leave one of them out: the addresses of a recording may be those of others by now';
  return flag === 'interface'
    ? 'leave one of them out; to choose within a file: --filter iface:NAME'
    : 'leave one of them out: a file needs no driver';
}

function values(table: ReadonlyMap<string, Sourced<readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries([...table].map(([key, { value }]) => [key, value]));
}

function usage(message: string, hint: string): NetmonError {
  return new NetmonError('usage', message, hint);
}
