// Snapshot: everything that store, stream and view may know about an interval. Plain, complete, never changed after it was made.

import type { HistoryStatus } from './history.ts';
import type { PrivilegeStatus } from './privileges.ts';
import type {
  ApplicationSource,
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
}

/** One app with traffic since the start. The folded rest and the unowned are rows too, with `app` null and a reason. */
export interface AppRow extends Traffic {
  /** Stable within a run; what the screen selects by. */
  readonly id: string;
  readonly app: string | null;
  readonly reason: string | null;
  readonly exe: string | null;
  readonly pids: readonly number[];
  readonly user: string | null;
  /** The newest of its processes, bounded; empty for rows without an app. */
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

/** One remote host. Before names are known a host is its address. */
export interface HostRow extends Traffic {
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
  /** Hardware address of a device of the local network, `00:11:22:33:44:55`, and who made it; null where they are not known. */
  readonly mac: string | null;
  readonly vendor: string | null;
  readonly flows: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly recent: readonly number[];
}

/** What one category moved. */
export interface CategoryRow extends Traffic {
  readonly id: string;
  /** null: not categorised. */
  readonly category: string | null;
  readonly flows: number;
  readonly recent: readonly number[];
}

/** What one interface moved, by what was captured and by its own counters. */
export interface InterfaceRow extends Traffic {
  readonly id: string;
  readonly interface: string;
  readonly kind: InterfaceKind;
  /** True when what it moves now is part of the headline total. */
  readonly isCounted: boolean;
  /** Of what it received, what passed by: neither to nor from this machine. null where that can't be told. */
  readonly passingBytes: number | null;
  /** Frame bytes captured since the start; null where nothing is captured. */
  readonly frameBytes: number | null;
  /** What the interface itself counted since the start, RX+TX frame bytes; null where the counter can't be trusted. */
  readonly counterBytes: number | null;
  readonly counterDropped: number | null;
  /** Frames that it received or sent wrong; null where the system doesn't tell. */
  readonly counterErrors: number | null;
  readonly recentRx: readonly number[];
  readonly recentTx: readonly number[];
}

/** One flow: its ends, its owner, its name, what it moved. Times in epoch ms. */
export interface FlowRow extends Traffic {
  /** Unique within a run, also after the row of the table was used again. */
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
  /** Why there is no owner; null where there is one. */
  readonly reason: string | null;
  readonly peerApp: string | null;
  readonly peerPid: number | null;
  /** App for which the owner acts (mDNSResponder asks DNS for all); null where it acts for itself, or nothing tells. */
  readonly onBehalfOf: string | null;
  readonly host: string | null;
  readonly nameSource: NameSource;
  /** Why there is no name; null where there is one. */
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
  /** A flow inside of a tunnel that can be read: the one that told a name, else the first; null where none was seen. Its bytes are part of this one's. */
  readonly inside: InnerFlow | null;
  /** True for the flow in which a captured tunnel travels: its bytes are counted under the apps inside, only its overhead here. */
  readonly carries: boolean;
  readonly closed: boolean;
}

/** A file in which countries or networks are looked up. */
interface PlaceFile {
  readonly path: string;
  /** What it calls itself: `GeoLite2-Country` ... */
  readonly type: string;
  /** Day on which it was built, RFC 3339; null where it does not say. */
  readonly built: string | null;
}

/** The capture as it stands: which driver and attribution, why not a better one, and what was lost. Counters since the start. */
export interface CaptureStatus {
  readonly driver: string;
  readonly interfaces: readonly string[];
  /** procfs, pktap, lsof ...; `none` where nothing tells owners. */
  readonly attribution: string;
  /** null where nothing is captured: the reduced view without rights. */
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
   * Frame bytes captured on the interfaces of the headline, and what these interfaces counted themselves. Only the two of these compare: what
   * crosses a tunnel or a bridge crosses one of them too. null as above.
   */
  readonly countedFrameBytes: number | null;
  readonly countedInterfaceBytes: number | null;
  /** Why that is unknown, and of which interface; empty where it is known, or no interface was met yet. */
  readonly countedNote: string;
  readonly interfaceDropped: number | null;
  readonly fallbacks: readonly Fallback[];
  readonly snapLength: { readonly bulk: number; readonly whole: number };
  readonly bufferBytes: number | null;
  /** One line on what is wrong now (interface down, attribution failing); empty when all is well. */
  readonly note: string;
  /** File name in a replay, null live. */
  readonly file: string | null;
  /** True where addresses without a name are asked for theirs: the only traffic that watching makes. */
  readonly reverseDns: boolean;
  readonly places: readonly PlaceFile[];
  /** What is wrong with those files; empty when all is well. */
  readonly placesNote: string;
  /** As whom it runs and what it still may; null until that is settled. */
  readonly privileges: PrivilegeStatus | null;
  /** How recording goes; null where nothing is recorded because nobody asked for it. */
  readonly history: HistoryStatus | null;
}

/** The highest rate of each of several stretches that follow one another, oldest first; columns of equal length. */
export interface RateSeries {
  /** When each ended, epoch ms, rising. */
  readonly ends: readonly number[];
  /** How long each was, ms. */
  readonly lengths: readonly number[];
  /** Bytes/s over the shortest time that was kept apart, a tick or a second; NaN where nothing was measured. */
  readonly rx: readonly number[];
  readonly tx: readonly number[];
}

/** Rates of the headline in the past. Shorter than told while it fills, and empty where no past is kept. */
export interface Rates {
  /** A tick each, a second at the least: 300 at the most. */
  readonly seconds: RateSeries;
  /** Ten seconds each, 360 at the most. */
  readonly tens: RateSeries;
  /** A minute each, 1440 at the most. */
  readonly minutes: RateSeries;
}

/** The headline: physical interfaces, and what this machine exchanges with its containers. */
export interface TotalRow extends Traffic {
  readonly unownedBytes: number;
  /** Of what was received, what passed by: neither to nor from this machine. null where that can't be told. */
  readonly passingBytes: number | null;
}

/** A stretch that was not measured: the machine slept, the clock jumped, frames were lost. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly reason: 'sleep' | 'clock' | 'loss' | 'interface';
  readonly detail: string;
}

/** Rows and totals of the flows that a filter matches, what they moved reckoned as it moved: also of flows that are forgotten by now. */
export interface Matching {
  /** The filter. */
  readonly text: string;
  /** Snapshot time from which everything is counted, epoch ms; null counts from the start. */
  readonly from: number | null;
  /** Before this time only what flows that were still known had moved is counted, epoch ms; null where nothing is missing. */
  readonly completeSince: number | null;
  /** Each flow counts once, and what is inside a tunnel not again in what carries it. Never falls. */
  readonly total: TotalRow;
  readonly apps: readonly AppRow[];
  readonly hosts: readonly HostRow[];
  readonly categories: readonly CategoryRow[];
  readonly interfaces: readonly InterfaceRow[];
  /** Those that match now; bounded as in a snapshot. */
  readonly flows: readonly FlowRow[];
  readonly flowCount: number;
}

/** All that is known at a tick: plain data, made once, never changed. Bytes are of the network layer, rates in bytes/s. */
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
  /** Busiest and most recent first, bounded; `flowCount` is how many there are. */
  readonly flows: readonly FlowRow[];
  readonly flowCount: number;
  /** What the filter in force leaves of it; null without one. */
  readonly matching: Matching | null;
  /** Flows whose row was given up because the table was full; their bytes stay in every total. */
  readonly flowsEvicted: number;
  /** Gaps that ended in this interval. */
  readonly gaps: readonly Gap[];
  /** What happened so far, oldest first, bounded; empty where nobody keeps it. The same list while nothing new happened. */
  readonly events: readonly NetEvent[];
}

