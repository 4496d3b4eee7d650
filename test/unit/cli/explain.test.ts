import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { readLists } from '../../../src/cli/config/category-lists.ts';
import type { Surroundings } from '../../../src/cli/config/surroundings.ts';
import { explainHost, explainJson, explainText } from '../../../src/cli/explain.ts';
import { NetmonError } from '../../../src/model/errors.ts';
import type { FileRead } from '../../../src/system/files.ts';
import { mmdbFile } from '../../support/mmdb-writer.ts';

const PLAIN = { categories: {}, place: { country: null, asn: null, home: null } };

function refusal(run: () => unknown): NetmonError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof NetmonError) return thrown;
    throw thrown;
  }
  throw new Error('accepted');
}

describe('the command line', () => {
  test('takes a host, an app and --json', () => {
    const line = parseCommandLine(['explain', 'example.com', '--app', 'Slack', '--json', '--config', 'x']);
    expect([line.command, line.operand, line.text('app'), line.has('json')]).toEqual(['explain', 'example.com', 'Slack', true]);
    expect(parseCommandLine(['interfaces']).operand).toBeNull();
    expect(parseCommandLine([]).operand).toBeNull();
  });

  test.each([
    [['explain'], 'explain needs a host', 'type: netmon-tui explain example.com'],
    [['explain', ''], 'explain needs a host', 'type: netmon-tui explain example.com'],
    [['explain', 'a', 'b'], 'unexpected argument "b" after explain', 'type: netmon-tui explain --help'],
    [['explain', 'a', '-i', 'en0'], '--interface does not go with explain', 'type: netmon-tui explain --help'],
    [['--app', 'x'], '--app goes only with history, alerts, dns, policy, explain, prune', 'type: netmon-tui history --app NAME'],
    [['interfaces', 'x'], 'unexpected argument "x" after interfaces', 'type: netmon-tui interfaces --help'],
  ])('%j is refused', (words, message, hint) => {
    const error = refusal(() => parseCommandLine(words));
    expect([error.code, error.message, error.hint]).toEqual(['usage', message, hint]);
  });
});

