import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { queryCommand } from '../../../../src/cli/history/query.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import type { SqlResult } from '../../../../src/model/history.ts';
import { lineFaults } from '../../../support/schemas.ts';
import { FakeReader, fakeIo } from './fake-io.ts';

const RESULT: SqlResult = {
  columns: ['app_name', 'total', 'app_name'],
  rows: [
    ['curl', 1234567, null],
    ['=evil\u001b[2J, "x"', 5, 'é'],
  ],
  cut: false,
};

async function run(
  words: string[],
  { result = RESULT, columns, input = '' }: { result?: SqlResult; columns?: number; input?: string } = {},
) {
  const reader = new FakeReader();
  reader.sqlAnswer = () => result;
  const io = fakeIo(reader, columns);
  const status = await queryCommand(parseCommandLine(['query', ...words]), { ascii: false, color: false }, '/x', io, () =>
    Promise.resolve(input),
  );
  return { status, out: io.out.text, err: io.err.text, reader };
}

describe('query', () => {
  it('prints a table by default', async () => {
    const { status, out, reader } = await run(['SELECT 1']);
    expect(status).toBe(0);
    expect(out.split('\n')).toEqual([
      'app_name         total  app_name',
      'curl           1234567  –',
      '=evil[2J, "x"        5  é',
      '2 rows',
      '',
    ]);
    expect(reader.statements).toEqual([['SELECT 1', { timeoutMs: 10_000, rows: 1000 }]]);
    expect(reader.closed).toBe(1);
  });

  it('cuts the widest columns where the terminal ends', async () => {
    const result = { columns: ['a', 'b', 'c'], rows: [['x'.repeat(300), 'y'.repeat(50), 7]], cut: false };
    const { out } = await run(['SELECT 1'], { result, columns: 80 });
    const lines = out.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBe(80);
    expect(lines[1]).toMatch(/^x+… {2}y+ {2}7$/);
  });

  it('lists the columns of each row where a line has no room for them', async () => {
    const result = {
      columns: Array.from({ length: 12 }, (_, at) => `column ${at}`),
      rows: [Array(12).fill('x'.repeat(200)), Array(12).fill(null)],
      cut: false,
    };
    const lines = (await run(['SELECT 1'], { result, columns: 60 })).out.split('\n');
    expect(lines.slice(0, 2)).toEqual(['row 1', `column 0   ${'x'.repeat(48)}…`]);
    expect(lines[13]).toBe('row 2');
    expect(lines[14]).toBe('column 0   –');
    expect(Math.max(...lines.map((line) => line.length))).toBe(60);
    expect(lines.slice(-2)).toEqual(['2 rows', '']);
  });

  it('prints CSV and JSON', async () => {
    expect((await run(['SELECT 1', '--csv'])).out).toBe(
      'app_name,total,app_name\r\ncurl,1234567,\r\n"\'=evil[2J, ""x""",5,é\r\n',
    );
    const line: unknown = JSON.parse((await run(['SELECT 1', '--json'])).out);
    expect(lineFaults(line)).toEqual([]);
    expect(line).toEqual({
      type: 'query',
      schema: 1,
      columns: RESULT.columns,
      rows: [
        ['curl', 1234567, null],
        ['=evil[2J, "x"', 5, 'é'],
      ],
      cut: false,
    });
  });

  it('keeps long texts whole for programs', async () => {
    const result = { columns: ['sql'], rows: [['x'.repeat(2000)]], cut: false };
    expect((await run(['SELECT 1', '--csv'], { result })).out).toContain('x'.repeat(2000));
  });

  it('reads the statement from standard input', async () => {
    const { reader } = await run(['-', '--limit', '5', '--timeout', '500ms'], { input: 'SELECT 2\n' });
    expect(reader.statements).toEqual([['SELECT 2\n', { timeoutMs: 500, rows: 5 }]]);
  });

  it('says on standard error that there was more', async () => {
    const { err, out } = await run(['SELECT 1', '--limit', '2'], { result: { ...RESULT, cut: true } });
    expect(out).toContain('\n2 or more rows\n');
    expect(err).toBe('netmon-tui: only the first 2 rows are shown\n  for more, type: --limit 20\n');
  });

  it.each([
    [['-'], 'there is no statement to run'],
    [['SELECT 1', '--json', '--csv'], '--json does not go with --csv'],
    [['SELECT 1', '--limit', '0'], '--limit "0" is not a whole number from 1 to 1000000'],
    [['SELECT 1', '--timeout', '2'], '--timeout "2" is not a duration from 100ms to 1h'],
  ])('refuses %j', async (words, message) => {
    await expect(run(words)).rejects.toMatchObject({ message, code: 'usage' });
  });

  it('closes the file when the statement fails', async () => {
    const reader = new FakeReader();
    reader.sqlAnswer = () => {
      throw new NetmonError('usage', 'near "SELEC": syntax error', null);
    };
    const line = parseCommandLine(['query', 'SELEC']);
    await expect(
      queryCommand(line, { ascii: false, color: false }, '/x', fakeIo(reader), () => Promise.resolve('')),
    ).rejects.toThrow('syntax error');
    expect(reader.closed).toBe(1);
  });
});
