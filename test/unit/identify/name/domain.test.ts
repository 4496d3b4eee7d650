import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { registrableDomain } from '../../../../src/identify/name/domain.ts';

describe('the registrable domain', () => {
  test.each([
    ['www.example.com', 'example.com'],
    ['example.com', 'example.com'],
    ['WWW.Example.CO.UK.', 'example.co.uk'],
    ['a.b.c.example.co.jp', 'example.co.jp'],
    ['www.globo.com.br', 'globo.com.br'],
    ['shop.xn--mnchen-3ya.de', 'xn--mnchen-3ya.de'],
    ['alice.github.io', 'github.io'],
    ['d111111abcdef8.cloudfront.net', 'cloudfront.net'],
    ['bucket.s3.eu-west-1.amazonaws.com', 'amazonaws.com'],
    ['_dmarc.example.com', 'example.com'],
    ['foo.printer.local', 'printer.local'],
    ['co.uk', null],
    ['com', null],
    ['localhost', null],
    ['', null],
    ['.', null],
    ['..', null],
    ['a..com', null],
    ['192.168.1.1', null],
    ['2001:db8::1', null],
    ['[2001:db8::1]', null],
    [`${'a.'.repeat(130)}com`, null],
    ['exa mple.com', null],
    ['https://www.example.com/path', null],
  ])('of %j is %j', (host, domain) => {
    expect(registrableDomain(host)).toBe(domain);
    expect(registrableDomain(host)).toBe(domain);
  });

  test('of anything never throws, and is a part of it', () => {
    const host = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.domain(), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(host, (name) => {
        const domain = registrableDomain(name);
        if (domain !== null) expect(name.toLowerCase()).toContain(domain);
      }),
    );
  });
});
