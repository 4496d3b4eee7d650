// Loads and attaches the socket programs. All or nothing: what can't be had is said in one line, and nothing stays behind.

import { closeSync, openSync, readFileSync } from 'node:fs';
import { reasonOf } from '../../../../model/errors.ts';
import { type BpfCalls, PROGRAM } from './calls.ts';
import { KernelTypes } from './kernel-types.ts';
import { producerBytes, ReportRing } from './report-ring.ts';
import { FRAME_PLACES, frameProgram, STORAGE_BYTES, socketPrograms } from './socket-programs.ts';

/** Reports of 96 bytes: more than ten thousand new sockets between two turns. */
const RING_BYTES = 1 << 20;
const PAGE = 4096;

/** The programs at work. */
export interface LoadedPrograms {
  readonly ring: ReportRing;
  /** Programs that this kernel did not take, with its reason; attribution is poorer by what they do. */
  readonly missing: readonly string[];
  /** Why nobody is told who sends frames through packet sockets; empty where it is told. */
  readonly framesMissing: string;
  /** Cookie of our network namespace, as reports carry their socket's; null where it is unknown. */
  readonly namespace: bigint | null;
  /** CLOCK_REALTIME less CLOCK_MONOTONIC now, ms: reports carry the one, packets the other. */
  clockOffsetMs(): number;
  close(): void;
}

/**
 * Attaches the programs to the root of the unified cgroup hierarchy. Throws with the reason in a user's words.
 *
 * @param proc `/proc`
 * @param sys `/sys`
 */
export function loadPrograms(calls: BpfCalls, proc: string, sys: string): LoadedPrograms {
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
    cgroup = openRoot(calls, proc); // not sooner: what the kernel says of our rights to programs tells more
    const missing: string[] = [];
    for (const { name, type, attach, needed, code } of socketPrograms(storage, ring)) {
      try {
        keep(calls.attach(keep(calls.loadProgram(type, attach, code, name)), cgroup, attach));
      } catch (thrown) {
        if (needed) throw thrown;
        missing.push(reasonOf(thrown));
      }
    }
    const framesMissing = attachFrames(calls, keep, storage, ring, sys);
    return {
      ring: new ReportRing(consumer, producer, RING_BYTES),
      missing,
      framesMissing,
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

/** Attaches the program for frames to the first place that takes it. @returns why none does, or empty: no defect, as packet sockets are few */
function attachFrames(calls: BpfCalls, keep: (fd: number) => number, storage: number, ring: number, sys: string): string {
  let missing = '';
  try {
    const types = new KernelTypes(readFileSync(`${sys}/kernel/btf/vmlinux`));
    const code = frameProgram(storage, ring, types);
    for (const { attach, find } of FRAME_PLACES) {
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

/** The hierarchy's root: where it is mounted, else by a mount of our own (`ip netns exec` and many containers have none). */
function openRoot(calls: BpfCalls, proc: string): number {
  const mount = cgroupMount(proc);
  try {
    if (mount !== null) return openSync(mount, 'r');
  } catch {
    // Listed, but hidden by another mount.
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
 * BTF (Documentation/bpf/btf.rst) made by hand, because socket storage asks for it: type 1 is `int`, type 2 an array of it as large as the
 * storage. What the words mean is nobody's business but ours.
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

// Where the unified cgroup hierarchy is mounted: alone, or beside version 1 (hybrid). Programs attached to its root see every socket.

/** Mount point of cgroup2 from /proc/mounts, null where there is none. @param proc `/proc` */
export function cgroupMount(proc: string): string | null {
  let mounts: string;
  try {
    mounts = readFileSync(`${proc}/self/mounts`, 'latin1');
  } catch {
    return null;
  }
  for (const line of mounts.split('\n')) {
    const [, point, type] = line.split(' ');
    // Blanks and the like are written as octal escapes (getmntent(3)).
    if (type === 'cgroup2' && point !== undefined)
      return point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  }
  return null;
}
