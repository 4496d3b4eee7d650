// What the connections table says of a flow, and what it leaves unsaid.

import { expect, test } from 'vitest';
import type { FlowRow } from '../../../../src/model/snapshot.ts';
import { rowFacts } from '../../../../src/view/panels/details.ts';
import { contextOf } from '../../../../src/view/panels/table.ts';
import { initialState } from '../../../../src/view/state.ts';
import { CONNECTIONS } from '../../../../src/view/tables/connections.ts';
import { orderedRows } from '../../../../src/view/tables/rows.ts';
import { UNICODE_GLYPHS } from '../../../../src/view/text/glyphs.ts';
import { flowRow, snapshot } from '../../../support/snapshot-builder.ts';

const STATE = initialState({ columns: 120, rows: 40 });
const CONTEXT = contextOf(STATE, snapshot(), UNICODE_GLYPHS);

function cell(key: string, row: FlowRow): string {
  const made = CONNECTIONS.columns.find((column) => column.key === key)?.cell(row, CONTEXT, 5) ?? [];
  return 'text' in made ? made.text : made.map(({ text }) => text).join('');
}

test.each(['udp', 'arp', 'icmp', 'ipv6-icmp', 'igmp', 'gre', 'esp', 'sctp'])(
  '%s has no state, as it has no connection',
  (protocol) => {
    const row = flowRow({ id: 'f', protocol, state: 'established', rxPackets: 1, txPackets: 2 });
    expect(cell('state', row)).toBe('');
    const facts = new Map(rowFacts('connections', row, CONTEXT).map(([name, value]) => [name, value]));
    expect(facts.has('state')).toBe(false);
    expect(facts.get('answered')).toBe('yes');
    const alone = rowFacts('connections', { ...row, rxPackets: 0, closed: true }, CONTEXT);
    expect(alone.find(([name]) => name === 'answered')?.[1]).toBe('not so far, over');
  },
);

test('tcp has one', () => {
  const row = flowRow({ id: 'f', state: 'established' });
  expect(cell('state', row)).toBe('estab');
  expect(rowFacts('connections', row, CONTEXT)).toContainEqual(['state', 'established']);
});

test('what has no state sorts behind what has one', () => {
  const flows = [flowRow({ id: 'u', protocol: 'udp', state: 'closing' }), flowRow({ id: 't', state: 'syn-sent' })];
  for (const descending of [false, true]) {
    const tables = { ...STATE.tables, connections: { ...STATE.tables.connections, sort: { column: 'state', descending } } };
    expect(orderedRows({ ...STATE, tables }, snapshot({ flows }), 'connections').map(({ id }) => id)).toEqual(['t', 'u']);
  }
});
