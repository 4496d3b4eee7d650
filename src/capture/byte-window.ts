// One fixed buffer that bytes of a capture pass through: filled behind, read in front, moved to the front when space runs out.

/** Unread bytes of a stream: `bytes[start..end)`. */
export class ByteWindow {
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;

  /** @param size bytes of the buffer; the longest record must fit */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** Unread bytes. */
  get length(): number {
    return this.end - this.start;
  }

  /** Free bytes behind the unread ones. */
  get room(): number {
    return this.bytes.length - this.end;
  }

  /** Moves the unread bytes to the front. Whatever pointed into the buffer is void. */
  compact(): void {
    if (this.start === 0) return;
    this.bytes.copyWithin(0, this.start, this.end);
    this.end -= this.start;
    this.start = 0;
  }

  /** Appends as much of `chunk` from `from` on as there is room for. @returns how many bytes that was */
  append(chunk: Uint8Array, from: number): number {
    const taken = Math.min(chunk.length - from, this.room);
    this.bytes.set(taken === chunk.length ? chunk : chunk.subarray(from, from + taken), this.end);
    this.end += taken;
    return taken;
  }

  /** Forgets all. */
  clear(): void {
    this.start = 0;
    this.end = 0;
  }
}
