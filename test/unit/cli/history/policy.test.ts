import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../../../src/cli/command-line.ts';
import { policyOf } from '../../../../src/cli/config/policy-file.ts';
import { policyCommand } from '../../../../src/cli/history/policy.ts';
import { draftPolicy } from '../../../../src/cli/history/policy-draft.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import type { ReachedHost } from '../../../../src/model/history.ts';
import type { LoggedFlow } from '../../../../src/model/history-batch.ts';
import { loggedFlow } from '../../../support/history.ts';
import { NOW } from './answers.ts';
import { FakeReader, fakeIo } from './fake-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'netmon-policy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const met = (changes: Partial<ReachedHost>): ReachedHost => ({
  app: 'curl',
  host: 'www.example.com',
  domain: 'example.com',
  rxBytes: 1000,
  txBytes: 100,
  rxPackets: 10,
  txPackets: 10,
  flows: 1,
  firstSeen: NOW - 3_600_000,
  lastSeen: NOW - 60_000,
  ...changes,
});
const hostOf = (host: string, domain: string | null = null, flows = 1) => met({ host, domain, flows });

async function run(
  words: string,
  hosts: readonly ReachedHost[],
  { policy = '', flows = [] as LoggedFlow[], columns = undefined as number | undefined } = {},
) {
  const reader = new FakeReader();
  reader.met = [...hosts];
  reader.flowPages = [flows];
  const io = fakeIo(reader, columns);
  const options = {
    ascii: false,
    color: true,
    place: { country: '/nowhere', asn: '/nowhere', home: null },
    policy: { path: '/p.toml', policy: policyOf('/p.toml', policy), additionsPath: '/p.additions.toml' },
  };
  const status = await policyCommand(parseCommandLine(['policy', ...words.split(' ')]), options, '/h', null, io);
  return { status, out: io.out.text, err: io.err.text };
}

describe('a draft', () => {
  const entries = (hosts: readonly ReachedHost[], networkOf: Parameters<typeof draftPolicy>[1] = () => null) =>
    draftPolicy(hosts, networkOf).map(({ app, allow, comments }) => [
      app,
      allow.map(({ text, comment }) => `${text} # ${comment}`),
      comments,
    ]);

  it('folds hosts where several stand below a domain, and keeps the domain itself', () => {
    const github = ['api', 'raw', 'codeload'].map((name) => hostOf(`${name}.github.com`, 'github.com', 2));
    const hosts = [...github, hostOf('github.com', 'github.com', 5), hostOf('www.example.com', 'example.com'), hostOf('printer')];
    expect(entries([...hosts, met({ app: 'apt', host: 'deb.debian.org', domain: 'debian.org' })])).toEqual([
      ['apt', ['deb.debian.org # 1 connection'], []],
      [
        'curl',
        [
          'www.example.com # 1 connection',
          'github.com # 5 connections',
          '*.github.com # 3 hosts, 6 connections',
          'printer # 1 connection',
        ],
        [],
      ],
    ]);
  });

  it('folds addresses by network where it is known, else by range, and leaves out what needs no entry', () => {
    const global = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '203.0.113.9'].map((host) => hostOf(host));
    const own = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.1.1', '224.0.0.1', '224.0.0.2', '224.0.0.3'].map((host) =>
      hostOf(host),
    );
    const v6 = ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:1::3'].map((host) => hostOf(host));
    expect(entries([...global, ...own, ...v6])[0]?.[1]).toEqual([
      '10.0.0.0/24 # 3 addresses, 3 connections',
      '10.0.1.1 # 1 connection',
      '198.51.100.0/24 # 3 addresses, 3 connections',
      '2001:db8::/64 # 3 addresses, 3 connections',
      '203.0.113.9 # 1 connection',
    ]);
    const networkOf = () => ({ asn: 64500, name: 'Example Net' });
    expect(entries(global, networkOf)[0]?.[1]).toEqual(['AS64500 # 4 addresses of Example Net, 4 connections']);
    expect(entries(own.slice(0, 3), networkOf)[0]?.[1]).toEqual(['10.0.0.0/24 # 3 addresses, 3 connections']);
  });

  it('says what it leaves out, and gives up on an app that reaches everything', () => {
    expect(entries([hostOf('a b'), met({ host: null, domain: null, flows: 7 })])).toEqual([
      ['curl', [], ['left out, because it is no name: a b', '7 connections went to hosts that history no longer tells apart']],
    ]);
    const many = Array.from({ length: 300 }, (_, i) => hostOf(`h.d${i}.example`, `d${i}.example`));
    expect(entries(many)).toEqual([['curl', ['* # 300 hosts: too many to list'], []]]);
    expect(entries([met({ app: '__proto__' })])).toEqual([]);
  });

  it('allows all that it was made of', () => {
    const hosts = [
      hostOf('a.example.com', 'example.com'),
      hostOf('b.example.com', 'example.com'),
      hostOf('::1'),
      hostOf('10.0.0.1'),
    ];
    return run('init -', hosts).then(async ({ out }) => {
      const { status, out: verdicts } = await run('check p.toml --json', hosts, { policy: `strict = true\n${out}` });
      expect(status).toBe(0);
      expect(
        verdicts
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line).verdict),
      ).toEqual(['address', 'address', 'name', 'name']);
    });
  });
});

