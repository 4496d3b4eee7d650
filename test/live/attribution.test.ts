// Who sent what, told by the kernel: each kind of traffic is made by a process of our own, and must be its row, byte for byte to 1 %.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Done } from '../support/traffic/agents.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage, work } from '../support/traffic/stage.ts';

const reason = sayObstacle('live test of attribution');

describe.skipIf(reason !== null)('attribution, live', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = new Stage();
    await stage.watch();
  });
  afterAll(() => stage?.close());

  it('is told by the kernel', () => {
    expect(stage.watcher.last?.capture).toMatchObject({ attribution: 'ebpf', note: null, fallbacks: [] });
  });

  for (const family of ['v4', 'v6'] as const) {
    describe(family, () => {
      it('UDP, both ways, connected', async () => {
        const there = await stage.far('udp-receive', { on: stage.ground.far[family], port: 0, count: 200, echo: true });
        const port = there.ready.port ?? 0;
        const how = { to: stage.ground.far[family], ports: [port], count: 200, size: 700, connected: true, answered: true };
        await stage.expectPair(there, await stage.near('udp-send', how));
      });

      it('UDP that is asked by others', async () => {
        const here = await stage.near('udp-receive', { on: stage.ground.near[family], port: 0, count: 200, echo: true });
        const how = { to: stage.ground.near[family], ports: [here.ready.port], count: 200, size: 300, answered: true };
        await stage.expectPair(here, await stage.far('udp-send', how));
      });

      it('port 53, small packets', async () => {
        const there = await stage.far('udp-receive', { on: stage.ground.far[family], port: 53, count: 100, echo: true });
        await stage.expectPair(
          there,
          await stage.near('udp-send', { to: stage.ground.far[family], ports: [53], count: 100, size: 30, answered: true }),
        );
      });

      it('TCP that is opened here, both ways', async () => {
        const there = await stage.far('tcp-receive', { on: stage.ground.far[family], port: 0, connections: 1, bytes: 300_000 });
        await stage.expectPair(
          there,
          await stage.near('tcp-send', { to: stage.ground.far[family], port: there.ready.port, bytes: 500_000 }),
        );
      });

      it('TCP that is opened by others, both ways', async () => {
        const here = await stage.near('tcp-receive', { on: stage.ground.near[family], port: 0, connections: 1, bytes: 500_000 });
        await stage.expectPair(
          here,
          await stage.far('tcp-send', { to: stage.ground.near[family], port: here.ready.port, bytes: 300_000 }),
        );
      });

      it('loopback: both owners', async () => {
        const on = family === 'v4' ? '127.0.0.1' : '::1';
        const server = await stage.near('tcp-receive', { on, port: 0, connections: 3, bytes: 200_000 });
        await stage.expectPair(
          server,
          await stage.near('tcp-send', { to: on, port: server.ready.port, bytes: 400_000, connections: 3 }),
        );
        const receiver = await stage.near('udp-receive', { on, port: 0, count: 50, echo: true });
        const port = receiver.ready.port ?? 0;
        await stage.expectPair(
          receiver,
          await stage.near('udp-send', { to: on, ports: [port], count: 50, size: 200, answered: true }),
        );
      });
    });
  }

  it.each([
    ['send in pieces', { method: 'send', pieces: 50 }],
    ['sendfile', { method: 'sendfile' }],
    ['splice', { method: 'splice' }],
  ])('TCP by %s', async (_, how) => {
    const there = await stage.far('tcp-receive', { on: stage.ground.far.v4, port: 0, connections: 1 });
    await stage.expectPair(
      there,
      await stage.near('tcp-send', { to: stage.ground.far.v4, port: there.ready.port, bytes: 600_000, ...how }),
    );
  });

  it('TCP by io_uring', async (context) => {
    const there = await stage.far('tcp-receive', { on: stage.ground.far.v4, port: 0, connections: 1 });
    const how = { to: stage.ground.far.v4, port: there.ready.port, bytes: 600_000, method: 'uring', pieces: 20 };
    const sender = await stage.near('tcp-send', how);
    if (sender.ready.without !== undefined) context.skip(`this kernel gives no ${sender.ready.without}`);
    await stage.expectPair(there, sender);
  });

  it('UDP by sendmmsg and recvmmsg', async () => {
    const there = await stage.far('udp-receive', { on: stage.ground.far.v4, port: 0, count: 500, batches: true });
    const how = { to: stage.ground.far.v4, ports: [there.ready.port], count: 500, size: 400, connected: true, batches: true };
    const [received] = await stage.expectPair(there, await stage.near('udp-send', how));
    expect(received.messages).toBe(500);
  });

  it.each([true, false])('ICMP echo, raw socket: %s', async (raw) => {
    for (const to of [stage.ground.far.v4, stage.ground.far.v6]) {
      const sender = await stage.near('echo', { to, count: 40, size: 200, raw });
      await stage.expectAlone(sender);
    }
  });

  it('a protocol without ports', async () => {
    const sender = await stage.near('raw-send', { to: stage.ground.far.v4, protocol: 253, count: 50, size: 600 });
    await stage.expectAlone(sender);
  });

  it('thirty connections at once', async () => {
    const there = await stage.far('tcp-receive', { on: stage.ground.far.v4, port: 0, connections: 30, bytes: 20_000 });
    const how = { to: stage.ground.far.v4, port: there.ready.port, bytes: 20_000, connections: 30 };
    await stage.expectPair(there, await stage.near('tcp-send', how));
  });

  it('sixty small ones in turn', async () => {
    const there = await stage.far('tcp-receive', { on: stage.ground.far.v4, port: 0, connections: 60, bytes: 9000 });
    const how = { to: stage.ground.far.v4, port: there.ready.port, bytes: 9000, connections: 60, inTurn: true };
    await stage.expectPair(there, await stage.near('tcp-send', how));
  });

  it('a slow drip', async () => {
    const there = await stage.far('udp-receive', { on: stage.ground.far.v4, port: 0, count: 8 });
    await stage.expectPair(
      there,
      await stage.near('udp-send', { to: stage.ground.far.v4, ports: [there.ready.port], count: 8, size: 40, gapMs: 120 }),
    );
  });

  it('one UDP socket that speaks to fifty', async () => {
    const ports = Array.from({ length: 50 }, (_, i) => 20_000 + i);
    const sender = await stage.near('udp-send', { to: stage.ground.far.v4, ports, count: 4, size: 250 });
    const [done] = (await work(sender)) as [Done];
    await stage.expectRow(sender.exe, [sender.pid], done);
    expect((await stage.watcher.app(sender.exe, () => true))?.flows).toBe(50);
    await sender.leave();
  });

  it('a UDP receiver that never sends', async () => {
    const here = await stage.near('udp-receive', { on: stage.ground.near.v4, port: 0, count: 100 });
    await stage.expectPair(
      here,
      await stage.far('udp-send', { to: stage.ground.near.v4, ports: [here.ready.port], count: 100, size: 500 }),
    );
  });

  it('twenty processes in turn are one row with twenty pids', async () => {
    const exe = stage.agents.executable('in-turn');
    const there = await stage.far('udp-receive', { on: stage.ground.far.v4, port: 0, count: 20 * 10, patienceMs: 5000 });
    there.go();
    const pids: number[] = [];
    const sum = { tx: 0, rx: 0 };
    for (let i = 0; i < 20; i++) {
      const sender = await stage.near(
        'udp-send',
        { to: stage.ground.far.v4, ports: [there.ready.port], count: 10, size: 100 },
        exe,
      );
      const [done] = (await work(sender)) as [Done];
      pids.push(sender.pid);
      sum.tx += done.tx;
      await sender.leave();
    }
    expect((await there.done).messages).toBe(200);
    await stage.expectRow(exe, pids, sum);
    await there.leave();
  });
});
