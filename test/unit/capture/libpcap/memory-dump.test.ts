import { describe, expect, it } from 'vitest';
import { type DumpCalls, MemoryDump } from '../../../../src/capture/libpcap/calls.ts';

const FILE = { is: 'the FILE of fmemopen' };
/** Apple's dumper, which contains the FILE. Stdio would read wild memory if it got the dumper itself. */
const DUMPER = { is: 'struct pcap_dumper' };

/** The C functions of a Mac. They throw where a Mac would crash. */
function appleCalls(over: Partial<DumpCalls> = {}) {
  const state = { at: 0, buffered: 0, kept: [] as Buffer[] };
  const stream = (file: unknown) => {
    if (file !== FILE) throw new Error('stdio was given what is no FILE');
  };
  const calls: DumpCalls = {
    fmemopen: (memory) => {
      state.kept.push(memory);
      return FILE;
    },
    setvbuf: (file, buffer, mode, bytes) => {
      stream(file);
      expect([mode, bytes]).toEqual([0, buffer.length]);
      return 0;
    },
    fflush: (file) => {
      stream(file);
      state.at += state.buffered;
      state.buffered = 0;
      return 0;
    },
    rewind: (file) => {
      stream(file);
      state.at = 0;
    },
    ftell: (file) => {
      stream(file);
      return BigInt(state.at);
    },
    dumpFopen: (_handle, file) => {
      stream(file);
      state.buffered = 24; // the file's header
      return DUMPER;
    },
    ...over,
  };
  return { calls, state };
}

describe('MemoryDump', () => {
  it('gives stdio the FILE and libpcap the dumper, which differ on a Mac', () => {
    const { calls, state } = appleCalls();
    const dump = new MemoryDump(calls, {}, Buffer.alloc(4096));
    expect(dump.dumper).toBe(DUMPER);
    expect(state.at).toBe(24);
    dump.rewind();
    state.buffered = 100; // pcap_dump wrote a record
    expect(dump.flush()).toBe(100);
    dump.rewind();
    expect(dump.flush()).toBe(0);
  });

  it('never reports more bytes than the memory has', () => {
    const { calls } = appleCalls({ ftell: () => 5000 });
    expect(new MemoryDump(calls, {}, Buffer.alloc(4096)).flush()).toBe(4096);
  });

  it('says which call failed', () => {
    expect(() => new MemoryDump(appleCalls({ fmemopen: () => null }).calls, {}, Buffer.alloc(64))).toThrow('fmemopen failed');
    expect(() => new MemoryDump(appleCalls({ dumpFopen: () => null }).calls, {}, Buffer.alloc(64))).toThrow(
      'pcap_dump_fopen failed',
    );
  });
});
