// Reads sources and readers to the end, as plain objects that tests compare.

import { setImmediate } from 'node:timers/promises';
import { PacketBatch } from '../../src/capture/batch.ts';
import type { FrameReader } from '../../src/capture/file/frame-reader.ts';
import type { CapturedProcess, CaptureInterface, PacketSource } from '../../src/capture/source.ts';

/** One frame, with its interface and processes resolved. */
export interface ReadFrame {
  readonly time: number;
  readonly bytes: string;
  readonly wire: number;
  readonly link: number;
  readonly interface: string;
  readonly direction: number;
  /** `name:pid`, null for no process. */
  readonly process: string | null;
  readonly effective: string | null;
}

/** The frames of a batch; `bytes` in hex. */
export function framesOf(
  batch: PacketBatch,
  interfaces: readonly CaptureInterface[],
  processes: readonly CapturedProcess[],
): ReadFrame[] {
  const processAt = (index: number) => {
    const process = processes[index];
    return index === 0 || process === undefined ? null : `${process.name}:${process.pid}`;
  };
  return Array.from({ length: batch.count }, (_, i) => {
    const at = batch.offset[i] as number;
    const end = at + (batch.captured[i] as number);
    if (end > batch.bytes.length) throw new Error(`frame ${i} ends at ${end}, behind the buffer`);
    return {
      time: batch.time[i] as number,
      bytes: Buffer.from(batch.bytes.subarray(at, end)).toString('hex'),
      wire: batch.wire[i] as number,
      link: batch.link[i] as number,
      interface: interfaces[batch.iface[i] as number]?.name ?? '?',
      direction: batch.direction[i] as number,
      process: processAt(batch.process[i] as number),
      effective: processAt(batch.effective[i] as number),
    };
  });
}

/** Reads a source until it has ended. */
export async function readAll(source: PacketSource): Promise<ReadFrame[]> {
  const frames: ReadFrame[] = [];
  for (;;) {
    const batch = source.read();
    if (batch !== null) frames.push(...framesOf(batch, source.interfaces, source.processes));
    else if (source.state === 'ended' || source.state === 'lost') return frames;
    else await setImmediate();
  }
}

/**
 * Feeds a reader with chunks and gives it what it did not use again, as a driver does.
 *
 * @param frames the batch's capacity
 */
export function feed(
  reader: FrameReader,
  chunks: readonly Uint8Array[],
  interfaces: readonly CaptureInterface[],
  processes: readonly CapturedProcess[],
  frames = 8,
): ReadFrame[] {
  const all: ReadFrame[] = [];
  let left: Uint8Array = new Uint8Array(0);
  for (const chunk of chunks) {
    const bytes = new Uint8Array(Buffer.concat([left, chunk]));
    const batch = new PacketBatch(frames, bytes);
    let at = 0;
    for (;;) {
      batch.count = 0;
      const next = reader.fill(batch, at, bytes.length);
      all.push(...framesOf(batch, interfaces, processes));
      if (next < at || next > bytes.length) throw new Error(`the reader went from ${at} to ${next} of ${bytes.length}`);
      if (next === at && batch.count === 0) break;
      at = next;
    }
    left = bytes.subarray(at);
  }
  return all;
}
