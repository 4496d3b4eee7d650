// What a pcapng stream tells of frames that it lacks: the interface statistics blocks that dumpcap and tcpdump write at the end, or now
// and then. Counts are running totals of one section; it trusts none beyond 2^53.

const HEADER = 12;
const OPTION = { END: 0, INTERFACE: 5, SYSTEM: 7 } as const;
const COUNT_BYTES = 8;

/** Sums over the interfaces of all sections so far. */
export class PcapngDrops {
  /** Frames that the operating system dropped (isb_osdrop); null where nothing was said of them. */
  bySystem: number | null = null;
  /** Frames that the interfaces dropped (isb_ifdrop); null where nothing was said of them. */
  byInterface: number | null = null;
  /** The last word on each interface of the section, since a later one holds the earlier. */
  readonly #system: number[] = [];
  readonly #interface: number[] = [];

  /** A new section counts from nothing. */
  reset(): void {
    this.#system.length = 0;
    this.#interface.length = 0;
  }

  /**
   * Takes the body of an interface statistics block (draft-ietf-opsawg-pcapng section 4.6).
   *
   *     [ interface u32 ][ time high ][ time low ][ options: code u16, length u16, value, padded to 4 ]
   *
   * @returns false when it is too short to be one, or of an interface that was not declared
   */
  add(view: DataView, littleEndian: boolean, from: number, to: number, interfaces: number): boolean {
    if (to - from < HEADER) return false;
    const number = view.getUint32(from, littleEndian);
    if (number >= interfaces) return false;
    for (let at = from + HEADER; to - at >= 4; ) {
      const code = view.getUint16(at, littleEndian);
      const length = view.getUint16(at + 2, littleEndian);
      if (code === OPTION.END || length > to - at - 4) break;
      if (length === COUNT_BYTES && (code === OPTION.SYSTEM || code === OPTION.INTERFACE))
        this.#learn(code, number, Number(view.getBigUint64(at + 4, littleEndian)));
      at += 4 + ((length + 3) & ~3);
    }
    return true;
  }

  #learn(code: number, number: number, count: number): void {
    if (count > Number.MAX_SAFE_INTEGER) return; // all ones: unknown
    const known = code === OPTION.SYSTEM ? this.#system : this.#interface;
    const more = Math.max(0, count - (known[number] ?? 0)); // a total that shrinks is a lie
    known[number] = (known[number] ?? 0) + more;
    if (code === OPTION.SYSTEM) this.bySystem = (this.bySystem ?? 0) + more;
    else this.byInterface = (this.byInterface ?? 0) + more;
  }
}
