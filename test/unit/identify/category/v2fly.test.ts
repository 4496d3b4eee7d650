import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { importV2fly } from '../../../../src/identify/category/v2fly.ts';
import { NetmonError } from '../../../../src/model/errors.ts';

/** Imports the list `main` from a fake folder. */
function imported(lists: Record<string, string>) {
  const read = (name: string) => (Object.hasOwn(lists, name) ? { path: `/l/${name}`, text: lists[name] as string } : null);
  const { main = '' } = lists;
  return importV2fly({ path: '/l/main', text: main }, read);
}

function refusal(lists: Record<string, string>): string {
  try {
    imported(lists);
  } catch (thrown) {
    if (thrown instanceof NetmonError) return thrown.message;
    throw thrown;
  }
  return 'accepted';
}

describe('lines', () => {
  test('of each kind, with comments, attributes, affiliations and blanks', () => {
    const main = [
      '\ufeff# Example',
      '',
      'example.com # the company',
      'domain:Example.ORG @ads',
      'full:www.example.net @cn @!cn &other',
      'keyword:exam-ple',
      'regexp:^.+\\.example$',
      '  regexp:(a+)+$ @ads',
      'example.com',
      'local\r',
    ].join('\n');
    expect(imported({ main })).toEqual({
      entries: ['domain:example.com', 'domain:example.org', 'full:www.example.net', 'keyword:exam-ple', 'domain:local'],
      patterns: 2,
    });
  });

  test.each([
    ['example.com\n\nfull:not a domain', '/l/main:3: the rule may be followed only by @attributes and &affiliations'],
    ['ip:10.0.0.0', '/l/main:1: invalid line'],
    ['domain:', '/l/main:1: invalid line'],
    ['..', '/l/main:1: invalid line'],
    ['exa\u001b[31mple.com', '/l/main:1: invalid line'],
    [`domain:${'a'.repeat(64)}.com`, '/l/main:1: invalid line'],
    ['include:../secret', '/l/main:1: invalid line'],
    ['include:/etc/passwd', '/l/main:1: invalid line'],
    ['include:absent', '/l/main:1: there is no such list in the same folder: include:absent'],
    ['x.org @', '/l/main:1: the rule may be followed only by @attributes and &affiliations'],
  ])('%j is refused by line', (main, message) => expect(refusal({ main })).toBe(message));
});

describe('includes', () => {
  test('of lists that include each other twice take each once', () => {
    const doubled = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [`l${at}`, `d${at}.org\ninclude:l${at + 1}\ninclude:l${at + 1} @x`]),
    );
    expect(imported({ ...doubled, l30: 'end.org\nads.org @x', main: 'include:l0' }).entries).toHaveLength(32);
    const marks = Array.from({ length: 20 }, (_, at) => `l${at}`);
    const branching = Object.fromEntries(marks.map((name, at) => [name, `include:l${at + 1}\ninclude:l${at + 1} @a${at}`]));
    expect(refusal({ ...branching, l20: 'end.org', main: 'include:l0' })).toMatch(/its lists include one another too often$/);
  });

  test('take what has an attribute and lacks another, through several lists', () => {
    const lists = {
      main: 'include:a @ads @-cn\ninclude:b',
      a: 'one.org @ads\ntwo.org @ads @cn\nthree.org\ninclude:c',
      b: 'four.org @ads\ninclude:c @deep',
      c: 'five.org @ads\nsix.org @deep\nregexp:x',
    };
    expect(imported(lists)).toEqual({
      entries: ['domain:one.org', 'domain:five.org', 'domain:four.org', 'domain:six.org'],
      patterns: 1,
    });
  });

  test('of themselves are refused, by file and line', () => {
    expect(refusal({ main: 'include:main' })).toBe('/l/main:1: the list includes itself: include:main');
    expect(refusal({ main: '\ninclude:a', a: 'include:b', b: '# c\ninclude:a' })).toBe(
      '/l/b:2: the list includes itself: include:a',
    );
  });

  test('are bounded in depth, number and entries', () => {
    const chain = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`l${at}`, `include:l${at + 1}`]));
    expect(refusal({ ...chain, main: 'include:l0' })).toMatch(/^\/l\/l\d+:1: lists are nested more than 32 deep/);
    const many = Object.fromEntries(Array.from({ length: 2100 }, (_, at) => [`l${at}`, 'x.org']));
    const main = Object.keys(many)
      .map((name) => `include:${name}`)
      .join('\n');
    expect(refusal({ ...many, main })).toBe('/l/main:2001: more than 2000 lists: include:l2000');
    expect(refusal({ main: Array.from({ length: 100_001 }, (_, at) => `d${at}.org`).join('\n') })).toBe(
      '/l/main has more than 100000 entries',
    );
  });
});

test('a hostile list gives entries or a NetmonError', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('include:a', 'include:main @x', 'full:x.y @x', 'keyword:z', '__proto__', 'include:constructor', '#', '@a'),
  );
  fc.assert(
    fc.property(fc.array(line), fc.array(line), (main, a) => {
      expect(refusal({ main: main.join('\n'), a: a.join('\n') })).not.toBe('');
    }),
  );
});
