// The tables of the DNS view: what was asked, the newest first, and the resolvers that were asked. Failures and slow answers stand out.

import { cut } from '../text/cells.ts';
import { formatAmount, formatCount, formatDateTime, formatGrouped, formatRtt } from '../text/format.ts';
import { type Role, span } from '../text/span.ts';
import { answersOf, askerOf, type DnsLine, isFailure, isGroupAsked, type ResolverLine, SLOW_MS } from '../tree/questions.ts';
import type { CellContext, TableSpec } from './column.ts';
import { countCell, momentText, numberColumn, seenColumn, widest, wordColumn } from './columns.ts';
import { hidden, shown } from './masking.ts';
import { treeCell, treeText } from './tree-cell.ts';

/** When it was asked; of many, when the last was. */
function timeText(row: DnsLine, { now }: CellContext): string {
  return momentText(row.time, now);
}

/** False for questions that are listed one by one. */
function isInTree({ group, branch }: DnsLine): boolean {
  return group !== undefined || branch !== undefined;
}

function appText(row: DnsLine, context: CellContext): string {
  if (row.group !== undefined && row.group.apps > 1) return `${formatGrouped(row.group.apps)} apps`;
  const app = askerOf(row);
  return app === null ? `(${shown(row.reason ?? 'no owner', context)})` : shown(app, context);
}

function nameText(row: DnsLine, context: CellContext): string {
  if (row.name === '') return `${formatGrouped(row.group?.names ?? 0)} names`;
  const more = row.group !== undefined && row.group.names > 1 ? ` (${formatGrouped(row.group.names)} names)` : '';
  return `${hidden(row.name, context)}${more}`;
}

/** What came back in words; with addresses hidden, how many. */
export function answerText(row: DnsLine, context: CellContext): string {
  const { group, answerCount } = row;
  const result = shown(row.result, context);
  if (group !== undefined) return group.failed === 0 ? '' : `${formatGrouped(group.failed)} failed`;
  const answers = answersOf(row);
  if (row.result !== 'NOERROR') {
    const where = answers[0];
    return where === undefined || row.result === 'truncated' ? result : `${result}, alias of ${hidden(where, context)}`;
  }
  if (answers.length === 0) return `${formatGrouped(answerCount)} ${answerCount === 1 ? 'record' : 'records'}`;
  const more = answerCount > answers.length ? ` +${answerCount - answers.length}` : '';
  return `${answers.map((answer) => hidden(answer, context)).join(' ')}${more}`;
}

function answerRole(row: DnsLine): Role {
  if (row.group !== undefined) return row.group.failed > 0 ? 'error' : 'dim';
  if (isFailure(row)) return 'error';
  return row.result === 'NOERROR' ? 'text' : row.result === 'NXDOMAIN' || row.result === 'truncated' ? 'warn' : 'dim';
}

function resolverText(row: DnsLine, context: CellContext): string {
  return row.resolver.address === '' ? 'several' : hidden(row.resolver.address, context);
}

/** Questions, the newest first. */
export const QUESTIONS: TableSpec<DnsLine> = {
  title: 'Questions',
  sorts: [],
  columns: [
    {
      key: 'time',
      title: () => 'time',
      min: 8,
      max: 15,
      comfort: { cells: 15, before: 2 },
      align: 'left',
      rank: 1,
      value: (row) => row.time,
      plain: (row) => formatDateTime(row.time),
      wants: (rows, context) =>
        widest(rows, (row) => (isInTree(row) ? treeText(row, timeText(row, context), false) : timeText(row, context))),
      cell: (row, context, width) => {
        const time = span(timeText(row, context), 'dim');
        return isInTree(row) ? treeCell({ row, expandable: row.group !== undefined }, width, context, () => time) : time;
      },
    },
    {
      ...wordColumn<DnsLine>('app', { min: 10, max: 24, rank: 2 }, (row) =>
        (row.group?.apps ?? 1) > 1 ? null : (askerOf(row)?.toLowerCase() ?? null),
      ),
      plain: (row, context) => appText(row, context),
      wants: (rows, context) => widest(rows, (row) => appText(row, context)),
      cell: (row, context) => span(appText(row, context), askerOf(row) === null ? 'dim' : 'text'),
    },
    {
      ...wordColumn<DnsLine>('name', { min: 18, max: 60, rank: 1 }, (row) => row.name),
      weight: 3,
      cut: 'start',
      comfort: { cells: 34, before: 6 },
      plain: (row, context) => nameText(row, context),
      wants: (rows, context) => widest(rows, (row) => nameText(row, context)),
      cell: (row, context) => span(nameText(row, context), row.name === '' ? 'dim' : 'name'),
    },
    {
      ...wordColumn<DnsLine>('type', { min: 5, max: 10, rank: 4 }, (row) => (row.type === '' ? null : row.type)),
      wants: (rows, context) => widest(rows, (row) => shown(row.type, context)),
    },
    {
      ...numberColumn<DnsLine>('asked', { min: 5, max: 5, rank: 2 }, (row) => row.group?.count ?? null, countCell),
      wants: (rows) => (rows.some(({ group }) => group !== undefined) ? 5 : 0),
    },
    {
      ...wordColumn<DnsLine>('answer', { min: 12, max: 60, rank: 3 }, (row) => (row.group === undefined ? row.result : null)),
      weight: 2,
      value: (row) => (row.group === undefined ? (isFailure(row) ? ` ${row.result}` : row.result) : -row.group.failed),
      plain: (row, context) => answerText(row, context),
      wants: (rows, context) => widest(rows, (row) => answerText(row, context)),
      cell: (row, context, width) => span(cut(answerText(row, context), width, context.glyphs), answerRole(row)),
    },
    numberColumn<DnsLine>(
      'took',
      { min: 6, max: 6, rank: 2 },
      (row) => row.tookMs,
      (ms) => span(formatRtt(ms), ms >= SLOW_MS ? 'warn' : 'text'),
    ),
    {
      ...numberColumn<DnsLine>(
        'tries',
        { min: 5, max: 5, rank: 7 },
        (row) => row.tries,
        (tries) => span(formatCount(tries), 'warn'),
      ),
      wants: (rows) => (rows.some((row) => row.group === undefined && row.tries > 1) ? 5 : 0),
      cell: (row) => (row.group === undefined && row.tries > 1 ? span(formatCount(row.tries), 'warn') : span('', 'dim')),
    },
    {
      ...wordColumn<DnsLine>('resolver', { min: 13, max: 39, rank: 5 }, (row) => row.resolver.address),
      plain: (row, context) => resolverText(row, context),
      wants: (rows, context) => widest(rows, (row) => resolverText(row, context)),
      cell: (row, context) => span(resolverText(row, context), 'dim'),
    },
    wordColumn<DnsLine>('via', { min: 4, max: 5, rank: 6 }, (row) => row.transport, { from: 'known' }),
    {
      ...numberColumn<DnsLine>(
        'pid',
        { min: 7, max: 7, rank: 8 },
        (row) => row.pid,
        (pid) => span(String(pid), 'dim'),
      ),
    },
  ],
};

