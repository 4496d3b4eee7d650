// What one machine's stream says, as a snapshot of that machine: all ids begin with its name, all times are by this machine's clock.

import { MeansClock } from '../aggregate/means.ts';
import type { Alert } from '../model/alert.ts';
import type { DnsRow, EncryptedDnsRow, ResolverRow } from '../model/dns.ts';
import type { ListenerRow } from '../model/listeners.ts';
import {
  type AppRow,
  type BranchRow,
  type CategoryRow,
  type FlowRow,
  type HostRow,
  type InterfaceRow,
  type NetEvent,
  NO_ENDS,
  NO_RATES,
  type Snapshot,
} from '../model/snapshot.ts';
import { type ReadFrame, StreamDecoder } from '../stream/decoder.ts';
import type { Place } from '../stream/shape.ts';
import type { Draft, MachineFacts, MachineNote, TableName } from '../stream/tables.ts';
import { type Added, type MakeRow, RowBook, type Sparklines } from './row-book.ts';

const SILENT: MachineNote = {
  driver: '?',
  interfaces: [],
  attribution: '?',
  countedNote: '',
  fallbacks: [],
  note: '',
  reverseDns: false,
  privileges: null,
  recording: null,
  gaps: [],
};

/** A book of any rows. */
type Book = Pick<RowBook<object>, 'take' | 'renewAll'>;

/** Reads the frames of one connection to a machine. */
export class MachineRows {
  readonly #machine: string;
  readonly #decoder: StreamDecoder;
  readonly #clock = new MeansClock();
  readonly #apps: RowBook<AppRow>;
  readonly #hosts: RowBook<HostRow>;
  readonly #branches: RowBook<BranchRow>;
  readonly #categories: RowBook<CategoryRow>;
  readonly #interfaces: RowBook<InterfaceRow>;
  readonly #flows: RowBook<FlowRow>;
  readonly #events: RowBook<NetEvent>;
  readonly #alerts: RowBook<Alert>;
  readonly #questions: RowBook<DnsRow>;
  readonly #resolvers: RowBook<ResolverRow>;
  readonly #encrypted: RowBook<EncryptedDnsRow>;
  readonly #listeners: RowBook<ListenerRow>;
  readonly #whole: RowBook<MachineFacts>;
  /** In the order of the tables: branches come after apps, whose processes they name. */
  readonly #books: readonly (readonly [TableName, Book])[];
  #appsById: ReadonlyMap<string, AppRow> = new Map();
  #shift: number;
  #seq = -1;
  #time = 0;
  #intervalMs = 0;

