// A flow table with an aggregator, driven by steps: by hand, or by fast-check for properties that must hold whatever flows do.

import fc from 'fast-check';
import { Aggregator } from '../../src/aggregate/aggregator.ts';
import type { EventLog } from '../../src/aggregate/event-log.ts';
import { Localizer } from '../../src/flow/direction.ts';
import { FlowTable } from '../../src/flow/flow-table.ts';
import type { Traffic } from '../../src/model/snapshot.ts';
import { OWNER_REASONS, type OwnerReason } from '../../src/model/terms.ts';
import { FakeDirectory } from './fake-directory.ts';
import { addresses } from './packets.ts';

/** When a run begins, epoch ms. */
export const T0 = 1_700_000_000_000;
/** Apps that own flows in random steps. */
export const APPS = ['curl', 'ssh', 'firefox'];
const HOSTS = ['10.0.0.1', '127.0.0.1', '192.0.2.1', '192.0.2.2', '2001:db8::1'];

/** Random steps with their weights, for `fc.oneof`. @param interfaces how many there are */
export function flowSteps(interfaces: number) {
  const packet = fc.record({
    kind: fc.constant('packet' as const),
    src: fc.constantFrom(...HOSTS),
    dst: fc.constantFrom(...HOSTS),
    sport: fc.integer({ min: 1, max: 2 }),
    dport: fc.integer({ min: 1, max: 2 }),
    flags: fc.constantFrom('S', 'SA', 'A', 'R', 'FA'),
    bytes: fc.integer({ min: 20, max: 65_535 }),
    iface: fc.nat(interfaces - 1),
    later: fc.nat(3000),
  });
  const ofEnd = { which: fc.nat(), app: fc.constantFrom(...APPS) };
  const owner = fc.record({ kind: fc.constantFrom('owner' as const, 'peer' as const), ...ofEnd });
  const exec = fc.record({ kind: fc.constant('exec' as const), isPeer: fc.boolean(), ...ofEnd });
  const reason = fc.record({ kind: fc.constant('reason' as const), which: fc.nat(), reason: fc.constantFrom(...OWNER_REASONS) });
  const remove = fc.record({ kind: fc.constant('remove' as const), which: fc.nat() });
  const expire = fc.record({ kind: fc.constant('expire' as const), after: fc.constantFrom(0, 70_000, 1_000_000) });
  const tick = fc.record({ kind: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 5000 }) });
  return [
    { weight: 10, arbitrary: packet },
    { weight: 3, arbitrary: owner },
    { weight: 2, arbitrary: exec },
    { weight: 2, arbitrary: reason },
    { weight: 1, arbitrary: remove },
    { weight: 1, arbitrary: expire },
    { weight: 3, arbitrary: tick },
  ] as const;
}

/** A step that changes a flow without a packet. */
type FlowStep =
  | { readonly kind: 'owner' | 'peer'; readonly which: number; readonly app: string }
  | { readonly kind: 'exec'; readonly which: number; readonly app: string; readonly isPeer: boolean }
  | { readonly kind: 'reason'; readonly which: number; readonly reason: OwnerReason }
  | { readonly kind: 'remove'; readonly which: number }
  | { readonly kind: 'expire'; readonly after: number };

/** Flows of one machine, 10.0.0.1, and the aggregator over them. */
export class FlowRun {
  readonly directory = new FakeDirectory();
  readonly table: FlowTable;
  readonly aggregator: Aggregator;
  time = T0;

  constructor(maxRows: number, events: EventLog | null = null) {
    const localizer = new Localizer(false);
    localizer.setAddresses(addresses('10.0.0.1'));
    this.table = new FlowTable(localizer, maxRows, 5);
    this.table.observe({ flowRemoved: (row) => this.flowLeaves(row) });
    this.aggregator = new Aggregator({ flows: this.table, directory: this.directory, started: T0, seed: 5, events });
  }

  /** Called for each flow that leaves, before the aggregator books it for the last time. */
  protected flowLeaves(_row: number): void {}

  /** Rows of live flows. */
  rows(): number[] {
    return Array.from({ length: this.table.rows }, (_, row) => row).filter((row) => this.table.isLive(row));
  }

  /** The live row that a step is about; -1 if there is none. */
  rowOf(step: { readonly which?: number }): number {
    const live = this.rows();
    return step.which === undefined ? -1 : (live[step.which % Math.max(1, live.length)] ?? -1);
  }

  own(row: number, app: string): void {
    this.table.own(row, this.directory.add(app), 'exact');
  }

  /** The owner of an end becomes another program, which owns what the flow moves from now on. */
  exec(row: number, isPeer: boolean, app: string): void {
    if ((isPeer ? this.table.peer(row) : this.table.owner(row)) < 0) return;
    this.table.settleOwner(row, isPeer);
    this.onExec(row, isPeer);
    if (isPeer) this.table.ownPeer(row, this.directory.add(app));
    else this.own(row, app);
  }

  /** For references of what each owner moved. */
  onExec(_row: number, _isPeer: boolean): void {}

  /** Carries out a step. */
  change(step: FlowStep): void {
    if (step.kind === 'expire') {
      this.table.expire(this.time + step.after);
      return;
    }
    const row = this.rowOf(step);
    if (row < 0) return;
    if (step.kind === 'owner') this.own(row, step.app);
    else if (step.kind === 'exec') this.exec(row, step.isPeer, step.app);
    else if (step.kind === 'peer') this.table.ownPeer(row, this.directory.add(step.app));
    else if (step.kind === 'reason') this.table.disown(row, step.reason);
    else this.table.remove(row);
  }
}

/** RX and TX together. */
export const bytesOf = ({ rxBytes, txBytes }: Traffic) => rxBytes + txBytes;
/** The same of many rows. */
export const sumOf = (rows: readonly Traffic[]) => rows.reduce((total, row) => total + bytesOf(row), 0);
