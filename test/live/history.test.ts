// History as it is used: killed at random moments, on a full disk, read by sqlite3 while it is written, and its sums beside the kernel's.

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { type SaveRequest, saveImage } from '../../src/history/image-save.ts';
import { Recorder } from '../../src/history/recorder.ts';
import { pcapFile } from '../support/capture-writer.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ethernet, ipv4, udp } from '../support/frames.ts';
import { sqlJs } from '../support/history.ts';
import { bytesIn, HistoryFolder, moved } from '../support/history-folder.ts';
import { netnsObstacle, Pair, Running } from '../support/netns.ts';

const children = join(import.meta.dirname, '../bench/children');
const KILLS = Number(process.env['NETMON_KILLS'] ?? 8);
const program = inject('program');

/** Runs a program to its end; its standard output. */
function output(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { encoding: 'utf8', maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${command}: ${error.message} ${stderr}`)),
    );
  });
}

function sqlite3Obstacle(): string | null {
  try {
    execFileSync('sqlite3', ['-version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'needs the program sqlite3';
  }
}

describe('history', () => {
  it(`killed ${KILLS} times at random moments under load opens each time, with all that was confirmed`, async () => {
    const result = JSON.parse(await output(process.execPath, [join(children, 'kills.js'), program.modules, String(KILLS), '3']));
    expect(result).toMatchObject({ kills: KILLS, faults: [] });
    expect(result.foundBytes).toBeGreaterThanOrEqual(result.confirmedBytes);
    expect(result.confirmedBytes).toBeGreaterThan(0);
    expect(result.unconfirmedBatches).toBeLessThan(20); // one, and some more while a save is at work
  }, 600_000);

  it('is read by sqlite3 again and again while it is written, without one error', async ({ skip }) => {
    const obstacle = sqlite3Obstacle();
    if (obstacle !== null) skip(`history: ${obstacle}`);
    const folder = mkdtempSync(join(tmpdir(), 'netmon-reading-'));
    const path = join(folder, 'history.sqlite');
    const recorder: ChildProcess = spawn(process.execPath, [join(children, 'recorder.js'), program.modules, path], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      let errors = '';
      recorder.stderr?.on('data', (text) => {
        errors += text;
      });
      const files = new Set<number>();
      let newest = 0;
      for (let reads = 0; reads < 40 || files.size < 4; ) {
        const stats = statSync(path, { throwIfNoEntry: false });
        if (stats === undefined) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        files.add(stats.mtimeMs); // numbers of files are used again
        const text = await output('sqlite3', [path, 'SELECT SUM(packet_size) FROM connections; PRAGMA quick_check;']);
        expect(text).toMatch(/^\d+\nok\n$/);
        expect(Number.parseInt(text, 10)).toBeGreaterThanOrEqual(newest);
        newest = Number.parseInt(text, 10);
        reads++;
      }
      expect(errors).toBe('');
    } finally {
      recorder.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('on a full disk goes on, says so, and has all when there is room again', async ({ skip }) => {
    const sql = await sqlJs();
    const history = new HistoryFolder(sql);
    const disk = join(history.folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=700', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      history.remove();
      skip('history: a small file system can not be mounted here');
    }
    try {
      const clock = new FakeClock();
      const recorder = new Recorder({
        path: join(disk, 'history.sqlite'),
        owner: null,
        maxBytes: 200e6,
        clock,
        newest: () => clock.now(),
        takeLock: () => ({ held: { release: () => undefined } }),
        asOwner: <T>(work: () => T) => work(),
        runSave: async (request: SaveRequest) => saveImage(sql, request),
        onBegin: () => undefined,
      });
      recorder.offer(moved(1));
      await recorder.work();
      await recorder.save();
      const { bavail, bsize } = statfsSync(disk);
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(bavail * bsize - 32_768)); // there is room for records, but for no image
      recorder.offer(moved(10));
      await recorder.save();
      expect(recorder.status).toMatchObject({
        state: 'recording',
        note: expect.stringContaining('no space is left on the device; safe in the journal'),
      });
      expect(readdirSync(disk)).not.toContain('history.sqlite.new');
      try {
        writeFileSync(join(disk, 'more'), Buffer.alloc(150_000)); // now the journal has no room either
      } catch {
        // as full as can be
      }
      for (let i = 0; i < 40; i++) {
        recorder.offer(moved(100));
        clock.pass(60_000);
        await recorder.work();
      }
      expect([recorder.isBehind, recorder.status.state]).toEqual([true, 'failing']);
      rmSync(join(disk, 'ballast'));
      rmSync(join(disk, 'more'));
      clock.pass(16 * 60_000);
      await recorder.work();
      await recorder.close();
      expect([recorder.status.state, recorder.status.note]).toEqual(['recording', '']);
      expect(bytesIn(sql, join(disk, 'history.sqlite'))).toBe(4011);
      expect(readdirSync(disk).filter((name) => name.includes('pending'))).toEqual([]);
    } finally {
      execFileSync('umount', [disk]);
      history.remove();
    }
  });

  it('of a capture file has its packets at their own times, whichever way it is played', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'netmon-played-'));
    try {
      const began = Date.UTC(2026, 9, 31, 23, 58, 30);
      const records = Array.from({ length: 40 }, (_, i) => ({
        time: began + i * 5000,
        data: ethernet({}, ipv4({ src: '192.168.1.5', dst: '198.51.100.2' }, udp({ sport: 4000 + i }, 'x'.repeat(72)))),
      }));
      const capture = join(folder, 'capture.pcap');
      writeFileSync(capture, pcapFile({ records }));
      for (const [name, ...words] of [
        ['once', '--once'],
        ['samples', '--speed', '0'],
        ['long', '--speed', '0', '--interval', '2m'],
      ]) {
        const path = join(folder, name as string);
        await output(process.execPath, [program.bin, '--read', capture, '--json', `--history=${path}`, ...words]);
        const byMinute = 'SELECT time, SUM(packet_size), SUM(packets) FROM connections GROUP BY time ORDER BY time';
        expect((await output('sqlite3', [path, byMinute])).trim().split('\n')).toEqual([
          '2026-10-31T23:58:00Z|600|6',
          '2026-10-31T23:59:00Z|1200|12',
          '2026-11-01T00:00:00Z|1200|12',
          '2026-11-01T00:01:00Z|1000|10',
        ]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("of a run sums to the run's total and to what the interface counted", async ({ skip }) => {
    const obstacle = netnsObstacle('curl') ?? sqlite3Obstacle();
    if (obstacle !== null) skip(`history: ${obstacle}`);
    const pair = new Pair();
    const folder = mkdtempSync(join(tmpdir(), 'netmon-sums-'));
    try {
      const path = join(folder, 'history.sqlite');
      const serve =
        "require('node:http').createServer((_, r) => r.end(Buffer.alloc(300000))).listen(8000, '10.99.0.2', () => console.log(1))";
      const server = pair.start(pair.far, process.execPath, ['-e', serve]);
      await new Promise((resolve) => server.stdout.once('data', resolve));
      const args = [program.bin, '--json', '--interval', '300ms', '-i', 'va', `--history=${path}`];
      const run = new Running(pair.start(pair.near, process.execPath, args));
      await run.until(() => run.samples.length > 0, 'the first sample');
      for (let i = 0; i < 5; i++) {
        pair.run(pair.near, 'curl -s -o /dev/null http://10.99.0.2:8000/');
        pair.datagrams(pair.far, '10.99.0.1', 30);
        const seen = run.samples.length;
        await run.until(() => run.samples.length > seen + 1, 'samples of them');
      }
      // A signal has the file written at once, in the middle of the run.
      expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
      process.kill(Number(readFileSync(`${path}.lock`, 'latin1')), 'SIGUSR1');
      await run.until(() => statSync(path, { throwIfNoEntry: false }) !== undefined, 'the file that was asked for');
      await run.until(() => run.last.capture?.interface_bytes === run.last.capture?.frame_bytes, 'all bytes');
      expect(await run.interrupt()).toBe(130);
      const { total, capture, apps } = run.last;
      const sum = 'SELECT SUM(packet_size), SUM(packets) FROM connections';
      const [bytes, packets] = (await output('sqlite3', [path, sum])).trim().split('|').map(Number);
      expect(bytes).toBe(total.rx_bytes + total.tx_bytes);
      expect(packets).toBe(capture.packets);
      expect((bytes as number) + 14 * (packets as number)).toBe(capture.interface_bytes);
      const curl = apps.find(({ app }) => app === 'curl');
      const byApp = await output('sqlite3', [path, "SELECT SUM(packet_size) FROM connections WHERE app_name = 'curl'"]);
      expect(Number(byApp)).toBe((curl?.rx_bytes ?? 0) + (curl?.tx_bytes ?? 0));
      expect(Number(await output('sqlite3', [path, 'SELECT COUNT(*) FROM flows']))).toBeGreaterThanOrEqual(6);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(run.stderr).toBe('');
    } finally {
      pair.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
