// What the watch takes and gives, as plain data: flows as it sees them, what history knows for a baseline, what is new for history.

import type { Alert } from './alert.ts';
import type { Snapshot } from './snapshot.ts';
import type { Asked, Endpoint, Process } from './terms.ts';

/**
 * A flow as the watch sees it. Valid only during the call that passes it: texts are read from the tables as they are asked for, and one
 * object serves all flows. It is a subject of the filter language too.
 */
export interface WatchFlow {
  readonly app: string | null;
  readonly exe: string | null;
  readonly pid: number | null;
  readonly user: string | null;
  /** Its process; null if unknown. */
  readonly process: Process | null;
  /** Name of the remote end, else its address. */
  readonly host: string;
  /** Registrable domain of the name. */
  readonly domain: string | null;
  readonly nameSource: string;
  /** Why it has no name; null if it has one. */
  readonly nameReason: string | null;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly protocol: string;
  readonly application: string | null;
  /** Of FLOW_DIRECTIONS. */
  readonly direction: string;
  readonly interface: string;
  readonly category: string | null;
  readonly country: string | null;
  readonly asn: number | null;
  /** Operator of that network. */
  readonly network: string | null;
  /** What it asked DNS for. */
  readonly asked: Asked | null;
  readonly firstSeen: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** True if the remote end is on the internet: not this machine, this network, or a group. */
  readonly isOutside: boolean;
  /** True unless it was under way when it was first seen; of anything but TCP nobody can tell. */
  readonly isWhole: boolean;
  /** True once the end that was called has answered, and not with a refusal. */
  readonly isAnswered: boolean;
  /** Number of the app, and of the remote end by name or address. Other apps and hosts may get them after thousands more were met. */
  readonly appNumber: number;
  readonly hostNumber: number;
  /** Bytes since `moved` was called for it last; all of them at the first call. */
  readonly movedRx: number;
  readonly movedTx: number;
}

/** What history knows of amounts that are limited, up to the start of the run. */
export interface KnownAmounts {
  /** Bytes of the budget's period. */
  readonly budget: number;
  /** By the names of rules, bytes of the period that the run began in; none of a rule that history can't answer. */
  readonly rules: ReadonlyMap<string, KnownAmount>;
}

/** Bytes since a time, epoch ms. */
export interface KnownAmount {
  readonly bytes: number;
  readonly from: number;
}

/** A snapshot before it has what is made from it. */
export type WatchedTick = Omit<Snapshot, 'alerts' | 'events' | 'matching'>;

/** Watches flows. The aggregator calls it during a tick, once everything that moved is booked. */
export interface Watcher {
  /** True if `moved` wants to be called. */
  readonly wantsMoved: boolean;
  /** An app reached a host over a protocol and port for the first time in this run, or was reached. Again if a name or an owner became known late. */
  met(flow: WatchFlow): void;
  /** A flow began; once for each, when its owner is known or nobody looks for it any more. */
  began(flow: WatchFlow): void;
  /** A flow that had begun turned out to be of another app or with another host: a name or an owner became known. @param app its number before @param host its number before */
  renamed(flow: WatchFlow, app: number, host: number): void;
  /** A flow that had begun is answered now; of one that was answered when it began nothing more is said. */
  answered(flow: WatchFlow): void;
  /** A flow that had begun leaves: it moves no more. */
  left(flow: WatchFlow): void;
  /** A flow to or from port 53 moved. */
  asked(flow: WatchFlow): void;
  /** A flow moved something in this tick, or before its owner was known; called once that is, or nobody looks for it any more. */
  moved(flow: WatchFlow): void;
  /** Bytes that an app sent to other machines in this tick. */
  sent(app: string, bytes: number): void;
  /** Closes the tick. @returns all alerts of the run, oldest first, bounded; the same list while nothing happens */
  tick(now: WatchedTick): readonly Alert[];
}

/** Kinds of what an app is first seen to reach, beyond domains. */
export const CONTACT_KINDS = ['country', 'network', 'inbound'] as const;
export type ContactKind = (typeof CONTACT_KINDS)[number];

/** That an app reached a country (`DE`) or a network (`AS36459`) for the first time, or was reached from outside on a port (`tcp/22`). For history. */
export interface FirstContact {
  readonly kind: ContactKind;
  /** Epoch ms. */
  readonly time: number;
  readonly app: string;
  readonly name: string;
}

/** What history knows of an app. */
export interface KnownApp {
  readonly app: string;
  /** Paths from which it ran, the most used first; a few. */
  readonly exes: readonly string[];
  /** When it was first recorded, epoch ms. */
  readonly first: number;
  /** How much time was recorded since then, ms, whether the app was seen in it or not. */
  readonly recordedMs: number;
  /** Most bytes that it sent in one hour of the last 30 days, without local flows; 0 if it sent nothing. */
  readonly peakTx: number;
  /** Bytes that it sent in `KnownBaseline.hour`, without local flows. */
  readonly hourTx: number;
}

/** Names by app, in columns: there may be 100,000. */
export interface NamesByApp {
  /** Indexes into `apps`. */
  readonly apps: readonly number[];
  readonly names: readonly string[];
}

/** What history knows, for a baseline. */
export interface KnownBaseline {
  /** Time recorded in all, ms. */
  readonly recordedMs: number;
  /** The hour in which history was asked, hours since the epoch. */
  readonly hour: number;
  readonly apps: readonly KnownApp[];
  readonly domains: NamesByApp;
  /** By CONTACT_KINDS, named as in FirstContact. */
  readonly contacts: Readonly<Record<ContactKind, NamesByApp>>;
  /** Time recorded since contacts are kept, ms; 0 if none is. What came before them says nothing of countries, networks and inbound connections. */
  readonly contactsMs: number;
  /** True if not everything fitted: what is missing may be known all the same. */
  readonly isCut: boolean;
}
