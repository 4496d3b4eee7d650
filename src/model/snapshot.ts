// Snapshot: everything that history, outputs and view know about an interval. Plain data, complete, never changed once made.

import type { Alert, Mute } from './alert.ts';
import type { MessengerStatus } from './delivery.ts';
import type { DnsPart, EncryptedDnsRow } from './dns.ts';
import type { ExportStatus } from './export.ts';
import type { HistoryStatus } from './history.ts';
import type { ListenerRow } from './listeners.ts';
import type { MachineStatus, OfMachine } from './machines.ts';
import type { Average } from './options.ts';
import type { PacketPage } from './packet-page.ts';
import type { KeptStatus, WritingStatus } from './packets.ts';
import type { PrivilegeStatus } from './privileges.ts';
import type { Diagnosis, Ends, LinkQuality, Quality } from './quality.ts';
import type { Talk } from './talk.ts';
import type {
  ApplicationSource,
  Asked,
  Attribution,
  Endpoint,
  Fallback,
  FlowDirection,
  InnerFlow,
  InterfaceKind,
  NameSource,
  Process,
} from './terms.ts';

/** Totals since the start (integers) and rates over the interval (bytes/s). Bytes are network-layer bytes, RX and TX as the local host sees them. */
export interface Traffic {
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxRate: number;
  readonly txRate: number;
  /** RX and TX bytes/s over each of AVERAGES in turn; empty if only the interval is known: without a screen, and in a range of the past. */
  readonly means: readonly number[];
}

/** One app with traffic since the start. The folded rest and traffic without an owner are rows too, with `app` null and a reason. */
export interface AppRow extends Traffic, OfMachine {
  /** Stable within a run; what the screen selects by. */
  readonly id: string;
  readonly app: string | null;
  readonly reason: string | null;
  readonly exe: string | null;
  readonly pids: readonly number[];
  readonly user: string | null;
  /** Its newest processes, bounded; empty for rows without an app. */
  readonly processes: readonly Process[];
  /** Processes it has had since the start. */
  readonly processCount: number;
  /** Flows it has had since the start. */
  readonly flows: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** RX+TX bytes/s of the last seconds, oldest first; empty for rows outside the busiest. */
  readonly recent: readonly number[];
}

/** One remote host: a name, or an address until a name is known. */
export interface HostRow extends Traffic, OfMachine {
  readonly id: string;
  /** null for the folded rest. */
  readonly host: string | null;
  readonly reason: string | null;
  readonly domain: string | null;
  readonly nameSource: NameSource;
  readonly addresses: readonly string[];
  readonly category: string | null;
  readonly country: string | null;
  readonly asn: number | null;
  /** Operator of that network. */
  readonly network: string | null;
  /** Hardware address of a local device, `00:11:22:33:44:55`, and its vendor; null if unknown. */
  readonly mac: string | null;
  readonly vendor: string | null;
  /** How well it answers; null if it isn't measured: without a screen, without TCP, and for several hosts in one row. */
  readonly quality: Quality | null;
  readonly flows: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly recent: readonly number[];
}

/**
 * What an app moved by one process with one other end. The figures of an app, a process or a host are sums of these; what they don't have, its
 * row has in a rest. Times in epoch ms. Summed by process, all count but `isFolded` ones; summed by other end, all that tell one.
 */
