// The clipboard of a Mac, for terminals that ignore OSC 52, as Terminal.app does. Only where the user sits at that Mac: over SSH the clipboard
// that counts is the other machine's, which the terminal alone reaches.

import { PS_ARGUMENTS, parsePs } from '../identify/process/ps.ts';
import type { Edges } from '../net/edges.ts';

/** Puts text into a clipboard. @returns false where that was not possible; never rejects */
export type Clipboard = (text: string) => Promise<boolean>;

const COPY_LIMITS = { timeoutMs: 2000, maxBytes: 4096 };
const PS_LIMITS = { timeoutMs: 2000, maxBytes: 16 << 20 };
/** sudo leaves none of these over. */
const SSH_VARIABLES = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'];
const MOST_ANCESTORS = 64;

/** @returns null where there is none but the terminal's. @param edges with the process's own user, which pbcopy runs as: never root */
export function systemClipboard(edges: Edges, env: NodeJS.ProcessEnv, pid = process.pid): Clipboard | null {
  if (edges.platform !== 'darwin' || SSH_VARIABLES.some((name) => env[name] !== undefined)) return null;
  return async (text) => {
    if (edges.euid() === 0 || (await isUnderSsh(edges, pid))) return false;
    const { status } = await edges.run(edges.paths.pbcopy, [], { ...COPY_LIMITS, input: text });
    return status === 0;
  };
}

/** Whether an sshd is above a process, as far as ps tells. */
async function isUnderSsh(edges: Edges, pid: number): Promise<boolean> {
  const { stdout } = await edges.run(edges.paths.ps, PS_ARGUMENTS, PS_LIMITS);
  const processes = new Map(parsePs(stdout).map((record) => [record.pid, record]));
  let at = processes.get(pid);
  for (let step = 0; at !== undefined && step < MOST_ANCESTORS; step++) {
    if (/^sshd\b/.test(at.name.slice(at.name.lastIndexOf('/') + 1))) return true;
    at = at.ppid === at.pid ? undefined : processes.get(at.ppid);
  }
  return false;
}
