// Snapshots for tests of the screen: rows with sensible defaults, and a busy machine of any size without chance in it.

import { NO_DNS } from '../../src/model/dns.ts';
import type {
  AppRow,
  BranchRow,
  CaptureStatus,
  FlowRow,
  HostRow,
  InterfaceRow,
  RateSeries,
  Snapshot,
  TickInterface,
  Traffic,
} from '../../src/model/snapshot.ts';
import { NO_ENDS, NO_MEANS, NO_RATES } from '../../src/model/snapshot.ts';
import { sumTraffic } from '../../src/view/traffic.ts';

/** 2026-01-31 14:03:22 UTC. */
export const NOON = Date.UTC(2026, 0, 31, 14, 3, 22);

const NOTHING: Traffic = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0, means: NO_MEANS };

export function appRow(row: Partial<AppRow> & { id: string }): AppRow {
  return {
    ...NOTHING,
    app: row.id,
    reason: null,
    exe: `/usr/bin/${row.id}`,
    pids: [1000],
    processes: [],
    processCount: 1,
    user: 'ann',
    flows: 1,
    firstSeen: NOON - 60_000,
    lastSeen: NOON,
    recent: [],
    ...row,
  };
}

export function branchRow(row: Partial<BranchRow> & { id: string }): BranchRow {
  return {
    ...NOTHING,
    appId: 'a',
    app: 'curl',
    reason: null,
    pid: null,
    process: null,
    isFolded: false,
    hostId: null,
    host: null,
    address: null,
    nameSource: 'none',
    isFar: false,
    peerApp: null,
    carries: false,
    flows: 1,
    firstSeen: NOON - 60_000,
    lastSeen: NOON,
    ...row,
  };
}

export function hostRow(row: Partial<HostRow> & { id: string }): HostRow {
  return {
    ...NOTHING,
    host: row.id,
    reason: null,
    domain: null,
    nameSource: 'none',
    addresses: ['192.0.2.1'],
    category: null,
    country: null,
    asn: null,
    network: null,
    mac: null,
    vendor: null,
    quality: null,
    flows: 1,
    firstSeen: NOON - 60_000,
    lastSeen: NOON,
    recent: [],
    ...row,
  };
}

export function flowRow(row: Partial<FlowRow> & { id: string }): FlowRow {
  return {
    ...NOTHING,
    protocol: 'tcp',
    interface: 'en0',
    local: { address: '10.0.0.5', port: 50_000 },
    remote: { address: '192.0.2.1', port: 443 },
    direction: 'outbound',
    state: 'established',
    app: 'curl',
    pid: 1000,
    attribution: 'exact',
    reason: null,
    peerApp: null,
    peerPid: null,
    onBehalfOf: null,
    host: null,
    nameSource: 'none',
    nameReason: null,
    domain: null,
    application: null,
    applicationSource: 'port',
    category: null,
    country: null,
    asn: null,
    network: null,
    firstSeen: NOON - 30_000,
    lastSeen: NOON,
    rttMs: null,
    retransmits: 0,
    tunnel: null,
    carries: false,
    inside: null,
    asked: null,
    talk: null,
    connectMs: null,
    closed: false,
    ...row,
  };
}

/** An interface on which nothing was counted, as a tick is told of it. */
export const UNCOUNTED = {
  repeats: false,
  lower: [],
  passingBytes: null,
  reversedBytes: 0,
  reversedPackets: 0,
  frameBytes: 0,
  counterBytes: null,
  counterDropped: null,
  counterErrors: null,
  link: null,
} satisfies Partial<TickInterface>;

export function interfaceRow(row: Partial<InterfaceRow> & { id: string }): InterfaceRow {
  return {
    ...NOTHING,
    interface: row.id,
    kind: 'physical',
    isCounted: true,
    passingBytes: null,
    frameBytes: 0,
    counterBytes: null,
    counterDropped: null,
    counterErrors: null,
    ends: NO_ENDS,
    link: null,
    recentRx: [],
    recentTx: [],
    ...row,
  };
}

export const CAPTURE: CaptureStatus = {
  driver: 'libpcap',
  interfaces: ['en0'],
  attribution: 'pktap',
  packets: 12_345,
  frameBytes: 9_876_543,
  dropped: 0,
  shed: 0,
  undecoded: 0,
  truncated: 0,
  malformed: 0,
  unsupported: 0,
  interfaceBytes: 9_900_000,
  countedFrameBytes: 9_876_543,
  countedInterfaceBytes: 9_900_000,
  countedNote: '',
  interfaceDropped: 0,
  fallbacks: [],
  snapLength: { bulk: 160, whole: 2204 },
  bufferBytes: 16 * 1024 * 1024,
  note: '',
  file: null,
  reverseDns: false,
  places: [],
  placesNote: '',
  privileges: null,
  history: null,
  delivery: null,
  exports: null,
  mutes: [],
  kept: null,
  writing: null,
};

