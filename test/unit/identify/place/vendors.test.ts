import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { formatMac, isDevice, macInAddress, parseMac } from '../../../../src/identify/place/mac.ts';
import { RANDOMISED, Vendors } from '../../../../src/identify/place/vendors.ts';
import { parseAddress } from '../../../../src/net/address.ts';
import { fakeRoot } from '../../../support/fake-edges.ts';

const assignments: Record<string, string> = createRequire(import.meta.url)('oui-data');

let vendors: Vendors;
beforeAll(async () => {
  vendors = await Vendors.load();
});

describe('hardware addresses', () => {
  test.each([
    ['00:11:22:33:44:55', '00:11:22:33:44:55'],
    ['0:11:22:3:44:5', '00:11:22:03:44:05'],
    ['A8-BB-CC-DD-EE-FF', 'a8:bb:cc:dd:ee:ff'],
  ])('%s is read', (text, written) => expect(formatMac(parseMac(text) as number)).toBe(written));

  test.each([
    '',
    '(incomplete)',
    '00:11:22:33:44',
    '00:11:22:33:44:55:66',
    '00:11:22-33:44:55',
    '001:11:22:33:44:55',
    'g0:11:22:33:44:55',
    '00::22:33:44:55',
    ' 00:11:22:33:44:55',
  ])('"%s" is none', (text) => expect(parseMac(text)).toBeNull());

  test('text and number are the same', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (mac) => parseMac(formatMac(mac)) === mac));
  });

  test('zeros, groups and broadcast are no devices', () => {
    const texts = ['00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:fb', '33:33:00:00:00:01', '00:00:00:00:00:01'];
    expect(texts.map((text) => isDevice(parseMac(text) as number))).toEqual([false, false, false, false, true]);
  });

  test.each([
    ['fe80::211:22ff:fe33:4455', '00:11:22:33:44:55'],
    ['fe80::aede:48ff:fe00:1122', 'ac:de:48:00:11:22'],
    ['fe80::1:48ff:fe00:1122', '02:01:48:00:11:22'],
    ['fe80::bae:48ff:fe00:1122', null], // a group
    ['fd00::9209:d0ff:fe12:3456', '90:09:d0:12:34:56'],
    ['fe80::1', null],
    ['fe80::211:22ff:3333:4455', null],
    ['fe80::211:2200:fe33:4455', null],
  ])('%s holds %s', (address, mac) => {
    const words = new Int32Array(5);
    parseAddress(address, words, 1);
    const found = macInAddress(words, 1);
    expect(found === null ? null : formatMac(found)).toBe(mac);
  });
});

describe('vendors', () => {
  test.each([
    ['90:09:d0:12:34:56', 'Synology'],
    ['b8:27:eb:00:00:00', 'Raspberry Pi Foundation'],
    ['dc:44:b6:ff:ff:ff', 'Samsung Electronics'],
    ['7C-10-C9-01-02-03', 'ASUSTek Computer'],
    ['00:00:0c:00:00:01', 'Cisco Systems'],
    ['00:0a:27:00:00:01', 'Apple'],
  ])('%s is of %s', (mac, name) => expect(vendors.vendorOf(mac)).toBe(name));

  test('come from bytes and from numbers, too', () => {
    expect(vendors.vendorOf(Uint8Array.of(0x90, 0x09, 0xd0, 1, 2, 3))).toBe('Synology');
    expect(vendors.vendorOf(0x9009d0010203)).toBe('Synology');
    expect(vendors.vendorOf(Uint8Array.of(0x90, 0x09, 0xd0))).toBeNull();
  });

  test('of an address that was made up is said so, also where somebody once had the block', () => {
    expect(vendors.vendorOf('a2:11:22:33:44:55')).toBe(RANDOMISED);
    expect(vendors.vendorOf('02:60:8c:33:44:55')).toBe(RANDOMISED);
    expect(vendors.vendorOf('02:42:ac:11:00:02')).toBe('Docker container');
    expect(vendors.vendorOf('02:42:5e:01:02:03')).toBe('Docker');
    expect(vendors.vendorOf('52:54:00:12:34:56')).toBe('QEMU virtual machine');
    expect(vendors.vendorOf('52:54:01:12:34:56')).toBe(RANDOMISED);
  });

  test.each([
    '01:00:5e:00:00:fb',
    '33:33:00:00:00:01',
    'ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00',
    'nonsense',
    'ac:de:48:00:11:22', // "Private" in the registry; its 0x02 bit is not set
  ])('of %s are not told', (mac) => expect(vendors.vendorOf(mac)).toBeNull());

  test('are those of the longest prefix', () => {
    const sizes = [7, 9].map((digits) => Object.keys(assignments).filter((prefix) => prefix.length === digits));
    expect(sizes.map(({ length }) => length > 5000)).toEqual([true, true]);
    for (const prefix of ['1006480', '001BC5000']) {
      const name = vendors.vendorOf(Number.parseInt(prefix.padEnd(12, '0'), 16));
      expect(assignments[prefix]?.toLowerCase()).toContain(name?.split(' ')[0]?.toLowerCase());
    }
    // the rest of a subdivided block belongs to no vendor
    expect(assignments['001BC5']).toMatch(/^IEEE/);
    expect(vendors.vendorOf('00:1b:c5:ff:ff:ff')).toBeNull();
  });

  test('are there for every prefix of the registry that has a name, in 32 letters at the most', () => {
    let told = 0;
    for (const [prefix, text] of Object.entries(assignments)) {
      const mac = Number.parseInt(prefix.padEnd(12, '0'), 16);
      if (mac === 0 || /^(Private|IEEE Registration Authority)(\n|$)/.test(text)) continue;
      const name = vendors.vendorOf(mac + 1);
      if (name === null || name === '' || name.length > 32 || /[\p{C}\n]/u.test(name)) throw new Error(`${prefix}: ${name}`);
      told++;
    }
    expect(told).toBeGreaterThan(50_000);
  });

  test('of broken tables are none', () => {
    expect(() => new Vendors(Buffer.alloc(23))).toThrow(RangeError);
    expect(() => new Vendors(Buffer.alloc(25))).toThrow('broken');
    expect(new Vendors(Buffer.alloc(24)).vendorOf('90:09:d0:12:34:56')).toBeNull();
  });
});

describe('data/vendors.bin', () => {
  const file = new URL('../../../../data/vendors.bin', import.meta.url);
  const script = fileURLToPath(new URL('../../../../scripts/build-vendors.mjs', import.meta.url));

  test('is what oui-data gives', () => {
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8', timeout: 60_000 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  test('takes less than 340 KB', () => expect(statSync(file).size).toBeLessThan(340_000));

  test('is refused where it is missing, cut or no table', async () => {
    const folder = fakeRoot({});
    const cut = join(folder, 'cut.bin');
    writeFileSync(cut, readFileSync(file).subarray(0, 1000));
    const other = join(folder, 'other.bin');
    writeFileSync(other, deflateSync(Buffer.alloc(25)));
    for (const path of ['/nowhere/vendors.bin', cut, other])
      await expect(Vendors.load(() => readFileSync(path))).rejects.toThrow();
  });
});
