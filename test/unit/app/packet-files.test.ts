// Packets that are kept, written at a key: those of a row and no others, at once, then for as long as the user wants.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { PacketFiles } from '../../../src/app/packet-files.ts';
import { PacketBatch } from '../../../src/capture/batch.ts';
import { PcapngReader } from '../../../src/capture/file/pcapng.ts';
import { InterfaceTable } from '../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../src/capture/process-names.ts';
import { compileFilter } from '../../../src/filter/filter.ts';
import { DIRECTION } from '../../../src/net/numbers.ts';
import type { Kept } from '../../../src/packets/kept-flows.ts';
import type { PacketsAsked } from '../../../src/view/action.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeSource, monitorOver } from '../../support/fake-source.ts';
import { ethernet, ipv4, udp } from '../../support/frames.ts';

const T0 = Date.UTC(2026, 0, 31, 14, 3, 22);
const SPORT_AT = 34;
const datagram = (sport: number, bytes = 10) =>
  ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, udp({ sport, dport: 9999 }, 'x'.repeat(bytes))));

const made = new Map<number, Uint8Array>();
/** A datagram of full size; made once for each port. */
function large(sport: number): Uint8Array {
  const known = made.get(sport) ?? datagram(sport, 1400);
  made.set(sport, known);
  return known;
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-packets-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

function asking(more: Partial<PacketsAsked> = {}, filter: string | null = 'app=curl'): PacketsAsked {
  const result = filter === null ? null : compileFilter(filter);
  if (result?.ok === false) throw new Error(result.message);
  const rest = { key: 'apps curl', name: 'curl', what: 'of curl', flow: null, from: null, to: null };
  return { ...rest, filter: result?.filter ?? null, ...more };
}

/** Packets of curl (from ports below 2000) and of wget, and what writes them. */
function files(folders: readonly string[] = [folder], forMs: number | null = null, bytes = 1e6) {
  const source = new FakeSource();
  source.namesProcesses = true;
  source.processes.push({ pid: 10, name: 'curl' }, { pid: 20, name: 'wget' });
  const { monitor, flows } = monitorOver(source, { keep: { bytes, forMs } });
  const clock = new FakeClock();
  clock.wall = T0;
  const said: string[] = [];
  const told: string[] = [];
  const written = new PacketFiles({
    kept: monitor.kept as Kept,
    source,
    monitor,
    place: { folders, owner: null },
    clock,
    now: () => clock.now(),
    events: { tell: (_kind, text) => told.push(text) },
    notice: (text) => said.push(text),
  });
  const pass = (...ports: number[]) => {
    const frame = (sport: number, i: number) => ({
      data: sport < 2000 ? datagram(sport) : large(sport),
      time: clock.now() + i,
      process: sport < 2000 ? 1 : 2,
    });
    source.push(...ports.map((sport, i) => ({ ...frame(sport, i), direction: DIRECTION.OUT })));
    for (let batch = source.read(); batch !== null; batch = source.read()) monitor.ingest(batch, 0, batch.count);
  };
  return { written, pass, said, told, clock, flows, monitor };
}

const names = () => readdirSync(folder).sort();
/** Source ports of the packets in a file. */
function portsIn(name: string): number[] {
  const bytes = readFileSync(join(folder, name));
  const reader = new PcapngReader(new InterfaceTable(), new ProcessTable());
  const batch = new PacketBatch(10_000, bytes);
  expect(reader.fill(batch, 0, bytes.length)).toBe(bytes.length);
  expect(reader).toMatchObject({ malformed: 0, broken: null });
  return [...batch.offset.subarray(0, batch.count)].map((offset) => bytes.readUInt16BE(offset + SPORT_AT));
}

describe('what is asked for', () => {
  test('is what is kept of an app, also after its flows have left, in a new file of the user’s alone', async () => {
    const { written, pass, said, told, flows } = files();
    pass(1001, 3001, 1002, 3001, 1001);
    for (let row = 0; row < flows.rows; row++) flows.remove(row);
    pass(3002, 1003);
    await written.ask(asking());
    const name = 'netmon-curl-2026-01-31-140322Z.pcapng';
    expect(names()).toEqual([name]);
    expect(portsIn(name)).toEqual([1001, 1002, 1001, 1003]);
    expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(said).toEqual([expect.stringMatching(/^\S+\.pcapng: 4 packets, \d+ B; again to go on$/)]);
    expect(told).toEqual([expect.stringMatching(/^4 packets of curl \(\d+ B\) in \S+\.pcapng$/)]);
    expect(written.status).toMatchObject({ what: 'curl', state: 'done', packets: 4, lost: 0, path: join(folder, name) });
  });

  test('may be one connection, or a range of time with everything in it', async () => {
    const { written, pass, clock, monitor } = files();
    for (let i = 0; i < 5; i++) {
      pass(1001, 3001);
      clock.pass(1000);
    }
    const row = [...Array(monitor.flows.rows).keys()].find((each) => monitor.flows.localPort(each) === 3001) ?? -1;
    await written.ask(asking({ key: 'c', name: 'one', flow: monitor.flows.serial(row) }, null));
    await written.ask(asking({ key: 'r', name: 'range', from: T0 + 1000, to: T0 + 3000 }, null));
    await written.ask(asking({ key: 'rr', name: 'both', from: T0 + 1000, to: T0 + 3000 }));
    const [both, one, range] = names();
    expect([one, range, both].map((name) => portsIn(name as string))).toEqual([
      [3001, 3001, 3001, 3001, 3001],
      [1001, 3001, 1001, 3001],
      [1001, 1001],
    ]);
  });

  test('leaves out what is older than was to be kept', async () => {
    const { written, pass, clock } = files([folder], 10_000);
    pass(1001);
    clock.pass(8000);
    pass(1002);
    clock.pass(8000);
    await written.ask(asking());
    expect(portsIn(names()[0] as string)).toEqual([1002]);
  });

  test('is written in steps, with what comes meanwhile, from a ring of many megabytes', async () => {
    const { written, pass } = files([folder], null, 48 << 20);
    const lots = [...Array<number>(1500).fill(3001), 1001, ...Array<number>(1500).fill(3002), 1002];
    for (let i = 0; i < 6; i++) pass(...lots);
    const writing = written.ask(asking());
    await Promise.resolve();
    pass(1003);
    await writing;
    const all = Array.from({ length: 6 }, () => [1001, 1002]).flat();
    expect(portsIn(names()[0] as string).slice(0, 12)).toEqual(all);
    await written.ask(asking());
    await written.ask(null);
    expect(portsIn(names()[0] as string)).toEqual([...all, 1003]);
  });

  test('makes no file where there is nothing', async () => {
    const { written, pass, said } = files();
    pass(3001);
    await written.ask(asking());
    await written.ask(null);
    expect([names(), said]).toEqual([[], ['no packets of curl are kept']]);
    expect(written.status).toBeNull();
  });

  test('gets a number where its name is taken, follows no link, and goes to the next folder', async () => {
    const name = (number = '') => `netmon-curl-2026-01-31-140322Z${number}.pcapng`;
    writeFileSync(join(folder, name()), 'theirs');
    symlinkSync(join(folder, 'elsewhere'), join(folder, name('-2')));
    const { written, pass, said } = files([join(folder, 'missing'), folder]);
    pass(1001);
    await written.ask(asking());
    expect(names()).toEqual([name('-2'), name('-3'), name()].sort());
    expect(readFileSync(join(folder, name()), 'utf8')).toBe('theirs');
    expect(portsIn(name('-3'))).toEqual([1001]);
    expect(said[0]).toContain(name('-3'));
  });

  test('says where it may not write', async () => {
    const { written, pass, said } = files([join(folder, 'missing')]);
    pass(1001);
    await written.ask(asking());
    expect(said).toEqual([expect.stringMatching(/^not written: start in a folder that you may write to/)]);
  });

  test.each([
    ['../../etc/passwd\u001b[2J', 'netmon-etc-passwd-2J-'],
    ['…', 'netmon-packets-'],
    ['a'.repeat(300), `netmon-${'a'.repeat(48)}-2026`],
    ['Google Chrome', 'netmon-Google-Chrome-'],
  ])('names no file outside of its folder: %j', async (name, begins) => {
    const { written, pass } = files();
    pass(1001);
    await written.ask(asking({ name }));
    expect(names()).toEqual([expect.stringMatching(new RegExp(`^${begins}`))]);
  });
});

describe('asked for again', () => {
  test('it goes on in the same file, with what came meanwhile, until it is stopped', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { written, pass, said, clock } = files();
    pass(1001, 3001);
    await written.ask(asking());
    pass(1002);
    await written.ask(asking());
    expect(written.status).toMatchObject({ state: 'writing', packets: 1 });
    pass(1003, 3003);
    clock.pass(2000);
    vi.advanceTimersByTime(200);
    clock.pass(2000);
    vi.advanceTimersByTime(200);
    expect(written.status).toMatchObject({ state: 'writing', packets: 3 });
    pass(1004);
    await written.ask(null);
    pass(1005);
    expect(names()).toHaveLength(1);
    expect(portsIn(names()[0] as string)).toEqual([1001, 1002, 1003, 1004]);
    expect(said.map((text) => text.replace(/^.*pcapng: |, \d+ B.*/g, ''))).toEqual([
      '1 packet',
      'writing packets of curl; again to stop',
      '4 packets',
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('any row stops it, and another one then begins a file of its own', async () => {
    const { written, pass } = files();
    pass(1001, 3001);
    await written.ask(asking());
    await written.ask(asking());
    pass(1002);
    await written.ask(asking({ key: 'apps wget', name: 'wget', what: 'of wget' }, 'app=wget'));
    expect(written.status).toMatchObject({ what: 'curl', state: 'done', packets: 2 });
    await written.ask(asking({ key: 'apps wget', name: 'wget', what: 'of wget' }, 'app=wget'));
    expect(names().map(portsIn)).toEqual([[1001, 1002], [3001]]);
  });

  test('a range of the past is not written twice', async () => {
    const { written, pass, said } = files();
    pass(1001);
    const range = asking({ key: 'range', name: 'range', what: 'from then to now', from: T0 - 1, to: T0 + 1000 }, null);
    await written.ask(range);
    await written.ask(range);
    expect(names()).toHaveLength(1);
    expect(said[0]).toMatch(/pcapng: 1 packet, \d+ B$/);
    expect(said[1]).toMatch(/^these packets are in .*pcapng$/);
  });

  test('the end of the run ends it', async () => {
    const { written, pass } = files();
    pass(1001);
    await written.ask(asking());
    await written.ask(asking());
    pass(1002);
    await written.close();
    expect(portsIn(names()[0] as string)).toEqual([1001, 1002]);
  });

  test('what the ring overwrote in between is missing, and the rest is there', async () => {
    const { written, pass, clock } = files();
    pass(1001);
    await written.ask(asking());
    clock.pass(1000);
    pass(...Array<number>(900).fill(3001));
    pass(1002);
    await written.ask(asking());
    await written.ask(null);
    expect(portsIn(names()[0] as string)).toEqual([1001, 1002]);
  });
});
