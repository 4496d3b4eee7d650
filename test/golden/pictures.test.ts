// Pictures of the screen for the documentation, drawn from the screen itself while it shows a generated capture. `npm run pictures` writes them.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RateHistory } from '../../src/aggregate/rate-history.ts';
import { decode } from '../../src/decode/decode.ts';
import { Packet } from '../../src/decode/packet.ts';
import { Localizer } from '../../src/flow/direction.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { HistoryStatus } from '../../src/model/history.ts';
import type { ListenerRow } from '../../src/model/listeners.ts';
import type { PacketPage } from '../../src/model/packet-page.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import type { Ancestor, Process } from '../../src/model/terms.ts';
import { DIRECTION, LINK, TCP_FLAG } from '../../src/net/numbers.ts';
import { PacketLog } from '../../src/packets/packet-log.ts';
import { demoCapture } from '../support/demo-capture.ts';
import { FakeHistory } from '../support/fake-history.ts';
import { Film } from '../support/film.ts';
import { ethernet, ipv4, type TcpFields, tcp } from '../support/frames.ts';
import { addresses } from '../support/packets.ts';
import { tlsHello } from '../support/payloads.ts';
import { CAPTURE } from '../support/snapshot-builder.ts';
import { screenSvg } from '../support/svg.ts';
import { changeOfKeys, encrypted, flight } from '../support/talk.ts';
import { ourTheme, Stage } from '../support/terminal.ts';
import { snapshotsOf } from '../support/whole-snapshot.ts';

const DOCS = new URL('../../docs/', import.meta.url);
const page = (name: string): string => readFileSync(new URL(name, DOCS), 'utf8');
const { SYN, ACK, FIN, PSH } = TCP_FLAG;
/** What a theme's terminal has itself, where the theme leaves that as it is. */
const GROUND = { fg: 0xd0d0d0, bg: 0x14161b };
const SIZE: Size = { columns: 112, rows: 36 };
/** Length of the capture, and the second of the pictures that don't move. */
const SECONDS = 335;
const STILL = 312;
/** The second at which the film begins. */
const FIRST = 306;

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The capture second by second, as the screen would have it live. */
let seconds: readonly Snapshot[] = [];
let rates: RateHistory | null = null;

beforeAll(async () => {
  process.env['TZ'] = 'UTC';
  const history: HistoryStatus = {
    state: 'recording',
    path: '/Users/ann/Library/Application Support/netmon-tui/history.sqlite',
    note: '',
    savedAt: null,
    fileBytes: 7_340_032,
  };
  const run = await snapshotsOf(demoCapture(SECONDS));
  rates = run.history;
  seconds = run.seconds.map((snapshot) => {
    const { packets } = snapshot.capture;
    const frameBytes = snapshot.capture.frameBytes ?? 0;
    const own = { packets, frameBytes, countedFrameBytes: frameBytes, countedInterfaceBytes: Math.round(frameBytes * 1.001) };
    return { ...snapshot, capture: { ...CAPTURE, ...own, interfaceBytes: own.countedInterfaceBytes, history } };
  });
}, 60_000);

/** Compares a picture with the one in the documentation. */
async function expectPicture(svg: string, path: string): Promise<void> {
  expect(svg).toContain('>zoom.us<');
  expect(svg).toContain('<path d="M');
  expect(svg).not.toMatch(/<script|href=|undefined|NaN/);
  await expect(svg).toMatchFileSnapshot(fileURLToPath(new URL(path, DOCS)));
}

const groundOf = ({ colours }: ReturnType<typeof ourTheme>) => ({
  fg: colours.main_fg ?? GROUND.fg,
  bg: colours.main_bg ?? GROUND.bg,
});

async function still(theme: ReturnType<typeof ourTheme>, { columns, rows }: Size, lite: boolean, title: string): Promise<string> {
  const stage = new Stage(columns, rows, { theme, lite });
  for (const snapshot of seconds.slice(STILL - 10, STILL + 1)) await stage.show(snapshot);
  const svg = screenSvg(stage.terminal, groundOf(theme), title);
  stage.close();
  return svg;
}

describe.each(['netmon', 'light', 'mono', 'contrast', 'dusk'])('%s', (name) => {
  test('is the picture in the documentation', async () => {
    await expectPicture(await still(ourTheme(name), SIZE, false, `netmon-tui in its theme ${name}`), `themes/${name}.svg`);
    expect(page('configuration.md')).toContain(`(themes/${name}.svg)`);
  });
});

