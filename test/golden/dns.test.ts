// The view of DNS: questions one by one and in groups, their details, resolvers with encrypted DNS among them, hostile names, hidden ones.

import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type DnsRow, NO_DNS, type ResolverRow } from '../../src/model/dns.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { busy, NOON, snapshot } from '../support/snapshot-builder.ts';
import { screenSvg } from '../support/svg.ts';
import { ourTheme, Stage } from '../support/terminal.ts';

let stage: Stage;

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

afterEach(() => stage.close());

function question(id: number, parts: Partial<DnsRow>): DnsRow {
  return {
    id: String(id),
    time: NOON - 60_000 + id * 1000,
    name: 'www.example.com',
    domain: 'example.com',
    type: 'A',
    app: 'curl',
    pid: 4711,
    reason: null,
    onBehalfOf: null,
    resolver: { address: '192.168.1.1', port: 53 },
    transport: 'udp',
    interface: 'en0',
    direction: 'outbound',
    result: 'NOERROR',
    answer: '192.0.2.7\n192.0.2.8',
    answerCount: 2,
    tookMs: 12.3,
    tries: 1,
    ...parts,
  };
}

const FAILED = { answer: '', answerCount: 0 };
const QUESTIONS: readonly DnsRow[] = [
  question(1, {}),
  question(2, { type: 'AAAA', answer: '2001:db8::7', answerCount: 1, tookMs: 13.1 }),
  question(3, {
    app: 'mDNSResponder',
    pid: 300,
    onBehalfOf: 'Safari',
    name: 'news.example.org',
    domain: 'example.org',
    tookMs: 310,
    tries: 2,
  }),
  question(4, {
    app: 'mDNSResponder',
    pid: 300,
    onBehalfOf: 'Safari',
    name: 'img.example.org',
    domain: 'example.org',
    type: 'HTTPS',
    answer: '',
    answerCount: 1,
  }),
  question(5, { ...FAILED, name: 'nowhere.example.com', result: 'NXDOMAIN', tookMs: 25 }),
  question(6, { ...FAILED, name: 'broken.example.net', domain: 'example.net', result: 'SERVFAIL', tookMs: 1204, tries: 3 }),
  question(7, { name: 'mail.example.net', domain: 'example.net', type: 'MX', answer: 'mx1.example.net', answerCount: 4 }),
  question(8, { ...FAILED, name: 'api.example.net', domain: 'example.net', result: 'NODATA', answer: 'edge.example.org' }),
  question(9, {
    ...FAILED,
    name: 'lost.example.com',
    app: null,
    pid: null,
    reason: 'hidden by the system',
    result: 'no answer',
    tookMs: null,
  }),
  question(10, {
    name: 'printer.local',
    domain: null,
    transport: 'mdns',
    resolver: { address: 'fe80::1234:5678:9abc:def0', port: 5353 },
    answer: '192.168.1.9',
    answerCount: 1,
    tookMs: 31,
  }),
  question(11, { ...FAILED, name: 'big.example.com', type: 'TXT', result: 'truncated', tookMs: 9 }),
  question(12, { ...FAILED, name: 'late.example.com', result: 'waiting', tookMs: null }),
];

const resolver = (parts: Partial<ResolverRow>): ResolverRow => ({
  ...{ id: '0 192.168.1.1', address: '192.168.1.1', transport: 'udp', questions: 1204, answered: 1200, failed: 12, missing: 90 },
  ...{ unanswered: 4, medianMs: 12.3, slowMs: 310, recentMs: 12, recentSlowMs: 15, recent: 3, lastSeen: NOON - 2000 },
  ...parts,
});

const asked = (questions: readonly DnsRow[], missed = 0): Snapshot => ({
  ...busy(40),
  dns: {
    ...NO_DNS,
    questions,
    count: questions.length,
    missed,
    resolvers: [
      resolver({}),
      resolver({
        id: '2 local network',
        address: 'local network',
        transport: 'mdns',
        questions: 3,
        failed: 0,
        unanswered: 0,
        missing: 0,
        slowMs: 31,
      }),
    ],
    encrypted: [
      {
        id: 'x',
        app: 'firefox',
        reason: null,
        host: 'mozilla.cloudflare-dns.com',
        transport: 'https',
        connections: 2,
        rxBytes: 48_000,
        txBytes: 21_000,
        lastSeen: NOON - 9000,
      },
      {
        id: 'y',
        app: 'systemd-resolved',
        reason: null,
        host: '9.9.9.9',
        transport: 'tls',
        connections: 1,
        rxBytes: 2000,
        txBytes: 900,
        lastSeen: NOON - 30_000,
      },
    ],
  },
});

