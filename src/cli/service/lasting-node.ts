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
