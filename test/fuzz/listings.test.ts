// Listings of the system's programs: whatever they print, what is read is bounded, printable and true to what was written.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseLsof } from '../../src/identify/process/macos/lsof.ts';
import { parseNettop } from '../../src/identify/process/macos/nettop.ts';
import { parsePs } from '../../src/identify/process/macos/ps.ts';
import type { SocketEnd, SocketRecord } from '../../src/identify/process/socket-table.ts';
import { formatAddress, parseAddress } from '../../src/net/address.ts';

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
const RUNS = { numRuns: 300 };

/** Text of pieces that each program prints, in no order, with rubbish between. */
const soup = (...pieces: readonly string[]) =>
  fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 12 }), fc.integer().map(String)), {
      maxLength: 60,
    })
    .map((parts) => parts.join(''));

function checkEnd(end: SocketEnd | null): void {
  if (end === null) return;
  expect(Number.isInteger(end.port) && end.port >= 0 && end.port <= 65_535).toBe(true);
  expect(end.words?.length ?? 4).toBe(4);
}

function checkRecord({ pid, name, local, remote }: SocketRecord): void {
  expect(Number.isSafeInteger(pid) && pid >= 0).toBe(true);
  expect(name).not.toMatch(CONTROLS);
  expect(name.length).toBeLessThanOrEqual(512);
  checkEnd(local);
  checkEnd(remote);
}

describe('whatever is printed', () => {
  const nettop = soup(
    ',interface,state,bytes_in,bytes_out,\n',
    'time,,interface,',
    '\n',
    ',',
    '"',
    'app.7',
    'tcp4 ',
    'udp6 ',
    '<->',
    '*',
    '.',
    ':',
    '10.0.0.1:1',
    '\u0004\b\b',
  );
  test('by nettop', () =>
    fc.assert(
      fc.property(nettop, (text) => {
        const { records, processes } = parseNettop(`,interface,state,bytes_in,bytes_out,\n${text}`);
        for (const record of [...records, ...parseNettop(text).records]) checkRecord(record);
        expect(records.length > 0 ? processes : 1).toBeGreaterThan(0);
      }),
      RUNS,
    ));

  test('by lsof', () =>
    fc.assert(
      fc.property(
        soup(
          'p',
          'c',
          'u',
          'f',
          't',
          'P',
          'n',
          'T',
          '\n',
          'TCP',
          'IPv6',
          '*:1',
          '->',
          '[::1]:2',
          '\\x1b',
          'p1\ncx\nf1\nPTCP\nn*:1\n',
        ),
        (text) => {
          for (const record of parseLsof(text)) checkRecord(record);
        },
      ),
      RUNS,
    ));

  test('by ps', () =>
    fc.assert(
      fc.property(soup(' 1 2 3 /bin/x\n', '\n', ' ', '/', '-2'), (text) => {
        for (const { pid, ppid, uid, exe, name } of parsePs(text)) {
          for (const number of [pid, ppid, uid]) expect(Number.isSafeInteger(number) && number >= 0).toBe(true);
          expect(`${exe ?? ''}${name}`).not.toMatch(CONTROLS);
        }
      }),
      RUNS,
    ));
});

describe('nettop', () => {
  const v4 = fc.ipV4();
  // Link-local ones are read without the interface that BSD writes into them; embedded IPv4 has another spelling.
  const v6 = fc.ipV6().filter((text) => !/^fe[89ab]/i.test(text) && !text.includes('.'));
  const port = fc.integer({ min: 1, max: 65_535 });
  const name = fc
    .string({ unit: fc.constantFrom(...'abcXYZ .-_,"()é0'), minLength: 1, maxLength: 15 })
    .filter((text) => text.trimEnd() !== '' && !/^(?:tcp|udp|quic)/.test(text));
  const pid = fc.integer({ min: 0, max: 0x7fff_ffff });
  const row = fc.oneof(fc.tuple(fc.constant('4'), v4, port, v4, port), fc.tuple(fc.constant('6'), v6, port, v6, port));
  const text = (address: string): string | null => {
    const words = new Int32Array(4);
    if (!parseAddress(address, words)) throw new Error(address);
    return words.every((word) => word === 0) || address === '0.0.0.0' ? null : formatAddress(words);
  };

  test('reads back each flow under its process', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(name, pid, fc.boolean(), fc.array(row, { maxLength: 3 })), { maxLength: 6 }), (processes) => {
        const lines: string[] = [',interface,state,bytes_in,bytes_out,'];
        const expected: unknown[] = [];
        for (const [owner, number, quoted, flows] of processes) {
          const field = `${owner}.${number}`;
          // Names with quotes are quoted, as CSV wants it; commas may stand bare.
          lines.push(`${quoted || field.includes('"') ? `"${field.replaceAll('"', '""')}"` : field},,,1,2,`);
          for (const [family, local, localPort, remote, remotePort] of flows) {
            const dot = family === '6' ? '.' : ':';
            lines.push(`tcp${family} ${local}${dot}${localPort}<->${remote}${dot}${remotePort},en0,Established,3,4,`);
            expected.push([number, owner.trimEnd(), text(local), localPort, text(remote), remotePort]);
          }
        }
        const shown = (end: SocketEnd | null) => [end?.words == null ? null : formatAddress(end.words), end?.port];
        const read = parseNettop(`${lines.join('\n')}\n`).records.map((record) => [
          record.pid,
          record.name,
          ...shown(record.local),
          ...shown(record.remote),
        ]);
        expect(read).toEqual(expected);
      }),
      RUNS,
    ));
});
