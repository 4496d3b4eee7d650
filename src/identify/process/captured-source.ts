// Owners that the capture itself tells: PKTAP's pid and name on each packet, or pcapng process blocks of a file.

import { type FlowTable, isLocalFlow, NO_OWNER } from '../../flow/flow-table.ts';
import { INTS, PEER_PROCESS, PROCESS } from '../../flow/layout.ts';
import { DIRECTION } from '../../net/numbers.ts';
import { sanitize } from '../../net/text.ts';
import type { Directory } from './directory.ts';
import { attributionIndex, type OwnerSource, reasonIndex } from './owner-source.ts';

/** A process as the capture names it; the list of all only grows. */
export interface CapturedName {
  readonly pid: number;
  readonly name: string;
}

/**
 * Gives flows the owners that packets carry. The kernel does not know the owner of every packet, so any packet of a flow, of either
 * direction, may bring it.
 */
export class CapturedSource implements OwnerSource {
  readonly kind: 'pktap' | 'capture';
  readonly note = '';
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #names: () => readonly CapturedName[];
  /** Index in the capture's list -> process number; -1 not learnt yet, -2 no process. */
  #known = new Int32Array(0);

  constructor(kind: 'pktap' | 'capture', flows: FlowTable, directory: Directory, names: () => readonly CapturedName[]) {
    this.kind = kind;
    this.#flows = flows;
    this.#directory = directory;
    this.#names = names;
  }

  /** Until a packet brings its owner, a flow has none. */
  admit(row: number): void {
    this.#flows.setOwner(row, NO_OWNER, attributionIndex('none'), reasonIndex('not a local socket'));
  }

  work(): void {}

  close(): void {}

  /**
   * A packet of `row` carried process indexes. Called per packet: it only compares numbers once the owner is known.
   *
   * @param sent true when the flow's local end sent the packet
   * @param direction DIRECTION: out names the sender, in the receiver; told apart only in flows within this machine
   */
  see(row: number, sent: boolean, direction: number, process: number, effective: number): void {
    const base = row * INTS;
    const isPeer = isLocalFlow(this.#flows, row) && direction !== DIRECTION.UNKNOWN && (direction === DIRECTION.OUT) !== sent;
    if (this.#flows.ints[base + (isPeer ? PEER_PROCESS : PROCESS)] !== NO_OWNER) return;
    const owner = this.#owner(process, effective);
    if (owner < 0) return;
    if (isPeer) this.#flows.setPeer(row, owner);
    else this.#flows.setOwner(row, owner, attributionIndex('exact'), reasonIndex('not looked up yet'));
  }

  /** An incoming segment can be the kernel's, with the process it is for as the effective one (pid 0, kernel_task). */
  #owner(process: number, effective: number): number {
    const pid = process === 0 ? -1 : (this.#names()[process]?.pid ?? -1);
    if (effective !== 0 && pid <= 0) return this.#learn(effective);
    return process === 0 ? -1 : this.#learn(process);
  }

  #learn(index: number): number {
    if (index >= this.#known.length) {
      const wide = new Int32Array(index * 2 + 64).fill(-1);
      wide.set(this.#known);
      this.#known = wide;
    }
    const known = this.#known[index] as number;
    if (known !== -1) return known;
    const captured = this.#names()[index];
    const name = captured === undefined ? '' : sanitize(captured.name);
    const learnt =
      captured === undefined || (captured.pid < 0 && name === '') || (captured.pid === 0 && name === '')
        ? -2
        : this.#directory.learn({
            pid: captured.pid,
            name: name === '' ? `pid ${captured.pid}` : name,
            exe: null,
            uid: null,
            parentPid: null,
            startTime: null,
            script: null,
            unit: null,
          });
    this.#known[index] = learnt;
    return learnt;
  }
}
