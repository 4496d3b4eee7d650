// A batch of captured frames: one buffer and one typed column per fact. Sources fill it, the monitor walks it. No objects per frame.

/** Process index of a frame without a known process. */
export const NO_PROCESS = 0;

/**
 * Frames as columns over one buffer; row i describes frame i.
 *
 *     bytes      [ ....frame 0.... ][ ..frame 1.. ] ...      (offset[i] is where frame i begins; gaps are allowed)
 *     captured   bytes of frame i that are in the buffer      wire      bytes it had on the wire
 *     time       epoch milliseconds, with fractions           link      LINKTYPE of the bytes at offset[i]
 *     iface      index into the source's interfaces           direction DIRECTION as the source tells it
 *     process, effective   index into the source's processes, 0 where it names none
 *
 * Everything is valid until the source's next `read`. A source may prefill columns that never change and leave them alone.
 */
export class PacketBatch {
  readonly capacity: number;
  bytes: Uint8Array;
  count = 0;
  readonly offset: Uint32Array;
  readonly captured: Uint32Array;
  readonly wire: Uint32Array;
  readonly time: Float64Array;
  readonly link: Uint16Array;
  readonly iface: Uint16Array;
  readonly direction: Uint8Array;
  readonly process: Uint16Array;
  readonly effective: Uint16Array;

  /** @param capacity frames at the most */
  constructor(capacity: number, bytes: Uint8Array) {
    this.capacity = capacity;
    this.bytes = bytes;
    this.offset = new Uint32Array(capacity);
    this.captured = new Uint32Array(capacity);
    this.wire = new Uint32Array(capacity);
    this.time = new Float64Array(capacity);
    this.link = new Uint16Array(capacity);
    this.iface = new Uint16Array(capacity);
    this.direction = new Uint8Array(capacity);
    this.process = new Uint16Array(capacity);
    this.effective = new Uint16Array(capacity);
  }
}

/** Writes frame `from` as frame `to`, in all columns. */
export function moveFrame(batch: PacketBatch, from: number, to: number): void {
  batch.offset[to] = batch.offset[from] as number;
  batch.captured[to] = batch.captured[from] as number;
  batch.wire[to] = batch.wire[from] as number;
  batch.link[to] = batch.link[from] as number;
  copyFacts(batch, from, batch, to);
}

/** Copies everything but the bytes of frame `from` to frame `to` of a batch: time, interface, direction, processes. */
export function copyFacts(batch: PacketBatch, from: number, into: PacketBatch, to: number): void {
  into.time[to] = batch.time[from] as number;
  into.iface[to] = batch.iface[from] as number;
  into.direction[to] = batch.direction[from] as number;
  into.process[to] = batch.process[from] as number;
  into.effective[to] = batch.effective[from] as number;
}
