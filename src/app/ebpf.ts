// eBPF attribution, as far as its modules can be loaded: they need koffi, which has a library for most machines, but not for all.

import { reasonOf } from '../errors.ts';

/** The functions that open it, or why there are none. */
export const ebpf = await import('../identify/process/ebpf/open.ts').catch((thrown: unknown) => ({
  missing: `koffi could not be loaded: ${reasonOf(thrown)}`,
}));
