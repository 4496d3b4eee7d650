import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileSource, openFile } from '../../../../src/capture/file/source.ts';
import { isUnpackable } from '../../../../src/capture/file/unpack.ts';
import { framesOf, readAll } from '../../../support/capture-reader.ts';
import {
  type Block,
  joined,
  type PktapFields,
  pcapFile,
  pcapngFile,
  pktapHeader,
  snoopFile,
  zstdFrame,
} from '../../../support/capture-writer.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'capture-files-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function written(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

const data = (length: number) => Uint8Array.from({ length }, (_, i) => i & 255);
const PCAP = pcapFile({ records: Array.from({ length: 5 }, (_, i) => ({ data: data(60 + i), time: 1_000_000 + i })) });
const HEAD: Block[] = [{ block: 'section' }, { block: 'interface', name: 'en0' }, { block: 'process', pid: 7, name: 'curl' }];
const packet = (i: number): Block => ({ block: 'packet', data: data(60 + i), ticks: BigInt(1_000_000 + i) * 1000n, process: 0 });
const PCAPNG = pcapngFile([...HEAD, ...Array.from({ length: 5 }, (_, i) => packet(i))]);
const SNOOP = snoopFile(Array.from({ length: 5 }, (_, i) => ({ data: data(60 + i), time: 1_000_000 + i })));
const FRAMES = Array.from({ length: 5 }, (_, i) => ({ wire: 60 + i, time: 1_000_000 + i }));

describe('files', () => {
  test.each([
    ['a.pcap', PCAP],
    ['b.pcapng', PCAPNG],
    ['c.pcap.gz', gzipSync(PCAP)],
    ['d.anything', gzipSync(PCAPNG)],
    ['e.snoop', SNOOP],
    ['f.snoop.gz', gzipSync(SNOOP)],
    ['two members.gz', joined(gzipSync(PCAP.subarray(0, 100)), gzipSync(PCAP.subarray(100)))],
  ])('%s', async (name, bytes) => {
    const source = await openFile(written(name, bytes));
    expect(source).toMatchObject({ driver: 'file', state: 'open', note: '', bufferBytes: null, firstTime: 1_000_000 });
    expect(source.interfaces).toHaveLength(1);
    expect(source.namesProcesses).toBe(bytes === PCAPNG || name.startsWith('d'));
    expect(await readAll(source)).toMatchObject(FRAMES);
    expect(source).toMatchObject({ state: 'ended', note: '', firstTime: 1_000_000 });
    expect(source.read()).toBeNull();
    const droppedByKernel = name.includes('snoop') ? 0 : null;
    expect(source.stats()).toEqual({ received: 5, droppedByKernel, droppedByInterface: null, shed: 0, malformed: 0 });
    source.close();
  });

  test('more frames than a batch, and more bytes than the window', async () => {
    const records = Array.from({ length: 4_000 }, (_, i) => ({ data: data(200 + (i % 1200)), time: i }));
    const source = await openFile(written('large.pcap', pcapFile({ records })), { frames: 64 });
    expect(source.stats().received).toBe(0);
    const frames = await readAll(source);
    expect(frames.map((frame) => [frame.time, frame.bytes.length / 2])).toEqual(
      records.map((one) => [one.time, one.data.length]),
    );
    source.close();
  });

  test('PKTAP is unwrapped', async () => {
    const wrapped = (fields: PktapFields) => ({ data: joined(pktapHeader(fields), data(20)) });
    const records = [wrapped({ name: 'en0', pid: 7, comm: 'curl' }), { data: data(8) }, wrapped({ name: 'lo0', link: 0 })];
    const source = await openFile(written('pktap.pcap', pcapFile({ link: 258, records })));
    expect(source.namesProcesses).toBe(true);
    expect(await readAll(source)).toMatchObject([
      { interface: 'en0', process: 'curl:7', wire: 20 },
      { interface: 'lo0', process: null, link: 0 },
    ]);
    expect(source.stats()).toMatchObject({ received: 2, malformed: 1 });
    source.close();
  });

  test('without a packet', async () => {
    const source = await openFile(written('none.pcap', pcapFile({ records: [] })));
    expect(source).toMatchObject({ state: 'ended', note: '', firstTime: null });
    expect(source.read()).toBeNull();
    expect(source.stats().malformed).toBe(0);
    source.close();
  });

  test('cut anywhere behind its header, a file gives what can be read, and says so', async () => {
    for (const [name, file, head] of [
      ['cut.pcap', PCAP, 24],
      ['cut.pcapng', PCAPNG, 28],
    ] as const) {
      let complete = 0;
      for (let cut = head; cut < file.length; cut++) {
        const source = await openFile(written(name, file.subarray(0, cut)));
        const frames = await readAll(source);
        expect(frames.length).toBeGreaterThanOrEqual(complete);
        complete = frames.length;
        expect(frames).toMatchObject(FRAMES.slice(0, complete));
        const { malformed } = source.stats();
        expect([malformed, source.note === '']).toEqual([malformed, malformed === 0]);
        if (malformed > 0) expect(source.note).toMatch(/is cut in its last record$/);
        source.close();
      }
      expect(complete).toBe(4);
    }
  });

  test('a packed file that is cut gives what was unpacked', async () => {
    const packed = gzipSync(pcapFile({ records: Array.from({ length: 3_000 }, (_, i) => ({ data: data(100), time: i })) }), {
      level: 0,
    });
    const source = await openFile(written('cut.gz', packed.subarray(0, 200_000)));
    const frames = await readAll(source);
    expect(frames.length).toBeGreaterThan(1_000);
    expect(source.note).toMatch(/ends early: unexpected end of file/);
    expect(source.stats().malformed).toBe(1);
    source.close();
  });

  test('a packed file gives all that it holds, whatever is wrong with its checksum or behind it', async () => {
    const packed = gzipSync(PCAP);
    const wrong = Uint8Array.from(packed);
    wrong[wrong.length - 8] = (wrong[wrong.length - 8] as number) ^ 1;
    for (const [name, bytes, remark] of [
      ['crc.gz', wrong, 'the gzip checksum is wrong, so its contents may be damaged'],
      ['two.gz', joined(wrong, gzipSync(new Uint8Array(0))), 'the gzip checksum is wrong, so its contents may be damaged'],
      ['trail.gz', joined(packed, Buffer.from('garbage')), 'ignoring what follows the gzip data'],
      ['short.gz', joined(packed, [0x1f]), 'ignoring what follows the gzip data'],
      ['zeros.gz', joined(packed, new Uint8Array(1000)), null],
    ] as const) {
      const path = written(name, bytes);
      const source = await openFile(path);
      expect(await readAll(source)).toMatchObject(FRAMES);
      expect(source.note).toBe(remark === null ? '' : `${path}: ${remark}`);
      expect(source.stats().malformed).toBe(0);
      source.close();
    }
  });

  test('a packed file with a long header: names, a comment, fields of others', async () => {
    const packed = gzipSync(PCAP);
    const header = Uint8Array.from(packed.subarray(0, 10));
    header[3] = 0x1e;
    const fields = joined([3, 0, 1, 2, 3], Buffer.from('name\0'), Buffer.from('comment\0'), [0, 0]);
    const source = await openFile(written('fields.gz', joined(header, fields, packed.subarray(10))));
    expect(await readAll(source)).toMatchObject(FRAMES);
    expect(source.note).toBe('');
    source.close();
    header[3] = 0x08;
    const endless = written('endless.gz', joined(header, new Uint8Array(200_000).fill(65)));
    await expect(openFile(endless)).rejects.toMatchObject({ message: expect.stringContaining('cannot read') });
  });

  test.skipIf(!isUnpackable('zstd'))('zstd: whole, in two frames, cut, followed by something', async () => {
    const skipped = joined([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
    for (const [name, bytes, count, note] of [
      ['a.zst', zstdFrame(PCAP), 5, ''],
      ['b.zst', joined(skipped, zstdFrame(PCAP.subarray(0, 99)), zstdFrame(PCAP.subarray(99))), 5, ''],
      ['c.zst', zstdFrame(PCAP).subarray(0, 300), 3, 'ends early: unexpected end of file'],
      ['d.zst', joined(zstdFrame(PCAP), Buffer.from('garbage')), 5, 'ignoring what follows the zstd data'],
    ] as const) {
      const source = await openFile(written(name, bytes));
      expect(await readAll(source)).toMatchObject(FRAMES.slice(0, count));
      expect(source.note).toMatch(new RegExp(`${note}$`));
      source.close();
    }
  });

  test('snoop: drops, padding, cut records, lengths that lie', async () => {
    const records = [
      { data: data(61), time: 1_700_000_000_123.5, wire: 1514, drops: 3 },
      { data: data(0), wire: 40, drops: 2 },
      { data: data(8), wire: 0xffff_ffff, drops: 7 },
      { data: data(9), wire: 1 },
    ];
    const source = await openFile(written('drops.snoop', snoopFile(records)));
    expect(await readAll(source)).toMatchObject([
      { wire: 1514, time: 1_700_000_000_123.5, bytes: Buffer.from(data(61)).toString('hex'), link: 1, interface: 'file' },
      { wire: 40, bytes: '' },
      { wire: 9 },
    ]);
    expect(source.stats()).toMatchObject({ received: 3, droppedByKernel: 7, malformed: 1 });
    expect(source.note).toBe('1 record is malformed');
    source.close();
    for (const lie of [{ captured: 300_000 }, { record: 20 }, { record: 24 + 60 + 5000 }]) {
      const lying = await openFile(written('lie.snoop', snoopFile([{ data: data(60) }, { data: data(60), ...lie }])));
      expect(await readAll(lying)).toHaveLength(1);
      expect(lying.note).toMatch(/lie\.snoop is broken: the lengths of a record contradict each other$/);
      lying.close();
    }
    const fddi = await openFile(written('fddi.snoop', snoopFile([{ data: data(60) }], 8)));
    expect(fddi.interfaces).toMatchObject([{ link: 10 }]);
    fddi.close();
  });

  test('broken in the middle: what is before it is read', async () => {
    const records = [{ data: data(60) }, { data: data(60), captured: 0x7fff_ffff }, { data: data(60) }];
    const source = await openFile(written('broken.pcap', pcapFile({ records })));
    expect(await readAll(source)).toHaveLength(1);
    expect(source.note).toMatch(/broken\.pcap is broken: a record is longer than any frame/);
    expect(source.stats()).toMatchObject({ received: 1, malformed: 1 });
    source.close();
  });

  test('frames with impossible times are given, at the time before or the first that is known, and said', async () => {
    const never = 0xffff_ffff_0000_0000n;
    const timed = (ticks: bigint): Block => ({ block: 'packet', data: data(60), ticks });
    const simple: Block = { block: 'simple', data: data(60) };
    const blocks = [...HEAD, simple, timed(never), timed(5_000_000n), timed(never), timed(6_000_000n), timed(4_000_000n)];
    const source = await openFile(written('times.pcapng', pcapngFile(blocks)));
    expect(source.firstTime).toBe(5_000);
    expect((await readAll(source)).map(({ time }) => time)).toEqual([5_000, 5_000, 5_000, 5_000, 6_000, 4_000]);
    expect(source.note).toBe('2 frames with impossible times count at the time of the frame before');
    expect(source.stats()).toMatchObject({ received: 6, malformed: 0 });
    source.close();
  });

  test('no frame has a time that can be', async () => {
    const blocks: Block[] = [...HEAD, { block: 'packet', data: data(60), ticks: 0xffff_ffff_0000_0000n }];
    const source = await openFile(written('timeless.pcapng', pcapngFile(blocks)));
    expect((await readAll(source)).map(({ time }) => time)).toEqual([0]);
    expect(source.note).toBe('1 frame with an impossible time counts at the time of the frame before');
    source.close();
  });

  test('closed, it gives nothing more', async () => {
    const source = await openFile(written('closed.pcap', PCAP));
    source.close();
    expect(source.read()).toBeNull();
    expect(source.state).toBe('ended');
  });
});

describe('other files', () => {
  test.each([
    ['empty', new Uint8Array(0), 'is empty'],
    ['empty.gz', gzipSync(new Uint8Array(0)), 'is empty'],
    ['short.pcap', PCAP.subarray(0, 20), 'is cut in its first 24 bytes'],
    ['text', Buffer.from('hello, this is no capture at all'), 'is not a capture file'],
    ['three', Buffer.from('abc'), 'is not a capture file'],
    ['text.gz', gzipSync('hello, this is no capture at all'), 'is not a capture file'],
    ['broken.gz', joined(gzipSync(PCAP).subarray(0, 4), new Uint8Array(60).fill(0xff)), 'cannot read'],
  ])('%s', async (name, bytes, message) => {
    const path = written(name, bytes);
    await expect(openFile(path)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining(message) });
    await expect(openFile(path)).rejects.toThrow(path);
    await expect(openFile(path)).rejects.toMatchObject({ hint: expect.stringMatching(/./) });
  });

  test('one that is packed otherwise names the tool', async () => {
    const path = written('a.xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 1, 2, 3));
    await expect(openFile(path)).rejects.toMatchObject({ hint: `it is packed: xz -dc ${path} | netmon-tui --read -` });
  });

  test.skipIf(isUnpackable('zstd'))('zstd names the tool, and the Node that needs none', async () => {
    const path = written('a.zst', zstdFrame(PCAP));
    await expect(openFile(path)).rejects.toMatchObject({
      hint: `it is packed: zstd -dc ${path} | netmon-tui --read - (Node 22.15 and newer unpack it themselves)`,
    });
  });

  test('snoop of another version', async () => {
    await expect(openFile(written('v3.snoop', snoopFile([{ data: data(60) }], 4, 3)))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('v3.snoop is a snoop file of version 3'),
    });
  });

  test('missing, a directory, an impossible name', async () => {
    await expect(openFile(join(directory, 'nowhere'))).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/^no such file/),
    });
    await expect(openFile(directory)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(/is a directory/) });
    await expect(openFile(join(directory, 'x'.repeat(300)))).rejects.toMatchObject({ code: 'usage' });
    await expect(openFile('a\0b')).rejects.toMatchObject({ code: 'usage' });
  });

  test('one that may not be read', async (context) => {
    if (process.geteuid?.() === 0) context.skip('root may read every file');
    const path = written('secret.pcap', PCAP);
    chmodSync(path, 0);
    await expect(openFile(path)).rejects.toMatchObject({ code: 'permission' });
  });

  test('a hostile name does not reach the terminal', async () => {
    await expect(openFile('\u001b[2Jx')).rejects.toThrow('no such file: [2Jx');
  });
});

