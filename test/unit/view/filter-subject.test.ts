import { describe, expect, it } from 'vitest';
import { subjectOf } from '../../../src/view/derive.ts';
import { appRow, flowRow, hostRow } from '../../support/snapshot-builder.ts';

const FLOW = flowRow({ id: '1', country: null, asn: null, app: 'curl', peerApp: 'nginx', rttMs: 3.5, state: 'established' });

describe('subjectOf', () => {
  it("has every field that a flow has of a filter's", () => {
    const subject: Record<string, unknown> = subjectOf(FLOW, undefined, undefined);
    const flow: Record<string, unknown> = { ...FLOW };
    const same = Object.keys(subject).filter((key) => key in flow);
    expect(same.length).toBeGreaterThan(20);
    expect(Object.fromEntries(same.map((key) => [key, subject[key]]))).toEqual(
      Object.fromEntries(same.map((key) => [key, flow[key]])),
    );
  });

  it('adds what the rows of its app and host know', () => {
    const app = appRow({ id: 'app:1', exe: '/usr/bin/curl', user: 'ann' });
    const host = hostRow({ id: 'host:2', country: 'SE', asn: 64_500 });
    expect(subjectOf(FLOW, app, host)).toMatchObject({ exe: '/usr/bin/curl', user: 'ann', country: 'SE', asn: 64_500 });
    expect(subjectOf({ ...FLOW, country: 'NO', asn: 1 }, app, host)).toMatchObject({ country: 'NO', asn: 1 });
  });
});
