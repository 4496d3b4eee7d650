// A cgroup of the command's own, below the one that this process is in: limits and session stay what they are, and the kernel itself says of each
// socket whether its process belongs to the command. It enables no controllers, and it is gone after the command.

import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, rmdirSync, writeFileSync } from 'node:fs';
import type { CgroupMark } from '../identify/process/command-tree.ts';
import { loadBpfCalls } from '../identify/process/linux/ebpf/calls.ts';
import { openCgroupRoot } from '../identify/process/linux/ebpf/loader.ts';
import { linkOf } from '../identify/process/linux/procfs/proc.ts';
import { reasonOf } from '../model/errors.ts';

/** Inode of the cgroup namespace that the machine starts with (include/linux/proc_ns.h): in any other, a path doesn't tell how deep it is. */
const FIRST_NAMESPACE = 'cgroup:[4026531835]';
/** Bytes of a list of pids that are read; what is beyond isn't counted. */
const MOST_BYTES = 1 << 18;

/** What is removed after the command, by a process that still may. */
export interface CgroupRemoval {
  /** Descriptor of the hierarchy's root. */
  readonly root: number;
  /** Path of the cgroup below it. */
  readonly path: string;
}

/** An existing cgroup with one process in it. */
export class CommandCgroup {
  readonly mark: CgroupMark;
  readonly removal: CgroupRemoval;
  /** Lists its processes: opened now, as nobody might be let in later. */
  readonly #procs: number;

  /** Makes it and moves a process in. @param proc `/proc` @returns why there is none, in words */
  static make(proc: string, pid: number): CommandCgroup | string {
    let root = -1;
    try {
      root = openCgroupRoot(loadBpfCalls(), proc);
      return new CommandCgroup(proc, root, ownCgroup(proc), pid);
    } catch (thrown) {
      if (root >= 0) closeSync(root);
      return reasonOf(thrown);
    }
  }

  private constructor(proc: string, root: number, parent: string, pid: number) {
    const path = `${parent === '/' ? '' : parent}/netmon-tui-run-${pid}`;
    const folder = `/proc/self/fd/${root}${path}`;
    mkdirSync(folder);
    try {
      writeFileSync(`${folder}/cgroup.procs`, String(pid));
      if (ownCgroup(proc, String(pid)) !== path) throw new Error(`a process is not in the cgroup that it was moved to`);
      this.#procs = openSync(`${folder}/cgroup.procs`, 'r');
      this.mark = { id: idOf(folder), level: isFirstNamespace(proc) ? path.split('/').length - 1 : null };
      this.removal = { root, path };
    } catch (thrown) {
      undo(folder, `/proc/self/fd/${root}${parent}`, pid);
      throw thrown;
    }
  }

  /** Pids of the processes in it. Those in cgroups that the command made inside of it are not listed. */
  get pids(): number[] {
    const bytes = Buffer.alloc(MOST_BYTES);
    try {
      const length = readSync(this.#procs, bytes, 0, bytes.length, 0);
      return bytes
        .toString('latin1', 0, length)
        .split('\n')
        .map(Number)
        .filter((pid) => pid > 0); // 0 is one of another namespace
    } catch {
      return [];
    }
  }

  /** Gives back the descriptors. Whoever removes it has its own. */
  close(): void {
    closeSync(this.#procs);
    closeSync(this.removal.root);
  }
}

/** Path of a process's cgroup in the unified hierarchy, as this process sees it (cgroups(7)). */
function ownCgroup(proc: string, process = 'self'): string {
  const path = /^0::(\/.*)$/m.exec(readFileSync(`${proc}/${process}/cgroup`, 'utf8'))?.[1];
  if (path === undefined) throw new Error('no unified cgroup hierarchy (cgroup2)');
  if (path.split('/').includes('..')) throw new Error('this process is in a cgroup outside of what it can see');
  return path;
}

/** The kernel's number of a cgroup is the inode of its folder. */
function idOf(folder: string): bigint {
  const opened = openSync(folder, 'r');
  try {
    return fstatSync(opened, { bigint: true }).ino;
  } finally {
    closeSync(opened);
  }
}

function isFirstNamespace(proc: string): boolean {
  return linkOf(`${proc}/self/ns/cgroup`) === FIRST_NAMESPACE;
}

function undo(folder: string, parent: string, pid: number): void {
  try {
    writeFileSync(`${parent}/cgroup.procs`, String(pid));
  } catch {
    // it never left
  }
  try {
    rmdirSync(folder);
  } catch {
    // an empty cgroup stays
  }
}
