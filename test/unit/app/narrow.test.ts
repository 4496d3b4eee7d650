import { describe, expect, it } from 'vitest';
import type { FlowRow } from '../../../src/aggregate/snapshot.ts';
import { narrower } from '../../../src/app/narrow.ts';
import { compileFilter, type Filter } from '../../../src/filter/filter.ts';
import { busy } from '../../support/snapshot-builder.ts';

function filterOf(text: string): Filter {
  const result = compileFilter(text);
  if (!result.ok) throw new Error(result.message);
  return result.filter;
}

/** Rows that may be asked for once. */
function* once<Row>(rows: readonly Row[], asked: Row[] = []): Generator<Row> {
  for (const row of rows) {
    asked.push(row);
    yield row;
  }
}

describe('narrower', () => {
  const whole = busy(60);
  const last = () => ({ snapshot: { ...whole, hosts: [], flows: [] }, hosts: once(whole.hosts), flows: once(whole.flows) });

  it('leaves the last tick as it is where there is no filter, and asks for no row', () => {
    const tick = last();
    expect(narrower(null).last(tick)).toBe(tick);
  });

  it.each(['proto:udp', 'app:a', 'rx>0 and country:us', 'nothing-like-it'])(
    'narrows rows that come one by one as those of a snapshot: %s',
    (text) => {
      const narrow = narrower(filterOf(text));
      const asked: FlowRow[] = [];
      const tick = narrow.last({ ...last(), flows: once(whole.flows, asked) });
      const expected = narrow.snapshot(whole);
      expect(tick.snapshot).toEqual(expected);
      expect([[...tick.hosts], [...tick.flows]]).toEqual([expected.hosts, expected.flows]);
      expect(asked).toEqual(whole.flows);
    },
  );

  it('keeps something of what the filters above are asked about', () => {
    expect(narrower(filterOf('proto:udp')).snapshot(whole).flows.length).toBeGreaterThan(0);
    expect(narrower(filterOf('proto:udp')).snapshot(whole).flows.length).toBeLessThan(whole.flows.length);
  });
});
