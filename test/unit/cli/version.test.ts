// What `--version` says about a machine.

import { expect, it, test } from 'vitest';
import { versionFacts, versionText } from '../../../src/cli/version.ts';

const LINUX = { platform: 'linux', release: '6.1.0-42-amd64', libpcap: 'libpcap version 1.10.3 (with TPACKET_V3)' } as const;
const lineOf = (facts: Parameters<typeof versionText>[0], name: string) =>
  versionText(facts)
    .split('\n')
    .find((line) => line.startsWith(name));

it('names the version of libpcap without saying libpcap twice', () => {
  expect(lineOf(LINUX, 'libpcap')).toBe('libpcap 1.10.3 (with TPACKET_V3)');
  const apples = 'libpcap version 1.10.1 -- Apple version 155';
  expect(lineOf({ ...LINUX, platform: 'darwin', libpcap: apples }, 'libpcap')).toBe('libpcap 1.10.1 -- Apple version 155');
});

it('says that there is no libpcap', () => {
  expect(lineOf({ ...LINUX, libpcap: null }, 'libpcap')).toBe('libpcap not found');
});

test.each([
  ['linux', '6.1.0-42-amd64', 'owners eBPF as root, else /proc'],
  ['linux', '5.11.0', 'owners eBPF as root, else /proc'],
  ['linux', '5.10.0-30-amd64', 'owners /proc; eBPF needs Linux 5.11'],
  ['linux', '4.19.0', 'owners /proc; eBPF needs Linux 5.11'],
  ['darwin', '24.5.0', 'owners PKTAP as root, else nettop and lsof'],
] as const)('names the source of owners on %s %s', (platform, release, line) => {
  expect(lineOf({ ...LINUX, platform, release }, 'owners')).toBe(line);
});

it('looks for libpcap only where netmon-tui runs', async () => {
  expect((await versionFacts('win32')).libpcap).toBeNull();
});
