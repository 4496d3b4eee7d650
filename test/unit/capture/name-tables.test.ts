import { describe, expect, test } from 'vitest';
import { InterfaceTable, NameIndex, nameEnd } from '../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../src/capture/process-names.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const indexOf = (table: ProcessTable, pid: number, name: string) => table.indexOf(pid, bytes(name), 0, Buffer.byteLength(name));

describe('NameIndex', () => {
  test('finds what was added, as a Map would, over several growths', () => {
    const index = new NameIndex(5_000, 16);
    const known = new Map<string, number>();
    for (let i = 0; i < 5_000; i++) {
      const key = i % 71;
      const name = bytes(`x${(i * 7919) % 100_000}y`);
      expect(index.find(key, name, 0, name.length)).toBe(-1);
      known.set(`${key} ${name}`, index.add(key, name, 0, name.length));
    }
    expect(new Set(known.values()).size).toBe(5_000);
    for (const [pair, at] of known) {
      const [key, codes] = pair.split(' ') as [string, string];
      const name = Uint8Array.from(codes.split(',').map(Number));
      expect(index.find(Number(key), name, 0, name.length)).toBe(at);
    }
    expect(index.add(1, bytes('one more'), 0, 8)).toBe(-1);
    expect(index.count).toBe(5_000);
  });

  test('tells names apart up to its width, and by their length', () => {
    const index = new NameIndex(10, 4);
    expect(index.add(1, bytes('abcdX'), 0, 5)).toBe(0);
    expect(index.find(1, bytes('abcdY'), 0, 5)).toBe(0);
    expect(index.find(1, bytes('abc'), 0, 3)).toBe(-1);
    expect(index.find(2, bytes('abcd'), 0, 4)).toBe(-1);
  });

  test('a name ends at its NUL', () => {
    expect(nameEnd(bytes('en0\0junk'), 0, 8)).toBe(3);
    expect(nameEnd(bytes('en0'), 0, 3)).toBe(3);
    expect(nameEnd(bytes('\0'), 0, 1)).toBe(0);
  });
});