/** A snapshot from its parts; totals are the sums of the flows unless they are given. */
export function snapshot(parts: Partial<Snapshot> = {}): Snapshot {
  const flows = parts.flows ?? [];
  const unowned = sumTraffic(flows.filter(({ app }) => app === null));
  const total = { ...sumTraffic(flows), unownedBytes: unowned.rxBytes + unowned.txBytes, passingBytes: null };
  return {
    seq: 1,
    time: NOON,
    started: NOON - 754_000,
    intervalMs: 1000,
    capture: CAPTURE,
    total,
    rates: NO_RATES,
    apps: [],
    hosts: [],
    categories: [],
    interfaces: [],
    flows: [],
    flowCount: flows.length,
    packets: null,
    flowsEvicted: 0,
    dns: NO_DNS,
    listeners: null,
    gaps: [],
    events: [],
    alerts: [],
    diagnoses: [],
    branches: null,
    matching: null,
    ...parts,
  };
}

/** Rates of `count` ranges of `ms` that follow one another up to `end`, each by its number. */
export function series(
  end: number,
  ms: number,
  count: number,
  rx: (index: number) => number,
  tx: (index: number) => number,
): RateSeries {
  const indexes = Array.from({ length: count }, (_, i) => i);
  return {
    ends: indexes.map((i) => end - (count - 1 - i) * ms),
    lengths: indexes.map(() => ms),
    rx: indexes.map(rx),
    tx: indexes.map(tx),
  };
}

const APPS = [
  'Google Chrome',
  'Slack',
  'ssh',
  'curl',
  'Spotify',
  'mDNSResponder',
  'rsync',
  'Mail',
  'node',
  'com.apple.WebKit.Networking',
];
const HOSTS = [
  'www.example.com',
  'cdn-7f3a.assets.example.net',
  'api.example.org',
  'a-very-long-name-of-a-machine-in-some-cloud.eu-central-1.compute.example.com',
  null,
  'mirror.example.edu',
];
/** Of the hosts above. */
const CATEGORIES = ['Web', 'Streaming', 'Development', 'Cloud and storage', 'Other', 'Software updates'];
const COUNTRIES = ['DE', 'US', 'NL', 'IE', null, 'FR'];
/** This one is known by an answer for its address alone. */
const INFERRED = 3;

