// Slots: numbers of the 256-colour table that stand for 24-bit colours, because blessed has 9 bits for a colour and no more.

/** First number used: the 16 below are the terminal's own colours, which blessed writes in another form. */
const FIRST = 16;
const LAST = 255;

/** Colours by slot. Lives as long as a screen. */
export class SlotTable {
  private readonly byColour = new Map<number, number>();
  private readonly sequences: string[] = [];

  /** Slots in use. */
  get size(): number {
    return this.byColour.size;
  }

  /** Forgets every slot, before another theme takes them. What is on the screen then must be drawn anew. */
  clear(): void {
    this.byColour.clear();
    this.sequences.length = 0;
  }

  /** The slot of a colour (0xRRGGBB); when all are taken, the last one. */
  slotOf(colour: number): number {
    const known = this.byColour.get(colour);
    if (known !== undefined) return known;
    const slot = FIRST + this.byColour.size;
    if (slot > LAST) return LAST;
    this.byColour.set(colour, slot);
    this.sequences[slot] = `8;2;${colour >> 16};${(colour >> 8) & 255};${colour & 255}`;
    return slot;
  }

  /** Output with each slot's number exchanged for its colour; within SGR sequences only. */
  translate(output: string): string {
    return output.replace(/\x1b\[[\d;]*m/g, (sgr) =>
      sgr.replace(/8;5;(\d+)/g, (whole, slot: string) => this.sequences[Number(slot)] ?? whole),
    );
  }
}
