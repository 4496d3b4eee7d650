// Paths of executables on a Mac, as far as the module can be loaded: it needs koffi, which has a library for most machines, but not for all.

import type { PathOf } from '../identify/process/libproc.ts';

const nothing: PathOf = () => null;

/** Where it can't be had, and on other systems, it knows none. */
export const pathOf: PathOf =
  process.platform === 'darwin'
    ? await import('../identify/process/libproc.ts').then(({ openLibproc }) => openLibproc()).catch(() => nothing)
    : nothing;
