// What the user sees, as text files in __frames__: drawn by blessed, read back from a terminal emulator. A changed file is a changed screen.

import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NO_RATES } from '../../src/model/snapshot.ts';
import { emptySnapshot } from '../../src/view/empty-snapshot.ts';
import { appRow, busy, CAPTURE, flowRow, hostRow, NOON, series, snapshot, TLS_SPOKEN } from '../support/snapshot-builder.ts';
import { ourTheme, Stage } from '../support/terminal.ts';

let stage: Stage | null = null;

function open(...args: ConstructorParameters<typeof Stage>): Stage {
  stage = new Stage(...args);
  return stage;
}

async function frame(name: string): Promise<void> {
  await expect(stage?.text()).toMatchFileSnapshot(`__frames__/${name}.txt`);
}

beforeAll(() => {
  process.env['TZ'] = 'UTC'; // the screen shows local time
});

afterEach(() => {
  stage?.close();
  stage = null;
});

test('a peak far above 8 MB/s stands in the chart', async () => {
  const rate = (i: number) => [1e9, 4e9][i - 20] ?? 0;
  const s = open(80, 24);
  await s.show(snapshot({ rates: { ...NO_RATES, seconds: series(NOON, 1000, 22, rate, rate) } }));
  await s.press('[');
  expect(stage?.text()).toMatch(/▁▁▂█/);
});

describe('sizes', () => {
  for (const [columns, rows] of [
    [80, 24],
    [120, 40],
    [200, 50],
    [40, 10],
    [39, 10],
  ] as const)
    test(`overview at ${columns}x${rows}`, async () => {
      await open(columns, rows).show(busy(40));
      await frame(`overview-${columns}x${rows}`);
    });

  test('tabs at every width, and none where rows are few', async () => {
    const seen: string[] = [];
    for (const columns of [40, 60, 80, 100, 120, 160]) {
      stage?.close();
      const s = open(columns, 16);
      await s.show(busy(4));
      for (const key of ['3', '8']) {
        await s.press(key);
        seen.push(s.line(2));
      }
    }
    await expect(`${seen.join('\n')}\n`).toMatchFileSnapshot('__frames__/tabs.txt');
    await stage?.resize(80, 13);
    expect(stage?.text()).not.toContain('[8 History]');
    expect(stage?.text()).toContain('History · Apps');
  });

  test('each full-screen view', async () => {
    await open(120, 30).show(busy(40));
    for (const [key, name] of [
      ['2', 'apps'],
      ['3', 'connections'],
      ['4', 'hosts'],
      ['5', 'categories'],
      ['6', 'interfaces'],
    ] as const) {
      await stage?.press(key);
      await frame(`${name}-120x30`);
    }
  });

  test('a resize is right in one frame, both ways', async () => {
    const s = open(120, 40);
    await s.show(busy(40));
    await s.resize(80, 24);
    await frame('resized-80x24');
    await s.resize(120, 40);
    await frame('overview-120x40');
    await s.resize(30, 8);
    await frame('resized-30x8');
  });
});

test('look-ups of an app are one row; opened, each says what it asked for', async () => {
  const shown = busy(12);
  const asks = ['registry.npmjs.org', 'example.com', 'a-very-long-name-of-a-machine.in-some-cloud.example.com'].flatMap(
    (name, i) =>
      ['Slack', 'mDNSResponder'].map((app, j) =>
        flowRow({
          id: `l${i}${j}`,
          ...{ app, protocol: 'udp', application: 'dns', category: 'System and network', rxBytes: 120 + i, txBytes: 60 + i },
          local: { address: '10.0.0.5', port: 40_000 + i },
          remote: { address: '10.0.0.1', port: 53 },
          asked: { name, names: app === 'Slack' ? 1 : 9 },
          lastSeen: NOON - i * 1000,
        }),
      ),
  );
  const s = open(120, 30);
  await s.show({ ...shown, flows: [...shown.flows, ...asks], flowCount: 18 });
  await s.press('3', 'g');
  while (!/▌mDNSResponder +→ ▸ \d+ dns/.test(s.text())) await s.press('j');
  await s.press('\x1b[C');
  await frame('lookups-120x30');
  await s.press('\r');
  await frame('details-lookups-120x30');
});

