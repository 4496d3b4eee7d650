// What is new about whom an app talks to, and what isn't news: content networks, common domains, browsers, names that move.

import { describe, expect, test } from 'vitest';
import { NO_LINEAGE } from '../../../src/model/terms.ts';
import { EMPTY } from '../../../src/watch/baseline.ts';
import { knownBaseline, nameless, said, Watching, watchFlow } from '../../support/watching.ts';

/** A watchman that knows curl, and one more app that reached example.com. */
function watching(domains: Readonly<Record<string, readonly string[]>> = { wget: ['example.com'] }): Watching {
  const made = new Watching();
  made.watchman.know(knownBaseline([{}, { app: 'wget', exes: ['/usr/bin/wget'] }, { app: 'git', exes: [] }], domains));
  return made;
}

const HOUR = 3_600_000;

describe('a new app', () => {
  test('is raised once, with its path, parent and user', () => {
    const watch = watching();
    const process = {
      ...{ id: 1, pid: 7, name: 'evil', exe: '/tmp/evil', uid: 0, user: 'root', parentPid: 6, startedAt: null, script: null },
      ...{
        ...NO_LINEAGE,
        unit: null,
        container: null,
        publisher: null,
        ancestors: [{ pid: 6, name: 'bash', startedAt: null }],
        app: 1,
      },
    };
    const evil = watchFlow({ app: 'evil', process, pid: 7, user: 'root' });
    const [alert] = watch.meet(evil);
    expect(alert?.text).toBe('evil used the network for the first time, to reach example.com.');
    expect(alert).toMatchObject({ kind: 'new-app', severity: 'warning', exe: '/tmp/evil', user: 'root', held: null });
    expect(alert?.details).toEqual([
      'path: /tmp/evil',
      'pid 7, user root, started by bash',
      'to 192.0.2.1, tcp/443, named by tls',
      'known until now: 3 other apps',
    ]);
    expect(watch.meet(evil, { ...evil, domain: 'example.org' })).toEqual([]);
    const few = new Watching();
    few.watchman.know(knownBaseline([{}]));
    expect(few.meet(evil)[0]?.details.at(-1)).toBe('known until now: one other app');
  });

  test('with a known name at a new place is raised as such; an update is not', () => {
    const watch = watching({ curl: ['example.com'] });
    expect(watch.meet(watchFlow({ exe: '/usr/local/bin/curl' }), watchFlow({ exe: '/opt/curl-8.1/bin/curl' }))).toEqual([]);
    expect(said(watch.meet(watchFlow({ exe: '/tmp/x/curl' })))).toEqual([
      'new-app: curl ran from a new place: same name, but now /tmp/x/curl.',
    ]);
    expect(watch.meet(watchFlow({ exe: '/tmp/x/curl' }), watchFlow({ exe: '/tmp/x/curl (deleted)' }))).toEqual([]);
    expect(watch.meet(watchFlow({ exe: '/tmp/.mount_curlAb12/curl' }))).toHaveLength(1);
    expect(watch.meet(watchFlow({ exe: '/tmp/.mount_curlXy99/curl' }))).toEqual([]);
  });

  test('is held while the machine is learnt, and without history', () => {
    const learning = new Watching();
    learning.watchman.know({ ...EMPTY, recordedMs: HOUR });
    expect(said(learning.meet(watchFlow()))).toEqual([
      'new-app: curl used the network for the first time, to reach example.com. (learning)',
    ]);
    const alone = new Watching();
    alone.watchman.know(null);
    expect(alone.meet(watchFlow())).toEqual([]); // it was there before the run
    alone.tick(60_000);
    const [alert] = alone.meet(watchFlow({ app: 'wget' }));
    expect(alert?.held).toBe('no history');
    expect(alert?.details.at(-1)).toBe('only this run is known: there is no history to compare with');
  });

  test('waits for history, which may know it', () => {
    const watch = new Watching();
    expect(watch.meet(watchFlow(), watchFlow({ app: 'evil' }))).toEqual([]);
    watch.watchman.know(knownBaseline([{}], { curl: ['example.com'] }));
    expect(said(watch.tick())).toEqual(['new-app: evil used the network for the first time, to reach example.com.']);
  });
});

