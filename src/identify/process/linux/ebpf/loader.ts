// Loads and attaches the socket programs. If a needed one fails, it undoes everything and throws one line with the reason.

import { closeSync, openSync, readFileSync } from 'node:fs';
import { reasonOf } from '../../../../model/errors.ts';
import type { CgroupMark } from '../../command-tree.ts';
import { ATTACH, type BpfCalls, PROGRAM } from './calls.ts';
import { KernelTypes } from './kernel-types.ts';
import { producerBytes, ReportRing } from './report-ring.ts';
import {
  FRAME_HOOKS,
  frameProgram,
  type LeaderOffsets,
  leaderOffsets,
  type SocketProgram,
  STORAGE_BYTES,
  socketPrograms,
} from './socket-programs.ts';

/** Room for more than ten thousand reports of 96 bytes between two batches. */
const RING_BYTES = 1 << 20;
const PAGE = 4096;

/** The attached programs. */
export interface LoadedPrograms {
  readonly ring: ReportRing;
  /** Reasons for which this kernel refused optional programs. Without them fewer owners are named. */
  readonly missing: readonly string[];
  /** Why senders of frames through packet sockets are not reported; empty if they are. */
  readonly framesMissing: string;
  /** Reports mark the sockets of the cgroup that was asked for. */
  readonly marks: boolean;
  /** Cookie of our network namespace, to compare with a report's; null if unknown. */
  readonly namespace: bigint | null;
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC now, ms: packets carry the first, reports the second. */
  clockOffsetMs(): number;
  close(): void;
}

/**
 * Attaches the programs to the root of the unified cgroup hierarchy. Throws with a reason that the user can read.
 *
 * @param proc `/proc`
 * @param sys `/sys`
 * @param mark cgroup whose sockets to mark; null for none
 */
export function loadPrograms(calls: BpfCalls, proc: string, sys: string, mark: CgroupMark | null = null): LoadedPrograms {
  const opened: number[] = [];
  const keep = (fd: number) => {
    opened.push(fd);
    return fd;
  };
  const close = () => {
    for (const fd of opened.splice(0).reverse()) calls.close(fd);
  };
  calls.unlockMemory();
  let cgroup: number | null = null;
  try {
    const btf = keep(calls.loadBtf(typeInformation()));
    const storage = keep(calls.createStorage(btf, INT_TYPE, VALUE_TYPE, STORAGE_BYTES));
    const ring = keep(calls.createRing(RING_BYTES));
    const consumer = calls.map(ring, PAGE, 0, true);
    const producer = calls.map(ring, producerBytes(RING_BYTES), PAGE, false);
    cgroup = openCgroupRoot(calls, proc); // only now: if we lack rights, the errors above say so better
    const missing: string[] = [];
    const types = kernelTypes(sys);
    const leader = leaderOf(types);
    // The best first: a kernel may let these programs read no memory, or ask for no cgroup.
    const variants = [...new Set([mark, null])].flatMap((one) =>
      [...new Set([leader, null])].map((named) => ({ marks: one !== null, programs: socketPrograms(storage, ring, named, one) })),
    );
    let marks = mark !== null;
    for (const [index, { name, type, attach, needed }] of (variants[0]?.programs ?? []).entries()) {
      const codes = variants.map(({ programs }) => (programs[index] as SocketProgram).code);
      try {
        const accepted = firstAccepted(codes, (one) => calls.loadProgram(type, attach, one, name));
        keep(calls.attach(keep(accepted.program), cgroup, attach));
        if (attach === ATTACH.SOCK_CREATE) marks &&= variants[accepted.index]?.marks === true;
      } catch (thrown) {
        if (needed) throw thrown;
        missing.push(reasonOf(thrown));
      }
    }
    const framesMissing = attachFrames(calls, keep, storage, ring, types, mark);
    return {
      ring: new ReportRing(consumer, producer, RING_BYTES),
      missing,
      framesMissing,
      marks,
      namespace: calls.networkNamespace(),
      clockOffsetMs: calls.clockOffsetMs,
      close,
    };
  } catch (thrown) {
    close();
    throw thrown;
  } finally {
    if (cgroup !== null) closeSync(cgroup);
  }
}

