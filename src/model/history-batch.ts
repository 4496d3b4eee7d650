// HistoryBatch: the bytes moved since the last batch, by owner and remote end, for the recorder. Plain data that may go to another thread.

import type { Alert, AlertDelivery } from './alert.ts';
import type { RecordedEncrypted, RecordedQuestion } from './dns.ts';
import type { ExportRecords } from './export.ts';
import type { Attribution, ContainerNames, FlowDirection, NameSource } from './terms.ts';
import type { FirstContact } from './watch.ts';

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
  /** null if the process runs in none. */
  readonly container: ContainerNames | null;
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
  /** User of the process; null if unknown. */
  readonly user: string | null;
  readonly attribution: Attribution;
  readonly host: string | null;
  readonly nameSource: NameSource;
  readonly domain: string | null;
  readonly application: string | null;
  readonly category: string | null;
  readonly container: ContainerNames | null;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
}

/** What the watch has history keep. */
export interface WatchRecords {
  readonly alerts: readonly Alert[];
  readonly contacts: readonly FirstContact[];
  readonly deliveries: readonly AlertDelivery[];
}

/** What was asked of DNS, for history. */
export interface DnsRecords {
  readonly questions: readonly RecordedQuestion[];
  /** Questions that are not among them, because there were too many. */
  readonly missed: number;
  readonly encrypted: readonly RecordedEncrypted[];
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
  /** Absent if nothing was asked of DNS. */
  readonly dns?: DnsRecords;
  /** Absent if exports have nothing to keep. It applies to everything recorded before, this batch among it. */
  readonly exports?: ExportRecords;
}
