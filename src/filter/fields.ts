// The fields of the filter language: names, aliases, the kind of their values, and where a flow has them. Error messages, completions and the
// list in docs/filter.md come from this table.

import type { EncryptedDnsRow, RecordedQuestion } from '../model/dns.ts';
import type { ListenerRow } from '../model/listeners.ts';
import { RECENT_MINUTES } from '../model/snapshot.ts';
import {
  type Asked,
  ATTRIBUTIONS,
  type ContainerNames,
  type EncryptedTransport,
  type Endpoint,
  FLOW_DIRECTIONS,
  MAX_ANCESTORS,
  NAME_SOURCES,
  type Process,
  PUBLISHER_KINDS,
  UNVOUCHED,
} from '../model/terms.ts';

type Text = (subject: FilterSubject) => string | null | undefined;
type Amount = (subject: FilterSubject, now: number | undefined) => number | null | undefined;

interface FieldBase {
  readonly name: string;
  /** Other spellings, RustNet's among them. */
  readonly aliases: readonly string[];
  /** For docs/filter.md and completions. */
  readonly help: string;
}

/** Text, compared without regard to case. Any of its sources may match. `values` is set if there are no others. */
export interface TextField extends FieldBase {
  readonly kind: 'text' | 'address';
  readonly read: readonly Text[];
  readonly values?: readonly string[];
  /** Values worth offering, though there are others. */
  readonly usual?: readonly string[];
  /** Numbers that stand beside the text: a value of digits matches one that is equal. */
  readonly numbers?: readonly Amount[];
}

/** A number: plain, bytes, seconds, milliseconds, or a port. */
export interface NumberField extends FieldBase {
  readonly kind: 'number' | 'size' | 'seconds' | 'milliseconds' | 'port';
  readonly read: readonly Amount[];
}

/** Membership of either end in address blocks. */
export interface NetField extends FieldBase {
  readonly kind: 'net';
  readonly read: readonly Text[];
}

/** What can be asked of a subject, by the kind of its values. */
type Field = TextField | NumberField | NetField;

const localAddress: Text = (subject) => subject.local?.address;
const remoteAddress: Text = (subject) => subject.remote?.address;
const localPort: Amount = (subject) => subject.local?.port;
const remotePort: Amount = (subject) => subject.remote?.port;
/** The processes at both ends of a flow, of which either may match. */
const ENDS: readonly ((subject: FilterSubject) => Origins | null | undefined)[] = [(s) => s.process, (s) => s.peerProcess];
/** Those above a process: its parent first, then further up, and last the head of its line, which may be further than what is kept. */
const ABOVE = [
  ...Array.from({ length: MAX_ANCESTORS }, (_, i) => (process: Origins) => process.ancestors.at(-1 - i)),
  ({ origin }: Origins) => origin,
];
const PARENT = ABOVE.slice(0, 1);
const namesOf = (above: typeof ABOVE): readonly Text[] =>
  ENDS.flatMap((end) =>
    above.map(
      (get): Text =>
        (s) =>
          of(end(s), get)?.name,
    ),
  );
const pidsOf = (above: typeof ABOVE): readonly Amount[] =>
  ENDS.flatMap((end) =>
    above.map(
      (get): Amount =>
        (s) =>
          of(end(s), get)?.pid,
    ),
  );
/** One name of the container that either end, or whatever a record sums, runs in. */
const ofContainer = (name: keyof ContainerNames): readonly Text[] => [
  (s) => s.container?.[name],
  ...ENDS.map(
    (end): Text =>
      (s) =>
        end(s)?.container?.[name],
  ),
];
const of = (process: Origins | null | undefined, get: (typeof ABOVE)[number]) =>
  process === null || process === undefined ? undefined : get(process);
const PUBLISHER = ['name', 'by', 'kind'] as const;
const hostOrAddress: Text = (subject) => subject.host ?? subject.remote?.address;

