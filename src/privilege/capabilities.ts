// Names, bits and sets of Linux capabilities. Changes nothing.

/** The capabilities that this program uses or names, with their bits (linux/capability.h). */
export const CAPABILITY = {
  dac_read_search: 2,
  setgid: 6,
  setuid: 7,
  setpcap: 8,
  net_admin: 12,
  net_raw: 13,
  sys_ptrace: 19,
  sys_admin: 21,
  perfmon: 38,
  bpf: 39,
} as const;
/** Name of a capability without its `CAP_`, in lower case. */
export type Capability = keyof typeof CAPABILITY;

/** For reopening a capture after its interface comes back. */
export const REOPENING: readonly Capability[] = ['net_raw'];
/** For reading descriptors and executables of other users' processes in /proc. */
export const INSPECTING: readonly Capability[] = ['sys_ptrace', 'dac_read_search'];

/** More than any kernel has. Dropping an unknown one fails harmlessly. */
export const MAX_CAPABILITIES = 64;

/** The bit mask of some capabilities. */
export function maskOf(names: Iterable<Capability>): bigint {
  let mask = 0n;
  for (const name of names) mask |= 1n << BigInt(CAPABILITY[name]);
  return mask;
}

/** Names of the capabilities in a mask; `capability N` for unknown ones. */
export function namesOf(mask: bigint): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < MAX_CAPABILITIES; bit++) {
    if (((mask >> BigInt(bit)) & 1n) === 0n) continue;
    names.push(Object.entries(CAPABILITY).find(([, known]) => known === bit)?.[0] ?? `capability ${bit}`);
  }
  return names;
}
