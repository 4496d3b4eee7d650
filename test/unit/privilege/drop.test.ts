// Dropping root: the order of calls, the rights that remain, and the messages if it fails. No real process changes.

import { describe, expect, it } from 'vitest';
import { maskOf, namesOf } from '../../../src/privilege/capabilities.ts';
import { type Credentials, confirmDropped, type DropPlan, dropPrivileges } from '../../../src/privilege/drop.ts';
import type { LibcCalls } from '../../../src/privilege/libc-calls.ts';
import type { Identity } from '../../../src/system/accounts.ts';

const ALL = (1n << 41n) - 1n;
const ANN: Identity = { name: 'ann', uid: 1000, gid: 1001, groups: [1001, 4], by: 'sudo', note: '' };
const ROOT: Identity = { name: 'root', uid: 0, gid: 0, groups: [0], by: 'root', note: "history is root's own" };

/** A process that records its calls. */
class FakeProcess {
  readonly calls: string[] = [];
  uid: number;
  /** Calls that fail, with their reason. */
  readonly failing = new Set<string>();
  /** True if root can be regained. */
  leaks = false;
  leaksCapabilities = false;
  /** Permitted capabilities. */
  held = ALL;

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
    setEffective: () => true,
    setCapabilities: (mask, inheritable) => {
      if ((mask & ~this.held) !== 0n) return this.leaksCapabilities; // capset(2) never adds capabilities
      this.held = mask;
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
  it('switches groups and user first, then lowers its capabilities, then installs the filter', () => {
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

  it('keeps capabilities with the older prctl if securebits are refused', () => {
    const fake = new FakeProcess();
    fake.failing.add('prctl 28');
    fake.drop();
    expect(fake.calls).toContain('prctl 8 1');
    expect(fake.calls.indexOf('prctl 8 1')).toBeLessThan(fake.calls.indexOf('setuid 1000'));
  });

  it('passes only CAP_NET_RAW to the children of a driver that starts some', () => {
    const fake = new FakeProcess();
    fake.drop({ starts: true });
    const order = fake.calls.filter((call) => /^(capset|setuid|prctl (24 13|47))/.test(call));
    // The kernel refuses to make inheritable what is neither inheritable nor in the bounding set.
    expect(order).toEqual([
      expect.stringMatching(/^capset .*\bsetuid\b.* \| net_raw$/),
      'prctl 24 13',
      'setuid 1000',
      'capset net_raw sys_ptrace | net_raw',
      'prctl 47 2 13',
    ]);
    expect(fake.calls).toContain('prctl 28 51');
  });

  it('keeps nothing that it didn’t have', () => {
    const fake = new FakeProcess();
    const libc = { ...fake.libc, permitted: () => maskOf(['net_raw', 'setuid']) };
    expect(
      dropPrivileges({ platform: 'linux', identity: ANN, keep: ['net_raw', 'sys_ptrace'], starts: false }, fake.credentials, libc)
        .kept,
    ).toEqual(['net_raw']);
  });

  it('stays root on request, and only turns core files off', () => {
    const fake = new FakeProcess();
    expect(fake.drop({ identity: { ...ROOT, note: '--stay-root' } })).toMatchObject({
      user: 'root',
      dropped: false,
      kept: ['root'],
    });
    expect(fake.calls).toEqual(['no core', 'prctl 4 0']);
  });

  it('doesn’t continue as root because of a setting that can be undone', () => {
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

  it('stays root for its own history, but still installs the filter', () => {
    const fake = new FakeProcess();
    const status = fake.drop({ identity: ROOT });
    expect(status).toEqual({ user: 'root', uid: 0, dropped: false, kept: ['root'], note: "history is root's own" });
    expect(fake.calls).not.toContain('setuid 0');
    expect(fake.calls.slice(-4)).toEqual(['capset net_raw sys_ptrace', 'prctl 4 0', 'prctl 38 1', 'filter long']);
  });

  it('continues as root in a container without such a user, and says so', () => {
    const fake = new FakeProcess();
    fake.failing.add('setgid');
    expect(fake.drop()).toMatchObject({
      user: 'root',
      dropped: false,
      kept: ['root'],
      note: "root can't become ann here: setgid EINVAL",
    });
  });

  it('refuses if the user was asked for by name', () => {
    const fake = new FakeProcess();
    fake.failing.add('setuid');
    expect(() => fake.drop({ identity: { ...ANN, by: 'user' } })).toThrow(expect.objectContaining({ code: 'permission' }));
  });

  it.each(['leaks', 'leaksCapabilities'] as const)('refuses to continue when root could be regained: %s', (way) => {
    const fake = new FakeProcess();
    fake[way] = true;
    expect(() => fake.drop()).toThrow(/could be regained/);
  });

  it.each([
    ['capset', 'capabilities could not be'],
    ['prctl 47', 'CAP_NET_RAW could not be made ambient'],
    ['prctl 38', 'no_new_privs could not be set'],
  ])('ends where a step fails: %s', (step, message) => {
    const fake = new FakeProcess();
    fake.failing.add(step);
    const failure = expect.objectContaining({ code: 'permission', message: expect.stringContaining(message) });
    expect(() => fake.drop({ starts: true })).toThrow(failure);
    if (step !== 'prctl 47') expect(() => fake.drop()).toThrow(failure);
  });

  it('says so if there is no filter, and continues without libc, where leaving root drops every capability', () => {
    const fake = new FakeProcess();
    fake.failing.add('filter');
    expect(fake.drop().note).toBe('no seccomp filter here');
    const other = new FakeProcess();
    const libc: LibcCalls = { ...other.libc, permitted: () => null, setCapabilities: () => false, prctl: () => -1 };
    const plan: DropPlan = { platform: 'linux', identity: ANN, keep: ['net_raw'], starts: true };
    expect(dropPrivileges(plan, other.credentials, libc)).toMatchObject({
      kept: [],
      dropped: true,
      note: 'no_new_privs could not be set',
    });
  });
});

it('a user with file capabilities keeps those that the run needs', () => {
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

describe('every thread', () => {
  const status = (fields: Record<string, string> = {}) =>
    Object.entries({
      Name: 'node',
      Tgid: '42',
      Pid: '42',
      Uid: '1000\t1000\t1000\t1000',
      Gid: '1001\t1001\t1001\t1001',
      CapInh: '0000000000000000',
      CapPrm: '0000000000002000',
      CapEff: '0000000000002000',
      CapBnd: '000001ffffffffff',
      CapAmb: '0000000000000000',
      NoNewPrivs: '1',
      ...fields,
    })
      .map(([name, text]) => `${name}:\t${text}\n`)
      .join('');
  const confirm = (fields: Record<string, string>, starts = false) =>
    confirmDropped(ANN, { main: ['net_raw'], others: ['sys_ptrace'] }, starts, [status(), status(fields)]);

  it('has only the rights that the run keeps', () => {
    confirm({ CapPrm: '0000000000000000', CapEff: '0000000000000000' });
    confirm({ CapInh: '0000000000002000', CapAmb: '0000000000002000' }, true);
    confirm({ Pid: '43', CapPrm: '0000000000080000', CapEff: '0000000000080000' });
    confirmDropped(ANN, { main: [], others: [] }, false, []);
  });

  it.each([
    [{ CapPrm: '000001fffeffffff' }, 'still has'],
    [{ CapPrm: '0000000000082000' }, 'still has sys_ptrace (CapPrm)'],
    [{ Pid: '43' }, 'still has net_raw (CapPrm)'],
    [{ CapEff: '0000000000002080' }, 'still has setuid (CapEff)'],
    [{ CapInh: '0000000000002000' }, 'still has net_raw (CapInh)'],
    [{ CapAmb: '0000000000002000' }, 'still has net_raw (CapAmb)'],
    [{ NoNewPrivs: '0' }, 'could gain capabilities'],
    [{ Uid: '1000\t1000\t0\t1000' }, 'did not become the user'],
    [{ Gid: '0\t1001\t1001\t1001' }, 'did not become the user'],
  ])('or the run ends: %j', (fields, message) => {
    expect(() => confirm(fields as unknown as Record<string, string>)).toThrow(
      expect.objectContaining({ code: 'permission', message: expect.stringContaining(message) }),
    );
  });
});

it('root on macOS becomes the user, with the groups that its libc knows', () => {
  const fake = new FakeProcess();
  expect(fake.drop({ platform: 'darwin' })).toEqual({ user: 'ann', uid: 1000, dropped: true, kept: [], note: '' });
  expect(fake.calls).toEqual(['no core', 'initgroups ann 1001', 'setgid 1001', 'setuid 1000']);
});
