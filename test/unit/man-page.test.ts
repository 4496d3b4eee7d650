// The manual page says what the code's tables say, in macros that mandoc accepts. `node scripts/docs.mjs` writes it.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { COMMAND_NAMES, STATUSES } from '../../src/cli/commands.ts';
import { FLAGS } from '../../src/cli/config/settings.ts';
import { type FilterExample, manPage, prose } from '../support/man-page.ts';

const PAGE = fileURLToPath(new URL('../../man/netmon-tui.1', import.meta.url));
const FILTERS = new URL('../../docs/filter.md', import.meta.url);
const hasMandoc = spawnSync('mandoc', ['-T', 'lint'], { input: '' }).error === undefined;

/** The first block of the page on filters. */
function filterExamples(): FilterExample[] {
  const [block = ''] = /(?:^ {4}\S.*\n)+/m.exec(readFileSync(FILTERS, 'utf8')) ?? [];
  return [...block.matchAll(/^ {4}(\S.*?) {2,}(.*)$/gm)].map((match) => [match[1] as string, match[2] as string]);
}

const dateOf = (page: string) => /^\.Dd (.*)$/m.exec(page)?.[1] ?? '';
const today = () => new Date().toLocaleDateString('en-US', { dateStyle: 'long', timeZone: 'UTC' });

test('the page is what the tables make: node scripts/docs.mjs', () => {
  const kept = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const made = manPage(dateOf(kept), filterExamples());
  // the date is that of the last change
  if (process.env['NETMON_DOCS'] !== undefined && made !== kept) writeFileSync(PAGE, manPage(today(), filterExamples()));
  else expect(kept).toBe(made);
});

describe('escapes', () => {
  test.each([
    ['see -x and --no-dns', ['see \\-x and \\-\\-no\\-dns']],
    ['.TH of a line', ['\\&.TH of a line']],
    ["'tis", ['\\(aqtis']],
    ['a \\n of "text"', ['a \\en of \\(dqtext\\(dq']],
    ['`not` a well-known word', ['\\(oqnot\\(cq a well-known word']],
    ['One. Two', ['One.', 'Two']],
  ])('%s', (text, lines) => expect(prose(text)).toEqual(lines));
});

test('mandoc has no warning', (context) => {
  if (!hasMandoc) context.skip('mandoc is not installed');
  const { status, stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', PAGE], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).toBe('');
  expect(status).toBe(0);
});

test('a reader finds every command, option and status', (context) => {
  if (!hasMandoc) context.skip('mandoc is not installed');
  const { stdout } = spawnSync('mandoc', ['-T', 'ascii', '-O', 'width=400', PAGE], { encoding: 'utf8' });
  const text = stdout.replace(/.\u0008/g, '');
  for (const name of COMMAND_NAMES) if (name !== 'watch') expect(text).toMatch(new RegExp(`^ {5}${name}\\b`, 'm'));
  for (const { name } of FLAGS) expect(text).toMatch(new RegExp(`--${name}(?![\\w-])`));
  for (const [status, meaning] of STATUSES) expect(text.replace(/ +/g, ' ')).toContain(` ${status} ${meaning}`);
});
