// `netmon-tui completions SHELL`: completions for bash, zsh and fish, made from the tables of commands and settings. Pure.

import { FIELDS, WORDS } from '../filter/fields.ts';
import { COMMAND_NAMES, COMMANDS, type Command, type CommandName, type Shell } from './commands.ts';
import { FLAGS, type Flag } from './config/settings.ts';
import { THEMES } from './config/value-types.ts';

const PROGRAM = 'netmon-tui';
/** Interfaces without asking the program, which would take longer than a key press. */
const INTERFACES = '{ ls /sys/class/net || ifconfig -l; } 2>/dev/null';
/** Commands that are typed; `watch` is none. */
const TYPED = COMMAND_NAMES.filter((name) => name !== 'watch');
/** What may stand first. `help COMMAND` is `COMMAND --help`. */
const FIRST: readonly string[] = [...TYPED, 'help'];
const HELP_DOES = 'say what a command does, and its options';
/** Fields of the filter language with few values: all their names, as alternatives of a shell's `case`, and what to offer after the colon. */
const VALUES_OF_FIELDS = FIELDS.flatMap((field) => {
  const values = field.kind === 'text' ? (field.values ?? field.usual ?? []) : [];
  return values.length === 0 ? [] : [{ names: [field.name, ...field.aliases], values }];
});
const INTERFACE_FIELD = ['iface', 'interface'];
const FIELD_NAMES = FIELDS.map(({ name }) => `${name}:`).join(' ');
const WORD_NAMES = WORDS.map(({ name }) => name).join(' ');

/** The script that teaches a shell the program's words. */
export function completions(name: Shell): string {
  return { bash, zsh, fish }[name]();
}

/** Flags of a command that are worth offering: the listed ones. */
function flagsOf(command: CommandName): readonly Flag[] {
  return FLAGS.filter((flag) => flag.help !== null && flag.commands.includes(command));
}

function bash(): string {
  const offerOf = ({ offers }: Flag): string => {
    if (offers === 'files') return '_netmon_tui_files';
    if (offers === 'themes') return `_netmon_tui_words '${THEMES.join(' ')}'; [[ $current == */* ]] && _netmon_tui_files`;
    if (offers === 'filter') return '_netmon_tui_filter "$current"';
    if (offers === 'interfaces') return `_netmon_tui_words "any $(${INTERFACES})"`;
    if (offers === 'users') return '_netmon_tui_words "$(compgen -u)"';
    return offers.length === 0 ? ':' : `_netmon_tui_words '${offers.join(' ')}'`;
  };
  const byOffer = new Map<string, string[]>();
  for (const flag of FLAGS.filter(({ value, optional }) => value !== null && !optional))
    byOffer.set(offerOf(flag), [...(byOffer.get(offerOf(flag)) ?? []), ...typedForms(flag)]);
  const values = [...byOffer].map(([offer, forms]) => `    ${forms.join('|')}) ${offer}; return ;;`);
  const optional = FLAGS.filter((flag) => flag.optional).map(
    (flag) => `    --${flag.name}) if [[ -n $joined ]]; then ${offerOf(flag)}; return; fi ;;`,
  );
  const commands = COMMAND_NAMES.map(
    (name) =>
      `    ${name}) flags='${flagsOf(name).flatMap(typedForms).join(' ')}' operands='${operandsOf(name).join(' ')}'${takesFile(name) ? ' file=1' : ''} ;;`,
  );
  commands.push(`    help) flags= operands='${TYPED.join(' ')}' ;;`);
  const ofFields = VALUES_OF_FIELDS.map(({ names, values }) => `    ${names.join('|')}) offers='${values.join(' ')}' ;;`);
  return `# netmon-tui completions for bash: source <(netmon-tui completions bash)
_netmon_tui_words() { COMPREPLY=($(compgen -W "$1" -- "$current")); }
_netmon_tui_files() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -f -- "$current"))
  compopt -o filenames 2>/dev/null # bash 3.2, which macOS has, knows no compopt
}
# the last word of a filter: a field, or a value of one; $2 is the field if bash has split it off
_netmon_tui_filter() {
  local typed=\${1#[\\'\\"]} before= begun field=$2 offers
  begun=\${typed##*[ (]}
  before=\${typed%"$begun"}
  while [[ $begun == [-!]* ]]; do before+=\${begun:0:1} begun=\${begun:1}; done
  if [[ $begun == *:* ]]; then
    field=\${begun%%:*} before+=\${begun%%:*}: begun=\${begun#*:}
  fi
  case $field in
    '') offers='${FIELD_NAMES} ${WORD_NAMES}' ;;
${ofFields.join('\n')}
    ${INTERFACE_FIELD.join('|')}) offers=$(${INTERFACES}) ;;
  esac
  COMPREPLY=($(compgen -W "$offers" -- "$begun"))
  local -i at
  for (( at = 0; at < \${#COMPREPLY[@]}; at++ )); do COMPREPLY[at]=$before\${COMPREPLY[at]}; done
  [[ \${COMPREPLY[0]} == *: ]] && compopt -o nospace 2>/dev/null
}
_netmon_tui() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} joined= command=watch word flags operands file=
  # bash splits a filter at its ":"
  local -i colon=COMP_CWORD
  [[ $previous == : ]] && colon+=-1
  if (( colon > 2 )) && [[ \${COMP_WORDS[colon]} == : ]]; then
    word=\${COMP_WORDS[colon-2]}
    [[ $word == = ]] && word=\${COMP_WORDS[colon-3]}
    [[ $current == : ]] && current=
    case $word in
      ${typedForms(flagNamed('filter')).join('|')}) _netmon_tui_filter "$current" "\${COMP_WORDS[colon-1]}" ;;
    esac
    return
  fi
  # bash splits --flag=value at the "="
  if [[ $current == = ]]; then joined=1 current=
  elif [[ $previous == = ]]; then joined=1 previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${FIRST.join('|')}) command=$word; break ;;
    esac
  done
  COMPREPLY=()
  case $previous in
${[...values, ...optional].join('\n')}
  esac
  case $command in
${commands.join('\n')}
  esac
  if [[ $current == -* ]]; then _netmon_tui_words "$flags"
  elif [[ $command == watch || $previous == "$command" ]]; then _netmon_tui_words "$operands"
  elif [[ -n $file && " $operands " == *" $previous "* ]]; then _netmon_tui_files; fi
}
complete -F _netmon_tui ${PROGRAM}
`;
}

