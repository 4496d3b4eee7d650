// Flows and their naming as a run has them, driven by hand: packets, answers, owners, batches.

import { Aggregator } from '../../src/aggregate/aggregator.ts';
import { Localizer } from '../../src/flow/direction.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import { Categories } from '../../src/identify/category/categories.ts';
import { FlowNames } from '../../src/identify/name/flow-names.ts';
import { NameStrings } from '../../src/identify/name/name-strings.ts';
import type { AnswerKind } from '../../src/inspect/context.ts';
import { type Neighbour, NOWHERE, type Place } from '../../src/model/terms.ts';
import type { Watcher } from '../../src/model/watch.ts';
import { FakeDirectory } from './fake-directory.ts';
import { addresses, type PacketFields, packet, reply, timed } from './packets.ts';

/** When the flows of tests begin. */
export const T0 = 1_700_000_000_000;
const NOBODY: Neighbour = { mac: null, vendor: null };

export interface NamingSetup {
  readonly maxRows?: number;
  readonly categories?: Categories | null;
  readonly names?: NameStrings;
  readonly place?: (words: Int32Array, at: number) => Place;
}

/** One machine, 10.0.0.1, and what it knows of its flows. */
export class Naming {
  readonly flows: FlowTable;
  readonly directory = new FakeDirectory();
  readonly names: FlowNames;
  /** Devices of the local network, by the last byte of their address. */
  readonly devices = new Map<number, Neighbour>();
  /** Told of each new flow without a name. */
  onNameless: (row: number) => void = () => {};
  time = T0;

  constructor(setup: NamingSetup = {}) {
    const localizer = new Localizer(false);
    localizer.setAddresses(addresses('10.0.0.1', '2001:db8::1'));
    this.flows = new FlowTable(localizer, setup.maxRows ?? 1024, 7);
    const categories = setup.categories === undefined ? new Categories() : setup.categories;
    this.names = new FlowNames(
      this.flows,
      this.directory,
      categories,
      setup.place ?? (() => NOWHERE),
      (words, at) => this.devices.get((words[at + 3] as number) & 0xff) ?? NOBODY,
      7,
      setup.names ?? new NameStrings(),
    );
  }

  /** What turns these flows into snapshots. @param maxHosts fewer hosts than usual */
  aggregator(maxHosts?: number, watcher: Watcher | null = null): Aggregator {
    const { flows, directory, names } = this;
    return new Aggregator({ flows, directory, started: T0, seed: 3, facts: names, watcher, maxHosts });
  }

  /** A packet that this machine sends. @returns the flow's row */
  send(fields: PacketFields = {}): number {
    return this.flows.touch(timed(packet(fields), this.time), 0, 0);
  }

  /** A packet that somebody else sends. */
  receive(fields: PacketFields = {}): number {
    return this.flows.touch(timed(reply(fields), this.time), 0, 0);
  }

  /** Ends a batch: new flows are handed on. */
  admit(): void {
    for (let i = 0; i < this.flows.newCount; i++) {
      const row = this.flows.newRows[i] as number;
      if (this.flows.isLive(row) && !this.names.admit(row)) this.onNameless(row);
    }
    this.flows.clearNew();
  }

  /** A flow that begins now, in a batch of its own. */
  open(fields: PacketFields = {}, app: string | null = null): number {
    const row = this.send(fields);
    if (app !== null) this.own(row, app);
    this.admit();
    return row;
  }

  own(row: number, app: string): number {
    const process = this.directory.add(app);
    this.flows.own(row, process, 'exact');
    return process;
  }

  /** An answer that arrives now in a flow. */
  answer(name: string, address: string, more: { flow?: number; kind?: AnswerKind; ttl?: number } = {}): void {
    this.names.now = this.time;
    this.names.answer(more.flow ?? -1, more.kind ?? 'dns', name, addresses(address), 0, more.ttl ?? 300);
  }

  pointer(name: string, address: string): void {
    this.names.now = this.time;
    this.names.pointer(-1, name, addresses(address), 0);
  }

  /** `name source`, or the reason why there is none. */
  told(row: number): string {
    const name = this.names.nameOf(row);
    const reason = this.names.nameReason(row);
    return name < 0
      ? `(${reason})`
      : `${this.names.nameText(name)} ${this.names.nameSource(row)}${reason === null ? '' : ` ${reason}`}`;
  }

  category(row: number): string | null {
    return this.names.categoryText(this.names.categoryOf(row));
  }
}
