import { describe, expect, it } from 'vitest';
import {
  ARGUMENTS_BYTES,
  CGROUP_BYTES,
  ENTRY,
  EXE_BYTES,
  EXEC_STATE,
  ExecFacts,
  FIRST_FORK,
  FIRST_SLOT,
  FORK_BYTES,
  FORK_SLOTS,
  SHARED_BYTES,
  SLOT_BYTES,
  SLOTS,
  WORD,
  WORDS,
} from '../../../../../src/identify/process/linux/exec-facts.ts';
import type { ProcessFacts } from '../../../../../src/identify/process/process-facts.ts';

interface Entry {
  pid: number;
  parent?: number;
  uid?: number;
  exe?: string;
  args?: string;
  cgroup?: string;
  start?: number;
  comm?: string;
}

/** The worker's side of the shared memory. */
class FakeWorker {
  readonly shared = new SharedArrayBuffer(SHARED_BYTES);
  readonly facts = new ExecFacts(this.shared);
  readonly #counters = new Uint32Array(this.shared, 0, WORDS);
  readonly #view = new DataView(this.shared);
  readonly #bytes = new Uint8Array(this.shared);

  set written(count: number) {
    this.#counters[0] = count;
  }

  write({ pid, parent = 1, uid = 0, exe = '', args = '', cgroup = '', start = 9, comm = '' }: Entry): void {
    const count = this.#counters[0] as number;
    const at = FIRST_SLOT + (count % SLOTS) * SLOT_BYTES;
    this.#bytes.fill(0, at, at + SLOT_BYTES);
    this.#view.setInt32(at + ENTRY.PID, pid, true);
    this.#view.setInt32(at + ENTRY.PARENT, parent, true);
    this.#view.setInt32(at + ENTRY.UID, uid, true);
    this.#view.setFloat64(at + ENTRY.START, start, true);
    this.#view.setUint32(at + ENTRY.FORKS, this.#counters[WORD.FORKS] as number, true);
    this.#view.setInt32(at + ENTRY.SESSION, 70, true);
    this.#view.setInt32(at + ENTRY.TERMINAL, 0x8803, true);
    for (const [text, place, length, most] of [
      [exe, ENTRY.EXE, ENTRY.EXE_LENGTH, EXE_BYTES],
      [args, ENTRY.ARGUMENTS, ENTRY.ARGUMENTS_LENGTH, ARGUMENTS_BYTES],
      [cgroup, ENTRY.CGROUP, ENTRY.CGROUP_LENGTH, CGROUP_BYTES],
    ] as const) {
      const bytes = Buffer.from(text).subarray(0, most);
      this.#bytes.set(bytes, at + place);
      this.#view.setUint16(at + length, bytes.length, true);
    }
    this.#bytes.set(Buffer.from(comm).subarray(0, 16), at + ENTRY.COMM);
    this.#counters[0] = count + 1;
  }

  fork(pid: number, parent: number, start = 9): void {
    const count = this.#counters[WORD.FORKS] as number;
    const at = FIRST_FORK + (count % FORK_SLOTS) * FORK_BYTES;
    this.#view.setInt32(at, pid, true);
    this.#view.setInt32(at + 4, parent, true);
    this.#view.setFloat64(at + 8, start, true);
    this.#counters[WORD.FORKS] = count + 1;
  }

  set forked(count: number) {
    this.#counters[WORD.FORKS] = count;
  }

  setState(state: number, error: number): void {
    this.#counters[1] = state;
    this.#counters[2] = error;
  }
}

function drained(facts: ExecFacts): ProcessFacts[] {
  const all: ProcessFacts[] = [];
  facts.drain({ born: () => {}, became: (each) => all.push(each) });
  return all;
}

