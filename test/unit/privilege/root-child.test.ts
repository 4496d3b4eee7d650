// The root child and its client, joined by two pipes in one process. The child starts real processes of a fake tcpdump and lsof.

import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME, FrameReader, framesOf, RootChild, type RootPrograms } from '../../../src/privilege/root-child.ts';
import { RootClient } from '../../../src/privilege/root-client.ts';
import type { Edges } from '../../../src/system/edges.ts';
import { fakeRoot } from '../../support/fake-edges.ts';

const LIMITS = { timeoutMs: 1, maxBytes: 1 };
const node = (script: string) => ({ path: process.execPath, args: ['-e', script] });
/** Says that it listens, writes bytes, and runs until it is told to end, which it confirms. */
const TCPDUMP = `process.on('SIGTERM', () => { process.stderr.write('bye\\n'); process.exitCode = 7; clearInterval(t); });
  process.on('SIGUSR2', () => process.stderr.write('counted\\n'));
  const t = setInterval(() => {}, 1000); process.stderr.write('listening\\n'); process.stdout.write(Buffer.alloc(200000, 'p'));`;

function setUp(tcpdump = TCPDUMP, lsof = "console.log('p1')", limits = { timeoutMs: 20_000, maxBytes: 1 << 20 }) {
  const programs: RootPrograms = {
    tcpdump: node(tcpdump),
    lsof: { ...node(lsof), ...limits },
    ifconfig: { path: '/nonexistent/ifconfig', owner: 4711, timeoutMs: 5000 },
    question: 'SIGUSR2',
    env: { PATH: '/usr/bin', LC_ALL: 'C' },
  };
  const [commands, answers] = [new PassThrough(), new PassThrough()];
  const child = new RootChild(programs, commands, answers);
  const process_ = Object.assign(new EventEmitter(), { stdin: commands, stdout: answers, pid: 4711 });
  const client = new RootClient(process_ as unknown as ChildProcess, programs);
  const ran: string[] = [];
  const direct = {
    spawn: (path: string) => ran.push(path),
    run: (path: string) => Promise.resolve(ran.push(path)),
  } as unknown as Edges;
  const edges = client.edges(direct);
  const capture = () => edges.spawn(programs.tcpdump.path, programs.tcpdump.args);
  const list = () => edges.run(programs.lsof.path, programs.lsof.args, LIMITS);
  return { programs, commands, answers, child, client, edges, ran, capture, list, process: process_ };
}

/** Reads until the text arrives. */
async function until(stream: NodeJS.ReadableStream | null, text: string): Promise<string> {
  let all = '';
  while (!all.includes(text)) all += String((await once(stream as NodeJS.ReadableStream, 'data'))[0]);
  return all;
}

