// A replay on fake timers; the packets' own clock ticks.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionEnd } from '../../../src/pipeline/live-session.ts';
import { type ReplayParts, ReplaySession } from '../../../src/pipeline/replay-session.ts';
import { FakeOutput, FakeSource, monitorOver } from '../../support/fake-source.ts';
import { ethernet, ipv4, tcp } from '../../support/frames.ts';

const T0 = 1_600_000_000_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const frame = (time: number, sport = 40_000) => ({
  data: ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, tcp({ sport }))),
  time,
});

function begin(batches: number[][], setup: Partial<ReplayParts> & { events?: boolean } = {}) {
  const source = new FakeSource('file');
  for (const times of batches) source.push(...times.map((time, i) => frame(time, 40_000 + i)));
  const { monitor, flows } = monitorOver(source, { replay: true });
  const output = new FakeOutput(setup.events ?? false);
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const rest = {
    neighbours: null,
    intervalMs: 1000,
    speed: 0,
    ticks: true,
    samples: null,
    durationMs: null,
    collect: null,
    writing: null,
    ...setup,
  };
  const session = new ReplaySession({ source, monitor, clock, output, ...rest });
  let ended: SessionEnd | null = null;
  let isRunning = false;
  const pass = async (ms: number) => {
    if (!isRunning) void session.run().then((end) => (ended = end));
    isRunning = true;
    await vi.advanceTimersByTimeAsync(ms);
  };
  const seen = () => output.samples.map(({ time, intervalMs, capture }) => [time - T0, intervalMs, capture.packets]);
  return { source, session, flows, output, pass, seen, ended: () => ended };
}

describe('as fast as it goes', () => {
  it("ticks by the packets' clock, from the first of them", async () => {
    const { output, pass, seen, ended } = begin([[T0, T0 + 999], [T0 + 1000, T0 + 2500], [T0 + 2600]]);
    await pass(0);
    expect(seen()).toEqual([
      [1000, 1000, 2],
      [2000, 1000, 3],
    ]);
    expect(output.last).toMatchObject({ time: T0 + 2600, intervalMs: 600, capture: { packets: 5, file: 'file.pcap' } });
    expect([output.told.at(-1), ended()]).toEqual(['end', { kind: 'done' }]);
  });

  it('begins at the time of the first packet, not at the time of reading', async () => {
    const { output, pass } = begin([[T0, T0 + 2500]]);
    await pass(0);
    expect([...output.samples, output.last].map((each) => each?.started)).toEqual([T0, T0, T0]);
  });

  it('plays a capture whose clock was never set', async () => {
    const { source, output, pass, ended } = begin([]);
    source.push(frame(0), frame(400), frame(1500));
    await pass(0);
    expect(output.samples.map(({ time, capture }) => [time, capture.packets])).toEqual([[1000, 2]]);
    expect([output.last?.time, ended()]).toEqual([1500, { kind: 'done' }]);
  });

  it('ends a capture without packets', async () => {
    const { output, pass, ended } = begin([]);
    await pass(0);
    expect([output.told, output.last?.capture.packets, ended()]).toEqual([['end'], 0, { kind: 'done' }]);
    expect([output.last?.time, output.last?.intervalMs]).toEqual([Date.now(), 0]); // no packet has a time, so it is not 1970's
  });

  it('puts packets out of order into the open tick', async () => {
    const { output, pass, seen } = begin([[T0, T0 + 1500, T0 + 700, T0 - 5000, T0 + 1600]]);
    await pass(0);
    expect(seen()).toEqual([[1000, 1000, 1]]);
    expect(output.last).toMatchObject({ time: T0 + 1600, intervalMs: 600, capture: { packets: 5 } });
  });

  it('skips a long silence, and reports it', async () => {
    const hours = 5 * 3_600_000;
    const { output, pass, seen } = begin([[T0, T0 + hours + 250, T0 + hours + 1250]]);
    await pass(0);
    expect(output.told).toEqual(['sample 0', 'gap clock', 'sample 1', 'end']);
    expect(seen()).toEqual([
      [1000, 1000, 1],
      [hours + 1000, 1000, 2],
    ]);
    expect(output.gaps).toEqual([{ from: T0 + 1000, to: T0 + hours, reason: 'clock', detail: 'no packets for 17999 s' }]);
  });

  it('yields between ticks, so it can be stopped', async () => {
    const times = Array.from({ length: 1000 }, (_, i) => T0 + i * 299_000);
    let now = 0;
    const { output, session, pass, ended } = begin([times], { clock: { now: () => 0, monotonic: () => now++ } });
    setImmediate(() => session.stop({ kind: 'signal', number: 15 }));
    await pass(0);
    expect(ended()).toEqual({ kind: 'signal', number: 15 });
    expect(output.samples.length).toBeLessThan(20);
  });

  it('ticks through a short silence', async () => {
    const { output, pass } = begin([[T0, T0 + 60_000]]);
    await pass(0);
    expect(output.samples).toHaveLength(60);
    expect(output.gaps).toEqual([]);
  });

  it('ticks only at the end if nobody wants samples, with every flow', async () => {
    const times = Array.from({ length: 3000 }, (_, i) => T0 + i * 1000);
    const { output, pass } = begin([times], { ticks: false });
    await pass(0);
    expect(output.told).toEqual(['end']);
    expect(output.last).toMatchObject({ flowCount: 3000, time: T0 + 2_999_000 });
    expect(output.last?.flows).toHaveLength(3000);
  });

  it('stops after a number of samples, and after a time', async () => {
    const times = Array.from({ length: 100 }, (_, i) => T0 + i * 500);
    const counted = begin([times], { samples: 2 });
    await counted.pass(0);
    expect([counted.output.told, counted.ended()]).toEqual([['sample 0', 'sample 1', 'end'], { kind: 'done' }]);
    expect(counted.output.last?.capture.packets).toBe(4);
    const timed = begin([times], { durationMs: 3000 });
    await timed.pass(0);
    expect(timed.output.samples).toHaveLength(3);
  });

  it('expires flows by the time of the capture, and reports them', async () => {
    const times = Array.from({ length: 20 }, (_, i) => T0 + i * 120_000);
    const { output, pass } = begin([times.map((time) => time)], { events: true, intervalMs: 10_000 });
    await pass(0);
    expect(output.told.filter((each) => each.startsWith('open'))).toHaveLength(20);
    expect(output.told.filter((each) => each.startsWith('close')).length).toBeGreaterThan(5);
    expect(output.last?.flowCount).toBeLessThan(15);
  });

  it('ends when it is stopped', async () => {
    const times = Array.from({ length: 100 }, (_, i) => T0 + i * 500);
    const { output, session, pass, ended } = begin([times]);
    output.onSample = ({ seq }) => seq === 4 && session.stop({ kind: 'signal', number: 2 });
    await pass(0);
    expect([output.told.length, ended()]).toEqual([6, { kind: 'signal', number: 2 }]);
  });
});

