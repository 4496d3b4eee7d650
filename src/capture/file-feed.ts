// Opens what `--read` names: a regular file, a pipe, standard input; unpacks gzip and zstd. It tells what cannot be a capture, and why.

import { fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { NetmonError, reasonOf } from '../errors.ts';
import { sanitize } from '../net/text.ts';
import { type ByteFeed, FileFeed, StreamFeed } from './byte-feed.ts';
import { PCAP_HEADER_BYTES } from './pcap-file.ts';
import { isUnpackable, type Packing, packingOf, unpacked } from './unpack.ts';

/** Bytes asked of the system at a time. */
const STREAM_CHUNK_BYTES = 256 * 1024;
/** All formats show what they are within a classic file header. */
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
  const packing = packingOf(feed.window.bytes, feed.window.length);
  if (packing === null || !isUnpackable(packing)) return feed;
  if (typeof stream === 'function') return filled(streamFeed(stream(), packing, size));
  stream.unshift(feed.window.bytes.slice(0, feed.window.end));
  return filled(streamFeed(stream, packing, size));
}

async function fromStream(stream: Readable, size: number): Promise<ByteFeed> {
  const head = await peek(stream);
  const whole = stream.readableEnded ? Readable.from([head], { objectMode: false }) : stream;
  return filled(streamFeed(whole, packingOf(head, head.length), size));
}

function streamFeed(stream: Readable, packing: Packing | null, size: number): StreamFeed {
  if (packing === null || !isUnpackable(packing)) return new StreamFeed(stream, size);
  const { stream: plain, outcome } = unpacked(stream, packing);
  return new StreamFeed(plain, size, outcome);
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
