// Writes captures for tests: classic pcap, pcapng with Apple's process blocks, and PKTAP headers. It can write what no honest program would.

/** A frame and what a capture says of it. */
export interface FrameRecord {
  readonly data: Uint8Array;
  /** Epoch milliseconds; 0 by default. */
  readonly time?: number;
  /** Bytes on the wire; those of `data` by default. */
  readonly wire?: number;
  /** Written instead of the true captured length. */
  readonly captured?: number;
}

export interface PcapFileOptions {
  /** LINKTYPE; Ethernet by default. May carry the upper bits of the field. */
  readonly link?: number;
  readonly endian?: 'little' | 'big';
  readonly nanos?: boolean;
  /** The modified format with 24-byte record headers. */
  readonly modified?: boolean;
  /** Major and minor; 2.4 by default. Before 2.3 the wire length is written first. */
  readonly version?: readonly [number, number];
  /** Writes the wire length first whatever the version. */
  readonly swapped?: boolean;
  readonly snapLength?: number;
  readonly records: readonly FrameRecord[];
}

/** Joins byte strings. */
export function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

/** A classic pcap file. */
export function pcapFile(options: PcapFileOptions): Uint8Array {
  const little = options.endian !== 'big';
  const magic = options.modified ? 0xa1b2cd34 : options.nanos ? 0xa1b23c4d : 0xa1b2c3d4;
  const head = words(little, magic, 0, 0, 0, options.snapLength ?? 262_144, options.link ?? 1);
  const view = new DataView(head.buffer);
  const [major, minor] = options.version ?? [2, 4];
  view.setUint16(4, major, little);
  view.setUint16(6, minor, little);
  const swapped = options.swapped ?? (major !== 2 || minor < 3);
  const perMs = options.nanos ? 1e6 : 1e3;
  const parts: Uint8Array[] = [head];
  for (const { data, time = 0, wire = data.length, captured = data.length } of options.records) {
    const seconds = Math.floor(time / 1000);
    const lengths = swapped ? [wire, captured] : [captured, wire];
    parts.push(words(little, seconds, Math.round((time - seconds * 1000) * perMs), ...lengths));
    if (options.modified) parts.push(new Uint8Array(8));
    parts.push(data);
  }
  return joined(...parts);
}

/** A snoop file. @param link datalink type of DLPI; 4 is Ethernet @param drops running total of each record */
export function snoopFile(
  records: readonly (FrameRecord & { readonly drops?: number; readonly record?: number })[],
  link = 4,
  version = 2,
): Uint8Array {
  const parts: Uint8Array[] = [new Uint8Array(Buffer.from('snoop\0\0\0')), words(false, version, link)];
  for (const { data, time = 0, wire = data.length, captured = data.length, drops = 0, record } of records) {
    const seconds = Math.floor(time / 1000);
    const length = record ?? 24 + ((data.length + 3) & ~3);
    parts.push(words(false, wire, captured, length, drops, seconds, Math.round((time - seconds * 1000) * 1000)), padded(data));
  }
  return joined(...parts);
}

/** A zstd frame of uncompressed blocks (RFC 8878 section 3.1.1), without a checksum. */
export function zstdFrame(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [words(true, 0xfd2fb528), Uint8Array.of(0xa0), words(true, bytes.length)];
  for (let at = 0; at === 0 || at < bytes.length; at += 131_072) {
    const block = bytes.subarray(at, at + 131_072);
    const isLast = at + 131_072 >= bytes.length ? 1 : 0;
    parts.push(words(true, (block.length << 3) | isLast).subarray(0, 3), block);
  }
  return joined(...parts);
}

/** An option of a pcapng block. */
export interface BlockOption {
  readonly code: number;
  readonly value: Uint8Array | string | number;
}

/** Blocks of a pcapng stream. `options` are added to those that the other fields make. */
export type Block =
  | { readonly block: 'section'; readonly endian?: 'little' | 'big'; readonly options?: readonly BlockOption[] }
  | {
      readonly block: 'interface';
      readonly name?: string;
      readonly link?: number;
      readonly snapLength?: number;
      /** if_tsresol byte. */
      readonly resolution?: number;
      /** if_tsoffset, seconds. */
      readonly offset?: number;
      readonly options?: readonly BlockOption[];
    }
  | { readonly block: 'process'; readonly pid: number; readonly name?: string; readonly options?: readonly BlockOption[] }
  | {
      /** Enhanced packet block; `obsolete` writes the old packet block. */
      readonly block: 'packet';
      readonly obsolete?: boolean;
      readonly interface?: number;
      readonly data: Uint8Array;
      /** Ticks since the epoch of the interface's clock. */
      readonly ticks?: bigint;
      readonly wire?: number;
      readonly captured?: number;
      readonly direction?: 'in' | 'out';
      /** Numbers of process blocks. */
      readonly process?: number;
      readonly effective?: number;
      readonly options?: readonly BlockOption[];
    }
  | { readonly block: 'simple'; readonly data: Uint8Array; readonly wire?: number }
  | { readonly block: 'other'; readonly type: number; readonly body: Uint8Array };

