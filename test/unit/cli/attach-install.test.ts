// Copying the program to another machine: asked first, only where it can run, and never over what somebody else put there.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type InstallIo, installAt, uninstallAt } from '../../../src/cli/attach-install.ts';

const SAME = `${process.platform === 'darwin' ? 'Darwin' : 'Linux'} ${process.arch === 'x64' ? 'x86_64' : 'arm64'}`;

/** A host on which commands do nothing, and what came to it. */
function host(probe: string, answer: string | null, status = 0, stderr = '') {
  const ran: { command: string; files: boolean }[] = [];
  const said: string[] = [];
  const io: InstallIo = {
    run: async (_host, command, files) => {
      ran.push({ command, files });
      return { status, stdout: ran.length === 1 ? probe : '', stderr };
    },
    ask: answer === null ? null : async () => answer,
    say: (text) => said.push(text),
    version: '1.2.3',
    platforms: [`${process.platform}_${process.arch}`],
  };
  return { io, ran, said };
}

test('copies its files once somebody says yes', async () => {
  const { io, ran, said } = host(`${SAME}\n22.1.0\n`, 'y');
  expect(await installAt(['mac1'], false, io)).toBe(0);
  expect(ran.map(({ files }) => files)).toEqual([false, true]);
  expect(said).toEqual(['netmon-tui is in ~/.netmon-tui on mac1. To see it: netmon-tui attach mac1']);
});

test.each(['', 'n', 'no'])('copies nothing after %j', async (answer) => {
  const { io, ran } = host(`${SAME}\n22.1.0\n`, answer);
  expect(await installAt(['mac1'], false, io)).toBe(0);
  expect(ran).toHaveLength(1);
});

test('copies nothing where nobody can be asked', async () => {
  const { io } = host(`${SAME}\n22.1.0\n`, null);
  await expect(installAt(['mac1'], false, io)).rejects.toThrow('nobody can be asked');
});

test.each([
  [`${SAME}\nnone\n`, 'mac1 has no node, and 20.19 or newer is needed'],
  [`${SAME}\n18.20.0\n`, 'mac1 has node 18.20.0, and 20.19 or newer is needed'],
  ['Plan9 mips\n22.1.0\n', 'this copy of netmon-tui has no library for mac1 (Plan9 mips)'],
])('refuses a machine that says %j', async (probe, reason) => {
  const { io, ran } = host(probe, 'y');
  await expect(installAt(['mac1'], false, io)).rejects.toThrow(reason);
  expect(ran).toHaveLength(1);
});

test('says why a machine could not be reached, and what to type', async () => {
  const { io } = host('', 'y', 255, 'Host key verification failed.');
  await expect(uninstallAt(['mac1'], true, io)).rejects.toMatchObject({
    message: 'mac1: its host key is not known here',
    hint: 'type: ssh mac1',
  });
});

test('its commands leave a folder alone that it did not make', async () => {
  const home = mkdtempSync(join(tmpdir(), 'netmon-install-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const said: string[] = [];
  const io: InstallIo = {
    ...host('', 'y').io,
    say: (text) => said.push(text),
    run: async (_host, command, files) => {
      const input = files ? spawnSync('tar', ['-czf', '-', '-C', import.meta.dirname, '.']).stdout : '';
      const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { env: { ...process.env, HOME: home }, input });
      const isProbe = command.includes('uname');
      return { status, stdout: isProbe ? `${SAME}\n22.1.0\n` : stdout.toString(), stderr: stderr.toString() };
    },
  };
  const own = join(home, '.netmon-tui');
  mkdirSync(own);
  writeFileSync(join(own, 'mine'), '');
  await expect(installAt(['mac1'], true, io)).rejects.toThrow('was not made by attach --install');
  await expect(uninstallAt(['mac1'], true, io)).rejects.toThrow('was not made by attach --install');
  expect(existsSync(join(own, 'mine'))).toBe(true);
  rmSync(own, { recursive: true });
  for (let twice = 0; twice < 2; twice++) expect(await installAt(['mac1'], true, io)).toBe(0);
  expect(existsSync(join(own, 'attach-install.test.ts'))).toBe(true);
  expect(await uninstallAt(['mac1'], true, io)).toBe(0);
  expect(existsSync(own)).toBe(false);
  expect(await uninstallAt(['mac1'], true, io)).toBe(0);
  expect(said.slice(-2)).toEqual(['~/.netmon-tui is gone from mac1', 'there is no ~/.netmon-tui on mac1']);
});
