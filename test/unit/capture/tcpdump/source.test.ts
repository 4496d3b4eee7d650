import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { ProgramTimings } from '../../../../src/capture/program.ts';
import type { CaptureRequest } from '../../../../src/capture/source.ts';
import { openTcpdump, type TcpdumpSource } from '../../../../src/capture/tcpdump/source.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import { systemClock } from '../../../../src/system/clock.ts';
import { framesOf, type ReadFrame } from '../../../support/capture-reader.ts';
import { type Block, pcapngFile } from '../../../support/capture-writer.ts';
import { edgesFor, type FakeProgram, FakeTcpdump, TcpdumpScript } from '../../../support/fake-tcpdump.ts';

const REQUEST: CaptureRequest = { interfaces: [], bpf: null, bufferBytes: 16 * 1024 * 1024 };
const QUICK: Partial<ProgramTimings> = { graceMs: 300, backOffMs: [10, 20], question: null };

const frame = (fill: number) => new Uint8Array(60).fill(fill);
const HEAD: Block[] = [
  { block: 'section' },
  { block: 'interface', name: 'en0' },
  { block: 'process', pid: 501, name: 'Safari' },
  { block: 'interface', name: 'lo0', link: 0 },
  { block: 'process', pid: 777, name: 'curl' },
];
const STREAM = pcapngFile([
  ...HEAD,
  { block: 'packet', data: frame(1), ticks: 1_700_000_000_000_000n, direction: 'out', process: 0 },
  {
    block: 'packet',
    data: frame(2),
    ticks: 1_700_000_000_000_250n,
    interface: 1,
    direction: 'in',
    process: 1,
    effective: 0,
    wire: 1500,
  },
  { block: 'packet', data: frame(3), ticks: 1_700_000_000_001_000n, direction: 'in' },
]);

let fake: FakeProgram | null = null;
let source: TcpdumpSource | null = null;

afterEach(async () => {
  source?.close();
  await source?.gone;
  source = null;
  expect(fake?.alive() ?? []).toEqual([]);
  fake?.remove();
  fake = null;
});

async function open(made: FakeProgram, timings: Partial<ProgramTimings> = QUICK, request = REQUEST): Promise<TcpdumpSource> {
  fake = made;
  source = await openTcpdump(request, made.edges, systemClock, timings);
  return source;
}

/** Reads until `done`; fails after ten seconds rather than hanging. */
async function readUntil(from: TcpdumpSource, done: (frames: readonly ReadFrame[]) => boolean): Promise<ReadFrame[]> {
  const frames: ReadFrame[] = [];
  for (let turn = 0; turn < 5_000; turn++) {
    const batch = from.read();
    if (batch !== null) frames.push(...framesOf(batch, from.interfaces, from.processes));
    if (done(frames)) return frames;
    if (batch === null) await wait(2);
  }
  throw new Error(`not reached: ${frames.length} frames, ${from.state}, ${from.note}`);
}

describe('stream', () => {
  test.each([1, 3, 13, 1000])('frames in pieces of %i bytes, with their processes', async (split) => {
    const opened = await open(new FakeTcpdump([{ write: STREAM, split }]));
    expect(opened).toMatchObject({ driver: 'tcpdump', state: 'open', note: '', namesProcesses: true });
    const frames = await readUntil(opened, (all) => all.length >= 3);
    expect(frames).toMatchObject([
      { interface: 'en0', direction: 2, process: 'Safari:501', effective: null, time: 1_700_000_000_000, wire: 60 },
      {
        interface: 'lo0',
        direction: 1,
        process: 'curl:777',
        effective: 'Safari:501',
        time: 1_700_000_000_000.25,
        wire: 1500,
        link: 0,
      },
      { interface: 'en0', direction: 1, process: null, time: 1_700_000_000_001 },
    ]);
    expect(frames.map((one) => one.bytes.slice(0, 2))).toEqual(['01', '02', '03']);
    expect(opened.interfaces.map((iface) => [iface.name, iface.kind, iface.deliversTwice])).toEqual([
      ['en0', 'physical', false],
      ['lo0', 'loopback', true],
    ]);
    expect(opened.stats().malformed).toBe(0);
  });

  test('is asked for PKTAP, and given the filter', async () => {
    await open(new FakeTcpdump([{}]), QUICK, { ...REQUEST, interfaces: ['en0'], bpf: 'tcp port 443' });
    expect(fake?.runs()[0]?.args).toEqual([
      ...['-i', 'pktap,en0', '-s', '2204', '-B', '16384', '-n', '-U', '--immediate-mode', '-w', '-'],
      ...['--', 'tcp port 443'],
    ]);
  });

  test('a flood on standard error does not stop it', async () => {
    const opened = await open(new TcpdumpScript([{ flood: 4 << 20, write: STREAM }]));
    expect(await readUntil(opened, (all) => all.length >= 3)).toHaveLength(3);
  });

  test('is held back while nobody reads, and loses nothing', async () => {
    const big = pcapngFile([{ block: 'packet', data: new Uint8Array(2000), direction: 'out', process: 0 }]);
    const all = new Uint8Array(Buffer.concat([pcapngFile(HEAD), ...Array.from({ length: 3000 }, () => big)]));
    const opened = await open(new TcpdumpScript([{ write: all, farewell: 'done\n', status: 0 }]));
    await wait(300);
    // It hasn't written all of its 6 MB, or it would have ended and another one started.
    expect(fake?.runs()).toHaveLength(1);
    expect(opened.state).toBe('open');
    const frames = await readUntil(opened, (read) => read.length >= 3000);
    expect(frames).toHaveLength(3000);
  });
});

