import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { isBounded } from '../../../../src/identify/place/database.ts';
import { type PlaceFiles, systemPlaceFiles } from '../../../../src/identify/place/place-files.ts';
import { Places } from '../../../../src/identify/place/places.ts';
import { parseAddress } from '../../../../src/net/address.ts';
import { type MmdbValue, mmdbFile, mmdbPointer, mmdbValue } from '../../../support/mmdb-writer.ts';

const NOWHERE = { country: null, asn: null, network: null };

/** A machine with these files, which counts its reads. */
function machine(files: Record<string, Buffer | Error>): PlaceFiles & { reads: number } {
  return {
    reads: 0,
    list: (folder) =>
      Object.keys(files).flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [])),
    read(path) {
      this.reads++;
      const file = files[path] ?? null;
      if (file instanceof Error) throw file;
      return file;
    },
  };
}

function look(places: Places, address: string) {
  const words = new Int32Array(6);
  expect(parseAddress(address, words, 1)).toBe(true);
  return places.lookup(words, 1);
}

const country = (code: string): MmdbValue => ({ country: { iso_code: code, names: { en: 'A country', de: 'Ein Land' } } });
const opened = (bytes: Buffer) => Places.open({ country: '/c', asn: null }, null, machine({ '/c': bytes }));

describe('answers', () => {
  test.each([24, 28, 32] as const)('come from trees of %d bits, for both families', (recordSize) => {
    const networks = { '1.2.3.0/24': country('DE'), '2001:470::/32': country('US') };
    const places = opened(mmdbFile(networks, { recordSize, built: 1_800_000_000 }));
    expect(look(places, '1.2.3.4').country).toBe('DE');
    expect(look(places, '1.2.4.4')).toEqual(NOWHERE);
    expect(look(places, '2001:470::1').country).toBe('US');
    expect(look(places, '2001:471::1')).toEqual(NOWHERE);
    expect(places.dates).toEqual([{ path: '/c', type: 'Test-Country', built: '2027-01-15' }]);
    expect(places.note).toBe('');
  });

  test('come from files for IPv4 alone, which say nothing of IPv6', () => {
    const places = opened(mmdbFile({ '8.8.8.0/24': country('US') }, { ipVersion: 4, recordSize: 24 }));
    expect(look(places, '8.8.8.8').country).toBe('US');
    expect(look(places, '2001:470::8')).toEqual(NOWHERE);
    expect(places.note).toBe('');
  });

  test.each<[string, MmdbValue, object]>([
    ['MaxMind country', { country: { iso_code: 'SE' }, registered_country: { iso_code: 'NO' } }, { country: 'SE' }],
    ['MaxMind without a country', { registered_country: { iso_code: 'NO' } }, { country: 'NO' }],
    [
      'MaxMind and DB-IP networks',
      { autonomous_system_number: 15_169, autonomous_system_organization: 'GOOGLE' },
      { asn: 15_169, network: 'GOOGLE' },
    ],
    [
      'IPinfo country_asn',
      { country: 'US', country_name: 'United States', asn: 'AS15169', as_name: 'Google LLC' },
      { country: 'US', asn: 15_169, network: 'Google LLC' },
    ],
    [
      'IPinfo lite',
      { country: 'United States', country_code: 'US', asn: 'AS15169', as_name: 'Google LLC' },
      { country: 'US', asn: 15_169, network: 'Google LLC' },
    ],
    ['ip-location-db', { country_code: 'JP' }, { country: 'JP' }],
    ['nonsense', { country: { iso_code: 'us\u001b[31m' }, asn: 'AS-1', as_name: '\u001b\u202e' }, {}],
    ['other nonsense', { country: 7, autonomous_system_number: 0, autonomous_system_organization: true }, {}],
    ['a list', ['US'], {}],
    ['a text', 'US', {}],
  ])('are understood: %s', (_, record, place) => {
    expect(look(opened(mmdbFile({ '9.9.9.0/24': record })), '9.9.9.9')).toEqual({ ...NOWHERE, ...place });
  });

  test('of two files complete each other', () => {
    const files = machine({
      '/c': mmdbFile({ '9.0.0.0/8': country('CH') }),
      '/a': mmdbFile({ '9.9.0.0/16': { autonomous_system_number: 19_281, autonomous_system_organization: 'QUAD9' } }),
    });
    const places = Places.open({ country: '/c', asn: '/a' }, null, files);
    expect(look(places, '9.9.9.9')).toEqual({ country: 'CH', asn: 19_281, network: 'QUAD9' });
    expect(look(places, '9.8.9.9')).toEqual({ country: 'CH', asn: null, network: null });
  });

  test('are never given for addresses that mean something else elsewhere', () => {
    const places = opened(mmdbFile({ '0.0.0.0/1': country('XA'), '128.0.0.0/1': country('XB'), '8000::/1': country('XC') }));
    expect(look(places, '8.8.8.8').country).toBe('XA');
    for (const address of '10.1.2.3 172.16.0.1 192.168.1.1 169.254.1.1 100.64.0.1 127.0.0.1 224.0.0.251 255.255.255.255 0.0.0.0'.split(
      ' ',
    ))
      expect(look(places, address), address).toEqual(NOWHERE);
    for (const address of 'fe80::1 fd00::1 ff02::fb ::1 :: 64:ff9b::a00:1'.split(' '))
      expect(look(places, address), address).toEqual(NOWHERE);
    expect(look(places, '64:ff9b::808:808').country).toBe('XA');
  });

  test('are null without files, and nobody complains', () => {
    const places = Places.open({ country: null, asn: null }, '/home/ann', machine({}));
    expect([look(places, '8.8.8.8'), places.note, places.dates]).toEqual([NOWHERE, '', []]);
  });
});

