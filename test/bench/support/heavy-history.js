// The history of a heavy user, the same in every run: 100 apps, 2,000 hosts a day of which a quarter are new, few hosts often and most of them
// seldom. Built through the program's own `apply`; what is older than minutes and hours are kept is given hour by hour and day by day.

import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Random } from './random.js';

const MINUTE = 60_000;
const DAY_MINUTES = 1440;
/** 2026-11-22T21:30:00Z */
export const NOW = Date.UTC(2026, 10, 22, 21, 30);
const CATEGORIES = [
  'web',
  'video',
  'music',
  'ads',
  'analytics',
  'cloud',
  'mail',
  'chat',
  'development',
  'updates',
  'games',
  null,
];
const CORE_HOSTS = 6000;
const NEW_SHARE = 0.25;
const FLOWS_A_DAY = 16_000;

/**
 * @typedef {object} Shape
 * @property {number} days
 * @property {number} hosts a day
 * @property {number} apps
 */

/** @type {Shape} */
const HEAVY = { days: 90, hosts: 2000, apps: 100 };

/**
 * Writes the file of a heavy user.
 *
 * @param {string} root of the built clone @param {string} path @param {boolean} small nine days in place of ninety
 * @returns {Promise<number>} sequence number of its last batch
 */
export async function writeHeavy(root, path, small) {
  const load = (name) => import(pathToFileURL(`${root}/dist/history/${name}.js`).href);
  const [{ HistoryDatabase }, { loadSql }] = [await load('database'), await load('sqljs/engine')];
  const history = HistoryDatabase.create(await loadSql());
  fill(history, small ? { ...HEAVY, days: 9 } : HEAVY);
  writeFileSync(path, history.image(), { mode: 0o600 });
  const { applied } = history;
  history.close();
  return applied;
}

/** Fills an empty history up to `NOW`. @param {import('../../../src/history/database.ts').HistoryDatabase} history @param {Shape} shape */
function fill(history, shape) {
  const random = new Random(90);
  const world = worldOf(shape, random);
  const today = Math.floor(NOW / MINUTE / DAY_MINUTES);
  // Sets from when minutes and hours are kept, as they were yesterday, so that older batches go where they would have been rolled up to.
  while (history.prune(NOW - DAY_MINUTES * MINUTE, Number.MAX_SAFE_INTEGER));
  let sequence = history.applied;
  for (let day = today - shape.days + 1; day <= today; day++) {
    const age = today - day;
    const grain = age > 62 ? DAY_MINUTES : age > 3 ? 60 : 1;
    for (const [minute, entries] of batchesOf(usesOf(world, random), day, grain, random))
      if (minute * MINUTE <= NOW) history.apply(++sequence, { minute, entries, flows: [], unlogged: 0 });
    if (age < 7) logFlows(history, ++sequence, day, world, random);
    sequence = history.applied;
  }
  while (history.prune(NOW, Number.MAX_SAFE_INTEGER));
}

/** One minute in which `count` apps reach as many hosts. @param {number} minute @param {number} count */
export function busyMinute(minute, count) {
  const entries = Array.from({ length: count }, (_, i) => ({
    ...factsOf({ name: `app-${i}`, exe: `/opt/app-${i}/bin/app-${i}` }, hostOf(`busy-${i}`, i)),
    rxBytes: 1000 + i,
    txBytes: 100,
    rxPackets: 3,
    txPackets: 2,
    flows: 1,
  }));
  return { minute, entries, flows: [], unlogged: 0 };
}

function worldOf({ hosts, apps }, random) {
  const names = Array.from({ length: apps }, (_, i) => ({
    name: `App ${i}`,
    exe: `/Applications/App ${i}.app/Contents/MacOS/App ${i}`,
  }));
  const core = Array.from({ length: CORE_HOSTS }, (_, i) => ({ ...hostOf(`core-${i}`, i), apps: appsOf(names, random) }));
  return { hosts, names, core, fresh: 0 };
}