describe('a new domain', () => {
  test('is raised for the app, with what it had reached', () => {
    const watch = watching({ curl: ['example.org', 'example.net'] });
    const [alert] = watch.meet(watchFlow());
    expect(alert).toMatchObject({ kind: 'new-domain', severity: 'info', domain: 'example.com', held: null });
    expect(alert?.text).toBe('curl reached example.com for the first time.');
    expect(alert?.details.at(-1)).toMatch(/^it had reached 2 other domains since 20/);
    expect(watch.meet(watchFlow())).toEqual([]);
    expect(watch.meet(watchFlow({ domain: 'example.org' }))).toEqual([]);
  });

  test('is no news if three apps know it, on a shared network, or for an app that goes everywhere', () => {
    const apps = { wget: ['example.com'], git: ['example.com'] };
    expect(watching(apps).meet(watchFlow())).toHaveLength(1);
    const common = new Watching();
    common.watchman.know(knownBaseline([{}, { app: 'wget' }, { app: 'git' }, { app: 'apt' }], { ...apps, apt: ['example.com'] }));
    expect(common.meet(watchFlow())).toEqual([]);
    const cloud = watching({ curl: ['cloudfront.net'] });
    expect(cloud.meet(watchFlow({ domain: 'fastly.net' }))).toEqual([]);
    const browser = watching({ curl: Array.from({ length: 40 }, (_, i) => `site${i}.example`) });
    expect(browser.meet(watchFlow())).toEqual([]);
  });

  test('is only noted while the app is learnt', () => {
    const watch = new Watching();
    watch.watchman.know(knownBaseline([{ recordedMs: 2 * HOUR }, { app: 'wget' }], { wget: ['example.org'] }));
    expect(watch.meet(watchFlow())).toEqual([]);
    watch.tick(22 * HOUR);
    expect(watch.meet(watchFlow())).toEqual([]);
    expect(said(watch.meet(watchFlow({ domain: 'example.net' })))).toEqual([
      'new-domain: curl reached example.net for the first time.',
    ]);
  });

  test('carries a new country and network in its details', () => {
    const [alert] = watching().meet(watchFlow({ country: 'DE', asn: 3320, network: 'DTAG' }));
    expect(alert?.details).toContain('its first contact with Germany');
    expect(alert?.details).toContain('network: Germany, AS3320, DTAG');
  });
});

describe('countries, networks and callers', () => {
  test('a nameless address in a new country, or else in a new network, is raised', () => {
    const watch = watching();
    expect(said(watch.meet(nameless({ country: 'DE', asn: 3320 })))).toEqual([
      'new-country: curl reached Germany for the first time: 198.51.100.7.',
    ]);
    expect(said(watch.meet(nameless({ country: 'DE', asn: 680, network: 'DFN' })))).toEqual([
      'new-network: curl reached a new network, AS680 (DFN): 198.51.100.7.',
    ]);
    expect(watch.meet(nameless({ country: 'DE', asn: 680 }))).toEqual([]);
  });

  test('a known name may move, unless it moves to where nobody was', () => {
    const watch = watching({ curl: ['example.com'] });
    watch.meet(nameless({ app: 'wget', country: 'DE', asn: 1 }));
    expect(watch.meet(watchFlow({ country: 'DE', asn: 2 }))).toEqual([]);
    expect(said(watch.meet(watchFlow({ country: 'FR', asn: 2 })))).toEqual([
      'new-country: curl reached France for the first time: example.com.',
    ]);
  });

  test('are learnt first if history kept none of them yet', () => {
    const watch = new Watching();
    watch.watchman.know({ ...knownBaseline([{}]), contactsMs: 0 });
    expect(watch.meet(nameless({ country: 'DE', asn: 1 }))).toEqual([]);
    watch.tick(24 * HOUR);
    expect(watch.meet(nameless({ country: 'FR', asn: 1 }))).toHaveLength(1);
  });

  test('the first connection accepted from outside is raised; refused ones and neighbours are not', () => {
    const watch = watching();
    const caller = nameless({ direction: 'inbound', local: { address: '192.0.2.99', port: 22 } });
    expect(watch.meet({ ...caller, isAnswered: false }, { ...caller, isOutside: false })).toEqual([]);
    expect(said(watch.meet(caller))).toEqual([
      'new-inbound: curl accepted a connection from outside this network for the first time, on tcp/22.',
    ]);
    expect(watch.meet({ ...caller, host: '198.51.100.8' })).toEqual([]);
  });

  test('go to history once, to be known next time', () => {
    const watch = watching();
    watch.meet(nameless({ country: 'DE', asn: 3320 }), nameless({ direction: 'inbound', local: { address: '::1', port: 22 } }));
    expect(watch.watchman.takeForHistory()?.contacts.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'country DE',
      'network AS3320',
      'inbound tcp/22',
    ]);
    expect(watch.watchman.takeForHistory()).toBeNull();
  });
});
