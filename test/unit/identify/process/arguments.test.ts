import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { argumentsOf } from '../../../../src/identify/process/arguments.ts';
import { procAt } from '../../../../src/identify/process/linux/procfs/proc.ts';
import { readProcess } from '../../../../src/identify/process/linux/procfs/process.ts';

const proc = mkdtempSync(join(tmpdir(), 'netmon-arguments-'));
const writers: number[] = [];

afterAll(() => {
  for (const writer of writers) closeSync(writer); // ends the waiting reads
  rmSync(proc, { recursive: true, force: true });
});

/** A Python process whose arguments never arrive: an open pipe stands in for locked memory. */
function addStuck(pid: number): void {
  const folder = join(proc, String(pid));
  mkdirSync(folder);
  writeFileSync(join(folder, 'stat'), `${pid} (python3) S 1 ${'0 '.repeat(17)}77 0`);
  execFileSync('mkfifo', [join(folder, 'cmdline')]);
  writers.push(openSync(join(folder, 'cmdline'), 'r+'));
}

test.runIf(process.platform === 'linux')('a process whose arguments can not be read holds nobody up', () => {
  mkdirSync(join(proc, '1'));
  writeFileSync(join(proc, '1', 'cmdline'), 'python3\0backup.py\0');
  expect(argumentsOf(join(proc, '1'))).toBe('python3\0backup.py\0');

  addStuck(100);
  expect(readProcess(procAt(proc), 100)).toMatchObject({ name: 'python3', script: null });
  expect(argumentsOf(join(proc, '1')), 'the next one is read').toBe('python3\0backup.py\0');

  for (let pid = 101; pid < 116; pid++) addStuck(pid);
  for (let pid = 101; pid < 116; pid++) expect(argumentsOf(join(proc, String(pid)))).toBe('');
  expect(argumentsOf(join(proc, '1')), 'after 16 that hung').toBe('');
});

test('what is gone has no arguments', () => {
  expect(argumentsOf(join(proc, '2'))).toBe('');
});
