// Types that all layers share: processes, apps, owners, names, places, interfaces. This folder has plain data, and no behaviour beyond reading it.

import type { Talk } from './talk.ts';

/** How the owner of a flow is known, most trusted first. */
export const ATTRIBUTIONS = ['exact', 'listener', 'wildcard', 'kernel', 'none'] as const;
export type Attribution = (typeof ATTRIBUTIONS)[number];

/** In place of a process number, for an end of a flow without an owner. */
export const NO_OWNER = -1;

/** Why a flow has no process. */
export const OWNER_REASONS = [
  'not looked up yet',
  'older than the start',
  'forwarded',
  'not a local socket',
  'closed before it could be looked up',
  'hidden by the system',
  'no process: the kernel itself',
  'recorded without owners',
  'attribution is off',
  'nothing listens on the port',
] as const;
export type OwnerReason = (typeof OWNER_REASONS)[number];
/** The reasons that name the kernel. Such a flow needs no process. */
export const KERNEL_REASONS: readonly OwnerReason[] = [
  'no process: the kernel itself',
  'forwarded',
  'nothing listens on the port',
];

/** Which way a flow was opened, seen from this machine. */
export const FLOW_DIRECTIONS = ['outbound', 'inbound', 'local', 'transit'] as const;
export type FlowDirection = (typeof FLOW_DIRECTIONS)[number];

/** How the name of a remote end is known. Journals keep indexes into this list: add new ones at its end. */
export const NAME_SOURCES = ['none', 'ptr', 'mdns', 'dns', 'http', 'quic', 'tls', 'inner'] as const;
export type NameSource = (typeof NAME_SOURCES)[number];

/**
 * How far a name is trusted. A name replaces only names of a lower rank. What the flow itself said ranks highest, then names inferred from its address,
 * last the name that a flow inside a tunnel asked for, because the tunnel may carry others.
 */
export const NAME_RANK: Readonly<Record<NameSource, number>> = {
  none: 0,
  inner: 1,
  ptr: 2,
  mdns: 3,
  dns: 4,
  http: 5,
  quic: 5,
  tls: 5,
};

/** Whether the name is inferred from the address; the flow may have asked for a different one. */
export function isInferred(source: NameSource): boolean {
  return source === 'dns' || source === 'mdns' || source === 'ptr';
}

/** Where a process comes from: as it was when the process began, or when it was first seen if it is older than the run. */
export interface Lineage {
  /** Whose child it is, the nearest last, at most MAX_ANCESTORS; empty if unknown. A parent that ended, or handed it to init, stays. */
  readonly ancestors: readonly Ancestor[];
  /** The shell, IDE, service or other program at the head of its line, however far above; null if unknown. It may be the process itself. */
  readonly origin: Ancestor | null;
  /** Pid of the leader of its session (setsid(2)); null if unknown. */
  readonly session: number | null;
  /** Its controlling terminal: `pts/3`; null if it has none, or it is unknown. */
  readonly terminal: string | null;
  /** How it was started: one line, bounded, secrets masked; null if unknown. For the screen and filters alone: no output and no file has it. */
  readonly command: string | null;
}

/** The lineage of a process of which nothing is known. */
export const NO_LINEAGE: Lineage = { ancestors: [], origin: null, session: null, terminal: null, command: null };

/** Most ancestors kept of a process, the nearest. */
export const MAX_ANCESTORS = 6;

/** A process above another one, by the name that it had when the lower one began. Pid and start tell it from all others. */
export interface Ancestor {
  readonly pid: number;
  readonly name: string;
  /** Start time, epoch ms, to the second; null if unknown. */
  readonly startedAt: number | null;
}

/** What a container's engine calls it. Texts are sanitised. */
export interface ContainerNames {
  /** The first twelve digits of its id where no name is known. */
  readonly container: string;
  readonly image: string | null;
  /** Pod of Kubernetes or podman. */
  readonly pod: string | null;
  /** Namespace of Kubernetes. */
  readonly namespace: string | null;
  /** Project of Compose. */
  readonly project: string | null;
}

/** The container that processes run in. The same object for all of them. */
export interface Container extends ContainerNames {
  /** `docker`, `podman`, `containerd` ... */
  readonly engine: string;
  /** As the engine numbers it; of LXC the name. */
  readonly id: string;
  /** Why its name isn't known, and what would help; null if it is. */
  readonly unknown: string | null;
}

