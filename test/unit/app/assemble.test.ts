// The pipeline around an open run.

import { expect, test } from 'vitest';
import { LIVE_LIMITS } from '../../../src/aggregate/aggregator.ts';
import { assemble } from '../../../src/app/assemble.ts';
import { captureIn, opened, ownFolder } from '../../support/fake-run.ts';

test('counts what the filter matches, and keeps no events without a screen', async () => {
  const { opened: run, closing } = await opened(['--json', '--read', captureIn(ownFolder()), '--filter', 'port:443']);
  const { parts, events, choice, successor } = await assemble(run, closing);
  expect([events, choice, successor]).toEqual([null, null, null]);
  const batch = run.capture.opened.source.read();
  if (batch === null) throw new Error('nothing to read');
  parts.monitor.ingest(batch, 0, batch.count);
  const snapshot = parts.monitor.tick(3000, 1000, [], LIVE_LIMITS);
  expect(snapshot).toMatchObject({ capture: { driver: 'file' }, flowCount: 1, events: [] });
  expect(snapshot.matching).toMatchObject({ text: 'port:443', flowCount: 1 });
});

test('a filter that asks for what is new gets the events that know it', async () => {
  const { opened: run, closing } = await opened(['--json', '--read', captureIn(ownFolder()), '--filter', 'new']);
  expect((await assemble(run, closing)).events).not.toBeNull();
});

test('attaches the capture, and closes the owners before it', async () => {
  const { opened: run, closing } = await opened(['--json', '--read', captureIn(ownFolder())]);
  const { source } = run.capture.opened;
  const calls: string[] = [];
  const capture = { ...run.capture, attach: () => void calls.push('attach') };
  const { parts } = await assemble({ ...run, capture }, closing);
  expect(calls).toEqual(['attach']);
  parts.monitor.owners.close = () => void calls.push('owners');
  source.close = () => void calls.push('capture');
  await closing.close();
  expect(calls).toEqual(['attach', 'owners', 'capture']);
});
