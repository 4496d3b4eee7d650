// What the details of an alert say of its delivery, and of what silences those like it.

import { beforeAll, expect, test } from 'vitest';
import type { Alert, Mute } from '../../../../src/model/alert.ts';
import type { ChannelStatus, MessengerStatus } from '../../../../src/model/delivery.ts';
import { outcomeFacts } from '../../../../src/view/panels/alert-facts.ts';
import type { CellContext } from '../../../../src/view/tables/column.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { alert } from '../../../support/history.ts';
import { NOON } from '../../../support/snapshot-builder.ts';

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

const idle = (parts: Partial<ChannelStatus>): ChannelStatus => ({
  ...{ channel: 'webhook', delivered: 0, waiting: 0, lost: 0, failure: null, hold: null, next: null },
  ...parts,
});

function delivery(parts: Partial<MessengerStatus>): MessengerStatus {
  const ready = { isReady: true, host: 'ntfy.example', user: 'ann', note: '', isLeft: false, outcomes: new Map() };
  return { ...ready, channels: [idle({})], ...parts };
}

function facts(status: MessengerStatus | null, parts: Partial<Alert> = {}, mutes: readonly Mute[] = [], privacy = false) {
  const context = { glyphs: UNICODE_GLYPHS, privacy, now: NOON } as CellContext;
  return outcomeFacts(alert({ id: 'a', ...parts }), { delivery: status, mutes }, context).map(
    ([name, text]) => `${name}: ${text}`,
  );
}

/** What is said of the webhook. */
const webhook = (parts: Partial<ChannelStatus>) => facts(delivery({ channels: [idle(parts)] }))[0];

test('on each channel: when it was delivered or given up', () => {
  const outcomes = new Map([
    [
      'a',
      [
        { id: 'a', sink: 'webhook', time: NOON - 5000, failure: null },
        { id: 'a', sink: 'command', time: NOON, failure: 'ended with status \x1b[2J7' },
      ],
    ],
  ]);
  const channels = [idle({}), idle({ channel: 'command' })];
  const said = facts(delivery({ channels, outcomes }));
  expect(said[0]).toBe('delivery: 14:03:17 delivered by webhook at ntfy.example');
  expect(said[1]).toMatch(/^: 14:03:22 given up by command: ended with status .*7$/);
  expect(said[1]).not.toContain('\x1b');
  expect(facts(delivery({ channels, outcomes }), {}, [], true).join()).not.toContain('ntfy');
});

test('why it is not delivered yet, and when it will be tried', () => {
  expect(webhook({ waiting: 1 })).toBe('delivery: on its way by webhook at ntfy.example');
  expect(webhook({ waiting: 2, hold: 'quiet', next: NOON + 3_600_000 })).toBe(
    'delivery: held from webhook at ntfy.example in quiet hours, until 15:03:22',
  );
  expect(webhook({ waiting: 2, hold: 'rate', next: NOON + 60_000 })).toBe(
    'delivery: held from webhook at ntfy.example, because there were too many, until 14:04:22',
  );
  expect(webhook({ waiting: 1, failure: 'ECONNREFUSED', next: NOON + 8000 })).toBe(
    'delivery: not yet by webhook at ntfy.example: ECONNREFUSED, next try 14:03:30',
  );
  expect(facts(delivery({ isReady: false, note: 'the messenger has ended' }))).toEqual([
    'delivery: not by webhook at ntfy.example: the messenger has ended',
  ]);
});

test('why it goes nowhere', () => {
  expect(facts(delivery({}), { held: 'learning' })).toEqual(['delivery: held: learning what is usual']);
  expect(facts(delivery({}), { held: 'no history' })).toEqual(['delivery: held: no history says what is usual']);
  expect(facts(null)).toEqual(['delivery: stays here: [notify] sets no other way']);
  expect(facts(delivery({ isLeft: true }))).toEqual(['delivery: left to the netmon-tui that records: it raises them too']);
});

test('which mute silences those like it now', () => {
  const mute: Mute = { kind: null, rule: null, app: 'curl', domain: null, until: NOON + 60_000 };
  const ended = { ...mute, until: NOON - 1 };
  expect(facts(null, { held: 'muted' }, [ended, mute])).toEqual([
    'delivery: held: it was muted',
    'muted: all alerts by curl, until 14:04:22',
  ]);
  expect(facts(null, {}, [{ ...mute, app: 'wget' }])).toHaveLength(1);
});
