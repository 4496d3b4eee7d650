// Every view at every size, with trees opened, events, and names that try to break it; and what a row of keys does to the screen, one by one.

import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Figures, Quality } from '../../src/model/quality.ts';
import type { FlowBurst, HostRow, NetEvent, Snapshot } from '../../src/model/snapshot.ts';
import { appRow, busy, flowRow, hostRow, NOON, snapshot } from '../support/snapshot-builder.ts';
import { screenSvg } from '../support/svg.ts';
import { ourTheme, Stage } from '../support/terminal.ts';

let stage: Stage | null = null;

beforeAll(() => {
  process.env['TZ'] = 'UTC';
});

afterEach(() => {
  stage?.close();
  stage = null;
});

const VIEWS = [
  ['2', 'apps'],
  ['3', 'connections'],
  ['4', 'hosts'],
  ['5', 'categories'],
  ['6', 'interfaces'],
  ['7', 'events'],
  ['1', 'overview'],
  ['l', 'lite'],
] as const;

const HOSTILE = [
  'evil{red-bg}x{/}',
  '\x1b]0;title\x07\x9b2J',
  '\u65e5\u672c\u8a9e\u306e\u30a2\u30d7\u30ea',
  '\u{1f469}\u200d\u{1f469}\u200d\u{1f467} family',
  'e\u0301te\u0301 z\u0351\u0352\u0353algo',
  '\u05e9\u05dc\u05d5\u05dd \u202Egnp.exe',
  `${'very-long-'.repeat(40)}name`,
];

function event(id: number, parts: Partial<NetEvent>): NetEvent {
  const nothing = { text: '', app: null, domain: null, interface: null, flow: null, burst: null };
  return { id: `event:${id}`, time: NOON - 60_000 + id * 1000, kind: 'warning', ...nothing, ...parts };
}

const CURLS: FlowBurst = {
  ...{ of: 'app', reason: null, count: 312, host: 'example.com', hosts: 1 },
  ...{ since: NOON - 67_000, rxBytes: 3 << 20, txBytes: 40_000 },
};

/** A busy machine on which something happened. */
function eventful(): Snapshot {
  const shown = busy(40);
  const [first, second] = shown.flows;
  return {
    ...shown,
    events: [
      event(1, { kind: 'start', text: 'libpcap on en0, owners by pktap' }),
      event(2, { kind: 'fallback', text: 'not tcpdump: it is no faster' }),
      event(3, { kind: 'new app', app: 'Slack', flow: second ?? null }),
      event(4, { kind: 'new domain', domain: 'example.org', app: 'curl' }),
      event(5, { kind: 'opened', app: 'curl', flow: first ?? null }),
      event(6, { kind: 'closed', app: 'curl', flow: first ?? null }),
      event(7, { kind: 'closed', app: 'curl', burst: CURLS }),
      event(8, { kind: 'gap', text: '9 s not measured: sleep' }),
      event(9, { kind: 'interface', interface: 'utun4', text: 'is captured from now on' }),
      event(10, { kind: 'recording', text: 'recording' }),
      event(11, { kind: 'export', text: '11 rows written to /tmp/netmon-apps.csv' }),
    ],
  };
}

/** All that comes from outside is hostile. */
function hostile(): Snapshot {
  return snapshot({
    apps: HOSTILE.map((app, i) => appRow({ id: `a${i}`, app, user: app, rxRate: 100 - i, rxBytes: 10 })),
    hosts: HOSTILE.map((host, i) => hostRow({ id: `h${i}`, host, domain: host, category: host, country: host, rxRate: 100 - i })),
    flows: HOSTILE.map((app, i) =>
      flowRow({ id: `${i}`, app, host: app, domain: app, state: app, protocol: app, rxRate: 100 - i, rxBytes: 5 }),
    ),
    categories: HOSTILE.map((category, i) => ({
      ...{ rxBytes: 1, txBytes: 0, rxPackets: 1, txPackets: 0, rxRate: 9, txRate: 0, means: [] },
      id: `c${i}`,
      category,
      flows: 1,
      recent: [],
    })),
    events: HOSTILE.flatMap((app, i) => [
      event(2 * i, { kind: 'new app', app, flow: flowRow({ id: `${i}`, app, host: app }) }),
      event(2 * i + 1, { text: app, interface: app, domain: app }),
    ]),
  });
}

