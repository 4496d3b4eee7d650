// One source in front of a capture that can be replaced while it runs: interfaces and processes keep their indexes, counters go on, and
// interfaces that are no longer captured stay in the list. It opens nothing itself.

import type { NetmonError } from '../model/errors.ts';
import { moveFrame, PacketBatch } from './batch.ts';
import type { CapturedProcess, CaptureInterface, CaptureStats, OpenedSource, PacketSource, SourceState } from './source.ts';

/** Frames refer to processes by 16 bits. */
const MAX_PROCESSES = 0xffff;

/** Reads from the open source until another replaces it. */
export class SwitchSource implements PacketSource {
  readonly interfaces: CaptureInterface[] = [];
  readonly processes: CapturedProcess[] = [];
  readonly #gone: Promise<void>[] = [];
  #opened: OpenedSource;
  /** Number here of the open source's interface i, and of its process i. */
  #interfaceAt: number[] = [];
  #processAt: number[] = [];
  /** How often the list of processes was restarted, here and in the open source. */
  processesBegun = 0;
  #begunThere = 0;
  #before: CaptureStats = { received: 0, droppedByKernel: 0, droppedByInterface: 0, shed: 0, malformed: 0 };
  #switched = false;
  /** Interfaces whose frames are wanted; null wants all. */
  #only: ReadonlySet<string> | null = null;
  /** 1 where the open source's interface i is wanted. */
  #isWanted: number[] = [];
  readonly #renumbered = new WeakMap<PacketBatch, PacketBatch>();

  constructor(opened: OpenedSource) {
    this.#opened = opened;
    this.#begunThere = opened.source.processesBegun ?? 0;
    this.#learn();
  }

  get driver(): PacketSource['driver'] {
    return this.#opened.source.driver;
  }

  get startsPrograms(): boolean {
    return this.#opened.source.startsPrograms === true;
  }

  get namesProcesses(): boolean {
    return this.#opened.source.namesProcesses;
  }

  get snapLength(): PacketSource['snapLength'] {
    return this.#opened.source.snapLength;
  }

  get bufferBytes(): number | null {
    return this.#opened.source.bufferBytes;
  }

  get delayMs(): number {
    return this.#opened.source.delayMs ?? 0;
  }

  get state(): SourceState {
    return this.#opened.source.state;
  }

  get note(): string {
    return this.#opened.source.note;
  }

  get failure(): NetmonError | null {
    return this.#opened.source.failure ?? null;
  }

  /** Why better drivers were not used. */
  get fallbacks(): OpenedSource['fallbacks'] {
    return this.#opened.fallbacks;
  }

  /** Names of the interfaces that are captured now. */
  get active(): readonly string[] {
    this.#learn();
    return this.#only === null ? this.#opened.source.interfaces.map(({ name }) => name) : [...this.#only];
  }

  /** Settles when everything that the sources started is gone. */
  get gone(): Promise<void> {
    return Promise.all([...this.#gone, this.#opened.source.gone]).then(() => undefined);
  }

  begin(): void {
    this.#opened.source.begin?.();
  }

  read(): PacketBatch | null {
    const batch = this.#opened.source.read();
    this.#learn();
    if (batch === null) return null;
    if (this.#only !== null) this.#keepWanted(batch);
    return this.#switched ? this.#renumber(batch) : batch;
  }

  stats(): CaptureStats {
    const now = this.#opened.source.stats();
    const before = this.#before;
    return {
      received: plus(before.received, now.received),
      droppedByKernel: plus(before.droppedByKernel, now.droppedByKernel),
      droppedByInterface: plus(before.droppedByInterface, now.droppedByInterface),
      shed: before.shed + now.shed,
      malformed: before.malformed + now.malformed,
    };
  }

  close(): void {
    this.#opened.source.close();
  }

  /** Replaces the source and closes the old one, whose unread frames are lost. Owns the new one. */
  take(opened: OpenedSource): void {
    this.#before = this.stats();
    const { source } = this.#opened;
    source.close();
    if (source.gone !== undefined) this.#gone.push(source.gone);
    this.#opened = opened;
    this.#only = null;
    this.#isWanted = [];
    this.#interfaceAt = [];
    this.#processAt = [];
    this.#begunThere = opened.source.processesBegun ?? 0;
    this.#switched = true;
    this.#learn();
  }

  /** Leaves out frames of other interfaces. Only for a source that writes all columns of each batch. @param names empty for all */
  narrow(names: readonly string[]): void {
    this.#only = names.length === 0 ? null : new Set(names);
    this.#isWanted = [];
    this.#learn();
  }

  /** Gives indexes to the open source's new interfaces and processes. */
  #learn(): void {
    const { interfaces, processes, processesBegun = 0 } = this.#opened.source;
    const more = processes.length - this.#processAt.length;
    if (processesBegun !== this.#begunThere || this.processes.length + more > MAX_PROCESSES) {
      this.#begunThere = processesBegun;
      this.#processAt = [];
      this.processes.length = 0;
      this.processesBegun++;
    }
    for (let i = this.#interfaceAt.length; i < interfaces.length; i++) {
      const one = interfaces[i] as CaptureInterface;
      const known = this.interfaces.findIndex(({ name, link }) => name === one.name && link === one.link);
      this.#interfaceAt.push(known >= 0 ? known : this.interfaces.push(one) - 1);
    }
    for (let i = this.#isWanted.length; i < interfaces.length; i++)
      this.#isWanted.push(this.#only?.has((interfaces[i] as CaptureInterface).name) === false ? 0 : 1);
    for (let i = this.#processAt.length; i < processes.length; i++) {
      const isNone = i === 0 && this.processes.length > 0;
      this.#processAt.push(isNone ? 0 : this.processes.push(processes[i] as CapturedProcess) - 1);
    }
  }

  /** Returns an empty batch rather than none: the reader then checks the clock. */
  #keepWanted(batch: PacketBatch): void {
    let kept = 0;
    for (let i = 0; i < batch.count; i++) {
      if (this.#isWanted[batch.iface[i] as number] !== 1) continue;
      if (kept !== i) moveFrame(batch, i, kept);
      kept++;
    }
    batch.count = kept;
  }

  /** Writes our indexes to columns of our own: a source may fill its columns once and rely on them. */
  #renumber(batch: PacketBatch): PacketBatch {
    let ours = this.#renumbered.get(batch);
    if (ours === undefined) {
      const { capacity } = batch;
      ours = Object.assign(Object.create(PacketBatch.prototype) as PacketBatch, batch, {
        iface: new Uint16Array(capacity),
        process: new Uint16Array(capacity),
        effective: new Uint16Array(capacity),
      });
      this.#renumbered.set(batch, ours);
    }
    ours.bytes = batch.bytes;
    ours.count = batch.count;
    for (let i = 0; i < batch.count; i++) {
      ours.iface[i] = this.#interfaceAt[batch.iface[i] as number] ?? 0;
      ours.process[i] = this.#processAt[batch.process[i] as number] ?? 0;
      ours.effective[i] = this.#processAt[batch.effective[i] as number] ?? 0;
    }
    return ours;
  }
}

/** Unknown stays unknown: a part of a sum is not the sum. */
function plus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
