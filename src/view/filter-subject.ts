// What a filter is asked about a row: the flow's own fields, and what its app's and its host's rows know besides.

import type { AppRow, FlowRow, HostRow } from '../aggregate/snapshot.ts';
import type { FilterSubject } from '../filter/subject.ts';

/** A flow as a filter sees it. Each field by name: spread, the copies of a great many rows outlived them, at twice the memory and time. */
export function subjectOf(flow: FlowRow, app: AppRow | undefined, host: HostRow | undefined): Required<FilterSubject> {
  return {
    app: flow.app,
    peerApp: flow.peerApp,
    pid: flow.pid,
    peerPid: flow.peerPid,
    exe: app?.exe ?? null,
    user: app?.user ?? null,
    host: flow.host,
    local: flow.local,
    remote: flow.remote,
    protocol: flow.protocol,
    application: flow.application,
    state: flow.state,
    direction: flow.direction,
    interface: flow.interface,
    category: flow.category,
    country: flow.country ?? host?.country ?? null,
    asn: flow.asn ?? host?.asn ?? null,
    rxBytes: flow.rxBytes,
    txBytes: flow.txBytes,
    rxPackets: flow.rxPackets,
    txPackets: flow.txPackets,
    rxRate: flow.rxRate,
    txRate: flow.txRate,
    firstSeen: flow.firstSeen,
    lastSeen: flow.lastSeen,
    rttMs: flow.rttMs,
    attribution: flow.attribution,
  };
}
