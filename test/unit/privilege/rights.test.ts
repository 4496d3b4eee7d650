// On macOS, if the program drops root: which child keeps it, and what that may run.

import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { loadConfig } from '../../../src/cli/config/config.ts';
import { resolveOptions } from '../../../src/cli/resolve.ts';
import type { OwnerSource } from '../../../src/identify/process/owner-source.ts';
import { Rights } from '../../../src/privilege/rights.ts';
import type { RootPrograms } from '../../../src/privilege/root-child.ts';
import type { SandboxInit } from '../../../src/privilege/seatbelt.ts';
import { fakeEdges } from '../../support/fake-edges.ts';

async function rightsOf(words: string[], euid: number, platform: 'darwin' | 'linux', sandbox?: SandboxInit) {
  const files = { folderOwner: () => null, read: () => ({ kind: 'missing' as const }) };
  const line = parseCommandLine(words);
  const config = await loadConfig(line, { platform, env: {}, euid, passwd: () => '', files });
  const started: RootPrograms[] = [];
  const stdin = new PassThrough();
  const start = (programs: RootPrograms) => {
    started.push(programs);
    return Object.assign(new EventEmitter(), { stdin, stdout: new PassThrough(), pid: 1 }) as unknown as ChildProcess;
  };
  const programs = {
    'id -P anna': { stdout: 'anna:********:501:20::0:0:Anna:/Users/anna:/bin/zsh\n' },
    'id -P nobody': { stdout: 'anna:********:501:20::0:0:Anna:/Users/anna:/bin/zsh\n', status: 1 },
  };
  const edges = fakeEdges({ platform, euid, programs });
  const rights = await Rights.of(resolveOptions(line, config), edges, 8 << 20, start, sandbox);
  return { rights, started, edges, stdin };
}

describe('--user on a Mac', () => {
  it('is looked up in the directory, as no file lists the users of a Mac', async () => {
    const { rights } = await rightsOf(['--user', 'anna'], 0, 'darwin');
    expect(rights.identity).toMatchObject({ name: 'anna', uid: 501, gid: 20, by: 'user' });
  });

  it.each(['bert', 'nobody'])('refuses %s, whom it does not know', async (user) => {
    await expect(rightsOf([`--user=${user}`], 0, 'darwin')).rejects.toMatchObject({ message: `no such user: ${user}` });
  });

  it('asks no program on Linux', async () => {
    await expect(rightsOf(['--user', 'anna'], 0, 'linux')).rejects.toThrow('no such user: anna');
  });
});

describe('the root child', () => {
  it('starts if macOS drops root, with everything that it may ever run', async () => {
    const { rights, started, edges, stdin } = await rightsOf(['-i', 'en0', '--bpf', 'port 53'], 0, 'darwin');
    expect(started).toHaveLength(1);
    const { tcpdump, lsof, env } = started[0] as RootPrograms;
    expect(tcpdump).toEqual({ path: '/usr/sbin/tcpdump', args: expect.arrayContaining(['pktap,en0', '--', 'port 53']) });
    expect(lsof).toMatchObject({ path: '/usr/sbin/lsof', args: expect.arrayContaining(['-nP', '-F']) });
    expect(Object.keys(env)).toEqual(['PATH', 'LC_ALL']);
    expect(rights.edges).not.toBe(edges);
    rights.edges.spawn(tcpdump.path, tcpdump.args);
    expect(String(stdin.read())).toBe('C');
    void rights.close();
    expect(stdin.writableEnded).toBe(true);
  });

  it.each([
    [['--stay-root'], 0, 'darwin'],
    [[], 501, 'darwin'],
    [['--read', 'x.pcap'], 0, 'darwin'],
  ] as const)('is not with %j as %d on %s', async (words, euid, platform) => {
    const { rights, started, edges } = await rightsOf([...words], euid, platform);
    expect(started).toEqual([]);
    expect(rights.edges).toBe(edges);
  });
});

describe('--sandbox', () => {
  const PKTAP = { kind: 'pktap' } as OwnerSource;
  const recorder = (answer: string | null) => {
    const profiles: string[] = [];
    const init: SandboxInit = (profile) => {
      profiles.push(profile);
      return answer;
    };
    return { profiles, init };
  };

  it('sandboxes the process after it dropped its rights, and says what that costs', async () => {
    const { profiles, init } = recorder(null);
    const { rights } = await rightsOf(['--sandbox', '--history=/nowhere/h.db'], 501, 'darwin', init);
    expect(profiles).toEqual([]);
    const { note } = await rights.drop(PKTAP, {});
    expect(note).toMatch(/^--sandbox starts no programs: there is no data from /);
    expect(profiles).toHaveLength(1);
    expect(profiles[0]).toContain('(regex "^/nowhere/h\\\\.db[^/]*$")');
    expect(profiles[0]).toContain('/netmon-[^/]*$")');
    expect(profiles[0]).not.toContain(':53');
  });

  it('is off by default', async () => {
    const { profiles, init } = recorder(null);
    const { rights } = await rightsOf([], 501, 'darwin', init);
    expect((await rights.drop(PKTAP, {})).note).toBe('');
    expect(profiles).toEqual([]);
  });

  it('allows reverse DNS to ask, and lets JSON export nothing', async () => {
    const { profiles, init } = recorder(null);
    const { rights } = await rightsOf(['--sandbox', '--reverse-dns', '--json'], 501, 'darwin', init);
    await rights.drop(PKTAP, {});
    expect(profiles[0]).toContain('(remote udp "*:53")');
    expect(profiles[0]).not.toContain('netmon-[^/]');
  });

  it('ends the program if macOS refuses it, and quotes the reason', async () => {
    const { rights } = await rightsOf(['--sandbox'], 501, 'darwin', recorder('unbound variable: file-write').init);
    await expect(rights.drop(PKTAP, {})).rejects.toMatchObject({
      exitStatus: 3,
      message: 'macOS refused the sandbox: unbound variable: file-write',
      hint: 'to run without it, leave --sandbox out',
    });
  });

  it.each(['nettop', 'lsof'])('is refused where %s names the owners, as it could not be started again', async (kind) => {
    const { profiles, init } = recorder(null);
    const { rights } = await rightsOf(['--sandbox'], 501, 'darwin', init);
    await expect(rights.drop({ kind } as OwnerSource, {})).rejects.toMatchObject({ exitStatus: 3 });
    expect(profiles).toEqual([]);
  });

  it('is refused on Linux', async () => {
    await expect(rightsOf(['--sandbox'], 1000, 'linux')).rejects.toMatchObject({
      code: 'usage',
      message: '--sandbox is for macOS',
    });
  });

  it.each(['--stay-root', '--reduced'])('does not go with %s', async (flag) => {
    await expect(rightsOf(['--sandbox', flag], 0, 'darwin')).rejects.toMatchObject({
      message: `--sandbox does not go with ${flag}`,
    });
  });
});
