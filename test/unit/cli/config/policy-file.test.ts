import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyOf, policyText, readPolicy, withAddition } from '../../../../src/cli/config/policy-file.ts';
import type { Surroundings } from '../../../../src/cli/config/surroundings.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import type { Policy } from '../../../../src/model/policy.ts';
import type { FileRead } from '../../../../src/system/files.ts';
import { parseRule } from '../../../../src/watch/policy.ts';

const texts = ({ strict, apps }: Policy) => ({
  strict,
  apps: Object.fromEntries([...apps].map(([app, own]) => [app, [own.strict, ...own.allow.map(({ text }) => text)]])),
});

function refusal(run: () => unknown): [string, string | null] {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof NetmonError && thrown.code === 'usage') return [thrown.message, thrown.hint];
    throw thrown;
  }
  throw new Error('accepted');
}

/** Files of ann's, 501; @param euid who runs */
function filesOf(files: Readonly<Record<string, string>>, { euid = 501, mode = 0o600, uid = 501 } = {}): Surroundings {
  const read = (path: string): FileRead => {
    const text = files[path];
    return text === undefined ? { kind: 'missing' } : { kind: 'read', uid, mode, isFile: true, text };
  };
  return { platform: 'linux', env: {}, euid, passwd: () => '', files: { folderOwner: () => null, read } };
}

describe('a policy', () => {
  it('has entries by app, and says what is strict', () => {
    const policy = policyOf(
      'p.toml',
      `[app.curl]
allow = ["*.github.com", "api.example.com:443"]
[app."Google Chrome"]
allow = []
strict = true
[app.idle]`,
    );
    expect(texts(policy)).toEqual({
      strict: false,
      apps: { curl: [false, '*.github.com', 'api.example.com:443'], 'Google Chrome': [true], idle: [false] },
    });
    expect(texts(policyOf('p.toml', 'strict = true\n[app.curl]\n[app.wget]\nstrict = false'))).toEqual({
      strict: true,
      apps: { curl: [true], wget: [false] },
    });
    expect(texts(policyOf('p.toml', ''))).toEqual({ strict: false, apps: {} });
  });

  it.each([
    [
      '[app.curl]\nallow = [\n  "a.com",\n  "b c",\n]',
      'p.toml:4: "b c" is neither a host, an address nor a network',
      'it is at column 3',
    ],
    ["[app.curl]\nallow = ['x', '10.0.0.0/99']", 'p.toml:2: "10.0.0.0/99" is neither', 'it is at column 15'],
    ['[app.curl]\nallow = [\n"a"\n"b"]', 'p.toml:4: ', 'the mistake is at column'],
    ['[app.curl]\nalow = []', 'p.toml:2: unknown key "app.curl.alow"', 'did you mean allow? known here: allow, strict'],
    ['\n[apps.curl]', 'p.toml:2: unknown key "apps"', 'did you mean app?'],
    ['[app.curl]\nallow = "a.com"', 'p.toml:2: "app.curl.allow" is not a list', 'write for example'],
    ['[app.curl]\nallow = [1]', 'p.toml:2: "app.curl.allow" is not a list', 'write for example'],
    ['[app.curl]\nstrict = "yes"', 'p.toml:2: "app.curl.strict" is not true or false', 'write for example: strict = true'],
    ['app = 1', 'p.toml:1: "app" is not a table', '[app.curl]'],
    ['[app]\ncurl = ["a.com"]', 'p.toml:2: "app.curl" is not a table', '[app.curl]'],
    ['[app."a\\u001b"]', 'p.toml:1: "a" is not the name of an app', 'as the screen shows it'],
  ])('with a mistake says where it is: %j', (text, message, hint) => {
    const [said, advice] = refusal(() => policyOf('p.toml', text));
    expect(said).toContain(message);
    expect(advice).toContain(hint);
  });

  it('is bounded', () => {
    const many = Array.from({ length: 5000 }, (_, i) => `[app.a${i}]`).join('\n');
    expect(refusal(() => policyOf('p', many))[0]).toContain('more than 4096 apps');
    const long = `[app.a]\nallow = [${'"x",'.repeat(70_000)}]`;
    expect(refusal(() => policyOf('p', long))[0]).toContain('more than 65536 entries');
  });

  it('that is not there is made by a command', () => {
    expect(refusal(() => readPolicy('/p.toml', filesOf({})))).toEqual([
      'the policy "/p.toml" does not exist',
      'to make one from history, type: netmon-tui policy init FILE',
    ]);
  });
});

