// A small snapshot for the tests of the outputs: one of each row, the unknown ones too.

import { NO_DNS } from '../../../src/model/dns.ts';
import type { AppRow, FlowRow, HostRow, InterfaceRow, Snapshot, Traffic } from '../../../src/model/snapshot.ts';
import { NO_ENDS, NO_RATES } from '../../../src/model/snapshot.ts';
import { NO_LINEAGE } from '../../../src/model/terms.ts';

/** 2026-01-01T00:00:01.500Z. */
export const TIME = Date.UTC(2026, 0, 1, 0, 0, 1, 500);

const TRAFFIC: Traffic = { rxBytes: 3000, txBytes: 200, rxPackets: 4, txPackets: 3, rxRate: 1500.12345, txRate: 0.1, means: [] };

export function flowRow(part: Partial<FlowRow> = {}): FlowRow {
  return {
    ...TRAFFIC,
    id: '7',
    protocol: 'tcp',
    interface: 'en0',
    local: { address: '192.0.2.1', port: 50_000 },
    remote: { address: '203.0.113.9', port: 443 },
    direction: 'outbound',
    state: 'established',
    app: 'curl',
    pid: 42,
    attribution: 'exact',
    reason: null,
    peerApp: null,
    peerPid: null,
    onBehalfOf: null,
    host: 'example.com',
    nameSource: 'tls',
    nameReason: null,
    domain: null,
    application: 'https',
    applicationSource: 'port',
    category: null,
    country: null,
    asn: null,
    network: null,
    firstSeen: TIME - 1000,
    lastSeen: TIME,
    rttMs: 12.34567,
    retransmits: 0,
    tunnel: null,
    carries: false,
    inside: null,
    asked: { name: 'example.com', names: 2 },
    talk: null,
    connectMs: null,
    closed: false,
    ...part,
  };
}

export function appRow(part: Partial<AppRow> = {}): AppRow {
  return {
    ...TRAFFIC,
    id: 'a1',
    app: 'curl',
    reason: null,
    exe: '/usr/bin/curl',
    pids: [42],
    processes: [
      {
        id: 0,
        pid: 42,
        name: 'curl',
        exe: '/usr/bin/curl',
        uid: 501,
        user: 'ann',
        parentPid: 1,
        startedAt: TIME - 61_500,
        script: null,
        unit: null,
        container: {
          ...{ engine: 'docker', id: '0123456789abcdef', container: 'web', image: 'nginx:1.25', pod: 'web-0', namespace: 'shop' },
          ...{ project: 'store', unknown: null },
        },
        publisher: {
          ...{ kind: 'package', name: 'curl', version: '8.5.0-2', by: 'Jane Doe', source: 'dpkg' },
          ...{ note: 'by its path alone', digest: null },
        },
        ...NO_LINEAGE,
        app: 0,
      },
    ],
    processCount: 1,
    user: 'ann',
    flows: 1,
    firstSeen: TIME - 1000,
    lastSeen: TIME,
    recent: [],
    ...part,
  };
}

export function hostRow(part: Partial<HostRow> = {}): HostRow {
  return {
    ...TRAFFIC,
    id: 'h1',
    host: 'example.com',
    reason: null,
    domain: 'example.com',
    nameSource: 'tls',
    addresses: ['203.0.113.9'],
    category: null,
    country: null,
    asn: null,
    network: null,
    mac: null,
    vendor: null,
    quality: null,
    flows: 1,
    firstSeen: TIME - 1000,
    lastSeen: TIME,
    recent: [],
    ...part,
  };
}

/** An interface. */
export function interfaceRow(part: Partial<InterfaceRow> = {}): InterfaceRow {
  return {
    ...TRAFFIC,
    id: 'en0',
    interface: 'en0',
    kind: 'physical',
    isCounted: true,
    passingBytes: null,
    frameBytes: 3298,
    counterBytes: null,
    counterDropped: null,
    counterErrors: null,
    ends: NO_ENDS,
    link: null,
    recentRx: [],
    recentTx: [],
    ...part,
  };
}

export function snapshot(part: Partial<Snapshot> = {}): Snapshot {
  return {
    seq: 1,
    time: TIME,
    started: TIME - 1500,
    intervalMs: 1000.4,
    capture: {
      driver: 'libpcap',
      interfaces: ['en0'],
      attribution: 'pktap',
      packets: 7,
      frameBytes: 3298,
      dropped: null,
      shed: 0,
      undecoded: 0,
      truncated: 0,
      malformed: 0,
      unsupported: 0,
      interfaceBytes: null,
      countedFrameBytes: 3298,
      countedInterfaceBytes: null,
      countedNote: '',
      interfaceDropped: null,
      fallbacks: [{ driver: 'libpcap', reason: 'not here' }],
      snapLength: { bulk: 160, whole: 2048 },
      bufferBytes: null,
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
    },
    total: { ...TRAFFIC, unownedBytes: 0, passingBytes: 0 },
    rates: NO_RATES,
    apps: [appRow()],
    hosts: [hostRow()],
    categories: [{ ...TRAFFIC, id: 'c1', category: null, recent: [], flows: 1 }],
    interfaces: [interfaceRow()],
    flows: [flowRow()],
    flowCount: 1,
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
    ...part,
  };
}
