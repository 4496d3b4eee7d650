// The JSON form of an alert, on which scripts rest.

import { expect, it } from 'vitest';
import { type Alert, alertFields } from '../../../src/model/alert.ts';

it('an alert has the same fields wherever it is written as JSON', () => {
  const alert: Alert = {
    id: 'a1',
    time: Date.UTC(2026, 0, 1),
    kind: 'new-domain',
    severity: 'info',
    app: 'curl',
    exe: '/usr/bin/curl',
    pid: 7,
    user: 'ann',
    host: 'www.example.com',
    domain: 'example.com',
    text: 'curl reached example.com for the first time.',
    details: ['usual: 3 other domains'],
    evidence: null,
    held: null,
  };
  expect(alertFields(alert)).toEqual({ type: 'alert', schema: 1, ...alert, time: '2026-01-01T00:00:00.000Z' });
});