function flagNamed(name: string): Flag {
  return FLAGS.find((flag) => flag.name === name) as Flag;
}

/** A flag as it is typed: `--interface`, `-i`. */
function typedForms({ name, short }: Flag): readonly string[] {
  return [`--${name}`, ...(short === null ? [] : [`-${short}`])];
}

/** Words that may follow a command; for `watch` those are the commands. */
function operandsOf(command: CommandName): readonly string[] {
  return command === 'watch' ? FIRST : (COMMANDS[command].operand?.choices ?? []);
}

/** Whether a file follows the words of a command. */
function takesFile(command: CommandName): boolean {
  const { operand }: Command = COMMANDS[command];
  return operand?.file === true;
}

function zsh(): string {
  const actionOf = ({ offers }: Flag): string => {
    if (offers === 'files') return '_files';
    if (offers === 'interfaces') return '_netmon_tui_interfaces';
    if (offers === 'themes') return '_netmon_tui_themes';
    if (offers === 'filter') return '_netmon_tui_filter';
    if (offers === 'users') return '_users';
    return offers.length === 0 ? ' ' : `(${offers.join(' ')})`;
  };
  /** `'(-i --interface)--interface=[help]:name:action'` (zshcompsys(1), _arguments) */
  const specsOf = (flag: Flag): readonly string[] => {
    const { value, optional, repeatable } = flag;
    const help = singleQuoted((flag.help ?? '').replace(/[[\]:]/g, '\\$&'));
    const message = (value ?? '').toLowerCase().replaceAll('|', ' or ');
    const argument = value === null ? '' : `${optional ? '::' : ':'}${message}:${actionOf(flag)}`;
    const before = repeatable && value !== null ? '*' : `(${typedForms(flag).join(' ')})`;
    const spec = (typed: string, sign: string) => `'${before}${typed}${value === null ? '' : sign}[${help}]${argument}'`;
    return typedForms(flag).map((typed) => spec(typed, !typed.startsWith('--') ? '+' : optional ? '=-' : '='));
  };
  const cases = COMMAND_NAMES.map((name) => {
    const words = operandsOf(name);
    const offers = name === 'watch' ? '_netmon_tui_commands' : `(${words.join(' ')})`;
    const what = name === 'watch' ? 'command' : COMMANDS[name].operand?.noun;
    const operand = what === undefined ? '' : ` \\\n        ':${what}:${words.length === 0 ? ' ' : offers}'`;
    const file = takesFile(name) ? ` \\\n        ':file:_files'` : '';
    const specs = flagsOf(name).flatMap(specsOf);
    return `    ${name})\n      _arguments -s -S \\\n${specs.map((spec) => `        ${spec}`).join(' \\\n')}${operand}${file} ;;`;
  });
  cases.push("    help)\n      _arguments ':command:_netmon_tui_commands' ;;");
  const described = (list: readonly { readonly name: string; readonly help: string }[]) =>
    list.map(({ name, help }) => `    '${name}:${singleQuoted(help)}'`).join('\n');
  const ofFields = VALUES_OF_FIELDS.map(({ names, values }) => `      ${names.join('|')}) compadd ${values.join(' ')} ;;`);
  return `#compdef ${PROGRAM}
# netmon-tui completions for zsh: source <(netmon-tui completions zsh)
_netmon_tui_interfaces() { compadd any $(${INTERFACES}) }
_netmon_tui_themes() { compadd ${THEMES.join(' ')}; _files -g '*.theme' }
_netmon_tui_commands() {
  local -a commands
  commands=(
${described([...TYPED.map((name) => ({ name, help: COMMANDS[name].does })), { name: 'help', help: HELP_DOES }])}
  )
  _describe command commands
}
# the last word of a filter: a field, or a value of one
_netmon_tui_filter() {
  local -a fields words
  compset -P '*[ (]'
  compset -P '[-!]##'
  if [[ $PREFIX == *:* ]]; then
    local field=\${PREFIX%%:*}
    compset -P 1 '*:'
    case $field in
${ofFields.join('\n')}
      ${INTERFACE_FIELD.join('|')}) _netmon_tui_interfaces ;;
    esac
    return
  fi
  fields=(
${described(FIELDS)}
  )
  words=(
${described(WORDS)}
  )
  _describe -t fields field fields -S :
  _describe -t words word words
}
_netmon_tui() {
  local command=watch at
  for (( at = 2; at < CURRENT; at++ )); do
    case $words[at] in
      ${FIRST.join('|')})
        command=$words[at]
        shift $((at - 1)) words
        (( CURRENT -= at - 1 ))
        break ;;
    esac
  done
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _netmon[-_]tui ]]; then _netmon_tui "$@"; else compdef _netmon_tui ${PROGRAM}; fi
`;
}

