// Which eBPF programs are attached to the root of the cgroup hierarchy, and which of them a process holds.

import { readdirSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { ATTACH, loadBpfCalls } from '../../../src/identify/process/linux/ebpf/calls.ts';
import { loadPrograms } from '../../../src/identify/process/linux/ebpf/loader.ts';

const BPF_PROG_GET_NEXT_ID = 11;
const BPF_PROG_QUERY = 16;
const MOST = 256;

/** Numbers of the programs attached at any of the places that the project uses. Throws where it may not be asked. */
export function attachedPrograms(): Set<number> {
  const calls = loadBpfCalls();
  const syscall = koffi.load('libc.so.6').func('long syscall(long, ...)');
  const root = calls.openUnifiedRoot();
  const ids = Buffer.alloc(MOST * 4);
  const found = new Set<number>();
  try {
    for (const [name, place] of Object.entries(ATTACH)) {
      const attr = Buffer.alloc(64); // target, attach type, flags, flags told, address of the numbers u64, how many
      attr.writeUInt32LE(root, 0);
      attr.writeUInt32LE(place, 4);
      attr.writeBigUInt64LE(BigInt(koffi.address(ids)), 16);
      attr.writeUInt32LE(MOST, 24);
      const number = process.arch === 'arm64' ? 280 : 321;
      if (Number(syscall(number, 'int', BPF_PROG_QUERY, 'void*', attr, 'unsigned int', attr.length)) < 0)
        throw new Error(`asking for programs at ${name}: errno ${koffi.errno()}`);
      for (let i = 0; i < attr.readUInt32LE(24); i++) found.add(ids.readUInt32LE(i * 4));
    }
  } finally {
    calls.close(root);
  }
  return found;
}

/** Numbers of all programs in the kernel. */
export function allPrograms(): Set<number> {
  const syscall = koffi.load('libc.so.6').func('long syscall(long, ...)');
  const number = process.arch === 'arm64' ? 280 : 321;
  const attr = Buffer.alloc(16); // number to begin behind, next number
  const found = new Set<number>();
  while (Number(syscall(number, 'int', BPF_PROG_GET_NEXT_ID, 'void*', attr, 'unsigned int', attr.length)) >= 0) {
    found.add(attr.readUInt32LE(4));
    attr.writeUInt32LE(attr.readUInt32LE(4), 0);
  }
  return found;
}

/** Why this kernel does not tell who sends frames; empty where it does. */
export function framesObstacle(): string {
  const { framesMissing, close } = loadPrograms(loadBpfCalls(), '/proc', '/sys');
  close();
  return framesMissing;
}

/** Numbers of the programs that a process holds by a descriptor, as its fdinfo tells (proc(5)); those of links are the same. */
export function heldPrograms(pid: number): Set<number> {
  const held = new Set<number>();
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const id = /^prog_id:\s*(\d+)/m.exec(textOf(`/proc/${pid}/fdinfo/${fd}`));
    if (id !== null) held.add(Number(id[1]));
  }
  return held;
}

/** Text of a file; empty when the descriptor was closed since it was listed. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
