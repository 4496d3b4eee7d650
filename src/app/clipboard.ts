// The clipboard of a Mac, for terminals that ignore OSC 52, as Terminal.app does. It is used only if the user sits at that Mac: over SSH the
// clipboard that counts is the other machine's, which only the terminal reaches.

import { isOverSsh, saysSsh } from '../identify/process/ssh.ts';
import type { Edges } from '../system/edges.ts';

/** Puts text into a clipboard. @returns false if it could not; never rejects */
export type Clipboard = (text: string) => Promise<boolean>;

const COPY_LIMITS = { timeoutMs: 2000, maxBytes: 4096 };

/** The machine's clipboard; null if only the terminal has one. @param edges of this process: pbcopy runs as its user, never as root */
export function systemClipboard(edges: Edges, env: NodeJS.ProcessEnv, pid = process.pid): Clipboard | null {
  if (edges.platform !== 'darwin' || saysSsh(env)) return null;
  return async (text) => {
    if (edges.euid() === 0 || (await isOverSsh(edges, env, pid))) return false;
    const { status } = await edges.run(edges.paths.pbcopy, [], { ...COPY_LIMITS, input: text });
    return status === 0;
  };
}
