// The answers of many machines to one question about history, as one. It says which machines it lacks, and counts a history that several of them
// share, on a disk of the network, once.

import {
  foldedIn,
  type Gathered,
  type HistoryAnswer,
  type HistoryQuery,
  type HistoryResult,
  type HistoryRow,
} from '../model/history.ts';

/** What one machine answered. */
export interface MachineAnswer {
  readonly machine: string;
  readonly answer: HistoryAnswer;
}

/** One answer of all. @param answers of each machine that is shown, one @param query null for a question of another kind */
export function mergedAnswers(answers: readonly MachineAnswer[], query: HistoryQuery | null): HistoryAnswer {
  const lacks = answers.flatMap(({ machine, answer }) =>
    answer.kind === 'failed'
      ? [`${machine} (${answer.message})`]
      : answer.kind === 'missing'
        ? [`${machine} (nothing recorded)`]
        : [],
  );
  const results = answers.flatMap(({ machine, answer }) => (answer.kind === 'rows' ? [{ machine, result: answer.result }] : []));
  if (query !== null && results.length > 0) {
    const { distinct, shared } = withoutTwins(results);
    return { kind: 'rows', result: mergedResults(distinct, query), gathered: { lacks, shared } };
  }
  const firsts = answers.flatMap(({ answer }) => (answer.kind === 'first-seen' ? [answer] : []));
  const [first] = firsts;
  if (first !== undefined) {
    const domains = new Map<string, number>();
    for (const { domain, time } of firsts.flatMap((answer) => answer.domains))
      domains.set(domain, Math.min(time, domains.get(domain) ?? time));
    return {
      ...first,
      domains: [...domains].map(([domain, time]) => ({ domain, time })).sort((a, b) => a.time - b.time),
      isCut: firsts.some(({ isCut }) => isCut),
      gathered: { lacks, shared: [] },
    };
  }
  const failure = answers.find(({ answer }) => answer.kind === 'failed')?.answer;
  if (failure?.kind !== 'failed') return { kind: 'missing' };
  return { ...failure, message: `no machine answers: ${lacks.join(', ')}` };
}

/** Leaves out what was read of one history again. */
function withoutTwins(results: readonly { readonly machine: string; readonly result: HistoryResult }[]): {
  readonly distinct: readonly HistoryResult[];
  readonly shared: Gathered['shared'];
} {
  const sharing = new Map<unknown, string[]>();
  const distinct: HistoryResult[] = [];
  for (const { machine, result } of results) {
    const key = result.identity ?? machine;
    const twins = sharing.get(key);
    if (twins === undefined) {
      sharing.set(key, [machine]);
      distinct.push(result);
    } else twins.push(machine);
  }
  return { distinct, shared: [...sharing.values()].filter(({ length }) => length > 1) };
}

function mergedResults(results: readonly HistoryResult[], query: HistoryQuery): HistoryResult {
  const totals = <T extends HistoryResult['total']>(a: T, b: HistoryResult['total']): T => ({
    ...a,
    rxBytes: a.rxBytes + b.rxBytes,
    txBytes: a.txBytes + b.txBytes,
    rxPackets: a.rxPackets + b.rxPackets,
    txPackets: a.txPackets + b.txPackets,
    flows: a.flows + b.flows,
  });
  const rows = new Map<string, HistoryRow>();
  for (const row of results.flatMap((result) => result.rows)) {
    const folded = foldedIn(row);
    const key = row.key ?? (folded > 0 ? '\0' : `\0${row.reason}`);
    const known = rows.get(key);
    rows.set(
      key,
      known === undefined
        ? row
        : {
            ...totals(known, row),
            reason: folded > 0 ? `${foldedIn(known) + folded} more` : row.reason,
            firstSeen: Math.min(known.firstSeen, row.firstSeen),
            lastSeen: Math.max(known.lastSeen, row.lastSeen),
          },
    );
  }
  const isByTime = query.by === 'hour' || query.by === 'day';
  const sorted = [...rows.values()].sort((a, b) =>
    isByTime ? (a.start ?? 0) - (b.start ?? 0) : b.rxBytes + b.txBytes - a.rxBytes - a.txBytes,
  );
  const [first, ...others] = results as [HistoryResult, ...HistoryResult[]];
  const series = results
    .flatMap((result) => (result.series === null ? [] : [result.series]))
    .filter((one, _, [first]) => one.from === first?.from && one.stepMs === first.stepMs);
  const add = (get: 'rxBytes' | 'txBytes'): number[] =>
    (series[0]?.[get] ?? []).map((_, at) => series.reduce((sum, one) => sum + (one[get][at] ?? 0), 0));
  const known = (values: readonly (number | null)[]): readonly number[] => values.filter((value) => value !== null);
  const oldest = known(results.map((result) => result.oldest));
  const newest = known(results.map((result) => result.newest));
  return {
    query,
    rows: sorted,
    total: others.reduce((sum, { total }) => totals(sum, total), first.total),
    series: series[0] === undefined ? null : { ...series[0], rxBytes: add('rxBytes'), txBytes: add('txBytes') },
    oldest: oldest.length === 0 ? null : Math.min(...oldest),
    newest: newest.length === 0 ? null : Math.max(...newest),
    resolutionMs: Math.max(...results.map(({ resolutionMs }) => resolutionMs)),
    identity: null,
  };
}
