// What an interpreter runs, from its arguments: `python3 backup.py` is backup.py to whoever looks for it.

import { sanitize } from '../../net/text.ts';

const INTERPRETER =
  /^(python[\d.]*|pypy[\d.]*|node|nodejs|bun|deno|ruby[\d.]*|perl[\d.]*|php[\d.]*|java|bash|sh|dash|zsh|fish|lua[\d.]*|Rscript|tclsh[\d.]*)$/i;
/** Options that take the next word, so that it is not the script. */
const WITH_VALUE: Readonly<Record<string, readonly string[]>> = {
  python: ['-W', '-X', '--check-hash-based-pycs'],
  node: ['-r', '--require', '--import', '--loader', '-C', '--conditions', '--env-file'],
  java: ['-cp', '-classpath', '--class-path', '-p', '--module-path', '--add-modules', '--add-opens', '--add-exports'],
  ruby: ['-I', '-r', '-C'],
  perl: ['-I', '-M'],
};
/** Options whose value is a program given in place: then there is no script to name. */
const IN_PLACE: Readonly<Record<string, readonly string[]>> = {
  node: ['-e', '-p', '-pe', '--eval', '--print'],
  perl: ['-e', '-E'],
  php: ['-r'],
};
const IN_PLACE_ELSEWHERE = ['-c', '-e'];

/** True for a program whose arguments say what it runs. @param exe path or name of the executable */
export function isInterpreter(exe: string): boolean {
  return INTERPRETER.test(exe.slice(exe.lastIndexOf('/') + 1));
}

/**
 * Name of the script, module, jar or class that an interpreter runs; null for other programs and for code given in place.
 *
 * @param exe path or name of the executable
 * @param commandLine arguments with a NUL behind each, as /proc/PID/cmdline has them
 */
export function scriptOf(exe: string, commandLine: string): string | null {
  if (!isInterpreter(exe)) return null;
  const program = exe.slice(exe.lastIndexOf('/') + 1);
  const family = /^[a-z]+/i.exec(program)?.[0].toLowerCase() ?? '';
  const words = commandLine.split('\0').filter((word, i, all) => word !== '' || i < all.length - 1);
  const kind = family === 'nodejs' ? 'node' : family;
  const withValue = WITH_VALUE[kind] ?? [];
  const inPlace = IN_PLACE[kind] ?? IN_PLACE_ELSEWHERE;
  for (let i = 1; i < words.length; i++) {
    const word = words[i] as string;
    if (word === '-m' && family.startsWith('py')) return named(words[i + 1]);
    if (word === '-jar' || (word === '-m' && family === 'java')) return named(words[i + 1]);
    if (withValue.includes(word)) i++;
    else if (inPlace.includes(word)) return null;
    else if (!word.startsWith('-')) return named(word);
  }
  return null;
}

function named(word: string | undefined): string | null {
  if (word === undefined) return null;
  const name = sanitize(word.slice(word.replace(/\/+$/, '').lastIndexOf('/') + 1)).slice(0, 64);
  return name === '' ? null : name;
}
