import { chmodSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { NetmonError } from '../../../src/model/errors.ts';
import type { LogLevel } from '../../../src/model/options.ts';
import { LogFile, loggedEdges } from '../../../src/system/log.ts';
import { fakeEdges } from '../../support/fake-edges.ts';

const folder = mkdtempSync(join(tmpdir(), 'netmon-log-'));
const path = join(folder, 'netmon.log');
const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6), monotonic: () => 0 };
const TIME = '2026-01-02T03:04:05.006Z';
const open = (level: LogLevel = 'info', mostBytes?: number) => LogFile.open({ path, level, owner: null }, clock, mostBytes);
const text = () => readFileSync(path, 'utf8');

beforeEach(() => rmSync(path, { force: true, recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a log', () => {
  it('writes time and level in each line, and nothing below its level', () => {
    const log = open('warn');
    for (const level of ['error', 'warn', 'info', 'debug'] as const) log.write(level, `a ${level}`);
    expect(text()).toBe(`${TIME} error a error\n${TIME} warn  a warn\n`);
  });

  it('is readable by its user only, and appends', () => {
    writeFileSync(path, 'before\n', { mode: 0o644 });
    open().write('info', 'after');
    expect(text()).toBe(`before\n${TIME} info  after\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('escapes line breaks and control characters', () => {
    open().write('info', `one\ntwo \u001b[2J\u202e${'x'.repeat(2000)}`);
    expect(text()).toBe(`${TIME} info  one\n    two [2J${'x'.repeat(2000)}\n`);
  });

  it('stops at its limit, says so in its last line, and starts over the next time', () => {
    const log = open('info', 1000);
    for (let i = 0; i < 100; i++) log.write('info', `line ${i}`);
    const lines = text().split('\n');
    expect(statSync(path).size).toBeLessThanOrEqual(1000);
    expect(lines.at(-2)).toBe(`${TIME} warn  the log is full and ends here`);
    expect(lines.at(-3)).toMatch(/line \d+$/);
    writeFileSync(path, 'x'.repeat(950));
    open('info', 1000).write('info', 'anew');
    expect(text()).toBe(`${TIME} info  anew\n`);
  });

  it('is silent once it is closed', () => {
    const log = open();
    log.close();
    log.close();
    log.write('error', 'late');
    expect(text()).toBe('');
  });

  it.each<[string, () => void, string]>([
    ['a symbolic link', () => symlinkSync(join(folder, 'target'), path), 'it is a symbolic link'],
    ['a folder', () => mkdirSync(path), 'EISDIR'],
    ['a file with another hard link', () => linkSync(other(), path), 'it has another hard link'],
  ])('refuses %s', (_, make, reason) => {
    make();
    expect(open).toThrow(NetmonError);
    expect(open).toThrow(`: ${reason}`);
  });

  it.skipIf(process.getuid?.() !== 0)('refuses the file of another user, and gives its own to its user', async () => {
    const { chownSync } = await import('node:fs');
    writeFileSync(path, '');
    chownSync(path, 4711, 4711);
    expect(open).toThrow('it belongs to another user');
    rmSync(path);
    chmodSync(folder, 0o755);
    chownSync(folder, 4711, 4711);
    LogFile.open({ path, level: 'info', owner: { uid: 4711, gid: 4712 } }, clock).write('info', 'x');
    expect(statSync(path)).toMatchObject({ uid: 4711, gid: 4712 });
    chownSync(folder, 0, 0);
  });
});

function other(): string {
  const file = join(folder, 'other');
  writeFileSync(file, '');
  return file;
}

describe('programs', () => {
  it('are logged when they fail, and their output only at debug level', async () => {
    const programs = {
      'route -n': { status: 1, stderr: 'no route to 192.0.2.1\n' },
      'ps -x': { status: null, cut: 'time' as const },
      'lsof -F': { status: null, failure: 'ENOENT' },
      'arp -a': { status: 0, stdout: 'fine' },
    };
    const run = async (level: LogLevel) => {
      const lines: string[] = [];
      const edges = loggedEdges(fakeEdges({ platform: 'darwin', programs }), {
        level,
        write: (at, line) => (at === 'debug' && level !== 'debug' ? undefined : lines.push(`${at} ${line}`)),
      });
      const { route, ps, lsof, arp } = edges.paths;
      const limits = { timeoutMs: 1, maxBytes: 1 };
      await edges.run(route, ['-n'], limits);
      await edges.run(ps, ['-x'], limits);
      await edges.run(lsof, ['-F'], limits);
      await edges.run(arp, ['-a'], limits);
      return lines;
    };
    expect(await run('info')).toEqual([
      'warn route: ended with status 1',
      'warn ps: killed, because it took too long',
      "warn lsof: can't be run: ENOENT",
    ]);
    expect(await run('debug')).toContain('debug route -n: no route to 192.0.2.1');
  });
});