describe('start', () => {
  const failing = async (made: FakeProgram, timings: Partial<ProgramTimings> = QUICK, request = REQUEST) => {
    fake = made;
    return openTcpdump(request, made.edges, systemClock, timings).then(
      () => expect.unreachable('it opened'),
      (error: unknown) => error,
    );
  };

  test.each([
    ['tcpdump: ioctl(SIOCIFCREATE): Operation not permitted\n', 'permission'],
    ['tcpdump: en9: No such device exists\n(No such device exists)\n', 'no-device'],
    ["tcpdump: can't parse filter expression: syntax error\n", 'bad-filter'],
    ['', 'no-device'],
  ])('%j is a failure of the right kind', async (say, code) => {
    expect(await failing(new FakeTcpdump([{ say, status: 1 }]), QUICK, { ...REQUEST, bpf: 'x' })).toMatchObject({ code });
  });

  test('one that never gets ready is killed if it ignores signals', async () => {
    const error = await failing(new FakeTcpdump([{ say: 'tcpdump: data link type PKTAP\n', stubborn: true }]), {
      ...QUICK,
      readyMs: 20,
      graceMs: 20,
    });
    expect(error).toMatchObject({ code: 'no-device', message: expect.stringContaining('not ready after 0.02 s') });
    expect(fake?.runs()).toHaveLength(1);
    expect(fake?.alive()).toEqual([]);
  });

  test('another tcpdump is refused before it is started', async () => {
    const error = await failing(new FakeTcpdump([{}], 'tcpdump version 4.99.4\nlibpcap version 1.10.4\n'));
    expect(error).toMatchObject({ code: 'no-device', message: expect.stringContaining('not the tcpdump of macOS') });
    expect(fake?.runs()).toEqual([]);
  });

  test('none at all', async () => {
    await expect(openTcpdump(REQUEST, edgesFor('/nonexistent/tcpdump'), systemClock, QUICK)).rejects.toMatchObject({
      code: 'no-device',
      message: expect.stringContaining('ENOENT'),
    });
  });
});