/** Every field, in the order in which docs/filter.md lists them. */
export const FIELDS: readonly Field[] = [
  { name: 'app', aliases: ['process', 'proc'], kind: 'text', help: 'app', read: [(s) => s.app, (s) => s.peerApp] },
  { name: 'exe', aliases: [], kind: 'text', help: 'path of the executable', read: [(s) => s.exe] },
  { name: 'pid', aliases: [], kind: 'number', help: 'process', read: [(s) => s.pid, (s) => s.peerPid] },
  { name: 'user', aliases: [], kind: 'text', help: 'user that the app runs as', read: [(s) => s.user] },
  {
    name: 'parent',
    aliases: [],
    kind: 'text',
    help: 'the process that started it: a name, or a pid',
    read: namesOf(PARENT),
    numbers: pidsOf(PARENT),
  },
  {
    name: 'ancestor',
    aliases: [],
    kind: 'text',
    help: 'any process above it, as it began: a name, or a pid',
    read: namesOf(ABOVE),
    numbers: pidsOf(ABOVE),
  },
  {
    name: 'cmd',
    aliases: ['command'],
    kind: 'text',
    help: 'command line as details show it, secrets masked',
    read: ENDS.map(
      (end): Text =>
        (s) =>
          end(s)?.command,
    ),
  },
  {
    name: 'unit',
    aliases: [],
    kind: 'text',
    help: 'systemd unit, launchd job or container',
    read: ENDS.map(
      (end): Text =>
        (s) =>
          end(s)?.unit,
    ),
  },
  {
    name: 'container',
    aliases: [],
    kind: 'text',
    help: 'container that it runs in: its name, or its id',
    read: [
      ...ofContainer('container'),
      ...ENDS.map(
        (end): Text =>
          (s) =>
            end(s)?.container?.id,
      ),
    ],
  },
  { name: 'image', aliases: [], kind: 'text', help: 'image of that container', read: ofContainer('image') },
  { name: 'pod', aliases: [], kind: 'text', help: 'pod that it belongs to', read: ofContainer('pod') },
  { name: 'ns', aliases: ['namespace'], kind: 'text', help: 'namespace of Kubernetes', read: ofContainer('namespace') },
  { name: 'project', aliases: [], kind: 'text', help: 'project of Compose', read: ofContainer('project') },
  {
    name: 'publisher',
    aliases: [],
    kind: 'text',
    help: 'who made its executable: signer, Team ID, package, maintainer, or unsigned, unpackaged ...',
    read: ENDS.flatMap((end) =>
      PUBLISHER.map(
        (key): Text =>
          (s) =>
            end(s)?.publisher?.[key],
      ),
    ),
    usual: [...UNVOUCHED, ...PUBLISHER_KINDS.filter((kind) => !UNVOUCHED.includes(kind))],
  },
  {
    name: 'host',
    aliases: ['sni', 'hostname'],
    kind: 'text',
    help: 'name of the remote end, its address where it has none',
    read: [hostOrAddress],
  },
  {
    name: 'domain',
    aliases: [],
    kind: 'text',
    help: 'registrable domain of that name: amazonaws.com',
    read: [(s) => s.domain],
  },
  { name: 'asked', aliases: [], kind: 'text', help: 'name that a look-up asked DNS for, the last', read: [(s) => s.asked?.name] },
  {
    name: 'name_source',
    aliases: ['name-source'],
    kind: 'text',
    help: 'how that name is known',
    read: [(s) => s.nameSource],
    values: NAME_SOURCES,
  },
  { name: 'addr', aliases: [], kind: 'address', help: 'address of either end', read: [localAddress, remoteAddress] },
  { name: 'src', aliases: ['source'], kind: 'address', help: 'address of the local end', read: [localAddress] },
  {
    name: 'dst',
    aliases: ['dest', 'destination'],
    kind: 'address',
    help: 'address or name of the remote end',
    read: [remoteAddress, (s) => s.host],
  },
  { name: 'net', aliases: [], kind: 'net', help: 'either end within 10.0.0.0/8, fd00::/8', read: [localAddress, remoteAddress] },
  {
    name: 'port',
    aliases: [],
    kind: 'port',
    help: 'port of either end: 443, 80,443,8000-8100 or a service',
    read: [localPort, remotePort],
  },
  { name: 'sport', aliases: ['srcport', 'source-port'], kind: 'port', help: 'port of the local end', read: [localPort] },
  {
    name: 'dport',
    aliases: ['dstport', 'dest-port', 'destination-port'],
    kind: 'port',
    help: 'port of the remote end',
    read: [remotePort],
  },
  {
    name: 'proto',
    aliases: ['protocol'],
    kind: 'text',
    help: 'tcp, udp, icmp ...',
    read: [(s) => s.protocol],
    usual: ['tcp', 'udp', 'icmp', 'icmpv6', 'arp'],
  },
  {
    name: 'application',
    aliases: ['service', 'svc'],
    kind: 'text',
    help: 'what is spoken: https, dns, ssh ...',
    read: [(s) => s.application],
  },
  { name: 'ja4', aliases: [], kind: 'text', help: "JA4 fingerprint of the client's hello", read: [(s) => s.ja4] },
  { name: 'ja4s', aliases: [], kind: 'text', help: "JA4S fingerprint of the server's hello", read: [(s) => s.ja4s] },
  {
    name: 'state',
    aliases: [],
    kind: 'text',
    help: 'state of the connection',
    read: [(s) => s.state],
    usual: ['established', 'closed'],
  },
  {
    name: 'dir',
    aliases: ['direction'],
    kind: 'text',
    help: 'who opened it',
    read: [(s) => s.direction],
    values: FLOW_DIRECTIONS,
  },
  { name: 'iface', aliases: ['interface'], kind: 'text', help: 'interface', read: [(s) => s.interface] },
  { name: 'category', aliases: [], kind: 'text', help: 'category of the remote end', read: [(s) => s.category] },
  { name: 'country', aliases: [], kind: 'text', help: 'country of the remote end', read: [(s) => s.country] },
  { name: 'asn', aliases: [], kind: 'number', help: 'network of the remote end', read: [(s) => s.asn] },
  { name: 'rx', aliases: [], kind: 'size', help: 'bytes received', read: [(s) => s.rxBytes] },
  { name: 'tx', aliases: [], kind: 'size', help: 'bytes sent', read: [(s) => s.txBytes] },
  { name: 'bytes', aliases: [], kind: 'size', help: 'bytes both ways', read: [(s) => sum(s.rxBytes, s.txBytes)] },
  { name: 'rate', aliases: [], kind: 'size', help: 'bytes/s both ways', read: [(s) => sum(s.rxRate, s.txRate)] },
  { name: 'rxrate', aliases: [], kind: 'size', help: 'bytes/s received', read: [(s) => s.rxRate] },
  { name: 'txrate', aliases: [], kind: 'size', help: 'bytes/s sent', read: [(s) => s.txRate] },
  { name: 'packets', aliases: [], kind: 'size', help: 'packets both ways', read: [(s) => sum(s.rxPackets, s.txPackets)] },
  {
    name: 'age',
    aliases: [],
    kind: 'seconds',
    help: 'time since it began: 10s, 5m, 1h30m',
    read: [(s, now) => since(s.firstSeen, now)],
  },
  { name: 'idle', aliases: [], kind: 'seconds', help: 'time since its last packet', read: [(s, now) => since(s.lastSeen, now)] },
  { name: 'rtt', aliases: [], kind: 'milliseconds', help: 'round trip: 50ms', read: [(s) => s.rttMs] },
  { name: 'retransmits', aliases: [], kind: 'number', help: 'TCP segments sent again', read: [(s) => s.retransmits] },
  {
    name: 'attribution',
    aliases: [],
    kind: 'text',
    help: 'how the owner is known',
    read: [(s) => s.attribution],
    values: ATTRIBUTIONS,
  },
  { name: 'machine', aliases: [], kind: 'text', help: 'machine, in attach', read: [(s) => s.machine] },
];

