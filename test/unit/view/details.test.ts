import { describe, expect, test } from 'vitest';
import type { FlowRow } from '../../../src/aggregate/snapshot.ts';
import type { CellContext } from '../../../src/view/column.ts';
import { UNICODE_GLYPHS } from '../../../src/view/glyphs.ts';
import { rowFacts } from '../../../src/view/panels/details.ts';
import { flowRow, NOON } from '../../support/snapshot-builder.ts';

const CONTEXT: CellContext = {
  glyphs: UNICODE_GLYPHS,
  units: 'bytes',
  names: true,
  services: true,
  privacy: false,
  now: NOON,
  rate: 0,
};

const fact = (row: Partial<FlowRow>): string | null | undefined =>
  rowFacts('connections', flowRow({ id: 'f', ...row }), CONTEXT).find(([name]) => name === 'on behalf of')?.[1];

describe('details of a connection: on behalf of', () => {
  const remote = { address: '192.0.2.53', port: 53 };

  test('names the app for which the owner acts', () => {
    expect(fact({ app: 'mDNSResponder', remote, onBehalfOf: 'Google Chrome' })).toBe('Google Chrome');
    expect(fact({ app: 'nsurlsessiond', onBehalfOf: 'App Store\u001b[31m' })).toBe('App Store[31m');
  });

  test('says that nobody told, for the resolver’s own questions only', () => {
    for (const port of [53, 443, 853])
      expect(fact({ app: 'mDNSResponder', remote: { ...remote, port } })).toBe('any app: this is the resolver of the system');
    expect(fact({ app: 'mDNSResponder', remote: { ...remote, port: 5353 } })).toBeUndefined();
    expect(fact({ app: 'curl', remote })).toBeUndefined();
    expect(fact({ app: null, remote })).toBeUndefined();
  });
});
