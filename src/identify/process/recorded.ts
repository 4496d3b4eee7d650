// Takes owners from the capture itself: PKTAP's pid and name on each packet, or the process blocks of a pcapng file.

import type { FlowTable } from '../../flow/flow-table.ts';
import { NO_OWNER } from '../../model/terms.ts';
import { DIRECTION } from '../../net/numbers.ts';
import { sanitize } from '../../net/text.ts';
import type { Directory } from './directory.ts';
import type { OwnerSource } from './owner-source.ts';

/** A process as the capture names it. Within a batch the capture's list only grows. */
export interface CapturedName {
  readonly pid: number;
  readonly name: string;
  /** What a capture of our own tells besides. */
  readonly exe?: string | null;
  readonly user?: string | null;
  readonly script?: string | null;
  readonly unit?: string | null;
}

/**
 * Layout of `votes`, 4 words per row of the flow table. They are valid only while the row has the owner that they are about:
 *
 *     0 lead of the owner | 1 lead of the peer | 2 process on whose behalf the owner acts, or NO_OWNER | 3 its lead
 */
const VOTES = 4;
const OWNER_LEAD = 0;
const PEER_LEAD = 1;
const BEHALF = 2;
const BEHALF_LEAD = 3;
const MAX_LEAD = 0x7fff_ffff;

/** Values of `known` that aren't process numbers. */
const UNLEARNT = -1;
const NOBODY = -2;
const KERNEL_NAME = 'kernel_task';

/**
 * Assigns flows the owners that packets carry. Packets of both directions vote, because the kernel doesn't know every packet's owner and
 * sockets move between processes. This is the majority vote of Boyer and Moore (MJRTY, 1981): the flow's owner is the candidate, with a count
 * of how far it leads. Votes for the kernel itself (pid 0) count only while no process was named.
 */
export class CapturedSource implements OwnerSource {
  readonly kind: 'pktap' | 'capture';
  readonly note = '';
  readonly #flows: FlowTable;
  readonly #directory: Directory;
  readonly #names: () => readonly CapturedName[];
  /** Index in the capture's list -> process number. */
  #known = new Int32Array(0);
  /** Index in the capture's list -> 1 for the kernel. */
  #isKernel = new Uint8Array(0);
  #votes = new Int32Array(0);
  /** Processes that moved to another app when a longer name arrived. Their flows must follow. */
  readonly #renamed = new Set<number>();
  #forgotten = 0;
  readonly #begun: () => number;
  #begunBefore = 0;
  /** Process on whose behalf the packet was sent that `see` was told of last, or NO_OWNER. */
  lastBehalf: number = NO_OWNER;

  /** @param begun how often the list of names was restarted */
  constructor(
    kind: 'pktap' | 'capture',
    flows: FlowTable,
    directory: Directory,
    names: () => readonly CapturedName[],
    begun: () => number = () => 0,
  ) {
    this.kind = kind;
    this.#begun = begun;
    this.#flows = flows;
    this.#directory = directory;
    this.#names = names;
  }

  /** A flow has no owner until a packet names one. */
  admit(row: number): void {
    this.#flows.disown(row, 'not a local socket');
  }

