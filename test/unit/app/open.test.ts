// A run is opened: rights, capture, output; what fails on the way leaves nothing behind.

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Closing } from '../../../src/app/close.ts';
import { open } from '../../../src/app/open.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { fakeEdges } from '../../support/fake-edges.ts';
import { captureIn, fakeRights, opened, ownFolder } from '../../support/fake-run.ts';
import { optionsOf } from '../../support/whole-run.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException'] as const;
const listeners = () => SIGNALS.map((name) => process.listenerCount(name as 'SIGINT'));

describe('a run that is opened', () => {
  test('listens for signals until it is closed', async () => {
    const before = listeners();
    const { opened: run, closing } = await opened(['--json', '--read', captureIn(ownFolder()), '--filter', 'app:curl']);
    expect(run).toMatchObject({ mode: 'json', screen: null, rights: null, filter: { text: 'app:curl' } });
    expect(run.capture).toMatchObject({ switching: null, opened: { source: { driver: 'file', state: 'open' }, fallbacks: [] } });
    expect(listeners()).toEqual(before.map((count) => count + 1));
    await closing.close();
    expect(listeners()).toEqual(before);
  });

  test('prints a table if standard output is not a terminal', async () => {
    expect((await opened(['--read', captureIn(ownFolder())])).opened).toMatchObject({ mode: 'table', screen: null });
  });

  test('reaches the machine through its rights', async () => {
    const edges = fakeEdges({ platform: 'darwin' });
    const rightsOf = async () => ({ edges, close: async () => {} }) as never;
    const { opened: run } = await opened(['--json', '--read', captureIn(ownFolder())], rightsOf);
    expect(run.reach).toBe(edges);
    expect(run.edges.platform).toBe('linux');
  });
});

test.each([
  ['a filter is invalid', ['--filter', 'rx>>1'], 'bad-filter'],
  ['the file is missing', ['--read', join('missing', 'file.pcap')], 'usage'],
])('rights are given back if %s', async (_, words, code) => {
  const before = listeners();
  const calls: string[] = [];
  const options = await optionsOf(['--json', ...words]);
  const closing = new Closing();
  const edges = fakeEdges({ platform: 'linux' });
  const request = { options, edges, clock: systemClock, rightsOf: fakeRights(calls), log: null };
  await expect(open(request, closing)).rejects.toMatchObject({ code });
  await closing.close();
  expect(calls).toEqual(['rights closed']);
  expect(listeners()).toEqual(before);
});
