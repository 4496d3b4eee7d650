// Whose is a socket that was not simply made and used by one process: inherited, shared, older than the start, or a pid used again.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent, Done } from '../support/traffic/agents.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage, work } from '../support/traffic/stage.ts';

const reason = sayObstacle('live test of shared sockets');

describe.skipIf(reason !== null)('sockets that change hands, live', () => {
  let stage: Stage;
  let older: { kind: string; there: Agent; here: Agent }[];

  beforeAll(async () => {
    stage = new Stage();
    older = [];
    const { near, far } = stage.ground;
    const receiver = await stage.far('tcp-receive', { on: far.v4, port: 0, connections: 1, patienceMs: 20_000 });
    receiver.go();
    const how = { to: far.v4, port: receiver.ready.port, bytes: 200_000, early: true };
    older.push({ kind: 'TCP', there: receiver, here: await stage.near('tcp-send', how) });
    const listener = await stage.far('udp-receive', { on: far.v4, port: 0, count: 50, patienceMs: 20_000 });
    listener.go();
    const words = { to: far.v4, ports: [listener.ready.port], count: 50, size: 300, connected: true };
    older.push({ kind: 'UDP', there: listener, here: await stage.near('udp-send', words) });
    const waiting = await stage.near('udp-receive', { on: near.v4, port: 0, count: 50, patienceMs: 20_000 });
    const others = { to: near.v4, ports: [waiting.ready.port], count: 50, size: 300 };
    older.push({ kind: 'UDP receiver', there: await stage.far('udp-send', others), here: waiting });
    await stage.watch();
  });
  afterAll(() => stage?.close());

  it.each([0, 1, 2])('names what is older than the start, %i', async (index) => {
    const { there, here, kind } = older[index] as (typeof older)[number];
    here.go();
    if (kind === 'UDP receiver') there.go();
    const [mine, theirs] = (await Promise.all([here.done, there.done])) as [Done, Done];
    await stage.expectRow(here.exe, [here.pid], { tx: mine.tx, rx: theirs.tx });
    await here.leave();
    await there.leave();
  });

  it.each(['UDP', 'TCP'])('two processes that share a port, %s', async (kind) => {
    const { near } = stage.ground;
    const receive = kind === 'UDP' ? 'udp-receive' : 'tcp-receive';
    const send = kind === 'UDP' ? 'udp-send' : 'tcp-send';
    const how = { on: near.v4, shared: true, connections: 60, count: 10_000, patienceMs: 1500 };
    const first = await stage.near(receive, { ...how, port: 0 });
    const second = await stage.near(receive, { ...how, port: first.ready.port });
    first.go();
    second.go();
    const port = first.ready.port ?? 0;
    const to = near.v4;
    const senders = await Promise.all(
      Array.from({ length: 8 }, () =>
        stage.far(send, { to, port, ports: [port], count: 20, size: 900, bytes: 20_000, inTurn: true }),
      ),
    );
    await work(...senders);
    for (const each of [first, second]) {
      const done = await each.done;
      expect(done.rx, 'the kernel gave each its share').toBeGreaterThan(0);
      await stage.expectRow(each.exe, [each.pid], done);
      await each.leave();
    }
    for (const each of senders) await each.leave();
  });

  it('a server whose children accept', async () => {
    const { near } = stage.ground;
    const names = [stage.agents.executable('child'), stage.agents.executable('child')];
    const children = names.map((exe) => ({
      exe,
      kind: 'tcp-receive',
      how: { on: near.v4, connections: 20, bytes: 5000, patienceMs: 1500 },
    }));
    const parent = await stage.near('hand-over', { listen: { on: near.v4, port: 0 }, children });
    const sender = await stage.far('tcp-send', { to: near.v4, port: parent.ready.port, bytes: 20_000, connections: 20 });
    const [done, sent] = (await work(parent, sender)) as [Done, Done];
    expect(done.children?.reduce((sum, each) => sum + (each.accepted ?? 0), 0)).toBe(20);
    for (const [i, exe] of names.entries()) {
      const child = done.children?.[i];
      if (child !== undefined && child.tx > 0) await stage.expectRow(exe, [parent.ready.pids?.[i] ?? 0], child);
    }
    await stage.expectRow(sender.exe, [sender.pid], sent);
    await parent.leave();
    await sender.leave();
  });

  it('a pid that another program got is another row', async (context) => {
    const { far } = stage.ground;
    const last = '/proc/sys/kernel/ns_last_pid';
    const there = await stage.far('udp-receive', { on: far.v4, port: 0, count: 60, patienceMs: 3000 });
    there.go();
    const how = { to: far.v4, ports: [there.ready.port], count: 20, size: 100 };
    const first = await stage.near('udp-send', how);
    await stage.expectAlone(first);
    let second: Agent | null = null;
    for (let i = 0; i < 20 && second?.pid !== first.pid; i++) {
      await second?.leave();
      try {
        readFileSync(last);
        writeFileSync(last, String(first.pid - 1));
      } catch {
        context.skip('this kernel or our rights do not allow to choose a pid');
      }
      second = await stage.near('udp-send', how);
    }
    if (second === null || second.pid !== first.pid) return context.skip('the pid was taken by others each time');
    await stage.expectAlone(second);
    await stage.expectRow(first.exe, [first.pid], { tx: 20 * 128, rx: 0 });
    await there.leave();
  });
});
