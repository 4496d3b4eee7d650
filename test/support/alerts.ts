// Alerts for tests, in the model's form and in that of JSON.

import { type Alert, alertFields } from '../../src/model/alert.ts';

/** An alert; `more` replaces fields. */
export function alertOf(more: Partial<Alert> = {}): Alert {
  return {
    id: 'a1',
    time: Date.UTC(2026, 0, 1, 12),
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
    ...more,
  };
}

/** The same as JSON. */
export function alertJson(more: Partial<Alert> = {}): ReturnType<typeof alertFields> {
  return alertFields(alertOf(more));
}
