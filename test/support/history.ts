// Histories for tests: sql.js loaded once, and batches and questions of which a test names only what matters to it.

import { createRequire } from 'node:module';
import type { ZoneOffset } from '../../src/history/query/zone.ts';
import { type DatabaseFile, OverlayFile } from '../../src/history/sqljs/database-file.ts';
import { loadSql, type SqlEngine } from '../../src/history/sqljs/engine.ts';
import type { Alert } from '../../src/model/alert.ts';
import type { RecordedQuestion } from '../../src/model/dns.ts';
import type { HistoryQuery } from '../../src/model/history.ts';
import type { HistoryBatch, HistoryEntry, LoggedFlow } from '../../src/model/history-batch.ts';

/** A zone without rules. */
export const utcZone: ZoneOffset = () => 0;

/** 2026-11-01T00:00:00Z in minutes since the epoch. */
export const NOVEMBER = Date.UTC(2026, 10, 1) / 60_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** sql.js, as the program loads it. */
export function sqlJs(knownBuild?: number): Promise<SqlEngine> {
  const require = createRequire(import.meta.url);
  delete require.cache[require.resolve('sql.js')]; // it loads once for each copy of its code, and many files of tests share a process
  return loadSql(knownBuild);
}

/** The engine of the known build, and the one for any other build. */
export async function sqlEngines(): Promise<[name: string, sql: SqlEngine][]> {
  return [
    ['the known build', await sqlJs()],
    ['another build', await sqlJs(0)],
  ];
}

/** Bytes as a file that a history is opened from. */
export function fileOf(bytes: Uint8Array): DatabaseFile {
  const read = (into: Uint8Array, at: number) => {
    into.set(bytes.subarray(at, at + into.length));
    return Math.min(into.length, bytes.length - at);
  };
  return new OverlayFile({ size: bytes.length, read });
}

export function entry(changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    app: 'curl',
    reason: null,
    exe: '/usr/bin/curl',
    host: 'www.example.com',
    domain: 'example.com',
    category: 'web',
    interface: 'eth0',
    protocol: 'tcp',
    direction: 'outbound',
    container: null,
    rxBytes: 0,
    txBytes: 0,
    rxPackets: 0,
    txPackets: 0,
    flows: 0,
    ...changes,
  };
}

/** A question of DNS. */
export function asked(changes: Partial<RecordedQuestion> = {}): RecordedQuestion {
  return {
    time: NOVEMBER * MINUTE,
    name: 'www.example.com',
    domain: 'example.com',
    type: 'A',
    app: 'curl',
    pid: 4711,
    reason: null,
    onBehalfOf: null,
    resolver: { address: '192.168.1.1', port: 53 },
    transport: 'udp',
    interface: 'eth0',
    direction: 'outbound',
    result: 'NOERROR',
    answer: '192.0.2.7\n192.0.2.8',
    answerCount: 2,
    tookMs: 12.345,
    tries: 1,
    ...changes,
  };
}

export function alert(changes: Partial<Alert> = {}): Alert {
  return {
    id: 'a-1',
    time: NOVEMBER * MINUTE,
    kind: 'new-domain',
    severity: 'info',
    app: 'curl',
    exe: '/usr/bin/curl',
    pid: 4711,
    user: 'ann',
    host: 'www.example.com',
    domain: 'example.com',
    text: 'curl reached example.com for the first time.',
    details: ['It has reached 3 domains since 2026-10-01.'],
    evidence: null,
    held: null,
    ...changes,
  };
}

export function loggedFlow(changes: Partial<LoggedFlow> = {}): LoggedFlow {
  return {
    start: NOVEMBER * MINUTE,
    end: NOVEMBER * MINUTE + 1500,
    protocol: 'tcp',
    localAddress: '192.0.2.1',
    localPort: 40_000,
    remoteAddress: '198.51.100.7',
    remotePort: 443,
    direction: 'outbound',
    interface: 'eth0',
    app: 'curl',
    reason: null,
    exe: '/usr/bin/curl',
    pid: 4711,
    user: 'ann',
    attribution: 'exact',
    host: 'www.example.com',
    nameSource: 'tls',
    domain: 'example.com',
    application: 'https',
    category: 'web',
    container: null,
    rxBytes: 1000,
    txBytes: 100,
    rxPackets: 3,
    txPackets: 2,
    ...changes,
  };
}

export function batch(minute: number, entries: readonly HistoryEntry[], flows: readonly LoggedFlow[] = []): HistoryBatch {
  return { minute, entries, flows, unlogged: 0 };
}

/** All of November 2026 by app, unless told otherwise. */
export function question(changes: Partial<HistoryQuery> = {}): HistoryQuery {
  return {
    from: NOVEMBER * MINUTE,
    to: NOVEMBER * MINUTE + 30 * DAY,
    by: 'app',
    app: null,
    domain: null,
    category: null,
    interface: null,
    filter: null,
    top: 1000,
    steps: 0,
    ...changes,
  };
}
