// The smallest program that uses the network, made byte by byte: a static ELF file that sends one datagram and ends. It lives for a
// fraction of a millisecond, and no compiler is needed for it.

const HEADER_BYTES = 64 + 56;
const BASE = 0x40_0000;
const PAYLOAD = Buffer.from('a datagram of a short life.....\n');

/** Payload bytes that it sends. */
export const TINY_PAYLOAD_BYTES = PAYLOAD.length;

/** The file, for x86-64 and arm64. @param address dotted IPv4 of the receiver */
export function tinyElf(architecture: 'x64' | 'arm64', address: string, port: number): Buffer {
  const name = Buffer.alloc(16); // struct sockaddr_in
  name.writeUInt16LE(2, 0);
  name.writeUInt16BE(port, 2);
  name.set(address.split('.').map(Number), 4);
  const assemble = architecture === 'x64' ? codeX64 : codeArm64;
  const nameAt = BASE + HEADER_BYTES + assemble(0, 0).length;
  const code = assemble(nameAt, nameAt + name.length);
  const body = Buffer.concat([code, name, PAYLOAD]);
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

/** fd = socket(AF_INET, SOCK_DGRAM, 0); sendto(fd, payload, length, 0, name, 16); exit(0) */
function codeX64(nameAt: number, payloadAt: number): Buffer {
  const word = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
  return Buffer.from([
    ...[0xb8, ...word(41), 0xbf, ...word(2), 0xbe, ...word(2), 0x31, 0xd2, 0x0f, 0x05],
    ...[0x89, 0xc7, 0xb8, ...word(44), 0xbe, ...word(payloadAt), 0xba, ...word(PAYLOAD.length), 0x45, 0x31, 0xd2],
    ...[0x41, 0xb8, ...word(nameAt), 0x41, 0xb9, ...word(16), 0x0f, 0x05],
    ...[0xb8, ...word(60), 0x31, 0xff, 0x0f, 0x05],
  ]);
}

/** The same. */
function codeArm64(nameAt: number, payloadAt: number): Buffer {
  const set = (register: number, value: number) => [
    0xd280_0000 | ((value & 0xffff) << 5) | register,
    0xf2a0_0000 | (((value >>> 16) & 0xffff) << 5) | register,
  ];
  const call = 0xd400_0001;
  const words = [
    ...[...set(0, 2), ...set(1, 2), ...set(2, 0), ...set(8, 198), call],
    ...[...set(1, payloadAt), ...set(2, PAYLOAD.length), ...set(3, 0), ...set(4, nameAt), ...set(5, 16), ...set(8, 206), call],
    ...[...set(0, 0), ...set(8, 93), call],
  ];
  const code = Buffer.alloc(words.length * 4);
  for (const [i, each] of words.entries()) code.writeUInt32LE(each >>> 0, i * 4);
  return code;
}