/** Names of the usual length; three hosts to a domain. */
function hostOf(name, i) {
  const domain = `site-${Math.floor(i / 3)}.com`;
  return { host: `${name}.edge.${domain}`, domain, category: CATEGORIES[Math.floor(i / 3) % CATEGORIES.length] };
}

/** One app for most hosts, two for one in eight; low numbers far more often. */
function appsOf(names, random) {
  const app = () => names[Math.floor(names.length * (random.below(1000) / 1000) ** 3)];
  return random.below(8) === 0 ? [app(), app()] : [app()];
}

/** The day's hosts, the most used first: what is used, and in how many hours. */
function usesOf(world, random) {
  const chosen = new Set();
  while (chosen.size < world.hosts * (1 - NEW_SHARE))
    chosen.add(world.core[Math.floor(CORE_HOSTS * (random.below(10_000) / 10_000) ** 2)]);
  while (chosen.size < world.hosts) {
    const number = world.fresh++;
    chosen.add({ ...hostOf(`new-${number.toString(36)}`, CORE_HOSTS + number), apps: appsOf(world.names, random) });
  }
  return [...chosen].flatMap((host, rank) => {
    const hours = Math.max(1, Math.round(16 * (rank + 1) ** -0.25));
    const protocols = random.below(4) === 0 ? ['tcp', 'udp'] : ['tcp'];
    return host.apps.flatMap((app) => protocols.map((protocol) => ({ facts: { ...factsOf(app, host), protocol }, hours })));
  });
}

function factsOf(app, { host, domain, category }) {
  const facts = { app: app.name, reason: null, exe: app.exe, host, domain, category };
  return { ...facts, interface: 'en0', protocol: 'tcp', direction: 'outbound', container: null };
}

/** The uses of a day, in some minutes of some hours, summed by `grain` minutes and given in order of time. */
function batchesOf(uses, day, grain, random) {
  const batches = new Map();
  for (const { facts, hours } of uses) {
    const sums = new Map();
    for (let i = 0; i < hours; i++) {
      const hour = 6 + random.below(16);
      for (let visits = 1 + random.below(9); visits > 0; visits--) {
        const minute = day * DAY_MINUTES + hour * 60 + random.below(60);
        const bucket = minute - (minute % grain);
        const bytes = Math.floor(Math.exp(random.below(12_000) / 1000)) + 60;
        const packets = 1 + Math.floor(bytes / 900);
        const sum = sums.get(bucket) ?? { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, flows: 0 };
        sum.rxBytes += bytes;
        sum.txBytes += 200 + Math.floor(bytes / 15);
        sum.rxPackets += packets;
        sum.txPackets += 2 + (packets >> 1);
        sum.flows += random.below(2);
        sums.set(bucket, sum);
      }
    }
    for (const [bucket, sum] of sums) {
      if (!batches.has(bucket)) batches.set(bucket, []);
      batches.get(bucket).push({ ...facts, ...sum });
    }
  }
  return [...batches].sort(([a], [b]) => a - b);
}

function logFlows(history, sequence, day, world, random) {
  const flows = Array.from({ length: FLOWS_A_DAY }, (_, i) => {
    const start = (day * DAY_MINUTES + 360 + Math.floor((i / FLOWS_A_DAY) * 900)) * MINUTE + random.below(60_000);
    const { apps, ...host } = world.core[random.below(CORE_HOSTS)];
    const bytes = Math.floor(Math.exp(random.below(12_000) / 1000)) + 60;
    return {
      ...factsOf(apps[0], host),
      start,
      end: start + random.below(120_000),
      localAddress: '192.168.1.23',
      localPort: 32_768 + random.below(28_000),
      remoteAddress: `203.${random.below(20)}.113.${random.below(256)}`,
      remotePort: 443,
      pid: 500 + random.below(30_000),
      user: null,
      attribution: 'exact',
      nameSource: 'tls',
      application: 'https',
      rxBytes: bytes,
      txBytes: 300,
      rxPackets: 2 + Math.floor(bytes / 900),
      txPackets: 4,
    };
  });
  history.apply(sequence, { minute: day * DAY_MINUTES, entries: [], flows, unlogged: 0 });
}
