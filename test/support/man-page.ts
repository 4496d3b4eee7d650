// Makes man/netmon-tui.1 from the tables of the code, in mdoc(7). Every word of a table is escaped here. Pure.

import { COMMAND_NAMES, COMMANDS, type CommandName, STATUSES } from '../../src/cli/commands.ts';
import { FLAGS, type Flag, GROUPS, OPTIONS, SETTINGS, type Setting } from '../../src/cli/config/settings.ts';
import { FIELDS, WORDS } from '../../src/filter/fields.ts';
import { KEYMAP, keyLabel } from '../../src/view/input/keymap.ts';

/** A term of a filter and what it does; the documentation has the list. */
export type FilterExample = readonly [typed: string, what: string];

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '"': '\\(dq',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};
const escaped = (text: string) => text.replace(/[\\"'`^~]/g, (character) => ESCAPES[character] as string);

/** Text that is typed as it stands. Each hyphen is a minus sign, so that it can be copied from the page. */
const literal = (text: string) => escaped(text).replaceAll('-', '\\-');

/** One argument of a macro. The zero-width space keeps a macro's name and a lone delimiter from being taken for one. */
const argument = (text: string) => {
  const isSpecial = /^(?:[A-Z][A-Za-z]{1,2}|[^\w\s])(?:\s|$)|^[.']/.test(text);
  const safe = `${isSpecial ? '\\&' : ''}${literal(text)}`;
  return safe.includes(' ') ? `"${safe}"` : safe;
};

/** Sentences, one a line; words that begin like an option or a path are literal, and so is what stands in backquotes. */
export function prose(text: string): string[] {
  const lines = text.replace(/([.?!]) +(?=[A-Z])/g, '$1\n').split('\n');
  return lines.map((line) => {
    const words = line
      .split(/(`[^`]+`)|(\s+)/)
      .filter((word) => word !== undefined)
      .map((word) => {
        if (/^`.+`$/.test(word)) return `\\(oq${literal(word.slice(1, -1))}\\(cq`;
        return /^[(["]?[-~/]|netmon-tui/.test(word) ? literal(word) : escaped(word);
      })
      .join('');
    return /^[.']/.test(words) ? `\\&${words}` : words;
  });
}

type Entry = readonly [head: string, ...text: readonly string[]];

/** A list of terms. @param head the macros that make the term, @param text lines of the page */
const list = (width: string, entries: readonly Entry[]) => [
  `.Bl -tag -width "${width}"`,
  ...entries.flatMap(([head, ...text]) => [`.It ${head}`, ...text]),
  '.El',
];
const section = (title: string, ...lines: readonly string[]) => [`.Sh ${title}`, ...lines];

function flagHead({ short, name, value, optional }: Flag): string {
  const shortForm = short === null ? '' : `Fl ${short} , `;
  if (value === null) return `${shortForm}Fl \\-${literal(name)}`;
  const placeholder = argument(value);
  return `${shortForm}Fl \\-${literal(name)}${optional ? ` Ns Op = Ns Ar ${placeholder}` : ` Ar ${placeholder}`}`;
}

function flagLines({ help, commands }: Flag): string[] {
  const lines = prose(help ?? '');
  if (commands.length === COMMAND_NAMES.length) return [...lines, '.br', 'Goes with every command.'];
  const others = commands.filter((name) => name !== 'watch');
  if (others.length === 0) return lines;
  return [...lines, '.br', commands.includes('watch') ? 'Also with' : 'Only with', ...listed('Cm', others)];
}

/** `.Cm record ,` and so on, ending the sentence. */
const listed = (macro: string, names: readonly string[]) =>
  names.map((name, at) => `.${macro} ${argument(name)}${at === names.length - 1 ? ' .' : ' ,'}`);

function commandHead(name: CommandName): string {
  const { operand } = COMMANDS[name];
  const needs = name === 'report' ? ' Fl \\-html Ar FILE' : '';
  return `Cm ${argument(name)}${operand === null ? needs : ` Ar ${argument(operand.name.replaceAll('"', ''))}`}`;
}

/** Variables with what each sets. */
function variables(): Entry[] {
  const found = new Map<string, Entry>();
  for (const [name, { variable, type }] of Object.entries<Setting<unknown>>({ ...SETTINGS, ...OPTIONS }))
    if (variable !== null && (variable.noun !== undefined || !found.has(variable.name)))
      found.set(variable.name, [`Ev ${variable.name}`, `.Cm ${argument(name)} :`, ...prose(variable.noun ?? type.noun)]);
  return [...found.values()];
}

const opposites = FLAGS.filter(({ help }) => help === null).map(({ name }) => name);
const commands = COMMAND_NAMES.filter((name) => name !== 'watch');
const keyGroups = [...new Set(KEYMAP.map(({ group }) => group))];

/** The page. @param date as mdoc writes it: `November 30, 2026` */
export function manPage(date: string, examples: readonly FilterExample[]): string {
  const lines = [
    '.\\" Made by scripts/docs.mjs. Change test/support/man-page.ts or the tables it reads.',
    `.Dd ${date}`,
    '.Dt NETMON-TUI 1',
    '.Os',
    ...section('NAME', '.Nm netmon-tui', '.Nd which app is talking to whom, live'),
    ...section(
      'SYNOPSIS',
      '.Nm',
      '.Op Ar options',
      ...commands.flatMap((name) =>
        name === 'run'
          ? ['.Nm', '.Cm run', '.Op Ar options', '.Fl \\- Ar COMMAND ...']
          : ['.Nm', `.${commandHead(name)}`, '.Op Ar options'],
      ),
    ),
    ...section(
      'DESCRIPTION',
      '.Nm',
      'captures packets on macOS and Linux and shows in the terminal which app talks to which host, how fast, and how much.',
      'Owners come from the kernel, names from the TLS, QUIC, HTTP and DNS packets that pass by.',
      'It sends nothing unless',
      '.Fl \\-reverse\\-dns',
      'is given, or the configuration names a place for alerts.',
      '.Pp',
      'Capturing needs root at the start.',
      'Without that permission the screen shows the byte counts of sockets that any user may read.',
      'If standard output is not a terminal,',
      '.Nm',
      'prints one table and exits.',
      'With',
      '.Fl \\-read',
      'it reads a capture file instead, with',
      '.Fl \\-json',
      'it prints JSON lines, and with',
      '.Fl \\-history',
      'it records what moved.',
    ),
    ...section(
      'COMMANDS',
      'Without a command,',
      '.Nm',
      'watches the network.',
      ...list(
        'interfaces',
        commands.map((name) => [commandHead(name), ...prose(`${COMMANDS[name].does}`)]),
      ),
    ),
    ...section(
      'OPTIONS',
      'An option without a note goes with',
      '.Nm',
      'alone;',
      '.Dq also with',
      'adds commands that take it too, and',
      '.Dq only with',
      'names the commands that it is for.',
      'The options of one command:',
      '.Nm',
      '.Ar command',
      '.Fl \\-help .',
      'These undo a switch of the configuration file:',
      ...listed(
        'Fl',
        opposites.map((name) => `-${name}`),
      ),
      ...GROUPS.flatMap((group) => [
        `.Ss ${group}`,
        ...list(
          'Ds',
          FLAGS.filter((flag) => flag.group === group && flag.help !== null).map((flag) => [flagHead(flag), ...flagLines(flag)]),
        ),
      ]),
    ),
    ...section(
      'FILTERS',
      'Filters of',
      '.Fl \\-filter',
      'and of the key',
      '.Ic /',
      'narrow rows and totals:',
      ...list(
        'Ds',
        examples.map(([typed, what]) => [`Li ${argument(typed)}`, ...prose(what)]),
      ),
      '.Pp',
      'The fields:',
      ...list(
        'application_source',
        FIELDS.map(({ name, aliases, help }) => [
          `Cm ${argument(name)}`,
          ...prose(aliases.length === 0 ? help : `${help} (also ${aliases.join(', ')})`),
        ]),
      ),
      '.Pp',
      'Alone and without quotes, these words have a meaning of their own:',
      ...list(
        'transit',
        WORDS.map(({ name, help }) => [`Cm ${argument(name)}`, ...prose(help)]),
      ),
    ),
    ...section(
      'KEYS',
      'The word in parentheses names the key in the table',
      '.Li \\&[keys]',
      'of the configuration file.',
      ...keyGroups.flatMap((group) => [
        `.Ss ${argument(group)}`,
        ...list(
          'Ctrl+F, PgDn',
          KEYMAP.filter((binding) => binding.group === group).map(({ keys, help, command }) => [
            `Ic ${keys.map((key) => argument(keyLabel(key))).join(' , ')}`,
            ...prose(help),
            `.Pq Cm ${argument(command)}`,
          ]),
        ),
      ]),
    ),
    ...section(
      'CONFIGURATION',
      'The configuration file is written in TOML.',
      'An option wins over its variable, the variable over the file, and the file over the default.',
      'Options that have a variable have a key of the same name in the file; these keys stand in tables:',
      ...list(
        'budget.interface',
        Object.entries<Setting<unknown>>(SETTINGS)
          .filter(([name]) => name.includes('.'))
          .map(([name, { help, type }]) => [`Cm ${argument(name)}`, ...prose(help), '.br', ...prose(`Takes ${type.noun}.`)]),
      ),
      '.Pp',
      'The tables',
      '.Li \\&[categories]',
      'and',
      '.Li \\&[keys]',
      'add categories and bind keys.',
    ),
    ...section(
      'ENVIRONMENT',
      'Each of these variables stands for the setting beside it:',
      ...list('NETMON_REVERSE_DNS', variables()),
      '.Pp',
      'These are read as well:',
      ...list('NETMON_REVERSE_DNS', [
        ['Ev COLORTERM , TERM', 'How many colours the terminal has.'],
        ['Ev COLORFGBG', 'The background, if the terminal does not report it.'],
        ['Ev LANG , LC_ALL , LC_CTYPE', 'A locale other than UTF\\-8 draws with ASCII characters only.'],
        ['Ev NO_COLOR', 'Turns colours off.'],
        ['Ev SSH_CONNECTION', 'Over SSH the mouse is left to the terminal.'],
        ['Ev SUDO_UID , SUDO_GID , SUDO_USER', 'The user to become and whose files are used.'],
        ['Ev XDG_CONFIG_HOME , XDG_DATA_HOME , XDG_STATE_HOME', 'Folders of the files below, if they belong to that user.'],
      ]),
    ),
    ...section(
      'FILES',
      'Under',
      '.Xr sudo 8',
      'these are the files of the user who called it.',
      ...list('Ds', [
        [
          'Pa \\(ti/.config/netmon\\-tui/config.toml',
          'Configuration.',
          'It is read only if it belongs to the user, and never written.',
        ],
        ['Pa \\(ti/.config/netmon\\-tui/themes/ , \\(ti/.config/btop/themes/', 'Themes.'],
        ['Pa \\(ti/.local/share/netmon\\-tui/history.sqlite', 'Recorded history, and beside it what is not yet in it.'],
        ['Pa \\(ti/.local/state/netmon\\-tui/screen.json', 'What the screen remembers.'],
        ['Pa /usr/share/GeoIP/ , /var/lib/GeoIP/ , \\(ti/.local/share/GeoIP/', 'Countries and networks of addresses (MMDB).'],
      ]),
      '.Pp',
      'On macOS,',
      '.Pa \\(ti/Library/Application Support/netmon\\-tui/',
      'is another place for the configuration, and the place for the rest.',
    ),
    ...section(
      'EXIT STATUS',
      ...list(
        '128+n',
        STATUSES.map(([status, meaning]) => [status, ...prose(meaning)]),
      ),
    ),
    ...section(
      'EXAMPLES',
      ...list(
        'Ds',
        COMMAND_NAMES.flatMap((name) =>
          COMMANDS[name].examples.map(([typed, what]): Entry => [`Li ${argument(typed)}`, ...prose(what)]),
        ),
      ),
    ),
    ...section(
      'SECURITY',
      '.Nm',
      'opens the capture as root and becomes the user who called',
      '.Xr sudo 8',
      'before it decodes the first packet, reads the first key or creates a file.',
      'On Linux it keeps three capabilities: one thread may reopen an interface, another may look into the processes of other users, which is worth as much as root;',
      '.Fl \\-drop\\-all',
      'gives the latter up.',
      'On macOS a small root child stays behind that can start and stop one',
      '.Xr tcpdump 1',
      'and one',
      '.Xr lsof 8 .',
      '.Fl \\-stay\\-root',
      'keeps everything.',
      'It reads names and counts bytes, and never keeps contents.',
      'Only their owner can read the files it writes.',
    ),
    ...section('SEE ALSO', '.Xr tcpdump 1 ,', '.Xr pcap-filter 7 ,', '.Xr lsof 8 ,', '.Xr ss 8'),
  ];
  return `${lines.join('\n')}\n`;
}
