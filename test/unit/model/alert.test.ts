// The JSON form of an alert, on which scripts rest.

import { expect, it } from 'vitest';
import { alertFields } from '../../../src/model/alert.ts';
import { alertOf } from '../../support/alerts.ts';

it('an alert has the same fields wherever it is written as JSON', () => {
  const alert = alertOf();
  expect(alertFields(alert)).toEqual({ type: 'alert', schema: 1, ...alert, time: '2026-01-01T12:00:00.000Z' });
});