export interface BranchRow extends Traffic, OfMachine {
  /** Unique within a run. */
  readonly id: string;
  /** Id of the app's row; its name, or the reason why there is none. */
  readonly appId: string;
  readonly app: string | null;
  readonly reason: string | null;
  /** null for no process, and for many. */
  readonly pid: number | null;
  /** The newest of its processes with that pid; null for none or many, and if it was forgotten before the first snapshot. */
  readonly process: Process | null;
  /** It is what many processes moved of old: rows without an end have it once more, by process. */
  readonly isFolded: boolean;
  /** Id of the host's row; null on the far side of a local flow, and for many ends. */
  readonly hostId: string | null;
  /** Name or address of that host, its address, and how its name is known. */
  readonly host: string | null;
  readonly address: string | null;
  readonly nameSource: NameSource;
  /** The other end is this machine: it is the far side of a local flow. */
  readonly isFar: boolean;
  /** App at the other end, if that is here too and known. */
  readonly peerApp: string | null;
  /** It carries a captured tunnel: apps inside have its bytes, and the row of its app only the overhead. */
  readonly carries: boolean;
  /** Flows it has had. */
  readonly flows: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** What one category moved. */
export interface CategoryRow extends Traffic, OfMachine {
  readonly id: string;
  /** null: not categorised. */
  readonly category: string | null;
  readonly flows: number;
  readonly recent: readonly number[];
}

/** What one interface moved, by what was captured and by its own counters. */
export interface InterfaceRow extends Traffic, OfMachine {
  readonly id: string;
  readonly interface: string;
  readonly kind: InterfaceKind;
  /** True if what it moves now is part of the total. */
  readonly isCounted: boolean;
  /** Received bytes that passed by, neither to nor from this machine; null if unknown. */
  readonly passingBytes: number | null;
  /** Frame bytes captured since the start; null without a capture. */
  readonly frameBytes: number | null;
  /** RX+TX frame bytes that the interface itself counted since the start; null if the counter can't be trusted. */
  readonly counterBytes: number | null;
  readonly counterDropped: number | null;
  /** Frames with errors, received or sent; null if the system doesn't say. */
  readonly counterErrors: number | null;
  readonly ends: Ends;
  /** null for a cable, and if nothing is measured. */
  readonly link: LinkQuality | null;
  readonly recentRx: readonly number[];
  readonly recentTx: readonly number[];
}

/** One flow: its ends, its owner, its name, what it moved. Times in epoch ms. */
export interface FlowRow extends Traffic, OfMachine {
  /** Unique within a run, even after the row of the table is reused. */
  readonly id: string;
  readonly protocol: string;
  readonly interface: string;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly direction: FlowDirection;
  readonly state: string;
  readonly app: string | null;
  readonly pid: number | null;
  readonly attribution: Attribution;
  /** Why there is no owner; null if there is one. */
  readonly reason: string | null;
  readonly peerApp: string | null;
  readonly peerPid: number | null;
  /** App on whose behalf the owner acts (mDNSResponder queries DNS for all); null if unknown or none. */
  readonly onBehalfOf: string | null;
  readonly host: string | null;
  readonly nameSource: NameSource;
  /** Why there is no name; null if there is one. */
  readonly nameReason: string | null;
  /** Registrable domain of the name. */
  readonly domain: string | null;
  readonly application: string | null;
  readonly applicationSource: ApplicationSource;
  readonly category: string | null;
  readonly country: string | null;
  readonly asn: number | null;
  /** Operator of that network. */
  readonly network: string | null;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly rttMs: number | null;
  readonly retransmits: number;
  /** VXLAN, WireGuard and the like; null for plain traffic. */
  readonly tunnel: string | null;
  /** A flow inside this tunnel, if it is readable: the one that revealed a name, else the first; null if none was seen. Its bytes are part of this flow's. */
  readonly inside: InnerFlow | null;
  /** What it asked DNS for; null if it is no look-up, or nothing was read of it. For the screen alone. */
  readonly asked: Asked | null;
  /** How it is spoken; null if nothing was seen of that. For the screen alone. */
  readonly talk: Talk | null;
  /** Round trip of the handshake of TCP, ms; null if that wasn't seen. For the screen alone. */
  readonly connectMs: number | null;
  /** True for a flow that carries a captured tunnel: apps inside have its bytes, and only the overhead counts as its own. */
  readonly carries: boolean;
  readonly closed: boolean;
}

/** A database of countries or networks. */
interface PlaceFile {
  readonly path: string;
  /** Its own name for itself: `GeoLite2-Country` ... */
  readonly type: string;
  /** Build date, RFC 3339; null if it doesn't say. */
  readonly built: string | null;
}

/** State of the capture: driver and attribution, why not better ones, and what was lost. Counters since the start. */
export interface CaptureStatus {
  readonly driver: string;
  readonly interfaces: readonly string[];
  /** procfs, pktap, lsof ...; `none` if nothing names owners. */
  readonly attribution: string;
  /** null without a capture, in the reduced view. */
  readonly packets: number | null;
  readonly frameBytes: number | null;
  /** Kernel and interface drops; null is unknown. */
  readonly dropped: number | null;
  readonly shed: number;
  readonly undecoded: number;
  readonly truncated: number;
  readonly malformed: number;
  readonly unsupported: number;
  readonly interfaceBytes: number | null;
  /**
   * Frame bytes captured on counted interfaces, and what these interfaces counted themselves. Only these two are comparable, because what crosses a tunnel
   * or a bridge also crosses one of them. null as above.
   */
  readonly countedFrameBytes: number | null;
  readonly countedInterfaceBytes: number | null;
  /** Why that is unknown, with the interface; empty if it is known or there is no interface yet. */
  readonly countedNote: string;
  readonly interfaceDropped: number | null;
  readonly fallbacks: readonly Fallback[];
  readonly snapLength: { readonly bulk: number; readonly whole: number };
  readonly bufferBytes: number | null;
  /** What is wrong now (interface down, attribution failing), in one line; empty if nothing is. */
  readonly note: string;
  /** File name in a replay, null live. */
  readonly file: string | null;
  /** True if the program asks DNS for names, the only traffic that it makes itself. */
  readonly reverseDns: boolean;
  readonly places: readonly PlaceFile[];
  /** What is wrong with those files; empty if nothing is. */
  readonly placesNote: string;
  /** User and rights of the run; null until root is dropped. */
  readonly privileges: PrivilegeStatus | null;
  /** The state of recording; null if not recording. */
  readonly history: HistoryStatus | null;
  /** How far alerts got beyond the screen; null if they go nowhere. */
  readonly delivery: MessengerStatus | null;
  /** How far engines got; null if nothing is exported. */
  readonly exports: ExportStatus | null;
  /** What the user silenced, mutes that have ended too. */
  readonly mutes: readonly Mute[];
  /** Packets that are kept; null if none are. */
  readonly kept: KeptStatus | null;
  /** The capture file that packets are written to; null without one. */
  readonly writing: WritingStatus | null;
}

/** The highest rate of each of many consecutive ranges of time, oldest first; columns of equal length. */
export interface RateSeries {
  /** When each ended, epoch ms, rising. */
  readonly ends: readonly number[];
  /** How long each was, ms. */
  readonly lengths: readonly number[];
  /** Bytes/s over the shortest measured time, a tick or a second; NaN if nothing was measured. */
  readonly rx: readonly number[];
  readonly tx: readonly number[];
}

/** Rates of the total over time. Shorter while the run is young, and empty if no rates are kept. */
export interface Rates {
  /** A tick each, at least a second; 300 at most. */
  readonly seconds: RateSeries;
  /** Ten seconds each; 360 at most. */
  readonly tens: RateSeries;
  /** A minute each; 1440 at most. */
  readonly minutes: RateSeries;
}

/** The total: what counted interfaces move, and what this machine exchanges with its containers. */
export interface TotalRow extends Traffic {
  readonly unownedBytes: number;
  /** Received bytes that passed by, neither to nor from this machine; null if unknown. */
  readonly passingBytes: number | null;
}

/** A time that was not measured: the machine slept, the clock jumped, frames were lost. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly reason: 'sleep' | 'clock' | 'loss' | 'interface';
  readonly detail: string;
}

/** Rows and totals of what a filter matches. Flows count when they move, even if they have left by now. */
export interface Matching {
  /** The filter. */
  readonly text: string;
  /** Snapshot time from which everything is counted, epoch ms; null counts from the start. */
  readonly from: number | null;
  /** Seconds over which the filter's rates are means; null if they are those of the interval. */
  readonly average: Average | null;
  /** Before this time only flows that were still in the table count, epoch ms; null if nothing is missing. */
  readonly completeSince: number | null;
  /** Each flow counts once; a tunnel's contents don't count again in the tunnel. Never decreases. */
  readonly total: TotalRow;
  readonly apps: readonly AppRow[];
  readonly hosts: readonly HostRow[];
  readonly categories: readonly CategoryRow[];
  readonly interfaces: readonly InterfaceRow[];
  /** As in a snapshot. */
  readonly branches: readonly BranchRow[] | null;
  /** Those that match now; bounded as in a snapshot. */
  readonly flows: readonly FlowRow[];
  readonly flowCount: number;
  readonly encryptedDns: readonly EncryptedDnsRow[];
}

/** Everything known at a tick: plain data, never changed once made. Network-layer bytes; rates in bytes/s. */
export interface Snapshot {
  /** Counts ticks from 0. */
  readonly seq: number;
  /** End of the interval, epoch ms. */
  readonly time: number;
  /** When the run began, epoch ms. */
  readonly started: number;
  /** Measured, not nominal. */
  readonly intervalMs: number;
  readonly capture: CaptureStatus;
  readonly total: TotalRow;
  readonly rates: Rates;
  readonly apps: readonly AppRow[];
  readonly hosts: readonly HostRow[];
  readonly categories: readonly CategoryRow[];
  readonly interfaces: readonly InterfaceRow[];
  /** Busiest and most recent first, bounded; `flowCount` is the number of all. */
  readonly flows: readonly FlowRow[];
  readonly flowCount: number;
  /** What is below apps and hosts, the largest of each app, bounded; null if none are kept: without a screen, and in a range of the past. */
  readonly branches: readonly BranchRow[] | null;
  /** What the filter matches; null without a filter. */
  readonly matching: Matching | null;
  /** The last packets of the connection that the user looks at; null if he looks at none, and without a screen. */
  readonly packets: PacketPage | null;
  /** Flows evicted because the table was full. Their bytes stay in every total. */
  readonly flowsEvicted: number;
  readonly dns: DnsPart;
  /** What waits for connections on this machine; null without a screen, in a replay, and until the first list is there. The same list while nothing changes. */
  readonly listeners: readonly ListenerRow[] | null;
  /** Gaps that ended in this interval. */
  readonly gaps: readonly Gap[];
  /** What happened so far, oldest first, bounded; empty without a screen. The same list while nothing new happens. */
  readonly events: readonly NetEvent[];
  /** What the watch raised so far, oldest first, bounded; empty if nothing is watched. The same list while nothing new is raised. */
  readonly alerts: readonly Alert[];
  /** What is clearly wrong now, the widest first, bounded; empty if nothing is, or isn't measured. */
  readonly diagnoses: readonly Diagnosis[];
  /** Machines that are shown; absent where it is this one. */
  readonly machines?: readonly MachineStatus[];
}

/** Kinds of events. The view puts them into words. */
export const EVENT_KINDS = [
  'start',
  'new app',
  'new domain',
  'listening',
  'opened',
  'closed',
  'gap',
  'warning',
  'interface',
  'fallback',
  'recording',
  'export',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Many flows that opened or closed, as one event. While more follow, the event is replaced under the same id. */
export interface FlowBurst {
  /** Flows of one app, or of one reason for having none; of many apps; or flows that the snapshot doesn't list. */
  readonly of: 'app' | 'others' | 'unlisted';
  /** Why there is no app; null if there is one, or many. */
  readonly reason: string | null;
  readonly count: number;
  /** Name or address of the remote end, if all have the same. */
  readonly host: string | null;
  /** Number of different remote ends, at most MAX_HOSTS. */
  readonly hosts: number;
  /** When the first was noticed, epoch ms. The event's own time is the last one's. */
  readonly since: number;
  /** What the closed flows had moved. */
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** One event. Its texts come from outside and aren't sanitised. */
export interface NetEvent extends OfMachine {
  /** Unique within a run. */
  readonly id: string;
  /** Time of the tick that noticed it, epoch ms. */
  readonly time: number;
  readonly kind: EventKind;
  /** What to say beyond the fields; empty if they say everything. */
  readonly text: string;
  readonly app: string | null;
  readonly domain: string | null;
  readonly interface: string | null;
  /** The flow concerned, as it was then. */
  readonly flow: FlowRow | null;
  /** The flows of a burst; null for anything else. */
  readonly burst: FlowBurst | null;
}

/** For how long an app or domain seen for the first time counts as new. */
export const RECENT_MINUTES = 10;
export const RECENT_MS = RECENT_MINUTES * 60_000;

/** Means if none are kept. */
export const NO_MEANS: readonly number[] = [];

/** Alerts if nothing is watched. */
export const NO_ALERTS: readonly Alert[] = [];

/** Ends of which nothing is measured, and no diagnoses. */
export const NO_ENDS: Ends = { near: null, far: null };
export const NO_DIAGNOSES: readonly Diagnosis[] = [];

const NO_SERIES = { ends: [], lengths: [], rx: [], tx: [] };

/** Empty rates. */
export const NO_RATES: Rates = { seconds: NO_SERIES, tens: NO_SERIES, minutes: NO_SERIES };

/** One interface of the capture at a tick, with what flows don't count. In the order of the indices that flows carry. */
export interface TickInterface {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** True if what it moves now is part of the total. If not, a tunnel's flows still belong to apps; other kinds repeat traffic counted elsewhere. */
  readonly isCounted: boolean;
  /** True if another interface shows its frames again: a port of a bridge. */
  readonly repeats: boolean;
  /** Names of the interfaces below it, one of which carries its frames too. */
  readonly lower: readonly string[];
  /** Network-layer bytes that passed by, neither to nor from this machine; null if unknown. */
  readonly passingBytes: number | null;
  /** Network-layer bytes, and packets, received while their flow counts them as sent; negative for the opposite. */
  readonly reversedBytes: number;
  readonly reversedPackets: number;
  /** Frame bytes captured on it. */
  readonly frameBytes: number | null;
  /** RX+TX frame bytes that the interface itself counted; null if that can't be trusted. */
  readonly counterBytes: number | null;
  readonly counterDropped: number | null;
  /** Frames with errors; null if unknown. */
  readonly counterErrors: number | null;
  /** null for a cable, and if nobody asks for quality. */
  readonly link: LinkQuality | null;
}

/** Most hosts distinguished in a burst. */
export const MAX_HOSTS = 100;