const trips = (medianMs: number, samples: number) => ({
  roundTrips: { medianMs, highMs: medianMs * 1.6, lowMs: medianMs * 0.9, samples },
});

function answering(figures: Partial<Figures>, leastMs: number): Quality {
  const none = {
    roundTrips: null,
    segments: 0,
    sentAgain: 0,
    receivedAgain: 0,
    answered: 0,
    refused: 0,
    unanswered: 0,
    reset: 0,
  };
  const recent = { ...none, ...figures };
  return { recent, all: recent, leastMs };
}

/** A machine on which one host is slow, another refuses, and the rest answers as it should. */
function measured(): Snapshot {
  const shown = busy(40);
  const [slow, shut, ...others] = shown.hosts;
  const hosts = [
    { ...(slow as HostRow), quality: answering({ ...trips(180, 24), segments: 1200, sentAgain: 3, answered: 4 }, 176) },
    { ...(shut as HostRow), quality: answering({ refused: 3 }, 12) },
    ...others.map((row, i) => ({ ...row, quality: answering({ ...trips(9 + i, 8), segments: 300, answered: 2 }, 8) })),
  ];
  const far = answering({ ...trips(14, 90), segments: 9000, sentAgain: 12, receivedAgain: 9, answered: 40, refused: 3 }, 8);
  const near = answering({ ...trips(1.8, 12), segments: 200, answered: 3 }, 0.9);
  return {
    ...shown,
    hosts,
    interfaces: shown.interfaces.map((row, i) =>
      i > 0 ? row : { ...row, ends: { near, far }, link: { signal: null, share: 1, rate: 866, isWeak: false } },
    ),
    diagnoses: [
      { kind: 'host refuses', host: shut?.host ?? '', count: 3 },
      { kind: 'host is slow', host: slow?.host ?? '', ms: 180, leastMs: 176, othersMs: 12 },
    ],
  };
}

test.each([
  [80, 24],
  [120, 40],
] as const)('how hosts answer, %ix%i', async (columns, rows) => {
  stage = new Stage(columns, rows);
  await stage.show(measured());
  await stage.press('6');
  await expect(stage.text()).toMatchFileSnapshot(`__frames__/views/quality-${columns}x${rows}.txt`);
  await stage.press('4', '\r');
  await expect(stage.text()).toMatchFileSnapshot(`__frames__/views/quality-host-${columns}x${rows}.txt`);
  await stage.press('\x1b', '6', '\r');
  await expect(stage.text()).toMatchFileSnapshot(`__frames__/views/quality-interface-${columns}x${rows}.txt`);
});

test('how hosts answer is the picture in the documentation', async () => {
  const theme = ourTheme('netmon');
  stage = new Stage(112, 30, { theme });
  const shown = measured();
  const answered = { id: '0 192.168.1.1', address: '192.168.1.1', transport: 'udp', questions: 231, answered: 231 } as const;
  const times = { medianMs: 12, slowMs: 34, recentMs: 11, recentSlowMs: 31, recent: 40 };
  const resolvers = [{ ...answered, ...times, failed: 0, missing: 4, unanswered: 0, lastSeen: shown.time }];
  await stage.show({ ...shown, dns: { ...shown.dns, resolvers } });
  await stage.press('6');
  const ground = { fg: theme.colours.main_fg ?? 0xd0d0d0, bg: theme.colours.main_bg ?? 0x14161b };
  const svg = screenSvg(stage.terminal, ground, 'interfaces, what is wrong, and how each end answers');
  await expect(svg).toMatchFileSnapshot(fileURLToPath(new URL('../../docs/screens/why.svg', import.meta.url)));
});

