// Command lines as they are shown: bounded, clean, and without what looks like a secret.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandLine } from '../../../../src/identify/process/command-line.ts';

const shown = (...words: string[]) => commandLine(`${words.join('\0')}\0`);

test.each([
  [['curl', '-s', 'https://example.com/'], 'curl -s https://example.com/'],
  [['sh', '-c', 'echo two words', '', 'x'], "sh -c 'echo two words' '' x"],
  [['mysql', '--password=hunter2', '-h', 'db'], 'mysql --password=*** -h db'],
  [['x', '--password', 'hunter2', 'y'], 'x --password *** y'],
  [['x', '--token=hunter2', '--api-key', 'hunter2', '--secret_id=hunter2'], 'x --token=*** --api-key *** --secret_id=***'],
  [['env', 'API_TOKEN=hunter2', 'AWS_SECRET_ACCESS_KEY=hunter2', 'run'], 'env API_TOKEN=*** AWS_SECRET_ACCESS_KEY=*** run'],
  [['curl', '-u', 'ann:hunter2', 'http://h/'], 'curl -u ann:*** http://h/'],
  [['curl', '-H', 'Authorization: Bearer hunter2'], 'curl -H Authorization:***'],
  [['curl', '-H', 'X: Bearer hunter2'], "curl -H 'X: Bearer ***'"],
  [['git', 'clone', 'https://ann:hunter2@example.com/r?a=1'], 'git clone https://ann:***@example.com/r?a=1'],
  [['curl', 'https://h/?access_token=hunter2&page=2&key=hunter2#x'], 'curl https://h/?access_token=***&page=2&key=***#x'],
  [['mysqld --password=hunter2 --port=1'], 'mysqld --password=*** --port=1'],
  [['nginx: worker process'], 'nginx: worker process'],
  [['vim', 'a\nb\u202e\x1b[2J'], "vim 'a b[2J'"],
])('%j', (words, line) => expect(shown(...words)).toBe(line));

test('nothing is unknown, and a long one is cut', () => {
  expect(commandLine('')).toBeNull();
  expect(commandLine('\0\0')).toBeNull();
  expect(shown('x'.repeat(10_000))).toHaveLength(256);
});

test('whatever a program puts there fits a line, and a value that is announced never shows', () => {
  const text = fc.string({ unit: 'binary', maxLength: 80 }).filter((word) => !word.includes('hunter2'));
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 6 }),
      fc.constantFrom(['--password=hunter2'], ['--auth-token', 'hunter2'], ['MY_API_KEY=hunter2'], ['http://a:hunter2@b/']),
      fc.array(text, { maxLength: 3 }),
      (before, secret, after) => {
        const line = shown('program', ...before.map((word) => word.replace(/\0/g, '')), ...secret, ...after) ?? '';
        expect(line.length).toBeLessThanOrEqual(256);
        expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/);
        expect(line).not.toContain('hunter2');
      },
    ),
  );
});
