// The sandbox profile for macOS: what it allows, and that no path breaks out of its string. A small reader of Scheme strings stands in for a Mac.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { enterSandbox, sandboxProfile } from '../../../src/privilege/seatbelt.ts';

/** Lists of a profile: words, and strings without quotes but with a mark in front. */
type Form = string | Form[];

function read(profile: string): Form[] {
  const forms: Form[][] = [[]];
  const token = /\s+|[()]|"((?:[^"\\\n]|\\x[0-9a-f]{2}|\\["\\])*)"|[^\s()"]+/gy;
  for (let at = 0; at < profile.length; at = token.lastIndex) {
    const match = token.exec(profile);
    if (match === null) throw new Error(`not Scheme at ${at}: ${profile.slice(at)}`);
    const [text, inner] = match;
    const here = forms.at(-1) as Form[];
    if (text === '(') forms.push([]);
    else if (text === ')') {
      forms.pop();
      (forms.at(-1) as Form[]).push(here);
    } else if (inner !== undefined)
      here.push(
        `s:${inner.replace(/\\(?:x(..)|(.))/g, (_, hex, char) => (hex === undefined ? char : String.fromCharCode(Number.parseInt(hex, 16))))}`,
      );
    else if (text.trim() !== '') here.push(text);
  }
  if (forms.length !== 1) throw new Error('unbalanced');
  return forms[0] as Form[];
}

/** Paths that a profile allows writing: literal ones, then expressions. */
function writable(profile: string): { literals: string[]; expressions: RegExp[] } {
  const rule = read(profile).find((form) => form[0] === 'allow' && form[1] === 'file-write*') as Form[];
  const of = (kind: string) => rule.filter((form) => form[0] === kind).map((form) => (form[1] as string).slice(2));
  return { literals: of('literal'), expressions: of('regex').map((text) => new RegExp(text)) };
}

describe('the profile of a run', () => {
  it('has exactly these rules', () => {
    expect(sandboxProfile({ files: ['/nowhere/h.db'], asksDns: true })).toBe(
      [
        '(version 1)',
        '(allow default)',
        '(deny file-write*)',
        String.raw`(allow file-write* (literal "/dev/null") (literal "/dev/tty") (literal "/nowhere") (regex "^/nowhere/h\\.db[^/]*$"))`,
        '(deny process-exec*)',
        '(deny network-outbound)',
        '(allow network-outbound (remote udp "*:53") (remote tcp "*:53"))',
        '',
      ].join('\n'),
    );
  });

  it('allows writing the file and its siblings with the same name prefix, nothing else', () => {
    const [rule] = writable(sandboxProfile({ files: ['/nowhere/h.db'], asksDns: false })).expressions as [RegExp];
    for (const path of ['/nowhere/h.db', '/nowhere/h.db.pending-3', '/nowhere/h.db.new']) expect(path).toMatch(rule);
    for (const path of ['/nowhere/hxdb', '/nowhere/x', '/nowhere/h.db/x', '/else/nowhere/h.db']) expect(path).not.toMatch(rule);
  });

  it.each([
    'quo"te',
    'back\\slash',
    'new\nline',
    'a") (allow network-outbound) ("',
    'tab\t',
    '(.*)',
    '[^a]$',
    'ünï',
    '\\',
    '\x7f',
  ])('keeps %j inside of its string', (name) => {
    const profile = sandboxProfile({ files: [`/no${name}where/${name}`], asksDns: false });
    const { literals, expressions } = writable(profile);
    expect(literals).toEqual(['/dev/null', '/dev/tty', `/no${name}where`]);
    expect(`/no${name}where/${name}`).toMatch(expressions[0] as RegExp);
    expect(`/nowhere/${name}`).not.toMatch(expressions[0] as RegExp);
    expect(read(profile)).toHaveLength(6);
  });

  it('quotes any path safely', () => {
    const names = fc.string({ unit: 'binary', minLength: 1 }).map((text) => text.replace(/[/\0]/g, '_'));
    fc.assert(
      fc.property(names, (name) => {
        const profile = sandboxProfile({ files: [`/nowhere/x${name}`], asksDns: false });
        const { expressions } = writable(profile);
        return read(profile).length === 6 && (expressions[0] as RegExp).test(`/nowhere/x${name}`);
      }),
    );
  });

  it('names folders as the kernel does, without links', () => {
    const room = realpathSync(mkdtempSync(join(tmpdir(), 'seatbelt-')));
    onTestFinished(() => rmSync(room, { recursive: true }));
    mkdirSync(join(room, 'real'));
    symlinkSync(join(room, 'real'), join(room, 'link'));
    const { literals } = writable(sandboxProfile({ files: [join(room, 'link', 'new', 'h.db')], asksDns: false }));
    expect(literals.at(-1)).toBe(join(room, 'real', 'new'));
  });
});

it('a system without sandbox_init counts as a refusal', () => {
  const enter = () =>
    enterSandbox({ files: [], asksDns: false }, () => {
      throw new Error('no such library');
    });
  expect(enter).toThrow(expect.objectContaining({ exitStatus: 3, message: 'macOS refused the sandbox: no such library' }));
});
