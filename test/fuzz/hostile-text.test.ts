// Names that strangers choose, from the wire to every way out: screen, clipboard, JSON, CSV, HTML, SQL. Whatever they hold, nothing is drawn
// outside of its cell, nothing is run, nothing is lost of what is harmless.

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { reportPage } from '../../src/cli/report/page.ts';
import { reportFacts } from '../../src/cli/report/report-facts.ts';
import { HistoryDatabase } from '../../src/history/database.ts';
import type { HistoryReader } from '../../src/history/query/reader.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { sanitize } from '../../src/net/text.ts';
import { csvLine } from '../../src/output/csv.ts';
import { linePieces } from '../../src/output/json-writer.ts';
import { alertOf } from '../support/alerts.ts';
import { pcapngFile } from '../support/capture-writer.ts';
import { ethernet, ipv4, tcp } from '../support/frames.ts';
import { batch, entry, MINUTE, NOVEMBER, sqlJs } from '../support/history.ts';
import { tlsHello } from '../support/payloads.ts';
import { Stage } from '../support/terminal.ts';
import { snapshotOf } from '../support/whole-snapshot.ts';

const NASTY: readonly string[] = [
  '\x1b]0;owned\x07\x1b[2J\x1b[31mred',
  '\x9b2J\x90q\x9c\x1b[?1003h\x1b[>4;2m',
  '{red-fg}{bold}{/}{escape}{open}{close}',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '"><svg/onload=alert(1)>\'--',
  "'; DROP TABLE records; --",
  "=cmd|'/C calc'!A0",
  '@SUM(1+1)*cmd',
  '-2+3',
  '\t=1+1',
  '\u202egpj.exe\u2066\u2069\u200f',
  'a\u0301\u0301\u0301\u0301\u0301\u0301',
  '👩‍👩‍👧‍👦 日本語のアプリ',
  'العربية عبر الشبكة',
  '\ud800lone\udfff',
  'a\0b',
  'line\nbreak\r\nand more\u2028\u2029',
  '../../etc/passwd',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would run
  '$(reboot) `reboot` ${HOME}',
  '\x0e\x0flqqk',
  `long${'x'.repeat(65_536)}`,
  '',
];
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
/** Sequences a frame is made of: moves, colours, erasures, modes of our own. */
const OWN = /\x1b(?:\[[\d;]*[A-HJKXdfm]|\[\?(?:1049|25|7|12|1|2004|1000|1002|1006)[hl]|\[[\d;]*r|[=>78cM]|\(B|\[!p|\[4l)/g;

/** A capture of one process with this name, on an interface with this name, that opened one flow. */
function captureOf(name: string): Uint8Array {
  const frame = ethernet(
    {},
    ipv4(
      { src: '10.0.0.1', dst: '192.0.2.9' },
      tcp({ sport: 40_000, dport: 443, flags: 0x18 }, tlsHello({ name: 'www.example.com' })),
    ),
  );
  return pcapngFile([
    { block: 'section' },
    { block: 'interface', name: `en0${name}` },
    { block: 'process', pid: 501, name },
    { block: 'packet', data: frame, direction: 'out', process: 0, ticks: 1_700_000_000_000_000n },
  ]);
}

/** Every text of a snapshot. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

let database: HistoryDatabase;
beforeAll(async () => {
  database = HistoryDatabase.create(await sqlJs());
});

const snapshots = new Map<string, Promise<Snapshot>>();
const shown = (name: string) => snapshots.get(name) ?? snapshots.set(name, snapshotOf(captureOf(name))).get(name)!;

async function checkSnapshot(name: string): Promise<void> {
  const snapshot = await shown(name);
  for (const text of textsOf({ ...snapshot, capture: { ...snapshot.capture, note: '' } })) {
    expect(text).not.toMatch(CONTROLS);
    expect(text.length).toBeLessThanOrEqual(512);
  }
  const line = [...linePieces('end', snapshot)].join('');
  expect(line.indexOf('\n')).toBe(line.length - 1);
  const { apps } = JSON.parse(line) as { apps: { app: string | null }[] };
  expect(apps.map(({ app }) => app)).toEqual(snapshot.apps.map(({ app }) => app));
}

async function checkScreen(name: string, columns: number, rows: number): Promise<void> {
  const stage = new Stage(columns, rows);
  try {
    const titles: string[] = [];
    stage.terminal.onTitleChange((title) => titles.push(title));
    await stage.show(await shown(name));
    for (const key of ['2', '3', '4', '6', '1', '\r', '\x1b', '/']) await stage.press(key);
    for (const character of name.slice(0, 12)) if (character >= ' ' && character !== '\x7f') await stage.press(character);
    await stage.press('\r', 'y');
    const copied = stage.effects.flatMap((effect) => (effect.type === 'copy' ? [effect.text] : []));
    for (const text of copied) expect(text.replaceAll('\t', '')).not.toMatch(CONTROLS);
    expect(titles).toEqual([]);
    // The clipboard's own sequence holds only what base64 is made of.
    const rest = stage.output.log.replace(/\x1b\]52;c;[\w+/=]*(?:\x07|\x1b\\)/g, '').replace(OWN, '');
    expect(rest.match(/[\x00-\x07\x0b\x0c\x0e-\x1f\x7f-\x9f].{0,12}/)).toBeNull();
    for (let y = 0; y < rows; y++) expect(stage.line(y).length).toBeLessThanOrEqual(columns * 8);
  } finally {
    stage.close();
  }
}

/** What RFC 4180 says a line of cells means. */
function parseCsv(line: string): string[] {
  const cells: string[] = [];
  let at = 0;
  while (at <= line.length - 2) {
    if (line[at] === '"') {
      let text = '';
      for (at++; line[at] !== '"' || line[at + 1] === '"'; at++) {
        if (line[at] === '"') at++;
        text += line[at];
      }
      cells.push(text);
      at += 2;
    } else {
      const end = line.slice(at, -2).indexOf(',');
      const to = end < 0 ? line.length - 2 : at + end;
      cells.push(line.slice(at, to));
      at = to + 1;
    }
  }
  return cells;
}

function checkCsv(name: string): void {
  const line = csvLine(['a', name, 1]);
  expect(line.endsWith('\r\n')).toBe(true);
  const [first, cell, last] = parseCsv(line);
  expect([first, last]).toEqual(['a', '1']);
  expect(cell).not.toMatch(/^[=+\-@\t\r]/);
  expect([cell, cell?.slice(1)]).toContain(name.replaceAll('\0', ''));
}

let sequence = 0;

async function checkHistory(name: string): Promise<void> {
  const app = sanitize(name) || 'nameless';
  const host = app;
  database.apply(++sequence, batch(NOVEMBER, [entry({ app, host, domain: app, category: app, exe: app, rxBytes: 7 })]));
  const question = {
    from: NOVEMBER * MINUTE,
    to: NOVEMBER * MINUTE + 60 * MINUTE,
    app,
    domain: null,
    category: null,
    interface: null,
    filter: null,
  };
  const { rows } = database.query({ ...question, by: 'host', top: 10, steps: 0 });
  expect(rows.map(({ key, detail }) => [key, detail])).toEqual([[host, app]]);
  const reader = {
    query: async (query: Parameters<HistoryReader['query']>[0]) => database.query(query),
    firstSeen: async () => [{ app, domain: host, time: NOVEMBER * MINUTE }],
    // As raw as a forged file may hold it.
    alerts: async () => [{ ...alertOf({ app: name, host: name, domain: name, text: name, details: [name] }), deliveries: [] }],
  };
  const facts = await reportFacts(
    reader as unknown as HistoryReader,
    { from: question.from, to: question.to } as never,
    () => {},
  );
  const page = reportPage(facts, { version: '1', made: question.to, units: 'bytes' });
  const elements = new Set(page.match(/<[a-z!][a-z0-9]*/gi));
  const own = new Set([
    '<!doctype',
    '<html',
    '<head',
    '<meta',
    '<title',
    '<style',
    '<body',
    '<header',
    '<h1',
    '<h2',
    '<h3',
    '<h4',
    '<p',
    '<main',
    '<section',
    '<div',
    '<span',
    '<svg',
    '<desc',
    '<g',
    '<rect',
    '<line',
    '<text',
    '<path',
    '<figure',
    '<figcaption',
    '<table',
    '<caption',
    '<thead',
    '<tbody',
    '<tfoot',
    '<tr',
    '<th',
    '<td',
    '<button',
    '<bdi',
    '<ul',
    '<ol',
    '<li',
    '<details',
    '<summary',
    '<footer',
    '<time',
    '<script',
    '<dl',
    '<dt',
    '<dd',
    '<strong',
    '<em',
    '<small',
    '<b',
    '<circle',
    '<polyline',
    '<tspan',
    '<defs',
    '<pattern',
    '<clippath',
    '<article',
    '<nav',
    '<abbr',
    '<code',
    '<colgroup',
    '<col',
    '<i',
  ]);
  expect([...elements].filter((element) => !own.has(element.toLowerCase()))).toEqual([]);
  expect(page.match(/<script/g)?.length).toBe(1);
  expect(page).not.toMatch(/<[^>]*\son[a-z]+=/i);
}

describe.each(NASTY.map((name) => [JSON.stringify(name.slice(0, 40)), name] as const))('%s', (_, name) => {
  test('as a process and an interface, in the snapshot and the JSON', () => checkSnapshot(name));
  test('on the screen and in the clipboard', async () => {
    await checkScreen(name, 80, 24);
    await checkScreen(name, 200, 50);
  });
  test('in CSV', () => checkCsv(name));
  test('in history and the report', () => checkHistory(name));
});

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(fc.constantFrom(...NASTY.filter((name) => name.length < 100), 'a', '"', "'", ',', '{', '}', '<', '&'), {
      maxLength: 5,
    })
    .map((parts) => parts.join('')),
);

test('any text: JSON, CSV', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (name) => {
      checkCsv(name);
      await checkSnapshot(name);
    }),
    { numRuns: 150 },
  );
});

test(
  'any text: screen',
  () =>
    fc.assert(
      fc.asyncProperty(hostile, (name) => checkScreen(name, 80, 24)),
      { numRuns: 25 },
    ),
  120_000,
);

test('any text: history and report', () => fc.assert(fc.asyncProperty(hostile, checkHistory), { numRuns: 100 }));
