// What a HistoryQuery means: which range, which subjects, which rows. The sums come from `HistorySums`.

import { compileFilter, type Filter } from '../../filter/filter.ts';
import { NetmonError } from '../../model/errors.ts';
import type { HistoryQuery, HistoryResult, HistoryRow, HistorySeries, ReachedHost, TimeRange } from '../../model/history.ts';
import type { ContainerNames } from '../../model/terms.ts';
import { sanitize } from '../../net/text.ts';
import type { HistoryMeta } from '../schema.ts';
import type { Statements } from '../sqljs/statements.ts';
import { type HistoryDictionary, SUBJECT_COLUMNS } from '../writer.ts';
import { addSums, type ColumnGroup, entityRows, noSums, type Places, regroup, type Sums, totalsOf } from './groups.ts';
import { coarsestSegments, type MinuteRange, recordedRange, resolutionFrom, type Segment } from './segments.ts';
import { HistorySums, type Restriction, type SubjectColumn } from './sums.ts';
import { nextStart, startOf, type ZoneOffset, type ZoneUnit, zonedText } from './zone.ts';

/** ms */
const MINUTE = 60_000;
const MOST_STEPS = 2000;
const RESTRICTABLE = ['app', 'domain', 'category', 'interface'] as const;
/** Every column, for filters; `id` keeps subjects apart. */
const ALL_COLUMNS = [...SUBJECT_COLUMNS, 'id'] as const;
/** Columns that each key is grouped by; `PLACES` says what each is for. */
const KEY_COLUMNS = {
  app: ['app', 'reason', 'exe'],
  host: ['host', 'domain'],
  domain: ['domain'],
  category: ['category'],
  interface: ['interface'],
  container: ['container', 'image'],
} as const satisfies Record<string, readonly SubjectColumn[]>;
type EntityKey = keyof typeof KEY_COLUMNS;
const KEY_ONLY: Places = { key: 0, reason: -1, detail: -1 };
const PLACES: Readonly<Record<EntityKey, Places>> = {
  app: { key: 0, reason: 1, detail: 2 },
  host: { key: 0, reason: -1, detail: 1 },
  domain: KEY_ONLY,
  category: KEY_ONLY,
  interface: KEY_ONLY,
  container: { key: 0, reason: -1, detail: 1 },
};
const NO_KEY: Readonly<Record<EntityKey, string>> = {
  app: 'not known',
  host: 'other hosts',
  domain: 'no domain',
  category: 'not categorised',
  interface: 'not known',
  container: 'in no container',
};

/** Answers queries. */
export class HistoryQueries {
  readonly #dictionary: HistoryDictionary;
  readonly #meta: HistoryMeta;
  readonly #sums: HistorySums;

  constructor(statements: Statements, dictionary: HistoryDictionary, meta: HistoryMeta) {
    this.#dictionary = dictionary;
    this.#meta = meta;
    this.#sums = new HistorySums(statements);
  }

  /** Empties the cache of labels; call it when labels were deleted. */
  forget(): void {
    this.#sums.forget();
  }