it('a policy that others may write is refused under root', () => {
  const files = { '/p': '' };
  expect(refusal(() => readPolicy('/p', filesOf(files, { euid: 0, uid: 0, mode: 0o666 })))[0]).toContain(
    'can be written by other',
  );
  expect(refusal(() => readPolicy('/p', filesOf(files, { euid: 0, uid: 7 })))[0]).toContain('belongs to another user');
  expect(readPolicy('/p', filesOf(files, { mode: 0o666 })).policy.apps.size).toBe(0);
});

describe('additions', () => {
  it('lie beside the policy, and add to it', () => {
    const files = filesOf({
      '/home.toml': '[app.curl]\nallow = ["a.com"]\nstrict = true',
      '/home.additions.toml': '[app.curl]\nallow = ["b.com"]\n[app.wget]\nallow = ["c.com"]',
    });
    const { policy, additionsPath } = readPolicy('/home.toml', files);
    expect(texts(policy).apps).toEqual({ curl: [true, 'a.com', 'b.com'], wget: [false, 'c.com'] });
    expect(additionsPath).toBe('/home.additions.toml');
  });

  it('that others may write are refused, whoever runs', () => {
    const own = filesOf({ '/p': '' });
    const beside = (more: object): Surroundings => ({
      ...own,
      files: {
        ...own.files,
        read: (path, follow) =>
          path === '/p'
            ? own.files.read(path, follow)
            : { kind: 'read', uid: 501, mode: 0o600, isFile: true, text: '[app.curl]\nallow = ["*"]', ...more },
      },
    });
    expect(readPolicy('/p', beside({})).policy.apps.size).toBe(1);
    expect(refusal(() => readPolicy('/p', beside({ uid: 7 })))).toEqual([
      'the file "/p.additions.toml", which adds to the policy, belongs to another user',
      'type: sudo chown 501 /p.additions.toml',
    ]);
    expect(refusal(() => readPolicy('/p', beside({ mode: 0o666 })))[0]).toContain('can be written by other users');
    expect(refusal(() => readPolicy('/p', beside({ kind: 'link' })))).toEqual([
      'the file "/p.additions.toml", which adds to the policy, is a symbolic link',
      'put the file itself there, or give its real path',
    ]);
  });

  it('of a strict policy are strict', () => {
    const files = filesOf({ '/p': 'strict = true', '/p.additions.toml': '[app.wget]\nallow = ["c.com"]' });
    expect(texts(readPolicy('/p', files).policy).apps).toEqual({ wget: [true, 'c.com'] });
  });

  it('grow by an entry, once', () => {
    const empty: Policy = { strict: false, apps: new Map() };
    const one = policyOf('x', withAddition(empty, 'Google Chrome', '*.example.com') ?? '');
    const two = policyOf('x', withAddition(one, 'curl', '[2001:db8::1]:443') ?? '');
    const three = policyOf('x', withAddition(two, 'curl', 'a.com') ?? '');
    expect(texts(three).apps).toEqual({ 'Google Chrome': [false, '*.example.com'], curl: [false, '[2001:db8::1]:443', 'a.com'] });
    expect(withAddition(three, 'curl', 'a.com')).toBeNull();
  });
});

it.each(['constructor', '__proto__', 'toString'])('an app may be called %s', (app) => {
  const text = policyText([], [{ app, strict: true, allow: [{ text: 'example.com', comment: '' }], comments: [] }]);
  expect(texts(policyOf('x', text)).apps).toEqual(Object.fromEntries([[app, [true, 'example.com']]]));
});

it('what is written is read back, whatever an app is called', () => {
  const app = fc.string({ minLength: 1, maxLength: 20 }).filter((name) => /^[^\p{C}]+$/u.test(name));
  const rule = fc.domain().filter((name) => parseRule(name) !== null);
  fc.assert(
    fc.property(fc.array(fc.tuple(app, fc.array(rule, { maxLength: 4 })), { maxLength: 5 }), (listed) => {
      const apps = new Map(listed);
      const written = [...apps].map(([name, allow]) => ({
        app: name,
        strict: name.length % 2 === 0,
        allow: allow.map((text) => ({ text, comment: name })),
        comments: [name],
      }));
      const read = policyOf('x', policyText(['made\nup'], written));
      expect(new Map([...read.apps].map(([name, own]) => [name, [own.strict, own.allow.map(({ text }) => text)]]))).toEqual(
        new Map(written.map(({ app: name, strict }) => [name, [strict, apps.get(name)]])),
      );
    }),
  );
});
