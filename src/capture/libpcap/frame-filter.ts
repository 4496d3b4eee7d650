// Applies the user's capture filter to PKTAP frames after reading them. The kernel's filter can't look past the PKTAP header, so libpcap compiles
// the expression for each link type that may follow it, and the programs run here: a foreign call per frame would cost more than decoding it.

import { NetmonError } from '../../model/errors.ts';
import { LINK } from '../../net/numbers.ts';
import { sanitize } from '../../net/text.ts';
import { moveFrame, type PacketBatch } from '../batch.ts';
import { badFilter, misfitFilter } from '../errors.ts';
import { pktapNames } from '../pktap.ts';
import { BpfProgram } from './bpf-program.ts';
import type { LibpcapCalls } from './calls.ts';

/** libpcap's error for an expression that no frame of a link type can match, like ARP on a tunnel. */
const MATCHES_NONE = /rejects all packets/;
/** Link types of a Mac's interfaces by name; all others are Ethernet. Whether a utun or ipsec is raw or null depends on its creator. */
const LINKS_BY_NAME: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^(utun|ipsec)/, [LINK.NULL, LINK.RAW_DLT]],
  [/^(lo|gif|stf)/, [LINK.NULL]],
  [/^ppp/, [LINK.PPP]],
  [/^all$/, [LINK.ETHERNET, LINK.NULL, LINK.RAW_DLT, LINK.PPP]],
];
/** The snap length compiled into a program. We only test the result for 0. */
const SNAP_BYTES = 262_144;

/** A capture filter, compiled for each link type. */
export class FrameFilter {
  /** Number of frames that didn't match. */
  refused = 0;
  /** Says which frames are dropped because the filter can't be compiled for them; empty if none are. */
  note = '';
  readonly #calls: LibpcapCalls;
  readonly #bpf: string;
  /** By link type; null if no frame of it can match. */
  readonly #programs = new Map<number, BpfProgram | null>();

  /**
   * Compiles `bpf` for the link types of the interfaces that PKTAP captures.
   *
   * @param interfaces as in a request; empty for the default ones
   * @throws NetmonError `bad-filter`, with libpcap's message, if it can't be compiled for all of them
   */
  constructor(calls: LibpcapCalls, bpf: string, interfaces: readonly string[]) {
    this.#calls = calls;
    this.#bpf = bpf;
    const errors = new Map<number, string | null>();
    const misfits = new Map<string, string>();
    for (const name of pktapNames(interfaces).split(',')) {
      for (const link of LINKS_BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? [LINK.ETHERNET]) {
        const error = errors.has(link) ? (errors.get(link) ?? null) : this.#compile(link);
        errors.set(link, error);
        if (error !== null) misfits.set(name, error);
      }
    }
    const matches = [...this.#programs.values()].some((program) => program !== null);
    const [error] = misfits.values();
    if (!matches) throw badFilter(bpf, error ?? 'expression rejects all packets');
    if (error !== undefined) throw misfitFilter(bpf, [...misfits.keys()].join(', '), error);
  }

  /** Removes the frames from index `first` on that don't match. */
  keep(batch: PacketBatch, first = 0): void {
    let kept = first;
    let link = -1;
    let program: BpfProgram | null = null;
    for (let i = first; i < batch.count; i++) {
      if (batch.link[i] !== link) {
        link = batch.link[i] as number;
        program = this.#programOf(link);
      }
      if (program === null) continue;
      const matches = program.run(batch.bytes, batch.offset[i] as number, batch.captured[i] as number, batch.wire[i] as number);
      if (matches === 0) continue;
      if (kept !== i) moveFrame(batch, i, kept);
      kept++;
    }
    this.refused += batch.count - kept;
    batch.count = kept;
  }

  #programOf(link: number): BpfProgram | null {
    const known = this.#programs.get(link);
    if (known !== undefined) return known;
    // A link type that no interface of this name was known to have.
    const error = this.#compile(link);
    if (error !== null)
      this.note ||= `dropping frames of link type ${link}, to which the capture filter can't be applied: ${error}`;
    return this.#programs.get(link) ?? null;
  }

  /** @returns libpcap's error; null on success, and if no frame can match */
  #compile(link: number): string | null {
    const calls = this.#calls;
    const handle = calls.openDead(link, SNAP_BYTES);
    if (handle === null) throw new NetmonError('internal', `libpcap gave no handle for link type ${link}`);
    const code = calls.compile(handle, this.#bpf);
    const error = code === null ? sanitize(calls.geterr(handle)) : '';
    calls.close(handle);
    this.#programs.set(link, code === null ? null : new BpfProgram(code));
    return code !== null || MATCHES_NONE.test(error) ? null : error;
  }
}