/** A word that means something by itself. In quotes it is text to search for. */
export interface Word {
  readonly name: string;
  /** For docs/filter.md and completions. */
  readonly help: string;
  /** The field that it is short for; null if it is none's. */
  readonly field: string | null;
  readonly holds: (subject: FilterSubject) => boolean;
}

/** Every word, in the order in which docs/filter.md lists them. */
export const WORDS: readonly Word[] = [
  { name: 'in', help: 'opened from outside: dir:inbound', field: 'dir', holds: (s) => s.direction === 'inbound' },
  { name: 'out', help: 'opened from here: dir:outbound', field: 'dir', holds: (s) => s.direction === 'outbound' },
  { name: 'local', help: 'between two ends of this machine', field: 'dir', holds: (s) => s.direction === 'local' },
  { name: 'transit', help: 'neither end is on this machine', field: 'dir', holds: (s) => s.direction === 'transit' },
  {
    name: 'new',
    help: `its app or its domain was first met within ${RECENT_MINUTES} minutes`,
    field: null,
    holds: (s) => s.isNew === true,
  },
  { name: 'closed', help: 'ended or reset', field: null, holds: (s) => s.closed === true },
];

const KEYWORDS = ['and', 'or', 'not'];
const WORD_BY_NAME = new Map(WORDS.map((word) => [word.name, word] as const));

/** The word of a name, in any case. */
export function wordOf(name: string): Word | undefined {
  return WORD_BY_NAME.get(name.toLowerCase());
}

const BY_NAME = new Map(FIELDS.flatMap((field) => [field.name, ...field.aliases].map((name) => [name, field] as const)));

/** The field of a name or an alias, in any case. */
export function fieldOf(name: string): Field | undefined {
  return BY_NAME.get(name.toLowerCase());
}

/** True if a field, a word or `and`, `or`, `not` begins like this. */
export function beginsName(typed: string): boolean {
  const begun = typed.toLowerCase();
  for (const known of [BY_NAME.keys(), WORD_BY_NAME.keys(), KEYWORDS])
    for (const name of known) if (name.startsWith(begun)) return true;
  return false;
}

