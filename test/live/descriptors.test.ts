// A process may have half a million descriptors (systemd allows so many): the thread that reads /proc must have room for them.

import { existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, inject, it } from 'vitest';
import type { ExecWatch as Watch } from '../../src/identify/process/linux/exec-watch.ts';

/** A file system in memory: a folder of so many names takes a second there. */
const MEMORY = '/dev/shm';
const DESCRIPTORS = 524_288;
const NET_RAW = 1n << 13n;

it.runIf(existsSync(MEMORY))(
  'all sockets of a process with half a million descriptors are told',
  async () => {
    const module = join(inject('program').modules, 'identify/process/linux/exec-watch.js');
    const { ExecWatch } = (await import(pathToFileURL(module).href)) as { ExecWatch: typeof Watch };
    const proc = mkdtempSync(join(MEMORY, 'netmon-descriptors-'));
    const folder = join(proc, '7/fd');
    const watch = new ExecWatch(proc, '/etc/passwd', null);
    try {
      mkdirSync(folder, { recursive: true });
      symlinkSync('socket:[77]', join(folder, '0'));
      for (let i = 1; i < DESCRIPTORS; i++) linkSync(join(folder, '0'), join(folder, String(i)));
      await watch.opened();
      watch.lower(NET_RAW); // from now on the thread is asked
      let found = 0;
      for (const inode of watch.sockets(7)) if (inode === 77) found++;
      expect([found, watch.note]).toEqual([DESCRIPTORS, expect.not.stringContaining('answer')]);
    } finally {
      watch.close();
      rmSync(proc, { recursive: true, force: true });
    }
  },
  120_000,
);