describe('paced', () => {
  it('takes as long as the packets did', async () => {
    const { output, pass, ended } = begin([[T0, T0 + 3000], [T0 + 6000]], { speed: 1 });
    await pass(2900);
    expect([output.samples.length, ended()]).toEqual([2, null]);
    await pass(3000);
    expect([output.samples.length, ended()]).toEqual([5, null]);
    await pass(200);
    expect(ended()).toEqual({ kind: 'done' });
    expect(output.last?.capture.packets).toBe(3);
  });

  it('is as many times faster as asked', async () => {
    const { output, pass, ended } = begin([[T0, T0 + 60_000]], { speed: 10 });
    await pass(5900);
    expect(ended()).toBeNull();
    await pass(200);
    expect([output.samples.length, ended()]).toEqual([60, { kind: 'done' }]);
  });

  it('waits out a silence of minutes, and ends at once when stopped', async () => {
    const { session, pass, ended } = begin([[T0, T0 + 300_000]], { speed: 1 });
    await pass(250_000);
    expect(ended()).toBeNull();
    session.stop({ kind: 'signal', number: 15 });
    await pass(0);
    expect(ended()).toEqual({ kind: 'signal', number: 15 });
  });

  it('skips a longer silence at every speed, reports it, and keeps its pace', async () => {
    const years = 10 * 365 * 86_400_000;
    for (const speed of [1, 1_000_000]) {
      const { output, pass, seen, ended } = begin([[T0, T0 + years + 500, T0 + years + 3500]], { speed });
      await pass(Math.ceil(2000 / speed));
      expect(ended()).toBeNull();
      await pass(Math.ceil(5000 / speed) + 20);
      expect(ended()).toEqual({ kind: 'done' });
      expect(output.gaps).toMatchObject([{ from: T0 + 1000, to: T0 + years, reason: 'clock' }]);
      expect(seen()).toEqual([
        [1000, 1000, 1],
        [years + 1000, 1000, 2],
        [years + 2000, 1000, 2],
        [years + 3000, 1000, 2],
      ]);
    }
  });

  it('skips overdue ticks of a fast clock while a pipe is silent', async () => {
    const { source, output, session, pass } = begin([], { speed: 1_000_000 });
    const read = source.read.bind(source);
    source.read = () => {
      const batch = read();
      source.state = 'open';
      return batch;
    };
    source.push(frame(T0));
    await pass(1000); // a million seconds of the packets' time
    expect(output.samples.length).toBeLessThan(110);
    expect(output.gaps.length).toBeGreaterThan(80);
    session.stop({ kind: 'done' });
    await pass(10);
  });

  it('keeps ticking while a pipe is silent', async () => {
    const { source, output, pass, ended } = begin([], { speed: 1 });
    const read = source.read.bind(source);
    let open = true;
    source.read = () => {
      const batch = read();
      if (open) source.state = 'open';
      return batch;
    };
    source.push(frame(T0));
    await pass(3500);
    expect(output.samples).toHaveLength(3);
    source.push(frame(T0 + 3600));
    open = false;
    await pass(500);
    expect([output.last?.capture.packets, ended()]).toEqual([2, { kind: 'done' }]);
  });
});