/** A busy machine: `count` flows over ten apps. `step` moves rates and totals as a second does. */
export function busy(count = 40, step = 0): Snapshot {
  const wave = (seed: number, span: number) => Math.abs(Math.sin(seed * 12.9898) * span) % span;
  const flows = Array.from({ length: count }, (_, i) => {
    const unowned = i % 17 === 9;
    const idle = i % 3 === 2;
    const host = HOSTS[i % HOSTS.length] ?? null;
    const rxRate = idle ? 0 : Math.round(wave(i + 1 + step * 0.37, 4_000_000 / (i + 1)));
    const txRate = idle ? 0 : Math.round(wave(i + 3 + step * 0.21, 400_000 / (i + 1)));
    const udp = i % 5 === 4;
    return flowRow({
      id: `f${i}`,
      app: unowned ? null : (APPS[i % APPS.length] as string),
      pid: unowned ? null : 400 + (i % APPS.length) * 7,
      attribution: unowned ? 'none' : 'exact',
      reason: unowned ? 'closed before it could be looked up' : null,
      protocol: udp ? 'udp' : 'tcp',
      state: udp ? (i % 2 === 0 ? 'new' : 'established') : i % 11 === 7 ? 'closing' : i % 13 === 5 ? 'syn-sent' : 'established',
      direction: i % 8 === 6 ? 'inbound' : i % 10 === 8 ? 'local' : 'outbound',
      local: { address: '10.0.0.5', port: 50_000 + i },
      remote: {
        address: i % 4 === 3 ? `2001:db8::${(i + 16).toString(16)}` : `203.0.113.${i}`,
        port: udp ? 443 : i % 7 === 3 ? 22 : 443,
      },
      host,
      nameSource: host === null ? 'none' : i % HOSTS.length === INFERRED ? 'dns' : udp ? 'quic' : 'tls',
      nameReason: host === null ? 'no answer for this address was seen' : null,
      domain: host === null ? null : host.split('.').slice(-2).join('.'),
      application: udp ? 'quic' : 'https',
      applicationSource: i % 7 === 3 ? 'port' : 'content',
      category: CATEGORIES[i % HOSTS.length] as string,
      country: COUNTRIES[i % HOSTS.length] ?? null,
      asn: host === null ? null : 64_500 + (i % HOSTS.length),
      network: host === null ? null : 'Example Networks',
      rxRate,
      txRate,
      means: [rxRate, txRate, rxRate, txRate, rxRate, txRate],
      rxBytes: 1_000_000 * (i + 1) + rxRate * step,
      txBytes: 100_000 * (i + 1) + txRate * step,
      rxPackets: 900 * (i + 1) + step,
      txPackets: 500 * (i + 1) + step,
      firstSeen: NOON - 5_000 * (i + 1),
      lastSeen: NOON - (idle ? 12_000 : 0),
      rttMs: udp ? null : 8 + (i % 9) * 3.7,
      retransmits: i % 6 === 1 ? i : 0,
      closed: i % 12 === 11,
    });
  });
  const recent = (seed: number) =>
    Array.from({ length: 60 }, (_, s) => Math.round(wave(seed + Math.floor((s + step) / 7) * 0.31, 1_000_000)));
  const apps = APPS.map((app, i) => {
    const own = flows.filter((flow) => flow.app === app);
    return appRow({
      ...sumTraffic(own),
      id: `a${i}`,
      app,
      exe: `/Applications/${app}.app/Contents/MacOS/${app}`,
      pids: [400 + i * 7, ...(i === 0 ? [401, 402, 403] : [])],
      flows: own.length,
      recent: recent(i),
    });
  }).filter((row) => row.flows > 0);
  const unowned = flows.filter((flow) => flow.app === null);
  if (unowned.length > 0)
    apps.push(
      appRow({
        ...sumTraffic(unowned),
        id: 'none:closed',
        app: null,
        reason: 'closed before it could be looked up',
        exe: null,
        pids: [],
        user: null,
        flows: unowned.length,
      }),
    );
  const hosts = HOSTS.flatMap((host, i) => {
    const own = flows.filter((flow) => flow.host === host);
    if (host === null || own.length === 0) return [];
    return [
      hostRow({
        ...sumTraffic(own),
        id: `h${i}`,
        host,
        nameSource: i === INFERRED ? 'dns' : 'tls',
        domain: host.split('.').slice(-2).join('.'),
        category: CATEGORIES[i] as string,
        addresses: own.map((flow) => flow.remote.address),
        flows: own.length,
        country: COUNTRIES[i] ?? null,
        network: 'Example Networks',
        asn: 64_500 + i,
        recent: recent(i + 5),
      }),
    ];
  });
  const categories = CATEGORIES.flatMap((category, i) => {
    const own = flows.filter((flow) => flow.category === category);
    return own.length === 0 ? [] : [{ ...sumTraffic(own), id: `c${i}`, category, flows: own.length, recent: recent(i + 9) }];
  });
  const total = sumTraffic(flows);
  const interfaces = [
    interfaceRow({
      ...total,
      id: 'en0',
      frameBytes: 900_000_000,
      counterBytes: 912_000_000,
      counterDropped: 0,
      counterErrors: 0,
      recentRx: recent(1),
      recentTx: recent(2),
    }),
    interfaceRow({
      id: 'utun4',
      kind: 'tunnel',
      isCounted: false,
      frameBytes: 1_000_000,
      rxBytes: 600_000,
      txBytes: 400_000,
      recentRx: [],
      recentTx: [],
    }),
    interfaceRow({ id: 'lo0', kind: 'loopback', isCounted: false }),
  ];
  const time = NOON + step * 1000;
  const rate = (seed: number, span: number) => (s: number) => Math.round(wave(seed + s * 0.13, span));
  return snapshot({
    seq: step,
    time,
    flows,
    flowCount: flows.length,
    apps: [...apps].sort((a, b) => b.rxRate + b.txRate - a.rxRate - a.txRate),
    hosts,
    categories,
    interfaces,
    rates: {
      seconds: series(time, 1000, 120, rate(1 + step * 0.13, 5_000_000), rate(2 + step * 0.13, 500_000)),
      tens: series(time - 2000, 10_000, 360, rate(3, 4_000_000), rate(4, 400_000)),
      minutes: series(time - 22_000, 60_000, 1000, rate(5, 3_000_000), rate(6, 300_000)),
    },
  });
}

const offer = {
  over: 'tcp',
  version: 0x0304,
  protocols: ['h2', 'http/1.1'],
  ech: true,
  ja4: 't13d1516h2_8daaf6152771_e5627efa2ab1',
} as const;
const answer = {
  version: 0x0304,
  cipher: 0x1301,
  protocol: null,
  resumed: true,
  retried: false,
  ja4s: 't130200_1301_234ea6891581',
};
/** How a connection over TLS 1.3 is spoken. */
export const TLS_SPOKEN = { offer, answer, names: null, namesAreCut: false, alert: null, answerMs: 15.2, handshakeMs: 31 };
