// Whose is what only passes through: a process in a network namespace behind this one, as a container is, that speaks to the outside.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Agent, Done } from '../support/traffic/agents.ts';
import { type Inner, makeInner } from '../support/traffic/inner.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';
import { Stage, work } from '../support/traffic/stage.ts';
import type { FlowSeen } from '../support/traffic/watcher.ts';

const reason = sayObstacle('live test of forwarded flows');

describe.skipIf(reason !== null)('flows that pass through, live', () => {
  let stage: Stage;
  let inner: Inner;

  beforeAll(async () => {
    stage = new Stage();
    inner = makeInner(stage.ground);
    await stage.watch();
  });
  afterAll(async () => {
    inner?.close();
    await stage?.close();
  });

  const within = (kind: string, how: object) => stage.agents.start(inner.namespace, kind, how);

  /** The flow on the near side's outgoing interface whose far end has this port, once `settled` holds of it. */
  async function flowTo(port: number, settled: (flow: FlowSeen) => boolean): Promise<FlowSeen | undefined> {
    const find = () =>
      stage.watcher.last?.flows.find(
        (flow) => flow.interface === stage.ground.device && (flow.remote.port === port || flow.local.port === port),
      );
    await stage.watcher.until(() => {
      const flow = find();
      return flow !== undefined && settled(flow);
    });
    return find();
  }

  /** Lets the contained one speak to the far side; the flow must be its own, byte for byte to 1 %. */
  async function expectOwn(sender: Agent, receiver: Agent, from: string, direction: string): Promise<void> {
    const [received, sent] = (await work(receiver, sender)) as [Done, Done];
    expect(Math.min(sent.tx, received.tx), 'traffic').toBeGreaterThan(0);
    const flow = await flowTo(receiver.ready.port ?? 0, (seen) => seen.pid === sender.pid && seen.tx_bytes >= sent.tx * 0.99);
    expect(flow).toMatchObject({ local: { address: from }, direction, pid: sender.pid, attribution: 'exact' });
    expect(Math.abs((flow?.tx_bytes ?? 0) - sent.tx)).toBeLessThan((sent.tx + received.tx) * 0.01);
    await stage.expectRow(sender.exe, [sender.pid], { tx: sent.tx, rx: received.tx });
    await sender.leave();
    await receiver.leave();
  }

  const udpReceiver = (on: string) => stage.far('udp-receive', { on, port: 0, count: 60, echo: true, patienceMs: 3000 });
  const udpTo = (to: string, there: Agent) =>
    within('udp-send', { to, ports: [there.ready.port], count: 60, size: 500, gapMs: 5, answered: true });
  const tcpReceiver = (on: string) => stage.far('tcp-receive', { on, port: 0, connections: 1, bytes: 90_000 });
  const tcpTo = (to: string, there: Agent) => within('tcp-send', { to, port: there.ready.port, bytes: 200_000 });

  it.each(['v4', 'v6'] as const)('are the process that opened them, routed, %s', async (family) => {
    const to = stage.ground.far[family];
    const datagrams = await udpReceiver(to);
    await expectOwn(await udpTo(to, datagrams), datagrams, inner[family], 'transit');
    const streams = await tcpReceiver(to);
    await expectOwn(await tcpTo(to, streams), streams, inner[family], 'transit');
  });

  // The far side is a namespace of this machine, too, so a flow of the near side's own address has both its ends here.
  // Last, for the translation stays. The kernel's table of connections must be readable, which it is where CONFIG_NF_CONNTRACK_PROCFS is set.
  let refusal: string | null = null;
  it.for(['v4', 'v6'] as const)('are the process that opened them, translated, %s', async (family, context) => {
    if (family === 'v4') refusal = inner.translate();
    if (refusal !== null) return context.skip(refusal);
    const to = stage.ground.far[family];
    const datagrams = await udpReceiver(to);
    await expectOwn(await udpTo(to, datagrams), datagrams, stage.ground.near[family], 'local');
    const streams = await tcpReceiver(to);
    await expectOwn(await tcpTo(to, streams), streams, stage.ground.near[family], 'local');
  });
});
