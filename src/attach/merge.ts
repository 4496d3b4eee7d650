// One snapshot of many machines. Rows keep their machine, and what a machine has once is added up; totals never fall, though a machine that comes
// back counts from nothing.

import type { MachineStatus } from '../model/machines.ts';
import type { CaptureStatus, Matching, Rates, Snapshot, TotalRow, Traffic } from '../model/snapshot.ts';
import { newestEvents } from '../stream/encoder.ts';
import type { Matched } from './line.ts';

/** Events of connections and others, alerts, and questions of all machines, the newest of each. */
const MOST_EVENTS = 1000;
const MOST_QUESTIONS = 3000;

/** What stands beside the snapshots of machines. */
export interface MergeFacts {
  readonly seq: number;
  readonly time: number;
  readonly started: number;
  readonly intervalMs: number;
  /** Of all machines, those that are gone among them. */
  readonly total: TotalRow;
  readonly rates: Rates;
  readonly packets: Snapshot['packets'];
  readonly machines: readonly MachineStatus[];
}

/** Merges the snapshots of machines. @param parts of those of which anything is known */
export function merged(parts: readonly Snapshot[], facts: MergeFacts): Snapshot {
  const all = <Row>(get: (part: Snapshot) => readonly Row[] | null): readonly Row[] => parts.flatMap((part) => get(part) ?? []);
  const sum = (get: (part: Snapshot) => number): number => parts.reduce((total, part) => total + get(part), 0);
  return {
    ...facts,
    ...movingRows(parts),
    capture: captureOf(parts, facts.machines),
    matching: null,
    flowsEvicted: sum(({ flowsEvicted }) => flowsEvicted),
    dns: {
      questions: byTime(all(({ dns }) => dns.questions)).slice(-MOST_QUESTIONS),
      ended: [],
      waiting: [],
      count: sum(({ dns }) => dns.count),
      missed: sum(({ dns }) => dns.missed),
      unasked: sum(({ dns }) => dns.unasked),
      resolvers: all(({ dns }) => dns.resolvers),
      encrypted: all(({ dns }) => dns.encrypted),
    },
    listeners: parts.length === 0 ? null : all(({ listeners }) => listeners),
    gaps: all(({ gaps }) => gaps),
    events: newestEvents(byTime(all(({ events }) => events)), MOST_EVENTS),
    alerts: byTime(all(({ alerts }) => alerts)).slice(-MOST_EVENTS),
    // Each is about one network: of several machines nobody could tell whose it is.
    diagnoses: parts.length === 1 ? (parts[0] as Snapshot).diagnoses : [],
  };
}

/** The rows that move, of all machines. */
function movingRows(parts: readonly Snapshot[]) {
  return {
    apps: parts.flatMap(({ apps }) => apps),
    hosts: parts.flatMap(({ hosts }) => hosts),
    categories: parts.flatMap(({ categories }) => categories),
    interfaces: parts.flatMap(({ interfaces }) => interfaces),
    branches: parts.flatMap(({ branches }) => branches ?? []),
    flows: parts.flatMap(({ flows }) => flows),
    flowCount: parts.reduce((sum, { flowCount }) => sum + flowCount, 0),
  };
}

/** Merges what a filter matches on each machine. @param facts what is said of all */
export function mergedMatching(
  parts: readonly Matched[],
  facts: Pick<Matching, 'text' | 'average' | 'from' | 'total'>,
): Matching {
  const snapshots = parts.map(({ snapshot }) => snapshot);
  const since = parts.flatMap(({ completeSince }) => completeSince ?? []);
  return {
    ...facts,
    completeSince: since.length === 0 ? null : Math.max(...since),
    ...movingRows(snapshots),
    encryptedDns: snapshots.flatMap(({ dns }) => dns.encrypted),
  };
}

function byTime<Row extends { readonly time: number }>(rows: readonly Row[]): readonly Row[] {
  return [...rows].sort((a, b) => a.time - b.time);
}

