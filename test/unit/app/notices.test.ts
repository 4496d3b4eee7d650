// Where a run's alerts go: the messenger gets each, the terminal notifies once a tick.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isRecordedElsewhere, Notices } from '../../../src/app/notices.ts';
import { lockPath } from '../../../src/history/files.ts';
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
    status: { isReady: true, host: null, user: 'ann', note: '', channels: [] },
  } as unknown as Messenger;
  const clock = new FakeClock();
  const recorder = { isThere: false };
  const notices = new Notices({
    messenger,
    ring: (title, text) => rung.push(`${title}: ${text}`),
    pacing: { quiet, most, perMs: 60_000 },
    clock,
    isRecordedElsewhere: () => recorder.isThere,
  });
  const raise = async (...alerts: Partial<Alert>[]) => {
    for (const alert of alerts) notices.raise(alertOf(alert));
    await Promise.resolve();
  };
  return { notices, raise, delivered, rung, clock, recorder };
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

it('while another run records, that one delivers, and the terminal still notifies here', async () => {
  const { notices, raise, delivered, rung, recorder, clock } = setUp();
  recorder.isThere = true;
  await raise({ id: 'a', text: 'A.' });
  expect([delivered, rung]).toEqual([[], ['netmon-tui: A.']]);
  expect(notices.status?.isLeft).toBe(true);
  recorder.isThere = false;
  await raise({ id: 'b', text: 'B.' });
  expect(delivered).toEqual(['b']);
  expect(notices.status?.isLeft).not.toBe(true);
  recorder.isThere = true;
  clock.pass(60_000);
  expect(notices.status?.isLeft).toBe(true);
});

it('tells whether another process records, and leaves no lock behind', async ({ onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'netmon-notices-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const history = { path: join(folder, 'h.sqlite'), owner: null };
  const lock = lockPath(history.path);
  const asks = () => isRecordedElsewhere(history, null);
  expect(asks()).toBe(false);
  const other = spawn('sleep', ['60']);
  writeFileSync(lock, `${other.pid}\n`);
  expect(asks()).toBe(true);
  writeFileSync(lock, `${process.pid}\n`); // this run itself records
  expect(asks()).toBe(false);
  writeFileSync(lock, `${other.pid}\n`);
  other.kill();
  await once(other, 'exit');
  expect(asks()).toBe(false);
  rmSync(lock, { force: true });
  expect(isRecordedElsewhere({ path: '/nonexistent/h.sqlite', owner: null }, null)).toBe(false);
});
