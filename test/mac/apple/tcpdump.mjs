// Apple's tcpdump as the program starts it, `tcpdump -i pktap,... -w -`: writes the traffic as pcapng, with a block for each process (tcpdump-148
// pktaputil.c, libpcap-144 pcap-darwin.c:860). It takes SIGUSR2 for SIGINFO.
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import koffi from 'koffi';

const MACHINE = '/usr/mac';
/** As in libraries.c. */
const BURST_MS = 100;
const words = process.argv.slice(2);
const say = (text) => writeSync(2, `${text}\n`);
appendFileSync(`${MACHINE}/calls.log`, `${process.geteuid()} tcpdump ${words.join(' ')}\n`);

if (words.includes('--version')) {
  console.log('tcpdump version 4.99.1 -- Apple version 148\nlibpcap version 1.10.1');
  process.exit(0);
}
if (process.geteuid() !== 0) {
  say('tcpdump: ioctl(SIOCIFCREATE): Operation not permitted');
  process.exit(1);
}
let unit = 0;
while (existsSync(`${MACHINE}/interfaces/pktap${unit}`)) unit++;
const interfaceFile = `${MACHINE}/interfaces/pktap${unit}`;
writeFileSync(interfaceFile, `libpcap auto cloned device - tcpdump.${process.pid}\n`);

// ---- pcapng ----

const u32 = (...values) => Buffer.from(Uint32Array.from(values.map((value) => value >>> 0)).buffer);
const u16 = (...values) => Buffer.from(Uint16Array.from(values).buffer);
const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
const option = (code, value) => Buffer.concat([u16(code, value.length), padded(Buffer.from(value))]);
function block(type, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(type, body.length + 12), body, u32(body.length + 12)]);
}

/** Blocks to write before the next packet. */
const ahead = [
  block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1, 0), Buffer.alloc(8, 0xff), option(4, 'tcpdump (libpcap version 1.10.1)'), u32(0)),
];
const interfaces = new Map();
const processes = new Map();
function numberOf(known, key, made) {
  if (!known.has(key)) {
    known.set(key, known.size);
    ahead.push(made());
  }
  return known.get(key);
}

/** struct pktap_header, xnu bsd/net/pktap.h */
function headerOf(bytes) {
  const text = (at, most) => bytes.toString('latin1', at, at + most).split('\0', 1)[0];
  const processAt = (at) => ({ pid: bytes.readInt32LE(at), name: text(at + 4, 17) });
  return {
    length: bytes.readUInt32LE(0),
    link: bytes.readUInt32LE(8),
    device: text(12, 24),
    direction: bytes.readUInt32LE(36) & 3,
    process: processAt(52),
    effective: processAt(84),
  };
}

function packetBlock({ link, device, direction, process, effective }, frame) {
  const iface = numberOf(interfaces, device, () => block(1, u16(link, 0), u32(262_144), option(2, device), u32(0)));
  const options = [option(2, u32(direction))];
  for (const [code, { pid, name }] of [
    [0x8001, process],
    [0x8003, effective],
  ]) {
    if (pid <= 0 && name === '') continue;
    options.push(
      option(code, u32(numberOf(processes, `${pid} ${name}`, () => block(0x8000_0001, u32(pid), option(2, name), u32(0))))),
    );
  }
  const now = BigInt(Date.now()) * 1000n;
  const fields = u32(iface, Number(now >> 32n), Number(now & 0xffff_ffffn), frame.length, frame.length);
  return Buffer.concat([...ahead.splice(0), block(6, fields, padded(frame), ...options, u32(0))]);
}

// ---- the filter: Apple compiles it at the first packet of each interface ----

const expression = words.includes('--') ? words.slice(words.indexOf('--') + 1).join(' ') : '';
const programs = new Map();
const pcap = expression === '' ? null : koffi.load('/usr/lib/libpcap.A.dylib');
const openDead = pcap?.func('void* pcap_open_dead(int, int)');
const compile = pcap?.func('int pcap_compile(void*, void*, const char*, int, uint32_t)');
const geterr = pcap?.func('const char* pcap_geterr(void*)');
const run = pcap?.func('uint32_t bpf_filter(void*, const uint8_t*, uint32_t, uint32_t)');

function matches({ link, device }, frame) {
  if (expression === '') return true;
  if (!programs.has(device)) {
    const dead = openDead(link, 262_144);
    const program = Buffer.alloc(16); // struct bpf_program
    if (compile(dead, program, expression, 1, 0) < 0) {
      say(`pktap_filter_packet: pcap_add_if_info(${device}, ${link}) failed: ${geterr(dead)}`); // pktaputil.c:123: and SIGTERM to itself
      end();
    }
    programs.set(device, program.readBigUInt64LE(8));
  }
  return run(programs.get(device), frame, frame.length, frame.length) !== 0;
}

// ---- the run ----

let captured = 0;
let received = 0;
const counters = () => [`${captured} packets captured`, `${received} packets received by filter`, '0 packets dropped by kernel'];
function end() {
  say(counters().join('\n'));
  rmSync(interfaceFile, { force: true });
  process.exit(0);
}
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.on('SIGUSR2', () => say(`tcpdump: ${counters().join(', ')}`));

const wire = readFileSync(`${MACHINE}/wire.pcap`);
const frames = [];
for (let at = 24; at < wire.length; at += 16 + wire.readUInt32LE(at + 8))
  frames.push(wire.subarray(at + 16, at + 16 + wire.readUInt32LE(at + 8)));

say('tcpdump: data link type PKTAP');
say('tcpdump: listening on pktap, link-type PKTAP (Apple DLT_PKTAP), snapshot length 2204 bytes');
setInterval(() => {
  const blocks = [];
  for (const bytes of frames) {
    const header = headerOf(bytes);
    const frame = bytes.subarray(header.length);
    received++;
    if (!matches(header, frame)) continue;
    captured++;
    blocks.push(packetBlock(header, frame));
  }
  try {
    for (let left = Buffer.concat(blocks); left.length > 0; ) left = left.subarray(writeSync(1, left));
  } catch (thrown) {
    if (thrown.code !== 'EPIPE') throw thrown;
    end();
  }
}, BURST_MS);
