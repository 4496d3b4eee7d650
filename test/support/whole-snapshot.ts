// Snapshots of a capture, through everything that a replay goes through.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RateHistory } from '../../src/aggregate/rate-history.ts';
import { openFile } from '../../src/capture/file/source.ts';
import { Categories } from '../../src/identify/category/categories.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { assemble } from '../../src/pipeline/assembly.ts';
import { ReplaySession } from '../../src/pipeline/replay-session.ts';
import { systemClock } from '../../src/system/clock.ts';
import { fakeEdges } from './fake-edges.ts';
import { FakeOutput } from './fake-source.ts';

/** The last snapshot of the bytes of a capture file. */
export async function snapshotOf(capture: Uint8Array): Promise<Snapshot> {
  const { output } = await replayed(capture, false);
  if (output.last === null) throw new Error('the replay told nothing');
  return output.last;
}

/** A snapshot for each second, as the screen gets it, of the bytes of a capture file; and who moved what in a range of it. */
export async function snapshotsOf(capture: Uint8Array): Promise<{ seconds: readonly Snapshot[]; history: RateHistory }> {
  const { output, history } = await replayed(capture, true);
  return { seconds: output.samples, history: history as RateHistory };
}

async function replayed(capture: Uint8Array, ticks: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'nmt-whole-'));
  try {
    const file = join(folder, 'x.pcapng');
    writeFileSync(file, capture);
    const source = await openFile(file);
    const subject = {
      named: [],
      file,
      categories: new Categories(),
      places: null,
      reverseDns: false,
      events: null,
      watcher: null,
      started: 0,
    };
    const parts = await assemble({ source, fallbacks: [] }, subject, fakeEdges({ platform: 'linux' }), systemClock);
    const history = ticks ? parts.monitor.aggregator.keepRateHistory() : null;
    const output = new FakeOutput();
    const pace = { intervalMs: 1000, speed: 0, ticks, samples: null, durationMs: null, collect: null, writing: null };
    await new ReplaySession({ ...parts, ...pace, source, clock: systemClock, output }).run();
    source.close();
    return { output, history };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
