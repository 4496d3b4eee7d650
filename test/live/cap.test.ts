// The driver `cap` with the real package, in its real child process, on loopback and on an interface that goes down.

import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCap } from '../../src/capture/cap/source.ts';
import type { PacketSource } from '../../src/capture/source.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { Edges } from '../../src/system/edges.ts';
import { systemEdges } from '../../src/system/programs.ts';

const IP = '/sbin/ip';

function obstacle(): string | null {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.geteuid?.() !== 0) return 'needs root';
  try {
    createRequire(import.meta.url)('cap');
    return null;
  } catch {
    return 'the package cap is not built';
  }
}

const reason = obstacle();
if (reason !== null) console.log(`skipped: live test of the driver cap: ${reason}`);
const root = dirname(dirname(import.meta.dirname));

describe.skipIf(reason !== null)('cap, live', () => {
  let built = '';
  let edges: Edges;

  beforeAll(() => {
    built = mkdtempSync(join(tmpdir(), 'netmon-cap-'));
    try {
      execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', built]);
    } catch {
      // It writes its output all the same; what is missing shows below.
    }
    const childPath = (word: string) => (word.endsWith('cap-child.js') ? join(built, 'privilege/cap-child.js') : word);
    const packages = dirname(dirname(dirname(createRequire(import.meta.url).resolve('cap'))));
    const env = { ...process.env, NODE_PATH: packages };
    edges = {
      ...systemEdges(),
      spawn: (path, args) => spawn(path, args.map(childPath), { stdio: ['ignore', 'pipe', 'pipe'], env }),
    };
  });
  afterAll(() => rmSync(built, { recursive: true, force: true }));

  const open = (device: string, bpf: string | null): Promise<PacketSource> =>
    openCap({ interfaces: [device], bpf, bufferBytes: 16 << 20 }, edges, systemClock);

  async function until(done: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < 500; i++) {
      if (done()) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`waited in vain: ${what}`);
  }

  it('captures every datagram on loopback, once', async () => {
    const receiver = createSocket('udp4');
    await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
    const { port } = receiver.address();
    const source = await open('lo', `udp dst port ${port}`);
    const sender = createSocket('udp4');
    let sent = 0;
    let frames = 0;
    let wire = 0;
    // libpcap's immediate mode, which cap asks for, takes a slot of 64 KiB for each frame on loopback: a burst must fit into the ring.
    for (let burst = 0; burst < 20; burst++) {
      for (let i = 0; i < 50; i++, sent++)
        await new Promise((resolve) => sender.send(Buffer.alloc(100, 7), port, '127.0.0.1', resolve));
      await until(() => {
        for (let batch = source.read(); batch !== null; batch = source.read()) {
          for (let i = 0; i < batch.count; i++) wire += batch.wire[i] ?? 0;
          frames += batch.count;
        }
        return frames >= sent;
      }, 'all datagrams');
    }
    expect([frames, wire, source.interfaces[0]?.link, source.interfaces[0]?.kind]).toEqual([
      sent,
      sent * (14 + 20 + 8 + 100),
      1,
      'loopback',
    ]);
    expect(source.stats()).toMatchObject({ received: sent, droppedByKernel: null, shed: 0 });
    source.close();
    sender.close();
    receiver.close();
  });

  it('tells a bad filter and a missing interface', async () => {
    await expect(open('lo', 'tcp prot 1')).rejects.toMatchObject({ code: 'bad-filter' });
    await expect(open('nosuch0', null)).rejects.toMatchObject({ code: 'no-device', message: expect.stringContaining('lo') });
  });

  it('outlives an interface that goes down and comes back', async () => {
    const device = `nmt${process.pid % 100_000}`;
    execFileSync(IP, ['link', 'add', device, 'type', 'veth', 'peer', 'name', `${device}p`]);
    try {
      execFileSync(IP, ['link', 'set', device, 'up']);
      const source = await open(device, null);
      execFileSync(IP, ['link', 'set', device, 'down']);
      await until(() => source.read() === null && source.state === 'waiting', 'the interface to be missed');
      expect(source.note).toContain(device);
      execFileSync(IP, ['link', 'set', device, 'up']);
      await until(() => {
        while (source.read() !== null);
        return source.state === 'open';
      }, 'the capture to come back');
      source.close();
    } finally {
      execFileSync(IP, ['link', 'del', device]);
    }
  });
});
