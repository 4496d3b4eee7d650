// The effective configuration as TOML: a file that says the same when it is read back. Each line ends with where its value came from.

import { sanitize } from '../../net/text.ts';
import type { Config } from './config.ts';
import { formatDuration, SETTING_NAMES } from './settings.ts';
import type { Sourced } from './values.ts';

/** Text of `--print-config`, newline at the end. Values that are not set stand in comments, because TOML has no null. */
export function configText(config: Config, version: string): string {
  const lines = [
    `# netmon-tui ${version}: the configuration in force. ${config.path === null ? 'No file was read.' : `Read: ${shown(config.path)}`}`,
  ];
  for (const name of SETTING_NAMES) {
    const { value, origin } = config.settings[name];
    const written = name === 'interval' ? formatDuration(value as number) : value;
    lines.push(entry(name, { value: written, origin }, name === 'mouse' ? 'on, but off over SSH' : 'none'));
  }
  const { historyEnabled, historyPath, historySize, historyDefault } = config;
  const size = { value: `${historySize.value / 1e6} MB`, origin: historySize.origin };
  lines.push(
    '',
    '[history]',
    entry('enabled', historyEnabled),
    entry('path', historyPath, historyDefault ?? 'none, for lack of a home'),
  );
  lines.push(entry('size', size));
  // An empty table would be one without its amount.
  lines.push('', config.budgetAmount.value === null ? '# [budget]  # none set' : '[budget]');
  if (config.budgetAmount.value !== null)
    lines.push(
      entry('amount', config.budgetAmount),
      entry('day', config.budgetDay),
      entry('interface', config.budgetInterface, 'all that is recorded'),
    );
  lines.push(
    '',
    '[place]',
    entry('country', config.placeCountry, 'the usual places'),
    entry('asn', config.placeAsn, 'the usual places'),
  );
  for (const [table, rows] of [['categories', config.categories] as const, ['keys', config.keys] as const]) {
    lines.push('', `[${table}]${rows.size === 0 ? '  # none set' : ''}`);
    for (const [key, value] of rows) lines.push(entry(tomlKey(key), value));
  }
  return `${lines.join('\n')}\n`;
}

function entry(key: string, { value, origin }: Sourced<unknown>, unset = ''): string {
  if (value === null) return `# ${key} =  # ${shown(origin)}: ${shown(unset)}`;
  return `${`${key} = ${tomlValue(value)}`.padEnd(31)} # ${shown(origin)}`;
}

function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  return typeof value === 'string' ? tomlString(value) : String(value);
}

function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key);
}

/** A basic string (https://toml.io, section String). All that must not reach a terminal is escaped, not dropped. */
function tomlString(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (sanitize(character) === character) out += character;
    else out += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return `"${out}"`;
}

function shown(text: string): string {
  return sanitize(text);
}
