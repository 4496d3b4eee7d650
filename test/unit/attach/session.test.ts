// The run of an attached screen, with two machines that do what the test says.

import type { ChildProcess } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AttachSession } from '../../../src/attach/session.ts';
import type { Rights } from '../../../src/attach/ssh.ts';
import type { HistoryAnswer } from '../../../src/model/history.ts';
import type { PacketPage } from '../../../src/model/packet-page.ts';
import type { Snapshot } from '../../../src/model/snapshot.ts';
import type { DemandTable } from '../../../src/stream/orders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeSsh, settle } from '../../support/fake-ssh.ts';
import { NOON } from '../../support/snapshot-builder.ts';

const NOW = 1_700_000_000_000;

describe('a session of two machines', () => {
  let clock: FakeClock;
  let machines: Map<string, FakeSsh>;
  let shown: Snapshot[];
  let wanted: readonly DemandTable[];
  let session: AttachSession<string>;
  let ended: Promise<string>;
  const ssh = (name: string): FakeSsh => machines.get(name) as FakeSsh;
  const tick = (): Snapshot => {
    clock.pass(1000);
    session.tick();
    return shown.at(-1) as Snapshot;
  };
  const live = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      await ssh(name).greet();
      await ssh(name).frame();
    }
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    clock = new FakeClock();
    machines = new Map();
    shown = [];
    wanted = [];
    session = new AttachSession<string>({
      machines: ['mac1', 'mac2'].map((name) => ({
        name,
        start: (rights: Rights) => {
          machines.set(name, new FakeSsh(rights));
          return ssh(name) as unknown as ChildProcess;
        },
      })),
      clock,
      show: (snapshot) => shown.push(snapshot),
      wants: () => wanted,
    });
    ended = session.run();
  });

  afterEach(async () => {
    session.stop('test');
    await ended;
    vi.useRealTimers();
  });

  test('shows nothing known first, then each machine as soon as it says something', async () => {
    expect(shown[0]).toMatchObject({ seq: -1, flows: [], machines: [{ state: 'connecting' }, { state: 'connecting' }] });
    await live('mac1');
    const one = tick();
    expect(one.flows).toHaveLength(5);
    expect(one.machines?.map(({ state }) => state)).toEqual(['live', 'connecting']);
    await live('mac2');
    const two = tick();
    expect(two.flows.map(({ machine }) => machine)).toEqual([...Array(5).fill('mac1'), ...Array(5).fill('mac2')]);
    expect(new Set(two.flows.map(({ id }) => id)).size).toBe(10);
    expect(two.total.rxRate).toBe(2 * one.total.rxRate);
  });

  test('keeps rates, and says who moved what in a range of time', async () => {
    await live('mac1', 'mac2');
    for (let second = 1; second <= 5; second++) {
      await ssh('mac1').frame(second, { time: NOW + second * 1000 });
      await ssh('mac2').frame(second, { time: NOW + second * 1000 });
      tick();
    }
    const { rates, time, apps } = shown.at(-1) as Snapshot;
    expect(rates.seconds.rx.at(-1)).toBeGreaterThan(0);
    const range = session.between(time - 3000, time);
    expect(range?.total.rxBytes).toBeGreaterThan(0);
    const ids = new Set(apps.map(({ id }) => id));
    expect(range?.apps.length).toBeGreaterThan(0);
    expect(range?.apps.every(({ id }) => ids.has(id))).toBe(true);
    expect(range?.flows.every(({ row }) => row.machine !== undefined)).toBe(true);
  });

  test('asks all that are live, and takes the answers that come in time', async () => {
    await live('mac1', 'mac2');
    const first = (domain: string): HistoryAnswer => ({
      kind: 'first-seen',
      app: 'curl',
      domains: [{ domain, time: NOON }],
      isCut: false,
    });
    const question = { kind: 'first-seen', app: 'curl' } as const;
    const both = session.ask(question);
    await settle();
    const { id } = ssh('mac1').orders.at(-1) as { id: number };
    await ssh('mac1').reply({ type: 'history', id, answer: first('a.example') });
    await ssh('mac2').reply({ type: 'history', id, answer: first('b.example') });
    expect(await both).toMatchObject({ kind: 'first-seen', domains: [{ domain: 'a.example' }, { domain: 'b.example' }] });
    const late = session.ask(question);
    await settle();
    await ssh('mac1').reply({ type: 'history', id: id + 1, answer: first('a.example') });
    vi.advanceTimersByTime(10_000);
    expect(await late).toMatchObject({
      domains: [{ domain: 'a.example' }],
      gathered: { lacks: ['mac2 (no answer)'] },
    });
  });

  test('asks nobody where nobody is live', async () => {
    const message = 'no machine answers: mac1 (connecting), mac2 (connecting)';
    expect(await session.ask({ kind: 'first-seen', app: 'curl' })).toEqual({ kind: 'failed', message, hint: null });
  });

  test('watches the packets of one connection, at its machine alone', async () => {
    await live('mac1', 'mac2');
    tick();
    expect(session.watchPackets('mac2|7')).toBeNull();
    await settle();
    expect(ssh('mac2').orders.at(-1)).toEqual({ type: 'packets', flow: '7' });
    expect(ssh('mac1').orders.some(({ type }) => type === 'packets')).toBe(false);
    const page: PacketPage = { flow: '7', packets: [], dropped: 3 };
    await ssh('mac1').reply({ type: 'packets', page }); // nobody asked it
    expect(tick().packets).toBeNull();
    await ssh('mac2').reply({ type: 'packets', page });
    expect(tick().packets).toMatchObject({ flow: 'mac2|7', dropped: 3 });
    session.watchPackets('mac1|7');
    await settle();
    expect(ssh('mac2').orders.at(-1)).toEqual({ type: 'packets', flow: null });
  });

  test('asks for tables while they are shown', async () => {
    await live('mac1');
    wanted = ['listeners'];
    tick();
    await settle();
    expect(ssh('mac1').orders).toContainEqual({ type: 'want', tables: ['listeners'] });
  });

  test('has each machine count what a filter matches, and shows it once all have told', async () => {
    await live('mac1', 'mac2');
    session.match('app:curl', 10);
    await settle();
    const { ask } = ssh('mac2').orders.at(-1) as { ask: { id: number } };
    expect(ask).toMatchObject({ text: 'app:curl', average: 10, machine: 'mac2' });
    const total = (rxBytes: number) => ({ total: { ...(shown.at(-1) as Snapshot).total, rxBytes } });
    await ssh('mac1').matched(ask.id, total(100));
    expect(tick().matching).toBeNull();
    await ssh('mac2').matched(ask.id + 9, total(3)); // of another filter
    expect(tick().matching).toBeNull();
    await ssh('mac2').matched(ask.id, total(50));
    const { matching } = tick();
    expect(matching).toMatchObject({ text: 'app:curl', from: null, average: 10, total: { rxBytes: 150 } });
    expect(matching?.flows.map(({ id }) => id.split('|')[0])).toEqual(['mac1', 'mac1', 'mac2', 'mac2']);
    // A machine that comes back is asked again, counts from nothing, and the sum doesn't fall.
    await ssh('mac1').end(255);
    expect(tick().matching).toMatchObject({ total: { rxBytes: 150 } });
    vi.advanceTimersByTime(1000);
    await live('mac1');
    expect(tick().matching).toMatchObject({ total: { rxBytes: 150 } });
    expect(ssh('mac1').orders.some((order) => order.type === 'match' && order.ask?.id === ask.id)).toBe(true);
    await ssh('mac1').matched(ask.id, total(7));
    expect(tick().matching).toMatchObject({ total: { rxBytes: 157 } });
    session.match(null, 10);
    expect(tick().matching).toBeNull();
  });

  test('shows a machine that has two names once', async () => {
    await ssh('mac1').greet('4c1f');
    await ssh('mac1').frame();
    await ssh('mac2').greet('4c1f');
    const { machines: states, flows } = tick();
    expect(flows).toHaveLength(5);
    expect(states?.[1]).toMatchObject({ state: 'lost', note: 'it is the machine that is shown as mac1', hint: 'name it once' });
    await ssh('mac1').end(255);
    vi.advanceTimersByTime(30_000);
    await ssh('mac2').greet('4c1f');
    await ssh('mac2').frame();
    expect(tick().machines?.[1]?.state).toBe('live');
  });

  test('ends all lines when it is stopped', async () => {
    await live('mac1');
    session.stop('done');
    expect(await ended).toBe('done');
    expect([...machines.values()].map(({ killed }) => killed)).toEqual(['SIGTERM', 'SIGTERM']);
  });
});
