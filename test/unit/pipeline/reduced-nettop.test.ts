// The view without packets on macOS: nettop's byte counts of sockets become flows, whatever happens between two lists.

import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NettopCounts } from '../../../src/identify/process/macos/nettop-counts.ts';
import type { Monitor } from '../../../src/pipeline/monitor.ts';
import { reducedCapture } from '../../../src/pipeline/reduced-capture.ts';
import { ReducedSource } from '../../../src/pipeline/reduced-source.ts';
import type { Edges } from '../../../src/system/edges.ts';
import { systemEdges } from '../../../src/system/programs.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeEdges, fakeRoot } from '../../support/fake-edges.ts';
import { NETTOP, NETTOP_CHOSEN } from '../identify/process/nettop-texts.ts';
import { flowRoom, programs } from '../identify/process/polled.ts';

const HEADER = ',interface,state,bytes_in,bytes_out,';
const TCP = 'tcp4 192.168.3.37:56241<->17.57.145.55:5223';
const CLOSED = 5;
const NETWORKS = { lo0: [{ address: '127.0.0.1' }], en0: [{ address: '192.168.3.37' }] } as never;

/** A list of one process, with the columns in this nettop's order. */
function list(...rows: readonly string[]): string {
  return [HEADER, ...rows, ''].join('\n');
}

function room(edges: Edges) {
  let now = 0;
  const { flows, directory, described, peer } = flowRoom();
  const source = new ReducedSource(
    new NettopCounts(edges, () => now),
    () => NETWORKS,
    'reduced',
    () => now,
    () => 1_767_225_600_000 + now,
  );
  source.feed({ flows, admitNew: () => flows.clearNew() } as unknown as Monitor, directory);
  /** Runs nettop and reads its list. */
  const round = async (passed = 2000): Promise<void> => {
    now += passed;
    expect(source.read()).toBeNull();
    await new Promise(setImmediate);
    now += 300;
    expect(source.read()).toBeNull();
  };
  const rows = () =>
    Array.from({ length: flows.rows }, (_, row) => ({
      rx: flows.rxBytes(row),
      tx: flows.txBytes(row),
      owner: described(row),
    }));
  return { source, flows, round, rows, peer };
}

/** Returns its lists one after the other, then repeats the last. */
function lists(...texts: readonly string[]) {
  let at = 0;
  return room(programs({ nettop: () => ({ stdout: texts[Math.min(at++, texts.length - 1)] as string }) }));
}

