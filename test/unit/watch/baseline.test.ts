// What is usual: every pair is new once, however many there are; what history knows is taken a piece at a time.

import { describe, expect, test } from 'vitest';
import { Baseline, EMPTY } from '../../../src/watch/baseline.ts';

const DAY = 86_400_000;

function baseline(): Baseline {
  const made = new Baseline(DAY, 5);
  made.know(EMPTY);
  made.learnApp('curl', 0);
  made.learnApp('wget', 0);
  return made;
}

describe('a baseline', () => {
  test('finds every pair new once, also while its tables grow', () => {
    const made = baseline();
    const domains = Array.from({ length: 20_000 }, (_, i) => `h${i}.example`);
    for (const again of [false, true])
      for (const app of ['curl', 'wget'])
        expect(domains.filter((domain) => made.learnDomain(app, domain)).length, `${app} ${again}`).toBe(again ? 0 : 20_000);
    expect(domains.every((domain) => made.spreadOf(domain) === 2)).toBe(true);
    expect(made.app('curl')?.domains).toBe(20_000);
  });

  test('takes a long history in pieces, tick by tick, and only then knows', () => {
    const made = new Baseline(DAY, 5);
    const names = Array.from({ length: 50_000 }, (_, i) => `h${i}.example`);
    const apps = [{ app: 'curl', exes: [], first: 0, recordedMs: 10 * DAY, peakTx: 0, hourTx: 0 }];
    const network = { apps: [0, 7], names: ['AS1', 'AS2'] };
    const contacts = { ...EMPTY.contacts, network };
    made.know({ ...EMPTY, recordedMs: 10 * DAY, apps, domains: { apps: names.map(() => 0), names }, contacts });
    let ticks = 0;
    for (; made.knowledge === 'waiting' && ticks < 100; ticks++) made.tick(ticks * 1000, 0);
    expect(ticks).toBeGreaterThan(1);
    expect(made.knowledge).toBe('history');
    expect(names.some((domain) => made.learnDomain('curl', domain))).toBe(false);
    expect(names.every((domain) => made.knewDomain('curl', domain))).toBe(true);
    expect(made.learnContact('network', 'curl', 'AS1', 0)).toBe(false);
    expect(made.learnContact('network', 'curl', 'AS2', 0)).toBe(true);
    expect(made.learnDomain('curl', 'new.example')).toBe(true);
    expect(made.knewDomain('curl', 'new.example')).toBe(false);
  });

  test('calls nothing new if history had more than fitted', () => {
    const made = new Baseline(DAY, 5);
    made.know({ ...EMPTY, isCut: true });
    expect(made.learnApp('curl', 0)).toBe(false);
    expect(made.learnDomain('curl', 'example.com')).toBe(false);
  });
});
