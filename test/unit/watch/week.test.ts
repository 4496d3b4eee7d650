// A week of an ordinary machine, watched from its first minute: sixty apps by day and night, a browser, pollers, nightly backups, time servers,
// updates, the internet that knocks, and now and then something that really is new. False alarms are the enemy.

import { expect, test } from 'vitest';
import type { WatchFlow } from '../../../src/model/watch.ts';
import { EMPTY } from '../../../src/watch/baseline.ts';
import { NOON } from '../../support/snapshot-builder.ts';
import { Watching, watchFlow } from '../../support/watching.ts';

const MINUTE = 60_000;
const DAY = 1440;
const DAYS = 7;

/** Numbers that are the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Plays the week. @returns delivered alerts by day, and those that are critical */
function week(seed: number, reallyNew: boolean) {
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  const watch = new Watching();
  watch.watchman.know(EMPTY);
  const met = new Set<string>();
  const numbers = new Map<string, number>();
  const numberOf = (name: string) => numbers.get(name) ?? numbers.set(name, numbers.size + 16).size + 15;
  const flow = (fields: Partial<WatchFlow>) => {
    const app = fields.app ?? 'curl';
    const host = fields.host ?? fields.domain ?? 'example.com';
    const made = watchFlow({
      ...{ exe: `/usr/bin/${app}`, domain: host, host, firstSeen: watch.time + below(MINUTE), txBytes: 500 + below(4000) },
      ...{ rxBytes: below(40_000), appNumber: numberOf(app), hostNumber: numberOf(host), country: below(20) === 0 ? 'NL' : 'DE' },
      asn: 100 + (numberOf(host) % 40),
      ...fields,
    });
    const key = `${app} ${host} ${made.direction} ${made.remote.port}`;
    if (!met.has(key)) watch.watchman.met(made);
    met.add(key);
    watch.watchman.began(made);
    if (made.app !== null && made.direction === 'outbound') watch.watchman.sent(made.app, made.txBytes);
  };
  for (let minute = 0; minute < DAYS * DAY; minute++) {
    const hour = (minute / 60) % 24;
    const isDay = hour > 7 && hour < 23;
    for (let talks = below(isDay ? 12 : 3); talks > 0; talks--) {
      // Each app has its own few hosts, and shares some with all.
      const app = below(40);
      const own = below(4);
      const domain = below(3) === 0 ? `shared${below(12)}.example` : `app${app}-${own}.example`;
      flow({ app: `app${app}`, domain });
      if (below(6) === 0)
        flow({ app: `app${app}`, domain: ['cloudfront.net', 'akamaized.net', 'fastly.net'][below(3)] as string });
    }
    if (isDay) for (let pages = below(6); pages > 0; pages--) flow({ app: 'firefox', domain: `site${below(3000)}.example` });
    // What comes by the clock: mail, monitoring, time, updates.
    if (minute % 5 === 0) flow({ app: 'mail', domain: 'imap.example' });
    if (minute % 10 === 0) flow({ app: 'telegraf', domain: 'metrics.example' });
    flow({ app: 'chronyd', domain: 'pool.example', protocol: 'udp', remote: { address: '192.0.2.9', port: 123 } });
    if (minute % DAY === 4 * 60) {
      flow({ app: 'apt', domain: 'mirror.example', rxBytes: 2e8 });
      flow({ app: 'apt', exe: `/usr/lib/apt/${minute}/http`, domain: 'mirror.example' });
    }
    // Backups: between one and three gigabytes a night.
    if (minute % DAY >= 120 && minute % DAY < 150)
      flow({ app: 'restic', domain: 'backup.example', txBytes: 3e7 + below(7e7), rxBytes: 1e5 });
    // The internet tries every port of every machine.
    for (let knocks = below(4); knocks > 0; knocks--) {
      const address = `198.51.100.${below(250)}`;
      flow({
        ...{ app: null, host: address, domain: null, direction: 'inbound', isAnswered: false, nameSource: 'none' },
        ...{ local: { address: '192.0.2.99', port: below(65_536) }, remote: { address, port: 40_000 } },
      });
    }
    if (reallyNew && minute === 3 * DAY + 700) flow({ app: 'miner', exe: '/tmp/.x/miner', domain: 'pool.evil.example' });
    if (reallyNew && minute > 4 * DAY && minute % 3 === 0 && minute < 4 * DAY + 120)
      flow({ app: 'app3', domain: 'c2.evil.example', firstSeen: watch.time + 500, txBytes: 300, rxBytes: 200 });
    watch.tick(MINUTE);
  }
  const delivered = watch.raised.filter(({ held }) => held === null);
  const days = new Array<number>(DAYS).fill(0);
  for (const { time } of delivered) {
    const day = Math.floor((time - NOON) / (DAY * MINUTE));
    days[day] = (days[day] ?? 0) + 1;
  }
  return { days, delivered, critical: watch.raised.filter(({ severity }) => severity === 'critical') };
}

test.each([1, 2, 3])('raises at most two alerts a day once the machine is learnt, and none that is critical (%i)', (seed) => {
  const { days, critical, delivered } = week(seed, false);
  expect(Math.max(...days), delivered.map(({ text }) => text).join('\n')).toBeLessThanOrEqual(2);
  expect(critical).toEqual([]);
});

test('what is really new stands out', () => {
  const told = week(1, true).delivered.map(({ kind, app }) => `${kind} ${app}`);
  expect(told).toContain('new-app miner');
  expect(told).toContain('new-domain app3');
  expect(told).toContain('beacon app3');
});
