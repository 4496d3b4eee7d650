// Where a run's alerts go: the messenger gets each, the terminal notifies once a tick.

import { expect, it } from 'vitest';
import { Notices } from '../../../src/app/notices.ts';
import type { Messenger } from '../../../src/messenger/client.ts';
import type { Alert } from '../../../src/model/alert.ts';
import type { QuietHours } from '../../../src/model/delivery.ts';
import { alertOf } from '../../support/alerts.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function setUp(quiet: QuietHours | null = null, most = 100) {
  const delivered: string[] = [];
  const rung: string[] = [];
  const messenger = {
    deliver: (alert: Alert) => delivered.push(alert.id),
    takeDeliveries: () => [],
    status: null,
  } as unknown as Messenger;
  const clock = new FakeClock();
  const notices = new Notices({
    messenger,
    ring: (title, text) => rung.push(`${title}: ${text}`),
    pacing: { quiet, most, perMs: 60_000 },
    clock,
  });
  const raise = async (...alerts: Partial<Alert>[]) => {
    for (const alert of alerts) notices.raise(alertOf(alert));
    await Promise.resolve();
  };
  return { raise, delivered, rung, clock };
}

it('alerts of one tick are one notification', async () => {
  const { raise, delivered, rung } = setUp();
  await raise({ id: 'a', text: 'A.' });
  await raise({ id: 'b', text: 'B.' }, { id: 'c', text: 'C.', severity: 'warning' });
  expect(delivered).toEqual(['a', 'b', 'c']);
  expect(rung).toEqual(['netmon-tui: A.', 'netmon-tui: 2 alerts, warning: C.\nB.']);
});

it('alerts that are held disturb nobody', async () => {
  const { raise, delivered, rung } = setUp();
  await raise({ held: 'learning' }, { held: 'muted' });
  expect([delivered, rung]).toEqual([[], []]);
});

it('the terminal keeps quiet hours, and a rate; the messenger has its own', async () => {
  const { raise, rung, delivered, clock } = setUp({ from: 22 * 60, to: 7 * 60 }, 1);
  clock.wall = new Date(2026, 0, 5, 23).getTime();
  await raise({ id: 'a', text: 'A.' });
  await raise({ id: 'b', text: 'B.', severity: 'critical' });
  await raise({ id: 'c', text: 'C.', severity: 'critical' });
  clock.pass(60_000);
  await raise({ id: 'd', text: 'D.', severity: 'critical' });
  expect(rung).toEqual(['netmon-tui: critical: B.', 'netmon-tui: critical: D.']);
  expect(delivered).toEqual(['a', 'b', 'c', 'd']);
});
