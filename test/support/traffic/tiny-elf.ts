// The smallest program that uses the network, made byte by byte: a static ELF file that sends one message and ends. It lives for a
// fraction of a millisecond, and no compiler is needed for it.

const HEADER_BYTES = 64 + 56;
const BASE = 0x40_0000;
const PAYLOAD = Buffer.from('a datagram of a short life.....\n');

/** Payload bytes that it sends. */
export const TINY_PAYLOAD_BYTES = PAYLOAD.length;

type Architecture = 'x64' | 'arm64';

/** What it makes and sends. */
interface Message {
  /** First two arguments of socket(2). */
  readonly domain: number;
  readonly type: number;
  /** The address that it is sent to. */
  readonly name: Buffer;
  readonly payload: Buffer;
}

/** One that sends a datagram. @param address dotted IPv4 of the receiver */
export function tinyElf(architecture: Architecture, address: string, port: number): Buffer {
  const name = Buffer.alloc(16); // struct sockaddr_in
  name.writeUInt16LE(2, 0);
  name.writeUInt16BE(port, 2);
  name.set(octets(address), 4);
  return elf(architecture, { domain: 2, type: 2, name, payload: PAYLOAD });
}

/** One that sends a datagram past the IP layer, from a port that no socket has. @param card hardware address of the receiver */
export function tinyFrameElf(
  architecture: Architecture,
  interfaceIndex: number,
  card: string,
  ends: readonly [string, string],
  port: number,
): Buffer {
  const name = Buffer.alloc(20); // struct sockaddr_ll
  name.writeUInt16LE(17, 0);
  name.writeUInt16BE(0x0800, 2);
  name.writeInt32LE(interfaceIndex, 4);
  name.writeUInt8(6, 11);
  name.set(Buffer.from(card.replaceAll(':', ''), 'hex'), 12);
  const packet = Buffer.alloc(28 + PAYLOAD.length);
  packet.set([0x45, 0, 0, packet.length, 0, 0, 0, 0, 64, 17], 0);
  for (const [i, address] of ends.entries()) packet.set(octets(address), 12 + 4 * i);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += packet.readUInt16BE(at);
  packet.writeUInt16BE(~(sum + (sum >>> 16)) & 0xffff, 10);
  packet.writeUInt16BE(port, 20);
  packet.writeUInt16BE(port, 22);
  packet.writeUInt16BE(8 + PAYLOAD.length, 24);
  PAYLOAD.copy(packet, 28);
  return elf(architecture, { domain: 17, type: 2, name, payload: packet });
}

function octets(address: string): number[] {
  return address.split('.').map(Number);
}

function elf(architecture: Architecture, message: Message): Buffer {
  const { name, payload } = message;
  const assemble = architecture === 'x64' ? codeX64 : codeArm64;
  const nameAt = BASE + HEADER_BYTES + assemble(message, 0).length;
  const body = Buffer.concat([assemble(message, nameAt), name, payload]);
  return Buffer.concat([headers(architecture === 'x64' ? 62 : 183, HEADER_BYTES + body.length), body]);
}

/** ELF header and one segment that holds the whole file, readable and executable (elf(5)). */
function headers(machine: number, bytes: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(BASE + HEADER_BYTES), 24); // entry
  header.writeBigUInt64LE(64n, 32); // program headers
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // PT_LOAD
  header.writeUInt32LE(5, 68);
  header.writeBigUInt64LE(BigInt(BASE), 80);
  header.writeBigUInt64LE(BigInt(BASE), 88);
  header.writeBigUInt64LE(BigInt(bytes), 96);
  header.writeBigUInt64LE(BigInt(bytes), 104);
  header.writeBigUInt64LE(0x1_0000n, 112); // pages of arm64 may be this large
  return header;
}

/** fd = socket(domain, type, 0); sendto(fd, payload, its length, 0, name, its length); exit(0). The payload follows the name. */
function codeX64({ domain, type, name, payload }: Message, nameAt: number): Buffer {
  const word = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
  return Buffer.from([
    ...[0xb8, ...word(41), 0xbf, ...word(domain), 0xbe, ...word(type), 0x31, 0xd2, 0x0f, 0x05],
    ...[0x89, 0xc7, 0xb8, ...word(44), 0xbe, ...word(nameAt + name.length), 0xba, ...word(payload.length), 0x45, 0x31, 0xd2],
    ...[0x41, 0xb8, ...word(nameAt), 0x41, 0xb9, ...word(name.length), 0x0f, 0x05],
    ...[0xb8, ...word(60), 0x31, 0xff, 0x0f, 0x05],
  ]);
}

/** The same. */
function codeArm64({ domain, type, name, payload }: Message, nameAt: number): Buffer {
  const set = (register: number, value: number) => [
    0xd280_0000 | ((value & 0xffff) << 5) | register,
    0xf2a0_0000 | (((value >>> 16) & 0xffff) << 5) | register,
  ];
  const call = 0xd400_0001;
  const words = [
    ...[...set(0, domain), ...set(1, type), ...set(2, 0), ...set(8, 198), call],
    ...[...set(1, nameAt + name.length), ...set(2, payload.length), ...set(3, 0)],
    ...[...set(4, nameAt), ...set(5, name.length), ...set(8, 206), call],
    ...[...set(0, 0), ...set(8, 93), call],
  ];
  const code = Buffer.alloc(words.length * 4);
  for (const [i, each] of words.entries()) code.writeUInt32LE(each >>> 0, i * 4);
  return code;
}