/** A pcapng stream; a `section` block sets the byte order of what follows. */
export function pcapngFile(blocks: readonly Block[]): Uint8Array {
  let little = true;
  const parts: Uint8Array[] = [];
  for (const block of blocks) {
    if (block.block === 'section') little = block.endian !== 'big';
    parts.push(blockBytes(block, little));
  }
  return joined(...parts);
}

function blockBytes(block: Block, little: boolean): Uint8Array {
  switch (block.block) {
    case 'section': {
      const body = words(little, 0x1a2b3c4d, 0, 0xffffffff, 0xffffffff);
      new DataView(body.buffer).setUint16(4, 1, little);
      return framed(little, 0x0a0d0d0a, body, options(little, block.options ?? []));
    }
    case 'interface': {
      const made: BlockOption[] = [];
      if (block.name !== undefined) made.push({ code: 2, value: block.name });
      if (block.resolution !== undefined) made.push({ code: 9, value: Uint8Array.of(block.resolution) });
      if (block.offset !== undefined) made.push({ code: 14, value: int64(little, BigInt(block.offset)) });
      const body = words(little, 0, block.snapLength ?? 262_144);
      new DataView(body.buffer).setUint16(0, block.link ?? 1, little);
      return framed(little, 1, body, options(little, [...made, ...(block.options ?? [])]));
    }
    case 'process': {
      const made: BlockOption[] = block.name === undefined ? [] : [{ code: 2, value: block.name }];
      return framed(little, 0x80000001, words(little, block.pid), options(little, [...made, ...(block.options ?? [])]));
    }
    case 'packet': {
      const made: BlockOption[] = [];
      if (block.direction !== undefined) made.push({ code: 2, value: block.direction === 'in' ? 1 : 2 });
      if (block.process !== undefined) made.push({ code: 0x8001, value: block.process });
      if (block.effective !== undefined) made.push({ code: 0x8003, value: block.effective });
      const ticks = block.ticks ?? 0n;
      const { data, wire = data.length, captured = data.length } = block;
      const body = words(little, block.interface ?? 0, Number(ticks >> 32n), Number(ticks & 0xffff_ffffn), captured, wire);
      if (block.obsolete) {
        new DataView(body.buffer).setUint16(0, block.interface ?? 0, little);
        new DataView(body.buffer).setUint16(2, 7, little);
      }
      const tail = options(little, [...made, ...(block.options ?? [])]);
      return framed(little, block.obsolete ? 2 : 6, body, padded(data), tail);
    }
    case 'simple':
      return framed(little, 3, words(little, block.wire ?? block.data.length), padded(block.data));
    case 'other':
      return framed(little, block.type, padded(block.body));
  }
}

function framed(little: boolean, type: number, ...body: readonly Uint8Array[]): Uint8Array {
  const content = joined(...body);
  const length = content.length + 12;
  return joined(words(little, type, length), content, words(little, length));
}

function options(little: boolean, list: readonly BlockOption[]): Uint8Array {
  if (list.length === 0) return new Uint8Array(0);
  const parts = list.map(({ code, value }) => {
    const bytes = typeof value === 'number' ? words(little, value) : typeof value === 'string' ? Buffer.from(value) : value;
    return joined(halves(little, code, bytes.length), padded(bytes));
  });
  return joined(...parts, halves(little, 0, 0));
}

/** Fields of struct pktap_header that matter; the rest is zero. */
export interface PktapFields {
  /** Header length; 156 by default, 108 in OS X 10.9. Outside of 108 to 1024 it is a lie: it is written, but the header is no such size. */
  readonly length?: number;
  /** 1 where a packet follows. */
  readonly next?: number;
  /** DLT of what follows; Ethernet by default. */
  readonly link?: number;
  readonly name?: string;
  readonly direction?: 'in' | 'out';
  /** Further bits of pth_flags. */
  readonly flags?: number;
  readonly pid?: number;
  readonly comm?: string;
  readonly effectivePid?: number;
  readonly effectiveComm?: string;
}

/** A PKTAP header, version 1, as macOS writes it in front of each frame. */
export function pktapHeader(fields: PktapFields = {}): Uint8Array {
  const length = fields.length ?? 156;
  const header = new Uint8Array(length >= 108 && length <= 1024 ? length : 156);
  const view = new DataView(header.buffer);
  view.setUint32(0, length, true);
  view.setUint32(4, fields.next ?? 1, true);
  view.setUint32(8, fields.link ?? 1, true);
  header.set(Buffer.from(fields.name ?? 'en0').subarray(0, 24), 12);
  const direction = fields.direction === 'in' ? 1 : fields.direction === 'out' ? 2 : 0;
  view.setUint32(36, direction | (fields.flags ?? 0), true);
  view.setInt32(52, fields.pid ?? -1, true);
  header.set(Buffer.from(fields.comm ?? '').subarray(0, 17), 56);
  view.setInt32(84, fields.effectivePid ?? -1, true);
  header.set(Buffer.from(fields.effectiveComm ?? '').subarray(0, 17), 88);
  return header;
}

function words(little: boolean, ...values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value, little);
  return bytes;
}

function halves(little: boolean, ...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint16(i * 2, value, little);
  return bytes;
}

function int64(little: boolean, value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, little);
  return bytes;
}

function padded(bytes: Uint8Array): Uint8Array {
  return joined(bytes, new Uint8Array(-bytes.length & 3));
}