function captureOf(parts: readonly Snapshot[], machines: readonly MachineStatus[]): CaptureStatus {
  const captures = parts.map(({ capture }) => capture);
  const sum = (get: (capture: CaptureStatus) => number | null): number | null => {
    const known = captures.map(get).filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
  };
  /** A share of some machines only would be one of nothing. */
  const sumOfAll = (get: (capture: CaptureStatus) => number | null): number | null =>
    captures.every((capture) => get(capture) !== null) ? sum(get) : null;
  const same = (get: (capture: CaptureStatus) => string): string => {
    const [first, ...others] = new Set(captures.map(get));
    return first === undefined ? '?' : others.length === 0 ? first : 'several ways';
  };
  const [only] = captures;
  const isOne = machines.length === 1 && only !== undefined;
  return {
    driver: isOne ? only.driver : same(({ driver }) => driver),
    interfaces: isOne ? only.interfaces : machines.map(({ name }) => name),
    attribution: same(({ attribution }) => attribution),
    packets: sum(({ packets }) => packets),
    frameBytes: sum(({ frameBytes }) => frameBytes),
    dropped: sum(({ dropped }) => dropped),
    shed: sum(({ shed }) => shed) ?? 0,
    undecoded: sum(({ undecoded }) => undecoded) ?? 0,
    truncated: sum(({ truncated }) => truncated) ?? 0,
    malformed: sum(({ malformed }) => malformed) ?? 0,
    unsupported: sum(({ unsupported }) => unsupported) ?? 0,
    interfaceBytes: sumOfAll(({ interfaceBytes }) => interfaceBytes),
    countedFrameBytes: sumOfAll(({ countedFrameBytes }) => countedFrameBytes),
    countedInterfaceBytes: sumOfAll(({ countedInterfaceBytes }) => countedInterfaceBytes),
    countedNote: isOne ? only.countedNote : '',
    interfaceDropped: sum(({ interfaceDropped }) => interfaceDropped),
    fallbacks: isOne ? only.fallbacks : [],
    snapLength: { bulk: 0, whole: 0 },
    bufferBytes: null,
    note: [...worstFirst(machines).map(troubleOf), isOne ? only.note : ''].filter((text) => text !== '').join('; '),
    file: null,
    reverseDns: captures.some(({ reverseDns }) => reverseDns),
    places: [],
    placesNote: '',
    privileges: isOne ? only.privileges : null,
    history: null,
    exports: null,
    delivery: null,
    mutes: [],
    kept: null,
    writing: null,
  };
}

/** The line may not have room for all. */
function worstFirst(machines: readonly MachineStatus[]): readonly MachineStatus[] {
  const rank = ({ state }: MachineStatus): number => (state === 'lost' ? 0 : state === 'late' ? 1 : 2);
  return machines.toSorted((a, b) => rank(a) - rank(b));
}

/** What is wrong with a machine, and what to type; empty if nothing is. */
function troubleOf({ name, state, note, hint }: MachineStatus): string {
  if (note === '' && (state === 'live' || state === 'connecting')) return '';
  const how = state === 'live' ? '' : ` ${state}`;
  return `${name}${how}${note === '' ? '' : `: ${note}`}${hint === '' ? '' : `; type: ${hint}`}`;
}

/** Keeps the total of machines whose own begin again with each connection. */
export class Totals {
  readonly #of = new Map<string, { connection: number; before: Counts; last: Counts }>();

  /** Takes what a machine counts now. @param connection number of its connection, each of which counts from nothing */
  take(name: string, connection: number, { total }: Snapshot): void {
    const now = countsOf(total);
    const known = this.#of.get(name);
    if (known === undefined) this.#of.set(name, { connection, before: NONE, last: now });
    else {
      const isLess = now.rxBytes < known.last.rxBytes || now.txBytes < known.last.txBytes;
      if (isLess || connection !== known.connection) known.before = plus(known.before, known.last);
      known.connection = connection;
      known.last = now;
    }
  }

  /** The total, with the rates of now. */
  total(parts: readonly Snapshot[]): TotalRow {
    let sum = NONE;
    for (const { before, last } of this.#of.values()) sum = plus(sum, plus(before, last));
    const rate = (get: (total: Traffic) => number): number => parts.reduce((all, part) => all + get(part.total), 0);
    return {
      ...sum,
      rxRate: rate(({ rxRate }) => rxRate),
      txRate: rate(({ txRate }) => txRate),
      means: [0, 1, 2, 3, 4, 5].map((at) => rate(({ means }) => means[at] ?? 0)),
    };
  }
}

type Counts = Pick<TotalRow, 'rxBytes' | 'txBytes' | 'rxPackets' | 'txPackets' | 'unownedBytes' | 'passingBytes'>;

const NONE: Counts = { rxBytes: 0, txBytes: 0, rxPackets: 0, txPackets: 0, unownedBytes: 0, passingBytes: null };

function countsOf({ rxBytes, txBytes, rxPackets, txPackets, unownedBytes, passingBytes }: TotalRow): Counts {
  return { rxBytes, txBytes, rxPackets, txPackets, unownedBytes, passingBytes };
}

function plus(a: Counts, b: Counts): Counts {
  return {
    rxBytes: a.rxBytes + b.rxBytes,
    txBytes: a.txBytes + b.txBytes,
    rxPackets: a.rxPackets + b.rxPackets,
    txPackets: a.txPackets + b.txPackets,
    unownedBytes: a.unownedBytes + b.unownedBytes,
    passingBytes: a.passingBytes === null && b.passingBytes === null ? null : (a.passingBytes ?? 0) + (b.passingBytes ?? 0),
  };
}
