// The owner source of a view in which whoever tells what a socket moved tells who holds it, too. Asks nobody.

import { type FlowTable, NO_OWNER } from '../../flow/flow-table.ts';
import { attributionIndex, type OwnerSource, reasonIndex } from './owner-source.ts';

/** Flows come with their owner; one without has none. */
export class ToldOwners implements OwnerSource {
  readonly kind = 'nettop';
  readonly note = '';
  readonly #flows: FlowTable;

  constructor(flows: FlowTable) {
    this.#flows = flows;
  }

  admit(row: number): void {
    this.#flows.setOwner(row, NO_OWNER, attributionIndex('none'), reasonIndex('not a local socket'));
  }

  work(): void {}

  close(): void {}
}
