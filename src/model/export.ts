// Engines that keep many machines' records: what the user asked for, and how far each of them got.

/** Engines that are sent to, in the order in which they are listed. Their names are keys of the history file: they must not change. */
export const PUSH_ENGINES = ['clickhouse', 'remote_write', 'otlp', 'ipfix'] as const;
export type PushEngine = (typeof PUSH_ENGINES)[number];
/** Those that are sent to over HTTP, as somebody. */
export const HTTP_ENGINES = ['clickhouse', 'remote_write', 'otlp'] as const satisfies readonly PushEngine[];
/** Those of them that get metrics; what is only true now is told to them, too. */
export const METRIC_ENGINES: readonly PushEngine[] = ['remote_write', 'otlp'];
/** All engines: Prometheus comes and asks. */
export const ENGINES = [...PUSH_ENGINES, 'prometheus'] as const;
export type Engine = (typeof ENGINES)[number];

/**
 * What says something about the people at a machine, and is only sent when asked: paths of programs, names and domains of remote ends, addresses of
 * both ends, names of users, and the name of the machine.
 */
export const PERSONAL_FIELDS = ['exe', 'host', 'domain', 'address', 'user', 'machine'] as const;
export type PersonalField = (typeof PERSONAL_FIELDS)[number];

/** An engine to send to. Secrets come from files that only the user can read, or from the environment. */
export interface PushPlan {
  readonly engine: PushEngine;
  /** http or https; for IPFIX udp or tcp, with a port. */
  readonly url: string;
  /** Sent with the secret as basic authentication; null sends the secret as a bearer token. */
  readonly user: string | null;
  /** File with the secret, read again for each connection; null without one. */
  readonly secretFile: string | null;
  /** The secret, from the environment; null without one. */
  readonly secret: string | null;
  /** PEM file with the certificates to trust besides Node's; null for none. */
  readonly ca: string | null;
}

/** Where Prometheus asks. */
export interface ListenPlan {
  /** A loopback address. */
  readonly address: string;
  readonly port: number;
}

/** What the user asked to export. */
export interface ExportPlan {
  readonly push: readonly PushPlan[];
  /** null doesn't listen. */
  readonly prometheus: ListenPlan | null;
  /** Personal fields that are sent as they are, */
  readonly fields: readonly PersonalField[];
  /** and those that are sent as keyed hashes. */
  readonly hash: readonly PersonalField[];
  /** Folder of this machine's number and of the key of the hashes; null keeps both for one run. */
  readonly folder: string | null;
}

/** What an engine took without keeping all of it, and won't take if it is sent again. */
export interface Refused {
  /** Records, and points of metrics. */
  readonly count: number;
  /** Why, as the engine says; empty if it doesn't. */
  readonly why: string;
}

/** What history deleted before an engine had it. */
export interface Deleted {
  /** At the most: in some of them nothing may have moved. */
  readonly minutes: number;
  readonly connections: number;
}

/** Both together. */
export function addRefused(before: Refused | null, more: Refused): Refused {
  return { count: (before?.count ?? 0) + more.count, why: more.why === '' ? (before?.why ?? '') : more.why };
}

/** How far an engine got. */
export interface EngineStatus {
  readonly engine: Engine;
  /** Host and port that it is at, or that it asks at. */
  readonly to: string;
  /** It has everything up to this time, epoch ms; null if that isn't known yet, and for Prometheus. */
  readonly acknowledged: number | null;
  /** Rows that it took in this run. */
  readonly sent: number;
  /** Settled minutes that wait for it. */
  readonly waiting: number;
  /** Since when it has been behind, epoch ms; null if it isn't. */
  readonly behindSince: number | null;
  /** Why the last try failed; null if it didn't. */
  readonly failure: string | null;
  /** What it refused for good in this run, with the newest reason; null for nothing. */
  readonly refused: Refused | null;
  /** What it will never get, as far as this run came upon it; null for nothing. */
  readonly deleted: Deleted | null;
  /** When it is tried next, epoch ms; null if no try is planned. */
  readonly next: number | null;
}

/** All exports of a run, as of a tick. */
export interface ExportStatus {
  readonly engines: readonly EngineStatus[];
  /** Another run records, and sends. */
  readonly isLeft: boolean;
  /** What is wrong with all of them; empty if nothing. */
  readonly note: string;
}

/** A part of history is settled: nothing that is recorded afterwards changes it, and it is sent as one unit, in one batch or a few. */
export interface ExportCut {
  /** Random number of the run, below 2^48. */
  readonly run: number;
  /** The last minute that is settled, since the epoch (UTC). */
  readonly minute: number;
}

/** A place in the queue: before it, everything is acknowledged. */
export interface ExportCursor {
  /** Number of a cut. */
  readonly cut: number;
  /** Part of the cut, in the order in which they are sent: minutes, changes of earlier minutes, closed connections, alerts. */
  readonly section: number;
  /** Number of the last row of that part that is acknowledged. */
  readonly after: number;
}

/** What an engine has acknowledged. */
export interface ExportMark extends ExportCursor {
  readonly engine: PushEngine;
}

/** What exports have history keep. */
export interface ExportRecords {
  /** null if nothing more is settled. */
  readonly cut: ExportCut | null;
  readonly marks: readonly ExportMark[];
}
