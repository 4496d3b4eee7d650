import { describe, expect, it } from 'vitest';
import type { NetEvent } from '../../../src/model/snapshot.ts';
import { pictureOf, subjectOf } from '../../../src/view/derive.ts';
import { withFilter } from '../../../src/view/input/filter-input.ts';
import { initialState } from '../../../src/view/state.ts';
import { appRow, flowRow, hostRow, NOON, snapshot } from '../../support/snapshot-builder.ts';

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

describe('words', () => {
  const event: NetEvent = {
    ...{
      id: 'event:1',
      time: NOON,
      kind: 'new app',
      text: '',
      app: 'curl',
      domain: null,
      interface: null,
      flow: null,
      burst: null,
    },
  };
  const shown = snapshot({
    time: NOON + 1000,
    events: [event, { ...event, id: 'event:2', kind: 'opened', flow: flowRow({ id: '2', app: 'ssh' }) }],
    flows: [
      flowRow({ id: '1', app: 'curl', pid: 1, closed: false }),
      flowRow({ id: '2', app: 'ssh', pid: 2, closed: true }),
      flowRow({ id: '3', app: 'ssh', pid: 2, closed: false }),
    ],
  });
  const shownBy = (text: string) => {
    const picture = pictureOf(withFilter(initialState({ columns: 80, rows: 24 }), text), shown);
    return [picture.connections, picture.events].map((rows) => rows.map(({ id }) => id));
  };

  it('new is what the tables mark as new', () => {
    expect(shownBy('new')).toEqual([['1'], ['event:1']]);
    expect(
      pictureOf(withFilter(initialState({ columns: 80, rows: 24 }), 'new'), { ...shown, time: NOON + 601_000 }).flows,
    ).toEqual([]);
  });

  it('closed shows what is otherwise hidden', () => {
    expect(shownBy('closed')[0]).toEqual(['2']);
    expect(shownBy('app:ssh')[0]).toEqual(['3']);
    expect(shownBy('app:ssh or state:closed')[0]).toEqual(['2', '3']);
  });
});
