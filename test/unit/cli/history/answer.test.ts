import { describe, expect, it } from 'vitest';
import { type AnswerStyle, answerCsv, answerJson, answerText } from '../../../../src/cli/history/answer-table.ts';
import { displayWidth } from '../../../../src/view/text/cells.ts';
import { historyQuery, historyResult, historyRow, NOW } from './answers.ts';

const STYLE: AnswerStyle = { columns: 80, color: false, ascii: false, units: 'bytes' };
const FILE = '/home/ann/history.sqlite';
const ROWS = [
  historyRow({ key: 'Chrome', rxBytes: 9e9, txBytes: 1e9, flows: 1234 }),
  historyRow(),
  historyRow({ key: null, reason: '12 more', detail: null, rxBytes: 0, txBytes: 500, flows: 1 }),
];

describe('answerText', () => {
  it('states range, totals, resolution, and draws bars', () => {
    expect(answerText(historyResult(ROWS), FILE, STYLE).split('\n')).toEqual([
      'History from 2026-11-17 14:06 to 2026-11-18 14:06, by app',
      'received 8.38 GiB, sent 954 MiB, 1 247 connections',
      'kept by the minute',
      '',
      'app                         RX        TX    flows    share  RX ■ TX □',
      'Chrome                8.38 GiB   954 MiB    1 234   99.9 %  ■■■■■■■■■■■■■■■■■■□□',
      'curl                  2.86 MiB   195 KiB       12   <0.1 %  ■□',
      '- 12 more                0 B     500 B          1   <0.1 %  □',
      '',
    ]);
  });

  it('says what a filter asks for and no record has, whether or not something else of it matches', () => {
    const told = (filter: string | null, rows = ROWS) =>
      answerText(historyResult(rows, { query: historyQuery({ filter }) }), FILE, STYLE);
    expect(told('app:curl parent:bash')).toContain("\nrecords don't have parent: the filter finds nothing by it here\n");
    expect(told('cmd:ci or unit:x', [])).toContain("\nrecords don't have cmd, unit: the filter finds nothing by them here\n");
    for (const filter of [null, 'app:curl curl', 'bytes>1M container:web', 'host:a.example'])
      expect(told(filter)).not.toContain("don't have");
  });

  it('says what is not recorded', () => {
    const late = historyResult(ROWS, { oldest: NOW - 3_600_000, newest: NOW - 1_800_000, resolutionMs: 3_600_000 });
    expect(answerText(late, FILE, STYLE)).toContain(
      '\nkept by the hour; nothing recorded before 2026-11-18 13:06; last recorded 2026-11-18 13:36\n',
    );
    expect(
      answerText(historyResult([], { oldest: null, newest: null }), FILE, STYLE)
        .split('\n')
        .slice(1),
    ).toEqual([`nothing is recorded yet in ${FILE}`, `to record, type: sudo netmon-tui --history=${FILE}`, '']);
    const usual = '/home/ann/.local/share/netmon-tui/history.sqlite';
    expect(answerText(historyResult([], { oldest: null }), usual, STYLE)).toContain('type: sudo netmon-tui --history\n');
    expect(answerText(historyResult([]), FILE, STYLE)).toContain('\nnothing is recorded in this range\n');
    const query = historyQuery({ app: 'curl', filter: 'rx>1M' });
    const filtered = answerText(historyResult([], { query }), FILE, STYLE);
    expect(filtered).toContain('0 connections; only app curl, filter rx>1M\n');
    expect(filtered).toContain('\nnothing that matches is recorded in this range\na record keeps app, exe, host, ');
  });

  it('names days and hours in local time', () => {
    const start = new Date(2026, 10, 17, 9).getTime();
    const row = historyRow({ key: '2026-11-17T09:00:00+01:00', start, detail: null });
    expect(answerText(historyResult([row], { query: historyQuery({ by: 'hour' }) }), FILE, STYLE)).toMatch(
      /^Tue 2026-11-17 09:00 {2}/m,
    );
    expect(answerText(historyResult([row], { query: historyQuery({ by: 'day' }) }), FILE, STYLE)).toMatch(/^Tue 2026-11-17 {2}/m);
  });

  it.each([30, 60, 75, 80, 120, 200, 1000])('fits %i columns, whatever the names are', (columns) => {
    const rows = [
      historyRow({ key: '日本語'.repeat(90) }),
      historyRow({ key: '\u001b[2J\u202eevil', rxBytes: 5e15, txBytes: 5e15 }),
    ];
    const text = answerText(historyResult(rows), FILE, { ...STYLE, columns });
    const widest = Math.max(...text.split('\n').map(displayWidth));
    expect(widest).toBeLessThanOrEqual(Math.min(200, Math.max(60, columns)));
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  it('draws without any character above 0x7e, and with colour only where asked', () => {
    const text = answerText(historyResult([...ROWS, historyRow({ key: 'é' })]), FILE, { ...STYLE, ascii: true });
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(answerText(historyResult(ROWS), FILE, { ...STYLE, color: true })).toContain('\u001b[1mHistory');
  });
});

describe('for programs', () => {
  it('gives one JSON object', () => {
    const json = JSON.parse(
      answerJson(historyResult([historyRow({ key: 'a\u001b[2Jb' }), historyRow({ key: null, reason: '3 more' })])),
    );
    expect(json).toMatchObject({
      type: 'history',
      schema: 1,
      by: 'app',
      since: new Date(NOW - 86_400_000).toISOString(),
      resolution_ms: 60_000,
      total: { rx_bytes: 6_000_000, tx_bytes: 400_000, rx_packets: 6000, tx_packets: 2000, flows: 24 },
      rows: [
        {
          app: 'a[2Jb',
          reason: null,
          exe: '/usr/bin/curl',
          rx_bytes: 3_000_000,
          last_seen: new Date(NOW - 60_000).toISOString(),
        },
        { app: null, reason: '3 more' },
      ],
    });
  });

  it('gives CSV with a header, whatever the rows', () => {
    const query = historyQuery({ by: 'host' });
    const row = historyRow({ key: '=cmd', detail: 'example.com' });
    expect(answerCsv(historyResult([row], { query })).split('\r\n')).toEqual([
      'host,reason,domain,rx_bytes,tx_bytes,rx_packets,tx_packets,flows,first_seen,last_seen',
      `'=cmd,,example.com,3000000,200000,3000,1000,12,${new Date(NOW - 86_400_000).toISOString()},${new Date(NOW - 60_000).toISOString()}`,
      '',
    ]);
    expect(answerCsv(historyResult([], { query: historyQuery({ by: 'day' }) }))).toBe(
      'day,reason,rx_bytes,tx_bytes,rx_packets,tx_packets,flows,first_seen,last_seen\r\n',
    );
  });
});