/** Text within single quotes of a POSIX shell. */
function singleQuoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}

function fish(): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const argumentsOf = ({ offers }: Flag): string => {
    if (offers === 'files') return '-r -F';
    if (offers === 'interfaces') return `-x -a '(echo any; ls /sys/class/net 2>/dev/null; or ifconfig -l | string split " ")'`;
    if (offers === 'themes') return `-r -F -a ${quoted(THEMES.join(' '))}`;
    if (offers === 'filter') return "-x -a '(__netmon_tui_filter)'";
    if (offers === 'users') return "-x -a '(__fish_complete_users)'";
    return offers.length === 0 ? '-x' : `-x -a ${quoted(offers.join(' '))}`;
  };
  const commands = [...TYPED.map((name) => [name, COMMANDS[name].does] as const), ['help', HELP_DOES] as const].map(
    ([name, does]) => `complete -c ${PROGRAM} -f -n "not __fish_seen_subcommand_from $commands" -a ${name} -d ${quoted(does)}`,
  );
  const operands = TYPED.filter((name) => operandsOf(name).length > 0).map(
    (name) =>
      `complete -c ${PROGRAM} ${takesFile(name) ? '-F' : '-f'} -n "__fish_seen_subcommand_from ${name}" -a ${quoted(operandsOf(name).join(' '))}`,
  );
  const flags = FLAGS.filter(({ help }) => help !== null).map((flag) => {
    const typed = flag.commands.filter((name) => name !== 'watch');
    const tests = [
      ...(flag.commands.includes('watch') ? ['not __fish_seen_subcommand_from $commands'] : []),
      ...(typed.length > 0 ? [`__fish_seen_subcommand_from ${typed.join(' ')}`] : []),
    ];
    const short = flag.short === null ? '' : ` -s ${flag.short}`;
    const value = flag.value === null ? '' : flag.optional ? ' -F' : ` ${argumentsOf(flag)}`;
    return `complete -c ${PROGRAM} -n "${tests.join('; or ')}" -l ${flag.name}${short}${value} -d ${quoted(flag.help ?? '')}`;
  });
  operands.push(`complete -c ${PROGRAM} -f -n "__fish_seen_subcommand_from help" -a ${quoted(TYPED.join(' '))}`);
  const ofFields = VALUES_OF_FIELDS.map(
    ({ names, values }) => `    case ${names.join(' ')}\n      string join \\n -- "$before"$begun[1]:{${values.join(',')}}`,
  );
  return `# netmon-tui completions for fish: netmon-tui completions fish | source
# the last word of a filter: a field, or a value of one
function __netmon_tui_filter
  set -l typed (commandline -ct | string replace -r '^(--filter=|-f)?[\\'"]?' '')
  set -l begun (string match -r '[^ (!-][^ (]*$|$' -- $typed)
  set -l before (string sub -l (math (string length -- "$typed") - (string length -- "$begun")) -- "$typed")
  set begun (string split -m 1 : -- $begun)
  if not set -q begun[2]
${[...FIELDS.map(({ name, help }) => ({ name: `${name}:`, help })), ...WORDS].map(({ name, help }) => `    printf '%s\\t%s\\n' "$before"${name} ${quoted(help)}`).join('\n')}
    return
  end
  switch $begun[1]
${ofFields.join('\n')}
    case ${INTERFACE_FIELD.join(' ')}
      string join \\n -- "$before"$begun[1]:(ls /sys/class/net 2>/dev/null; or ifconfig -l | string split " ")
  end
end
set -l commands ${FIRST.join(' ')}
complete -c ${PROGRAM} -f
${[...commands, ...operands, ...flags].join('\n')}
`;
}
