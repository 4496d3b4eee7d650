// Whose is a socket that was not simply made and used by one process: inherited, shared, older than the start, or a pid used again.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent, Done } from '../support/traffic/agents.ts';
import { framesObstacle } from '../support/traffic/attached-programs.ts';
import { ip } from '../support/traffic/ground.ts';
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
    const port = first.ready.port ?? 0;
    const to = near.v4;
    const senders = await Promise.all(
      Array.from({ length: 8 }, () =>
        stage.far(send, { to, port, ports: [port], count: 20, size: 900, bytes: 20_000, inTurn: true }),
      ),
    );
    first.go();
    second.go();
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

  // What follows is corrected half a second after the maker was told, by who holds the socket. So a flow that lives shorter by its packets,
  // and a socket that its maker keeps too, stay the maker's: nothing is said of them here.
  describe('handed on, and in use for longer than half a second', () => {
    const DRIP = { pieces: 15, gapMs: 100 };

    /** What the maker's row shows in the end: nothing. */
    const expectNothing = async ({ exe }: Agent) => {
      const rows = () => stage.watcher.last?.apps.filter((row) => row.exe === exe && row.tx_bytes + row.rx_bytes > 0);
      await stage.watcher.until(() => rows()?.length === 0);
      expect(rows(), 'of the maker').toEqual([]);
    };

    /** Lets a maker hand a socket to one child, and expects the traffic with a receiver on the far side to be the child's. */
    const expectHeir = async (receiver: Agent, kind: string, how: object, socket: object) => {
      const exe = stage.agents.executable('heir');
      const maker = await stage.near('hand-over', { ...socket, leaves: true, children: [{ exe, kind, how }] });
      const [received, done] = (await work(receiver, maker)) as [Done, Done];
      const sent = done.children?.[0] as Done;
      expect(sent.tx, 'traffic').toBeGreaterThan(0);
      await stage.expectRow(exe, maker.ready.pids ?? [], { tx: sent.tx, rx: received.tx });
      await expectNothing(maker);
      await maker.leave();
      await receiver.leave();
    };

    it.each(['v4', 'v6', 'loopback'])('connections that children accept without asking whose, %s', async (way) => {
      const { near } = stage.ground;
      const on = way === 'loopback' ? '127.0.0.1' : near[way as 'v4' | 'v6'];
      const names = [stage.agents.executable('child'), stage.agents.executable('child')];
      const task = { on, connections: 1, bytes: 5000, asksWho: false };
      const children = names.map((exe) => ({ exe, kind: 'tcp-receive', how: task }));
      const parent = await stage.near('hand-over', { listen: { on, port: 0 }, children });
      const how = { to: on, port: parent.ready.port, bytes: 30_000, ...DRIP };
      const from = way === 'loopback' ? 'near' : 'far';
      const senders = [await stage[from]('tcp-send', how), await stage[from]('tcp-send', how)];
      const [done] = await work(parent, ...senders);
      for (const [i, exe] of names.entries()) {
        const child = done?.children?.[i] as Done;
        expect(child.accepted).toBe(1);
        await stage.expectRow(exe, [parent.ready.pids?.[i] ?? 0], child);
      }
      for (const each of senders) await stage.expectRow(each.exe, [each.pid], await each.done);
      await expectNothing(parent);
      for (const each of [parent, ...senders]) await each.leave();
    });

    it.each(['v4', 'v6'] as const)('a connection that its maker left, %s', async (family) => {
      const to = stage.ground.far[family];
      const there = await stage.far('tcp-receive', { on: to, port: 0, connections: 1, bytes: 9000, patienceMs: 5000 });
      const { port } = there.ready;
      await expectHeir(there, 'tcp-send', { to, port, bytes: 60_000, ...DRIP }, { connect: { to, port } });
    });

    it.each([
      ['v4', true],
      ['v4', false],
      ['v6', true],
      ['v6', false],
    ] as const)('a UDP socket that its maker left, %s, connected: %s', async (family, connected) => {
      const to = stage.ground.far[family];
      const there = await stage.far('udp-receive', { on: to, port: 0, count: 15, echo: true, patienceMs: 5000 });
      const { port } = there.ready;
      const how = { to, ports: [port], count: 15, size: 400, gapMs: 100, answered: true, connected };
      await expectHeir(there, 'udp-send', how, { udp: { to, port, connected } });
    });

    it.each(['v4', 'v6'] as const)('a connection that its maker passed on over a unix socket, %s', async (family) => {
      const to = stage.ground.far[family];
      const there = await stage.far('tcp-receive', { on: to, port: 0, connections: 1, bytes: 9000, patienceMs: 5000 });
      const { port } = there.ready;
      const how = { to, port, bytes: 60_000, ...DRIP };
      await expectHeir(there, 'tcp-send', how, { connect: { to, port }, passes: true });
    });

    it('a UDP socket that its maker passed on over a unix socket', async () => {
      const to = stage.ground.far.v4;
      const there = await stage.far('udp-receive', { on: to, port: 0, count: 15, echo: true, patienceMs: 5000 });
      const { port } = there.ready;
      const how = { to, ports: [port], count: 15, size: 400, gapMs: 100, answered: true, connected: true };
      await expectHeir(there, 'udp-send', how, { udp: { to, port, connected: true }, passes: true });
    });

    it('two raw sockets of one protocol stay with their own', async () => {
      const { near, far, device } = stage.ground;
      const other = '198.51.100.3';
      ip('-n', near.namespace, 'neighbour', 'replace', other, 'lladdr', far.card, 'dev', device);
      const how = { to: far.v4, protocol: 253, count: 12, size: 300, gapMs: 100 };
      const both = [await stage.near('raw-send', how), await stage.near('raw-send', { ...how, to: other })];
      const done = await work(...both);
      for (const [i, each] of both.entries()) await stage.expectRow(each.exe, [each.pid], done[i] as Done);
      for (const each of both) await each.leave();
    });

    it.each(['UDP', 'TCP'])('two that share a port stay with their own, %s', async (kind) => {
      const { near } = stage.ground;
      const receive = kind === 'UDP' ? 'udp-receive' : 'tcp-receive';
      const send = kind === 'UDP' ? 'udp-send' : 'tcp-send';
      const how = { on: near.v4, shared: true, connections: 2, count: 10_000, patienceMs: 1500 };
      const first = await stage.near(receive, { ...how, port: 0 });
      const second = await stage.near(receive, { ...how, port: first.ready.port });
      first.go();
      second.go();
      const port = first.ready.port ?? 0;
      const drip = { to: near.v4, port, ports: [port], count: 12, size: 900, bytes: 20_000, pieces: 10, gapMs: 100 };
      const senders = await Promise.all(Array.from({ length: kind === 'UDP' ? 8 : 2 }, () => stage.far(send, drip)));
      await work(...senders);
      for (const each of [first, second]) {
        const done = await each.done;
        if (done.rx > 0) await stage.expectRow(each.exe, [each.pid], done);
        await each.leave();
      }
      for (const each of senders) await each.leave();
    });
  });

  it("frames that are sent past the IP layer are their sender's, whoever else holds a packet socket", async (context) => {
    const missing = framesObstacle();
    if (missing !== '') return context.skip(`nothing tells of frames: ${missing}`);
    const { near, far, device } = stage.ground;
    const cards = { device, fromCard: near.card, toCard: far.card };
    const how = { ...cards, from: near.v4, to: far.v4, port: 4444, count: 40, size: 200 };
    const silent = await stage.near('frame-send', how);
    const sender = await stage.near('frame-send', { ...how, port: 4445 });
    await stage.expectAlone(sender);
    const rows = stage.watcher.last?.apps.filter(({ exe }) => exe === silent.exe);
    expect(rows, 'of the one that was silent').toEqual([]);
    await silent.leave();
  });

  it("pings are each their own process's, whoever else holds a raw ICMP socket", async () => {
    for (const to of [stage.ground.far.v4, stage.ground.far.v6]) {
      const how = { to, count: 10, size: 200, raw: true };
      const silent = await stage.near('echo', how);
      for (let i = 0; i < 2; i++) await stage.expectAlone(await stage.near('echo', how));
      const rows = stage.watcher.last?.apps.filter(({ exe }) => exe === silent.exe);
      expect(rows, 'of the one that was silent').toEqual([]);
      await silent.leave();
    }
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
