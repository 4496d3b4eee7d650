import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemEdges } from '../../../src/system/programs.ts';

const LIMITS = { timeoutMs: 20_000, maxBytes: 1 << 20 };
const edges = systemEdges();

function script(body: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'netmon-edges-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('run', () => {
  it('gives status and both outputs', async () => {
    const result = await edges.run(script('echo out; echo err >&2; exit 3'), [], LIMITS);
    expect(result).toEqual({ status: 3, stdout: 'out\n', stderr: 'err\n', cut: null, failure: null });
  });

  it('passes arguments unchanged, without a shell', async () => {
    const result = await edges.run(script('printf "%s|" "$@"'), ['$(id)', 'a b', '*'], LIMITS);
    expect(result.stdout).toBe('$(id)|a b|*|');
  });

  it('sets a fixed environment and no standard input', async () => {
    process.env['NETMON_LEAK'] = 'yes';
    const result = await edges.run(script('env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort; cat'), [], LIMITS);
    delete process.env['NETMON_LEAK'];
    expect(result.stdout).toBe('LC_ALL=C\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\nTZ=UTC0\n');
  });

  it('gives lsof a locale that prints names', async () => {
    const lsof = script('echo "$LC_ALL"');
    expect((await systemEdges({ lsof }).run(lsof, [], LIMITS)).stdout).toMatch(/UTF-8\n$/);
  });

  it('says why a program never started', async () => {
    expect(await edges.run('/nonexistent/program', [], LIMITS)).toMatchObject({ status: null, failure: 'ENOENT' });
    const plain = script('');
    chmodSync(plain, 0o644);
    expect(await edges.run(plain, [], LIMITS)).toMatchObject({ status: null, failure: 'EACCES' });
    expect((await edges.run(script(''), ['a\0b'], LIMITS)).failure).not.toBeNull();
  });

  it('keeps characters that span two chunks', async () => {
    const result = await edges.run(script(`printf '\\303'; sleep 0.05; printf '\\251'`), [], LIMITS);
    expect(result.stdout).toBe('é');
  });

  it('drains more than a pipe holds, on both pipes', async () => {
    const body = 'head -c 300000 /dev/zero | tr "\\0" x; head -c 300000 /dev/zero | tr "\\0" y >&2';
    const result = await edges.run(script(body), [], LIMITS);
    expect([result.stdout.length, result.stderr.length, result.status]).toEqual([300_000, 300_000, 0]);
  });

  it('kills what prints too much and keeps the beginning', async () => {
    const result = await edges.run(script('exec yes'), [], { timeoutMs: 20_000, maxBytes: 10_000 });
    expect(result.cut).toBe('size');
    expect(result.status).toBeNull();
    expect(result.stdout.length).toBe(10_000);
  });

  it('kills what hangs, also when it ignores signals', async () => {
    const result = await edges.run(script('trap "" TERM INT; echo begun; exec sleep 1000'), [], {
      timeoutMs: 2000, // a busy machine needs this long to start a shell
      maxBytes: 1000,
    });
    expect(result).toMatchObject({ cut: 'time', status: null, stdout: 'begun\n' });
  });

  it('returns even if a grandchild holds the pipes', async () => {
    const hanging = await edges.run(script('sleep 5 & wait'), [], { timeoutMs: 300, maxBytes: 1000 });
    expect(hanging.cut).toBe('time');
    const ended = await edges.run(script('echo done; sleep 5 & exit 4'), [], LIMITS);
    expect(ended).toMatchObject({ status: 4, stdout: 'done\n', cut: null });
  });
});

describe('spawn', () => {
  it('starts without standard input and with both pipes', async () => {
    const child = edges.spawn(script('cat; echo end; echo err >&2'), []);
    expect(child.stdin).toBeNull();
    const ends = await Promise.all([child.stdout?.toArray(), child.stderr?.toArray()]);
    expect(ends.map((chunks) => Buffer.concat(chunks ?? []).toString())).toEqual(['end\n', 'err\n']);
  });
});

describe('systemEdges', () => {
  it('names programs by absolute paths only', () => {
    for (const path of Object.values(edges.paths)) expect(path).toMatch(/^\//);
  });
});