/**
 * What is known of an executable's publisher: on a Mac by its signature, on Linux by the package that it is from. `untrusted` is signed by somebody
 * whom Apple doesn't vouch for, `adhoc` by nobody, `unpackaged` from no package of this system.
 */
export const PUBLISHER_KINDS = [
  'apple',
  'signed',
  'package',
  'unpackaged',
  'unsigned',
  'adhoc',
  'untrusted',
  'invalid',
  'unknown',
] as const;
export type PublisherKind = (typeof PUBLISHER_KINDS)[number];
/** Those that vouch for nothing. */
export const UNVOUCHED: readonly PublisherKind[] = ['unpackaged', 'unsigned', 'adhoc', 'untrusted', 'invalid'];

/** Who made an executable: outside text, sanitised. */
export interface Publisher {
  readonly kind: PublisherKind;
  /** Who signed it, or the package that it is from; null for nobody who is known. */
  readonly name: string | null;
  /** Version of that package. */
  readonly version: string | null;
  /** Team ID that Apple gave to the signer, or who maintains the package. */
  readonly by: string | null;
  /** Whose word it is: codesign, dpkg, rpm, apk, pacman, or the layout of its path (snap, flatpak, nix, guix, homebrew); null for nobody's. */
  readonly source: string | null;
  /** Why nothing is known, or how far it can be relied on; null where there is nothing to say. */
  readonly note: string | null;
  /** Its SHA-256 in hexadecimal, or why it has none; null if nobody asked. */
  readonly digest: string | null;
}

/** A container as a person calls it: `docker web`, `pod prod/db-0`. Containers of one pod share it. */
export function containerLabel({ engine, container, pod, namespace }: Container): string {
  return pod !== null && namespace !== null ? `pod ${namespace}/${pod}` : `${engine} ${container}`;
}

/** One process that owns or owned a socket. Lives as long as the directory that holds it. */
export interface Process extends Lineage {
  /** Never reused within a run. */
  readonly id: number;
  readonly pid: number;
  /** As shown: from the executable if known, else the kernel's short name. */
  readonly name: string;
  readonly exe: string | null;
  readonly uid: number | null;
  readonly user: string | null;
  /** Its parent when it was looked at: whoever adopted it, if the one that started it is gone. */
  readonly parentPid: number | null;
  /** Start time, epoch ms, to the second; null if unknown. */
  readonly startedAt: number | null;
  /** What an interpreter runs (a script, a module, a jar); null for other programs. */
  readonly script: string | null;
  /** systemd unit, launchd job or container that it belongs to; null if there is none or it is unknown. */
  readonly unit: string | null;
  /** null if it runs in none. */
  readonly container: Container | null;
  /** Who made its executable; null if that wasn't looked up yet. */
  readonly publisher: Publisher | null;
  /** Id of its app. */
  readonly app: number;
}

/** One row of the apps table: processes that a person would call the same program. */
export interface App {
  /** Dense; reused once this app is forgotten. */
  readonly id: number;
  readonly name: string;
  readonly exe: string | null;
  readonly user: string | null;
  /** Most recent last; bounded. */
  readonly pids: readonly number[];
  /** The processes behind `pids`, in the same order; two of them if a pid was reused. A new list whenever one of them changes. */
  readonly processes: readonly Process[];
  /** Processes ever seen, including those beyond the bound. */
  readonly processCount: number;
}

/** The processes and apps seen so far. */
export interface ProcessDirectory {
  process(id: number): Process | undefined;
  app(id: number): App | undefined;
  readonly appCount: number;
  /** Whether there is little room left for new apps, so it is time for `forgetApps`. */
  readonly appsAreNearlyFull: boolean;
  /** The app that stands for all those for which there was no room. */
  readonly moreApps: number;
  /** Forgets apps that no flow has, and their processes. Their numbers may be reused. */
  forgetApps(apps: readonly number[]): void;
}

/** What an interface is, which decides whether its bytes belong to the total. */
export const INTERFACE_KINDS = ['physical', 'loopback', 'tunnel', 'bridge', 'virtual'] as const;
export type InterfaceKind = (typeof INTERFACE_KINDS)[number];

