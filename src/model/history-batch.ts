// HistoryBatch: the bytes moved since the last batch, by owner and remote end, for the recorder. Plain data that may go to another thread.

import type { Alert } from './alert.ts';
import type { Attribution, FlowDirection, NameSource } from './terms.ts';

/** Traffic with one combination of facts, in network-layer bytes. An entry that corrects late facts is negative; sums never are. */
export interface HistoryEntry {
  readonly app: string | null;
  /** Why there is no app. */
  readonly reason: string | null;
  /** Path of the process; null if unknown. */
  readonly exe: string | null;
  /** Name of the remote end, else its address; null for folded hosts, of which there were too many. */
  readonly host: string | null;
  readonly domain: string | null;
  readonly category: string | null;
  readonly interface: string;
  readonly protocol: string;
  readonly direction: FlowDirection;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  /** Flows that began. */
  readonly flows: number;
}

/** A flow that closed or was evicted. Times in epoch ms. */
export interface LoggedFlow {
  readonly start: number;
  readonly end: number;
  readonly protocol: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly direction: FlowDirection;
  readonly interface: string;
  readonly app: string | null;
  readonly reason: string | null;
  readonly exe: string | null;
  readonly pid: number | null;
  readonly attribution: Attribution;
  readonly host: string | null;
  readonly nameSource: NameSource;
  readonly domain: string | null;
  readonly application: string | null;
  readonly category: string | null;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
}

/** What an app can reach for the first time. History finds domains in the entries; the watch tells it the rest. */
export const CONTACT_KINDS = ['domain', 'country', 'network', 'inbound'] as const;
export type ContactKind = (typeof CONTACT_KINDS)[number];

/** An app met something. History keeps the first time. */
export interface Contact {
  readonly kind: Exclude<ContactKind, 'domain'>;
  readonly app: string;
  /** Country `DE`, network `AS36459`, or the port that took a connection from outside, `tcp/22`. */
  readonly value: string;
}

/** What became of an alert that was to be delivered. */
export interface AlertDelivery {
  /** The alert's id. */
  readonly id: string;
  /** Where to: `desktop`, `webhook` ... */
  readonly sink: string;
  /** Epoch ms. */
  readonly time: number;
  /** Why it failed for good; null if it arrived. */
  readonly failure: string | null;
}

/** What the watch has history keep. */
export interface WatchRecords {
  readonly alerts: readonly Alert[];
  readonly contacts: readonly Contact[];
  readonly deliveries: readonly AlertDelivery[];
}

/** One flush. */
export interface HistoryBatch {
  /** Minutes since the epoch (UTC) under which all entries are booked. */
  readonly minute: number;
  readonly entries: readonly HistoryEntry[];
  readonly flows: readonly LoggedFlow[];
  /** Closed flows that are not in the log because there were too many. */
  readonly unlogged: number;
  /** Absent if the watch has nothing to add. */
  readonly watch?: WatchRecords;
}
