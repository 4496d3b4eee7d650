// The driver `libpcap` with the system's library, in this process, on loopback.

import { createSocket, type Socket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BULK_BYTES } from '../../src/capture/libpcap/snap-program.ts';
import { openLibpcap } from '../../src/capture/libpcap/source.ts';
import type { PacketSource } from '../../src/capture/source.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemEdges } from '../../src/system/programs.ts';
import { framesOf, type ReadFrame } from '../support/capture-reader.ts';

const reason = process.platform !== 'linux' ? 'needs Linux' : process.geteuid?.() !== 0 ? 'needs root' : null;
/** Ethernet, IPv4 and UDP headers. */
const HEADERS = 14 + 20 + 8;

describe('libpcap, live', () => {
  let source: PacketSource | null = null;
  let receiver: Socket;
  let sender: Socket;
  let port: number;

  beforeEach(async ({ skip }) => {
    if (reason !== null) skip(`live test of the driver libpcap: ${reason}`);
    receiver = createSocket('udp4');
    sender = createSocket('udp4');
    await new Promise<void>((resolve) => receiver.bind(0, '127.0.0.1', resolve));
    port = receiver.address().port;
  });
  afterEach(() => {
    source?.close();
    source = null;
    receiver?.close();
    sender?.close();
  });

  const open = async (device: string, bpf: string | null): Promise<PacketSource> => {
    source = await openLibpcap({ interfaces: [device], bpf, bufferBytes: 8 << 20 }, systemEdges(), systemClock);
    source.read(); // the first reading begins the capture
    return source;
  };
  const send = (payload: Uint8Array) => new Promise((resolve) => sender.send(payload, port, '127.0.0.1', resolve));

  /** Reads until `count` frames came; ten seconds at the most. */
  async function read(from: PacketSource, count: number): Promise<ReadFrame[]> {
    const frames: ReadFrame[] = [];
    for (let turn = 0; turn < 500 && frames.length < count; turn++) {
      for (let batch = from.read(); batch !== null; batch = from.read())
        frames.push(...framesOf(batch, from.interfaces, from.processes));
      if (frames.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return frames;
  }

  it('captures every datagram once, and none is lost', async () => {
    const from = await open('lo', `udp dst port ${port}`);
    const begun = Date.now();
    for (let i = 0; i < 3000; i++) await send(Buffer.alloc(100, i & 255));
    const frames = await read(from, 3000);
    expect(frames).toHaveLength(3000);
    expect(frames.map(({ bytes }) => Number.parseInt(bytes.slice(-2), 16))).toEqual(frames.map((_, i) => i & 255));
    expect(new Set(frames.map(({ wire, link, interface: name }) => `${wire} ${link} ${name}`))).toEqual(
      new Set([`${HEADERS + 100} 1 lo`]),
    );
    expect(frames.every(({ time }, i) => i === 0 || time >= (frames[i - 1]?.time as number))).toBe(true);
    expect(frames[0]?.time).toBeGreaterThan(begun - 1000);
    expect(frames[0]?.time).toBeLessThan(Date.now() + 1000);
    // The kernel counts both ways on loopback; libpcap leaves the sent ones out itself.
    expect(from.stats()).toMatchObject({ received: 6000, droppedByKernel: 0, shed: 0, malformed: 0 });
  });

  it.each(['lo', 'any'])('keeps a part of bulk and the whole of what is worth reading, on %s', async (device) => {
    const from = await open(device, `udp dst port ${port}`);
    const header = device === 'any' ? 20 : 14;
    await send(Buffer.alloc(1400, 0x41));
    await send(Buffer.alloc(1400, 0xc3)); // as a QUIC long header begins
    await send(Buffer.alloc(0));
    const frames = await read(from, 3);
    const cooked = device === 'any' ? header : 0; // which the kernel adds to what it keeps
    expect(frames.map(({ bytes, wire }) => [bytes.length / 2, wire])).toEqual([
      [BULK_BYTES + cooked, 1428 + header],
      [1428 + header, 1428 + header],
      [28 + header, 28 + header],
    ]);
    expect(new Set(frames.map((frame) => frame.interface))).toEqual(new Set(['lo']));
  });
});