function countOf(value: number, role: Role): ReturnType<typeof span> {
  return span(formatCount(value), value > 0 ? role : 'dim');
}

function timeCell(ms: number): ReturnType<typeof span> {
  return span(formatRtt(ms), ms >= SLOW_MS ? 'warn' : 'text');
}

/** Whose it is: of resolvers that were read, of all apps. */
function whose(row: ResolverLine, context: CellContext): string {
  if (!row.isEncrypted) return 'all';
  return row.app === null ? `(${shown(row.reason ?? 'no owner', context)})` : shown(row.app, context);
}

/** Resolvers, the busiest first, then encrypted DNS. */
export const RESOLVERS: TableSpec<ResolverLine> = {
  title: 'Resolvers',
  sorts: [],
  columns: [
    {
      ...wordColumn<ResolverLine>('resolver', { min: 15, max: 45, rank: 1 }, (row) => row.resolver, {
        from: 'secret',
        role: 'name',
      }),
      cut: 'start',
    },
    wordColumn<ResolverLine>('via', { min: 5, max: 5, rank: 1 }, (row) => row.transport, { from: 'known' }),
    {
      ...wordColumn<ResolverLine>('app', { min: 8, max: 24, rank: 6 }, (row) => row.app),
      plain: (row, context) => whose(row, context),
      wants: (rows, context) => (rows.some(({ isEncrypted }) => isEncrypted) ? widest(rows, (row) => whose(row, context)) : 0),
      cell: (row, context) => span(whose(row, context), row.app === null ? 'dim' : 'text'),
    },
    {
      ...numberColumn<ResolverLine>('asked', { min: 7, max: 7, rank: 2 }, (row) => row.questions, countCell),
      // What can't be read says so where the number would stand.
      cell: (row) => (row.questions === null ? span('hidden', 'warn') : countCell(row.questions)),
      wants: () => 7,
    },
    numberColumn<ResolverLine>(
      'failed',
      { min: 6, max: 6, rank: 3 },
      (row) => row.failed,
      (value) => countOf(value, 'error'),
    ),
    numberColumn<ResolverLine>(
      'lost',
      { min: 5, max: 5, rank: 4 },
      (row) => row.unanswered,
      (value, _, row) => countOf(value, isGroupAsked(row) ? 'text' : 'error'),
    ),
    numberColumn<ResolverLine>(
      'no name',
      { min: 7, max: 7, rank: 7 },
      (row) => row.missing,
      (value) => countOf(value, 'text'),
      'no name',
    ),
    numberColumn<ResolverLine>('median', { min: 6, max: 6, rank: 2 }, (row) => row.medianMs, timeCell),
    numberColumn<ResolverLine>('95%', { min: 6, max: 6, rank: 5 }, (row) => row.slowMs, timeCell),
    numberColumn<ResolverLine>('flows', { min: 6, max: 6, rank: 8 }, (row) => row.connections, countCell),
    numberColumn<ResolverLine>(
      'bytes',
      { min: 8, max: 8, rank: 8 },
      (row) => row.bytes,
      (bytes, { units }) => span(formatAmount(bytes, units), 'text'),
    ),
    seenColumn(9),
  ],
};
