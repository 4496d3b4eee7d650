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
  [['curl', '-H', 'Authorization: Bearer hunter2'], "curl -H 'Authorization: ***'"],
  [['curl', '-H', 'X: Bearer hunter2'], "curl -H 'X: Bearer ***'"],
  [['git', 'clone', 'https://ann:hunter2@example.com/r?a=1'], 'git clone https://ann:***@example.com/r?a=1'],
  [['curl', 'https://h/?access_token=hunter2&page=2&key=hunter2#x'], 'curl https://h/?access_token=***&page=2&key=***#x'],
  [['mysqld --password=hunter2 --port=1'], 'mysqld --password=*** --port=1'],
  [['sh', '-c', 'mysql --password=hunter2 -h db'], "sh -c 'mysql --password=***'"],
  [['sh', '-c', 'run --token hunter2'], "sh -c 'run --token ***'"],
  [['sh', '-c', 'curl -u ann:hunter2 http://h/'], "sh -c 'curl -u ann:*** http://h/'"],
  [['curl', '-uann:hunter2', '--proxy-user=ann:hunter2'], 'curl -uann:*** --proxy-user=ann:***'],
  [['curl', '-x', 'ann:hunter2@proxy:80', '--proxy=ann:hunter2@proxy'], 'curl -x ann:***@proxy:80 --proxy=ann:***@proxy'],
  [['curl', '--header=Authorization: Token hunter2'], "curl '--header=Authorization: ***'"],
  [['curl', '-H', 'Authorization:', 'Bearer', 'hunter2', 'x'], 'curl -H Authorization: *** *** x'],
  [['curl -H Authorization: hunter2'], 'curl -H Authorization: ***'],
  [['curl', '-b', 'session_cookie=hunter2', '-H', 'Cookie: a=hunter2'], "curl -b session_cookie=*** -H 'Cookie: ***'"],
  [['curl', '-d', '{"user":"ann","password": "hunter2"}'], 'curl -d \'{"user":"ann","password": ***\''],
  [['psql', 'host=db password=hunter2'], "psql 'host=db password=***'"],
  [['psql', 'postgres://ann:a@b/hunter2@db/x'], 'psql postgres://ann:***@db/x'],
  [
    ['git', 'clone', 'https://hunter2@example.com/r', 'ssh://git@example.com:22/r'],
    'git clone https://***@example.com/r ssh://git@example.com:22/r',
  ],
  [['curl', `https://ann:hunter2${'x'.repeat(600)}@example.com/`, 'http://h:8080'], 'curl https://ann:***@ http://h:8080'],
  [['java', '--spring.datasource.password', 'hunter2'], 'java --spring.datasource.password ***'],
  [['nmcli', 'dev', 'wifi', 'connect', 'x', 'password', 'hunter2'], 'nmcli dev wifi connect x password ***'],
  [['/usr/bin/sshpass', '-p', 'hunter2', 'ssh', '-p', '22', 'h'], '/usr/bin/sshpass -p *** ssh -p 22 h'],
  [['mysqldump', '-u', 'ann', '-phunter2', 'db'], 'mysqldump -u ann -p*** db'],
  [['redis-cli', '-h', 'db', '-a', 'hunter2', 'ping'], 'redis-cli -h db -a *** ping'],
  [['ldapsearch', '-w', 'hunter2', '-x'], 'ldapsearch -w *** -x'],
  [['mosquitto_pub -p 1883 -P hunter2'], 'mosquitto_pub -p 1883 -P ***'],
  [['ssh', '-p', '22', 'ann@example.com:a'], 'ssh -p 22 ann@example.com:a'],
  [['nginx: worker process'], 'nginx: worker process'],
  [['vim', 'a\nb\u202e\x1b[2J'], "vim 'a b[2J'"],
])('%j', (words, line) => expect(shown(...words)).toBe(line));

test('nothing is unknown, and a long one is cut', () => {
  expect(commandLine('')).toBeNull();
  expect(commandLine('\0\0')).toBeNull();
  expect(shown('x'.repeat(10_000))).toHaveLength(256);
  expect(shown(`${'x'.repeat(255)}\u{1f600}`)).toBe('x'.repeat(255));
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
