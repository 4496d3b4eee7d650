// Whose child a process is, whatever became of its parents: what the book is told, and what it asks.

import { describe, expect, test } from 'vitest';
import { LineageBook, type Seen } from '../../../../src/identify/process/lineage.ts';

/** A machine whose living processes a test changes as it goes. */
class Machine {
  readonly living = new Map<number, Seen>();
  asked = 0;
  readonly book: LineageBook;
  #now = 100;

  constructor(most?: number) {
    const look = (pid: number) => {
      this.asked++;
      return this.living.get(pid) ?? null;
    };
    this.book = new LineageBook(look, (start) => start, most);
    this.add(1, 0, 'systemd');
  }

  /** A process that nobody was told of. */
  add(pid: number, parent: number, name: string, parts: Partial<Seen> = {}): void {
    this.#now += 10;
    this.living.set(pid, { pid, parent, name, start: this.#now, session: pid, terminal: null, ...parts });
  }

  fork(pid: number, parent: number): void {
    const { name = '', session = null, terminal = null } = this.living.get(parent) ?? {};
    this.add(pid, parent, name, { session, terminal });
    this.book.born(pid, parent, this.#now);
  }

  exec(pid: number, name: string, parts: Partial<Seen> = {}): void {
    const seen = { ...(this.living.get(pid) as Seen), name, ...parts };
    this.living.set(pid, seen);
    this.book.became({ ...seen, words: `${name}\0` });
  }

  /** A process ends, and init adopts its children. */
  end(pid: number): void {
    this.living.delete(pid);
    for (const [child, seen] of this.living) if (seen.parent === pid) this.living.set(child, { ...seen, parent: 1 });
  }

  /** The line of a process, the nearest last. */
  line(pid: number, start: number | null = this.living.get(pid)?.start ?? null): string {
    const { ancestors } = this.known(pid, start);
    return ancestors.map((each) => `${each.name} ${each.pid}`).join(' > ');
  }

  origin(pid: number): string | undefined {
    return this.known(pid).origin?.name;
  }

  known(pid: number, start: number | null = this.living.get(pid)?.start ?? null) {
    return this.book.of({ pid, start, parent: this.living.get(pid)?.parent ?? 0, name: '' });
  }
}

describe('a line', () => {
  test('of processes older than the book is what the system says of them', () => {
    const machine = new Machine();
    machine.add(10, 1, 'sshd');
    machine.add(20, 10, 'bash', { terminal: 'pts/0' });
    machine.add(30, 20, 'curl', { session: 20, terminal: 'pts/0' });
    expect(machine.line(30)).toBe('systemd 1 > sshd 10 > bash 20');
    expect(machine.known(30)).toMatchObject({ session: 20, terminal: 'pts/0' });
    const { asked } = machine;
    machine.line(30);
    expect(machine.asked).toBe(asked);
  });

  test('stays when a parent exits first, and init adopts the child', () => {
    const machine = new Machine();
    machine.add(20, 1, 'bash');
    machine.fork(30, 20);
    machine.exec(30, 'make');
    machine.fork(31, 30);
    machine.end(30);
    machine.exec(31, 'curl');
    machine.end(20);
    expect(machine.living.get(31)?.parent).toBe(1);
    expect(machine.line(31)).toBe('systemd 1 > bash 20 > make 30');
    machine.end(31);
    expect(machine.line(31)).toBe('systemd 1 > bash 20 > make 30');
  });

  test('of a daemon that forks twice leads to who started it', () => {
    const machine = new Machine();
    machine.add(20, 1, 'bash', { terminal: 'pts/0' });
    machine.fork(30, 20);
    machine.exec(30, 'backupd');
    machine.fork(31, 30);
    machine.end(30);
    machine.fork(32, 31);
    machine.end(31);
    expect(machine.line(32)).toBe('systemd 1 > bash 20 > backupd 30 > backupd 31');
    expect(machine.origin(32)).toBe('bash');
  });

  test('names a parent as it was when the child began, not what it became', () => {
    const machine = new Machine();
    machine.add(20, 1, 'bash');
    machine.fork(30, 20);
    machine.exec(20, 'node');
    machine.fork(31, 20);
    expect([machine.line(30), machine.line(31)]).toEqual(['systemd 1 > bash 20', 'systemd 1 > node 20']);
  });

  test('is that of the newest process with a pid, or of the one that began then', () => {
    const machine = new Machine();
    machine.add(20, 1, 'bash');
    machine.add(21, 1, 'cron');
    machine.fork(30, 20);
    machine.exec(30, 'curl');
    const before = machine.living.get(30)?.start ?? 0;
    machine.end(30);
    machine.fork(30, 21);
    machine.exec(30, 'sh');
    expect(machine.line(30)).toBe('systemd 1 > cron 21');
    const former = machine.book.of({ pid: 30, start: before, parent: 20, name: 'curl' });
    expect(former.ancestors.map(({ pid }) => pid)).toEqual([1, 20]);
    // Nobody was told of this one.
    machine.end(30);
    machine.add(30, 20, 'wget');
    expect(machine.line(30)).toBe('systemd 1 > bash 20');
  });

  test('leaves out a parent whose pid is a younger process’s by now', () => {
    const machine = new Machine();
    machine.add(20, 1, 'bash');
    machine.add(30, 20, 'curl');
    machine.living.delete(20);
    machine.add(20, 1, 'impostor');
    expect(machine.line(30)).toBe('');
    machine.known(20);
    machine.add(31, 20, 'wget');
    expect(machine.line(31)).toBe('systemd 1 > impostor 20');
  });

  test('has six at most, and ends where parents go in circles', () => {
    const machine = new Machine();
    for (let pid = 20; pid < 120; pid++) machine.fork(pid, pid === 20 ? 1 : pid - 1);
    machine.exec(20, 'bash');
    for (let pid = 200; pid < 300; pid++) machine.fork(pid, pid === 200 ? 20 : pid - 1);
    expect(machine.line(299).split(' > ').length).toBe(6);
    expect(machine.origin(299)).toBe('bash'); // a hundred above
    machine.add(400, 401, 'a', { start: 5 });
    machine.add(401, 400, 'b', { start: 5 });
    machine.add(402, 402, 'c');
    expect(machine.line(400).split(' > ').length).toBeLessThanOrEqual(6);
    expect(machine.line(402)).toBe('');
    let deep = 500;
    for (; deep < 700; deep++) machine.add(deep, deep - 1, 'x', { start: 7 });
    expect(machine.line(deep - 1).split(' > ').length).toBe(6);
  });

  test('of a process that is gone, and was never told, is that of its parent', () => {
    const machine = new Machine();
    machine.add(20, 1, 'bash');
    expect(machine.book.of({ pid: 30, start: 999, parent: 20, name: 'curl' })).toMatchObject({
      ancestors: [{ name: 'systemd' }, { pid: 20, name: 'bash', startedAt: machine.living.get(20)?.start }],
      session: null,
    });
    expect(machine.book.of({ pid: 31, start: null, parent: 0, name: 'curl' }).ancestors).toEqual([]);
  });

  test('is forgotten when it was not used for longest, and asked again', () => {
    const machine = new Machine(64);
    machine.add(20, 1, 'bash');
    machine.known(20);
    for (let i = 0; i < 1000; i++) {
      machine.fork(1000 + i, 20);
      machine.living.delete(1000 + i);
    }
    expect(machine.book.size).toBe(64);
    machine.fork(5000, 20);
    expect(machine.line(5000)).toBe('systemd 1 > bash 20');
  });
});

describe('the origin', () => {
  test.each([
    [['systemd', 'sshd', 'sshd-session', 'bash', 'npm', 'node'], 'bash'],
    [['systemd', 'systemd', 'gnome-shell', 'code', 'bash', 'git'], 'code'],
    [['launchd', 'Terminal', 'login', 'zsh', 'claude', 'node'], 'zsh'],
    [['systemd', 'tmux: server', 'fish', 'curl'], 'fish'],
    [['systemd', 'containerd-shim-runc-v2', 'nginx', 'nginx'], 'nginx'],
    [['systemd', 'cron', 'cron', 'sh', 'rsync'], 'sh'],
    [['systemd', 'chronyd'], 'chronyd'],
    [['systemd', 'sshd'], undefined],
    [['systemd', 'sudo', 'bash'], 'sudo'],
  ] as const)('of %j', (names, expected) => {
    const machine = new Machine();
    for (const [i, name] of names.entries()) machine.add(i + 1, i, name);
    expect(machine.origin(names.length)).toBe(expected);
  });

  test('is what a process became, if that is at the head of its line', () => {
    const machine = new Machine();
    machine.add(10, 1, 'sshd');
    machine.fork(20, 10);
    expect(machine.origin(20)).toBeUndefined();
    machine.exec(20, 'bash');
    machine.fork(30, 20);
    expect([machine.origin(20), machine.origin(30)]).toEqual(['bash', 'bash']);
    machine.exec(20, 'fish');
    machine.exec(30, 'sshd');
    expect([machine.origin(20), machine.origin(30)]).toEqual(['fish', 'bash']);
  });
});

test('what cannot be read at an exec stays as it was: the process is gone', () => {
  const machine = new Machine();
  machine.add(20, 1, 'bash', { terminal: 'pts/0' });
  machine.fork(30, 20);
  machine.book.became({ pid: 30, parent: 0, name: '', start: null, session: null, terminal: null, words: '' });
  machine.living.delete(30);
  expect(machine.known(30)).toMatchObject({
    self: { name: 'bash' },
    session: 20,
    terminal: 'pts/0',
    ancestors: [{}, { pid: 20 }],
  });
});
