// A watchman in tests, with flows made from a few fields and time that passes in ticks.

import type { Alert, Mute } from '../../src/model/alert.ts';
import type { KnownApp, KnownBaseline, WatchFlow } from '../../src/model/watch.ts';
import { EMPTY } from '../../src/watch/baseline.ts';
import { Watchman, type WatchmanParts } from '../../src/watch/watchman.ts';
import { NOON, snapshot } from './snapshot-builder.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A flow of curl to example.com. */
export function watchFlow(fields: Partial<WatchFlow> = {}): WatchFlow {
  return {
    app: 'curl',
    exe: '/usr/bin/curl',
    pid: 4711,
    user: 'ann',
    process: null,
    host: 'example.com',
    domain: 'example.com',
    nameSource: 'tls',
    nameReason: null,
    local: { address: '192.168.1.2', port: 50_000 },
    remote: { address: '192.0.2.1', port: 443 },
    protocol: 'tcp',
    application: 'https',
    direction: 'outbound',
    interface: 'eth0',
    category: null,
    country: null,
    asn: null,
    network: null,
    asked: null,
    firstSeen: NOON,
    rxBytes: 0,
    txBytes: 0,
    isOutside: true,
    isWhole: true,
    isAnswered: true,
    appNumber: 16,
    hostNumber: 1,
    movedRx: 0,
    movedTx: 0,
    ...fields,
  };
}

/** A flow to an address without a name. */
export const nameless = (fields: Partial<WatchFlow> = {}) =>
  watchFlow({
    host: '198.51.100.7',
    domain: null,
    nameSource: 'none',
    remote: { address: '198.51.100.7', port: 443 },
    ...fields,
  });

/** What history knows of a machine on which ten days were recorded. */
export function knownBaseline(
  apps: readonly Partial<KnownApp>[],
  domains: Readonly<Record<string, readonly string[]>> = {},
): KnownBaseline {
  const known = apps.map((app) => ({
    app: 'curl',
    exes: ['/usr/bin/curl'],
    first: NOON - 10 * DAY,
    recordedMs: 10 * DAY,
    peakTx: 0,
    hourTx: 0,
    ...app,
  }));
  const pairs = Object.entries(domains).flatMap(([app, names]) =>
    names.map((name) => [known.findIndex((one) => one.app === app), name] as const),
  );
  return {
    ...EMPTY,
    recordedMs: 10 * DAY,
    hour: Math.floor(NOON / HOUR),
    contactsMs: 10 * DAY,
    apps: known,
    domains: { apps: pairs.map(([app]) => app), names: pairs.map(([, name]) => name) },
  };
}

/** A watchman and its clock. The run begins at NOON. */
export class Watching {
  readonly watchman: Watchman;
  readonly raised: Alert[] = [];
  mutes: Mute[] = [];
  time = NOON;

  constructor(parts: Partial<WatchmanParts> = {}) {
    this.watchman = new Watchman({
      learnMs: DAY,
      uploadFloor: 200e6,
      kinds: {},
      rules: [],
      budget: null,
      policy: null,
      run: 'run',
      seed: 5,
      isMessenger: () => false,
      evidence: null,
      mutes: () => this.mutes,
      raised: (alert) => void this.raised.push(alert),
      ...parts,
    });
  }

  /** A tick after `ms`. @returns the alerts that it raised */
  tick(ms = 1000, fields: Parameters<typeof snapshot>[0] = {}): Alert[] {
    this.time += ms;
    const before = this.raised.length;
    const all = this.watchman.tick(snapshot({ time: this.time, started: NOON, ...fields }));
    if (all.length < Math.min(500, this.raised.length)) throw new Error('the list lacks an alert');
    return this.raised.slice(before);
  }

  /** Flows that are met in one tick. @returns the alerts that it raised */
  meet(...flows: readonly WatchFlow[]): Alert[] {
    for (const flow of flows) {
      this.watchman.met(flow);
      this.watchman.began(flow);
    }
    return this.tick();
  }
}

/** Kind and sentence of alerts, and why they are held. */
export const said = (alerts: readonly Alert[]) =>
  alerts.map(({ kind, text, held }) => `${kind}: ${text}${held === null ? '' : ` (${held})`}`);
