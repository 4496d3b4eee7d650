import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eachString } from '../../../../../../src/identify/process/linux/containers/json-strings.ts';

/** Paths and strings, as the scanner tells them. */
function told(text: string): { isWhole: boolean; found: [string, string | null][] } {
  const found: [string, string | null][] = [];
  const isWhole = eachString(Buffer.from(text), (path, read) => found.push([JSON.stringify(path), read()]));
  return { isWhole, found };
}

/** The same by building it. */
function built(value: unknown, path: readonly string[] = []): [string, string | null][] {
  if (typeof value === 'string') return path.length === 0 || path.length > 6 ? [] : [[JSON.stringify(path), value]];
  if (Array.isArray(value)) return value.flatMap((each) => built(each, [...path, '']));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => built(each, [...path, name]));
}

it('tells each string and the way to it, as a parser finds them', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom('', '\n  ', '\t'), (text, space) => {
      const value: unknown = JSON.parse(text);
      if (Object.getPrototypeOf(value ?? {}) === null) return;
      const written = JSON.stringify(value, null, space);
      expect(told(written)).toEqual({ isWhole: true, found: built(JSON.parse(written)) });
    }),
  );
});

it('passes over what is too deep or too long', () => {
  const deep = '['.repeat(200_000) + '"a"' + ']'.repeat(200_000);
  expect(told(`{"x":${deep},"y":"b"}`)).toEqual({ isWhole: true, found: [['["y"]', 'b']] });
  expect(told(`{"x":"${'a'.repeat(5000)}","y":"b"}`).found).toEqual([
    ['["x"]', null],
    ['["y"]', 'b'],
  ]);
});

it.each(['{"a":"b"', '{"a":"b', '{"a":"b\\"}', ']', '{}}', '[', '"'])('says that %j is cut off', (text) => {
  expect(told(text).isWhole).toBe(false);
});

it('never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0a ') }), (bytes, text) => {
      eachString(Buffer.from(bytes), (_, read) => read());
      told(text);
    }),
  );
});
