// What becomes of findings: one alert for a cause, what is muted or turned off, and how many there can be.

import { expect, test } from 'vitest';
import { alertFields } from '../../../src/model/alert.ts';
import { snapshot } from '../../support/snapshot-builder.ts';
import { knownBaseline, nameless, said, Watching, watchFlow } from '../../support/watching.ts';

const HOUR = 3_600_000;
const known = () => knownBaseline([{}], { curl: ['example.org'] });
const at = (domain: string) => watchFlow({ domain, host: domain });

test('an alert is on the snapshot of the tick after its cause, and the list stays the same while nothing happens', () => {
  const watch = new Watching();
  watch.watchman.know(known());
  const [alert] = watch.meet(at('example.com'));
  expect(alert).toMatchObject({ id: 'run-1', time: watch.time });
  expect(JSON.parse(JSON.stringify(alertFields(alert as never)))).toMatchObject({ type: 'alert', schema: 1, kind: 'new-domain' });
  const list = watch.watchman.tick(snapshot({ time: watch.time + 1000 }));
  expect(list).toEqual([alert]);
  expect(watch.watchman.tick(snapshot({ time: watch.time + 2000 }))).toBe(list);
});

test('a mute holds what fits all that it names, until it ends', () => {
  const watch = new Watching();
  watch.watchman.know(known());
  watch.mutes = [{ kind: 'new-domain', rule: null, app: 'curl', domain: 'example.com', until: watch.time + HOUR }];
  expect(said(watch.meet(at('example.com'), at('example.net')))).toEqual([
    'new-domain: curl reached example.com for the first time. (muted)',
    'new-domain: curl reached example.net for the first time.',
  ]);
  watch.mutes = [{ kind: null, rule: null, app: null, domain: null, until: watch.time + HOUR }];
  watch.tick(HOUR + 1);
  expect(watch.meet(at('example.edu')).map(({ held }) => held)).toEqual([null]);
});

test('what the messenger sends raises nothing', () => {
  const watch = new Watching({ isMessenger: (pid) => pid === 99 });
  watch.watchman.know(known());
  const sent = { app: 'netmon-tui (sender)', host: 'ntfy.example', domain: 'ntfy.example' };
  expect(watch.meet(watchFlow({ ...sent, pid: 99 }))).toEqual([]);
  for (let call = 0; call < 20; call++) {
    watch.watchman.renamed(watchFlow({ ...sent, pid: 99, firstSeen: watch.time }), 16, 7);
    expect(said(watch.tick(60_000))).toEqual([]);
  }
  // Another program of that name is another matter.
  expect(watch.meet(watchFlow({ ...sent, pid: 98 })).map(({ kind }) => kind)).toEqual(['new-app']);
});

test('a mute of an address holds nothing about other addresses', () => {
  const watch = new Watching();
  watch.watchman.know(known());
  watch.mutes = [{ kind: 'new-network', rule: null, app: 'curl', domain: '198.51.100.7', until: null }];
  const network = (asn: number, address: string) =>
    nameless({ asn, host: address, remote: { address, port: 443 }, hostNumber: asn, firstSeen: watch.time });
  expect(watch.meet(network(1, '198.51.100.7'), network(2, '198.51.100.8')).map(({ held }) => held)).toEqual(['muted', null]);
});

test('a kind can be off, or have another severity', () => {
  const off = new Watching({ kinds: { 'new-domain': 'off' } });
  off.watchman.know(known());
  expect(off.meet(at('example.com'))).toEqual([]);
  const high = new Watching({ kinds: { 'new-domain': 'critical' } });
  high.watchman.know(known());
  expect(high.meet(at('example.com'))[0]?.severity).toBe('critical');
});

test('a flood is cut at thirty in a minute, and says how many were left out', () => {
  const watch = new Watching();
  watch.watchman.know(known());
  const apps = Array.from({ length: 50 }, (_, i) => watchFlow({ app: `app${i}` }));
  expect(watch.meet(...apps)).toHaveLength(30);
  watch.tick(60_000);
  expect(watch.meet(watchFlow({ app: 'last' }))[0]?.details.at(-1)).toBe('20 more alerts were left out in the minute before');
  watch.tick(60_000);
  watch.meet(...Array.from({ length: 31 }, (_, i) => watchFlow({ app: `more${i}` })));
  watch.tick(60_000);
  expect(watch.meet(watchFlow({ app: 'end' }))[0]?.details.at(-1)).toBe('one more alert was left out in the minute before');
});

test('texts from outside are harmless', () => {
  const watch = new Watching();
  watch.watchman.know(known());
  const [alert] = watch.meet(watchFlow({ app: 'ev\u001b[2Jil', host: 'a\u202eb', user: '\u0007', exe: '/tmp/\n' }));
  expect(JSON.stringify(alert)).not.toMatch(/\\u001b|\\u202e|\\u0007|\\n/u);
  expect(`${alert?.text}${alert?.host}${alert?.details.join('')}`).not.toMatch(/[\u0000-\u001f\u202e]/u);
});
