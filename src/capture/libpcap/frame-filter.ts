// The user's capture filter on frames that were already read. The kernel's filter sees the PKTAP header in front of a frame and can't look
// behind it, so libpcap compiles the expression for each link type that may lie there, and the programs run here: a foreign call for each
// frame would cost more than decoding it.

import { NetmonError } from '../../model/errors.ts';
import { LINK } from '../../net/numbers.ts';
import { sanitize } from '../../net/text.ts';
import { moveFrame, type PacketBatch } from '../batch.ts';
import { badFilter, misfitFilter } from '../errors.ts';
import { pktapNames } from '../pktap.ts';
import { BpfProgram } from './bpf-program.ts';
import type { LibpcapCalls } from './calls.ts';

/** What libpcap says of an expression that no frame of a link type can match: ARP on a tunnel. */
const MATCHES_NONE = /rejects all packets/;
/** Link types of interfaces on a Mac, by name; all others are Ethernet. A utun or ipsec is raw or null, depending on who made it. */
const LINKS_BY_NAME: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^(utun|ipsec)/, [LINK.NULL, LINK.RAW_DLT]],
  [/^(lo|gif|stf)/, [LINK.NULL]],
  [/^ppp/, [LINK.PPP]],
  [/^all$/, [LINK.ETHERNET, LINK.NULL, LINK.RAW_DLT, LINK.PPP]],
];
/** The snap length that is compiled into a program, of which only "not 0" is used. */
const SNAP_BYTES = 262_144;

/** A capture filter compiled for each link type. */
export class FrameFilter {
  /** Frames that did not match. */
  refused = 0;
  /** Which frames are left out because the filter can't be compiled for them; empty when there are none. */
  note = '';
  readonly #calls: LibpcapCalls;
  readonly #bpf: string;
  /** By link type; null where no frame can match. */
  readonly #programs = new Map<number, BpfProgram | null>();

  /**
   * Compiles `bpf` for the link types of the interfaces that PKTAP is asked for.
   *
   * @param interfaces as in a request; none are the usual ones
   * @throws NetmonError `bad-filter`, in libpcap's words, where it can't be compiled for each of them
   */
  constructor(calls: LibpcapCalls, bpf: string, interfaces: readonly string[]) {
    this.#calls = calls;
    this.#bpf = bpf;
    const answers = new Map<number, string | null>();
    const misfits = new Map<string, string>();
    for (const name of pktapNames(interfaces).split(',')) {
      for (const link of LINKS_BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? [LINK.ETHERNET]) {
        const said = answers.has(link) ? (answers.get(link) ?? null) : this.#compile(link);
        answers.set(link, said);
        if (said !== null) misfits.set(name, said);
      }
    }
    const matches = [...this.#programs.values()].some((program) => program !== null);
    const [said] = misfits.values();
    if (!matches) throw badFilter(bpf, said ?? 'expression rejects all packets');
    if (said !== undefined) throw misfitFilter(bpf, [...misfits.keys()].join(', '), said);
  }

  /** Takes the frames from index `first` on that do not match out of the batch. */
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
    // No interface of this name has had that link type so far.
    const said = this.#compile(link);
    if (said !== null) this.note ||= `frames of link type ${link} are left out, as the capture filter can't be applied: ${said}`;
    return this.#programs.get(link) ?? null;
  }

  /** @returns what libpcap said where it failed for another reason than that nothing can match */
  #compile(link: number): string | null {
    const calls = this.#calls;
    const handle = calls.openDead(link, SNAP_BYTES);
    if (handle === null) throw new NetmonError('internal', `libpcap gave no handle for link type ${link}`);
    const code = calls.compile(handle, this.#bpf);
    const said = code === null ? sanitize(calls.geterr(handle)) : '';
    calls.close(handle);
    this.#programs.set(link, code === null ? null : new BpfProgram(code));
    return code !== null || MATCHES_NONE.test(said) ? null : said;
  }
}
