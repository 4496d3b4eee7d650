import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { historySteps } from '../../../../src/cli/doctor/history.ts';
import { answerOf } from '../../../../src/cli/doctor/step.ts';
import { HistoryDatabase } from '../../../../src/history/database.ts';
import { openHistory } from '../../../../src/history/query/reader.ts';
import type { SqlEngine } from '../../../../src/history/sqljs/engine.ts';
import { MetricsListener } from '../../../../src/messenger/metrics-listener.ts';
import type { ExportRecords } from '../../../../src/model/export.ts';
import { systemFiles } from '../../../../src/system/files.ts';
import { sqlEngines } from '../../../support/history.ts';
import { localThreads } from '../../../support/reader-thread.ts';
import { sampleHistory } from '../../../support/sample-history.ts';

const home = mkdtempSync(join(tmpdir(), 'netmon-doctor-'));
const path = join(home, '.local/share/netmon-tui/history.sqlite');
const engines = await sqlEngines();
const [[, sql], [, another]] = engines as [[string, SqlEngine], [string, SqlEngine]];
const image = sampleHistory(sql, 2, Date.UTC(2026, 10, 20));
afterAll(() => rmSync(home, { recursive: true }));
beforeEach(() => {
  rmSync(join(home, '.local'), { recursive: true, force: true });
});

function write(mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, image);
  chmodSync(path, mode);
}

async function ask(isHeld = false, env: Record<string, string> = {}, engine = sql): Promise<string[]> {
  const around = {
    platform: 'linux' as const,
    env: { HOME: home, ...env },
    euid: process.geteuid?.() ?? 0,
    passwd: () => '',
    files: systemFiles,
  };
  const steps = historySteps({
    around,
    open: (file) => openHistory(file, localThreads(engine)),
    flock: () => Promise.resolve(() => !isHeld),
  });
  const lines: string[] = [];
  for (const step of steps) {
    const { result, detail } = await answerOf(step, 5000);
    lines.push(`${step.name} ${result}: ${detail.replaceAll(path, 'FILE')}`);
  }
  return lines;
}

describe('the doctor about history', () => {
  it('finds none, and makes none', async () => {
    expect(await ask()).toEqual([
      'history ok: none in FILE; recording is off unless asked for',
      'recorder skipped: no history',
      'records skipped: no history',
      'exports skipped: nothing is sent to an engine: [export] is not set',
    ]);
    expect(readdirSync(home)).toEqual([]);
  });

  it('tells size, times, who records and what waits', async () => {
    write();
    writeFileSync(`${path}.lock`, '4711\n');
    writeFileSync(`${path}.pending-3`, '');
    const [file, recorder, records] = await ask(true, { NETMON_HISTORY: '1' });
    expect(file).toMatch(/^history ok: FILE, [\d.]+ kB, written \d{4}-\d\d-\d\d \d\d:\d\d; recording is on by NETMON_HISTORY$/);
    expect(recorder).toBe('recorder ok: pid 4711 records; 0 B are pending');
    expect(records).toMatch(/^records ok: it opens; recorded from 2026-11-1\d \d\d:\d\d to 2026-11-\d\d \d\d:\d\d$/);
    expect((await ask(false))[1]).toBe('recorder ok: none; 0 B are pending');
  });

  it('tells how far engines got', async () => {
    const config = join(home, 'engines.toml');
    const settings = ['clickhouse.url = "http://db.example/"', 'otlp.url = "https://otel.example/"'].map(
      (line) => `export.${line}`,
    );
    writeFileSync(config, settings.join('\n'), { mode: 0o600 });
    const exports = async () => (await ask(false, { NETMON_CONFIG: config }))[3];
    expect(await exports()).toBe('exports skipped: no history, which is what is sent');
    const history = HistoryDatabase.create(sql);
    const minute = Date.UTC(2026, 10, 20) / 60_000;
    const queue = (at: number, marks: ExportRecords['marks'] = []) =>
      ({ minute, entries: [], flows: [], unlogged: 0, exports: { cut: { run: 1, minute: at }, marks } }) as const;
    history.apply(1, queue(minute));
    history.apply(2, queue(minute + 10, [{ engine: 'clickhouse', cut: 2, section: 0, after: 0 }]));
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, history.image(), { mode: 0o600 });
    expect(await exports()).toMatch(
      /^exports no: clickhouse: has all up to 2026-11-\d\d \d\d:\d\d, not encrypted, 10 min behind; otlp: nothing sent yet$/,
    );
    history.apply(3, queue(minute + 11, [{ engine: 'clickhouse', cut: 3, section: 0, after: 0 }]));
    writeFileSync(path, history.image(), { mode: 0o600 });
    expect(await exports()).toMatch(/^exports ok: clickhouse: has all up to .*, 1 min behind; otlp: nothing sent yet$/);
  });

  it('tells who answers where Prometheus asks', async () => {
    const config = join(home, 'engines.toml');
    const clock = { now: () => 0, monotonic: () => 0 };
    const listener: MetricsListener = await new Promise((resolve) => {
      const made: MetricsListener = new MetricsListener({ address: '127.0.0.1', port: 0 }, clock, () => resolve(made));
    });
    const { port } = listener;
    const told = async (more = '') => {
      writeFileSync(config, `${more}export.prometheus.listen = "127.0.0.1:${port}"`, { mode: 0o600 });
      return (await ask(false, { NETMON_CONFIG: config }))[3];
    };
    expect(await told()).toBe(`exports ok: prometheus: netmon-tui answers on port ${port}`);
    listener.close();
    expect(await told()).toBe(`exports ok: prometheus: port ${port} is free until a run listens there`);
    expect(await told('export.otlp.url = "https://otel.example/"\n')).toBe(
      `exports skipped: no history, which is what is sent; prometheus: port ${port} is free until a run listens there`,
    );
    const other = createServer((_, response) => response.end('hello')).listen(port, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    expect(await told()).toBe(`exports no: prometheus: another program uses port ${port}`);
    other.close();
    other.closeAllConnections();
  });

  it('tells that sql.js is another build', async () => {
    write();
    expect((await ask(false, {}, another))[2]).toMatch(
      /^records ok: it opens; recorded from .*; this build of sql\.js is not .* npm ci/,
    );
  });

  it('tells what may not be trusted, or is broken', async () => {
    write(0o644);
    expect((await ask())[0]).toBe('history no: FILE is open to other users');
    write();
    writeFileSync(path, 'no database at all, but long enough to be read as one'.repeat(100));
    expect((await ask())[2]).toMatch(/^records no: .*FILE/);
    rmSync(path);
    symlinkSync('/etc/passwd', path);
    expect((await ask())[0]).toBe('history no: FILE is a symbolic link');
  });

  it('does not fall over a broken configuration', async () => {
    expect((await ask(false, { NETMON_HISTORY: 'perhaps' }))[0]).toMatch(/^history no: NETMON_HISTORY="perhaps" is not/);
  });
});
