// schema/*.json are what the code makes and reads: real lines hold to them, and configuration files are judged alike. `node scripts/docs.mjs`
// writes them.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { afterAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/cli/config/config-file.ts';
import { SETTINGS, type Setting } from '../../src/cli/config/settings.ts';
import { explainHost, explainJson } from '../../src/cli/explain.ts';
import { answerJson } from '../../src/cli/history/answer-table.ts';
import { TCP_FLAG } from '../../src/net/numbers.ts';
import { gapLine, linePieces } from '../../src/output/json-writer.ts';
import { pcapFile } from '../support/capture-writer.ts';
import { ethernet, ipv4, tcp, udp } from '../support/frames.ts';
import { configSchema, faults, lineFaults, linesSchema, receiptSchema } from '../support/schemas.ts';
import { linesOf } from '../support/whole-run.ts';
import { historyResult, historyRow } from './cli/history/answers.ts';
import { appRow, flowRow, hostRow, snapshot, TIME } from './output/rows.ts';

const folder = mkdtempSync(join(tmpdir(), 'netmon-schemas-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (path: string) => new URL(`../../${path}`, import.meta.url);

test.each([
  ['schema/config.schema.json', configSchema()],
  ['schema/json-lines.schema.json', linesSchema()],
  ['schema/receipt.schema.json', receiptSchema()],
])('%s is what the code makes: node scripts/docs.mjs', (path, schema) => {
  const made = `${JSON.stringify(schema, null, 2)}\n`;
  if (process.env['NETMON_DOCS'] !== undefined) writeFileSync(at(path), made);
  expect(existsSync(at(path)) && readFileSync(at(path), 'utf8') === made).toBe(true);
});

describe('lines of --json', () => {
  test('of a replay', async () => {
    const us = '10.0.0.1';
    const them = '192.0.2.80';
    const segment = (flags: number) => ethernet({}, ipv4({ src: us, dst: them }, tcp({ sport: 50_000, dport: 443, flags })));
    const records = [
      { data: segment(TCP_FLAG.SYN), time: TIME },
      { data: ethernet({}, ipv4({ src: us, dst: them }, udp({ sport: 40_000, dport: 53 }))), time: TIME + 300 },
      { data: segment(TCP_FLAG.RST | TCP_FLAG.ACK), time: TIME + 2500 },
      { data: segment(TCP_FLAG.SYN), time: TIME + 86_400_000 },
      { data: segment(TCP_FLAG.ACK), time: TIME + 86_403_000 },
    ];
    const path = join(folder, 'x.pcap');
    writeFileSync(path, pcapFile({ records }));
    const lines = await linesOf(path, '--speed', '0');
    expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(['sample', 'open', 'close', 'gap', 'end']));
    expect(lines.flatMap(lineFaults)).toEqual([]);
  });

  test('with every row, known and unknown', () => {
    const rows = { apps: [appRow(), appRow({ app: null, reason: '3 more' })], hosts: [hostRow(), hostRow({ host: null })] };
    const inside = { protocol: 'udp', source: { address: '::1', port: 1 }, destination: { address: '::2', port: 2 }, host: null };
    const whole = { ...snapshot(), ...rows, flows: [flowRow({ inside }), flowRow({ app: null, pid: null, rttMs: null })] };
    expect(lineFaults(JSON.parse([...linePieces('end', whole)].join('')))).toEqual([]);
  });

  test('of a gap', () => {
    const gap = { from: TIME, to: TIME + 9000, reason: 'sleep' as const, detail: '' };
    expect(lineFaults(JSON.parse(gapLine(gap)))).toEqual([]);
  });

  test('of explain', () => {
    const explained = explainHost('api.example.com', 'curl', { categories: {}, place: { country: null, asn: null, home: null } });
    expect(lineFaults(JSON.parse(explainJson(explained)))).toEqual([]);
  });

  test('of history', () => {
    const answer = historyResult([historyRow({ key: 'curl' }), historyRow({ key: null, reason: '3 more' })]);
    expect(lineFaults(JSON.parse(answerJson(answer)))).toEqual([]);
  });

  test.each([
    [{ type: 'sample' }, 'is missing'],
    [{ type: 'other' }, 'no line has the type'],
    [{ type: 'gap', schema: 1, time: null, from: null, to: 7, reason: 'sleep', detail: '' }, '.to: 7 is not'],
    [{ type: 'gap', schema: 1, time: null, from: null, to: null, reason: 'tea', detail: '' }, '"tea" is none of'],
    [{ type: 'gap', schema: 1, time: null, from: null, to: null, reason: 'loss', detail: '', more: 1 }, '.more: is not in'],
  ])('%j is none', (line, fault) => expect(lineFaults(line).join('\n')).toContain(fault));
});

describe('config.toml', () => {
  const schema = configSchema();

  test('the example of the documentation', () => {
    const toml = /```toml\n([\s\S]*?)```/.exec(readFileSync(at('docs/configuration.md'), 'utf8'))?.[1] ?? '';
    expect(Object.keys(parse(toml)).length).toBeGreaterThan(5);
    expect(faults(parse(toml), schema)).toEqual([]);
  });

  test.each(Object.entries<Setting<unknown>>(SETTINGS))('%s takes its example, and no table', (name, { type }) => {
    const value =
      type.form === 'integer' || type.form === 'boolean' ? type.example : JSON.stringify(type.example.replaceAll("'", ''));
    const amount = name.startsWith('budget.') && name !== 'budget.amount' ? 'budget.amount = "1 GB"\n' : '';
    for (const [toml, holds] of [
      [`${amount}${name} = ${value}`, true],
      [`${amount}${name} = { a = 1 }`, false],
    ] as const) {
      expect(faults(parse(toml), schema).length === 0, toml).toBe(holds);
      if (holds) expect(readConfig('x.toml', toml).settings.size).toBeGreaterThan(0);
      else expect(() => readConfig('x.toml', toml)).toThrow();
    }
  });

  test.each([
    'intervall = "2s"',
    'driver = "pcap"',
    'names = "yes"',
    'interface = 1',
    'history.sizes = "9 MB"',
    'budget.day = 2',
    'budget = 7',
    'categories.x = "y"',
    'attach.office = "mac1"',
    'keys.quit = "q"',
  ])('%s is refused by schema and program', (toml) => {
    expect(faults(parse(toml), schema)).not.toEqual([]);
    expect(() => readConfig('x.toml', toml)).toThrow();
  });
});