describe('restart', () => {
  test('after a death in the middle of a block: the cut block is counted, the rest goes on', async () => {
    const cut = STREAM.subarray(0, STREAM.length - 20);
    const opened = await open(
      new TcpdumpScript([{ write: cut, status: 2, farewell: 'tcpdump: pcap_loop: broken\n' }, { write: STREAM }]),
    );
    const notes = new Set<string>();
    const frames = await readUntil(opened, (all) => {
      notes.add(opened.note);
      return all.length >= 5;
    });
    expect(frames.map((one) => one.bytes.slice(0, 2))).toEqual(['01', '02', '01', '02', '03']);
    expect([...notes].join()).toContain('pcap_loop: broken): starting it again in 0.01 s');
    expect(opened).toMatchObject({ state: 'open', note: '' });
    expect(opened.stats().malformed).toBe(1);
    // The second stream named the same interfaces and processes again.
    expect(opened.interfaces).toHaveLength(2);
    expect(opened.processes.map((process) => process.name)).toEqual(['', 'Safari', 'curl']);
  });

  test('after garbage', async () => {
    const garbage = new Uint8Array(4096).fill(0x5a);
    const opened = await open(
      new FakeTcpdump([{ write: new Uint8Array(Buffer.concat([STREAM, garbage])) }, { write: garbage }, { write: STREAM }]),
    );
    expect(await readUntil(opened, (all) => all.length >= 6)).toHaveLength(6);
    expect(opened.stats().malformed).toBe(2);
    expect(fake?.runs()).toHaveLength(3);
  });

  test('of one that answers no more', async () => {
    const opened = await open(new FakeTcpdump([{ write: STREAM }, { write: STREAM, answer: 'tcpdump: 3 packets captured\n' }]), {
      ...QUICK,
      question: 'SIGUSR2',
      pollMs: 5,
      unanswered: 3,
    });
    expect(await readUntil(opened, (all) => all.length >= 6)).toHaveLength(6);
  });

  test('not of one that answers; its counters are those of all runs together', async () => {
    const answer = 'tcpdump: 3 packets captured, 7 packets received by filter, 2 packets dropped by kernel\n';
    const opened = await open(
      new FakeTcpdump([
        { write: STREAM, farewell: '3 packets captured\n5 packets received by filter\n1 packet dropped by kernel\n', status: 0 },
        { write: STREAM, answer },
      ]),
      { ...QUICK, question: 'SIGUSR2', pollMs: 10, unanswered: 1_000 },
    );
    expect(opened.stats()).toMatchObject({ shed: 0, droppedByInterface: null });
    await readUntil(opened, (all) => all.length >= 6 && opened.stats().received === 12);
    expect(opened.stats()).toMatchObject({ received: 12, droppedByKernel: 3, droppedByInterface: null, malformed: 0 });
    expect(fake?.runs()).toHaveLength(2);
  });

  test('is given up where it can never succeed', async () => {
    const opened = await open(
      new FakeTcpdump([
        { write: STREAM, status: 1 },
        { say: 'tcpdump: ioctl(SIOCIFCREATE): Operation not permitted\n', status: 1 },
      ]),
    );
    await readUntil(opened, () => opened.state === 'lost');
    expect(opened.note).toContain('Operation not permitted');
    expect(opened.read()).toBeNull();
    expect(fake?.runs()).toHaveLength(2);
  });

  test.each([
    ['that ends', "en0, 1) failed: can't parse filter expression: syntax error\n", 0],
    ['that goes on for ever', 'en0, 1) failed: \n', undefined],
  ])('not where the filter turns out to be bad at the first packet, by one %s', async (_, said, status) => {
    const farewell = `pktap_filter_packet: pcap_add_if_info(${said}`;
    const run = { write: STREAM, farewell, ...(status === undefined ? {} : { status }) };
    const opened = await open(new FakeTcpdump([run]), QUICK, { ...REQUEST, bpf: 'garbage in' }).catch((thrown) => thrown);
    // The refusal may arrive together with the ready message, and then it never opens.
    if (opened instanceof NetmonError) expect(opened.code).toBe('bad-filter');
    else {
      await readUntil(opened, () => opened.state === 'lost');
      expect(opened).toMatchObject({ failure: { code: 'bad-filter' }, note: expect.stringContaining('"garbage in"') });
    }
    expect(fake?.runs()).toHaveLength(1);
  });

  test('an interface that is away is waited for', async () => {
    const away = { say: 'tcpdump: utun4: No such device exists\n', status: 1 };
    const opened = await open(new FakeTcpdump([{ status: 0 }, away, away, { write: STREAM }]));
    await readUntil(opened, (all) => all.length >= 3);
    expect(opened.state).toBe('open');
    expect(fake?.runs()).toHaveLength(4);
  });
});

describe('close', () => {
  test.each([false, true])('leaves no child behind (stubborn: %s)', async (stubborn) => {
    const opened = await open(new TcpdumpScript([{ write: STREAM, stubborn }]), { ...QUICK, graceMs: 50 });
    expect(fake?.alive()).toHaveLength(1);
    opened.close();
    opened.close();
    expect(opened.read()).toBeNull();
    await opened.gone;
    expect(fake?.alive()).toEqual([]);
  });

  test('while it waits to start again', async () => {
    const opened = await open(new FakeTcpdump([{ status: 0 }]), { ...QUICK, backOffMs: [60_000] });
    await readUntil(opened, () => opened.state === 'waiting');
    opened.close();
    await opened.gone;
    expect(opened.state).toBe('ended');
  });

  test('the end of the process takes the child with it', async () => {
    const before = new Set(process.listeners('exit'));
    const opened = await open(new TcpdumpScript([{ stubborn: true }]));
    const added = process.listeners('exit').filter((listener) => !before.has(listener));
    expect(added).toHaveLength(1);
    for (const listener of added) listener(0);
    await readUntil(opened, () => fake?.alive().length === 0 || opened.state === 'waiting');
    opened.close();
    await opened.gone;
    expect(process.listeners('exit').filter((listener) => !before.has(listener))).toEqual([]);
  });
});