/** This kernel's types, or why there are none. */
function kernelTypes(sys: string): KernelTypes | string {
  try {
    return new KernelTypes(readFileSync(`${sys}/kernel/btf/vmlinux`));
  } catch (thrown) {
    return reasonOf(thrown);
  }
}

function leaderOf(types: KernelTypes | string): LeaderOffsets | null {
  try {
    return typeof types === 'string' ? null : leaderOffsets(types);
  } catch {
    return null;
  }
}

/** Loads the first code that the kernel accepts. Throws what it said of the last. */
function firstAccepted(codes: readonly Buffer[], load: (code: Buffer) => number): { program: number; index: number } {
  const last = codes.length - 1;
  for (const [index, code] of codes.slice(0, last).entries()) {
    try {
      return { program: load(code), index };
    } catch {
      // The next asks for less.
    }
  }
  return { program: load(codes[last] as Buffer), index: last };
}

/** Attaches the frame program to the first hook that accepts it. @returns why none does, or ''. That isn't an error: packet sockets are rare. */
function attachFrames(
  calls: BpfCalls,
  keep: (fd: number) => number,
  storage: number,
  ring: number,
  types: KernelTypes | string,
  mark: CgroupMark | null,
): string {
  if (typeof types === 'string') return types;
  let missing = '';
  try {
    const code = frameProgram(storage, ring, types, mark);
    for (const { attach, find } of FRAME_HOOKS) {
      try {
        keep(calls.attachTracing(keep(calls.loadProgram(PROGRAM.TRACING, attach, code, 'netmon_frames', find(types)))));
        return '';
      } catch (thrown) {
        missing = reasonOf(thrown);
      }
    }
  } catch (thrown) {
    missing = reasonOf(thrown);
  }
  return missing;
}

/** Opens the hierarchy's root where it is mounted, else through our own mount (`ip netns exec` and many containers have none). */
export function openCgroupRoot(calls: Pick<BpfCalls, 'openUnifiedRoot'>, proc: string): number {
  const mount = cgroupMount(proc);
  try {
    if (mount !== null) return openSync(mount, 'r');
  } catch {
    // It is listed, but another mount hides it.
  }
  try {
    return calls.openUnifiedRoot();
  } catch (thrown) {
    throw new Error(`no unified cgroup hierarchy (cgroup2) is mounted, and our own mount failed: ${reasonOf(thrown)}`);
  }
}

const INT_TYPE = 1;
const VALUE_TYPE = 2;

/**
 * Minimal BTF (Documentation/bpf/btf.rst), because socket storage requires it: type 1 is `int`, type 2 an array of `int` as large as the
 * storage. The kernel doesn't need to know what the words mean.
 */
function typeInformation(): Buffer {
  const strings = Buffer.from('\0int\0');
  const KIND_INT = 1 << 24;
  const KIND_ARRAY = 3 << 24;
  const SIGNED_32 = (1 << 24) | 32;
  const words = [1, KIND_INT, 4, SIGNED_32, 0, KIND_ARRAY, 0, INT_TYPE, INT_TYPE, STORAGE_BYTES / 4];
  const types = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) types.writeUInt32LE(word, i * 4);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  for (const [i, word] of [24, 0, types.length, types.length, strings.length].entries()) header.writeUInt32LE(word, 4 + i * 4);
  return Buffer.concat([header, types, strings]);
}

/**
 * Mount point of cgroup2 (alone, or beside version 1) from /proc/self/mounts; null if there is none. Programs attached to its root see every
 * socket. @param proc `/proc`
 */
export function cgroupMount(proc: string): string | null {
  let mounts: string;
  try {
    mounts = readFileSync(`${proc}/self/mounts`, 'latin1');
  } catch {
    return null;
  }
  for (const line of mounts.split('\n')) {
    const [, point, type] = line.split(' ');
    // Spaces and the like are octal escapes (getmntent(3)).
    if (type === 'cgroup2' && point !== undefined)
      return point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  }
  return null;
}