describe('sockets that nettop lists', () => {
  it('start at zero, then have their bytes and their process', async () => {
    const later = NETTOP.replace('27201,31090', '28201,31590')
      .replace('70116364,13929787', '70116464,13929787')
      .replaceAll('322736,229260', '322836,229360');
    const { flows, round, rows, peer, source } = lists(NETTOP, later);
    expect(source.note).toBe('nettop is starting, which can take a few seconds; reduced');
    await round();
    expect(source.note).toBe('reduced');
    expect(rows()).toEqual([]);
    await round();
    expect(rows().sort((a, b) => (a.rx ?? 0) - (b.rx ?? 0) || (a.tx ?? 0) - (b.tx ?? 0))).toEqual([
      { rx: 100, tx: 0, owner: 'mDNSResponder 272 wildcard' },
      { rx: 100, tx: 100, owner: 'kernel_task 0 exact' },
      { rx: 1000, tx: 500, owner: 'Microsoft Edge 772 exact' },
    ]);
    for (let row = 0; row < 3; row++) {
      expect([flows.rxPackets(row), flows.txPackets(row)]).toEqual([0, 0]);
      const name = source.interfaces[flows.interface(row)]?.name;
      expect(name).toBe(flows.localPort(row) === 57_970 ? 'lo0' : 'en0');
      expect(peer(row)).toMatch(/^none/);
    }
    expect(source.note).toBe('reduced');
  });

  it('include QUIC and IPv6 with scopes', async () => {
    const { round, rows } = lists(
      NETTOP_CHOSEN,
      NETTOP_CHOSEN.replace('en0,,7,8', 'en0,,107,18').replace('Established,400,400', 'Established,401,402'),
    );
    await round();
    await round();
    expect(rows()).toEqual([
      { rx: 1, tx: 2, owner: 'node 99998 exact' },
      { rx: 100, tx: 10, owner: 'com.apple.WebKi 100321 exact' },
    ]);
  });

  it('have all their bytes if new, and close with them if gone', async () => {
    const { flows, round, rows } = lists(
      list('a.1,,,0,0,'),
      list('a.1,,,9,9,', `${TCP},en0,Established,900,90,`),
      list('a.1,,,0,0,'),
    );
    for (let i = 0; i < 5; i++) await round();
    expect(rows()).toEqual([{ rx: 900, tx: 90, owner: 'a 1 exact' }]);
    expect(flows.state(0)).toBe(CLOSED);
  });

  it('continue after a list left them out for a while', async () => {
    const full = (bytes: number) => list('a.1,,,0,0,', `${TCP},en0,Established,${bytes},90,`);
    const none = list('a.1,,,0,0,');
    const { flows, round, rows } = lists(full(1_000_000), full(1_000_100), none, none, none, full(1_000_150));
    for (let i = 0; i < 6; i++) await round();
    expect(rows()).toEqual([{ rx: 150, tx: 0, owner: 'a 1 exact' }]);
    expect(flows.state(0)).not.toBe(CLOSED);
  });

  it('start over for the next connection with the same tuple, and ignore a truncated number', async () => {
    const at = (rx: number, tx: number) => list('a.1,,,0,0,', `${TCP},en0,Established,${rx},${tx},`);
    const { round, rows } = lists(at(1000, 1000), at(2000, 1500), at(2100, 15), at(2200, 1700), at(30, 40));
    for (const [rx, tx] of [
      [1000, 500],
      [1100, 500],
      [1200, 700],
      [1230, 740],
    ]) {
      if (rows().length === 0) await round();
      await round();
      expect(rows()).toMatchObject([{ rx, tx }]);
    }
  });

  it('don’t come from a truncated line', async () => {
    const { round, rows } = lists(
      list('a.1,,,0,0,'),
      list('a.1,,,0,0,', `${TCP},en0,Established,900,90,`),
      `${HEADER}\na.1,,,0,0,\n${TCP},en0,Established,9`,
      `${HEADER}\na.1,,,0,0,\n${TCP},en0,Esta`,
      list('a.1,,,0,0,', `${TCP},en0,Established,950,95,`),
    );
    for (let i = 0; i < 5; i++) await round();
    expect(rows()).toEqual([{ rx: 950, tx: 95, owner: 'a 1 exact' }]);
  });

  it('belong to another process if the pid was reused', async () => {
    const at = (name: string, bytes: number) => list(`${name},,,0,0,`, `${TCP},en0,Established,${bytes},1,`);
    const { round, rows } = lists(list('a.7,,,0,0,'), at('a.7', 100), at('b.7', 300));
    for (let i = 0; i < 3; i++) await round();
    expect(rows()).toEqual([{ rx: 400, tx: 2, owner: 'a 7 exact' }]); // between the same ends: one row, which keeps its owner
  });

  it('are read even if columns move between lists', async () => {
    const { round, rows } = lists(
      list('a.1,,,0,0,', `${TCP},en0,Established,100,10,`),
      `time,,state,bytes_out,interface,bytes_in,\n18:00:00.1,a.1,,,,,\n18:00:00.1,${TCP},Established,30,en0,150,\n`,
    );
    await round();
    await round();
    expect(rows()).toEqual([{ rx: 50, tx: 20, owner: 'a 1 exact' }]);
  });

  it('add up if they share a port, and keep their sum when one closes', async () => {
    const udp = 'udp4 *:5353<->*:*,en0,';
    const { round, rows } = lists(
      list('a.1,,,0,0,', `${udp},100,100,`, `${udp},50,50,`),
      list('a.1,,,0,0,', `${udp},120,100,`, `${udp},60,50,`),
      list('a.1,,,0,0,', `${udp},130,110,`),
      list('a.1,,,0,0,', `${udp},131,112,`),
    );
    for (let i = 0; i < 4; i++) await round();
    expect(rows()).toEqual([{ rx: 31, tx: 2, owner: 'a 1 wildcard' }]);
  });

  it('count once if listed both as QUIC and as the UDP below it', async () => {
    const ends = '192.168.3.37:50123<->17.57.145.55:443,en0,';
    const both = (bytes: number) => list('a.1,,,0,0,', `quic ${ends},${bytes},1,`, `udp4 ${ends},${bytes},1,`);
    const { round, rows } = lists(both(5), both(505));
    await round();
    await round();
    expect(rows()).toEqual([{ rx: 500, tx: 0, owner: 'a 1 exact' }]);
  });

  it('count once within the machine, with an owner at each end', async () => {
    const at = (bytes: number) =>
      list(
        'server.1,,,0,0,',
        'tcp4 *:8080<->*:*,lo0,Listen,,,',
        `tcp4 127.0.0.1:8080<->127.0.0.1:50000,lo0,Established,7,${bytes},`,
        'client.2,,,0,0,',
        `tcp4 127.0.0.1:50000<->127.0.0.1:8080,lo0,Established,${bytes},7,`,
      );
    const { flows, round, rows, peer } = lists(at(0), at(900));
    await round();
    await round();
    expect(rows()).toEqual([{ rx: 900, tx: 0, owner: 'client 2 exact' }]);
    expect(peer(0)).toBe('server 1');
    expect(flows.direction(0)).toBe(2);
  });
});

