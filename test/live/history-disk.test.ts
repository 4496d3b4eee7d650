// History on a disk that is full or read-only, and beside a file of somebody else, by the program itself: what it says last, and what is there then.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { pcapFile } from '../support/capture-writer.ts';
import { ethernet, ipv4, udp } from '../support/frames.ts';

const NOON = Date.UTC(2026, 0, 31, 14, 3, 22);
const PACKETS = 40;

/** Why no file system can be mounted here; null when all is well. */
function mountObstacle(): string | null {
  const made = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none /mnt'], { stdio: 'ignore' });
  return made.status === 0 ? null : 'needs root and a mount namespace';
}

describe('history', () => {
  const reason = mountObstacle();
  let folder: string;
  let disk: string;
  const program = inject('program');

  beforeAll(() => {
    if (reason !== null) return;
    folder = mkdtempSync(join(tmpdir(), 'netmon-disk-'));
    disk = join(folder, 'disk');
    mkdirSync(disk);
    const data = ethernet({}, ipv4({ src: '198.51.100.7', dst: '10.0.0.1' }, udp({ sport: 443, dport: 5000 }, 'x'.repeat(72))));
    const records = Array.from({ length: PACKETS }, (_, i) => ({ time: NOON + i * 1000, data }));
    writeFileSync(join(folder, 'capture.pcap'), pcapFile({ records }));
  });
  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(({ skip }) => {
    if (reason !== null) skip(`history on bad disks: ${reason}`);
  });

  /** Runs a script in which `$1 ...` is the program on the capture, recording; `/` of the mounts is the test's alone. */
  function onDisk(script: string) {
    const history = `--history=${join(disk, 'h.sqlite')}`;
    const words = [process.execPath, program.bin, '-r', join(folder, 'capture.pcap'), '--json', '--speed', '0', history];
    const { status, stderr, stdout } = spawnSync('unshare', ['-m', 'sh', '-c', `cd '${disk}' && ${script}`, 'sh', ...words], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { status, stderr, stdout };
  }

  it('on a full disk: it says so last, and the next run brings in what was recorded', () => {
    const ask = `"$1" "$2" query 'SELECT SUM(packets) AS packets FROM connections' --history='${disk}/h.sqlite' --json`;
    const mount = `mount -t tmpfs -o size=256k,mode=700 none '${disk}' && cd '${disk}' && head -c 241000 /dev/zero > ballast`;
    const { status, stderr, stdout } = onDisk(
      `${mount} && "$@" > /dev/null && echo first >&2 && rm ballast && "$@" > /dev/null && ${ask}`,
    );
    const [said, ...after] = stderr.split('\nfirst\n');
    expect(said).toMatch(/^netmon-tui: history: .*: no space is left on the device; the next run brings in what was recorded$/);
    expect([status, after]).toEqual([0, ['']]);
    expect(JSON.parse(stdout)).toMatchObject({ rows: [[2 * PACKETS]] });
  });

  it('on a read-only disk: it runs, and says that nothing was recorded', () => {
    const { status, stderr } = onDisk(`mount -t tmpfs -o ro none '${disk}' && "$@" > /dev/null`);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^netmon-tui: history: nothing was recorded: .*: the file system is read-only\n$/);
  });

  it('beside a file that is none: the file is left alone', () => {
    const { status, stderr, stdout } = onDisk(
      `mount -t tmpfs none '${disk}' && cd '${disk}' && echo hello > h.sqlite && "$@" > /dev/null; cat h.sqlite`,
    );
    expect([status, stdout]).toEqual([0, 'hello\n']);
    expect(stderr).toMatch(/not a history of netmon-tui; it is left alone and nothing is recorded/);
  });
});
