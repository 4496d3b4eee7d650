// Rows of whole machines: with several of them, the rows of a table may stand below their machine. Folded, a machine is one row with the sum of its
// rows; open, they follow it.

import type { Traffic } from '../../model/snapshot.ts';
import type { CellContext, Column } from '../tables/column.ts';
import { hidden } from '../tables/masking.ts';
import { displayWidth } from '../text/cells.ts';
import { formatGrouped } from '../text/format.ts';
import { type Span, span } from '../text/span.ts';
import { sumTraffic } from '../traffic.ts';
import { groupBy } from './branch.ts';

/** A machine above its rows. */
export interface MachineLine extends Traffic {
  readonly id: string;
  readonly machine: string;
  /** Rows below it. */
  readonly below: number;
}

const PREFIX = 'machine:';

/** True for the row of a machine. */
export function isMachineLine(row: object): row is MachineLine {
  return 'below' in row;
}

/** The row of a machine. */
export function machineLine(machine: string, rows: readonly object[]): MachineLine {
  const moving = rows.filter((row): row is Traffic => 'rxRate' in row);
  return { ...sumTraffic(moving), id: PREFIX + machine, machine, below: rows.length };
}

/** Rows in the order of their table, by machine: these in the order in which the user named them, and what is of several last. */
export function byMachine<Row extends { readonly machine?: string }>(
  rows: readonly Row[],
  machines: readonly { readonly name: string }[],
): readonly (readonly [MachineLine, readonly Row[]])[] {
  const groups = groupBy(rows, ({ machine = '' }) => machine);
  return [...machines.map(({ name }) => name), ''].flatMap((name) => {
    const own = groups.get(name);
    return own === undefined ? [] : [[machineLine(name, own), own] as const];
  });
}

/** The column of machines; other rows than theirs leave it out where there is only one. */
export const MACHINE: Column<{ readonly machine?: string }> = {
  key: 'machine',
  title: () => 'machine',
  min: 8,
  max: 20,
  rank: 2,
  align: 'left',
  wants: (rows, context) => rows.reduce((most, { machine = '' }) => Math.max(most, displayWidth(hidden(machine, context))), 0),
  plain: ({ machine = '' }) => machine,
  cell: ({ machine = '' }, context) => span(hidden(machine, context), 'dim'),
};

/**
 * What stands in a cell of a machine's row: its name, and what sums up; null for what other rows have, too.
 *
 * @param isFirst the first cell has the name if the column of machines has no room
 */
export function machineCell(
  line: MachineLine,
  { key }: { readonly key: string },
  isFirst: boolean,
  hasColumn: boolean,
  context: CellContext,
): Span | null {
  const name = line.machine === '' ? 'several' : hidden(line.machine, context);
  const mark = context.open.has(line.id) ? context.glyphs.opened : context.glyphs.closed;
  if (isFirst) return span(`${mark} ${hasColumn ? formatGrouped(line.below) : name}`, 'name');
  if (key === MACHINE.key) return span(name, 'name');
  return SUMMED.has(key) ? null : span('');
}

/** Keys of columns that a machine's row fills as other rows do. */
const SUMMED: ReadonlySet<string> = new Set(['rx-rate', 'tx-rate', 'rx', 'tx', 'share']);
