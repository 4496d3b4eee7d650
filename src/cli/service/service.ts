// A recording service, as all service managers need it described, and the node that it is started with.

/** A recording service. Paths are absolute. */
export interface Service {
  /** What starts the program: its own path, or node's and that of the script, links resolved. */
  readonly program: readonly [string, ...string[]];
  /** The command that prints the file. */
  readonly typed: string;
  /** Arguments of `record`. */
  readonly words: readonly string[];
  /** Path of the history file. */
  readonly history: string;
  /** Path of the log; null for none. */
  readonly log: string | null;
  /** Folder in which undelivered alerts are kept; null if none leave the program. */
  readonly state: string | null;
  /** Whose history it is; null is root's, and `dynamic` that of a user which systemd makes for the service. */
  readonly user: ServiceUser | 'dynamic' | null;
}

/** An account of this machine. */
export interface ServiceUser {
  readonly uid: number;
  /** Below 0 where it is unknown. */
  readonly gid: number;
  readonly name: string;
  readonly home: string | null;
}

/** A file for the system's service manager, and how to install it. */
export interface ServiceFile {
  readonly text: string;
  /** Where it belongs. */
  readonly path: string;
  /** Commands that install and start it. No comments among them: zsh takes none at its prompt. @param file where it was written, null for standard output */
  install(file: string | null): readonly string[];
  /** Other commands, with what they are for. */
  readonly besides: readonly (readonly [purpose: string, command: string])[];
  /** What will keep it from working, a sentence each. */
  readonly warnings: readonly string[];
}

/** Folders where package managers keep links to the current version. Those of version managers belong to a shell. */
const LASTING = ['/opt/homebrew/bin', '/usr/local/bin', '/opt/local/bin', '/usr/bin'];
const KEG = /^\/(opt\/homebrew|usr\/local)\/opt\/node@\d+\/bin$/;

/**
 * A path of the running node that survives its next update: the one that a package manager keeps, else node's own.
 *
 * Homebrew's node knows itself as `/opt/homebrew/Cellar/node/24.1.0/bin/node`, which the next `brew upgrade` removes.
 *
 * @param path PATH, for kegs that are not linked (`node@24`) @param realOf follows links; null if there is nothing
 */
export function lastingNode(executable: string, path: string, realOf: (path: string) => string | null): string {
  const folders = [...path.split(':').filter((folder) => KEG.test(folder)), ...LASTING];
  return folders.map((folder) => `${folder}/node`).find((candidate) => realOf(candidate) === executable) ?? executable;
}
