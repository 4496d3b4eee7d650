// Both kinds of files against the simplest model there is, an array of bytes; and SQLite on them.

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HistoryDatabase } from '../../../../src/history/database.ts';
import { HistoryFileError } from '../../../../src/history/files.ts';
import { loadHistory } from '../../../../src/history/load.ts';
import { type DatabaseFile, DiskFile, OverlayFile } from '../../../../src/history/sqljs/database-file.ts';
import type { SqlEngine } from '../../../../src/history/sqljs/engine.ts';
import { batch, entry, fileOf, NOVEMBER, question, sqlEngines } from '../../../support/history.ts';

const engines = await sqlEngines();
const sql = engines[0]?.[1] as SqlEngine;
let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netmon-file-'));
  path = join(folder, 'file');
});
afterEach(() => rmSync(folder, { recursive: true }));

const step = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), at: fc.nat(20_000), bytes: fc.uint8Array({ minLength: 1, maxLength: 9000 }) }),
  fc.record({ kind: fc.constant('cut' as const), size: fc.nat(20_000) }),
  fc.record({ kind: fc.constant('read' as const), at: fc.nat(25_000), length: fc.nat(9000) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Takes the steps on a file that holds `begin`, and compares all that is read. */
function follow(file: DatabaseFile, begin: Uint8Array, steps: readonly Step[]): void {
  let model = begin.slice();
  const resized = (size: number) => {
    const other = new Uint8Array(size);
    other.set(model.subarray(0, size));
    return other;
  };
  for (const doing of steps) {
    if (doing.kind === 'write') {
      file.write(doing.bytes, doing.at);
      if (doing.at + doing.bytes.length > model.length) model = resized(doing.at + doing.bytes.length);
      model.set(doing.bytes, doing.at);
    } else if (doing.kind === 'cut') {
      file.truncate(doing.size);
      model = resized(doing.size);
    } else {
      const bytes = new Uint8Array(doing.length).fill(0xee);
      const length = file.read(bytes, doing.at);
      expect(bytes.subarray(0, length)).toEqual(model.slice(doing.at, doing.at + doing.length));
    }
    expect(file.size).toBe(model.length);
  }
}

const begins = fc.uint8Array({ maxLength: 15_000 });

describe('a file', () => {
  test('that is only read keeps what changes, and leaves the base as it was', () => {
    fc.assert(
      fc.property(begins, fc.array(step, { maxLength: 20 }), (begin, steps) => {
        const before = begin.slice();
        follow(fileOf(begin), before, steps);
        expect(begin).toEqual(before);
      }),
      { numRuns: 200 },
    );
  });

  test('that is written in place has what was written', () => {
    fc.assert(
      fc.property(begins, fc.array(step, { maxLength: 20 }), (begin, steps) => {
        writeFileSync(path, begin);
        const file = new DiskFile(openSync(path, 'r+'), begin.length);
        follow(file, begin, steps);
        file.close();
      }),
      { numRuns: 50 },
    );
  });

  test('counts blocks that changed, each once, and none that is written as it was', () => {
    writeFileSync(path, Buffer.alloc(40_960, 7));
    const file = new DiskFile(openSync(path, 'r+'), 40_960);
    file.write(new Uint8Array(40_960).fill(7), 0);
    expect(file.changedBytes).toBe(0);
    for (let i = 0; i < 3; i++) file.write(Uint8Array.of(i + 1), 4096);
    file.write(new Uint8Array(4096), 36_864);
    expect(file.changedBytes).toBe(8192);
    file.close();
  });
});

describe('SQLite on a file', () => {
  const many = Array.from({ length: 3000 }, (_, i) => entry({ host: `host-${i}.example.com`, rxBytes: 1 }));

  test.each(engines)('makes a history there that it reads again, and that is whole: %s', (_, sql) => {
    writeFileSync(path, '');
    const file = new DiskFile(openSync(path, 'r+'), 0);
    const made = HistoryDatabase.create(sql, file);
    made.apply(1, batch(NOVEMBER, many));
    const { bytes } = made;
    const image = Buffer.from(made.image()); // its header has a count of changes of its own
    made.flush();
    made.close();
    file.close();
    expect(file.size).toBe(bytes);
    expect(readFileSync(path).subarray(100).equals(image.subarray(100))).toBe(true);
    const again = HistoryDatabase.open(sql, fileOf(readFileSync(path)));
    expect(again.query(question()).total.rxBytes).toBe(3000);
    again.close();
  });

  test('puts what it sorts into files that it is given, and closes each', () => {
    let open = 0;
    let written = 0;
    const makeTemporary = () => {
      open++;
      const kept = fileOf(new Uint8Array());
      return Object.assign(kept, {
        close: () => {
          open--;
          written += kept.size;
        },
      });
    };
    const history = HistoryDatabase.create(sql, Object.assign(fileOf(new Uint8Array()), { makeTemporary }));
    for (let minute = 0; minute < 40; minute++) history.apply(minute + 1, batch(NOVEMBER + minute, many));
    const found = history.sql('SELECT time || hostname AS a, packet_size FROM connections ORDER BY a DESC', {
      timeoutMs: 0,
      rows: 1,
    });
    expect(found.rows).toEqual([['2026-11-01T00:39:00Zhost-999.example.com', 1]]);
    history.close();
    expect(written).toBeGreaterThan(100_000);
    expect(open).toBe(0);
  });

  test('tells of a disk that fails as the system does, and calls no file damaged for it', () => {
    const history = HistoryDatabase.create(sql);
    history.apply(1, batch(NOVEMBER, many));
    const image = history.image();
    history.close();
    const fault = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    const read = (into: Uint8Array, at: number) => {
      if (at > 20_000) throw fault;
      into.set(image.subarray(at, at + into.length));
      return into.length;
    };
    const open = () => HistoryDatabase.open(sql, new OverlayFile({ size: image.length, read }));
    expect(open).toThrow(fault);
    expect(open).not.toThrow(HistoryFileError);
  });
});

test('what a journal holds beyond an image is read with it and written nowhere', () => {
  const history = HistoryDatabase.create(sql);
  history.apply(1, batch(NOVEMBER, [entry({ rxBytes: 5 })]));
  writeFileSync(path, history.image());
  history.close();
  const before = readFileSync(path);
  const state = loadHistory(sql, path);
  state.database.apply(2, batch(NOVEMBER, [entry({ rxBytes: 7, host: 'another.example.com' })]));
  expect(state.database.query(question()).total.rxBytes).toBe(12);
  expect(state.isWhole).toBe(true);
  expect(readFileSync(path).equals(before)).toBe(true);
  const descriptor = openSync(path, 'a');
  writeFileSync(descriptor, 'x');
  closeSync(descriptor);
  expect(state.isWhole).toBe(false);
  state.close();
});
