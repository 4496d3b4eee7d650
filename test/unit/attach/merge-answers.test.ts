import { describe, expect, test } from 'vitest';
import { mergedAnswers } from '../../../src/attach/merge-answers.ts';
import type { HistoryAnswer, HistoryQuery, HistoryResult } from '../../../src/model/history.ts';

const of = (machine: string, answer: HistoryAnswer) => ({ machine, answer });

describe('the history of several machines', () => {
  const query: HistoryQuery = {
    ...{ from: 0, to: 100, by: 'app', app: null, domain: null, category: null, interface: null, filter: null },
    ...{ top: 10, steps: 2 },
  };
  const row = (key: string | null, rxBytes: number, reason: string | null = null) => ({
    ...{ key, reason, start: null, detail: null, firstSeen: rxBytes, lastSeen: rxBytes },
    ...{ rxBytes, txBytes: 1, rxPackets: 1, txPackets: 1, flows: 1 },
  });
  const result = (rows: ReturnType<typeof row>[], oldest: number | null, identity: number | null = null): HistoryResult => ({
    query,
    rows,
    total: { rxBytes: rows.reduce((sum, { rxBytes }) => sum + rxBytes, 0), txBytes: 1, rxPackets: 1, txPackets: 1, flows: 1 },
    series: { from: 0, stepMs: 50, rxBytes: [1, 2], txBytes: [3, 4] },
    oldest,
    newest: 90,
    resolutionMs: 60_000,
    identity,
  });

  test('is added up by row, the largest first', () => {
    const answer = mergedAnswers(
      [
        of('mac1', { kind: 'rows', result: result([row('curl', 10), row('ssh', 5)], 50) }),
        of('mac2', { kind: 'rows', result: result([row('ssh', 7)], 20) }),
      ],
      query,
    );
    if (answer.kind !== 'rows') throw new Error('no rows');
    expect(answer.result.rows.map(({ key, rxBytes, firstSeen, lastSeen }) => [key, rxBytes, firstSeen, lastSeen])).toEqual([
      ['ssh', 12, 5, 7],
      ['curl', 10, 10, 10],
    ]);
    expect(answer.result).toMatchObject({ oldest: 20, newest: 90, total: { rxBytes: 22 }, series: { rxBytes: [2, 4] } });
  });

  test('has one row for what each of them folded', () => {
    const answer = mergedAnswers(
      ['12 more', '9 more', 'not named'].map((reason, at) =>
        of(`mac${at}`, { kind: 'rows', result: result([row(null, 10, reason)], 1) }),
      ),
      query,
    );
    const rows = answer.kind === 'rows' ? answer.result.rows.map(({ reason, rxBytes }) => [reason, rxBytes]) : [];
    expect(rows).toEqual([
      ['21 more', 20],
      ['not named', 10],
    ]);
  });

  test('is what failed, where all failed', () => {
    const failed = { kind: 'failed', message: 'no', hint: null } as const;
    const answers = [of('mac1', { kind: 'missing' }), of('mac2', failed)];
    expect(mergedAnswers(answers, query)).toEqual({
      ...failed,
      message: 'no machine answers: mac1 (nothing recorded), mac2 (no)',
    });
    expect(mergedAnswers(answers.slice(0, 1), query)).toEqual({ kind: 'missing' });
  });

  test('says which machines it lacks, and counts a history that two of them share once', () => {
    const rows = (identity: number | null) => ({ kind: 'rows', result: result([row('curl', 10)], 50, identity) }) as const;
    const answer = mergedAnswers(
      [
        of('mac1', rows(7)),
        of('mac2', rows(7)),
        of('mac3', rows(null)),
        of('mac4', rows(null)),
        of('db', { kind: 'missing' }),
        of('db3', { kind: 'failed', message: 'lost', hint: null }),
      ],
      query,
    );
    expect(answer).toMatchObject({
      result: { total: { rxBytes: 30 } },
      gathered: { lacks: ['db (nothing recorded)', 'db3 (lost)'], shared: [['mac1', 'mac2']] },
    });
  });

  test('has the first time that any of them reached a domain', () => {
    const first = (domains: { domain: string; time: number }[]) =>
      ({ kind: 'first-seen', app: 'curl', domains, isCut: false }) as const;
    const answer = mergedAnswers(
      [
        of('mac1', first([{ domain: 'a.example', time: 9 }])),
        of('mac2', first([{ domain: 'a.example', time: 4 }])),
        of('mac3', { kind: 'missing' }),
      ],
      null,
    );
    expect(answer).toMatchObject({
      kind: 'first-seen',
      domains: [{ domain: 'a.example', time: 4 }],
      gathered: { lacks: ['mac3 (nothing recorded)'] },
    });
  });
});