/** The field nearest to an unknown name; null if none is near. Beginnings (`ap`, `prot`) count as near. */
export function nearestField(name: string): string | null {
  const wanted = name.toLowerCase().slice(0, 32);
  let best: string | null = null;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const known of BY_NAME.keys()) {
    const distance = wanted.length > 1 && known.startsWith(wanted) ? 0.5 : editDistance(wanted, known);
    if (distance < least) {
      least = distance;
      best = known;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours between two short words (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let old = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min((old[j] as number) + 1, (row[j - 1] as number) + 1, (old[j - 1] as number) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        distance = Math.min(distance, (older[j - 2] as number) + 1);
      row.push(distance);
    }
    older = old;
    old = row;
  }
  return old[b.length] as number;
}

function sum(a: number | null | undefined, b: number | null | undefined): number | null {
  return a === null || a === undefined || b === null || b === undefined ? null : a + b;
}

function since(time: number | null | undefined, now: number | undefined): number | null {
  return time === null || time === undefined || now === undefined ? null : Math.max(0, now - time);
}

/** What fields ask of a process. */
type Origins = Pick<Process, 'ancestors' | 'origin' | 'command' | 'unit' | 'container' | 'publisher'>;

/**
 * A flow as the filter language sees it; a snapshot's row is one. Bytes are network-layer bytes, rates bytes/s, times epoch ms. A value that is
 * missing or null is unknown, and unknown matches nothing but `!=`.
 */
export interface FilterSubject {
  /** Name of the machine that it is of; null or absent where there is only this one. */
  readonly machine?: string | null;
  readonly app?: string | null;
  /** Owner of the other end of a flow within this machine; `app` and `pid` match either owner. */
  readonly peerApp?: string | null;
  readonly pid?: number | null;
  readonly peerPid?: number | null;
  /** Owners of its two ends. */
  readonly process?: Origins | null;
  readonly peerProcess?: Origins | null;
  /** Of a record, which has no processes. */
  readonly container?: ContainerNames | null;
  readonly exe?: string | null;
  readonly user?: string | null;
  /** Name of the remote end, or its address if it has none. */
  readonly host?: string | null;
  /** Registrable domain of the name. */
  readonly domain?: string | null;
  readonly nameSource?: string | null;
  /** What a flow to or from a resolver asked for. */
  readonly asked?: Pick<Asked, 'name'> | null;
  readonly local?: Endpoint | null;
  readonly remote?: Endpoint | null;
  /** Fingerprints of the client's and the server's hello. */
  readonly ja4?: string | null;
  readonly ja4s?: string | null;
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
  readonly retransmits?: number | null;
  readonly closed?: boolean | null;
  /** Its app or its domain was met for the first time within RECENT_MS (model/snapshot). */
  readonly isNew?: boolean | null;
}

/** A listener as the filter language sees it: its local end is where it waits, its remote end whoever came last. */
export function listenerSubject(row: ListenerRow): FilterSubject {
  return {
    machine: row.machine ?? null,
    ...{ app: row.app, pid: row.pid, exe: row.exe, user: row.user, protocol: row.protocol, container: row.container },
    local: { address: row.address, port: row.port },
    host: row.lastFrom,
    remote: row.lastFrom === null ? null : { address: row.lastFrom, port: 0 },
    state: 'listen',
    direction: 'inbound',
    firstSeen: row.since,
    lastSeen: row.lastAt,
  };
}

/** The application of a connection that speaks encrypted DNS. */
const ENCRYPTED_APPLICATIONS = { tls: 'dot', https: 'doh', quic: 'doq' } as const satisfies Record<EncryptedTransport, string>;

/** Encrypted DNS of an app as the filter language sees it: its host is the resolver. */
export function encryptedSubject(row: Omit<EncryptedDnsRow, 'id'>): FilterSubject {
  const { app, host, transport, rxBytes, txBytes, lastSeen } = row;
  return {
    ...{ app, host, rxBytes, txBytes, lastSeen },
    machine: row.machine ?? null,
    protocol: transport === 'quic' ? 'udp' : 'tcp',
    application: ENCRYPTED_APPLICATIONS[transport],
  };
}

/** A question of DNS as the filter language sees it: its host is the name asked for, its remote end the resolver, its round trip the time until the answer. */
export function questionSubject(row: RecordedQuestion): FilterSubject {
  return {
    machine: row.machine ?? null,
    app: row.app,
    peerApp: row.onBehalfOf,
    pid: row.pid,
    host: row.name,
    domain: row.domain,
    asked: row,
    remote: row.resolver,
    protocol: row.transport === 'tcp' ? 'tcp' : 'udp',
    application: row.transport === 'udp' || row.transport === 'tcp' ? 'dns' : row.transport,
    state: row.result,
    direction: row.direction,
    interface: row.interface,
    firstSeen: row.time,
    lastSeen: row.time,
    rttMs: row.tookMs,
  };
}