describe.each([
  ['lite', { columns: 80, rows: 24 }, true],
  ['wide', { columns: 180, rows: 50 }, false],
] as const)('the %s screen', (name, size, lite) => {
  test('is the picture in the documentation', async () => {
    const svg = await still(ourTheme('netmon'), size, lite, `the ${name} screen of netmon-tui`);
    await expectPicture(svg, `screens/${name}.svg`);
    expect(page('usage.md')).toContain(`(screens/${name}.svg)`);
  });
});

describe('who', () => {
  const RIGHT = '\x1b[C';
  const size = { columns: 120, rows: 34 };

  /** What stands on the screen so many seconds after these keys. */
  async function picture(title: string, after: number, ...keys: readonly string[]): Promise<string> {
    const theme = ourTheme('netmon');
    const stage = new Stage(size.columns, size.rows, { theme });
    for (let second = STILL - 20; second <= STILL; second++) {
      await stage.show(told(second));
      if (second === STILL - after) await stage.press(...keys);
    }
    const svg = screenSvg(stage.terminal, groundOf(theme), title);
    stage.close();
    return svg;
  }

  const isIn = async (svg: string, name: string, ...words: readonly string[]) => {
    for (const word of words) expect(svg).toContain(`>${word}<`);
    await expect(svg).toMatchFileSnapshot(fileURLToPath(new URL(`screens/${name}.svg`, DOCS)));
    expect(page('usage.md')).toContain(`(screens/${name}.svg)`);
  };

  test('started it: apps below their shells and agents', async () => {
    const svg = await picture('apps of netmon-tui by what started them', 0, '2', 'B', 'j', RIGHT, 'j', RIGHT, 'j', RIGHT);
    await isIn(svg, 'lineage', 'agent', 'npm', 'git', 'ttys003');
  });

  test('made it: the details of a process', async () => {
    const svg = await picture('the details of a connection in netmon-tui', 15, '3', '/', ...'npm', '\r', '\r');
    await isIn(svg, 'publisher', 'homebrew:', 'agent');
  });

  test('waits for connections', async () => {
    const svg = await picture('the listeners of netmon-tui', 0, '0', 'j');
    await isIn(svg, 'listeners', 'rapportd', 'everywhere', 'loopback');
  });
});

/** A second of the capture with what no capture file tells: who started the processes and who made them, and what waits for connections. */
function told(second: number): Snapshot {
  const snapshot = seconds[second] as Snapshot;
  const began = snapshot.time - 1_260_000;
  const known = (pid: number, name: string): Ancestor => ({ pid, name, startedAt: began });
  const [shell, agent] = [known(1890, 'zsh'), known(2104, 'agent')];
  const publisher = {
    kind: 'signed',
    name: null,
    version: null,
    by: null,
    source: 'codesign',
    note: null,
    digest: null,
  } as const;
  const facts: Readonly<Record<number, Partial<Process>>> = {
    412: { publisher: { ...publisher, name: 'Google LLC', by: 'EQHXZ8M8AV' } },
    1904: { ancestors: [known(1602, 'zsh')], origin: known(1602, 'zsh'), session: 1602, terminal: 'ttys001' },
    2190: { ancestors: [shell, agent], origin: shell, session: 1890, terminal: 'ttys003' },
    2231: {
      ...{ ancestors: [shell, agent, known(2230, 'npm')], origin: shell, session: 1890, terminal: 'ttys003' },
      ...{ exe: '/opt/homebrew/Cellar/node/24.1.0/bin/node', user: 'ann', parentPid: 2230, startedAt: snapshot.time - 95_000 },
      command: 'node /Users/ann/shop/node_modules/.bin/npm-run-all fetch build',
      publisher: { ...publisher, kind: 'adhoc', note: 'built by homebrew: node 24.1.0' },
    },
  };
  const withFacts = (process: Process): Process => {
    const self = known(process.pid, process.name);
    return { ...process, user: 'ann', origin: self, ...facts[process.pid] };
  };
  const listener = (port: number, app: string, pid: number, parts: Partial<ListenerRow> = {}): ListenerRow => ({
    ...{
      id: `tcp ${port}`,
      protocol: 'tcp',
      address: '*',
      port,
      reach: 'everywhere',
      app,
      exe: null,
      pid,
      user: 'ann',
      unit: null,
    },
    ...{ startedAt: began, since: null, elsewhere: false, container: null, accepted: 0, lastFrom: null, lastAt: null },
    ...parts,
  });
  const loopback = { address: '127.0.0.1', reach: 'loopback' } as const;
  return {
    ...snapshot,
    apps: snapshot.apps.map((row) => ({ ...row, processes: row.processes.map(withFacts) })),
    branches:
      snapshot.branches?.map((row) => ({ ...row, process: row.process === null ? null : withFacts(row.process) })) ?? null,
    listeners: [
      listener(22, 'launchd', 1, { user: 'root', accepted: 2, lastFrom: '192.168.1.44', lastAt: snapshot.time - 640_000 }),
      listener(3000, 'vite (node)', 2231, {
        ...loopback,
        since: snapshot.time - 90_000,
        accepted: 14,
        lastFrom: '127.0.0.1',
        lastAt: snapshot.time - 3000,
      }),
      listener(5000, 'ControlCenter', 498),
      listener(5353, 'mDNSResponder', 289, { protocol: 'udp', user: '_mdnsresponder', accepted: null }),
      listener(5432, 'postgres', 980, { ...loopback, accepted: 3, lastFrom: '127.0.0.1', lastAt: snapshot.time - 41_000 }),
      listener(49_159, 'rapportd', 455),
    ],
  };
}

