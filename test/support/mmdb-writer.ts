// Writes MMDB files (https://maxmind.github.io/MaxMind-DB/, version 2.0) for tests: small, slow, every record size and both versions.

import { formatAddress, parseAddress } from '../../src/net/address.ts';

export type MmdbValue = string | number | boolean | MmdbValue[] | { [key: string]: MmdbValue };

export interface MmdbOptions {
  type?: string;
  /** Seconds since 1970. */
  built?: number;
  recordSize?: 24 | 28 | 32;
  ipVersion?: 4 | 6;
  /** Replaces fields of the metadata. */
  metadata?: Record<string, MmdbValue>;
}

/** Bytes of a value, without pointers. Numbers are unsigned, 32 bits at the most unless they are larger: then 64. */
export function mmdbValue(value: MmdbValue): Buffer {
  if (typeof value === 'string') return Buffer.concat([control(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'boolean') return control(14, value ? 1 : 0);
  if (typeof value === 'number') {
    const bytes = Buffer.from(value.toString(16).padStart(16, '0'), 'hex');
    const first = bytes.findIndex((byte) => byte !== 0);
    const short = first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
    return Buffer.concat([control(short.length > 4 ? 9 : 6, short.length), short]);
  }
  if (Array.isArray(value)) return Buffer.concat([control(11, value.length), ...value.map(mmdbValue)]);
  const pairs = Object.entries(value).flatMap(([key, inner]) => [mmdbValue(key), mmdbValue(inner)]);
  return Buffer.concat([control(7, pairs.length / 2), ...pairs]);
}

/** A pointer to `offset` bytes into the data, in the longest form. */
export function mmdbPointer(offset: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = (1 << 5) | (3 << 3);
  bytes.writeUInt32BE(offset, 1);
  return bytes;
}

/** The file: networks (`192.0.2.0/24`, `2001:db8::/32`) and their records; a Buffer is a record that is encoded already. */
export function mmdbFile(networks: Record<string, MmdbValue | Buffer>, options: MmdbOptions = {}): Buffer {
  const { recordSize = 28, ipVersion = 6 } = options;
  const tree: [number, number][] = [[-1, -1]];
  const data: Buffer[] = [];
  let dataLength = 0;
  for (const [network, record] of Object.entries(networks)) {
    const bits = bitsOf(network, ipVersion);
    let node = 0;
    for (const bit of bits.slice(0, -1)) {
      const row = tree[node] as [number, number];
      if (row[bit] === -1) row[bit] = tree.push([-1, -1]) - 1;
      node = row[bit] as number;
    }
    (tree[node] as [number, number])[bits.at(-1) as 0 | 1] = -2 - dataLength;
    const bytes = Buffer.isBuffer(record) ? record : mmdbValue(record);
    data.push(bytes);
    dataLength += bytes.length;
  }
  const nodes = tree.map((row) => nodeBytes(row.map((to) => resolved(to, tree.length)) as [number, number], recordSize));
  const metadata = {
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: options.built ?? 1_767_225_600,
    database_type: options.type ?? 'Test-Country',
    description: { en: 'made by a test' },
    ip_version: ipVersion,
    languages: ['en'],
    node_count: tree.length,
    record_size: recordSize,
    ...options.metadata,
  };
  return Buffer.concat([
    ...nodes,
    Buffer.alloc(16),
    ...data,
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    mmdbValue(metadata),
  ]);
}

/** -1 is nothing, -2 and below a place in the data; the tree counts them behind its nodes. */
function resolved(to: number, nodeCount: number): number {
  if (to === -1) return nodeCount;
  return to < -1 ? nodeCount + 16 + (-2 - to) : to;
}

function nodeBytes([left, right]: [number, number], recordSize: 24 | 28 | 32): Buffer {
  const bytes = Buffer.alloc(recordSize / 4);
  if (recordSize === 28) {
    bytes.writeUIntBE(left & 0xffffff, 0, 3);
    bytes[3] = ((left >>> 24) << 4) | (right >>> 24);
    bytes.writeUIntBE(right & 0xffffff, 4, 3);
  } else {
    bytes.writeUIntBE(left, 0, recordSize / 8);
    bytes.writeUIntBE(right, recordSize / 8, recordSize / 8);
  }
  return bytes;
}

function bitsOf(network: string, ipVersion: 4 | 6): (0 | 1)[] {
  const [text = '', length = ''] = network.split('/');
  const words = new Int32Array(4);
  if (!parseAddress(text, words)) throw new Error(`no network: ${network}`);
  const v4 = !formatAddress(words).includes(':');
  if (v4) words[2] = 0; // IPv4 lies at ::/96
  const all = [...words].flatMap((word) => [...(word >>> 0).toString(2).padStart(32, '0')].map(Number)) as (0 | 1)[];
  if (ipVersion === 4) return all.slice(96, 96 + Number(length));
  return all.slice(0, (v4 ? 96 : 0) + Number(length));
}

function control(type: number, size: number): Buffer {
  const extended = type > 7;
  const head = [extended ? 0 : type << 5, ...(extended ? [type - 7] : [])];
  if (size < 29) head[0] = (head[0] as number) | size;
  else if (size < 285) head.splice(0, 1, (head[0] as number) | 29) && head.push(size - 29);
  else if (size < 65_821) head.splice(0, 1, (head[0] as number) | 30) && head.push((size - 285) >> 8, (size - 285) & 255);
  else {
    head[0] = (head[0] as number) | 31;
    head.push((size - 65_821) >> 16, ((size - 65_821) >> 8) & 255, (size - 65_821) & 255);
  }
  return Buffer.from(head);
}