describe('popups', () => {
  test('help at 80x24 scrolls to its end', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    await s.press('?');
    await frame('help-80x24');
    await s.press('G');
    await frame('help-end-80x24');
    await s.press('\x1b');
    await frame('overview-80x24');
  });

  test('details of an app and of a connection', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    await s.press('\r');
    await frame('details-app-80x24');
    await s.press('\x1b', '\t', 'j', '\r');
    await frame('details-connection-80x24');
  });

  test.each([
    [80, 24],
    [140, 40],
  ])('how a connection is spoken, and its packets, at %ix%i', async (columns, rows) => {
    const s = open(columns, rows);
    const tls = TLS_SPOKEN;
    const tcp = { flags: 0x18, sequence: 1, acknowledgement: 1, window: 65_536, isExact: true };
    const packet = { number: 0, time: NOON, isSent: true, payloadBytes: 0, tcp, marks: [], contents: '', name: null } as const;
    const packets = Array.from({ length: 40 }, (_, i) => ({
      ...packet,
      number: i,
      time: NOON + i * 20.5,
      isSent: i % 3 === 0,
      payloadBytes: i % 3 === 0 ? 0 : 1448 * (i % 40),
      tcp: { ...tcp, sequence: i * 123_456, window: i === 7 ? 0 : 65_536, isExact: i > 2 },
      marks: i === 9 ? (['retransmit'] as const) : i === 7 ? (['zero window'] as const) : [],
      contents: i === 0 ? 'TLS client hello' : i % 3 === 1 ? 'TLS data 16401' : '',
    }));
    await s.show(
      snapshot({
        flows: [
          flowRow({ id: '7', rxRate: 5, talk: { tls, http: null }, connectMs: 15.4 }),
          flowRow({ id: '8', talk: { tls, http: null } }),
        ],
        packets: { flow: '7', packets, dropped: 1234 },
      }),
    );
    await s.press('3', '\r', 'G');
    await frame(`talk-${columns}x${rows}`);
    await s.press('\t');
    await frame(`packets-${columns}x${rows}`);
    await s.press('g', 'x');
    await frame(`packets-first-${columns}x${rows}`);
  });

  test('details of a flow without a name, of a host and of a category', async () => {
    const s = open(80, 30);
    await s.show(
      snapshot({
        ...busy(12),
        flows: [
          flowRow({
            id: 'f',
            rxRate: 5,
            nameReason: 'encrypted hello (ECH)',
            host: '203.0.113.4',
            application: 'quic',
            applicationSource: 'content',
            country: 'DE',
            asn: 64_500,
            network: 'Example Networks',
          }),
        ],
      }),
    );
    await s.press('3', '\r');
    await frame('details-nameless-80x30');
    await s.press('\x1b', '4', '\r');
    await frame('details-host-80x30');
    await s.press('\x1b', '5', '\r');
    await frame('details-category-80x30');
  });

  test('the capture says why not a better driver', async () => {
    await open(80, 24).show(
      snapshot({
        ...busy(12),
        capture: {
          ...CAPTURE,
          driver: 'tcpdump',
          attribution: 'lsof',
          reverseDns: true,
          places: [{ path: '/usr/share/GeoIP/GeoLite2-Country.mmdb', type: 'GeoLite2-Country', built: '2026-01-13' }],
          placesNote: 'asn data: /tmp/x.mmdb does not exist',
          dropped: 321,
          shed: 12,
          note: 'lsof has not answered for 12 s',
          fallbacks: [
            { driver: 'libpcap', reason: 'pcap_set_want_pktap: not in this libpcap, so the kernel can not tell owners' },
          ],
        },
      }),
    );
    await frame('note-80x24');
    await stage?.press('c');
    await frame('capture-80x24');
  });

  test('themes', async () => {
    const s = open(80, 24, {
      themes: {
        names: () => ['dusk', 'light', 'mono', 'netmon'],
        load: () => {
          throw new Error('unused');
        },
      } as never,
    });
    await s.show(busy(10));
    await s.press('T');
    await frame('themes-80x24');
  });
});

