// The settings in force as TOML: a file that says the same when it is read back. Each line ends with where its value came from.

import { sanitize } from '../../net/text.ts';
import type { Config, Sourced } from './config.ts';
import { ruleTexts } from './config-file.ts';
import { SETTING_NAMES, SETTINGS, type Setting, type SettingName } from './settings.ts';

/** What a table is about: without it the table is left out. */
const NEEDED: Readonly<Record<string, SettingName>> = {
  budget: 'budget.amount',
  'export.clickhouse': 'export.clickhouse.url',
  'export.remote_write': 'export.remote_write.url',
  'export.otlp': 'export.otlp.url',
  'export.ipfix': 'export.ipfix.to',
  'export.prometheus': 'export.prometheus.listen',
};

/** Text of `--print-config`, newline at the end. Values that are not set are comments, because TOML has no null. */
export function configText(config: Config, version: string): string {
  const read = config.path === null ? 'No file was read.' : `Read: ${sanitize(config.path)}`;
  const lines = [`# netmon-tui ${version}: the configuration in force. ${read}`];
  let table = '';
  let isLeftOut = false;
  for (const name of SETTING_NAMES) {
    const dot = name.lastIndexOf('.');
    if (dot > 0 && name.slice(0, dot) !== table) {
      table = name.slice(0, dot);
      const needed = Object.hasOwn(NEEDED, table) ? NEEDED[table] : undefined;
      isLeftOut = needed !== undefined && config.settings[needed].value === null;
      lines.push('', isLeftOut ? `# [${table}]  # not set` : `[${table}]`);
    }
    if (!isLeftOut) lines.push(settingLine(name, name.slice(dot + 1), config));
  }
  for (const [title, rows] of [
    ['categories', config.categories] as const,
    ['keys', config.keys] as const,
    ['attach', config.groups] as const,
  ]) {
    lines.push('', `[${title}]${rows.size === 0 ? '  # not set' : ''}`);
    for (const [key, { value, origin }] of rows) lines.push(line(tomlKey(key), value, origin));
  }
  for (const { value, origin } of config.rules) {
    lines.push('', '[[alert]]');
    for (const [key, text] of Object.entries(ruleTexts(value))) if (text !== null) lines.push(line(key, text, origin));
  }
  return `${lines.join('\n')}\n`;
}

function settingLine(name: SettingName, key: string, config: Config): string {
  const { type, unset }: Setting<unknown> = SETTINGS[name];
  const { value, origin }: Sourced<unknown> = config.settings[name];
  if (value !== null) return line(key, type.write(value as NonNullable<unknown>), origin);
  const folder = config.dataFolder === null ? null : `${config.dataFolder}/packets`;
  const places: Partial<Record<SettingName, string | null>> = { 'history.path': config.historyDefault, 'packets.folder': folder };
  const initial = name in places ? (places[name] ?? 'none, because no home folder is known') : (unset ?? 'none');
  return `# ${key} =  # ${sanitize(origin)}: ${sanitize(initial)}`;
}

function line(key: string, value: unknown, origin: string): string {
  return `${`${key} = ${tomlValue(value)}`.padEnd(31)} # ${sanitize(origin)}`;
}

function tomlValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlValue).join(', ')}]`;
  return typeof value === 'string' ? tomlString(value) : String(value);
}

/** A key as it is written: bare if it can be. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key);
}

/** A basic string (https://toml.io, section String). Whatever must not reach a terminal is escaped, not dropped. */
export function tomlString(text: string): string {
  let out = '';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (character === '"' || character === '\\') out += `\\${character}`;
    else if (sanitize(character) === character) out += character;
    else out += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return `"${out}"`;
}
