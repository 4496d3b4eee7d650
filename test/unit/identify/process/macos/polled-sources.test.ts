import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LsofSource } from '../../../../../src/identify/process/macos/lsof-source.ts';
import { NettopSource } from '../../../../../src/identify/process/macos/nettop-source.ts';
import { PROTOCOL } from '../../../../../src/net/numbers.ts';
import { systemEdges } from '../../../../../src/system/programs.ts';
import { fakeRoot } from '../../../../support/fake-edges.ts';
import { NETTOP, NETTOP_CHOSEN } from '../nettop-texts.ts';
import { flowRoom, programs, turns } from '../polled.ts';

const CHOSEN = 'nettop -L 1 -x -n -J interface,state,bytes_in,bytes_out';
const PLAIN = 'nettop -L 1 -x -n';
const LSOF = 'lsof -nP -w -i4 -i6 -F pcuPnTt';
const LSOF_TEXT = 'p900\ncssh\nu501\nf3\ntIPv4\nPTCP\nn192.168.3.37:56241->17.57.145.55:5223\nTST=ESTABLISHED\n';
/** Edge's connection in the recorded text. */
const EDGE = { src: '192.168.3.37', sport: 56_241, dst: '17.57.145.55', dport: 5223 };

describe('NettopSource', () => {
  it('gives each new flow the process of its socket', async () => {
    const edges = programs({ nettop: () => ({ stdout: NETTOP }) });
    const { flows, directory, open, described, peer } = flowRoom();
    const source = new NettopSource(flows, directory, edges);
    const rows = [
      open(EDGE),
      open({ protocol: PROTOCOL.UDP, src: '192.168.3.37', sport: 5353, dst: '224.0.0.251', dport: 5353 }),
      open({ src: '127.0.0.1', sport: 57_970, dst: '127.0.0.1', dport: 57_969 }),
    ];
    for (const row of rows) source.admit(row);
    await turns(source, 0);
    expect(edges.ran).toEqual([CHOSEN]);
    expect(source).toMatchObject({ kind: 'nettop', note: '' });
    expect(rows.map((row) => described(row))).toEqual([
      'Microsoft Edge 772 exact',
      'mDNSResponder 272 wildcard',
      'kernel_task 0 exact',
    ]);
    expect(peer(rows[2] as number)).toMatch(/^none/);
    expect(directory.app(directory.process(1)?.app ?? -1)?.user).toBeNull();
  });

  it('names the busiest of those that share a port', async () => {
    const flow = 'udp4 *:5353<->*:*,en0,';
    const stdout = `,interface,state,bytes_in,bytes_out,\na.1,,,0,0,\n${flow},5,5,\nb.2,,,0,0,\n${flow},900,9,\nc.3,,,0,0,\n${flow},50,50,\n`;
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, programs({ nettop: () => ({ stdout }) }));
    const row = open({ protocol: PROTOCOL.UDP, src: '192.168.3.37', sport: 5353, dst: '224.0.0.251', dport: 5353 });
    source.admit(row);
    await turns(source, 0);
    expect(described(row)).toBe('b 2 wildcard');
  });

  it('reads pids above 99,999 and IPv6 with scopes', async () => {
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, programs({ nettop: () => ({ stdout: NETTOP_CHOSEN }) }));
    const rows = [
      open({ protocol: PROTOCOL.UDP, src: '192.168.3.37', sport: 50_123, dst: '17.57.145.55', dport: 443 }),
      open({ src: 'fe80::1', sport: 61_605, dst: 'fe80::aede:48ff:fe00:1122', dport: 443 }),
    ];
    for (const row of rows) source.admit(row);
    await turns(source, 0);
    expect(rows.map((row) => described(row))).toEqual(['com.apple.WebKi 100321 exact', 'node 99998 exact']);
  });

  it('runs only while flows wait, at most once a second', async () => {
    const edges = programs({ nettop: () => ({ stdout: NETTOP }) });
    const { flows, directory, open } = flowRoom();
    const source = new NettopSource(flows, directory, edges);
    await turns(source, 0, 5000, 10_000);
    expect(edges.ran).toEqual([]);
    source.admit(open(EDGE));
    await turns(source, 10_010, 10_020, 11_500, 20_000);
    expect(edges.ran).toHaveLength(1);
    source.admit(open({ ...EDGE, sport: 1 }));
    source.admit(open({ ...EDGE, sport: 2 }));
    await turns(source, 20_010, 20_020, 20_990, 21_020);
    expect(edges.ran).toHaveLength(3);
  });

  it('gives up on a flow that is never listed, and says what is known', async () => {
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, programs({ nettop: () => ({ stdout: NETTOP }) }));
    const row = open({ ...EDGE, sport: 9 });
    source.admit(row);
    await turns(source, 0, 2000, 4000);
    expect(described(row)).toBe('none: not looked up yet');
    await turns(source, 6000);
    expect(described(row)).toBe('none: closed before it could be looked up');
  });

  it('works without selected columns if nettop refuses them', async () => {
    const edges = programs({
      nettop: (args) => (args.includes('-J') ? { status: 64, stderr: 'usage: nettop ...' } : { stdout: NETTOP }),
    });
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, edges);
    const row = open(EDGE);
    source.admit(row);
    await turns(source, 0);
    expect(source).toMatchObject({ kind: 'nettop', note: '' });
    await turns(source, 1000);
    source.admit(open({ ...EDGE, sport: 1 }));
    await turns(source, 2000);
    expect(edges.ran).toEqual([CHOSEN, PLAIN, PLAIN]);
    expect(described(row)).toBe('Microsoft Edge 772 exact');
  });

  it.each([
    ['is missing', { status: null, failure: 'ENOENT' }, "it can't be run (ENOENT)"],
    ['hangs and is killed', { status: null, cut: 'time' as const }, 'it took too long'],
    ['floods', { status: null, cut: 'size' as const, stdout: NETTOP.repeat(9) }, 'it printed too much'],
    ['tells nothing', { stdout: `${NETTOP.split('\n', 1)[0]}\n` }, 'it lists no processes'],
  ])('asks lsof where nettop %s', async (_, answer, why) => {
    const edges = programs({ nettop: () => answer, lsof: () => ({ stdout: LSOF_TEXT }) });
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, edges);
    const row = open(EDGE);
    source.admit(row);
    await turns(source, 0, 10);
    expect(edges.ran).toEqual([CHOSEN, LSOF]);
    expect(described(row)).toBe('ssh 900 exact');
    expect(source).toMatchObject({ kind: 'lsof', note: `nettop failed: ${why}; using lsof instead` });
  });

  it('recovers when nettop does, without constant retries', async () => {
    let works = false;
    const edges = programs({
      nettop: () => (works ? { stdout: NETTOP } : { status: null, cut: 'time' }),
      lsof: () => ({ status: null, failure: 'EAGAIN' }),
    });
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, edges);
    const first = open(EDGE);
    source.admit(first);
    await turns(source, 0, 10);
    expect(source.note).toBe("nettop failed: it took too long; lsof failed: it can't be run (EAGAIN)");
    expect(described(first)).toBe('none: not looked up yet');
    source.admit(open({ ...EDGE, sport: 2 }));
    await turns(source, 1000, 1900, 2010);
    expect(edges.ran.filter((ran) => ran === CHOSEN)).toHaveLength(2);
    works = true;
    source.admit(open({ ...EDGE, sport: 3 }));
    await turns(source, 5990, 6020);
    expect(edges.ran.filter((ran) => ran === CHOSEN)).toHaveLength(3);
    expect(source).toMatchObject({ kind: 'nettop', note: '' });
    // The first flow, which lsof didn't answer, is tried again.
    await turns(source, 7100);
    expect(described(first)).toBe('Microsoft Edge 772 exact');
  });

  it('is not held up by one that never ends', async () => {
    let runs = 0;
    const edges = programs({ nettop: () => (runs++ === 0 ? 'hangs' : { stdout: NETTOP }), lsof: () => ({ stdout: LSOF_TEXT }) });
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, edges);
    const row = open(EDGE);
    source.admit(row);
    await turns(source, 0, 5000, 14_000);
    expect(described(row)).toBe('none: not looked up yet');
    await turns(source, 15_000, 15_010);
    expect(described(row)).toBe('ssh 900 exact');
  });

  it('skips a row that is another flow’s by now', async () => {
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, programs({ nettop: () => ({ stdout: NETTOP }) }));
    const row = open(EDGE);
    source.admit(row);
    source.work(0);
    flows.remove(row);
    expect(open({ ...EDGE, sport: 7 })).toBe(row);
    await turns(source, 10);
    expect(described(row)).toBe('none: not looked up yet');
  });

  it('reads a real program’s output, and survives its death', async ({ skip }) => {
    if (process.platform === 'win32') return skip('no sh');
    const folder = fakeRoot({ 'nettop.txt': NETTOP });
    const program = (name: string, body: string): string => {
      const path = join(folder, name);
      writeFileSync(path, `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
      return path;
    };
    const nettop = program('nettop', `case "$*" in *-J*) echo usage >&2; exit 64;; esac; cat '${folder}/nettop.txt'`);
    const dies = program('dies', 'echo time,,interface,; kill -9 $$');
    const edges = systemEdges({ nettop, lsof: dies });
    const { flows, directory, open, described } = flowRoom();
    const source = new NettopSource(flows, directory, edges);
    const row = open(EDGE);
    source.admit(row);
    // The test sets the clock. Only the programs take real time.
    for (let now = 0; described(row).startsWith('none') && now < 1e6; now += 100) {
      source.work(now);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(described(row)).toBe('Microsoft Edge 772 exact');

    const mortal = new NettopSource(flows, directory, systemEdges({ nettop: dies, lsof: program('lsof', 'exit 1') }));
    const other = open({ ...EDGE, sport: 8 });
    mortal.admit(other);
    mortal.work(0);
    for (let now = 1; mortal.note === '' && now < 4000; now++) {
      mortal.work(now);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    mortal.close();
    expect(mortal.note).toMatch(/^nettop failed: it lists no processes; /);
  });
});

describe('LsofSource', () => {
  it('names what it can, and says what it may not see', async () => {
    const edges = programs({ lsof: () => ({ stdout: LSOF_TEXT }) }, 501);
    const { flows, directory, open, described } = flowRoom();
    const source = new LsofSource(flows, directory, edges);
    const [mine, hidden] = [open(EDGE), open({ ...EDGE, sport: 2 })];
    source.admit(mine);
    source.admit(hidden);
    await turns(source, 0);
    expect(described(mine)).toBe('ssh 900 exact');
    expect(directory.process(0)).toMatchObject({ uid: 501, user: 'anna' });
    await turns(source, 2000, 4000, 6000);
    expect(described(hidden)).toBe('none: hidden by the system');
    expect(edges.ran).toEqual([LSOF, LSOF, LSOF, LSOF]);
  });

  it('gives no reason for flows while lsof fails, and asks again later', async () => {
    let works = false;
    const edges = programs({ lsof: () => (works ? { stdout: LSOF_TEXT } : { status: null, cut: 'time' }) });
    const { flows, directory, open, described } = flowRoom();
    const source = new LsofSource(flows, directory, edges);
    const row = open(EDGE);
    source.admit(row);
    await turns(source, 0, 2000, 4000, 6000, 10_000, 14_000, 22_000, 30_000);
    expect(edges.ran).toHaveLength(5);
    expect(source.note).toBe('lsof failed: it took too long');
    expect(described(row)).toBe('none: not looked up yet');
    works = true;
    await turns(source, 62_000);
    expect(described(row)).toBe('ssh 900 exact');
    expect(source.note).toBe('');
  });

  it('reads exit status 1 without output as an empty list', async () => {
    const { flows, directory, open, described } = flowRoom();
    const source = new LsofSource(flows, directory, programs({ lsof: () => ({ status: 1 }) }));
    const row = open(EDGE);
    source.admit(row);
    await turns(source, 0, 2000, 4000, 6000);
    expect(source.note).toBe('');
    expect(described(row)).toBe('none: closed before it could be looked up');
  });
});
