// Writes what V8 compiles of a bundle beside it: `node scripts/code-cache.cjs FOLDER/main.cjs`. Before it come the bundle's first line and a CRC-32
// of the rest, u32 little-endian. It runs the program on a terminal that isn't one, with a capture of a few packets, because V8 compiles a function
// when it first runs, and keeps in the cache only what it has compiled.

const { openSync, readFileSync, renameSync, mkdtempSync, rmSync, writeFileSync, writeSync } = require('node:fs');
const { createRequire } = require('node:module');
const { tmpdir } = require('node:os');
const { join, resolve } = require('node:path');
const { PassThrough } = require('node:stream');
const v8 = require('node:v8');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

const RUN_MS = 800;
/** V8 takes a cache only under the flags that it was made under; the program sets these, to save memory. */
const DEFAULTS = ['--semi-space-growth-factor=2', '--heap-growing-percent=0'];

/** A pcap file: a DNS query and a TCP segment, Ethernet. */
function capture() {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  const ethernet = '020000000002' + '020000000001' + '0800';
  const query = '1234010000010000000000000377777707' + '6578616d706c6503636f6d0000010001';
  const udp = `450000390000000040110000c0a8010ac0a80101cafe003500250000${query}`;
  const tcp = '450000280000000040060000c0a8010ac0a80102c35001bb00000001000000005002ffff00000000';
  const records = [udp, tcp, tcp].map((packet, i) => {
    const bytes = Buffer.from(ethernet + packet, 'hex');
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1_700_000_000 + i, 0);
    record.writeUInt32LE(bytes.length, 8);
    record.writeUInt32LE(bytes.length, 12);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([head, ...records]);
}

/** Replaces the terminal by one of this size that shows nothing. */
function pretendTerminal() {
  const size = { isTTY: true, columns: 120, rows: 40, getWindowSize: () => [120, 40], setRawMode: () => undefined };
  for (const name of ['stdin', 'stdout']) {
    const stream = Object.assign(new PassThrough(), size);
    stream.resume();
    Object.defineProperty(process, name, { value: stream });
  }
  Object.assign(process.env, { TERM: 'xterm-256color', COLORTERM: 'truecolor', LANG: 'C.UTF-8' });
}

const path = resolve(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), 'netmon-tui-build-'));
const file = join(folder, 'capture.pcap');
writeFileSync(file, capture());
// Opened now: under root, the program becomes another user.
const cache = openSync(`${path}.cache.new`, 'wx', 0o644);
const source = readFileSync(path, 'latin1');
const script = new Script(source, { filename: path });
Object.assign(process.env, { HOME: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder });
process.argv.splice(1, 2, 'netmon-tui', '-r', file, '--stay-root', '--no-history');
pretendTerminal();
process.on('exit', (status) => {
  rmSync(folder, { recursive: true, force: true });
  if (status !== 0) rmSync(`${path}.cache.new`, { force: true });
});
script.runInThisContext()(createRequire(path), path);
setTimeout(() => {
  for (const flag of DEFAULTS) v8.setFlagsFromString(flag);
  const data = script.createCachedData();
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(crc32(data));
  writeSync(cache, Buffer.concat([Buffer.from(source.slice(0, source.indexOf('\n'))), sum, data]));
  renameSync(`${path}.cache.new`, `${path}.cache`);
  process.exit(0);
}, RUN_MS);