describe('policy init', () => {
  it('writes a file that only its owner reads, and never over another', async () => {
    const file = join(folder, 'home.toml');
    const { status, out, err } = await run(`init ${file}`, [met({})]);
    expect([status, out, err]).toEqual([0, '', `the policy is in ${file}\n`]);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/\n\[app\.curl\]\nallow = \[\n {2}"www\.example\.com", # 1 connection\n\]\n$/);
    expect([...policyOf(file, text).apps.keys()]).toEqual(['curl']);
    await expect(run(`init ${file}`, [met({})])).rejects.toThrow('is there already');
    await expect(run(`init ${file} --force`, [met({ app: 'wget' })])).resolves.toMatchObject({ status: 0 });
    expect(readFileSync(file, 'utf8')).toContain('[app.wget]');
  });

  it('is of one app if asked', async () => {
    const { out } = await run('init - --app wget', [met({}), met({ app: 'wget' })]);
    expect(out).toContain('[app.wget]');
    expect(out).not.toContain('[app.curl]');
  });

  it.each([
    ['init - --json', '--json goes only with policy check'],
    ['init', 'policy init needs a file'],
    ['check', 'policy check needs a file'],
    ['make x', '"make" is not one of init, check'],
    ['check x y', 'unexpected argument "y" after policy'],
    ['check x --force', '--force goes only with policy init'],
  ])('%s is refused', async (words, message) => {
    await expect(run(words, [met({})])).rejects.toThrow(message);
    await expect(run(words, [met({})])).rejects.toBeInstanceOf(NetmonError);
  });

  it('of nothing is an error', () => expect(run('init -', [])).rejects.toThrow('no app reached anything'));
});

describe('policy check', () => {
  const policy = '[app.curl]\nallow = ["www.example.com:443", "10.0.0.0/8"]';
  const verdictOf = async (hosts: readonly ReachedHost[], flows: LoggedFlow[] = [], text = policy) => {
    const { out, status } = await run('check p.toml --json', hosts, { policy: text, flows });
    const { verdict, drift, rule, reason } = JSON.parse(out);
    return { verdict, drift, rule, reason, status };
  };

  it('exits with 10 on drift, and says what and why', async () => {
    const hosts = [
      met({}),
      met({ host: 'evil.example.net', domain: 'example.net', txBytes: 5_000_000 }),
      met({ app: 'wget', host: 'a.example' }),
      hostOf('10.0.0.7'),
    ];
    const { out, status } = await run('check p.toml', hosts, {
      policy,
      flows: [loggedFlow({ remotePort: 443 }), loggedFlow({ host: 'evil.example.net' })],
    });
    expect(status).toBe(10);
    expect(out).toContain('\n1 host outside the policy\n4 hosts: 1 by name, 1 by address, 1 undeclared, 1 drift\n');
    expect(out).toMatch(/drift {8}curl +evil\.example\.net .*no entry fits/);
    expect(out).toMatch(/\nnot in the policy: wget\n$/);
    const fine = await run('check p.toml', [hostOf('10.0.0.7')], { policy });
    expect([fine.status, fine.out]).toEqual([0, expect.stringContaining('no drift')]);
  });

  it('knows ports and addresses from the log, and says what it can not know', async () => {
    expect(await verdictOf([met({})])).toEqual({
      verdict: 'unjudged',
      drift: false,
      rule: 'www.example.com:443',
      reason: 'port not kept',
      status: 0,
    });
    expect(await verdictOf([met({})], [loggedFlow({ remotePort: 443 })])).toMatchObject({ verdict: 'name', status: 0 });
    expect(await verdictOf([met({})], [loggedFlow({ remotePort: 443 }), loggedFlow({ remotePort: 8443 })])).toMatchObject({
      verdict: 'drift',
      status: 10,
    });
    expect(await verdictOf([met({})], [loggedFlow({ remotePort: 8443, direction: 'inbound' })])).toMatchObject({
      verdict: 'unjudged',
    });
    expect(
      await verdictOf([met({ host: 'nas.local' })], [loggedFlow({ host: 'nas.local', remoteAddress: '10.1.1.1' })]),
    ).toMatchObject({
      verdict: 'address',
    });
  });

  it('believes no name that the other end gave itself', async () => {
    const named = (nameSource: LoggedFlow['nameSource']) => [loggedFlow({ remotePort: 443, nameSource })];
    expect(await verdictOf([met({})], named('ptr'))).toMatchObject({ verdict: 'drift' });
    expect(await verdictOf([met({})], named('dns'))).toMatchObject({ verdict: 'name' });
  });

  it('takes weak and undecidable verdicts for drift if it is strict', async () => {
    const strict = `strict = true\n${policy}`;
    expect(await verdictOf([met({})], [], strict)).toMatchObject({ verdict: 'unjudged', drift: true, status: 10 });
    expect(await verdictOf([met({ app: 'wget' })], [], strict)).toMatchObject({ verdict: 'undeclared', drift: true, status: 10 });
    expect(await verdictOf([met({ app: 'wget' })])).toMatchObject({ verdict: 'undeclared', drift: false, status: 0 });
    expect(await verdictOf([met({ host: null })])).toMatchObject({ verdict: 'unjudged', drift: false });
  });
});