describe('files', () => {
  const bytes = mmdbFile({ '9.9.9.0/24': country('CH') });

  test('are found in the usual places: the best name first, the newest month of several, the home folder first', () => {
    const paths = (names: string[]) =>
      Places.open(
        { country: null, asn: null },
        '/home/ann',
        machine(Object.fromEntries(names.map((name) => [name, bytes]))),
      ).dates.map(({ path }) => path);
    expect(
      paths(['/usr/share/GeoIP/GeoLite2-City.mmdb', '/var/lib/GeoIP/GeoLite2-Country.mmdb', '/var/lib/GeoIP/GeoLite2-ASN.mmdb']),
    ).toEqual(['/var/lib/GeoIP/GeoLite2-Country.mmdb', '/var/lib/GeoIP/GeoLite2-ASN.mmdb']);
    expect(paths(['2025-01', '2026-03', '2025-12'].map((month) => `/usr/share/GeoIP/dbip-country-lite-${month}.mmdb`))).toEqual([
      '/usr/share/GeoIP/dbip-country-lite-2026-03.mmdb',
    ]);
    expect(paths(['/opt/homebrew/var/GeoIP/GeoLite2-City.mmdb'])).toEqual(['/opt/homebrew/var/GeoIP/GeoLite2-City.mmdb']);
    expect(paths(['/usr/share/GeoIP/country_asn.mmdb', '/home/ann/.local/share/GeoIP/country_asn.mmdb'])).toEqual([
      '/home/ann/.local/share/GeoIP/country_asn.mmdb',
    ]);
    expect(paths(['/usr/share/GeoIP/GeoIP.dat', '/usr/share/GeoIP/xGeoLite2-City.mmdb'])).toEqual([]);
  });

  test('that were named and are absent, unreadable or something else come as a note', () => {
    const open = (file: Buffer | Error | null) =>
      Places.open({ country: '/c', asn: null }, null, machine(file ? { '/c': file } : {})).note;
    expect(open(null)).toBe('country data: /c does not exist');
    expect(open(new Error("can't be opened (EACCES)"))).toBe("country data: /c: can't be opened (EACCES)");
    expect(open(Buffer.from('PK\u0003\u0004 no database'))).toBe('country data: /c: not an MMDB file');
    expect(open(Buffer.alloc(0))).toBe('country data: /c: not an MMDB file');
    expect(open(mmdbFile({}, { metadata: { node_count: 99_999_999 } }))).toMatch(/^country data: \/c: ./);
    expect(open(mmdbFile({}, { metadata: { record_size: 20 } }))).toBe('country data: /c: Unsupported record size');
    expect(open(mmdbFile({}, { metadata: { ip_version: 5 } }))).toMatch(/^country data: \/c: ./);
    expect(open(bytes)).toBe('');
  });

  test('are asked once for an address', () => {
    const files = machine({ '/c': bytes });
    const places = Places.open({ country: '/c', asn: '/c' }, null, files);
    expect(files.reads).toBe(1);
    expect(look(places, '9.9.9.9')).toBe(look(places, '9.9.9.9'));
  });

  const folder = mkdtempSync(join(tmpdir(), 'netmon-place-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('of the real file system are read whole, and what is no file is refused', () => {
    writeFileSync(join(folder, 'GeoLite2-Country.mmdb'), bytes);
    mkdirSync(join(folder, 'folder.mmdb'));
    expect(systemPlaceFiles.read(join(folder, 'GeoLite2-Country.mmdb'))?.equals(bytes)).toBe(true);
    expect(systemPlaceFiles.read(join(folder, 'none.mmdb'))).toBeNull();
    expect(() => systemPlaceFiles.read(join(folder, 'folder.mmdb'))).toThrow('not a regular file');
    expect(systemPlaceFiles.list(folder)).toContain('GeoLite2-Country.mmdb');
    expect(systemPlaceFiles.list(join(folder, 'none'))).toEqual([]);
  });
});

