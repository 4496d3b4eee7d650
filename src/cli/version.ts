// `--version`: the build, and what it finds on this machine. It captures nothing, attaches nothing to the kernel and needs no rights;
// whether a source works is the doctor's question.

import { release } from 'node:os';
import { commit, nodeText, version } from '../system/build.ts';

/** What `--version` finds here. */
export interface VersionFacts {
  readonly platform: NodeJS.Platform;
  /** Of the kernel, as uname(1) prints it. */
  readonly release: string;
  /** As pcap_lib_version(3PCAP) says it; null without libpcap. */
  readonly libpcap: string | null;
}

/** The oldest Linux on which eBPF names owners, as docs/usage.md has it. */
const LEAST_LINUX = [5, 11] as const;

/** The text: the version alone on the first line. */
export function versionText(facts: VersionFacts): string {
  const built = commit();
  return [
    `netmon-tui ${version()}`,
    ...(built === null ? [] : [`commit ${built}`]),
    `node ${nodeText()}`,
    `libpcap ${facts.libpcap?.replace(/^libpcap version /, '') ?? 'not found'}`,
    `owners ${ownersText(facts)}`,
    '',
  ].join('\n');
}

/** Who names the owner of a connection here: the kernel as root, and what is left without it. */
function ownersText({ platform, release }: VersionFacts): string {
  if (platform === 'darwin') return 'PKTAP as root, else nettop and lsof';
  const [major = 0, minor = 0] = release.split(/[^0-9]+/).map(Number);
  const isNew = major > LEAST_LINUX[0] || (major === LEAST_LINUX[0] && minor >= LEAST_LINUX[1]);
  return isNew ? 'eBPF as root, else /proc' : `/proc; eBPF needs Linux ${LEAST_LINUX.join('.')}`;
}

/** Looks for libpcap, and asks for the kernel's release. */
export async function versionFacts(platform: NodeJS.Platform): Promise<VersionFacts> {
  return { platform, release: release(), libpcap: await libpcapVersion(platform) };
}

async function libpcapVersion(platform: NodeJS.Platform): Promise<string | null> {
  if (platform !== 'darwin' && platform !== 'linux') return null;
  try {
    const { loadLibpcap } = await import('../capture/libpcap/calls.ts');
    return loadLibpcap(platform).version;
  } catch {
    return null; // the library, or koffi's for this processor; the doctor says which
  }
}
