// What stays behind when the program ends in whatever way: nothing. And what it does without the right to load programs.

import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allPrograms, attachedPrograms, heldPrograms } from '../support/traffic/attached-programs.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage, work } from '../support/traffic/stage.ts';

const reason = sayObstacle('live test of the life of eBPF programs');
/** Socket create, egress, ingress; connect and getpeername of both families. */
const PLACES = 7;
const WITHOUT = ['setpriv', '--bounding-set=-bpf,-sys_admin,-perfmon'];

describe.skipIf(reason !== null)('eBPF programs, live', () => {
  let stage: Stage;

  beforeAll(() => {
    stage = new Stage();
  });
  afterAll(() => stage?.close());

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('are all gone after %s', async (signal) => {
    const watcher = await stage.watch();
    const own = [...heldPrograms(watcher.pid)];
    const attached = attachedPrograms();
    expect(own.filter((id) => attached.has(id)).length).toBe(PLACES);
    expect(own.length - PLACES, 'frames, where the kernel tells of them').toBeLessThanOrEqual(1);
    const { code, signal: by } = await watcher.stop(signal);
    expect([code, by]).toEqual(signal === 'SIGKILL' ? [null, 'SIGKILL'] : [signal === 'SIGTERM' ? 143 : 130, null]);
    // The kernel detaches when the last descriptor is closed, which is a moment after the process is reaped.
    let left = own;
    for (let i = 0; i < 100 && left.length > 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const still = allPrograms();
      left = own.filter((id) => still.has(id));
    }
    expect(left).toEqual([]);
    expect(watcher.errors).toBe('');
  });

  it('are done without where they may not be loaded: procfs names what lives long enough', async (context) => {
    if (spawnSync(WITHOUT[0] as string, [...WITHOUT.slice(1), 'true']).status !== 0)
      return context.skip('needs setpriv of util-linux');
    const watcher = await stage.watch(WITHOUT);
    expect(watcher.last?.capture).toMatchObject({
      attribution: 'procfs',
      fallbacks: [{ driver: 'ebpf', reason: expect.stringContaining('needs root, or CAP_BPF') }],
    });
    const { far } = stage.ground;
    const there = await stage.far('udp-receive', { on: far.v4, port: 0, count: 20, echo: true, patienceMs: 3000 });
    const how = { to: far.v4, ports: [there.ready.port], count: 20, size: 500, gapMs: 50, answered: true };
    const sender = await stage.near('udp-send', how);
    const [, sent] = await work(there, sender);
    await stage.expectRow(sender.exe, [sender.pid], sent ?? { tx: 0, rx: 0 });
    await watcher.stop();
    expect(watcher.errors).toBe('');
  });
});
