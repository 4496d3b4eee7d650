// Opens what `--read` names: a regular file, a pipe, standard input; unpacks gzip. It tells what cannot be a capture, and why.

import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { NetmonError, reasonOf } from '../errors.ts';
import { sanitize } from '../net/text.ts';
import { type ByteFeed, FileFeed, StreamFeed } from './byte-feed.ts';
import { PCAP_HEADER_BYTES } from './pcap-file.ts';

/** Bytes asked of the system, and of zlib, at a time. */
const STREAM_CHUNK_BYTES = 256 * 1024;
/** Both formats show what they are within a classic file header. */
const HEAD_BYTES = PCAP_HEADER_BYTES;

/** A feed with the first bytes of the capture in its window, and how to call it in messages. */
export interface OpenedFeed {
  readonly feed: ByteFeed;
  readonly name: string;
}

/**
 * Opens a capture by path; `-` is standard input.
 *
 * @param size bytes of the window
 * @param stdin read for `-`
 * @throws NetmonError `usage` where it is missing, a directory, empty or a terminal; `permission` where it may not be read
 */
export async function openFeed(path: string, size: number, stdin: Readable): Promise<OpenedFeed> {
  const name = path === '-' ? 'standard input' : sanitize(path);
  const feed = path === '-' ? await fromStdin(name, size, stdin) : await fromPath(path, name, size);
  if (feed.window.length === 0) {
    feed.close();
    if (feed.failure !== null)
      throw new NetmonError('usage', `cannot read ${name}: ${feed.failure}`, 'give a pcap or pcapng file');
    throw new NetmonError('usage', `${name} is empty`, 'give a capture that tcpdump -w, dumpcap or Wireshark wrote');
  }
  return { feed, name };
}

async function fromStdin(name: string, size: number, stdin: Readable): Promise<ByteFeed> {
  if (stdin !== process.stdin) return fromStream(stdin, size);
  if (process.stdin.isTTY) {
    throw new NetmonError('usage', `${name} is a terminal`, 'pipe a capture into it: sudo tcpdump -w - | netmon-tui --read -');
  }
  return fstatSync(0).isFile() ? fromFile(0, size, () => {}, stdin) : fromStream(stdin, size);
}

async function fromPath(path: string, name: string, size: number): Promise<ByteFeed> {
  const handle = await opened(path, name);
  const close = () => void handle.close().catch(() => {});
  const stat = await handle.stat();
  if (stat.isDirectory()) {
    close();
    throw new NetmonError('usage', `${name} is a directory`, 'give one capture file of it: netmon-tui --read FILE');
  }
  if (stat.isFile()) return fromFile(handle.fd, size, close, () => handle.createReadStream(streaming(0)));
  return fromStream(handle.createReadStream(streaming()), size);
}

async function opened(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      throw new NetmonError('usage', `no such file: ${name}`, 'netmon-tui --read FILE takes a pcap or pcapng file');
    if (code === 'EACCES' || code === 'EPERM')
      throw new NetmonError('permission', `${name} may not be read`, `ls -l ${name}`, thrown);
    throw new NetmonError('usage', `cannot open ${name}: ${sanitize(reasonOf(thrown))}`, 'give a pcap or pcapng file', thrown);
  }
}

function streaming(start?: number): { start?: number; highWaterMark: number } {
  return start === undefined ? { highWaterMark: STREAM_CHUNK_BYTES } : { start, highWaterMark: STREAM_CHUNK_BYTES };
}

/** A regular file is read in place, unless it is packed. */
async function fromFile(fd: number, size: number, close: () => void, stream: Readable | (() => Readable)): Promise<ByteFeed> {
  const feed = new FileFeed(fd, size, close);
  feed.refill();
  if (!isGzip(feed.window.bytes, feed.window.length)) return feed;
  if (typeof stream === 'function') return filled(new StreamFeed(unpacked(stream()), size));
  stream.unshift(feed.window.bytes.slice(0, feed.window.end));
  return filled(new StreamFeed(unpacked(stream), size));
}

async function fromStream(stream: Readable, size: number): Promise<ByteFeed> {
  const head = await peek(stream);
  const whole = stream.readableEnded ? Readable.from([head], { objectMode: false }) : stream;
  return filled(new StreamFeed(isGzip(head, head.length) ? unpacked(whole) : whole, size));
}

function unpacked(stream: Readable): Readable {
  const gunzip = createGunzip({ chunkSize: STREAM_CHUNK_BYTES });
  // Errors of either side reach the reader through the decompressor; the callback keeps them from being thrown.
  pipeline(stream, gunzip, () => {});
  return gunzip;
}

function isGzip(bytes: Uint8Array, length: number): boolean {
  return length >= 3 && bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 0x08;
}

/** Waits until the first bytes lie in the window, or no more will come. */
function filled(feed: StreamFeed): Promise<StreamFeed> {
  return new Promise((resolve) => {
    const look = () => {
      if (!feed.ended && feed.window.length < HEAD_BYTES) return;
      feed.onChange = null;
      resolve(feed);
    };
    feed.onChange = look;
    look();
  });
}

/** The first bytes of a stream, put back unless it has ended with them: then they are fewer than a header. */
function peek(stream: Readable): Promise<Uint8Array> {
  return new Promise((resolve) => {
    let head: Buffer = Buffer.alloc(0);
    const done = () => {
      stream.off('readable', look);
      stream.off('end', done);
      stream.off('error', done);
      stream.off('close', done);
      if (head.length > 0 && !stream.readableEnded && !stream.destroyed) stream.unshift(head);
      resolve(head);
    };
    const look = () => {
      while (head.length < HEAD_BYTES) {
        const chunk = stream.read() as Buffer | null;
        if (chunk === null) break;
        head = Buffer.concat([head, chunk]);
      }
      if (head.length >= HEAD_BYTES) done();
    };
    stream.on('readable', look);
    stream.once('end', done);
    stream.once('error', done);
    stream.once('close', done);
    look();
  });
}
