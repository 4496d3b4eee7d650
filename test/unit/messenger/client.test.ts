// The program's side of the messenger, with a child that the test plays.

import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Messenger } from '../../../src/messenger/client.ts';
import { lineOf, type Orders } from '../../../src/messenger/protocol.ts';
import type { DeliveryPlan } from '../../../src/model/delivery.ts';
import { alertJson, alertOf } from '../../support/alerts.ts';
import { fakeEdges } from '../../support/fake-edges.ts';

const PLAN: DeliveryPlan = {
  desktop: true,
  command: ['/bin/true'],
  webhook: { url: 'https://example.com/secret', format: 'json', token: 'secret', ca: null },
  syslog: false,
  folder: null,
  quiet: null,
  most: 20,
  perMs: 3_600_000,
};

async function setUp(euid = 1000, user: string | null = null) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const child = Object.assign(new EventEmitter(), { stdin: input, stdout: output, unref: () => {} }) as unknown as ChildProcess;
  let env: Readonly<Record<string, string>> = {};
  const fake = fakeEdges({ platform: 'linux' });
  const edges = { ...fake, paths: { ...fake.paths, passwd: '/etc/passwd' }, euid: () => euid };
  const messenger = await Messenger.start(PLAN, null, edges, user, (its) => {
    env = its;
    return child;
  });
  const lines = () =>
    String(input.read() ?? '')
      .split('\n')
      .filter((line) => line !== '');
  const say = async (text: string) => {
    output.write(text);
    await new Promise(setImmediate);
  };
  const fates = () => messenger.takeDeliveries().map(({ id, sink, failure }) => `${id} ${sink} ${failure}`);
  const orders = JSON.parse(lines()[0] ?? '') as Orders;
  return { messenger, child, input, say, lines, orders, fates, env };
}