/** A driver or an attribution source that was skipped, and why, in the user's words. */
export interface Fallback {
  readonly driver: string;
  readonly reason: string;
}

/** An end of a flow, as text and number. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A flow inside a tunnel, as one of its packets showed it. */
export interface InnerFlow {
  readonly protocol: string;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** The name that it asked for; null if it showed none. */
  readonly host: string | null;
}

/** How a flow's application protocol is known: from its packets, or from a port's usual service. */
export type ApplicationSource = 'content' | 'port' | 'none';

/** Where an address is, by the user's databases. */
export interface Place {
  readonly country: string | null;
  readonly asn: number | null;
  /** Name of the network's operator. */
  readonly network: string | null;
}

/** Place of an address that no database knows. */
export const NOWHERE: Place = { country: null, asn: null, network: null };

/** The device behind an address of the local network. */
export interface Neighbour {
  /** `00:11:22:33:44:55`. */
  readonly mac: string | null;
  /** Its maker. */
  readonly vendor: string | null;
}

/** Device of an address outside of the local network. */
export const NOBODY: Neighbour = { mac: null, vendor: null };

/** Why a flow has no name if its hello is encrypted: it asked for one that can't be seen. */
export const ENCRYPTED_HELLO = 'encrypted hello (ECH)';

/** What is known about flows besides counters and owners, by row of the flow table. */
export interface FlowFacts {
  /** Dense number of the remote end's name; -1 if it has none. Valid as long as a flow has the name. */
  nameOf(row: number): number;
  nameText(name: number): string;
  nameSource(row: number): NameSource;
  /** Why there is no name; null if there is one. */
  nameReason(row: number): string | null;
  /** Registrable domain of a name. */
  domainOf(name: number): string | null;
  /** Whether there is little room left for new names, so it is time for `forgetNames`. */
  readonly namesAreNearlyFull: boolean;
  /** Forgets names that no flow has and `isKept` rejects. Their numbers may be reused. */
  forgetNames(isKept: (name: number) => boolean): void;
  /** A flow inside this tunnel; the same object while nothing more is known. */
  insideOf(row: number): InnerFlow | null;
  /** What a flow with port 53 asked for; the same object while it asks for nothing else. Null where no question was read, or more flows asked since. */
  askedOf(row: number): Asked | null;
  /** How the flow is spoken; the same object while nothing more is known. Null if nothing is, or too many flows were met since. */
  talkOf(row: number): Talk | null;
  /** How a flow that asks DNS hides what it asks; null for any other flow. */
  encryptedDnsOf(row: number): EncryptedTransport | null;
  applicationOf(row: number): string | null;
  applicationSource(row: number): ApplicationSource;
  /** Dense number of the category, -1 if flows aren't categorised. */
  categoryOf(row: number): number;
  categoryText(category: number): string | null;
  /** @param words four words of an address at `at` */
  placeOf(words: Int32Array, at: number): Place;
  /** @param words four words of an address at `at` */
  neighbourOf(words: Int32Array, at: number): Neighbour;
}

/** How DNS travels where it can't be read. */
export const ENCRYPTED_TRANSPORTS = ['tls', 'https', 'quic'] as const;
export type EncryptedTransport = (typeof ENCRYPTED_TRANSPORTS)[number];

/** What DNS was asked for in a flow. */
export interface Asked {
  /** The last name, lower case; any byte that is no printable ASCII is a `?`. */
  readonly name: string;
  /** Names asked for one after the other; a repeated one, such as for its other kind of address, counts once. */
  readonly names: number;
}

/** An interface to choose; a null `name` stands for all of them, or for the default route's, whichever that is. */
export interface InterfaceItem {
  readonly name: string | null;
  /** It stands for the default route: the capture follows it. */
  readonly isRoute: boolean;
  /** Kind, state, addresses: outside text. */
  readonly about: string;
  /** Whether it is captured now. */
  readonly isCaptured: boolean;
}

/** Names of the drivers, in the order in which `--driver auto` tries them. */
export const DRIVERS = ['libpcap', 'tcpdump', 'cap'] as const;

export type DriverName = (typeof DRIVERS)[number];
