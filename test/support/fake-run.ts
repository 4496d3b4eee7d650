// A run over a capture file, one step at a time.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Closing } from '../../src/app/close.ts';
import { type Opened, open, type RightsOf } from '../../src/app/open.ts';
import type { Rights } from '../../src/privilege/rights.ts';
import { systemClock } from '../../src/system/clock.ts';
import { pcapFile } from './capture-writer.ts';
import { fakeEdges } from './fake-edges.ts';
import { ethernet, ipv4, udp } from './frames.ts';
import { optionsOf } from './whole-run.ts';

/** An empty folder that goes away with the test. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'netmon-run-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A capture of two packets. @returns its path */
export function captureIn(folder: string): string {
  const path = join(folder, 'capture.pcap');
  const data = ethernet(
    {},
    ipv4({ src: '10.0.0.1', dst: '198.51.100.7' }, udp({ sport: 5000, dport: 443 }, new Uint8Array(100))),
  );
  writeFileSync(path, pcapFile({ records: [1, 2].map((second) => ({ time: second * 1000, data })) }));
  return path;
}

/** Rights that note what is asked of them. @param drop done when they are dropped */
export function fakeRights(calls: string[], drop: () => void = () => {}): RightsOf {
  return async (_options, edges) =>
    ({
      edges,
      drop: async () => {
        calls.push('drop');
        drop();
        return { user: 'ann', uid: 1000, dropped: true, kept: [], note: '' };
      },
      close: async () => void calls.push('rights closed'),
    }) as unknown as Rights;
}

/** Opens a run by its command line; closed with the test at the latest. */
export async function opened(
  words: readonly string[],
  rightsOf: RightsOf | null = null,
): Promise<{ opened: Opened; closing: Closing }> {
  const closing = new Closing();
  onTestFinished(() => closing.close());
  const options = await optionsOf(words);
  return {
    opened: await open({ options, edges: fakeEdges({ platform: 'linux' }), clock: systemClock, rightsOf, log: null }, closing),
    closing,
  };
}