describe('standard input', () => {
  const open = (stdin: Readable) => openFile('-', { stdin });

  test.each([
    ['pcap', PCAP],
    ['pcapng', PCAPNG],
    ['packed', gzipSync(PCAPNG)],
  ])('%s, in pieces of one byte', async (_, bytes) => {
    const source = await open(
      Readable.from(
        Array.from(bytes, (byte) => Buffer.of(byte)),
        { objectMode: false },
      ),
    );
    expect(await readAll(source)).toMatchObject(FRAMES);
    expect(source.note).toBe('');
    source.close();
  });

  test('frames come as soon as they are complete', async () => {
    const stdin = new PassThrough();
    stdin.write(pcapngFile(HEAD));
    const source = await open(stdin);
    expect(source).toMatchObject({ state: 'open', firstTime: null });
    expect(source.read()).toBeNull();
    for (let i = 0; i < 5; i++) {
      const bytes = pcapngFile([packet(i)]);
      stdin.write(bytes.subarray(0, 30));
      await setImmediate();
      expect(source.read()).toBeNull();
      stdin.write(bytes.subarray(30));
      await setImmediate();
      const batch = source.read();
      expect(batch === null ? [] : framesOf(batch, source.interfaces, source.processes)).toMatchObject([FRAMES[i]]);
      expect(source.read()).toBeNull();
    }
    stdin.end();
    expect(await readAll(source)).toEqual([]);
    expect(source.state).toBe('ended');
    expect(source.stats().malformed).toBe(0);
    source.close();
  });

  test('a writer is held back while nobody reads', async () => {
    let given = 0;
    const record = pcapFile({ records: [{ data: data(1000) }] }).subarray(24);
    const chunk = Buffer.concat(Array.from({ length: 64 }, () => record));
    const stdin = new Readable({
      read() {
        given++;
        this.push(given === 1 ? pcapFile({ records: [] }) : given > 201 ? null : chunk);
      },
    });
    const source = await open(stdin);
    for (let i = 0; i < 1_000; i++) await setImmediate();
    expect(given).toBeLessThan(30);
    expect(await readAll(source)).toHaveLength(200 * 64);
    source.close();
  });

  test('what waits in a batch is not overwritten by what arrives', async () => {
    const stdin = new PassThrough();
    stdin.write(PCAP);
    const source: FileSource = await open(stdin);
    const batch = source.read();
    if (batch === null) throw new Error('nothing read');
    const before = framesOf(batch, source.interfaces, source.processes);
    stdin.write(PCAP.subarray(24));
    await setImmediate();
    expect(framesOf(batch, source.interfaces, source.processes)).toEqual(before);
    stdin.end();
    expect(await readAll(source)).toHaveLength(5);
    source.close();
  });

  test('empty, foreign, failing', async () => {
    await expect(open(Readable.from([]))).rejects.toMatchObject({ code: 'usage', message: 'standard input is empty' });
    await expect(open(Readable.from([Buffer.from('hello')]))).rejects.toMatchObject({
      message: 'standard input is not a capture file',
    });
    const failing = new Readable({ read() {} });
    failing.destroy(new Error('gone away'));
    await expect(open(failing)).rejects.toMatchObject({ code: 'usage', message: 'cannot read standard input: gone away' });
    const later = new PassThrough();
    later.write(PCAP);
    const source = await open(later);
    later.destroy(new Error('gone away'));
    expect(await readAll(source)).toHaveLength(5);
    expect(source.note).toBe('standard input ends early: gone away');
    source.close();
  });
});