  /** @throws NetmonError `bad-filter` */
  answer(query: HistoryQuery, zone: ZoneOffset): HistoryResult {
    const filter = filterOf(query.filter);
    const { oldest, newest } = this.#meta;
    const range = recordedRange(query.from, query.to, this.#meta);
    const restrictions = this.#restrictionsOf(query);
    const answer = {
      query,
      oldest: inMs(oldest),
      newest: inMs(newest),
      resolutionMs: resolutionFrom(query.from, this.#meta),
      identity: this.#meta.get('identity'),
    };
    if (range === null || restrictions === null)
      return { ...answer, rows: [], total: totalsOf(noSums()), series: query.steps > 0 ? seriesOf(query, []) : null };
    const passed = filter === null ? null : this.#passing(range, restrictions, filter);
    const isChosen = this.#choose(restrictions, passed);
    const series = query.steps > 0 ? this.#series(query, range, isChosen) : null;
    const [rows, total] =
      query.by === 'hour' || query.by === 'day'
        ? this.#times(query.by, range, isChosen, zone)
        : this.#entities(query.by, query.top, range, restrictions, passed);
    return { ...answer, rows, total: totalsOf(total), series };
  }

  /** What apps reached on their own call, in no order. */
  reached({ from, to }: TimeRange): ReachedHost[] {
    const range = recordedRange(from, to, this.#meta);
    const outbound = this.#dictionary.find('outbound');
    if (range === null || outbound === null) return [];
    const columns = ['app', 'host', 'domain'] as const;
    return this.#sums.byColumns(this.#segments(range), columns, [['direction', outbound]]).flatMap((group) => {
      const app = this.#text(group, columns, 'app');
      if (app === null || group.rxPackets + group.txPackets + group.flows <= 0) return [];
      const [host, domain] = [this.#text(group, columns, 'host'), this.#text(group, columns, 'domain')];
      return { app, host, domain, ...totalsOf(group), firstSeen: group.first, lastSeen: group.last };
    });
  }

  /** null if the query names something that was never recorded. */
  #restrictionsOf(query: HistoryQuery): Restriction[] | null {
    const restrictions: Restriction[] = [];
    for (const column of RESTRICTABLE) {
      const wanted = query[column];
      if (wanted === null) continue;
      const label = this.#dictionary.find(wanted);
      if (label === null) return null;
      restrictions.push([column, label]);
    }
    return restrictions;
  }

  /** What passes a filter, by subject. */
  #passing(range: MinuteRange, restrictions: readonly Restriction[], filter: Filter): ColumnGroup[] {
    const text = (group: ColumnGroup, column: SubjectColumn) => this.#text(group, ALL_COLUMNS, column);
    return this.#sums.byColumns(this.#segments(range), ALL_COLUMNS, restrictions).filter((group) =>
      filter.matches({
        app: text(group, 'app'),
        exe: text(group, 'exe'),
        host: text(group, 'host'),
        domain: text(group, 'domain'),
        category: text(group, 'category'),
        interface: text(group, 'interface'),
        protocol: text(group, 'protocol'),
        direction: text(group, 'direction'),
        container: containerOf((name) => text(group, name)),
        rxBytes: group.rxBytes,
        txBytes: group.txBytes,
        rxPackets: group.rxPackets,
        txPackets: group.txPackets,
      }),
    );
  }

  /** Chooses the subjects that sums over time are of; false for all of them. */
  #choose(restrictions: readonly Restriction[], passed: readonly ColumnGroup[] | null): boolean {
    if (passed !== null) this.#sums.choose(passed.map((group) => group.values[ALL_COLUMNS.indexOf('id')] as number));
    else if (restrictions.length > 0) this.#sums.chooseWhere(restrictions);
    return passed !== null || restrictions.length > 0;
  }

  #entities(
    by: EntityKey,
    top: number,
    range: MinuteRange,
    restrictions: readonly Restriction[],
    passed: readonly ColumnGroup[] | null,
  ): [HistoryRow[], Sums] {
    const columns = KEY_COLUMNS[by];
    const groups =
      passed === null
        ? this.#sums.byColumns(this.#segments(range), columns, restrictions)
        : regroup(
            passed,
            columns.map((column) => ALL_COLUMNS.indexOf(column)),
          );
    const total = noSums();
    for (const group of groups) addSums(total, group);
    return [entityRows(groups, PLACES[by], Math.max(1, top), (label) => this.#sums.text(label), NO_KEY[by]), total];
  }

  #times(by: ZoneUnit, range: MinuteRange, isChosen: boolean, zone: ZoneOffset): [HistoryRow[], Sums] {
    const total = noSums();
    const rows: HistoryRow[] = [];
    const end = range.to * MINUTE;
    for (let start = startOf(by, range.from * MINUTE, zone), next = start; start < end; start = next) {
      next = nextStart(by, start, zone);
      const segments = this.#segments({
        from: Math.max(range.from, start / MINUTE),
        to: Math.min(range.to, next / MINUTE),
      });
      const sums = this.#sums.over(segments, isChosen);
      if (sums === null) {
        const recorded = this.#sums.dayFrom(next);
        if (recorded === null) break;
        next = Math.max(next, startOf(by, recorded, zone));
        continue;
      }
      addSums(total, sums);
      const isWhole = by === 'hour' && segments.some((segment) => segment.table === 'day');
      rows.push({
        key: isWhole ? null : zonedText(start, zone),
        reason: isWhole ? 'the whole day: its hours are no longer kept' : null,
        start: isWhole ? sums.first : start,
        detail: null,
        ...totalsOf(sums),
        firstSeen: sums.first,
        lastSeen: sums.last,
      });
    }
    return [rows, total];
  }

  #series(query: HistoryQuery, range: MinuteRange, isChosen: boolean): HistorySeries {
    const steps = stepsOf(query);
    const edge = (step: number) => {
      if (step === 0) return range.from;
      if (step === steps) return range.to;
      const minute = Math.ceil((query.from + ((query.to - query.from) / steps) * step) / MINUTE);
      return Math.min(range.to, Math.max(range.from, minute));
    };
    const sums = Array.from({ length: steps }, (_, step) => {
      const part = { from: edge(step), to: edge(step + 1) };
      return part.from < part.to ? this.#sums.over(this.#segments(part), isChosen) : null;
    });
    return seriesOf(query, sums);
  }

  #segments(range: MinuteRange): readonly Segment[] {
    return coarsestSegments(range, this.#meta);
  }

  #text(group: ColumnGroup, columns: readonly SubjectColumn[], column: SubjectColumn): string | null {
    return this.#sums.text(group.values[columns.indexOf(column)] ?? 0);
  }
}

function containerOf(text: (name: keyof ContainerNames) => string | null): ContainerNames | null {
  const container = text('container');
  if (container === null) return null;
  return { container, image: text('image'), pod: text('pod'), namespace: text('namespace'), project: text('project') };
}

function filterOf(text: string | null): Filter | null {
  if (text === null) return null;
  const result = compileFilter(text);
  if (!result.ok)
    throw new NetmonError('bad-filter', `column ${result.column + 1}: ${result.message}`, `it was: ${sanitize(text)}`);
  return result.filter.matchesAll ? null : result.filter;
}

function stepsOf(query: HistoryQuery): number {
  return Math.min(MOST_STEPS, Math.max(1, Math.trunc(query.steps)));
}

function seriesOf(query: HistoryQuery, sums: readonly (Sums | null)[]): HistorySeries {
  const steps = stepsOf(query);
  return {
    from: query.from,
    stepMs: (query.to - query.from) / steps,
    rxBytes: Array.from({ length: steps }, (_, step) => sums[step]?.rxBytes ?? 0),
    txBytes: Array.from({ length: steps }, (_, step) => sums[step]?.txBytes ?? 0),
  };
}

function inMs(minute: number | null): number | null {
  return minute === null ? null : minute * MINUTE;
}