describe('ExecFacts', () => {
  it('returns each process once, oldest first', () => {
    const worker = new FakeWorker();
    worker.write({ pid: 5, parent: 2, uid: 1000, exe: '/usr/bin/curl', start: 77, comm: 'curl' });
    worker.write({ pid: 6, exe: '/usr/bin/wget' });
    expect(drained(worker.facts)).toEqual([
      {
        pid: 5,
        name: 'curl',
        exe: '/usr/bin/curl',
        uid: 1000,
        parentPid: 2,
        startTime: 77,
        script: null,
        unit: null,
        container: null,
      },
      {
        pid: 6,
        name: 'wget',
        exe: '/usr/bin/wget',
        uid: 0,
        parentPid: 1,
        startTime: 9,
        script: null,
        unit: null,
        container: null,
      },
    ]);
    expect(drained(worker.facts)).toEqual([]);
  });

  it('says what is unknown about a process that ended at once', () => {
    const worker = new FakeWorker();
    worker.write({ pid: 5, parent: 0, uid: -1, start: 0 });
    expect(drained(worker.facts)).toEqual([
      { pid: 5, name: '', exe: null, uid: null, parentPid: null, startTime: null, script: null, unit: null, container: null },
    ]);
  });

  it('reads the script of an interpreter and the unit of a service', () => {
    const worker = new FakeWorker();
    worker.write({
      pid: 5,
      exe: '/usr/bin/python3.11',
      args: 'python3\0-u\0/srv/backup.py\0--all\0',
      cgroup: '0::/system.slice/backup.service\n',
    });
    expect(drained(worker.facts)[0]).toMatchObject({ name: 'python3.11', script: 'backup.py', unit: 'backup.service' });
  });

  it('strips control characters and the mark of a replaced file', () => {
    const worker = new FakeWorker();
    worker.write({ pid: 5, exe: '/tmp/a\u001b[2Jb\u202e (deleted)' });
    expect(drained(worker.facts)[0]).toMatchObject({ name: 'a[2Jb', exe: '/tmp/a[2Jb' });
  });

  it('stays within its fields for any claimed length', () => {
    const worker = new FakeWorker();
    worker.write({ pid: 5, exe: `/${'x'.repeat(1000)}`, args: 'y'.repeat(1000), cgroup: 'z'.repeat(1000), comm: 'c'.repeat(40) });
    const view = new DataView(worker.shared);
    for (const field of [ENTRY.EXE_LENGTH, ENTRY.ARGUMENTS_LENGTH, ENTRY.CGROUP_LENGTH])
      view.setUint16(FIRST_SLOT + field, 0xffff, true);
    expect(drained(worker.facts)[0]?.exe).toBe(`/${'x'.repeat(EXE_BYTES - 1)}`);
  });

  it('counts records that were overwritten before it read them', () => {
    const worker = new FakeWorker();
    for (let pid = 1; pid <= SLOTS + 3; pid++) worker.write({ pid });
    const pids = drained(worker.facts).map(({ pid }) => pid);
    expect([pids.length, pids[0], pids.at(-1), worker.facts.missed]).toEqual([SLOTS, 4, SLOTS + 3, 3]);
  });

  it('continues past the largest count', () => {
    const worker = new FakeWorker();
    worker.written = 0xffff_fffe;
    drained(worker.facts);
    worker.write({ pid: 1 });
    worker.written = 0xffff_ffff;
    worker.write({ pid: 2 });
    expect(drained(worker.facts).length).toBe(2);
  });

  it('reports the worker’s state', () => {
    const worker = new FakeWorker();
    expect(worker.facts.state).toBe(EXEC_STATE.STARTING);
    worker.setState(EXEC_STATE.FAILED, 1);
    expect([worker.facts.state, worker.facts.error]).toEqual([EXEC_STATE.FAILED, 1]);
  });

  /** Everything that a reader hears, in its order. */
  const heard = (facts: ExecFacts): string[] => {
    const all: string[] = [];
    facts.drain({
      born: (pid, parent, start) => all.push(`${parent} bore ${pid} at ${start}`),
      became: ({ pid }, { session, terminal, words }) => all.push(`${pid} became ${words} of ${session} on ${terminal}`),
    });
    return all;
  };

  it('tells forks and execs in the order in which they happened', () => {
    const worker = new FakeWorker();
    worker.fork(5, 1);
    worker.write({ pid: 5, args: 'sh' });
    worker.fork(6, 5);
    worker.fork(7, 6, 0);
    worker.write({ pid: 7, args: 'curl' });
    worker.fork(8, 5);
    expect(heard(worker.facts)).toEqual([
      '1 bore 5 at 9',
      '5 became sh of 70 on pts/3',
      '5 bore 6 at 9',
      '6 bore 7 at null',
      '7 became curl of 70 on pts/3',
      '5 bore 8 at 9',
    ]);
    expect(heard(worker.facts)).toEqual([]);
  });

  it('hears of the newest forks where it was too slow for all, also past the largest count', () => {
    const worker = new FakeWorker();
    worker.forked = 0xffff_fffe;
    heard(worker.facts);
    worker.fork(1, 1);
    worker.write({ pid: 1, args: 'a' });
    for (let pid = 2; pid <= FORK_SLOTS + 5; pid++) worker.fork(pid, 1);
    const all = heard(worker.facts);
    expect([all.length, all[0], all[1], all.at(-1)]).toEqual([
      FORK_SLOTS + 1,
      '1 became a of 70 on pts/3',
      '1 bore 6 at 9',
      `1 bore ${FORK_SLOTS + 5} at 9`,
    ]);
  });
});
