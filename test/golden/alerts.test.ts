// Alerts on the screen: counted in the header until they were seen, the newest in the footer for a while, first in the view of events, with
// details and with what can be muted.

import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Alert } from '../../src/model/alert.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { busy, NOON } from '../support/snapshot-builder.ts';
import { Stage } from '../support/terminal.ts';

let stage: Stage;

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

afterEach(() => stage.close());

function alert(id: number, parts: Partial<Alert>): Alert {
  return {
    id: `run-${id}`,
    time: NOON - 60_000 + id * 10_000,
    kind: 'new-domain',
    severity: 'info',
    app: 'curl',
    exe: '/usr/bin/curl',
    pid: 4711,
    user: 'ann',
    host: 'example.com',
    domain: 'example.com',
    text: 'curl reached example.com for the first time.',
    details: [],
    evidence: null,
    held: null,
    ...parts,
  };
}

const ALERTS: readonly Alert[] = [
  alert(1, {
    kind: 'new-app',
    severity: 'warning',
    held: 'learning',
    app: 'sh',
    text: 'sh used the network for the first time.',
  }),
  alert(2, {
    details: ['to 192.0.2.1, tcp/443, named by tls', 'path: /usr/bin/curl', 'it had reached 14 other domains since 2026-01-03'],
  }),
  alert(3, {
    kind: 'upload',
    severity: 'warning',
    app: 'rclone',
    domain: null,
    text: 'rclone sent 5.2 GB this hour; usual is 120 MB at most.',
  }),
  alert(5, {
    kind: 'scan',
    severity: 'critical',
    app: 'ev{red-bg}il\x9b2J',
    text: 'ev{red-bg}il\x9b2J tried about 50 ports on 10.0.0.7.',
  }),
];

const alarmed = (count: number, time = NOON): Snapshot => ({ ...busy(40), time, alerts: ALERTS.slice(0, count) });

async function frame(name: string): Promise<void> {
  await expect(stage.text()).toMatchFileSnapshot(`__frames__/alerts-${name}.txt`);
}

test.each([
  [80, 24],
  [120, 40],
  [40, 10],
] as const)('%ix%i', async (columns, rows) => {
  stage = new Stage(columns, rows);
  const size = `${columns}x${rows}`;
  await stage.show(alarmed(4));
  await frame(`overview-${size}`);
  await stage.press('7');
  await frame(size);
  await stage.press('\x1b[A', '\x1b[A', '\r');
  await frame(`details-${size}`);
  await stage.press('\x1b', 'm');
  await frame(`mute-${size}`);
});

test('the layout is that of a screen without alerts, and the marks go when alerts were seen', async () => {
  stage = new Stage(80, 24);
  await stage.show({ ...busy(40), time: NOON });
  const before = stage.text().split('\n');
  await stage.show(alarmed(4));
  const with_ = stage.text().split('\n');
  expect(with_.slice(2, 23)).toEqual(before.slice(2, 23));
  expect(with_[1]).toContain(' 3 alerts ');
  await stage.press('7', '1');
  expect(stage.text().split('\n')[1]).toBe(before[1]);
});

test('what is held is neither counted nor said', async () => {
  stage = new Stage(80, 24);
  await stage.show(alarmed(1));
  expect(stage.text()).not.toContain('alert');
  await stage.press('7');
  expect(stage.text()).toMatch(/held .*sh used/);
  await stage.press('\r');
  expect(stage.text()).toContain('held: learning');
});

test('hidden names are hidden in alerts', async () => {
  stage = new Stage(120, 40);
  await stage.show(alarmed(4));
  await stage.press('x');
  for (const keys of [['7'], ['\r'], ['\x1b', 'm']]) {
    await stage.press(...keys);
    expect(stage.text()).not.toMatch(/example|10\.0\.0\.7|192\.0\.2/);
  }
});

test('the choice of what to mute scrolls on a small screen', async () => {
  stage = new Stage(40, 10);
  await stage.show(alarmed(4));
  await stage.press('7', '\x1b[A', '\x1b[A', 'm', ...Array.from({ length: 11 }, () => '\x1b[B'));
  expect(stage.text()).toContain('\u258c new-domain for good');
});

test('the key that allows stands below an alert that it can allow', async () => {
  stage = new Stage(120, 40);
  const rule = alert(9, { kind: 'threshold', text: 'rule "much": curl sent 5 GB.' });
  await stage.show({ ...alarmed(4), alerts: [rule, alert(10, {})] });
  await stage.press('7', 'G');
  expect(stage.text()).toContain('A allow');
  await stage.press('g');
  expect(stage.text()).not.toContain('A allow');
});