describe('tcpdump in the root child', () => {
  it('passes on its output, answers, and ends on request', async () => {
    const { capture, client, child } = setUp();
    const remote = capture();
    let bytes = 0;
    remote.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await until(remote.stderr, 'listening');
    expect(remote.kill('SIGINFO' as NodeJS.Signals)).toBe(true);
    await until(remote.stderr, 'counted');
    const ended = once(remote, 'exit');
    const said = until(remote.stderr, 'bye');
    remote.kill('SIGTERM');
    expect(await ended).toEqual([7, null]);
    await said;
    expect(bytes).toBe(200_000);
    void client.close();
    await child.ended;
  });

  it('can be killed, and started again', async () => {
    const { capture, client, child } = setUp();
    for (let i = 0; i < 2; i++) {
      const remote = capture();
      remote.stdout?.resume();
      await until(remote.stderr, 'listening');
      remote.kill('SIGKILL');
      expect(await once(remote, 'exit')).toEqual([null, 'SIGKILL']);
    }
    void client.close();
    await child.ended;
  });

  it('waits for a reader that pauses', async () => {
    const { capture, client, child, answers } = setUp(
      `const b = Buffer.alloc(65536); const f = () => { while (process.stdout.write(b)); }; process.stdout.on('drain', f); process.stderr.write('listening\\n'); f();`,
    );
    const remote = capture();
    remote.stdout?.pause();
    await until(remote.stderr, 'listening');
    await once(answers, 'pause');
    expect(answers.readableLength + answers.writableLength).toBeLessThan(2 << 20);
    void client.close();
    await child.ended;
  });

  it('that doesn’t exist is an error without a pid', async () => {
    const { client, child, programs, edges } = setUp();
    Object.assign(programs.tcpdump, { path: '/nonexistent/tcpdump' });
    const remote = edges.spawn('/nonexistent/tcpdump', programs.tcpdump.args);
    const [error] = (await once(remote, 'error')) as [NodeJS.ErrnoException];
    expect([error.code, remote.pid]).toEqual(['ENOENT', undefined]);
    void client.close();
    await child.ended;
  });

  it('is stopped when the program goes away', async () => {
    const { capture, commands, child } = setUp();
    const remote = capture();
    remote.stdout?.resume();
    await until(remote.stderr, 'listening');
    commands.end();
    await child.ended; // settles only when nothing runs any more
  });

  it('counts as gone when the root child is', async () => {
    const { capture, list, process, child, commands } = setUp();
    const remote = capture();
    await until(remote.stderr, 'listening');
    const ended = once(remote, 'error');
    process.emit('close', 9, null);
    expect(((await ended)[0] as NodeJS.ErrnoException).code).toBe('EPIPE');
    expect(await list()).toMatchObject({ status: null, failure: 'EPIPE' });
    const after = capture();
    expect(((await once(after, 'error'))[0] as NodeJS.ErrnoException).code).toBe('EPIPE');
    commands.end();
    await child.ended;
  });
});

/** An ifconfig that stores each interface as a file with its description, and records what it was told to destroy. */
function fakeIfconfig(interfaces: Record<string, string>): { path: string; left: () => string[] } {
  const folder = fakeRoot({});
  mkdirSync(join(folder, 'interfaces'));
  for (const [name, text] of Object.entries(interfaces)) writeFileSync(join(folder, 'interfaces', name), text);
  const path = join(folder, 'ifconfig');
  const script = `cd ${folder}/interfaces
if [ "$1" = -l ]; then echo lo0 en0 $(ls)
elif [ "$1" = -v ]; then echo "$2: flags=1<UP> mtu 0"; cat "$2"
elif [ "$2" = destroy ]; then rm "$1"; fi`;
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { path, left: () => readdirSync(join(folder, 'interfaces')) };
}

describe('interfaces that libpcap leaves behind', () => {
  const made = (by: string) => `\tdesc: libpcap auto cloned device - ${by}\n`;
  const others = {
    pktap1: made('node.471'),
    pktap2: made('tcpdump.4712'),
    pktap3: '\tflags only\n',
    utun4: made('node.4711'),
    'pktap5;reboot': made('node.4711'),
  };

  it('are removed at the end, if this run created them', async () => {
    const { client, child, programs } = setUp();
    const { path, left } = fakeIfconfig({ pktap0: made('node.4711'), pktap14: made('a name.with dots.4711'), ...others });
    Object.assign(programs.ifconfig, { path });
    void client.close();
    await child.ended;
    expect(left().sort()).toEqual(Object.keys(others).sort());
  });

  it('are also removed after a tcpdump that had to be killed', async () => {
    const { capture, client, child, programs } = setUp(
      `process.stderr.write('listening ' + process.pid + '\\n'); setInterval(() => {}, 1000);`,
    );
    const remote = capture();
    remote.stdout?.resume();
    const pid = /\d+/.exec(await until(remote.stderr, '\n'))?.[0];
    remote.kill('SIGKILL');
    await once(remote, 'exit');
    const { path, left } = fakeIfconfig({ pktap0: made(`tcpdump.${pid}`) });
    Object.assign(programs.ifconfig, { path });
    void client.close();
    await child.ended;
    expect(left()).toEqual([]);
  });

  it('stay while the program still runs, even after a broken command', async () => {
    const { commands, child, programs } = setUp();
    const { path, left } = fakeIfconfig({ pktap0: made('node.4711') });
    Object.assign(programs.ifconfig, { path });
    commands.write('X');
    await child.ended;
    expect(left()).toEqual(['pktap0']);
  });

  it('are waited for, but not forever', async () => {
    const { client, process } = setUp();
    const closed = client.close();
    process.emit('close', 0, null);
    await closed;
    await client.close();
  });
});