describe('the messenger', () => {
  it('gets its orders through the pipe: neither arguments nor environment have secrets', async () => {
    const { orders, env } = await setUp();
    expect(orders.plan).toEqual(PLAN);
    expect(JSON.stringify(env)).not.toContain('secret');
    expect(Object.keys(env).filter((name) => !['PATH', 'LC_ALL', 'TZ'].includes(name))).toEqual([]);
  });

  it('is never root: without a user it is nobody, who has no programs and no desktop', async () => {
    const { SUDO_UID } = process.env;
    delete process.env['SUDO_UID'];
    try {
      for (const user of [null, 'root']) {
        const { orders, messenger } = await setUp(0, user);
        expect(orders.identity.by).toBe('nobody');
        expect(orders.plan).toMatchObject({ command: [], desktop: false, webhook: PLAN.webhook });
        expect(messenger.status.note).toBe('command and desktop are left out, because root has no user here: --user NAME');
      }
    } finally {
      if (SUDO_UID !== undefined) process.env['SUDO_UID'] = SUDO_UID;
    }
  });

  it('gets alerts that are not held', async () => {
    const { messenger, lines } = await setUp();
    messenger.deliver(alertOf({ held: 'learning' }));
    messenger.deliver(alertOf());
    expect(lines().map((line) => JSON.parse(line) as unknown)).toEqual([alertJson()]);
  });

  it('says how far it got', async () => {
    const { messenger, say, fates } = await setUp();
    expect(messenger.status).toMatchObject({
      isReady: false,
      channels: [{ channel: 'desktop' }, { channel: 'command' }, { channel: 'webhook' }],
    });
    const channels = [{ channel: 'webhook', delivered: 1, waiting: 2, lost: 0, failure: 'ECONNREFUSED', hold: 'rate', next: 5 }];
    await say(lineOf({ type: 'ready', user: 'ann', note: '' }) + lineOf({ type: 'status', note: 'full', channels }));
    expect(messenger.status).toEqual({
      isReady: true,
      host: 'example.com',
      user: 'ann',
      note: 'full',
      channels,
      isLeft: false,
      outcomes: new Map(),
    });
    const done = { type: 'done', channel: 'webhook' };
    await say(lineOf({ ...done, id: 'a1', failure: null }) + lineOf({ ...done, id: 'b', failure: 'down' }));
    expect(fates()).toEqual(['a1 webhook null', 'b webhook down']);
    const { outcomes } = messenger.status;
    expect([...outcomes]).toMatchObject([
      ['a1', [{ sink: 'webhook', failure: null }]],
      ['b', [{ sink: 'webhook', failure: 'down' }]],
    ]);
    // What a snapshot has doesn't change, and what is kept is bounded.
    await say(Array.from({ length: 600 }, (_, i) => lineOf({ ...done, id: `c${i}`, failure: null })).join(''));
    expect(outcomes.size).toBe(2);
    expect(messenger.status.outcomes.size).toBe(500);
  });

  it('that refuses or ends is not waited for, and the program goes on', async () => {
    const { messenger, say, child } = await setUp();
    await say(lineOf({ type: 'refused', reason: 'root could not be dropped' }));
    child.emit('close');
    expect(messenger.status).toMatchObject({ isReady: false, note: "the messenger can't work: root could not be dropped" });
    messenger.deliver(alertOf());
    await messenger.close();
    const other = await setUp();
    await other.say(lineOf({ type: 'ready', user: 'ann', note: '' }));
    other.child.emit('close');
    expect(other.messenger.status.note).toBe('the messenger has ended: nothing leaves this run any more');
  });

  it('sends a batch until its engine has it, and hears of nobody else', async () => {
    const { messenger, say, lines, child } = await setUp();
    const rows = { minutes: [], flows: [], alerts: [] };
    const batch = { engine: 'clickhouse', token: 'a-1', hostId: 'feed', hostName: null, until: 5, ...rows } as const;
    const became: string[] = [];
    const send = (token: string) =>
      messenger.send({ ...batch, token }).then(
        () => became.push(`${token} taken`),
        (error: Error) => became.push(error.message),
      );
    void send('a-1');
    expect(lines().map((line) => JSON.parse(line))).toEqual([{ type: 'batch', ...batch }]);
    const answer = { engine: 'clickhouse', token: 'a-1' };
    await say(lineOf({ type: 'held', ...answer, failure: 'down', next: 9 }) + lineOf({ type: 'taken', ...answer, token: 'a-0' }));
    expect([became, messenger.heldBatch('clickhouse'), messenger.heldBatch('otlp')]).toEqual([
      [],
      { failure: 'down', next: 9 },
      null,
    ]);
    await say(lineOf({ type: 'taken', ...answer }));
    expect([became, messenger.heldBatch('clickhouse')]).toEqual([['a-1 taken'], null]);
    void send('a-2');
    child.emit('close');
    await send('a-3');
    expect(became.slice(1)).toEqual(Array(2).fill('the messenger has ended: nothing leaves this run any more'));
  });

  it('that talks without end, or not in lines, is heard no more', async () => {
    const { messenger, say, fates } = await setUp();
    await say(`rubbish\n${lineOf({ type: 'done', id: 'a', channel: 'webhook', failure: null })}`);
    expect(fates()).toEqual(['a webhook null']);
    await say('x'.repeat(9000));
    await say(`\n${lineOf({ type: 'done', id: 'b', channel: 'webhook', failure: null })}`);
    expect(fates()).toEqual([]);
    expect(messenger.status.isReady).toBe(false);
  });

  it('that is stuck costs no memory', async () => {
    const { messenger, input } = await setUp();
    const details = Array.from({ length: 60 }, () => 'x'.repeat(500));
    for (let i = 0; i < 100; i++) messenger.deliver(alertOf({ details }));
    expect(input.writableLength).toBeLessThan(1.2 * (1 << 20));
    expect(messenger.status.note).toMatch(/^alerts were dropped, because it is stuck: \d+$/);
  });
});
