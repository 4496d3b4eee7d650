// Messages that carry names: TLS ClientHello, DNS answer, and QUIC Initials that are really encrypted, so that a reader has to open them.

import { createCipheriv, createHmac } from 'node:crypto';

/** RFC 9001 section 5.2. */
const QUIC_V1_SALT = Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex');
const QUIC_DATAGRAM = 1200;

/** @param {...(number[] | Buffer)} parts */
const join = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)));
/** A vector with a length of 16 bits in front. @param {Buffer} bytes */
const vector16 = (bytes) => join([bytes.length >> 8, bytes.length & 255], bytes);

/** An extension. @param {number} type @param {Buffer} body */
const extension = (type, body) => join([type >> 8, type & 255], vector16(body));

/** A ClientHello handshake message (RFC 8446 section 4.1.2). @param {string} name @param {import('./random.js').Random} random */
function clientHello(name, random) {
  const host = Buffer.from(name);
  const ciphers = join([0x13, 0x01, 0x13, 0x02, 0x13, 0x03, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30]);
  const extensions = join(
    extension(0x0017, join()),
    extension(0, vector16(join([0], vector16(host)))),
    extension(0x000a, vector16(join([0x00, 0x1d, 0x00, 0x17, 0x00, 0x18]))),
    extension(0x0010, vector16(join([2], Buffer.from('h2'), [8], Buffer.from('http/1.1')))),
    extension(0x000d, vector16(join([0x04, 0x03, 0x08, 0x04, 0x04, 0x01, 0x05, 0x03]))),
    extension(0x002b, join([4, 0x03, 0x04, 0x03, 0x03])),
    extension(0x0033, vector16(join([0x00, 0x1d], vector16(random.fill(Buffer.alloc(32)))))),
    extension(0x0015, Buffer.alloc(180)),
  );
  const body = join(
    [0x03, 0x03],
    random.fill(Buffer.alloc(32)),
    [32],
    random.fill(Buffer.alloc(32)),
    vector16(ciphers),
    [1, 0],
    vector16(extensions),
  );
  return join([1, 0, body.length >> 8, body.length & 255], body);
}

/** A TLS record with a ClientHello. @param {string} name @param {import('./random.js').Random} random */
export function tlsHello(name, random) {
  return join([0x16, 0x03, 0x01], vector16(clientHello(name, random)));
}

/** A DNS answer with one address (RFC 1035 section 4). @param {string} name @param {number} address @param {number} id */
export function dnsAnswer(name, address, id) {
  const labels = join(...name.split('.').map((label) => join([label.length], Buffer.from(label))), [0]);
  const answer = Buffer.from('c00c00010001000000780004', 'hex');
  const words = Buffer.alloc(4);
  words.writeUInt32BE(address >>> 0);
  return join([id >> 8, id & 255, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0], labels, [0, 1, 0, 1], answer, words);
}

/** HMAC-SHA-256, which is HKDF's extract too. @param {Buffer} key @param {Buffer} message */
const hmac = (key, message) => createHmac('sha256', key).update(message).digest();

/** HKDF-Expand-Label (RFC 8446 section 7.1); no key here is longer than a hash, so it is one round. */
function expand(secret, label, length) {
  const info = join([length >> 8, length & 255, label.length + 6], Buffer.from(`tls13 ${label}`), [0]);
  return hmac(secret, join(info, [1])).subarray(0, length);
}

/** A client's first QUIC datagram (RFC 9001 section 5, appendix A), protected as on the wire. @param {string} name @param {import('./random.js').Random} random */
export function quicInitial(name, random) {
  const connection = random.fill(Buffer.alloc(8));
  const initial = hmac(QUIC_V1_SALT, connection);
  const client = expand(initial, 'client in', 32);
  const hello = clientHello(name, random);
  const crypto = join([0x06, 0x00, 0x40 | (hello.length >> 8), hello.length & 255], hello);
  const headerBytes = 1 + 4 + 1 + 8 + 1 + 1 + 2 + 4;
  const length = QUIC_DATAGRAM - headerBytes + 4;
  const header = join([0xc3, 0, 0, 0, 1, 8], connection, [0, 0, 0x40 | (length >> 8), length & 255, 0, 0, 0, 0]);
  const plain = join(crypto, Buffer.alloc(QUIC_DATAGRAM - headerBytes - 16 - crypto.length));
  const cipher = createCipheriv('aes-128-gcm', expand(client, 'quic key', 16), expand(client, 'quic iv', 12)); // packet number 0
  cipher.setAAD(header);
  const sealed = join(cipher.update(plain), cipher.final(), cipher.getAuthTag());
  const mask = createCipheriv('aes-128-ecb', expand(client, 'quic hp', 16), null).update(sealed.subarray(0, 16));
  header[0] ^= mask[0] & 0x0f;
  for (let i = 0; i < 4; i++) header[headerBytes - 4 + i] ^= mask[1 + i];
  return join(header, sealed);
}