describe.each([
  [80, 24],
  [100, 30],
  [120, 40],
  [160, 50],
  [200, 50],
  [40, 10],
] as const)('%ix%i', (columns, rows) => {
  test('every view', async () => {
    stage = new Stage(columns, rows);
    await stage.show(eventful());
    for (const [key, name] of VIEWS) {
      await stage.press(key);
      if (name === 'apps' || name === 'hosts') await stage.press('\x1b[C', '\x1b[C', '\x1b[C', '\x1b[D', '\x1b[C');
      await expect(stage.text()).toMatchFileSnapshot(`__frames__/views/${name}-${columns}x${rows}.txt`);
    }
    await stage.press('t');
    await expect(stage.text()).toMatchFileSnapshot(`__frames__/views/events-log-${columns}x${rows}.txt`);
  });

  test('every view, with names that try to break it', async () => {
    stage = new Stage(columns, rows);
    await stage.show(hostile());
    for (const [key, name] of VIEWS) {
      await stage.press(key);
      if (name === 'apps' || name === 'hosts') await stage.press('\x1b[C', '\x1b[C', '\x1b[C');
      await expect(stage.text()).toMatchFileSnapshot(`__frames__/views/hostile-${name}-${columns}x${rows}.txt`);
      for (let y = 2; y < rows - 1; y++)
        if ('\u2502\u250c\u2514'.includes(stage.cell(0, y).text))
          expect('\u2502\u2510\u2518', `row ${y}`).toContain(stage.cell(columns - 1, y).text);
    }
    expect(stage.output.log).not.toMatch(/\x1b\]0;|red-bg.*\x07/);
  });

  test('popups', async () => {
    stage = new Stage(columns, rows);
    await stage.show(eventful());
    for (const [key, name] of [
      ['\r', 'details'],
      ['e', 'export'],
      ['i', 'interfaces'],
      ['?', 'help'],
    ] as const) {
      await stage.press(key);
      if (name === 'interfaces')
        stage.tui.apply({
          type: 'interfaces',
          items: [
            { name: null, isRoute: false, about: 'every interface', isCaptured: false },
            { name: null, isRoute: true, about: 'en0 now; follows it wherever it goes', isCaptured: false },
            { name: 'en0', isRoute: false, about: HOSTILE[0] ?? '', isCaptured: true },
          ],
        });
      await stage.press();
      await expect(stage.text()).toMatchFileSnapshot(`__frames__/views/popup-${name}-${columns}x${rows}.txt`);
      await stage.press('\x1b');
    }
  });
});

test('a screen that is too small says so, and comes back', async () => {
  stage = new Stage(39, 9);
  await stage.show(eventful());
  expect(stage.text()).toContain('is too small');
  await stage.press('7');
  await stage.resize(80, 24);
  expect(stage.text()).toContain('Events 8 ');
});

test('colours of what matters: what is new, a warning, a closed connection', async () => {
  stage = new Stage(120, 40);
  await stage.show(eventful());
  await stage.press('7');
  const at = (text: string) => {
    for (let y = 0; y < 40; y++) {
      const x = stage?.line(y).indexOf(text) ?? -1;
      if (x >= 0) return stage?.cell(x, y).fg;
    }
    return undefined;
  };
  expect(at('new app')).not.toBe(at('start'));
  expect(at('gap ')).not.toBe(at('start'));
  await stage.press('3', 't');
  expect(stage.text()).toContain('Connections 40');
});

test('a row of keys, one frame each', async () => {
  stage = new Stage(80, 24);
  await stage.show(eventful());
  const seen: string[] = [];
  for (const key of [
    'j',
    '\x1b[C',
    '\t',
    'Z',
    'Z',
    'o',
    'f',
    'z',
    't',
    'n',
    'N',
    'u',
    'x',
    'p',
    's',
    'S',
    '<',
    'G',
    'g',
    '7',
    '1',
  ]) {
    await stage.press(key);
    seen.push(`--- ${JSON.stringify(key)}\n${stage.text()}`);
  }
  await expect(seen.join('')).toMatchFileSnapshot('__frames__/views/keys-80x24.txt');
});