  work(): void {
    if (this.#renamed.size === 0) return;
    this.#flows.markFlowsOf(this.#renamed);
    this.#renamed.clear();
  }

  close(): void {}

  /** Drops numbers that are invalid because the list restarted or the directory forgot the process. */
  beforeBatch(): void {
    const begun = this.#begun();
    if (begun !== this.#begunBefore) {
      this.#begunBefore = begun;
      this.#known.fill(UNLEARNT);
    }
    if (this.#directory.forgotten === this.#forgotten) return;
    this.#forgotten = this.#directory.forgotten;
    for (let index = 0; index < this.#known.length; index++) {
      const known = this.#known[index] as number;
      if (known >= 0 && this.#directory.process(known) === undefined) this.#known[index] = UNLEARNT;
    }
  }

  /** Process on whose behalf a flow's owner acts (the app that mDNSResponder queries for), or NO_OWNER. */
  onBehalfOf(row: number): number {
    const at = row * VOTES;
    if (at >= this.#votes.length || this.#flows.owner(row) === NO_OWNER) return NO_OWNER;
    return this.#votes[at + BEHALF] as number;
  }

  /**
   * Counts the processes that a packet of `row` names, as indices; 0 for none. Called per packet, so it only compares and counts numbers.
   *
   * @param sent whether the flow's local end sent the packet
   * @param direction DIRECTION: OUT names the sender, IN the receiver. It matters only for flows within this machine.
   */
  see(row: number, sent: boolean, direction: number, process: number, effective: number): void {
    this.lastBehalf = NO_OWNER;
    if ((process | effective) === 0) return;
    let isPeer = false;
    if (this.#flows.isLocal(row)) {
      if (direction === DIRECTION.UNKNOWN) return; // it could name either end
      isPeer = (direction === DIRECTION.OUT) !== sent;
    }
    let owner = process === 0 ? NOBODY : this.#numberOf(process);
    let behalf = effective === 0 ? NOBODY : this.#numberOf(effective);
    let isKernel = owner < 0 || this.#isKernel[process] === 1;
    if (isKernel && behalf >= 0) {
      // An incoming segment may name the kernel, with its receiver as the effective process.
      owner = behalf;
      behalf = NOBODY;
      isKernel = this.#isKernel[effective] === 1;
    }
    if (owner < 0) return;
    if (behalf >= 0 && behalf !== owner) this.lastBehalf = behalf;
    const at = row * VOTES;
    if (at >= this.#votes.length) this.#reserve();
    if (this.#vote(row, isPeer, owner, isKernel) && behalf >= 0 && behalf !== owner && !isPeer) this.#voteBehalf(row, behalf);
  }

  /** @returns whether `owner` is the flow's owner now */
  #vote(row: number, isPeer: boolean, owner: number, isKernel: boolean): boolean {
    const votes = this.#votes;
    const at = row * VOTES + (isPeer ? PEER_LEAD : OWNER_LEAD);
    const leader = isPeer ? this.#flows.peer(row) : this.#flows.owner(row);
    const lead = votes[at] as number;
    if (leader === owner) {
      if (!isKernel && lead < MAX_LEAD) votes[at] = lead + 1;
      return true;
    }
    if (leader !== NO_OWNER && (isKernel || lead > 0)) {
      if (!isKernel) votes[at] = lead - 1;
      return false;
    }
    votes[at] = isKernel ? 0 : 1;
    if (isPeer) this.#flows.ownPeer(row, owner);
    else {
      votes[row * VOTES + BEHALF] = NO_OWNER;
      this.#flows.own(row, owner, 'exact');
    }
    return true;
  }

  #voteBehalf(row: number, behalf: number): void {
    const votes = this.#votes;
    const at = row * VOTES + BEHALF_LEAD;
    const leader = votes[row * VOTES + BEHALF] as number;
    const lead = votes[at] as number;
    if (leader === behalf) {
      if (lead < MAX_LEAD) votes[at] = lead + 1;
    } else if (leader !== NO_OWNER && lead > 0) votes[at] = lead - 1;
    else {
      votes[row * VOTES + BEHALF] = behalf;
      votes[at] = 1;
      this.#flows.mark(row);
    }
  }

  /** Allocates for the whole flow table, so that packets don't. */
  #reserve(): void {
    const votes = new Int32Array(this.#flows.capacity * VOTES);
    votes.set(this.#votes);
    this.#votes = votes;
  }

  #numberOf(index: number): number {
    const known = index < this.#known.length ? (this.#known[index] as number) : UNLEARNT;
    return known === UNLEARNT ? this.#learn(index) : known;
  }

  #learn(index: number): number {
    if (index >= this.#known.length) {
      const known = new Int32Array(index * 2 + 64).fill(UNLEARNT);
      known.set(this.#known);
      this.#known = known;
      const isKernel = new Uint8Array(known.length);
      isKernel.set(this.#isKernel);
      this.#isKernel = isKernel;
    }
    const { pid, name: captured, exe, user, script, unit } = this.#names()[index] ?? { pid: -1, name: '' };
    const name = sanitize(captured);
    // Pid 0 without a name means that the kernel knows nothing about the packet.
    const isNobody = name === '' && pid <= 0;
    this.#isKernel[index] = pid <= 0 || name === KERNEL_NAME ? 1 : 0;
    const learnt = isNobody
      ? NOBODY
      : this.#directory.learn({
          pid,
          name: name === '' ? `pid ${pid}` : name,
          exe: cleaned(exe),
          uid: null,
          user: cleaned(user),
          parentPid: null,
          startTime: null,
          script: cleaned(script),
          unit: cleaned(unit),
        });
    if (this.#directory.lengthen(learnt, name)) this.#renamed.add(learnt);
    const late = cleaned(user);
    if (late !== null && this.#directory.setUser(learnt, late)) this.#renamed.add(learnt);
    this.#known[index] = learnt;
    return learnt;
  }
}

/** Text of the capture, stripped; null if nothing is left. */
function cleaned(text: string | null | undefined): string | null {
  return sanitize(text ?? '') || null;
}
