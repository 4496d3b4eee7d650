// Columns that several tables have, and the makers of the plain ones: a word, a number of things, an age.

import { displayWidth } from '../text/cells.ts';
import { formatAge, formatCount, formatDateTime } from '../text/format.ts';
import { type Role, type Span, span } from '../text/span.ts';
import type { CellContext, Column } from './column.ts';
import { hidden, shown } from './masking.ts';

/** Where a column stands among those that give way, and how wide it may be. */
export interface Room {
  readonly min: number;
  readonly max: number;
  readonly rank: number;
}

/** What a column of words may have besides its text. */
export interface WordLook {
  readonly title?: string;
  readonly weight?: number;
  /** Outside text is cleaned, or also hidden in privacy mode; `known` is our own word. */
  readonly from?: 'outside' | 'secret' | 'known';
  readonly role?: Role;
}

/** The most cells that a text of any row takes; null is a row that says nothing. */
export function widest<Row>(rows: readonly Row[], text: (row: Row) => string | null): number {
  let most = 0;
  for (const row of rows) most = Math.max(most, displayWidth(text(row) ?? ''));
  return most;
}

/** A word in grey, unknown where it is null; sorts ascending at first. */
export function wordColumn<Row>(
  key: string,
  room: Room,
  value: (row: Row) => string | null,
  look: WordLook = {},
): Column<Row> & { readonly value: (row: Row) => string | null } {
  const { title = key, from = 'outside', role = 'dim', ...rest } = look;
  const words = (text: string, context: CellContext): string =>
    from === 'known' ? text : from === 'secret' ? hidden(text, context) : shown(text, context);
  return {
    key,
    title: () => title,
    ...room,
    ...rest,
    align: 'left',
    ascendingFirst: true,
    value,
    wants: (rows, context) =>
      widest(rows, (row) => {
        const text = value(row);
        return text === null ? null : words(text, context);
      }),
    cell: (row, context) => {
      const text = value(row);
      return text === null ? span(context.glyphs.unknown, 'dim') : span(words(text, context), role);
    },
  };
}

/** Something reckoned, right aligned; null is unknown. `text` says what stands there. */
export function numberColumn<Row>(
  key: string,
  room: Room,
  value: (row: Row) => number | null,
  text: (value: number, context: CellContext, row: Row) => Span,
  title: string = key,
): Column<Row> {
  return {
    key,
    title: () => title,
    ...room,
    align: 'right',
    value,
    wants: (rows, context) => {
      if (room.max === room.min) return rows.some((row) => isKnown(value(row))) ? room.min : 0;
      return widest(rows, (row) => {
        const known = value(row);
        return isKnown(known) ? text(known, context, row).text : null;
      });
    },
    cell: (row, context) => {
      const known = value(row);
      return isKnown(known) ? text(known, context, row) : span(context.glyphs.unknown, 'dim');
    },
  };
}

function isKnown(value: number | null): value is number {
  return value !== null && !Number.isNaN(value);
}

/** Flows that the row has had. */
export function flowsColumn<Row extends { readonly flows: number }>(rank: number): Column<Row> {
  return numberColumn<Row>('flows', { min: 6, max: 6, rank }, (row) => row.flows, countCell);
}

/** When something happened. */
export function timeColumn<Row extends { readonly time: number }>(): Column<Row> {
  return {
    key: 'time',
    title: () => 'time',
    min: 11,
    max: 11,
    align: 'left',
    rank: 1,
    plain: (row) => formatDateTime(row.time),
    cell: (row, { now }) => span(momentText(row.time, now), 'dim'),
  };
}

/** Local time today, date and time before that. */
export function momentText(time: number, now: number): string {
  const [day = '', clock = ''] = formatDateTime(time).split(' ');
  return formatDateTime(now).startsWith(day) ? clock : `${day.slice(5)} ${clock.slice(0, 5)}`;
}

/** How long ago the row last moved something. */
export function seenColumn<Row extends { readonly lastSeen: number }>(rank: number): Column<Row> {
  return numberColumn<Row>(
    'seen',
    { min: 6, max: 6, rank },
    (row) => row.lastSeen,
    (value, { now }) => span(formatAge(now - value), 'dim'),
  );
}

/** What the row's traffic is for. */
export function categoryColumn<Row extends { readonly category: string | null }>(rank: number): Column<Row> {
  return wordColumn<Row>('category', { min: 10, max: 24, rank }, (row) => row.category);
}

/** A count of things. */
export function countCell(value: number): Span {
  return span(formatCount(value), 'dim');
}
