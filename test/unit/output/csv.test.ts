import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CsvValue, csvLine } from '../../../src/output/csv.ts';

/** A reader of RFC 4180 by its grammar, independent of the writer: refuses what is not in it. */
function parse(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at++; ; ) {
        const end = text.indexOf('"', at);
        if (end < 0) throw new Error('quote without end');
        cell += text.slice(at, end);
        at = end + 1;
        if (text[at] !== '"') break;
        cell += '"';
        at++;
      }
    } else {
      while (at < text.length && !/[",\r\n]/.test(text[at] as string)) cell += text[at++];
    }
    row.push(cell);
    if (text[at] === ',') at++;
    else if (text.startsWith('\r\n', at)) {
      rows.push(row);
      row = [];
      at += 2;
    } else throw new Error(`stray character at ${at}`);
  }
  if (row.length > 0) throw new Error('no CRLF at the end');
  return rows;
}

const value: fc.Arbitrary<CsvValue> = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc
    .array(fc.constantFrom('"', ',', ';', "'", '\r', '\n', '=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', 'a', ' '), {
      maxLength: 8,
    })
    .map((all) => all.join('')),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
);

describe('lines', () => {
  it('hold what was put in, but for NUL and the sign before a formula', () => {
    fc.assert(
      fc.property(fc.array(fc.array(value, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 5 }), (table) => {
        const read = parse(table.map(csvLine).join(''));
        expect(read).toHaveLength(table.length);
        for (const [r, row] of table.entries()) {
          expect(read[r]).toHaveLength(row.length);
          for (const [c, put] of row.entries()) {
            const got = read[r]?.[c] as string;
            if (typeof put === 'string') {
              const bare = put.replaceAll('\0', '');
              expect(got.replace(/(^|;)'/g, '$1')).toBe(bare.replace(/(^|;)'/g, '$1'));
              for (const part of got.split(';')) expect(part).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
            } else if (typeof put === 'number' && Number.isFinite(put)) expect(Number(got)).toBe(put === 0 ? 0 : put);
            else expect(got).toBe(typeof put === 'boolean' ? String(put) : '');
          }
        }
      }),
    );
  });

  it.each([
    [['a', 1, null], 'a,1,\r\n'],
    [['say "hi", please', 'two\nlines'], '"say ""hi"", please","two\nlines"\r\n'],
    [['a;=1+1', '＝1', '1;b'], "a;'=1+1,'＝1,1;b\r\n"],
    [['=1+1', '@x', '+1', '-1', '\tx'], "'=1+1,'@x,'+1,'-1,'\tx\r\n"],
    [['\0=1'], "'=1\r\n"],
    [[-5, 1.5, true], '-5,1.5,true\r\n'],
    [[''], '""\r\n'],
    [[null], '""\r\n'],
  ] as [CsvValue[], string][])('%j', (values, line) => expect(csvLine(values)).toBe(line));
});
