// The snapshot before the first one: nothing is known yet, and the screen says so instead of showing zeros.

import { NO_DNS } from '../model/dns.ts';
import { NO_MEANS, NO_RATES, type Snapshot } from '../model/snapshot.ts';

/** A snapshot of nothing, at a time (epoch ms). */
export function emptySnapshot(time: number): Snapshot {
  const nothing = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, rxRate: 0, txRate: 0, means: NO_MEANS };
  return {
    seq: -1,
    time,
    started: time,
    intervalMs: 0,
    capture: {
      driver: 'opening',
      interfaces: [],
      attribution: '?',
      packets: 0,
      frameBytes: 0,
      dropped: null,
      shed: 0,
      undecoded: 0,
      truncated: 0,
      malformed: 0,
      unsupported: 0,
      interfaceBytes: null,
      countedFrameBytes: null,
      countedInterfaceBytes: null,
      countedNote: '',
      interfaceDropped: null,
      fallbacks: [],
      snapLength: { bulk: 0, whole: 0 },
      bufferBytes: null,
      note: '',
      file: null,
      reverseDns: false,
      places: [],
      placesNote: '',
      privileges: null,
      history: null,
      delivery: null,
      mutes: [],
      kept: null,
      writing: null,
    },
    total: { ...nothing, unownedBytes: 0, passingBytes: null },
    rates: NO_RATES,
    apps: [],
    hosts: [],
    categories: [],
    interfaces: [],
    flows: [],
    branches: null,
    matching: null,
    flowCount: 0,
    flowsEvicted: 0,
    dns: NO_DNS,
    listeners: null,
    gaps: [],
    events: [],
    alerts: [],
    diagnoses: [],
  };
}
