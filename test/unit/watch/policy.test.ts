import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Policy, VERDICTS } from '../../../src/model/policy.ts';
import { isDrift, judge, parseRule, type Reached } from '../../../src/watch/policy.ts';

function policy(allow: readonly string[], { strict = false, appStrict = false } = {}): Policy {
  const rules = allow.map((text) => {
    const rule = parseRule(text);
    if (rule === null) throw new Error(`${text} is not a rule`);
    return rule;
  });
  return { strict, apps: new Map([['curl', { allow: rules, strict: appStrict }]]) };
}

const reached = (changes: Partial<Reached>): Reached => ({
  app: 'curl',
  name: null,
  address: '198.51.100.7',
  port: 443,
  asn: null,
  hidden: null,
  ...changes,
});
const verdict = (allow: readonly string[], changes: Partial<Reached>) => judge(policy(allow), reached(changes)).verdict;

describe('an entry', () => {
  it.each([
    '*',
    '*:53',
    'example.com',
    '*.example.com',
    'Api.Example.com:443',
    'localhost:8080',
    '_x.example.com',
    '10.0.0.0/8',
    '192.0.2.7',
    '192.0.2.7:443',
    '10.0.0.0/8:22',
    '2001:db8::/32',
    '::1',
    '[2001:db8::1]:443',
    'AS36459',
    'as1:443',
  ])('%s is understood', (text) => expect(parseRule(text)).not.toBeNull());

  it.each([
    '',
    'a b',
    '*.*.com',
    'x*.com',
    '10.0.0.0/33',
    '2001:db8::/129',
    '300.1.1.1',
    '1.2.3',
    'example.com:0',
    'example.com:70000',
    'example.com:',
    'AS',
    'AS99999999999',
    'https://example.com',
    'example.com/path',
    '[example.com]:443',
    'münchen.example',
    '-x.com',
    'fe80::1%en0',
  ])('%j is not', (text) => expect(parseRule(text)).toBeNull());

  it('never throws, whatever is written', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const rule = parseRule(text);
        if (rule !== null) expect(rule.text).toBe(text);
      }),
    );
  });
});

describe('a verdict', () => {
  it.each<[allow: string, changes: Partial<Reached>, verdict: string]>([
    ['example.com', { name: 'example.com' }, 'name'],
    ['example.com', { name: 'EXAMPLE.com.' }, 'name'],
    ['example.com', { name: 'www.example.com' }, 'drift'],
    ['example.com', { name: 'notexample.com' }, 'drift'],
    ['*.example.com', { name: 'a.b.example.com' }, 'name'],
    ['*.example.com', { name: 'example.com' }, 'drift'],
    ['*.example.com', { name: 'notexample.com' }, 'drift'],
    ['example.com:443', { name: 'example.com' }, 'name'],
    ['example.com:443', { name: 'example.com', port: 80 }, 'drift'],
    ['example.com:443', { name: 'example.com', port: null }, 'unjudged'],
    ['example.com:443', { name: 'other.com', port: null }, 'drift'],
    ['198.51.100.0/24', {}, 'address'],
    ['198.51.100.0/29', {}, 'address'],
    ['198.51.100.8/29', {}, 'drift'],
    ['0.0.0.0/0', {}, 'address'],
    ['0.0.0.0/0', { address: '2001:db8::1' }, 'drift'],
    ['2001:db8::/31', { address: '2001:db9::1' }, 'address'],
    ['2001:db8::/32', { address: '2001:db9::1' }, 'drift'],
    ['198.51.100.7:22', {}, 'drift'],
    ['198.51.100.0/24', { name: 'example.com' }, 'address'],
    ['198.51.100.0/24', { name: 'example.com', address: null }, 'unjudged'],
    ['AS64500', { asn: 64500 }, 'network'],
    ['AS64500', { asn: 64501 }, 'drift'],
    ['AS64500', { asn: null }, 'unjudged'],
    ['AS64500', { asn: null, address: '10.0.0.7' }, 'drift'],
    ['*', {}, 'address'],
    ['*', { name: 'example.com' }, 'name'],
    ['*:53', { name: 'example.com' }, 'drift'],
    ['example.com', { hidden: 'encrypted hello (ECH)' }, 'unjudged'],
    ['10.0.0.0/8', { hidden: 'encrypted hello (ECH)' }, 'drift'],
    ['example.com', {}, 'drift'],
    ['example.com', { address: '192.168.1.1', port: 53 }, 'address'],
    ['example.com', { address: '192.168.1.1', port: 443 }, 'drift'],
    ['example.com', { address: '8.8.8.8', port: 53 }, 'drift'],
    ['example.com', { address: '224.0.0.251', port: 5353 }, 'address'],
    ['example.com', { address: 'fe80::1', port: 80 }, 'address'],
    ['example.com', { app: 'wget', name: 'example.com' }, 'undeclared'],
  ])('by %s of %j is %s', (allow, changes, expected) => expect(verdict([allow], changes)).toBe(expected));

  it('is the best of all entries, and says which one and why', () => {
    const mixed = policy(['AS64500', '198.51.100.0/24', 'example.com']);
    expect(judge(mixed, reached({ asn: 64500, name: 'example.com' }))).toEqual({
      verdict: 'name',
      rule: 'example.com',
      reason: '',
    });
    expect(judge(mixed, reached({ asn: 64500 }))).toEqual({ verdict: 'address', rule: '198.51.100.0/24', reason: '' });
    expect(judge(mixed, reached({ asn: 64500, address: '192.0.2.1' }))).toMatchObject({ verdict: 'network', rule: 'AS64500' });
    expect(judge(mixed, reached({ asn: 1, address: '192.0.2.1', hidden: 'encrypted hello (ECH)' }))).toEqual({
      verdict: 'unjudged',
      rule: 'example.com',
      reason: 'encrypted hello (ECH)',
    });
    expect(judge(policy([]), reached({}))).toEqual({ verdict: 'drift', rule: null, reason: '' });
  });

  it('is drift: always if no entry allows it, the weak ones of a strict app, undeclared apps of a strict policy', () => {
    const drifts = (made: Policy, app = 'curl') => VERDICTS.filter((one) => isDrift(made, app, one));
    expect(drifts(policy([]))).toEqual(['drift']);
    expect(drifts(policy([], { appStrict: true }))).toEqual(['network', 'unjudged', 'drift']);
    expect(drifts(policy([], { strict: true }), 'wget')).toEqual(['network', 'unjudged', 'undeclared', 'drift']);
    expect(drifts(policy([], { strict: true }))).toEqual(['undeclared', 'drift']);
  });

  it('of an address agrees with counting bits', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
    const own = fc.tuple(fc.integer({ min: 1, max: 160 }), fc.nat(255), fc.nat(255), fc.nat(255)); // no group, no link
    const asNumber = (parts: readonly number[]) => parts.reduce((value, part) => value * 256 + part, 0);
    fc.assert(
      fc.property(octets, own, fc.integer({ min: 0, max: 32 }), (net, address, bits) => {
        const size = 2 ** (32 - bits);
        const isInside = Math.floor(asNumber(net) / size) === Math.floor(asNumber(address) / size);
        expect(verdict([`${net.join('.')}/${bits}`], { address: address.join('.') })).toBe(isInside ? 'address' : 'drift');
      }),
    );
  });
});
