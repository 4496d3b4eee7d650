// The clipboard of a Mac, for terminals that ignore OSC 52, as Terminal.app does. It is used only if the user sits at that Mac: over SSH the
// clipboard that counts is the other machine's, which only the terminal reaches.

import { PS_ARGUMENTS, parsePs } from '../identify/process/macos/ps.ts';
import type { Edges } from '../system/edges.ts';

/** Puts text into a clipboard. @returns false if it could not; never rejects */
export type Clipboard = (text: string) => Promise<boolean>;

const COPY_LIMITS = { timeoutMs: 2000, maxBytes: 4096 };
const PS_LIMITS = { timeoutMs: 2000, maxBytes: 16 << 20 };
/** sudo drops all of these. */
const SSH_VARIABLES = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'];
const MOST_ANCESTORS = 64;

/** The machine's clipboard; null if only the terminal has one. @param edges of this process: pbcopy runs as its user, never as root */
export function systemClipboard(edges: Edges, env: NodeJS.ProcessEnv, pid = process.pid): Clipboard | null {
  if (edges.platform !== 'darwin' || SSH_VARIABLES.some((name) => env[name] !== undefined)) return null;
  return async (text) => {
    if (edges.euid() === 0 || (await isUnderSsh(edges, pid))) return false;
    const { status } = await edges.run(edges.paths.pbcopy, [], { ...COPY_LIMITS, input: text });
    return status === 0;
  };
}

/** Whether ps lists an sshd among a process's ancestors. */
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
