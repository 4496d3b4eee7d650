import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BareFlows } from '../../../../src/identify/category/bare-flows.ts';
import type { AddressScope } from '../../../../src/net/address.ts';

const SCOPES = ['unspecified', 'loopback', 'link-local', 'private', 'shared', 'multicast', 'broadcast', 'global'] as const;

describe('categories of flows without name and owner', () => {
  it('depend on the kind of flow', () => {
    const kind = fc.record({
      application: fc.constantFrom(null, 'https', 'dns'),
      protocol: fc.constantFrom(0, 1, 6, 17, 0x0806, 0xffff),
      port: fc.constantFrom(0, 1, 8191, 8192, 65_535),
      scope: fc.constantFrom<AddressScope[]>(...SCOPES),
    });
    fc.assert(
      fc.property(fc.array(kind, { maxLength: 60 }), (kinds) => {
        const flows = new BareFlows();
        const texts = kinds.map((each) => JSON.stringify(each));
        const first = (i: number) => texts.indexOf(texts[i] as string);
        for (const [i, { application, protocol, port, scope }] of kinds.entries()) {
          const known = flows.get(application, protocol, port, scope);
          expect(known).toBe(first(i) === i ? -1 : first(i));
          if (known < 0) flows.set(application, protocol, port, scope, i);
        }
      }),
    );
  });

  it('start over when there are too many kinds', () => {
    const flows = new BareFlows();
    for (let port = 0; port < 20_000; port++) flows.set('https', 6, port, 'global', 3);
    const kept = Array.from({ length: 20_000 }, (_, port) => flows.get('https', 6, port, 'global')).filter((each) => each === 3);
    expect(kept.length).toBeLessThanOrEqual(8192);
    expect(flows.get('https', 6, 19_999, 'global')).toBe(3);
  });
});
