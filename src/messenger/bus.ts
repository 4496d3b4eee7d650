// As much of D-Bus as one call to the user's session bus needs (D-Bus Specification 0.43): connect, say who we are, call, read the answer.

import { connect, type Socket } from 'node:net';

/** How long a call may take, ms. */
const LONGEST_MS = 5000;
/** The longest answer that is read, bytes. */
const LONGEST_ANSWER = 64 * 1024;
const CALL = 1;
const RETURN = 2;
const ERROR = 3;
/** Header fields, and their types. */
const FIELD = { PATH: 1, INTERFACE: 2, MEMBER: 3, ERROR_NAME: 4, REPLY_SERIAL: 5, DESTINATION: 6, SIGNATURE: 8 } as const;

/** What is called. */
export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
  /** The arguments, marshalled. */
  readonly body: Buffer;
}

/** Path of the socket in a bus address, such as `unix:path=/run/user/1000/bus`; null if it is of another kind. */
export function socketOf(address: string): string | null {
  for (const one of address.split(';')) {
    const path = /^unix:(?:[^;]*,)?(path|abstract)=([^,;]{1,104})/.exec(one);
    if (path === null) continue;
    const name = (path[2] as string).replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return path[1] === 'abstract' ? `\0${name}` : name;
  }
  return null;
}

/** Calls a method on a bus. @returns null; or why it failed. Never rejects */
export function callBus(socketPath: string, uid: number, call: BusCall, longestMs = LONGEST_MS): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketPath });
    const end = (failure: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    };
    const timer = setTimeout(() => end('the bus does not answer'), longestMs);
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'unknown error'));
    socket.once('close', () => end('the bus closed the connection'));
    converse(socket, uid, call, end);
  });
}

/** A NUL, then SASL EXTERNAL with the uid in hex, then messages: Hello, and the call. */
function converse(socket: Socket, uid: number, call: BusCall, end: (failure: string | null) => void): void {
  const hello = {
    destination: 'org.freedesktop.DBus',
    path: '/org/freedesktop/DBus',
    interface: 'org.freedesktop.DBus',
    member: 'Hello',
  };
  let rest: Buffer = Buffer.alloc(0);
  let isKnown = false;
  socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(uid)).toString('hex')}\r\n`);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    if (rest.length > LONGEST_ANSWER) return end('the bus answers too much');
    if (!isKnown) {
      const line = rest.indexOf('\r\n');
      if (line < 0) return;
      if (!rest.toString('latin1', 0, line).startsWith('OK ')) return end('the bus refuses this user');
      isKnown = true;
      rest = rest.subarray(line + 2);
      socket.write('BEGIN\r\n');
      socket.write(Buffer.concat([message(1, { ...hello, signature: '', body: Buffer.alloc(0) }), message(2, call)]));
    }
    for (let answer = answerIn(rest); answer !== null; answer = answerIn(rest)) {
      if (answer === 'broken') return end('the bus answers in another protocol');
      rest = rest.subarray(answer.length);
      if (answer.type === ERROR) return end(answer.error);
      if (answer.type === RETURN && answer.serial === 2) return end(null);
    }
  });
}

/** Marshals values in little-endian order. Alignment counts from the beginning, so that a body and a header each have one. */
export class Marshaller {
  #bytes: number[] = [];

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0);
    return this;
  }

  byte(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }

  uint32(value: number): this {
    return this.align(4)
      .byte(value)
      .byte(value >>> 8)
      .byte(value >>> 16)
      .byte(value >>> 24);
  }

  /** STRING and OBJECT_PATH. D-Bus allows no NUL in them. */
  string(value: string): this {
    const bytes = Buffer.from(value.replaceAll('\0', ''), 'utf8');
    this.uint32(bytes.length).#bytes.push(...bytes, 0);
    return this;
  }

  signature(value: string): this {
    this.byte(value.length).#bytes.push(...Buffer.from(value, 'latin1'), 0);
    return this;
  }

  /** An array whose elements begin at multiples of `alignment`. */
  array(alignment: number, fill: () => void): this {
    this.uint32(0);
    const length = this.#bytes.length - 4;
    this.align(alignment);
    const start = this.#bytes.length;
    fill();
    const count = this.#bytes.length - start;
    for (let i = 0; i < 4; i++) this.#bytes[length + i] = (count >>> (8 * i)) & 0xff;
    return this;
  }

  done(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

/** A method call as bytes. */
function message(serial: number, { destination, path, interface: face, member, signature, body }: BusCall): Buffer {
  const header = new Marshaller();
  header.byte('l'.charCodeAt(0)).byte(CALL).byte(0).byte(1).uint32(body.length).uint32(serial);
  const fields: readonly (readonly [number, 'o' | 's' | 'g', string])[] = [
    [FIELD.PATH, 'o', path],
    [FIELD.INTERFACE, 's', face],
    [FIELD.MEMBER, 's', member],
    [FIELD.DESTINATION, 's', destination],
    ...(signature === '' ? [] : [[FIELD.SIGNATURE, 'g', signature] as const]),
  ];
  header.array(8, () => {
    for (const [field, type, value] of fields) {
      header.align(8).byte(field).signature(type);
      if (type === 'g') header.signature(value);
      else header.string(value);
    }
  });
  return Buffer.concat([header.align(8).done(), body]);
}

interface BusAnswer {
  readonly type: number;
  readonly serial: number;
  /** Name of an error, without what others say about it. */
  readonly error: string;
  readonly length: number;
}

/** The first message in the bytes; null if it is incomplete. */
function answerIn(bytes: Buffer): BusAnswer | 'broken' | null {
  if (bytes.length < 16) return null;
  if (bytes[0] !== 0x6c || bytes[3] !== 1) return 'broken'; // a bus answers in the byte order of its machine, as we asked
  const fieldBytes = bytes.readUInt32LE(12);
  const length = 16 + Math.ceil(fieldBytes / 8) * 8 + bytes.readUInt32LE(4);
  if (length > LONGEST_ANSWER) return 'broken';
  if (bytes.length < length) return null;
  let serial = 0;
  let error = 'error';
  for (let at = 16; at + 8 <= 16 + fieldBytes; ) {
    const field = bytes.readUInt8(at);
    const signature = bytes.toString('latin1', at + 2, at + 2 + bytes.readUInt8(at + 1));
    at += 4; // one byte of type, all of ours are one letter long
    if (signature === 'u') {
      if (field === FIELD.REPLY_SERIAL) serial = bytes.readUInt32LE(at);
      at += 4;
    } else if (signature === 's' || signature === 'o') {
      const size = bytes.readUInt32LE(at);
      if (at + 4 + size > length) return 'broken';
      if (field === FIELD.ERROR_NAME) error = bytes.toString('latin1', at + 4, at + 4 + size);
      at += 4 + size + 1;
    } else if (signature === 'g') at += 1 + bytes.readUInt8(at) + 1;
    else return 'broken';
    at = Math.ceil(at / 8) * 8;
  }
  return { type: bytes.readUInt8(1), serial, error, length };
}
