// Whether the user came over SSH, though sudo clears the environment.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { isOverSsh } from '../../../../src/identify/process/ssh.ts';
import { fakeEdges } from '../../../support/fake-edges.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Edges of a Linux machine with these processes: pid, parent, name. */
function linux(processes: readonly (readonly [number, number, string])[]) {
  const proc = mkdtempSync(join(tmpdir(), 'netmon-ssh-'));
  folders.push(proc);
  for (const [pid, parent, name] of processes) {
    mkdirSync(join(proc, String(pid)));
    writeFileSync(join(proc, String(pid), 'stat'), `${pid} (${name}) S ${parent} ${'0 '.repeat(20)}`);
  }
  const edges = fakeEdges({ platform: 'linux' });
  return { ...edges, paths: { ...edges.paths, proc } };
}

const UNDER = [
  [400, 300, 'sudo'],
  [500, 400, 'node'],
] as const;

it.each([
  ['sshd', true],
  ['sshd-session', true],
  ['dropbear', true],
  ['gnome-terminal-', false],
  ['ssh-agent', false],
] as const)('under %s: %s', async (name, is) => {
  expect(await isOverSsh(linux([[1, 0, 'systemd'], [300, 1, name], ...UNDER]), {}, 500)).toBe(is);
});

it('is known from the environment alone, and is no where nothing can be known', async () => {
  expect(await isOverSsh(linux([]), { SSH_CONNECTION: '192.0.2.1 50000 192.0.2.2 22' }, 500)).toBe(true);
  expect(await isOverSsh(linux([]), {}, 500)).toBe(false);
  expect(await isOverSsh(linux([[300, 400, 'a'], ...UNDER]), {}, 500)).toBe(false); // a circle
  expect(await isOverSsh(fakeEdges({ platform: 'darwin' }), {}, 500)).toBe(false); // no ps
});