  /** @param machine its name @param schema the first message @param shift see Place @throws StreamFault */
  constructor(machine: string, schema: Buffer, shift: number) {
    this.#machine = machine;
    this.#shift = shift;
    this.#decoder = new StreamDecoder(schema, this.#place);
    const book = <Row extends object>(
      make: (fields: Draft, added: Added) => object,
      sparklines: Sparklines = 'none',
    ): RowBook<Row> => new RowBook<Row>(this.#clock, make as MakeRow<Row>, sparklines);
    const plain = (fields: Draft): object => ({ ...fields, machine });
    const moving = (fields: Draft, { means }: Added): object => ({ ...fields, means, machine });
    const drawn = (fields: Draft, { means, recent }: Added): object => ({ ...fields, means, recent, machine });
    this.#apps = book(drawn, 'sum');
    this.#hosts = book(drawn, 'sum');
    this.#categories = book(drawn, 'sum');
    this.#interfaces = book(
      (fields, { means, recent: recentRx, recentTx }) => ({ ends: NO_ENDS, ...fields, means, recentRx, recentTx, machine }),
      'both',
    );
    this.#flows = book(moving);
    this.#branches = book((fields, { means }) => ({ ...fields, means, process: this.#processOf(fields), machine }));
    this.#whole = book(moving);
    this.#events = book((fields) => {
      const flow = fields['flow'];
      return { ...fields, machine, flow: typeof flow === 'object' && flow !== null ? { ...flow, machine } : null };
    });
    this.#alerts = book(plain);
    this.#questions = book(plain);
    this.#resolvers = book(plain);
    this.#encrypted = book(plain);
    this.#listeners = book(plain);
    this.#books = [
      ['machine', this.#whole],
      ['apps', this.#apps],
      ['hosts', this.#hosts],
      ['branches', this.#branches],
      ['categories', this.#categories],
      ['interfaces', this.#interfaces],
      ['flows', this.#flows],
      ['events', this.#events],
      ['alerts', this.#alerts],
      ['questions', this.#questions],
      ['resolvers', this.#resolvers],
      ['encrypted', this.#encrypted],
      ['listeners', this.#listeners],
    ];
  }

  get #place(): Place {
    return { shift: this.#shift, prefix: prefixOf(this.#machine) };
  }

  /** Takes a frame. @throws StreamFault; nothing that comes after it can be read */
  frame(payload: Buffer): void {
    this.#take(this.#decoder.frame(payload));
  }

  /** Corrects all times. @param shift see Place */
  shift(shift: number): void {
    this.#shift = shift;
    this.#decoder.replace(this.#place);
    for (const [, book] of this.#books) book.renewAll();
  }

  #take({ time, intervalMs, tables }: ReadFrame): void {
    this.#seq++;
    this.#time = time;
    this.#intervalMs = intervalMs;
    this.#clock.close(intervalMs);
    for (const [name, book] of this.#books) {
      const changes = tables.get(name);
      if (changes !== undefined) book.take(changes, intervalMs);
      if (name === 'apps') this.#appsById = new Map(this.#apps.rows.map((row) => [row.id, row]));
    }
    this.#clock.begin();
  }

  #processOf({ appId, pid }: Draft): BranchRow['process'] {
    return this.#appsById.get(String(appId))?.processes.findLast((process) => process.pid === pid) ?? null;
  }

  /** Before its first frame. */
  get isEmpty(): boolean {
    return this.#whole.rows.length === 0;
  }

  /** What is known of the machine now; null before the first frame. */
  snapshot(): Snapshot | null {
    const [facts] = this.#whole.rows;
    if (facts === undefined) return null;
    const { note = SILENT, diagnoses, started } = facts;
    const figure = (name: string): number | null => {
      const value = facts[name];
      return typeof value === 'number' ? value : null;
    };
    const { rxBytes, txBytes, rxPackets, txPackets, rxRate, txRate, means } = facts;
    return {
      seq: this.#seq,
      time: this.#time + this.#shift,
      started,
      intervalMs: this.#intervalMs,
      capture: {
        driver: note.driver,
        interfaces: note.interfaces,
        attribution: note.attribution,
        packets: figure('packets'),
        frameBytes: figure('frameBytes'),
        dropped: figure('dropped'),
        shed: figure('shed') ?? 0,
        undecoded: figure('undecoded') ?? 0,
        truncated: figure('truncated') ?? 0,
        malformed: figure('malformed') ?? 0,
        unsupported: figure('unsupported') ?? 0,
        interfaceBytes: figure('interfaceBytes'),
        countedFrameBytes: figure('counted'),
        countedInterfaceBytes: figure('countedInterface'),
        countedNote: note.countedNote,
        interfaceDropped: figure('interfaceDropped'),
        fallbacks: note.fallbacks,
        snapLength: { bulk: 0, whole: 0 },
        bufferBytes: null,
        note: note.note,
        file: null,
        reverseDns: note.reverseDns,
        places: [],
        placesNote: '',
        privileges: note.privileges,
        history: null,
        exports: null,
        delivery: null,
        mutes: [],
        kept: null,
        writing: null,
      },
      total: {
        ...{ rxBytes, txBytes, rxPackets, txPackets, rxRate, txRate, means },
        unownedBytes: figure('unowned') ?? 0,
        passingBytes: figure('passing'),
      },
      rates: NO_RATES,
      apps: this.#apps.rows,
      hosts: this.#hosts.rows,
      categories: this.#categories.rows,
      interfaces: this.#interfaces.rows,
      flows: this.#flows.rows,
      flowCount: figure('flowCount') ?? 0,
      branches: this.#branches.rows,
      matching: null,
      packets: null,
      flowsEvicted: figure('evicted') ?? 0,
      dns: {
        questions: this.#questions.rows,
        ended: [],
        waiting: [],
        count: figure('questions') ?? 0,
        missed: figure('missed') ?? 0,
        unasked: figure('unasked') ?? 0,
        resolvers: this.#resolvers.rows,
        encrypted: this.#encrypted.rows,
      },
      listeners: this.#listeners.rows,
      gaps: note.gaps,
      events: this.#events.rows,
      alerts: this.#alerts.rows,
      diagnoses,
    };
  }
}

/** What the ids of a machine's rows begin with. */
export function prefixOf(machine: string): string {
  return `${machine}|`;
}