describe('hostile files', () => {
  test('a date far away is none', () => {
    expect(opened(mmdbFile({}, { built: 2 ** 50 })).dates[0]?.built).toBeNull();
    expect(opened(mmdbFile({}, { built: 0 })).dates[0]?.built).toBeNull();
  });

  test.each<[string, Buffer]>([
    ['points to itself', mmdbPointer(0)],
    ['holds itself', Buffer.concat([Buffer.from([1, 4]), mmdbPointer(0)])],
    ['is a list of sixteen million', Buffer.from([31, 4, 255, 255, 255])],
    ['is a text longer than the file', Buffer.from([(2 << 5) | 31, 255, 255, 255])],
    ['doubles at each of forty levels', doubling(40)],
    ['doubles at each of fourteen levels', doubling(14)],
    ['has a type that is none', Buffer.from([0, 200])],
  ])('a record that %s is a note, and after eight of them the file is given up', (_, record) => {
    const places = opened(
      mmdbFile({ '9.0.0.0/8': record, '8.0.0.0/8': Buffer.concat([mmdbValue(country('US')), Buffer.alloc(8)]) }),
    );
    for (let i = 0; i < 8; i++) {
      expect(look(places, '8.8.8.8').country).toBe('US');
      expect(look(places, `9.9.9.${i}`)).toEqual(NOWHERE);
    }
    expect(places.note).toBe('/c: a record is broken or too large');
    expect(look(places, '8.8.8.9')).toEqual(NOWHERE);
  });

  test('metadata that doubles is refused', () => {
    const file = Buffer.concat([Buffer.alloc(64), Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'), doubling(40)]);
    expect(opened(file).note).toBe('country data: /c: the metadata is broken');
  });

  test('broken at any byte never throw, and give a country or none', () => {
    const bytes = mmdbFile({ '9.9.9.0/24': country('CH'), '2001:470::/32': { asn: 'AS64496', country_code: 'DE' } });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const broken = Buffer.from(bytes);
        for (const [at, value] of changes) broken[at] = value;
        const places = opened(broken);
        for (const address of ['9.9.9.9', '2001:470::1', '1.1.1.1']) {
          const { country: code, asn } = look(places, address);
          expect(code === null || /^[A-Z]{2}$/.test(code)).toBe(true);
          expect(asn === null || asn > 0).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('cut anywhere never throw', () => {
    const bytes = mmdbFile({ '9.9.9.0/24': country('CH') }, { recordSize: 24 });
    for (let length = 0; length < bytes.length; length++) look(opened(bytes.subarray(0, length)), '9.9.9.9');
    for (let from = 1; from < bytes.length; from++) look(opened(bytes.subarray(from)), '9.9.9.9');
  });

  test('bounds agree with what a writer wrote', () => {
    const { value } = fc.letrec<{ value: MmdbValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.string(), fc.nat(), fc.boolean()) as fc.Arbitrary<MmdbValue>,
        fc.array(tie('value'), { maxLength: 5 }) as fc.Arbitrary<MmdbValue>,
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 5 }) as fc.Arbitrary<MmdbValue>,
      ),
    }));
    fc.assert(
      fc.property(value, (written) => {
        const bytes = mmdbValue(written);
        expect(isBounded(Buffer.concat([bytes, Buffer.alloc(8)]), 0, 0)).toBe(true);
        if (bytes.length > 9) expect(isBounded(bytes.subarray(0, 4), 0, 0)).toBe(false);
      }),
    );
  });
});

/** A list of two pointers to a list of two pointers to ...: 2^levels values out of a few bytes. */
function doubling(levels: number): Buffer {
  const size = 12;
  const lists = Array.from({ length: levels }, (_, level) => {
    const target = mmdbPointer((level + 1) * size);
    return Buffer.concat([Buffer.from([2, 4]), target, target]);
  });
  return Buffer.concat([...lists, mmdbValue('x'), Buffer.alloc(8)]);
}
