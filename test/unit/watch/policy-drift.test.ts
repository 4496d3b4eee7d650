// What leaves the policy, as it happens: judged once its name is known, or once none can be expected.

import { describe, expect, test } from 'vitest';
import { policyOf } from '../../../src/cli/config/policy-file.ts';
import { ENCRYPTED_HELLO } from '../../../src/model/terms.ts';
import { watchFlow as namedFlow, nameless as namelessFlow, Watching } from '../../support/watching.ts';

/** Flows to a network that no entry names. */
const watchFlow = (fields: Parameters<typeof namedFlow>[0] = {}) => namedFlow({ asn: 64496, ...fields });
const nameless = (fields: Parameters<typeof namelessFlow>[0] = {}) => namelessFlow({ asn: 64496, ...fields });
const POLICY = '[app.curl]\nallow = ["example.com:443", "*.example.org", "10.0.0.0/8", "AS64500"]';

/** A watchman with this policy, some time into the run. */
function watching(text = POLICY): Watching {
  const policy = policyOf('p', text);
  const made = new Watching({ policy: () => policy });
  made.watchman.know(null);
  made.tick(10_000);
  return made;
}

const drifts = (raised: ReturnType<Watching['tick']>) => raised.filter(({ kind }) => kind === 'policy');
const texts = (raised: ReturnType<Watching['tick']>) => drifts(raised).map(({ text }) => text);

describe('drift', () => {
  test('is raised at the tick after it, once, with what would have been allowed', () => {
    const watch = watching();
    const evil = watchFlow({ host: 'evil.example.net', domain: 'example.net' });
    expect(drifts(watch.meet(evil))).toMatchObject([
      {
        kind: 'policy',
        severity: 'warning',
        app: 'curl',
        host: 'evil.example.net',
        held: null,
        text: "curl reached evil.example.net, which its policy doesn't allow.",
        details: ['to 192.0.2.1, tcp/443, named by tls', 'allowed: example.com:443, *.example.org, 10.0.0.0/8, AS64500'],
      },
    ]);
    expect(texts(watch.meet(evil))).toEqual([]);
  });

  test('is not what an entry allows, who calls, and an app that is not listed', () => {
    const watch = watching();
    expect(
      texts(
        watch.meet(
          watchFlow(),
          watchFlow({ host: 'a.example.org' }),
          watchFlow({ host: 'evil.example.net', direction: 'inbound' }),
          watchFlow({ app: 'wget', host: 'evil.example.net' }),
          watchFlow({ app: null, host: 'evil.example.net' }),
          nameless({ remote: { address: '10.1.2.3', port: 22 } }),
          nameless({ asn: 64500 }),
        ),
      ),
    ).toEqual([]);
    expect(texts(watch.tick(6000))).toEqual([]);
    expect(texts(watch.meet(watchFlow({ remote: { address: '192.0.2.1', port: 80 } })))).toHaveLength(1);
  });

  test('of a strict policy is also an app that is not listed, and what is weak or undecidable', () => {
    const watch = watching(`strict = true\n${POLICY}`);
    const hidden = nameless({ nameReason: ENCRYPTED_HELLO, host: '198.51.100.9' });
    expect(texts(watch.meet(watchFlow({ app: 'wget' }), watchFlow({ app: 'wget', host: 'b.example' }), hidden))).toEqual([
      "wget reached example.com, and the policy doesn't list wget.",
      "curl reached 198.51.100.7, which its policy can't judge: encrypted hello (ECH).".replace('.7', '.9'),
    ]);
    watch.meet(nameless({ asn: 64500 }));
    expect(texts(watch.tick(6000))).toEqual(['curl reached 198.51.100.7, which its policy allows only as part of AS64500.']);
  });
});

describe('a contact without a name', () => {
  test('waits for its name for five seconds', () => {
    const watch = watching();
    expect(texts(watch.meet(nameless()))).toEqual([]);
    expect(texts(watch.tick(3000))).toEqual([]);
    expect(texts(watch.tick(2000))).toEqual(["curl reached 198.51.100.7, which its policy doesn't allow."]);
    expect(texts(watch.tick(60_000))).toEqual([]);
  });

  test('that gets its name in time is judged by it alone', () => {
    const watch = watching();
    watch.meet(nameless());
    expect(texts(watch.meet(nameless({ host: 'a.example.org', nameSource: 'tls' })))).toEqual([]);
    expect(texts(watch.tick(60_000))).toEqual([]);
  });

  test('is no drift if it began before it could be seen', () => {
    const watch = watching();
    watch.meet(nameless({ isWhole: false }));
    const early = { firstSeen: watch.time - 11_500, protocol: 'udp' };
    watch.meet(nameless({ ...early, remote: { address: '198.51.100.8', port: 443 }, host: '198.51.100.8' }));
    expect(texts(watch.tick(60_000))).toEqual([]);
    watch.meet(nameless({ ...early, firstSeen: watch.time, host: '198.51.100.8' }));
    expect(texts(watch.tick(60_000))).toHaveLength(1);
  });

  test('and with a name that its address gave itself is judged by its address', () => {
    const watch = watching();
    watch.meet(nameless({ host: 'a.example.org', nameSource: 'ptr' }));
    expect(drifts(watch.tick(6000))).toMatchObject([
      { details: ['to 198.51.100.7, tcp/443, without a name', expect.anything()] },
    ]);
  });

  test('does not wait when too many do', () => {
    const watch = watching();
    const flows = Array.from({ length: 1100 }, (_, i) =>
      nameless({ host: `h${i}`, remote: { address: `198.51.${100 + (i >> 8)}.${i & 255}`, port: 443 } }),
    );
    expect(texts(watch.meet(...flows)).length).toBeGreaterThan(0);
  });
});

test('an entry that is added is in force at once', () => {
  let policy = policyOf('p', POLICY);
  const watch = new Watching({ policy: () => policy });
  watch.watchman.know(null);
  watch.tick(10_000);
  policy = policyOf('p', '[app.curl]\nallow = ["new.example"]');
  expect(texts(watch.meet(watchFlow({ host: 'new.example' })))).toEqual([]);
  expect(texts(watch.meet(watchFlow()))).toHaveLength(1);
});

test('what was told counts for the exit status, unless it is muted', () => {
  const watch = watching();
  watch.mutes = [{ kind: 'policy', rule: null, app: 'curl', domain: null, until: null }];
  watch.meet(watchFlow({ host: 'evil.example.net' }));
  expect([...watch.watchman.told]).toEqual([]);
  watch.mutes = [];
  watch.meet(watchFlow({ host: 'evil2.example.net' }));
  expect([...watch.watchman.told]).toContain('policy');
});
