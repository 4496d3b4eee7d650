// As whom a run would go on, with what, and what giving that up costs: root by sudo, root alone, capabilities of a file, a plain user, a Mac.

import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RightsAsked, rightsSteps } from '../../../../src/cli/doctor/rights.ts';
import { answerOf } from '../../../../src/cli/doctor/step.ts';
import { type FakeSystem, fakeEdges, fakeRoot } from '../../../support/fake-edges.ts';

const ALL = '000001ffffffffff';
const FILES = {
  'etc/passwd': 'root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  'etc/group': 'wheel:x:10:ann\nann:x:1001:\nstaff:x:20:bob,ann\n',
};
const SUDO = { SUDO_UID: '1000', SUDO_GID: '1001', SUDO_USER: 'ann' };

/** What each step says, by its name. */
async function said(
  system: FakeSystem & { readonly held?: string },
  env: NodeJS.ProcessEnv = {},
  asked: Partial<RightsAsked['privileges']> & { readonly records?: boolean } = {},
  program = '/',
): Promise<Record<string, string>> {
  const { held = ALL, ...rest } = system;
  const status = { 'proc/self/status': `Name:\tnode\nCapInh:\t0\nCapPrm:\t${held}\nCapEff:\t${held}\n` };
  const edges = fakeEdges({ euid: 0, ...rest, files: { ...FILES, ...status } });
  const { records = false, ...wished } = asked;
  const privileges = { user: null, dropAll: false, stayRoot: false, sandbox: false, ...wished };
  const steps = rightsSteps(edges, env, { privileges, records }, program);
  const answers = await Promise.all(steps.map(async (step) => [step.name, await answerOf(step, 5000)] as const));
  return Object.fromEntries(
    answers.map(([name, { result, detail, wayOut }]) => [name, `${result} ${detail}${wayOut ? ` | ${wayOut}` : ''}`]),
  );
}

describe('on Linux', () => {
  it('root by sudo goes on as who called it, with three capabilities, of which two can be given up at a price', async () => {
    const report = await said({}, SUDO);
    expect(report).toMatchObject({
      user: 'ok root',
      'goes on as': 'ok ann (1000), who called sudo; groups 1001 10 20',
      keeps: 'ok dac_read_search net_raw sys_ptrace',
      'own files': 'ok can be read by ann',
    });
    expect(report['--drop-all']).toMatch(/^ok would give up sys_ptrace and dac_read_search: eBPF still names owners, but paths/);
    expect((await said({}, SUDO, { dropAll: true }))['keeps']).toBe('ok net_raw');
  });

  it('root without sudo goes on as nobody, or as the one named', async () => {
    expect((await said({}))['goes on as']).toBe(
      'ok nobody (65534), as nobody called sudo (to record history root stays root); groups 65534',
    );
    expect((await said({}, {}, { user: 'ann' }))['goes on as']).toBe('ok ann (1000), as --user says; groups 1001 10 20');
    expect((await said({}, {}, { user: 'eve' }))['goes on as']).toBe('no no such user: eve | type for example: --user nobody');
  });

  it('root that io_uring holds is not given up', async () => {
    const way = "no can't drop root while UV_USE_IO_URING is set | type: unset UV_USE_IO_URING";
    expect((await said({}, { ...SUDO, UV_USE_IO_URING: '1' }))['goes on as']).toBe(way);
    expect((await said({}, { ...SUDO, UV_USE_IO_URING: '0' }))['goes on as']).toMatch(/^ok ann/);
    expect((await said({}, { UV_USE_IO_URING: '1' }, { stayRoot: true }))['goes on as']).toBe('ok root: --stay-root');
  });

  it('root that stays root says why', async () => {
    expect(await said({}, SUDO, { stayRoot: true })).toMatchObject({
      'goes on as': 'ok root: --stay-root',
      keeps: 'ok all that root may',
      '--drop-all': 'skipped changes nothing here',
    });
    expect(await said({}, {}, { records: true })).toMatchObject({
      'goes on as': 'ok root: the history belongs to root: --user NAME drops root',
      keeps: "ok dac_read_search net_raw sys_ptrace; it still owns all that is root's own",
    });
  });

  it('has no Seatbelt', async () => {
    expect((await said({}))['--sandbox']).toBe('skipped is for macOS');
    expect((await said({}, SUDO, { sandbox: true }))['--sandbox']).toMatch(/^no --sandbox is for macOS \| leave it out: /);
  });

  it('in a container root has what it was given', async () => {
    expect(await said({ held: '00000000a80425fb' }, SUDO)).toMatchObject({
      keeps: 'ok net_raw',
      '--drop-all': 'skipped changes nothing: sys_ptrace and dac_read_search are not held',
    });
  });

  it('capabilities of a file stay with the user, and with threads that are there before us', async () => {
    const report = await said({ euid: 1000, held: '000000c000083004' });
    expect(report).toMatchObject({
      'goes on as': 'ok the same user: there is no root to give up',
      keeps: 'ok dac_read_search net_raw sys_ptrace; the threads that Node starts first keep all that the file gave',
      capabilities: 'ok dac_read_search net_admin net_raw sys_ptrace perfmon bpf',
    });
  });

  it('a plain user has nothing to give up', async () => {
    expect(await said({ euid: 1000, held: '0000000000000000' })).toMatchObject({
      keeps: 'ok nothing',
      '--drop-all': 'skipped changes nothing: sys_ptrace and dac_read_search are not held',
      'own files': 'ok can be read',
    });
  });

  it('tells a program in a folder that the user may not enter', async ({ skip }) => {
    const folder = join(fakeRoot({}), 'closed');
    if ((statSync(tmpdir()).mode & 1) === 0) return skip("the folder for temporary files is one user's own here, as on a Mac");
    mkdirSync(join(folder, 'program'), { recursive: true });
    chmodSync(folder, 0o700);
    chmodSync(join(folder, '..'), 0o755);
    const found = (await said({}, SUDO, {}, join(folder, 'program')))['own files'];
    expect(found).toContain(
      `no ann may not enter ${folder}: history can be neither recorded nor read | open it: chmod o+rx ${folder}`,
    );
    chmodSync(folder, 0o711);
    expect((await said({}, SUDO, {}, join(folder, 'program')))['own files']).toBe('ok can be read by ann');
  });
});

describe('on a Mac', () => {
  const MAC = { platform: 'darwin' as const };

  it('nothing is kept but by the root child', async () => {
    expect(await said(MAC, SUDO)).toMatchObject({
      'goes on as': 'ok ann (1000), who called sudo; groups as the directory tells',
      keeps: 'ok nothing; a root child beside it runs tcpdump and lsof',
      '--drop-all': 'skipped changes nothing here',
      '--sandbox': expect.stringMatching(/^skipped not tried: .* would be missing, and no Mac has run it$/),
    });
  });

  it('knows whom --user names, as a run does', async () => {
    const programs = { 'id -P mia': { stdout: 'mia:********:502:20::0:0:Mia:/Users/mia:/bin/zsh\n' } };
    const report = await said({ ...MAC, programs }, {}, { user: 'mia' });
    expect(report['goes on as']).toBe('ok mia (502), as --user says; groups as the directory tells');
  });

  it('a user has nothing', async () => {
    expect(await said({ ...MAC, euid: 501 })).toMatchObject({
      'goes on as': 'ok the same user: there is no root to give up',
      keeps: 'ok nothing',
    });
  });
});
