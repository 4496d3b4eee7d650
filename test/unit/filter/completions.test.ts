import { expect, test } from 'vitest';
import { completions } from '../../../src/filter/completions.ts';

function offered(text: string, cursor = text.length): string {
  return completions(text, cursor)
    .items.map((item) => item.text)
    .join(' ');
}

test.each([
  ['ap', 'app: application:'],
  ['tcp -ra', 'rate:'],
  ['(cou', 'country:'],
  ['dir:', 'outbound inbound local transit'],
  ['direction=in', 'inbound'],
  ['attribution!=w', 'wildcard'],
  ['dom', 'domain:'],
  ['name', 'name_source:'],
  ['ja4', 'ja4: ja4s:'],
  ['name_source:d', 'dns'],
  ['ne', 'net: new "new"'],
  ['new', '"new" new'],
  ['-in', '"in" in'],
  ['app:x', ''],
  ['"quoted', ''],
])('%s', (text, items) => expect(offered(text)).toBe(items));

test('only what is before the cursor counts, and only that is replaced', () => {
  expect(completions('cur tcp', 2)).toMatchObject({ from: 0, to: 2, items: [] });
  expect(completions('a pro', 5)).toMatchObject({ from: 2, to: 5 });
  expect(completions('a dir:o', 7)).toMatchObject({ from: 6, to: 7 });
  expect(completions('ap', 99)).toMatchObject({ from: 0, to: 2 });
});