/** The packets of a TLS connection, one of which was lost and one met a full buffer. @param flow id of its row */
function spoken(flow: string, begun: number): PacketPage {
  const localizer = new Localizer(false);
  localizer.setAddresses(addresses('192.168.1.23'));
  const flows = new FlowTable(localizer, 64, 7);
  const log = new PacketLog(flows);
  let time = begun;
  let [mine, theirs] = [1000, 9000];
  const segment = (ms: number, isSent: boolean, fields: TcpFields, payload: Uint8Array = new Uint8Array(0), again = 0) => {
    time += ms;
    const [seq, ack] = isSent ? [mine - again, theirs] : [theirs - again, mine];
    const ports = isSent ? { sport: 51_034, dport: 443 } : { sport: 443, dport: 51_034 };
    const ends = isSent ? { src: '192.168.1.23', dst: '203.0.113.61' } : { src: '203.0.113.61', dst: '192.168.1.23' };
    const header = { flags: payload.length > 0 ? PSH | ACK : ACK, window: isSent ? 2058 : 501, ...fields };
    const frame = ethernet({}, ipv4(ends, tcp({ ...ports, seq, ack, ...header }, payload)));
    const packet = new Packet();
    decode(frame, 0, frame.length, frame.length, LINK.ETHERNET, packet);
    packet.time = time;
    const row = flows.touch(packet, 0, DIRECTION.UNKNOWN);
    if (log.row < 0) log.watch(row);
    log.add(packet, frame, flows.lastSent);
    const length = payload.length + ((header.flags & (SYN | FIN)) === 0 ? 0 : 1) - again;
    if (isSent) mine += length;
    else theirs += length;
  };
  const scaled = Uint8Array.from([3, 3, 6]);
  segment(0, true, { flags: SYN, ack: 0, window: 65_535, options: scaled });
  segment(24.2, false, { flags: SYN | ACK, window: 64_240, options: scaled });
  segment(0.1, true, {});
  segment(0.9, true, {}, tlsHello({ name: 'imap.fastmail.com' }));
  segment(24.6, false, {});
  segment(1.8, false, {}, flight());
  segment(0.2, true, {});
  segment(1.3, true, {}, changeOfKeys());
  segment(24.4, false, {}, encrypted(240));
  segment(0.7, true, {}, encrypted(612));
  segment(262, true, {}, encrypted(612), 617);
  segment(24.9, false, {});
  for (let i = 0; i < 3; i++) segment(0.4 + i / 10, false, {}, encrypted(1380));
  segment(0.3, true, {});
  segment(12.2, false, {}, encrypted(1380));
  segment(0.1, true, { window: 0 });
  segment(209, true, { window: 2058 });
  segment(24.1, false, {}, encrypted(900));
  segment(0.2, true, {});
  return { ...(log.page() as PacketPage), flow };
}

