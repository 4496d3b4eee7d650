import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Categories, type CategoryFacts } from '../../../../src/identify/category/categories.ts';
import { CATEGORY_NAMES } from '../../../../src/identify/category/category.ts';
import { APP_RULES, APPLICATION_RULES } from '../../../../src/identify/category/rules/app-rules.ts';
import { LEISURE_DOMAINS } from '../../../../src/identify/category/rules/leisure-domains.ts';
import { MACHINE_DOMAINS } from '../../../../src/identify/category/rules/machine-domains.ts';
import { WEB_DOMAINS } from '../../../../src/identify/category/rules/web-domains.ts';
import { WORK_DOMAINS } from '../../../../src/identify/category/rules/work-domains.ts';
import { domainLines, domainRules, nameLines, trackerLines } from '../../../../src/identify/category/rules.ts';
import { SuffixTable } from '../../../../src/identify/category/suffix-table.ts';
import { PROTOCOL, protocolName } from '../../../../src/net/numbers.ts';
import { fakeRoot } from '../../../support/fake-edges.ts';
import { LABELLED_HOSTS } from './hosts.ts';

const NOTHING: CategoryFacts = {
  host: null,
  app: null,
  exe: null,
  application: null,
  protocol: 'tcp',
  port: 50_000,
  scope: 'global',
};
const ours = new Categories();
const of = (facts: Partial<CategoryFacts>, categories = ours) => categories.explain({ ...NOTHING, ...facts }).category;

const labelled: [string, string][] = [];
let label = '';
for (const line of LABELLED_HOSTS.trim().split('\n')) {
  const [head, rest] = line.startsWith(' ') ? [label, line] : (line.split(': ') as [string, string]);
  label = head;
  for (const host of rest.trim().split(/\s+/)) labelled.push([host, label]);
}

describe('hosts', () => {
  test('there are enough of them, in all categories', () => {
    expect(labelled.length).toBeGreaterThan(150);
    expect(new Set(labelled.map(([, category]) => category))).toEqual(new Set(CATEGORY_NAMES));
  });

  test.each(labelled)('%s: %s', (host, category) => expect(of({ host })).toBe(category));

  test('in capitals, with a final dot, and what is too long for a name', () => {
    expect(of({ host: 'WWW.Netflix.COM.' })).toBe('Streaming');
    expect(of({ host: `${'a.'.repeat(200)}netflix.com` })).toBe('Other');
    expect(of({ host: '' })).toBe('Other');
  });
});