// Events: what happened, told once, with what it happened to. Plain data; words are put together by whoever shows them.

/** What happened. */
const EVENT_KINDS = [
  'start',
  'new app',
  'new domain',
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

/** Many flows that opened or closed, told together. It goes on while they do: then the event is renewed under its id. */
export interface FlowBurst {
  /** Flows of one app, or of one reason for having none; of many apps; or flows that were too many to be listed. */
  readonly of: 'app' | 'others' | 'unlisted';
  /** Why there is no app; null where there is one, or many. */
  readonly reason: string | null;
  readonly count: number;
  /** Name or address of the remote end where all have the same. */
  readonly host: string | null;
  /** Remote ends told apart, at most MOST_HOSTS. */
  readonly hosts: number;
  /** When the first was noticed, epoch ms; the event's time is that of the last. */
  readonly since: number;
  /** What those that closed had moved. */
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** One thing that happened. Text is outside text: nobody has cleaned it. */
export interface NetEvent {
  /** Unique within a run. */
  readonly id: string;
  /** Epoch ms; that of the tick that noticed it. */
  readonly time: number;
  readonly kind: EventKind;
  /** What to say beyond the fields; empty where they say all. */
  readonly text: string;
  readonly app: string | null;
  readonly domain: string | null;
  readonly interface: string | null;
  /** The flow it is about, as it was then. */
  readonly flow: FlowRow | null;
  /** Flows that are told together; null for all else. */
  readonly burst: FlowBurst | null;
}

// The past of what keeps none: an empty history of rates.

const NO_SERIES = { ends: [], lengths: [], rx: [], tx: [] };

/** No rates. */
export const NO_RATES: Rates = { seconds: NO_SERIES, tens: NO_SERIES, minutes: NO_SERIES };

// An interface as a tick sees it: what it is, and what was counted on it outside of any flow.

/** One interface of the capture, in the order of the indexes that flows carry. */
export interface TickInterface {
  readonly name: string;
  readonly kind: InterfaceKind;
  /** True when what it moves now is part of the headline total. Otherwise a tunnel's flows still belong to apps; all other kinds repeat what is counted elsewhere. */
  readonly isCounted: boolean;
  /** True when its frames are seen on another interface again: a port of a bridge. */
  readonly repeats: boolean;
  /** Names of the interfaces below it: what it sends and receives goes over one of these, too. */
  readonly lower: readonly string[];
  /** Network-layer bytes that passed it, neither to nor from this machine; null where that can't be told. */
  readonly passingBytes: number | null;
  /** Network-layer bytes, and packets, that were received though their flow is booked as sent; negative the other way round. */
  readonly turnedBytes: number;
  readonly turnedPackets: number;
  /** Frame bytes captured on it. */
  readonly frameBytes: number | null;
  /** RX+TX frame bytes that the interface itself counted meanwhile; null where that can't be trusted. */
  readonly counterBytes: number | null;
  readonly counterDropped: number | null;
  /** Frames that the interface received or sent wrong meanwhile; null where it is not known. */
  readonly counterErrors: number | null;
}

/** Hosts told apart in a burst. */
export const MOST_HOSTS = 100;
