// What a filter is asked about: a flow, as far as it is known. A row of a snapshot fits it as it is.
// Everything is optional: a value that is missing or null is unknown, and unknown matches nothing but `!=`.

import type { Endpoint } from '../net/model.ts';

/** A flow as the filter language sees it. Bytes are network-layer bytes, rates bytes/s, times epoch milliseconds. */
export interface FilterSubject {
  readonly app?: string | null;
  /** Owner of the other end of a flow within this machine; `app` and `pid` match either owner. */
  readonly peerApp?: string | null;
  readonly pid?: number | null;
  readonly peerPid?: number | null;
  readonly exe?: string | null;
  readonly user?: string | null;
  /** Name of the remote end; its address stands in where there is none. */
  readonly host?: string | null;
  readonly local?: Endpoint | null;
  readonly remote?: Endpoint | null;
  readonly protocol?: string | null;
  readonly application?: string | null;
  readonly state?: string | null;
  readonly direction?: string | null;
  readonly interface?: string | null;
  readonly category?: string | null;
  readonly country?: string | null;
  readonly asn?: number | null;
  readonly rxBytes?: number | null;
  readonly txBytes?: number | null;
  readonly rxPackets?: number | null;
  readonly txPackets?: number | null;
  readonly rxRate?: number | null;
  readonly txRate?: number | null;
  readonly firstSeen?: number | null;
  readonly lastSeen?: number | null;
  readonly rttMs?: number | null;
  readonly attribution?: string | null;
}
