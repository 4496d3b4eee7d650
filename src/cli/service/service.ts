// What a service that records is made of, for whatever starts it. Types only.

/** A recording service: absolute paths, the user whose history it is. */
export interface Service {
  /** Path of the node that runs. */
  readonly node: string;
  /** Path of the program's own script, links resolved. */
  readonly script: string;
  /** What was typed to have the file printed. */
  readonly typed: string;
  /** Words behind `record`. */
  readonly words: readonly string[];
  /** Path of the history file. */
  readonly history: string;
  /** Path of the log; null for none. */
  readonly log: string | null;
  /** Whose file it is; null is root's. */
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string; readonly home: string | null } | null;
}

/** A file for the system's service manager, and what to type to put it to work. */
export interface ServiceFile {
  readonly text: string;
  /** Where it belongs. */
  readonly path: string;
  /** Puts it there and starts it; one command a line, nothing else: zsh takes no comments at its prompt. @param file where it was written, null for standard output */
  install(file: string | null): readonly string[];
  /** What may be wanted besides: what for, and what to type. */
  readonly besides: readonly (readonly [purpose: string, command: string])[];
  /** What stands in the way, a sentence each. */
  readonly warnings: readonly string[];
}

// Which path of node a service is started with: one that is still there after the next update. Looks at nothing itself.

/** Folders of package managers, whose links stay while the versions behind them come and go; those of version managers are a shell's own. */
const LASTING = ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin', '/usr/bin'];
const KEG = /^\/(opt\/homebrew|usr\/local)\/opt\/node@\d+\/bin$/;

/**
 * The path under which a package manager keeps the node that runs; its own path where none does.
 *
 * Homebrew's node knows itself as `/opt/homebrew/Cellar/node/24.1.0/bin/node`, which the next `brew upgrade` takes away.
 *
 * @param path PATH, for kegs that are not linked (`node@24`) @param realOf follows links; null where there is nothing
 */
export function lastingNode(executable: string, path: string, realOf: (path: string) => string | null): string {
  const folders = [...path.split(':').filter((folder) => KEG.test(folder)), ...LASTING];
  return folders.map((folder) => `${folder}/node`).find((candidate) => realOf(candidate) === executable) ?? executable;
}
