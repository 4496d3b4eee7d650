// Files that SQLite reads and writes pages of: one on disk that is written in place, and one that is only read, with changes kept in memory.
// Neither locks anything: whoever opens a history sees to that.

import { closeSync, fstatSync, fsyncSync, ftruncateSync, writeSync } from 'node:fs';
import { readInto } from '../files.ts';

/** A file as SQLite uses it. */
export interface DatabaseFile {
  readonly size: number;
  /** What the first failed call threw; null without one. Whoever calls for SQLite sets it, for SQLite itself only says that I/O failed. */
  failure: unknown;
  /** @returns bytes read, fewer than asked for only at the end */
  read(bytes: Uint8Array, at: number): number;
  write(bytes: Uint8Array, at: number): void;
  truncate(size: number): void;
  /** Makes a file for what SQLite can't sort in memory; null leaves it in memory. */
  makeTemporary(): TemporaryFile | null;
}

/** Whoever asked for it closes it. */
export interface TemporaryFile extends DatabaseFile {
  close(): void;
}

/** What an overlay lies over. */
export interface FileBase {
  readonly size: number;
  read(bytes: Uint8Array, at: number): number;
}

const BLOCK = 4096;

/** A file on disk, written in place: one that nobody else sees yet. Whoever made it closes it. */
export class DiskFile implements DatabaseFile {
  failure: unknown = null;
  readonly #descriptor: number;
  readonly #old = new Uint8Array(BLOCK);
  readonly #changed = new Set<number>();
  readonly #makeTemporary: () => TemporaryFile | null;
  #size: number;

  /** @param size bytes that the file has already */
  constructor(descriptor: number, size: number, makeTemporary: () => TemporaryFile | null = () => null) {
    this.#descriptor = descriptor;
    this.#size = size;
    this.#makeTemporary = makeTemporary;
  }

  get size(): number {
    return this.#size;
  }

  get inode(): number {
    return fstatSync(this.#descriptor).ino;
  }

  /** Bytes of the blocks that were changed, each counted once. */
  get changedBytes(): number {
    return this.#changed.size * BLOCK;
  }

  read(bytes: Uint8Array, at: number): number {
    return readInto(this.#descriptor, bytes, at);
  }

  /** Leaves blocks alone that have these bytes already: the file may share them with the one that it was cloned from. */
  write(bytes: Uint8Array, at: number): void {
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + BLOCK - ((at + from) % BLOCK));
      this.#writeBlock(bytes.subarray(from, to), at + from);
      from = to;
    }
    this.#size = Math.max(this.#size, at + bytes.length);
  }

  truncate(size: number): void {
    ftruncateSync(this.#descriptor, size);
    this.#size = size;
  }

  makeTemporary(): TemporaryFile | null {
    return this.#makeTemporary();
  }

  /** Makes it last through a loss of power. */
  sync(): void {
    fsyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #writeBlock(bytes: Uint8Array, at: number): void {
    if (at + bytes.length <= this.#size) {
      const old = this.#old.subarray(0, bytes.length);
      if (readInto(this.#descriptor, old, at) === bytes.length && Buffer.compare(old, bytes) === 0) return;
    }
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done, bytes.length - done, at + done);
    this.#changed.add(Math.floor(at / BLOCK));
  }
}

/** Never writes to its base: changed blocks stay in memory and are gone with it. */
export class OverlayFile implements DatabaseFile {
  failure: unknown = null;
  readonly #base: FileBase;
  readonly #blocks = new Map<number, Uint8Array>();
  #size: number;
  /** Bytes of the base that still count: fewer after `truncate`. */
  #baseSize: number;

  constructor(base: FileBase) {
    this.#base = base;
    this.#baseSize = base.size;
    this.#size = base.size;
  }

  get size(): number {
    return this.#size;
  }

  read(bytes: Uint8Array, at: number): number {
    const length = Math.max(0, Math.min(bytes.length, this.#size - at));
    for (let from = 0; from < length; ) {
      const place = at + from;
      const to = Math.min(length, from + BLOCK - (place % BLOCK));
      const block = this.#blocks.get(Math.floor(place / BLOCK));
      const target = bytes.subarray(from, to);
      if (block === undefined) this.#readBase(target, place);
      else target.set(block.subarray(place % BLOCK, (place % BLOCK) + target.length));
      from = to;
    }
    return length;
  }

  write(bytes: Uint8Array, at: number): void {
    for (let from = 0; from < bytes.length; ) {
      const place = at + from;
      const to = Math.min(bytes.length, from + BLOCK - (place % BLOCK));
      this.#block(Math.floor(place / BLOCK), to - from < BLOCK).set(bytes.subarray(from, to), place % BLOCK);
      from = to;
    }
    this.#size = Math.max(this.#size, at + bytes.length);
  }

  truncate(size: number): void {
    for (const number of this.#blocks.keys()) if (number * BLOCK >= size) this.#blocks.delete(number);
    this.#blocks.get(Math.floor(size / BLOCK))?.fill(0, size % BLOCK);
    this.#baseSize = Math.min(this.#baseSize, size);
    this.#size = size;
  }

  /** What is only read is sorted in memory. */
  makeTemporary(): null {
    return null;
  }

  #block(number: number, isPartlyKept: boolean): Uint8Array {
    const known = this.#blocks.get(number);
    if (known !== undefined) return known;
    const block = new Uint8Array(BLOCK);
    if (isPartlyKept) this.#readBase(block, number * BLOCK);
    this.#blocks.set(number, block);
    return block;
  }

  #readBase(bytes: Uint8Array, at: number): void {
    const length = Math.max(0, Math.min(bytes.length, this.#baseSize - at));
    const got = length === 0 ? 0 : this.#base.read(bytes.subarray(0, length), at);
    bytes.fill(0, got);
  }
}