describe('ProcessTable', () => {
  test('one entry for a pid and its name', () => {
    const table = new ProcessTable();
    const safari = indexOf(table, 501, 'Safari');
    expect(indexOf(table, 501, 'Safari')).toBe(safari);
    expect(indexOf(table, 501, 'sh')).not.toBe(safari);
    expect(indexOf(table, 502, 'Safari')).not.toBe(safari);
    expect(table.processes[safari]).toEqual({ pid: 501, name: 'Safari' });
    expect(table.processes).toHaveLength(4);
  });

  test('what the capture did not know is no process; a pid or a name alone is one', () => {
    const table = new ProcessTable();
    expect(indexOf(table, -1, '')).toBe(0);
    expect(indexOf(table, -2_000_000, '')).toBe(0);
    expect(table.processes).toEqual([{ pid: -1, name: '' }]);
    expect(table.processes[indexOf(table, 0, 'kernel_task')]).toEqual({ pid: 0, name: 'kernel_task' });
    expect(table.processes[indexOf(table, 99, '')]).toEqual({ pid: 99, name: '' });
    expect(table.processes[indexOf(table, -1, 'curl')]).toEqual({ pid: -1, name: 'curl' });
  });

  test('names of any bytes are text of a bounded length', () => {
    const table = new ProcessTable();
    const odd = Uint8Array.of(0xff, 0x1b, 0x5b, 0xc3);
    expect(table.processes[table.indexOf(1, odd, 0, odd.length)]?.name).toBe('\ufffd\u001b[\ufffd');
    expect(table.processes[indexOf(table, 2, 'n'.repeat(500))]?.name).toBe('n'.repeat(32));
  });

  test('when it is full, names outlive pids, and then nothing is made up', () => {
    const table = new ProcessTable(8);
    for (let pid = 1; pid <= 6; pid++) expect(indexOf(table, pid, 'worker')).toBe(pid);
    expect(indexOf(table, 7, 'worker')).toBe(7);
    expect(table.processes[7]).toEqual({ pid: -1, name: 'worker' });
    expect(indexOf(table, 8, 'worker')).toBe(7);
    expect(indexOf(table, 9, 'other')).toBe(8);
    expect(indexOf(table, 10, 'third')).toBe(0);
    expect(indexOf(table, 11, '')).toBe(0);
    expect(indexOf(table, 3, 'worker')).toBe(3);
    expect(table.processes).toHaveLength(9);
    expect(table.folded).toBe(5);
  });

  test('that is asked for room between batches begins anew before it is full, and loses nobody', () => {
    const table = new ProcessTable(64);
    const held = table.processes;
    let begun = 0;
    for (let pid = 1; pid <= 1000; pid++) {
      if (pid % 5 === 0) table.makeRoom();
      const index = indexOf(table, pid, 'worker');
      expect(table.processes[index]).toEqual({ pid, name: 'worker' });
      if (table.begun !== begun) expect(index).toBe(1);
      begun = table.begun;
    }
    expect([table.folded, table.processes === held, table.processes[0]]).toEqual([0, true, { pid: -1, name: '' }]);
    expect(begun).toBeGreaterThan(10);
  });

  test('tells processes apart by what is described of them, and lists it', () => {
    const table = new ProcessTable();
    const node = { exe: '/usr/bin/node', user: 'ann', script: 'a.js', unit: null };
    const first = table.described(7, 'node', node);
    expect(table.described(7, 'node', { ...node })).toBe(first);
    expect(table.described(7, 'node', { ...node, script: 'b.js' })).toBe(first + 1);
    expect(table.described(8, 'node', node)).toBe(first + 2);
    expect(table.processes[first]).toEqual({ pid: 7, name: 'node', ...node });
    const bare = new TextEncoder().encode('node');
    expect(table.indexOf(7, bare, 0, bare.length)).toBe(first + 3);
    expect(table.processes[first + 3]).toEqual({ pid: 7, name: 'node' });
    expect(table.processes[table.described(-620_756_950, 'node', node)]?.pid).toBe(-1);
  });

  test('gives up what is described of processes when it is full', () => {
    const table = new ProcessTable(8);
    for (let pid = 0; pid < 8; pid++)
      table.described(pid, 'node', { exe: '/usr/bin/node', user: null, script: null, unit: null });
    expect(table.processes.at(-1)).toEqual({ pid: -1, name: 'node' });
    expect(table.folded).toBeGreaterThan(0);
  });

  test('its indexes fit the column they are for', () => {
    const table = new ProcessTable();
    const name = bytes('x');
    for (let pid = 0; pid < 70_000; pid++) expect(table.indexOf(pid, name, 0, 1)).toBeLessThan(65_536);
    expect(table.processes.length).toBeLessThanOrEqual(65_536);
  });
});

describe('InterfaceTable', () => {
  test('one entry for a name, a link type and a kind of delivery', () => {
    const table = new InterfaceTable();
    const en0 = table.named(1, true, 'en0');
    expect(table.named(1, true, 'en0')).toBe(en0);
    expect(table.named(12, true, 'en0')).not.toBe(en0);
    const lo0 = table.named(0, true, 'lo0');
    expect(table.named(0, false, 'lo0')).not.toBe(lo0);
    expect(table.interfaces[en0]).toEqual({ name: 'en0', kind: 'physical', link: 1, deliversTwice: false });
    expect(table.interfaces[lo0]).toEqual({ name: 'lo0', kind: 'loopback', link: 0, deliversTwice: true });
    expect(table.interfaces[table.named(0, false, 'lo0')]?.deliversTwice).toBe(false);
  });

  test('names are stripped of controls', () => {
    const table = new InterfaceTable();
    expect(table.interfaces[table.named(1, false, 'en\u001b[31m0\u202e')]?.name).toBe('en[31m0');
  });

  test('is bounded: the last entry stands for all others', () => {
    const table = new InterfaceTable();
    for (let i = 0; i < 3_000; i++) expect(table.named(1, false, `en${i}`)).toBe(Math.min(i, 1_023));
    expect(table.interfaces).toHaveLength(1_024);
    expect(table.interfaces[1_023]).toMatchObject({ name: 'other interfaces', kind: 'virtual' });
    expect(table.named(1, false, 'en7')).toBe(7);
  });
});
