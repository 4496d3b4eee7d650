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

/**
 * Folds a process into its app.
 *
 * `/Applications/X.app/...` and all its helpers are X; `python3 backup.py` is `backup.py (python3)`; an interpreter without a script that
 * runs as a service is that service; anything else is its executable.
 */
export function foldApp(facts: ProcessFacts): Fold {
  const { exe, name, script, unit } = facts;
  const bundle = exe === null ? null : BUNDLE.exec(exe);
  if (bundle !== null) return { key: bundle[1] as string, name: bundle[2] as string, exe: bundle[1] as string };
  const program = exe ?? name;
  if (script !== null) return { key: `${program}\0${script}`, name: `${script} (${name})`, exe };
  return unit !== null && / /.test(unit)
    ? { key: `${program}\0${unit}`, name: `${name} (${unit})`, exe }
    : { key: program, name, exe };
}
