// `netmon-tui completions SHELL`: completions for bash, zsh and fish, made from the tables of commands and settings. Pure.

import { COMMAND_NAMES, COMMANDS, type CommandName, type Shell } from './commands.ts';
import { FLAGS, type Flag } from './config/settings.ts';

const PROGRAM = 'netmon-tui';
/** Interfaces without asking the program, which would take longer than a key press. */
const INTERFACES = '{ ls /sys/class/net || ifconfig -l; } 2>/dev/null';
/** Commands that are typed; `run` is none. */
const TYPED = COMMAND_NAMES.filter((name) => name !== 'run');

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
    (name) => `    ${name}) flags='${flagsOf(name).flatMap(typedForms).join(' ')}' operands='${operandsOf(name).join(' ')}' ;;`,
  );
  return `# netmon-tui completions for bash: source <(netmon-tui completions bash)
_netmon_tui_words() { COMPREPLY=($(compgen -W "$1" -- "$current")); }
_netmon_tui_files() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -f -- "$current"))
  compopt -o filenames 2>/dev/null # bash 3.2, which macOS has, knows no compopt
}
_netmon_tui() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} joined= command=run word flags operands
  # bash splits --flag=value at the "="
  if [[ $current == = ]]; then joined=1 current=
  elif [[ $previous == = ]]; then joined=1 previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${TYPED.join('|')}) command=$word; break ;;
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
  elif [[ $command == run || $previous == "$command" ]]; then _netmon_tui_words "$operands"; fi
}
complete -F _netmon_tui ${PROGRAM}
`;
}

/** A flag as it is typed: `--interface`, `-i`. */
function typedForms({ name, short }: Flag): readonly string[] {
  return [`--${name}`, ...(short === null ? [] : [`-${short}`])];
}

/** Words that may follow a command; for `run` those are the commands. */
function operandsOf(command: CommandName): readonly string[] {
  return command === 'run' ? TYPED : (COMMANDS[command].operand?.choices ?? []);
}

function zsh(): string {
  const actionOf = ({ offers }: Flag): string => {
    if (offers === 'files') return '_files';
    if (offers === 'interfaces') return '_netmon_tui_interfaces';
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
    const offers = name === 'run' ? '_netmon_tui_commands' : `(${words.join(' ')})`;
    const what = name === 'run' ? 'command' : COMMANDS[name].operand?.noun;
    const operand = what === undefined ? '' : ` \\\n        ':${what}:${words.length === 0 ? ' ' : offers}'`;
    const specs = flagsOf(name).flatMap(specsOf);
    return `    ${name})\n      _arguments -s -S \\\n${specs.map((spec) => `        ${spec}`).join(' \\\n')}${operand} ;;`;
  });
  return `#compdef ${PROGRAM}
# netmon-tui completions for zsh: source <(netmon-tui completions zsh)
_netmon_tui_interfaces() { compadd any $(${INTERFACES}) }
_netmon_tui_commands() {
  local -a commands
  commands=(
${TYPED.map((name) => `    '${name}:${singleQuoted(COMMANDS[name].does)}'`).join('\n')}
  )
  _describe command commands
}
_netmon_tui() {
  local command=run at
  for (( at = 2; at < CURRENT; at++ )); do
    case $words[at] in
      ${TYPED.join('|')})
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
    if (offers === 'users') return "-x -a '(__fish_complete_users)'";
    return offers.length === 0 ? '-x' : `-x -a ${quoted(offers.join(' '))}`;
  };
  const commands = TYPED.map(
    (name) =>
      `complete -c ${PROGRAM} -f -n "not __fish_seen_subcommand_from $commands" -a ${name} -d ${quoted(COMMANDS[name].does)}`,
  );
  const operands = TYPED.filter((name) => operandsOf(name).length > 0).map(
    (name) => `complete -c ${PROGRAM} -f -n "__fish_seen_subcommand_from ${name}" -a ${quoted(operandsOf(name).join(' '))}`,
  );
  const flags = FLAGS.filter(({ help }) => help !== null).map((flag) => {
    const typed = flag.commands.filter((name) => name !== 'run');
    const tests = [
      ...(flag.commands.includes('run') ? ['not __fish_seen_subcommand_from $commands'] : []),
      ...(typed.length > 0 ? [`__fish_seen_subcommand_from ${typed.join(' ')}`] : []),
    ];
    const short = flag.short === null ? '' : ` -s ${flag.short}`;
    const value = flag.value === null ? '' : flag.optional ? ' -F' : ` ${argumentsOf(flag)}`;
    return `complete -c ${PROGRAM} -n "${tests.join('; or ')}" -l ${flag.name}${short}${value} -d ${quoted(flag.help ?? '')}`;
  });
  return `# netmon-tui completions for fish: netmon-tui completions fish | source
set -l commands ${TYPED.join(' ')}
complete -c ${PROGRAM} -f
${[...commands, ...operands, ...flags].join('\n')}
`;
}
