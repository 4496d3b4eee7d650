// A history of some weeks as a person with a laptop would have it, the same for the same end: working days, evenings, weekends, hostile names.

import { HistoryDatabase } from '../../src/history/database.ts';
import type { SqlEngine } from '../../src/history/sqljs/engine.ts';
import { batch, entry } from './history.ts';

/** App, executable, and where it goes: host, domain, category, weight. */
const APPS: readonly (readonly [
  app: string,
  exe: string,
  weight: number,
  hosts: readonly (readonly [string, string, string])[],
])[] = [
  [
    'Google Chrome',
    '/Applications/Google Chrome.app',
    60,
    [
      ['rr3.googlevideo.com', 'googlevideo.com', 'Streaming'],
      ['www.youtube.com', 'youtube.com', 'Streaming'],
      ['www.wikipedia.org', 'wikipedia.org', 'Web'],
      ['static.example.com', 'example.com', 'Web'],
      ['ads.tracker.example.net', 'example.net', 'Ads and trackers'],
    ],
  ],
  ['Spotify', '/Applications/Spotify.app', 9, [['audio.scdn.co', 'scdn.co', 'Streaming']]],
  ['Slack', '/Applications/Slack.app', 6, [['wss.slack.com', 'slack.com', 'Messaging']]],
  ['zoom.us', '/Applications/zoom.us.app', 22, [['zc1.zoom.us', 'zoom.us', 'Meetings']]],
  ['git', '/usr/bin/git', 5, [['github.com', 'github.com', 'Development']]],
  ['softwareupdated', '/usr/libexec/softwareupdated', 12, [['swcdn.apple.com', 'apple.com', 'Software updates']]],
  ['backupd', '/usr/libexec/backupd', 14, [['nas.local', 'nas.local', 'System and local network']]],
  ['curl', '/usr/bin/curl', 2, [['api.example.org', 'example.org', 'Development']]],
  ['mDNSResponder', '/usr/sbin/mDNSResponder', 0.3, [['192.0.2.53', '192.0.2.53', 'System and local network']]],
  ['<script>alert("x")</script> & \u202eevil', '/tmp/a"b', 0.5, [["o'hara.example", "o'hara.example", 'Other']]],
  ['非常に長い名前のアプリケーション'.repeat(4), '/opt/x', 0.4, [['long.example.com', 'example.com', 'Web']]],
];
const HOUR_MS = 3_600_000;
const UPLOADS: Readonly<Record<string, number>> = { backupd: 12, 'zoom.us': 0.7, git: 0.5, Slack: 0.4 };

/** A deterministic stand-in for chance, 0 to 1. */
function chance(seed: number): number {
  let x = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/** How much an app does in a local hour, 0 to 1. */
function activity(app: string, time: number, at: number): number {
  const date = new Date(time);
  const hour = date.getHours();
  const isWeekend = date.getDay() % 6 === 0;
  if (app === 'backupd') return hour === 2 || hour === 3 ? 1 : 0;
  if (app === 'softwareupdated') return date.getDay() === 3 && hour === 4 ? 6 : 0;
  if (app === 'mDNSResponder') return 1;
  if (app === 'zoom.us') return !isWeekend && (hour === 10 || hour === 15) && chance(at) > 0.4 ? 1 : 0;
  if (app === 'git' || app === 'Slack') return !isWeekend && hour >= 9 && hour < 18 ? chance(at) : 0;
  const day = hour < 7 ? 0.02 : hour < 18 ? (isWeekend ? 0.5 : 0.3) : hour < 23 ? 1 : 0.2;
  return day * (0.3 + chance(at));
}

/** The image of a history of `days` that ends at `end`, epoch ms. */
export function sampleHistory(sql: SqlEngine, days: number, end: number): Uint8Array {
  const database = HistoryDatabase.create(sql);
  let sequence = 0;
  for (let time = end - days * 24 * HOUR_MS; time < end; time += HOUR_MS) {
    const entries = APPS.flatMap(([app, exe, weight, hosts], index) =>
      hosts.flatMap(([host, domain, category], at) => {
        // a domain comes up some days after the start, so that there are first times
        if ((time - end) / (24 * HOUR_MS) < -days + index * 0.7 + at * 3) return [];
        const bytes = Math.round(
          (weight * 2e6 * activity(app, time, Math.floor(time / HOUR_MS) * 31 + index * 7 + at)) / (at + 1),
        );
        if (bytes < 200) return [];
        const tx = Math.round(bytes * (UPLOADS[app] ?? 0.06));
        const flows = Math.ceil(bytes / 4e6);
        const packets = { rxPackets: Math.ceil(bytes / 1200), txPackets: Math.ceil(tx / 900) };
        const more = app === 'backupd' ? { interface: 'en1' } : { interface: 'en0' };
        return [entry({ app, exe, host, domain, category, rxBytes: bytes, txBytes: tx, flows, ...packets, ...more })];
      }),
    );
    entries.push(
      entry({
        app: null,
        reason: 'closed before it could be looked up',
        exe: null,
        host: '203.0.113.9',
        domain: null,
        category: 'Other',
        interface: 'en0',
        rxBytes: 40_000,
        txBytes: 9000,
        flows: 2,
      }),
    );
    database.apply(++sequence, batch(Math.floor(time / 60_000), entries));
  }
  const image = database.image();
  database.close();
  return image;
}