describe('packets', () => {
  const theme = ourTheme('netmon');
  /** The screen of one second, and its picture. */
  async function shot(
    change: (second: Snapshot) => Snapshot,
    keys: readonly string[],
    title: string,
    path: string,
  ): Promise<string> {
    const stage = new Stage(SIZE.columns, 28, { theme });
    for (const snapshot of seconds.slice(STILL - 10, STILL + 1)) await stage.show(change(snapshot));
    await stage.press(...keys);
    const svg = screenSvg(stage.terminal, groundOf(theme), title);
    stage.close();
    expect(svg).not.toMatch(/<script|href=|undefined|NaN/);
    await expect(svg).toMatchFileSnapshot(fileURLToPath(new URL(path, DOCS)));
    return svg;
  }

  test('of a connection are the picture in the documentation', async () => {
    const mail = (seconds[STILL] as Snapshot).flows.find(({ app }) => app === 'Mail');
    const packets = spoken(mail?.id ?? '', (seconds[STILL] as Snapshot).time - 900);
    const keys = ['3', '/', ...'app:Mail', '\r', '\r', '\t'];
    const svg = await shot((one) => ({ ...one, packets }), keys, 'the packets of a connection', 'screens/packets.svg');
    for (const word of ['client', 'retransmit,', 'zero']) expect(svg).toContain(`>${word}<`);
    expect(page('connections.md')).toContain('(screens/packets.svg)');
  });

  test('that are written are the picture in the documentation', async () => {
    const writing = {
      ...{ path: '/Users/ann/netmon-zoom.us.pcapng', state: 'writing' as const, bytes: 3_565_158, files: 1, packets: 9114 },
      ...{ lost: 0, note: '', what: 'zoom.us' },
    };
    const change = (one: Snapshot): Snapshot => {
      const since = one.time - 60_000;
      const kept = { bytes: 64 << 20, forMs: 60_000, packets: 61_422, used: 31_000_000, since, tooLong: 0 };
      const said = { ...writing, since: one.time - 42_000, until: one.time };
      return { ...one, capture: { ...one.capture, kept: { ...kept, writing: said } } };
    };
    const svg = await shot(change, ['2'], 'the packets of an app, while they are written', 'screens/writing.svg');
    expect(svg).toContain('WRITING');
    expect(page('packets.md')).toContain('(screens/writing.svg)');
  });
});

const RIGHT = '\x1b[C';
const LEFT = '\x1b[D';
const ESCAPE = '\x1b';

describe('the film', () => {
  test('is the one in README.md', async () => {
    const svg = await film();
    expect(svg.length).toBeLessThan(400_000);
    await expectPicture(svg, 'screens/film.svg');
    expect(page('../README.md')).toContain('(docs/screens/film.svg)');
  }, 60_000);
});

/** Half a minute: the overview, who sent the peak, an app's hosts, a filter, history, the lite screen, and back. */
async function film(): Promise<string> {
  const theme = ourTheme('netmon');
  const made = new Film(groundOf(theme));
  const stage = new Stage(100, 30, { theme });
  const newest = seconds.at(-1)?.time ?? 0;
  const history = new FakeHistory({
    oldest: newest - 90 * 86_400_000,
    newest,
    apps: ['Google Chrome', 'Backblaze', 'zoom.us', 'git', 'node', 'Spotify', 'softwareupdated', 'Slack', 'ssh', 'Mail'],
    domains: ['googlevideo.com', 'backblaze.com', 'zoom.us', 'github.com', 'npmjs.org', 'scdn.co', 'apple.com', 'slack.com'],
    categories: ['Streaming', 'Cloud and storage', 'Calls', 'Development', 'Software updates', 'Web'],
  });
  let second = FIRST - 12;
  let answered = 0;
  let caption = { key: 'netmon-tui', does: 'which app talks to whom, live' };
  const answer = async () => {
    for (; answered < stage.effects.length; answered++) {
      const effect = stage.effects[answered];
      if (effect?.type === 'range-totals') stage.tui.apply({ ...effect, answer: rates?.between(effect.from, effect.to) ?? null });
      if (effect?.type !== 'history') continue;
      for (const request of effect.requests)
        stage.tui.apply({ type: 'history', slot: request.slot, serial: request.serial, answer: history.answer(request) });
    }
    stage.tui.flush();
    await stage.settle();
  };
  /** Shows what the next seconds bring. */
  const watch = async (count: number) => {
    for (let i = 0; i < count; i++) {
      made.shoot(stage.terminal, caption, 1000);
      await stage.show(seconds[second++] as Snapshot);
    }
  };
  const press = async (key: string, ...next: [string, string]) => {
    caption = { key: next[0], does: next[1] };
    await stage.press(key);
    await answer();
  };
  while (second < FIRST) await stage.show(seconds[second++] as Snapshot);
  await watch(3);
  await press('v', 'v', 'who sent that peak?');
  await watch(3);
  await press(ESCAPE, 'Esc', 'back to now');
  await watch(1);
  await press(RIGHT, '→', 'open an app: whom does it talk to?');
  await watch(4);
  await press(LEFT, '←', 'and close it');
  await watch(1);
  await press('/', '/', 'filter as you type');
  for (const letter of 'app:node or port:22') {
    made.shoot(stage.terminal, caption, 110);
    await stage.press(letter);
  }
  await watch(3);
  await press(ESCAPE, 'Esc', 'everything again');
  await stage.press('g');
  await watch(1);
  await press('8', '8', 'history: who used how much, and when');
  await watch(4);
  await press('1', '1', 'back to the overview');
  await watch(1);
  await press('l', 'l', 'lite: everything at one glance');
  await watch(4);
  await press('l', 'l', 'and back');
  await watch(2);
  stage.close();
  return made.svg('netmon-tui: the overview, who sent a peak, the hosts of an app, a filter, history, and the lite screen');
}
