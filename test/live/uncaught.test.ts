// What nobody caught, in the running program: history is written, the terminal is given back, then comes the message. It replays a file,
// so that it needs no rights.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { pcapFile } from '../support/capture-writer.ts';
import { ethernet, ipv4, udp } from '../support/frames.ts';
import { sqlJs } from '../support/history.ts';
import { bytesIn } from '../support/history-folder.ts';
import { Pty, ptyObstacle } from '../support/pty.ts';

const reason = ptyObstacle();
const NOON = Date.UTC(2026, 0, 31, 14, 3, 22);
const THEME = fileURLToPath(new URL('../../themes/dusk.theme', import.meta.url));
const LEAVES_SCREEN = '\x1b[?1049l';
const SHOWS_CURSOR = '\x1b[?25h';

describe('what nobody caught', () => {
  let folder: string;
  let capture: string;
  const program = inject('program');

  beforeAll(() => {
    if (reason !== null) return;
    folder = mkdtempSync(join(tmpdir(), 'netmon-uncaught-'));
    capture = join(folder, 'capture.pcap');
    const frame = ethernet(
      {},
      ipv4({ src: '198.51.100.7', dst: '10.0.0.1' }, udp({ sport: 443, dport: 5000 }, new Uint8Array(500))),
    );
    writeFileSync(capture, pcapFile({ records: Array.from({ length: 6000 }, (_, i) => ({ time: NOON + i * 50, data: frame })) }));
  });
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(({ skip }) => {
    if (reason !== null) skip(`uncaught: ${reason}`);
  });

  it.each([
    ['an error', 'thrown', 'throw new Error("boom")'],
    ['a rejected promise', 'rejected', 'Promise.reject(new Error("boom"))'],
  ])('%s on the screen', async (_, name, act) => {
    const path = join(folder, `${name}.sqlite`);
    const preload = `import { isMainThread } from 'node:worker_threads'; if (isMainThread) process.on('SIGUSR2', () => { ${act}; });`;
    const script = join(folder, `${name}.mjs`);
    writeFileSync(script, `${preload}\nawait import(${JSON.stringify(pathToFileURL(program.bin))});\n`);
    const screen = ['-r', capture, '--theme', THEME, `--history=${path}`];
    const env = { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, TMUX: undefined, STY: undefined, LANG: 'C.UTF-8' };
    const pty = new Pty([process.execPath, script, ...screen], {
      columns: 80,
      rows: 24,
      env: { ...env, TERM: 'xterm-256color' },
    });
    try {
      await pty.until(() => pty.text.includes('198.51.100.7'), 'rows');
      pty.signal('SIGUSR2');
      expect(await pty.status).toBe(1);
      const message = pty.log.indexOf('netmon-tui: internal error: boom');
      expect(message).toBeGreaterThan(0);
      for (const sequence of [LEAVES_SCREEN, SHOWS_CURSOR]) {
        const at = pty.log.lastIndexOf(sequence);
        expect([sequence, at > 0 && at < message]).toEqual([sequence, true]);
      }
      expect(pty.isTaken).toBe(false);
      expect(bytesIn(await sqlJs(), path)).toBeGreaterThan(0);
    } finally {
      await pty.end();
    }
  });
});
