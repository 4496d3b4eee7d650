// Giving root up: in which order, what is left, and what is said where it can't be done. No process is changed here.

import { describe, expect, it } from 'vitest';
import { maskOf, namesOf } from '../../../src/privilege/capabilities.ts';
import { type Credentials, type DropPlan, dropPrivileges } from '../../../src/privilege/drop.ts';
import type { Identity } from '../../../src/privilege/identity.ts';
import type { LibcCalls } from '../../../src/privilege/libc-calls.ts';

const ALL = (1n << 41n) - 1n;
const ANN: Identity = { name: 'ann', uid: 1000, gid: 1001, groups: [1001, 4], by: 'sudo', note: '' };
const ROOT: Identity = { name: 'root', uid: 0, gid: 0, groups: [0], by: 'root', note: "history is root's own" };

/** A process whose calls are written down. */
class FakeProcess {
  readonly calls: string[] = [];
  uid: number;
  /** Calls that fail, with their reason. */
  readonly failing = new Set<string>();
  /** Where true, root can be had back. */
  leaks = false;

  constructor(uid = 0) {
    this.uid = uid;
  }

  readonly credentials: Credentials = {
    geteuid: () => this.uid,
    setgroups: (groups) => this.#do(`setgroups ${groups}`),
    initgroups: (user, group) => this.#do(`initgroups ${user} ${group}`),
    setgid: (group) => this.#do(`setgid ${group}`),
    setuid: (user) => {
      if (this.uid !== 0 && !this.leaks) throw new Error('EPERM');
      this.#do(`setuid ${user}`);
      this.uid = user;
    },
  };

  readonly libc: LibcCalls = {
    prctl: (option, first, second) => {
      this.calls.push(`prctl ${option} ${first}${second ? ` ${second}` : ''}`);
      return this.failing.has(`prctl ${option}`) ? -1 : 0;
    },
    permitted: () => ALL,
    setCapabilities: (mask, inheritable) => {
      this.calls.push(`capset ${namesOf(mask).join(' ')}${inheritable === 0n ? '' : ` | ${namesOf(inheritable).join(' ')}`}`);
      return !this.failing.has('capset');
    },
    installFilter: (program) => {
      this.calls.push(`filter ${program.length > 80 ? 'long' : 'short'}`);
      return !this.failing.has('filter');
    },
    forbidCore: () => {
      this.calls.push('no core');
      return true;
    },
  };

  drop(plan: Partial<DropPlan> = {}) {
    const whole: DropPlan = { platform: 'linux', identity: ANN, keep: ['net_raw', 'sys_ptrace'], starts: false, ...plan };
    return dropPrivileges(whole, this.credentials, this.libc);
  }

  #do(call: string): void {
    this.calls.push(call);
    const name = call.split(' ', 1)[0] ?? '';
    if (this.failing.has(name)) throw new Error(`${name} EINVAL`);
  }
}