describe('our rules', () => {
  const lines = [LEISURE_DOMAINS, WORK_DOMAINS, MACHINE_DOMAINS, WEB_DOMAINS].flatMap((text) => [...domainLines(text)]);

  test('are many, well formed, each in one place, with a service', () => {
    expect(lines.length).toBeGreaterThan(2000);
    const seen = new Map<string, number>();
    for (const { suffix, service, category } of lines) {
      expect(suffix).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/);
      expect(service).not.toBe('');
      expect(seen.get(suffix) ?? category, suffix).toBe(category);
      seen.set(suffix, category);
    }
    expect(seen.size).toBe(lines.length);
  });

  test('say nothing that a shorter suffix of the same category says already', () => {
    const all = new Map(lines.filter(({ shared }) => !shared).map(({ suffix, category }) => [suffix, category]));
    const parentOf = (suffix: string): number | undefined => {
      const dot = suffix.indexOf('.');
      if (dot < 0) return undefined;
      return all.get(suffix.slice(dot + 1)) ?? parentOf(suffix.slice(dot + 1));
    };
    const idle = [...all].filter(([suffix, category]) => parentOf(suffix) === category).map(([suffix]) => suffix);
    expect(idle).toEqual([]);
  });

  test('name each app and each application once', () => {
    for (const text of [APP_RULES, APPLICATION_RULES]) {
      const names = [...nameLines(text)].map(({ name }) => name.toLowerCase());
      expect(names.filter((name) => name === '')).toEqual([]);
      expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    }
  });

  test('know the protocols by the names that the program gives them', () => {
    for (const protocol of [PROTOCOL.ARP, PROTOCOL.ICMP, PROTOCOL.ICMPV6, PROTOCOL.IGMP])
      expect(of({ protocol: protocolName(protocol), port: 0 })).toBe('System and local network');
    for (const protocol of [PROTOCOL.ESP, PROTOCOL.GRE, PROTOCOL.AH, PROTOCOL.IPIP, PROTOCOL.IPV6])
      expect(of({ protocol: protocolName(protocol), port: 0 })).toBe('VPN');
  });

  test('come before the trackers of others, of which there are many', () => {
    expect(domainRules().trackers.size).toBeGreaterThan(1400);
    expect(domainRules().trackers.find('x.criteo.com')).not.toBeNull();
    expect(domainRules().trackers.find('x.microsoft.com')).toBeNull();
    expect(ours.explain({ ...NOTHING, host: 'x.zqtk.net' })).toEqual({
      category: 'Ads and trackers',
      rule: 'zqtk.net (third-party-web)',
      source: 'domain',
    });
  });

  test('data/trackers.txt is what third-party-web gives', () => {
    const script = fileURLToPath(new URL('../../../../scripts/build-trackers.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8', timeout: 60_000 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('a file of trackers', () => {
  test('that is missing has none', () => expect(trackerLines(() => readFileSync('/nowhere/trackers.txt'))).toEqual([]));

  test('that is broken has what can be read of it', () => {
    const path = `${fakeRoot({})}/trackers.txt`;
    writeFileSync(
      path,
      Buffer.concat([Buffer.from('# a.example\n\n=\n=.x\nads.example\n=one.ads.example\n'), Buffer.from([0xff, 0, 10])]),
    );
    expect(trackerLines(() => readFileSync(path))).toEqual(['ads.example', '=one.ads.example']);
  });
});

describe('what is trusted more', () => {
  test.each<[Partial<CategoryFacts>, string, string]>([
    [{ host: 'www.netflix.com', app: 'firefox', application: 'https' }, 'Streaming', 'domain'],
    [{ host: 'github.com', app: 'Slack' }, 'Development', 'domain'],
    [{ host: 'd1.cloudfront.net', app: 'zoom.us', application: 'https' }, 'Meetings', 'app'],
    [{ host: 'd1.cloudfront.net', app: 'firefox', application: 'https' }, 'Web', 'domain'],
    [{ host: 'unknown.example', app: 'Dropbox', application: 'https' }, 'Cloud and storage', 'app'],
    [{ host: 'unknown.example', app: 'firefox', application: 'https' }, 'Web', 'application'],
    [{ app: 'firefox', application: 'stun' }, 'Meetings', 'application'],
    [{ app: 'firefox' }, 'Web', 'app'],
    [{ app: 'nsurlsessiond', application: 'https' }, 'Web', 'application'],
    [{ app: 'nsurlsessiond' }, 'Other', 'default'],
    [{ app: null, exe: '/usr/bin/git' }, 'Development', 'app'],
    [{ app: 'apt', exe: '/usr/lib/apt/methods/http' }, 'Software updates', 'app'],
    [{ app: 'Something', exe: '/Applications/Slack.app/Contents/MacOS/Slack' }, 'Messaging', 'app'],
    [{ app: 'softwareupdated' }, 'Software updates', 'app'],
    [{ app: 'mDNSResponder' }, 'System and local network', 'app'],
    [{ app: 'SPOTIFY' }, 'Streaming', 'app'],
    [{ application: 'ssh', port: 2222 }, 'Development', 'application'],
    [{ application: 'imaps', port: 993 }, 'Mail', 'application'],
    [{ application: 'quic', protocol: 'udp', port: 443 }, 'Web', 'application'],
    [{ application: 'https', port: 51_820 }, 'Web', 'application'],
    [{ protocol: 'udp', port: 51_820 }, 'VPN', 'port'],
    [{ protocol: 'udp', port: 53 }, 'System and local network', 'port'],
    [{ port: 587 }, 'Mail', 'port'],
    [{ port: 443 }, 'Web', 'port'],
    [{ port: 51_820 }, 'Other', 'default'],
    [{ scope: 'private', application: 'https' }, 'System and local network', 'default'],
    [{ scope: 'private', application: 'ssh' }, 'Development', 'application'],
    [{ scope: 'private', host: 'plex.direct', application: 'https' }, 'Streaming', 'domain'],
    [{ scope: 'multicast', protocol: 'udp' }, 'System and local network', 'default'],
    [{ scope: 'link-local' }, 'System and local network', 'default'],
    [{}, 'Other', 'default'],
  ])('%j: %s by %s', (facts, category, source) => {
    expect(ours.explain({ ...NOTHING, ...facts })).toMatchObject({ category, source });
    expect(ours.names[ours.decide({ ...NOTHING, ...facts })]).toBe(category);
  });

  test('all rules that have a say are told, best first', () => {
    const facts = { ...NOTHING, host: 'api.spotify.com', app: 'Spotify', port: 443, scope: 'private' as const };
    expect(ours.explainAll(facts).map(({ rule }) => rule)).toEqual([
      'spotify.com (Spotify)',
      'app Spotify',
      'private address',
      'port 443/tcp (https)',
      'nothing known',
    ]);
  });
});

describe("the user's categories", () => {
  const mine = new Categories({
    Work: ['corp.example', 'full:mail.google.com', 'jira', 'münchen.example'],
    streaming: ['Tube.Example'],
    Web: ['netflix.com'],
    Deep: ['ads.corp.example'],
    Words: ['keyword:tele.', 'keyword:zilla'],
    'Ads and trackers': ['collect.example'],
  });

  test('come before ours, extend those of ours by name, and stand behind them in the list', () => {
    expect(mine.names).toEqual([...CATEGORY_NAMES, 'Work', 'Deep', 'Words']);
    expect(of({ host: 'a.tube.example' }, mine)).toBe('Streaming');
    expect(of({ host: 'www.netflix.com' }, mine)).toBe('Web');
    expect(of({ host: 'x.collect.example' }, mine)).toBe('Ads and trackers');
    expect(mine.explain({ ...NOTHING, host: 'x.corp.example' })).toEqual({
      category: 'Work',
      rule: 'corp.example',
      source: 'user',
    });
  });

  test('know longest suffixes, exact names, words and names in other letters', () => {
    expect(of({ host: 'x.ads.corp.example' }, mine)).toBe('Deep');
    expect(of({ host: 'mail.google.com' }, mine)).toBe('Work');
    expect(of({ host: 'x.mail.google.com' }, mine)).toBe('Mail');
    expect(of({ host: 'notcorp.example' }, mine)).toBe('Other');
    expect(of({ host: 'my-jira.host.example' }, mine)).toBe('Work');
    expect(of({ app: 'Jira Desktop', application: 'https' }, mine)).toBe('Work');
    expect(of({ host: 'www.xn--mnchen-3ya.example' }, mine)).toBe('Work');
    expect(of({ host: 'bugzilla.example' }, mine)).toBe('Words');
    expect(of({ host: 'tele.example' }, mine)).toBe('Words');
    expect(of({ app: 'FileZilla' }, mine)).toBe('Cloud and storage');
  });

  test('are bounded', () => {
    const words = (count: number) => Array.from({ length: count }, (_, at) => `w${at}`);
    expect(() => new Categories({ A: words(4097) })).toThrow('[categories] has more than 4096 words');
    expect(of({ host: 'w4095.example' }, new Categories({ A: words(4096) }))).toBe('A');
  });
});

describe('hostile facts', () => {
  test('never throw, and give a category that exists', () => {
    const text = fc.option(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.constantFrom('__proto__', '..', '.', 'constructor')),
    );
    const categories = new Categories({ constructor: ['__proto__', 'x.y'] });
    fc.assert(
      fc.property(text, text, text, text, fc.string(), fc.integer(), (host, app, exe, application, protocol, port) => {
        const index = categories.decide({ host, app, exe, application, protocol, port, scope: 'global' });
        expect(categories.names[index]).toBeTypeOf('string');
      }),
    );
  });

  test('agree with a suffix search that is plain to see', () => {
    const label = fc.constantFrom('a', 'b', 'c', 'com', 'x-y');
    const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 12 }), name, (suffixes, host) => {
        const table = new SuffixTable<string>();
        for (const suffix of suffixes) table.add(suffix, suffix);
        const fitting = suffixes.filter((suffix) => host === suffix || host.endsWith(`.${suffix}`));
        const longest = fitting.sort((a, b) => b.length - a.length)[0] ?? null;
        expect(table.find(host)).toBe(longest);
      }),
    );
  });
});