async function frame(name: string): Promise<void> {
  await expect(stage.text()).toMatchFileSnapshot(`__frames__/dns-${name}.txt`);
}

test.each([
  [80, 24],
  [120, 40],
  [160, 50],
  [40, 10],
] as const)('%ix%i', async (columns, rows) => {
  stage = new Stage(columns, rows);
  const size = `${columns}x${rows}`;
  await stage.show(asked(QUESTIONS));
  await stage.press('9');
  await frame(size);
  await stage.press('b');
  await frame(`by-app-${size}`);
  await stage.press('\x1b[B', '\x1b[C');
  await frame(`by-app-open-${size}`);
});

test('groups by name and by domain, with their details', async () => {
  stage = new Stage(100, 30);
  await stage.show(asked(QUESTIONS, 120_000));
  await stage.press('9', 'b', 'b');
  await frame('by-name-100x30');
  await stage.press('b', '\x1b[B', '\r');
  await frame('details-group-100x30');
});

test('details of a question and of resolvers', async () => {
  stage = new Stage(80, 24);
  await stage.show(asked(QUESTIONS.slice(0, 6)));
  await stage.press('9', '\r');
  await frame('details-80x24');
  await stage.press('\x1b', '\t', '\r');
  await frame('details-resolver-80x24');
  await stage.press('\x1b', '\x1b[B', '\x1b[B', '\r');
  await frame('details-encrypted-80x24');
});

test('sorts by time that answers took, and filters by result', async () => {
  stage = new Stage(100, 30);
  await stage.show(asked(QUESTIONS));
  await stage.press('9', '/', ...'state:servfail', '\r');
  expect(stage.text()).toContain('broken.example.net');
  expect(stage.text()).not.toContain('www.example.com');
});

test('hidden names are hidden in every column', async () => {
  stage = new Stage(160, 50);
  await stage.show(asked(QUESTIONS));
  await stage.press('9', 'x');
  await frame('private-160x50');
  expect(stage.text()).not.toMatch(/example|192\.|printer|cloudflare|2001:/);
  await stage.press('b', 'b', '\r');
  expect(stage.text()).not.toMatch(/example|192\.|printer|cloudflare|2001:/);
});

test('what is typed as a filter says how many questions match', async () => {
  stage = new Stage(100, 30);
  await stage.show(asked(QUESTIONS));
  await stage.press('9', '/');
  for (const letter of 'state:servfail') await stage.press(letter);
  expect(stage.text()).toMatch(/ 1 question +Enter keeps it/);
});

test('without packets it says why it is empty', async () => {
  stage = new Stage(80, 24);
  await stage.show(snapshot({ capture: { ...busy(1).capture, packets: null } }));
  await stage.press('9');
  expect(stage.text()).toContain('questions are read from packets');
});

test('is the picture in the documentation', async () => {
  const theme = ourTheme('netmon');
  stage = new Stage(112, 32, { theme });
  await stage.show(asked(QUESTIONS));
  await stage.press('9');
  const ground = { fg: theme.colours.main_fg ?? 0xd0d0d0, bg: theme.colours.main_bg ?? 0x14161b };
  const svg = screenSvg(stage.terminal, ground, 'what is asked of DNS, and what each resolver did');
  await expect(svg).toMatchFileSnapshot(fileURLToPath(new URL('../../docs/screens/dns.svg', import.meta.url)));
});

test('where everything is encrypted, it says so', async () => {
  stage = new Stage(80, 24);
  await stage.show(asked([]));
  await stage.press('9');
  expect(stage.text()).toContain("what is asked here is encrypted: it can't be read");
});

test('names from outside stay text', async () => {
  stage = new Stage(120, 30);
  const hostile = ['evil{red-bg}x{/}', '\x1b]0;title\x07\x9b2J', '\u202Egnp.exe', `${'long-'.repeat(40)}.example.com`];
  await stage.show(
    asked(
      hostile.map((name, i) =>
        question(i, {
          name,
          app: name,
          type: name,
          answer: name,
          result: i === 1 ? name : 'NOERROR',
          interface: name,
          resolver: { address: name, port: 53 },
        }),
      ),
    ),
  );
  await stage.press('9');
  await frame('hostile-120x30');
  await stage.press('\r');
  await frame('hostile-details-120x30');
});