describe('root on Linux', () => {
  it('becomes the user with the groups first, then lowers its capabilities, then closes the door', () => {
    const fake = new FakeProcess();
    expect(fake.drop()).toEqual({ user: 'ann', uid: 1000, dropped: true, kept: ['net_raw', 'sys_ptrace'], note: '' });
    const order = fake.calls.filter((call) => !call.startsWith('prctl 24 '));
    expect(order).toEqual([
      'no core',
      'prctl 28 243', // securebits: no root, keep capabilities, no ambient ones, all locked
      'setgroups 1001,4',
      'setgid 1001',
      'setuid 1000',
      'capset net_raw sys_ptrace',
      'prctl 4 0', // dumpable
      'prctl 38 1', // no_new_privs
      'filter long',
    ]);
    expect(fake.calls.filter((call) => call.startsWith('prctl 24 '))).toHaveLength(64);
  });

  it('asks to keep capabilities the old way where securebits are refused', () => {
    const fake = new FakeProcess();
    fake.failing.add('prctl 28');
    fake.drop();
    expect(fake.calls).toContain('prctl 8 1');
    expect(fake.calls.indexOf('prctl 8 1')).toBeLessThan(fake.calls.indexOf('setuid 1000'));
  });

  it('hands CAP_NET_RAW, and nothing else, to the children of a driver that has some', () => {
    const fake = new FakeProcess();
    fake.drop({ starts: true });
    expect(fake.calls).toContain('capset net_raw sys_ptrace | net_raw');
    expect(fake.calls).toContain('prctl 47 2 13');
    expect(fake.calls).toContain('prctl 28 51');
  });

  it('keeps nothing that it did not have', () => {
    const fake = new FakeProcess();
    const libc = { ...fake.libc, permitted: () => maskOf(['net_raw', 'setuid']) };
    expect(
      dropPrivileges({ platform: 'linux', identity: ANN, keep: ['net_raw', 'sys_ptrace'], starts: false }, fake.credentials, libc)
        .kept,
    ).toEqual(['net_raw']);
  });

  it('stays where that was asked for, and is only kept from leaving core files', () => {
    const fake = new FakeProcess();
    expect(fake.drop({ identity: { ...ROOT, note: '--stay-root' } })).toMatchObject({
      user: 'root',
      dropped: false,
      kept: ['root'],
    });
    expect(fake.calls).toEqual(['no core', 'prctl 4 0']);
  });

  it('does not go on as root because of a setting that can be undone', () => {
    const fake = new FakeProcess();
    const credentials: Credentials = {
      ...fake.credentials,
      setgroups: () => {
        throw Object.assign(new Error('io_uring may be enabled'), { code: 'ERR_INVALID_STATE' });
      },
    };
    const plan: DropPlan = { platform: 'linux', identity: ANN, keep: [], starts: false };
    expect(() => dropPrivileges(plan, credentials, fake.libc)).toThrow(
      expect.objectContaining({ code: 'permission', message: expect.stringContaining('UV_USE_IO_URING') }),
    );
  });

  it('stays for its own history, yet closes the door', () => {
    const fake = new FakeProcess();
    const status = fake.drop({ identity: ROOT });
    expect(status).toEqual({ user: 'root', uid: 0, dropped: false, kept: ['root'], note: "history is root's own" });
    expect(fake.calls).not.toContain('setuid 0');
    expect(fake.calls.slice(-4)).toEqual(['capset net_raw sys_ptrace', 'prctl 4 0', 'prctl 38 1', 'filter long']);
  });

  it('goes on as root in a container that knows no such user, and says so', () => {
    const fake = new FakeProcess();
    fake.failing.add('setgid');
    expect(fake.drop()).toMatchObject({
      user: 'root',
      dropped: false,
      kept: ['root'],
      note: "root can't become ann here: setgid EINVAL",
    });
  });

  it('refuses where the user was asked for by name', () => {
    const fake = new FakeProcess();
    fake.failing.add('setuid');
    expect(() => fake.drop({ identity: { ...ANN, by: 'user' } })).toThrow(expect.objectContaining({ code: 'permission' }));
  });

  it('refuses to go on where root could be had back', () => {
    const fake = new FakeProcess();
    fake.leaks = true;
    expect(() => fake.drop()).toThrow(/could be had back/);
  });

  it('says what could not be done', () => {
    const fake = new FakeProcess();
    for (const each of ['capset', 'filter']) fake.failing.add(each);
    expect(fake.drop().note).toBe('capabilities could not be lowered; no seccomp filter here');
    fake.failing.add('prctl 38');
    const other = new FakeProcess();
    other.failing.add('prctl 38');
    expect(other.drop().note).toBe('no_new_privs could not be set');
    expect(other.calls).not.toContain('filter long');
  });
});

it('a user with capabilities of the file keeps what is needed', () => {
  const fake = new FakeProcess(1000);
  expect(fake.drop({ identity: { ...ANN, by: 'self' } })).toEqual({
    user: 'ann',
    uid: 1000,
    dropped: false,
    kept: ['net_raw', 'sys_ptrace'],
    note: '',
  });
  expect(fake.calls).toEqual(['no core', 'capset net_raw sys_ptrace', 'prctl 4 0', 'prctl 38 1', 'filter long']);
});

it('root on macOS becomes the user with the groups that its own libc knows', () => {
  const fake = new FakeProcess();
  expect(fake.drop({ platform: 'darwin' })).toEqual({ user: 'ann', uid: 1000, dropped: true, kept: [], note: '' });
  expect(fake.calls).toEqual(['no core', 'initgroups ann 1001', 'setgid 1001', 'setuid 1000']);
});
