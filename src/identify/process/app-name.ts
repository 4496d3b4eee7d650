// Which app a process is: the row that a person would look for. Folds helpers under their bundle and scripts under their interpreter.

import type { ProcessFacts } from './process-facts.ts';

/** A row of the apps table before it has a number. */
export interface Fold {
  /** Processes of one user with the same key are one app. */
  readonly key: string;
  readonly name: string;
  readonly exe: string | null;
}

/** The outermost bundle: Chrome's helpers lie in bundles of their own inside Google Chrome.app. */
const BUNDLE = /^(.*?\/([^/]+)\.app)\//;
/** Where Xcode keeps git, clang and its other tools: programs of their own, which are run without it. */
const TOOLS = /^.*?\.app\/Contents\/Developer(?=\/)/;

/**
 * Folds a process into its app.
 *
 * `/Applications/X.app/...` and all its helpers are X; `python3 backup.py` is `backup.py (python3)`; an interpreter without a script that
 * runs as a service is that service; anything else is its executable.
 */
export function foldApp(facts: ProcessFacts): Fold {
  const { exe, name, script, unit } = facts;
  const tools = (exe === null ? null : TOOLS.exec(exe)?.[0]) ?? '';
  const bundle = exe === null ? null : BUNDLE.exec(exe.slice(tools.length));
  if (bundle !== null) {
    const path = `${tools}${bundle[1]}`;
    return { key: path, name: bundle[2] as string, exe: path };
  }
  const program = exe ?? name;
  if (script !== null) return { key: `${program}\0${script}`, name: `${script} (${name})`, exe };
  return unit !== null && / /.test(unit)
    ? { key: `${program}\0${unit}`, name: `${name} (${unit})`, exe }
    : { key: program, name, exe };
}
