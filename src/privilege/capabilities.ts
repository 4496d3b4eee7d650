// Capabilities of Linux by name and bit, and as sets. Pure; changes nothing.

/** Bits of linux/capability.h that this program ever asks for or names. */
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

/** Opening the capture again after its interface was away. */
export const REOPENING: readonly Capability[] = ['net_raw'];
/** Descriptors and executables of other users' processes, out of /proc. */
export const LOOKING: readonly Capability[] = ['sys_ptrace', 'dac_read_search'];

/** More bits than any kernel has; dropping one that it does not know is an error that means nothing. */
export const MAX_CAPABILITIES = 64;

/** Capabilities as a set of bits. */
export function maskOf(names: Iterable<Capability>): bigint {
  let mask = 0n;
  for (const name of names) mask |= 1n << BigInt(CAPABILITY[name]);
  return mask;
}

/** Names in a set, `capability N` for those without one here. */
export function namesOf(mask: bigint): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < MAX_CAPABILITIES; bit++) {
    if (((mask >> BigInt(bit)) & 1n) === 0n) continue;
    names.push(Object.entries(CAPABILITY).find(([, known]) => known === bit)?.[0] ?? `capability ${bit}`);
  }
  return names;
}