describe('lsof in the root child', () => {
  it('returns its text and status every time', async () => {
    const { list, client, child } = setUp(TCPDUMP, "process.stdout.write('p1\\n'.repeat(50000)); process.exitCode = 1");
    for (let i = 0; i < 2; i++)
      expect(await list()).toEqual({ status: 1, stdout: 'p1\n'.repeat(50_000), stderr: '', cut: null, failure: null });
    void client.close();
    await child.ended;
  });

  it('is ended when it prints too much', async () => {
    const { list, client, child } = setUp(TCPDUMP, "setInterval(() => process.stdout.write('x'.repeat(9999)), 1)", {
      timeoutMs: 20_000,
      maxBytes: 20_000,
    });
    const { cut, stdout } = await list();
    expect([cut, stdout.length <= 20_000]).toEqual(['size', true]);
    void client.close();
    await child.ended;
  });

  it('is ended when it hangs', async () => {
    const { list, client, child } = setUp(TCPDUMP, 'setInterval(() => {}, 1000)', { timeoutMs: 300, maxBytes: 20_000 });
    expect((await list()).cut).toBe('time');
    void client.close();
    await child.ended;
  });
});

it('anything else runs as the user, even the same programs with other arguments', async () => {
  const { edges, ran, programs, client, child } = setUp();
  edges.spawn(programs.tcpdump.path, [...programs.tcpdump.args, '-Z']);
  edges.spawn('/bin/ps', programs.tcpdump.args);
  await edges.run(programs.lsof.path, ['-v'], LIMITS);
  expect(ran).toEqual([programs.tcpdump.path, '/bin/ps', programs.lsof.path]);
  void client.close();
  await child.ended;
});

describe('hostile bytes', () => {
  it('to the child end it and whatever it ran', async () => {
    for (const bytes of ['/bin/sh\n', '\0', 'CC', 'LL', 'x']) {
      const { commands, child } = setUp();
      commands.write('C');
      commands.write(bytes);
      await child.ended;
    }
  });

  it('from the child close the client, and everything that ran through it', async () => {
    for (const bytes of [
      [9, 0, 0, 0, 0, 0, 0, 0],
      [1, 1, 0, 0, 0, 0, 0, 0],
      [1, 0, 0, 0, 0, 0, 2, 0],
      [0, 0, 0, 0, 0, 0, 0, 0],
    ]) {
      const { capture, answers, child } = setUp();
      const remote = capture();
      const ended = once(remote, 'error');
      answers.write(Buffer.from(bytes));
      await ended;
      await child.ended; // its standard input was closed
    }
  });

  it('in an end message still count as an end', async () => {
    const { capture, answers, commands, child } = setUp();
    const remote = capture();
    const ended = once(remote, 'exit');
    for (const part of framesOf(FRAME.CAPTURE_END, Buffer.from('code 99999\u001b[2J'))) answers.write(part);
    expect(await ended).toEqual([1, null]);
    commands.end();
    await child.ended;
  });
});

it('frames survive any split, and never exceed their limit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 40 }),
      (payloads, step) => {
        const all = Buffer.concat(payloads.flatMap((bytes) => framesOf(FRAME.LISTED, Buffer.from(bytes))));
        const reader = new FrameReader();
        const seen: Buffer[] = [];
        for (let at = 0; at < all.length; at += step)
          expect(reader.take(all.subarray(at, at + step), (_, payload) => seen.push(Buffer.from(payload)))).toBe(true);
        expect(seen.map((bytes) => [...bytes])).toEqual(payloads.map((bytes) => [...bytes]));
      },
    ),
  );
  const long = framesOf(FRAME.CAPTURED, Buffer.alloc(150_000));
  expect(long.map((part) => part.length)).toEqual([8, 65_536, 8, 65_536, 8, 18_928]);
});
