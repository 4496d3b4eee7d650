// Packets behind alerts: what was kept before and what followed, in a folder that stays small and holds what others put there.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Evidence } from '../../../src/app/evidence.ts';
import { PacketBatch } from '../../../src/capture/batch.ts';
import { PcapngReader } from '../../../src/capture/file/pcapng.ts';
import { InterfaceTable } from '../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../src/capture/process-names.ts';
import type { Alert } from '../../../src/model/alert.ts';
import { DIRECTION } from '../../../src/net/numbers.ts';
import type { Kept } from '../../../src/packets/kept-flows.ts';
import { alertOf } from '../../support/alerts.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeSource, monitorOver } from '../../support/fake-source.ts';
import { ethernet, ipv4, udp } from '../../support/frames.ts';

const T0 = Date.UTC(2026, 0, 31, 14, 3, 22);
const HOUR = 3_600_000;
const SPORT_AT = 34;
const to = (sport: number, dst: string) => ethernet({}, ipv4({ src: '10.0.0.1', dst }, udp({ sport, dport: 9999 }, 'x')));

let folder = '';
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  folder = join(mkdtempSync(join(tmpdir(), 'netmon-evidence-')), 'data', 'packets');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(join(folder, '..', '..'), { recursive: true, force: true });
});

/** Packets of curl (from ports below 2000) and of wget, and what freezes them. */
function watching(maxBytes = 1e6, maxAgeMs = 24 * HOUR) {
  const source = new FakeSource();
  source.namesProcesses = true;
  source.processes.push({ pid: 10, name: 'curl' }, { pid: 20, name: 'wget' });
  const { monitor } = monitorOver(source, { keep: { bytes: 1e6, forMs: null } });
  const clock = new FakeClock();
  clock.wall = T0;
  const failures: string[] = [];
  const options = { folder, maxBytes, maxAgeMs };
  const failed = (reason: string) => void failures.push(reason);
  const evidence = new Evidence({ kept: monitor.kept as Kept, source, monitor, options, owner: null, clock, failed });
  const pass = (...ports: number[]) => {
    const frame = (sport: number) => ({ data: to(sport, `192.0.2.${sport % 100}`), time: clock.now(), direction: DIRECTION.OUT });
    source.push(...ports.map((sport) => ({ ...frame(sport), process: sport < 2000 ? 1 : 2 })));
    for (let batch = source.read(); batch !== null; batch = source.read()) monitor.ingest(batch, 0, batch.count);
  };
  const wait = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.pass(500);
      vi.advanceTimersByTime(500);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { evidence, pass, wait, clock, failures };
}

/** A warning about curl, wherever it sends. */
const warning = (more: Partial<Alert> = {}) => alertOf({ severity: 'warning', host: null, domain: null, time: T0, ...more });

function portsIn(path: string | null): number[] {
  const bytes = readFileSync(path ?? '');
  const reader = new PcapngReader(new InterfaceTable(), new ProcessTable());
  const batch = new PacketBatch(10_000, bytes);
  expect(reader.fill(batch, 0, bytes.length)).toBe(bytes.length);
  return [...batch.offset.subarray(0, batch.count)].map((offset) => bytes.readUInt16BE(offset + SPORT_AT));
}

test('a warning has what came before it and for ten seconds after', async () => {
  const { evidence, pass, wait } = watching();
  pass(1001, 3001, 1002);
  const path = evidence.begin(warning());
  expect(path).toBe(join(folder, 'netmon-alert-2026-01-31-140322Z-new-domain-curl-a1.pcapng'));
  await wait(4000);
  pass(1003, 3003);
  await wait(8000);
  pass(1004);
  await evidence.close();
  expect(portsIn(path)).toEqual([1001, 1002, 1003]);
  expect(statSync(path ?? '').mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(vi.getTimerCount()).toBe(0);
});

test('it is about the app and the place of the alert, by name or address', async () => {
  const { evidence, pass } = watching();
  pass(1001, 1002, 3001);
  const path = evidence.begin(warning({ host: '192.0.2.2' }));
  const other = evidence.begin(warning({ id: 'a2', app: null, host: '192.0.2.1' }));
  await evidence.close();
  expect([portsIn(path), portsIn(other)]).toEqual([[1002], [1001, 3001]]);
});

test.each<[string, Partial<Alert>]>([
  ['is info', { severity: 'info' }],
  ['is held', { held: 'learning' }],
  ['is muted', { held: 'muted' }],
  ['is about no flow', { app: null, host: null, domain: null }],
  ['is about what was not kept', { app: 'ssh' }],
])('an alert that %s has none', async (_, more) => {
  const { evidence, pass, failures } = watching();
  pass(1001);
  expect(evidence.begin(warning(more))).toBeNull();
  await evidence.close();
  expect([readdirSync(join(folder, '..', '..')), failures]).toEqual([[], []]);
});

test('the end of the run ends the files', async () => {
  const { evidence, pass } = watching();
  pass(1001);
  const path = evidence.begin(warning());
  pass(1002);
  await evidence.close();
  expect(portsIn(path)).toEqual([1001, 1002]);
  expect(vi.getTimerCount()).toBe(0);
});

test('only a few grow at once', async () => {
  const { evidence, pass } = watching();
  pass(1001);
  const paths = Array.from({ length: 6 }, (_, i) => evidence.begin(warning({ id: `a${i}` })));
  expect(paths.filter((path) => path !== null)).toHaveLength(4);
  await evidence.close();
  expect(evidence.begin(warning({ id: 'b' }))).not.toBeNull();
  await evidence.close();
});

test('the folder keeps the newest up to its size and age, and everything that is not ours', async () => {
  const { evidence, pass } = watching(3000, 24 * HOUR);
  mkdirSync(folder, { recursive: true });
  const put = (name: string, hours: number, bytes = 1000) => {
    writeFileSync(join(folder, name), Buffer.alloc(bytes));
    utimesSync(join(folder, name), (T0 - hours * HOUR) / 1000, (T0 - hours * HOUR) / 1000);
  };
  put('netmon-alert-old.pcapng', 30, 10);
  put('netmon-alert-c.pcapng', 3);
  put('netmon-alert-b.pcapng', 2);
  put('netmon-alert-a.pcapng', 1);
  put('mine.pcapng', 900);
  put('netmon-curl.pcapng', 900);
  symlinkSync('/etc/passwd', join(folder, 'netmon-alert-link.pcapng'));
  pass(1001);
  const path = evidence.begin(warning());
  await evidence.close();
  const kept = readdirSync(folder).sort();
  expect(kept).toEqual(
    ['mine.pcapng', 'netmon-alert-a.pcapng', 'netmon-alert-b.pcapng', 'netmon-alert-link.pcapng', 'netmon-curl.pcapng']
      .concat((path as string).slice(folder.length + 1))
      .sort(),
  );
});

test('a folder that can not be made is told of once, and the alert goes without', async () => {
  const { evidence, pass, failures } = watching();
  writeFileSync(join(folder, '..', '..', 'data'), 'a file');
  pass(1001);
  expect([evidence.begin(warning()), evidence.begin(warning({ id: 'a2' }))]).toEqual([null, null]);
  expect(failures).toEqual([expect.stringMatching(/^packets behind alerts can't be written: .*ENOTDIR/)]);
});
