// Ordinary traffic of a desk: a download, a video and music in bursts, pages, a backup, chat, DNS and keepalives. It is the same in every run.
// Every rule of order sees the same seconds, and is told by how often its first three rows change.

import { Random } from './random.js';

const SECONDS = 60;
/** While the means fill, every rule moves. */
const WARM_UP = 10;
const FIRST = 3;
const LOCAL = 0x0a000005;
const HOSTS = 9;

/** What each host sends and is sent in each second. @returns {{rx: number, tx: number}[][]} by second and host */
export function ordinarySeconds(seed) {
  const random = new Random(seed);
  const between = (low, high) => low + random.below(high - low);
  const seconds = Array.from({ length: SECONDS }, () => Array.from({ length: HOSTS }, () => ({ rx: 0, tx: 0 })));
  const put = (second, host, rx, tx) => {
    if (second >= SECONDS) return;
    seconds[second][host].rx += rx;
    seconds[second][host].tx += tx;
  };
  /** A burst now and then, over one to three seconds. */
  const bursts = (host, pause, bytes, upload = false) => {
    for (let at = random.below(pause[1]); at < SECONDS; at += between(...pause)) {
      const length = between(1, 4);
      for (let i = 0; i < length; i++) {
        const part = Math.round(between(...bytes) / length);
        put(at + i, host, upload ? part / 30 : part, upload ? part : part / 30);
      }
    }
  };
  const [begin, end] = [between(2, 15), between(35, 55)];
  for (let second = begin; second < end; second++) put(second, 0, between(300_000, 700_000), 9000);
  bursts(1, [4, 6], [1_800_000, 3_000_000]); // video
  bursts(2, [4, 9], [1_200_000, 3_600_000]); // pages
  bursts(3, [8, 11], [300_000, 450_000]); // music
  bursts(4, [12, 25], [500_000, 2_000_000], true); // backup
  bursts(5, [3, 12], [2000, 60_000]); // chat
  bursts(6, [1, 5], [120, 900]); // DNS
  bursts(7, [2, 6], [200, 4000]); // a shell
  for (let second = random.below(10); second < SECONDS; second += 10) put(second, 8, 66, 66); // keepalives
  return seconds.map((hosts) => hosts.map(({ rx, tx }) => ({ rx: Math.round(rx), tx: Math.round(tx) })));
}

/**
 * How often the first three hosts change in fifty seconds, by each rule.
 *
 * iftop orders host pairs by their mean over 10 s, exactly, anew every 2 s (options.c: OPTION_SORT_DIV2; iftop.h: RESOLUTION).
 *
 * @param {(path: string) => Promise<any>} load a module of the program by its path in `src`, without extension
 */
export async function changesOfFirst(load, seed) {
  const seconds = ordinarySeconds(seed);
  const sums = (at, length) =>
    seconds[at].map((_, host) => {
      let sum = 0;
      for (let i = Math.max(0, at - length + 1); i <= at; i++) sum += seconds[i][host].rx + seconds[i][host].tx;
      return { id: host, sum };
    });
  const exact = (length) => (at) => sums(at, length).sort((a, b) => b.sum - a.sum || a.id - b.id);
  const own = await ownOrders(load, seconds);
  return {
    own: count((at) => own[at], 1),
    iftop: count(exact(10), 2),
    'the last second': count(exact(1), 1),
  };
}

function count(order, step) {
  let changes = 0;
  let last = '';
  for (let at = WARM_UP - 1; at < SECONDS; at += step) {
    const first = order(at)
      .slice(0, FIRST)
      .map(({ id }) => id)
      .join(' ');
    if (last !== '' && first !== last) changes++;
    last = first;
  }
  return changes;
}

/** The hosts as the screen orders them, by second. */
async function ownOrders(load, seconds) {
  const [{ FlowTable }, { Localizer }, { Packet }, { Aggregator, LIVE_LIMITS }] = await Promise.all(
    ['flow/flow-table', 'flow/direction', 'decode/packet', 'aggregate/aggregator'].map(load),
  );
  const [{ initialState }, { reduce }, { orderedRows }, { UNICODE_GLYPHS }, { KEYMAP }] = await Promise.all(
    ['view/state', 'view/input/reducer', 'view/tables/rows', 'view/text/glyphs', 'view/input/keymap'].map(load),
  );
  const { emptySnapshot } = await load('view/empty-snapshot');
  const words = (address) => Int32Array.of(0, 0, 0xffff, address);
  const localizer = new Localizer(false);
  localizer.setAddresses(words(LOCAL));
  const flows = new FlowTable(localizer, 1024, 1);
  const directory = { app: () => undefined, process: () => undefined };
  const aggregator = new Aggregator({ flows, directory, started: 0, seed: 1 });
  const interfaces = [{ name: 'en0', kind: 'physical', isCounted: true, repeats: false, lower: [], frameBytes: 0 }];
  aggregator.setInterfaces(interfaces);
  aggregator.keepRateHistory();
  const { capture } = emptySnapshot(0);
  const packet = new Packet();
  Object.assign(packet, { hasAddresses: true, protocol: 17 });
  let time = 1_700_000_000_000;
  const send = (host, bytes, isSent) => {
    if (bytes === 0) return;
    const remote = words(0x0b000000 + host);
    packet.words.set(isSent ? [...words(LOCAL), ...remote] : [...remote, ...words(LOCAL)]);
    packet.sourcePort = isSent ? 50_000 : 443;
    packet.destinationPort = isSent ? 443 : 50_000;
    packet.networkBytes = bytes;
    packet.time = time;
    flows.touch(packet, 0, 0);
  };
  let state = initialState({ columns: 120, rows: 40, view: 'hosts' });
  return seconds.map((hosts) => {
    for (const [host, { rx, tx }] of hosts.entries()) {
      send(host, tx, true);
      send(host, rx, false);
    }
    time += 1000;
    const snapshot = aggregator.tick({ time, intervalMs: 1000, capture, interfaces, gaps: [] }, LIVE_LIMITS);
    state = reduce(state, { type: 'snapshot' }, snapshot, { glyphs: UNICODE_GLYPHS, keys: KEYMAP }).state;
    return orderedRows(state, snapshot, 'hosts');
  });
}