describe('a host', () => {
  test('is explained with what would be otherwise', () => {
    expect(explainText(explainHost('WWW.Netflix.com', 'Slack', PLAIN))).toBe(
      [
        'host       www.netflix.com',
        'domain     netflix.com',
        'app        Slack',
        'category   Streaming',
        'because    netflix.com (Netflix), by the domain',
        'otherwise  Messaging: app Slack, by the app',
        '           Web: application https, by the protocol',
        '           Other: nothing known',
        '',
      ].join('\n'),
    );
  });

  test("knows the user's categories", () => {
    const own = { ...PLAIN, categories: { Work: ['corp.example'] } };
    const { rulings, domain } = explainHost('a.corp.example', null, own);
    expect(domain).toBe('corp.example');
    expect(rulings[0]).toEqual({ category: 'Work', rule: 'corp.example', source: 'user' });
    expect(explainText(explainHost('a.corp.example', null, own))).toContain('because    corp.example, by your configuration\n');
  });

  test.each([
    ['https://www.netflix.com/title/1?x', 'www.netflix.com', null, 443],
    ['http://example.com:8080/', 'example.com', null, 8080],
    ['example.com:25', 'example.com', null, 25],
    ['example.com.', 'example.com', null, 443],
    ['münchen.example', 'xn--mnchen-3ya.example', null, 443],
    ['192.168.1.1', null, '192.168.1.1', 443],
    ['192.168.1.1:53', null, '192.168.1.1', 53],
    ['[2001:db8::1]:53', null, '2001:db8::1', 53],
    ['https://[2001:db8::1]/', null, '2001:db8::1', 443],
    ['fe80::1', null, 'fe80::1', 443],
  ])('%s is read', (typed, host, address, port) => {
    expect(explainHost(typed, null, PLAIN)).toMatchObject({ host, address, port });
  });

  test('may be an address, or have a port', () => {
    expect(explainHost('192.168.1.1', null, PLAIN).rulings[0]).toMatchObject({ category: 'System and local network' });
    expect(explainHost('example.com:25', null, PLAIN).rulings[0]).toMatchObject({ category: 'Mail', source: 'port' });
  });

  test('has a place where the user has files, and their date', () => {
    const folder = mkdtempSync(join(tmpdir(), 'netmon-explain-'));
    const country = join(folder, 'c.mmdb');
    try {
      writeFileSync(
        country,
        mmdbFile({ '8.8.8.0/24': { country_code: 'US', asn: 'AS15169', as_name: 'Google' } }, { built: 1_800_000_000 }),
      );
      const placed = { ...PLAIN, place: { country, asn: join(folder, 'none'), home: null } };
      const text = explainText(explainHost('8.8.8.8', null, placed));
      expect(text).toContain(`place      US AS15169 Google\n           Test-Country of 2027-01-15, ${country}\n`);
      expect(text).toContain(`note       asn data: ${join(folder, 'none')} does not exist\n`);
      expect(explainText(explainHost('8.8.4.4', null, placed))).toContain('place      unknown\n');
      expect(JSON.parse(explainJson(explainHost('8.8.8.8', null, placed)))).toMatchObject({
        country: 'US',
        asn: 15_169,
        network: 'Google',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([[''], ['a b.com'], ['https://'], ['\u001b[31m'], ['x'.repeat(300)]])('%j is none', (typed) => {
    expect(refusal(() => explainHost(typed, null, PLAIN)).message).toMatch(/^".*" is not a host$/);
  });

  test('comes as JSON too', () => {
    const json = JSON.parse(explainJson(explainHost('api.criteo.com', '\u001b[31mred', PLAIN)));
    expect(json).toMatchObject({
      type: 'explain',
      schema: 1,
      host: 'api.criteo.com',
      address: null,
      domain: 'criteo.com',
      app: '[31mred',
      category: 'Ads and trackers',
      source: 'domain',
      rule: 'criteo.com (Exchanges and auctions)',
      country: null,
      asn: null,
      place_data: [],
    });
    expect(json.otherwise.map(({ category }: { category: string }) => category)).toEqual(['Web', 'Other']);
    expect(Object.keys(json)).toContain('otherwise');
  });

  test('never lets a control character out', () => {
    const own = { ...PLAIN, categories: { 'A\u001b[1m': ['corp.example'] } };
    expect(explainText(explainHost('corp.example', 'x\u001b]0;y\u0007', own))).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });
});

describe('lists of categories', () => {
  const around = (files: Record<string, Partial<Extract<FileRead, { kind: 'read' }>> | FileRead>, euid = 501): Surroundings => ({
    platform: 'linux',
    env: { HOME: '/home/ann', ...(euid === 0 ? { SUDO_UID: '501' } : {}) },
    euid,
    passwd: () => 'ann:x:501:20:Ann:/home/ann:/bin/sh\n',
    files: {
      folderOwner: () => null,
      read: (path) =>
        Object.hasOwn(files, path)
          ? ({ kind: 'read', uid: 501, mode: 0o100644, isFile: true, text: '', ...files[path] } as FileRead)
          : { kind: 'missing' },
    },
  });

  test('are read in where they are named, with what they include and what was left out', () => {
    const files = { '/l/main': { text: 'one.org\ninclude:more\nregexp:x' }, '/l/more': { text: 'full:two.org' } };
    expect(readLists({ A: ['a.org', 'file:/l/main', 'b.org'], B: ['c.org'] }, around(files))).toEqual({
      categories: { A: ['a.org', 'domain:one.org', 'full:two.org', 'b.org'], B: ['c.org'] },
      warnings: ['1 regexp: lines of "/l/main" are skipped'],
    });
  });

  test.each<[string, Surroundings, string]>([
    ['absent', around({}), 'the domain list "/l" does not exist'],
    ['broken', around({ '/l': { text: '\n\n!' } }), '/l:3: invalid line'],
    ['a folder', around({ '/l': { isFile: false } }, 0), 'the domain list "/l" is not a regular file'],
    ['unreadable', around({ '/l': { kind: 'failed', reason: 'EACCES' } }), 'the domain list "/l" can\'t be read (EACCES)'],
    ["somebody else's, under root", around({ '/l': { uid: 666 } }, 0), 'the domain list "/l" belongs to another user'],
    ['open to others, under root', around({ '/l': { mode: 0o100666 } }, 0), 'the domain list "/l" can be written by other users'],
  ])('that are %s are refused', (_, surroundings, message) => {
    expect(refusal(() => readLists({ A: ['file:/l'] }, surroundings)).message).toBe(message);
  });

  test("of root are taken under sudo, and a plain user's may be anybody's", () => {
    expect(readLists({ A: ['file:/l'] }, around({ '/l': { uid: 0, text: 'x.org' } }, 0)).categories).toEqual({
      A: ['domain:x.org'],
    });
    expect(readLists({ A: ['file:/l'] }, around({ '/l': { uid: 666, text: 'x.org' } })).categories).toEqual({
      A: ['domain:x.org'],
    });
  });
});
