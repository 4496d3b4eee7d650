// What SQLite has in place of a file in its own memory: a file of the system that is written in place, or one that is only read, with what
// changes kept beside it. So a history takes memory for what is asked of it, not for all of it.

import { closeSync, fstatSync, fsyncSync, ftruncateSync, writeSync } from 'node:fs';
import { readInto } from '../files.ts';

/** A file as SQLite uses it. What throws becomes an error of SQLite's own; `failure` keeps what it was. */
export interface DatabaseFile {
  readonly size: number;
  /** What the first call that failed threw; null while all went well. Set by whoever calls. */
  failure: unknown;
  /** @returns bytes read, fewer than asked for only at the end */
  read(bytes: Uint8Array, at: number): number;
  write(bytes: Uint8Array, at: number): void;
  truncate(size: number): void;
}

/** Where bytes come from that are only read. */
export interface FileBase {
  readonly size: number;
  read(bytes: Uint8Array, at: number): number;
}

const BLOCK = 4096;

/** A file of the system, written where it lies: one that nobody else sees yet. Whoever made it closes it. */
export class DiskFile implements DatabaseFile {
  failure: unknown = null;
  readonly #descriptor: number;
  readonly #old = new Uint8Array(BLOCK);
  readonly #changed = new Set<number>();
  #size: number;

  /** @param size what the file holds already, bytes */
  constructor(descriptor: number, size: number) {
    this.#descriptor = descriptor;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  get inode(): number {
    return fstatSync(this.#descriptor).ino;
  }

  /** Bytes of the blocks that were written, each once. */
  get changedBytes(): number {
    return this.#changed.size * BLOCK;
  }

  read(bytes: Uint8Array, at: number): number {
    return readInto(this.#descriptor, bytes, at);
  }

  /** Blocks that are there already as they are to be stay untouched: a copy may share them with another file. */
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

/** What lies below is never written: blocks that change are kept in memory, and forgotten with this. */
export class OverlayFile implements DatabaseFile {
  failure: unknown = null;
  readonly #base: FileBase;
  readonly #blocks = new Map<number, Uint8Array>();
  #size: number;
  /** Of the base; less after it was cut. */
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

  #block(number: number, keepsSome: boolean): Uint8Array {
    const known = this.#blocks.get(number);
    if (known !== undefined) return known;
    const block = new Uint8Array(BLOCK);
    if (keepsSome) this.#readBase(block, number * BLOCK);
    this.#blocks.set(number, block);
    return block;
  }

  #readBase(bytes: Uint8Array, at: number): void {
    const there = Math.max(0, Math.min(bytes.length, this.#baseSize - at));
    const got = there === 0 ? 0 : this.#base.read(bytes.subarray(0, there), at);
    bytes.fill(0, got);
  }
}
