// Writes classic pcap records through one large buffer.

import { closeSync, openSync, writeSync } from 'node:fs';

const CHUNK_BYTES = 8 << 20;
/** 2026-01-01 00:00:00 UTC. */
const START_SECONDS = 1_767_225_600;
const PACKETS_PER_SECOND = 1_000_000;

/** A file being written: a million packets a second from 2026 on. */
export class PcapWriter {
  #buffer = Buffer.alloc(CHUNK_BYTES);
  #at = 24;
  #count = 0;
  #fd;

  constructor(path) {
    this.#fd = openSync(path, 'w', 0o600);
    this.#buffer.writeUInt32LE(0xa1b2c3d4, 0);
    this.#buffer.writeUInt32LE(0x00040002, 4);
    this.#buffer.writeUInt32LE(65_535, 16);
    this.#buffer.writeUInt32LE(1, 20);
  }

  /** Appends a frame, a microsecond behind the one before. @returns where its bytes lie in `buffer`, to be changed in place */
  add(frame) {
    if (this.#at + 16 + frame.length > CHUNK_BYTES) this.#flush();
    const buffer = this.#buffer;
    const at = this.#at;
    buffer.writeUInt32LE(START_SECONDS + Math.floor(this.#count / PACKETS_PER_SECOND), at);
    buffer.writeUInt32LE(this.#count % PACKETS_PER_SECOND, at + 4);
    buffer.writeUInt32LE(frame.length, at + 8);
    buffer.writeUInt32LE(frame.length, at + 12);
    buffer.set(frame, at + 16);
    this.#at = at + 16 + frame.length;
    this.#count++;
  }

  close() {
    this.#flush();
    closeSync(this.#fd);
  }

  #flush() {
    writeSync(this.#fd, this.#buffer, 0, this.#at);
    this.#at = 0;
  }
}