describe('while nettop', () => {
  const good = list('a.1,,,0,0,', `${TCP},en0,Established,100,10,`);
  const more = list('a.1,,,0,0,', `${TCP},en0,Established,150,10,`);

  it.each([
    ['is missing', { status: null, failure: 'ENOENT' }, "it can't be run (ENOENT)"],
    ['hangs and is killed', { status: null, cut: 'time' as const }, 'it took too long'],
    ['floods', { status: null, cut: 'size' as const, stdout: good.repeat(9) }, 'it printed too much'],
    ['lists nothing', { stdout: `${HEADER}\n` }, 'it lists no processes'],
    ['dies', { status: 139, stdout: `${HEADER}\n` }, 'it lists no processes'],
  ])('%s, the note says so, and it goes on after that', async (_, answer, why) => {
    let run = 0;
    const { source, round, rows } = room(
      programs({ nettop: () => [{ stdout: good }, answer, { stdout: more }][Math.min(run++, 2)] ?? answer }),
    );
    await round();
    await round();
    expect(source.note).toBe(`nettop failed: ${why}; reduced`);
    await round(70_000);
    expect(source.note).toBe('reduced');
    expect(rows()).toEqual([{ rx: 50, tx: 0, owner: 'a 1 exact' }]);
  });

  it('survives being killed, it is given up', async () => {
    let run = 0;
    const { source, round } = room(programs({ nettop: () => (run++ === 1 ? 'hangs' : { stdout: good }) }));
    await round();
    await round();
    expect(source.note).toBe('reduced');
    await round(20_000);
    expect(source.note).toBe('nettop failed: it does not end; reduced');
    await round(20_000);
    expect(source.note).toBe('reduced');
  });

  it('prints its list in pieces with rubbish in between, all of it is read', async () => {
    const folder = fakeRoot({});
    const path = join(folder, 'nettop');
    const pieces = good.match(/[\s\S]{1,13}/g) as string[];
    const script = pieces.map((piece) => `printf '%s' '${piece}'`).join('; sleep 0.002; ');
    writeFileSync(path, `#!/bin/sh\n${script}; printf '\\033[2J,,,\\n\\377\\376,1,2\\n'\n`);
    chmodSync(path, 0o755);
    let now = 0;
    const counts = new NettopCounts(systemEdges({ nettop: path }), () => now);
    const told: (string | number)[] = [];
    for (let tries = 0; tries < 2000 && told.length === 0 && !counts.note.includes('failed'); tries++) {
      now += 1;
      counts.ask(({ rxBytes, txBytes, process }) => told.push(rxBytes, txBytes, process?.name ?? ''));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    counts.close();
    expect([told, counts.note]).toEqual([[100, 10, 'a'], '']);
  });
});

it('opens on macOS without rights, and says how to see everything', async () => {
  const edges = fakeEdges({ platform: 'darwin', euid: 501 });
  const { source } = await reducedCapture(edges, new FakeClock(), null);
  expect(source).toMatchObject({ driver: 'nettop', state: 'open', namesProcesses: false });
  expect(source.note).toMatch(
    /^nettop is starting, .*; reduced: payload of sockets, once a second, no packets\. For all of it: sudo /,
  );
  source.close();
});