describe('states', () => {
  test('nothing known yet, then no traffic yet', async () => {
    const s = open(80, 24);
    await s.show(emptySnapshot(NOON));
    await frame('start-80x24');
    await s.show(snapshot());
    await frame('empty-80x24');
  });

  test('a filter as it is typed, with its error, and kept', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    await s.press('/', ...'app:slack');
    await frame('filter-typed-80x24');
    await s.press(...' and (');
    await frame('filter-half-80x24');
    s.tui.apply({ type: 'typing-paused' });
    await s.press();
    await frame('filter-error-80x24');
    await s.press('\x15', ...'app:slack', '\r');
    await frame('filter-kept-80x24');
  });

  test('paused, private, in bits, closed shown, by address', async () => {
    const s = open(80, 24);
    await s.show(busy(40));
    await s.press('p');
    await s.show(busy(40, 5));
    await frame('paused-80x24');
    await s.press('p', 'x', 'u', 'u', 't', 'n', 'N', 'f');
    await frame('private-80x24');
  });

  test('the keys of the filter input are no labels, either', async () => {
    const s = open(80, 24, { colour: '16' });
    await s.show(busy(40));
    for (const typed of ['/', 'c']) {
      await s.press(typed);
      const at = (text: string) => s.cell(s.line(23).indexOf(text), 23).fg;
      expect(at('Esc')).not.toBe(at(typed === '/' ? 'back' : 'clears it'));
    }
  });

  test('out of 16 colours a warning is neither received nor sent, and a key is no label', async () => {
    for (const name of ['netmon', 'light', 'contrast', 'dusk']) {
      stage?.close();
      const s = open(159, 40, { colour: '16', theme: ourTheme(name) });
      await s.show(snapshot({ ...busy(40), capture: { ...CAPTURE, note: 'lsof has not answered for 12 s', dropped: 3 } }));
      /** Colour of a cell of the first line with this text, the chosen row apart. */
      const at = (text: string, skip = 0) => {
        const y =
          Array.from({ length: 40 }, (_, row) => row).find((row) => s.line(row).includes(text) && !s.line(row).includes('▌')) ??
          0;
        return s.cell(s.line(y).indexOf(text) + skip, y).fg;
      };
      const traffic = [at('▼'), at('▲'), at('■'), at('▇')];
      expect(traffic, name).not.toContain(at('lsof has'));
      expect(traffic, name).not.toContain(at('dropped by the kernel 3', 'dropped by the kernel '.length));
      for (const [hint, label] of [
        ['/ filter', 2],
        ['4 Hosts', 2],
        ['s sort', 2],
        ['Tab pane', 4],
      ] as const)
        expect(at(hint), `${hint} in ${name}`).not.toBe(at(hint, label));
    }
  });

  test('names and rates come before the rest, by weight and by colour', async () => {
    for (const colour of ['true', '256', '16'] as const) {
      stage?.close();
      const s = open(120, 40, { colour });
      await s.show(busy(40));
      const y = Array.from({ length: 40 }, (_, row) => row).find((row) => s.line(row).includes('Slack')) ?? 0;
      const at = (text: string | RegExp) => s.cell(s.line(y).search(text), y);
      const [name, pid, rx, total] = [at('Slack'), at('407'), at(/\d\S* MiB\/s/), at(/[\d.]+ MiB [\d.]+ MiB/)];
      expect([name.bold, pid.bold, total.bold]).toEqual([true, false, false]);
      expect(total.fg).toBe(pid.fg);
      expect(new Set([name.fg, pid.fg, rx.fg]).size, colour).toBe(3);
    }
  });

  test('ASCII alone', async () => {
    const s = open(80, 24, { drawing: 'ascii', colour: 'none' });
    await s.show(busy(40));
    await frame('ascii-80x24');
    await s.press('?');
    for (const y of Array.from({ length: 24 }, (_, i) => i)) expect(s.line(y)).toMatch(/^[\x20-\x7e]*$/);
    expect(s.output.log).toMatch(/^[\x1b\x07\x20-\x7e]*$/);
  });

  test('hostile names shift nothing, paint nothing, hide nothing', async () => {
    const names = [
      'evil{red-bg}{bold}x{/}',
      '\x1b[31mred\x1b]0;title\x07\x9b2J',
      '日本語のアプリ',
      '👩‍👩‍👧‍👦 family',
      'e\u0301te\u0301 z\u0351\u0352\u0353algo',
      'שלום עולם',
      '\u202Egnp.exe',
      'tab\tnew\nline\rreturn',
      `${'very-long-'.repeat(40)}name`,
      '🇩🇪⚠️⌚',
      '한국어 ｆｕｌｌ',
      '{open}{close}{escape}',
    ];
    const apps = names.map((app, i) =>
      appRow({ id: `a${i}`, app, rxRate: 1_000_000 - i, txRate: 10, rxBytes: 5_000_000, txBytes: 1, user: app }),
    );
    const flows = names.map((app, i) =>
      flowRow({ id: `f${i}`, app, host: app, state: app, rxRate: 1_000_000 - i, application: app }),
    );
    const hosts = names.map((host, i) => hostRow({ id: `h${i}`, host, category: host, country: host }));
    const s = open(120, 40, {});
    await s.show(
      snapshot({ apps, flows, hosts, capture: { ...CAPTURE, interfaces: ['{red-bg}', '\x1b[2J'], note: '{/}\x1b[31m' } }),
    );
    await frame('hostile-120x40');
    for (let y = 3; y < 39; y++) {
      const line = s.line(y);
      if (line.trim() === '') continue;
      expect('│┐┘ ').toContain(s.cell(119, y).text || ' ');
      expect('│┌└ ').toContain(s.cell(0, y).text || ' ');
    }
    await s.press('\r');
    await frame('hostile-details-120x40');
    await s.press('\x1b', '4');
    await frame('hostile-hosts-120x40');
  });
});
