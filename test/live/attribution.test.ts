// Who sent what, told by the kernel: each kind of traffic is made by a process of our own, and must be its row, byte for byte to 1 %.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, Agents, type Done } from '../support/traffic/agents.ts';
import { type BuiltProgram, buildProgram } from '../support/traffic/built-program.ts';
import { type Ground, makeGround } from '../support/traffic/ground.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Watcher } from '../support/traffic/watcher.ts';

const reason = sayObstacle('live test of attribution');

describe.skipIf(reason !== null)('attribution, live', () => {
  let ground: Ground;
  let agents: Agents;
  let program: BuiltProgram;
  let watcher: Watcher;

  beforeAll(async () => {
    ground = makeGround();
    agents = new Agents();
    program = buildProgram();
    watcher = await Watcher.start({ bin: program.bin, namespace: ground.near.namespace, interfaces: [ground.device, 'lo'] });
  });
  afterAll(async () => {
    await watcher?.stop();
    agents?.close();
    ground?.close();
    program?.close();
  });

  const near = (kind: string, how: object, exe?: string) => agents.start(ground.near.namespace, kind, how, exe);
  const far = (kind: string, how: object, exe?: string) => agents.start(ground.far.namespace, kind, how, exe);

  /** Lets agents work, the last first told, and gives what each did. */
  async function work(...all: Agent[]): Promise<Done[]> {
    for (const agent of all) agent.go();
    return Promise.all(all.map(({ done }) => done));
  }

  /** The row of an executable must show these bytes, and these processes. */
  async function expectRow(exe: string, pids: number[], done: Done): Promise<void> {
    const row = await watcher.app(exe, (seen) => agrees(seen.tx_bytes, done.tx, done) && agrees(seen.rx_bytes, done.rx, done));
    const shown = { tx: row?.tx_bytes ?? -1, rx: row?.rx_bytes ?? -1, pids: [...(row?.pids ?? [])].sort() };
    const told = {
      tx: agrees(shown.tx, done.tx, done) ? shown.tx : done.tx,
      rx: agrees(shown.rx, done.rx, done) ? shown.rx : done.rx,
    };
    expect(shown, exe).toEqual({ ...told, pids: [...pids].sort() });
  }

  /** Runs a pair to its end; both have their row, whichever namespace they are in. */
  async function expectPair(receiver: Agent, sender: Agent): Promise<[Done, Done]> {
    const [received, sent] = (await work(receiver, sender)) as [Done, Done];
    expect(sent.tx + sent.rx, 'traffic').toBeGreaterThan(0);
    await expectRow(sender.exe, [sender.pid], sent);
    await expectRow(receiver.exe, [receiver.pid], received);
    await sender.leave();
    await receiver.leave();
    return [received, sent];
  }

  it('is told by the kernel', () => {
    expect(watcher.last?.capture).toMatchObject({ attribution: 'ebpf', note: null, fallbacks: [] });
  });

  for (const family of ['v4', 'v6'] as const) {
    describe(family, () => {
      it('UDP, both ways, connected', async () => {
        const there = await far('udp-receive', { on: ground.far[family], port: 0, count: 200, echo: true });
        const port = there.ready.port ?? 0;
        const how = { to: ground.far[family], ports: [port], count: 200, size: 700, connected: true, answered: true };
        await expectPair(there, await near('udp-send', how));
      });

      it('UDP that is asked by others', async () => {
        const here = await near('udp-receive', { on: ground.near[family], port: 0, count: 200, echo: true });
        const how = { to: ground.near[family], ports: [here.ready.port], count: 200, size: 300, answered: true };
        await expectPair(here, await far('udp-send', how));
      });

      it('port 53, small packets', async () => {
        const there = await far('udp-receive', { on: ground.far[family], port: 53, count: 100, echo: true });
        await expectPair(
          there,
          await near('udp-send', { to: ground.far[family], ports: [53], count: 100, size: 30, answered: true }),
        );
      });

      it('TCP that is opened here, both ways', async () => {
        const there = await far('tcp-receive', { on: ground.far[family], port: 0, connections: 1, bytes: 300_000 });
        await expectPair(there, await near('tcp-send', { to: ground.far[family], port: there.ready.port, bytes: 500_000 }));
      });

      it('TCP that is opened by others, both ways', async () => {
        const here = await near('tcp-receive', { on: ground.near[family], port: 0, connections: 1, bytes: 500_000 });
        await expectPair(here, await far('tcp-send', { to: ground.near[family], port: here.ready.port, bytes: 300_000 }));
      });

      it('loopback: both owners', async () => {
        const on = family === 'v4' ? '127.0.0.1' : '::1';
        const server = await near('tcp-receive', { on, port: 0, connections: 3, bytes: 200_000 });
        await expectPair(server, await near('tcp-send', { to: on, port: server.ready.port, bytes: 400_000, connections: 3 }));
        const receiver = await near('udp-receive', { on, port: 0, count: 50, echo: true });
        const port = receiver.ready.port ?? 0;
        await expectPair(receiver, await near('udp-send', { to: on, ports: [port], count: 50, size: 200, answered: true }));
      });
    });
  }

  it.each([
    ['send in pieces', { method: 'send', pieces: 50 }],
    ['sendfile', { method: 'sendfile' }],
    ['splice', { method: 'splice' }],
  ])('TCP by %s', async (_, how) => {
    const there = await far('tcp-receive', { on: ground.far.v4, port: 0, connections: 1 });
    await expectPair(there, await near('tcp-send', { to: ground.far.v4, port: there.ready.port, bytes: 600_000, ...how }));
  });

  it('TCP by io_uring', async (context) => {
    const there = await far('tcp-receive', { on: ground.far.v4, port: 0, connections: 1 });
    const how = { to: ground.far.v4, port: there.ready.port, bytes: 600_000, method: 'uring', pieces: 20 };
    const sender = await near('tcp-send', how);
    if (sender.ready.without !== undefined) context.skip(`this kernel gives no ${sender.ready.without}`);
    await expectPair(there, sender);
  });

  it('UDP by sendmmsg and recvmmsg', async () => {
    const there = await far('udp-receive', { on: ground.far.v4, port: 0, count: 500, batches: true });
    const how = { to: ground.far.v4, ports: [there.ready.port], count: 500, size: 400, connected: true, batches: true };
    const [received] = await expectPair(there, await near('udp-send', how));
    expect(received.messages).toBe(500);
  });

  it.each([true, false])('ICMP echo, raw socket: %s', async (raw) => {
    for (const to of [ground.far.v4, ground.far.v6]) {
      const sender = await near('echo', { to, count: 40, size: 200, raw });
      const [done] = (await work(sender)) as [Done];
      await expectRow(sender.exe, [sender.pid], done);
      await sender.leave();
    }
  });

  it('a protocol without ports', async () => {
    const sender = await near('raw-send', { to: ground.far.v4, protocol: 253, count: 50, size: 600 });
    const [done] = (await work(sender)) as [Done];
    await expectRow(sender.exe, [sender.pid], done);
    await sender.leave();
  });

  it('thirty connections at once', async () => {
    const there = await far('tcp-receive', { on: ground.far.v4, port: 0, connections: 30, bytes: 20_000 });
    const how = { to: ground.far.v4, port: there.ready.port, bytes: 20_000, connections: 30 };
    await expectPair(there, await near('tcp-send', how));
  });

  it('sixty small ones in turn', async () => {
    const there = await far('tcp-receive', { on: ground.far.v4, port: 0, connections: 60, bytes: 9000 });
    const how = { to: ground.far.v4, port: there.ready.port, bytes: 9000, connections: 60, inTurn: true };
    await expectPair(there, await near('tcp-send', how));
  });

  it('a slow drip', async () => {
    const there = await far('udp-receive', { on: ground.far.v4, port: 0, count: 8 });
    await expectPair(
      there,
      await near('udp-send', { to: ground.far.v4, ports: [there.ready.port], count: 8, size: 40, gapMs: 120 }),
    );
  });

  it('one UDP socket that speaks to fifty', async () => {
    const ports = Array.from({ length: 50 }, (_, i) => 20_000 + i);
    const sender = await near('udp-send', { to: ground.far.v4, ports, count: 4, size: 250 });
    const [done] = (await work(sender)) as [Done];
    await expectRow(sender.exe, [sender.pid], done);
    expect((await watcher.app(sender.exe, () => true))?.flows).toBe(50);
    await sender.leave();
  });

  it('a UDP receiver that never sends', async () => {
    const here = await near('udp-receive', { on: ground.near.v4, port: 0, count: 100 });
    await expectPair(here, await far('udp-send', { to: ground.near.v4, ports: [here.ready.port], count: 100, size: 500 }));
  });

  it('twenty processes in turn are one row with twenty pids', async () => {
    const exe = agents.executable('in-turn');
    const there = await far('udp-receive', { on: ground.far.v4, port: 0, count: 20 * 10, patienceMs: 5000 });
    there.go();
    const pids: number[] = [];
    const sum = { tx: 0, rx: 0 };
    for (let i = 0; i < 20; i++) {
      const sender = await near('udp-send', { to: ground.far.v4, ports: [there.ready.port], count: 10, size: 100 }, exe);
      const [done] = (await work(sender)) as [Done];
      pids.push(sender.pid);
      sum.tx += done.tx;
      await sender.leave();
    }
    expect((await there.done).messages).toBe(200);
    await expectRow(exe, pids, sum);
    await there.leave();
  });
});

/** Within 1 % of all that the process moved: a direction of nothing but ACKs is counted in segments, of which some carry options. */
function agrees(seen: number, told: number, done: Done): boolean {
  return Math.abs(seen - told) <= (done.tx + done.rx) * 0.01;
}
