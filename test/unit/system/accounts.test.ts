// Which user the program becomes (by flag, by sudo, or none), and what the system's files say about them.

import { describe, expect, it, test } from 'vitest';
import { accountIn, groupsIn, type IdentityRequest, identityOf } from '../../../src/system/accounts.ts';

const passwd = [
  '# comment',
  'root:x:0:0:root:/root:/bin/sh',
  'nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false',
  'broken',
  'ann:x:1000:1001::/home/ann:/bin/sh',
  'ann:x:7:7::/:/bin/sh',
].join('\n');
const group = ['wheel:x:0:root', 'ann:x:1001:', 'docker:x:999:bob,ann', 'odd:x:99999999999:ann', 'x', 'adm:x:4:annie,ann'].join(
  '\n',
);

const asked = (request: Partial<IdentityRequest>): IdentityRequest => ({
  euid: 0,
  env: {},
  user: null,
  stayRoot: false,
  records: false,
  passwd,
  group,
  ...request,
});

describe('accounts', () => {
  it('are found by name and by number, the first one of a name', () => {
    expect(accountIn(passwd, 'ann')).toEqual({ name: 'ann', uid: 1000, gid: 1001 });
    expect(accountIn(passwd, 1000)).toEqual({ name: 'ann', uid: 1000, gid: 1001 });
    expect(accountIn(passwd, 'nobody')).toEqual({ name: 'nobody', uid: 4294967294, gid: 4294967294 });
    for (const who of ['broken', '# comment', '', 5]) expect(accountIn(passwd, who), String(who)).toBeNull();
  });

  it('have their primary group and the groups that list them', () => {
    expect(groupsIn(group, 'ann', 1001)).toEqual([1001, 999, 4]);
    expect(groupsIn(group, null, 5)).toEqual([5]);
    expect(groupsIn('', 'ann', 5)).toEqual([5]);
  });
});

describe('root becomes', () => {
  test.each([
    ['whoever called sudo', { env: { SUDO_UID: '1000', SUDO_GID: '1001' } }, ['sudo', 1000, 1001, 'ann', [1001, 999, 4]]],
    ['that user with the group that the files tell', { env: { SUDO_UID: '1000' } }, ['sudo', 1000, 1001, 'ann', [1001, 999, 4]]],
    ['a user in no file, by number', { env: { SUDO_UID: '7007', SUDO_GID: '7' } }, ['sudo', 7007, 7, '7007', [7]]],
    [
      'such a user by the name that sudo tells',
      { env: { SUDO_UID: '7007', SUDO_GID: '7', SUDO_USER: 'zoe' } },
      ['sudo', 7007, 7, 'zoe', [7]],
    ],
    [
      'nobody where root called sudo',
      { env: { SUDO_UID: '0', SUDO_GID: '0' } },
      ['nobody', 4294967294, 4294967294, 'nobody', [4294967294]],
    ],
    ['nobody where the number is none', { env: { SUDO_UID: '1e3' } }, ['nobody', 4294967294, 4294967294, 'nobody', [4294967294]]],
    [
      'nobody where the number means "leave it"',
      { env: { SUDO_UID: '4294967295' } },
      ['nobody', 4294967294, 4294967294, 'nobody', [4294967294]],
    ],
    ['nobody where no file lists one', { passwd: '' }, ['nobody', 65534, 65534, 'nobody', [65534]]],
    ['the user named, over sudo', { user: 'ann', env: { SUDO_UID: '5' } }, ['user', 1000, 1001, 'ann', [1001, 999, 4]]],
    ['the user named by number', { user: '1000' }, ['user', 1000, 1001, 'ann', [1001, 999, 4]]],
  ] as const)('%s', (_, request, [by, uid, gid, name, groups]) => {
    const note = by === 'nobody' ? expect.stringContaining('or: --user NAME, --stay-root') : '';
    expect(identityOf(asked(request))).toEqual({ by, uid, gid, name, groups, note });
  });

  test.each([
    ['--stay-root', { stayRoot: true, env: { SUDO_UID: '1000' } }, '--stay-root'],
    ['history of its own', { records: true }, 'the history belongs to root: --user NAME drops root'],
    ['--user root', { user: 'root' }, 'asked to run as root'],
  ] as const)('root, and says why: %s', (_, request, note) => {
    expect(identityOf(asked(request))).toMatchObject({ by: 'root', uid: 0, note });
  });

  it('the user who called sudo, who then owns the history', () => {
    expect(identityOf(asked({ records: true, env: { SUDO_UID: '1000' } })).by).toBe('sudo');
  });

  it('no user that doesn’t exist', () => {
    expect(() => identityOf(asked({ user: 'nosuch' }))).toThrow(
      expect.objectContaining({ code: 'usage', message: 'no such user: nosuch' }),
    );
  });
});

describe('anyone else', () => {
  it('stays who they are, with any environment', () => {
    expect(identityOf(asked({ euid: 1000, env: { SUDO_UID: '0' } }))).toMatchObject({
      by: 'self',
      uid: 1000,
      name: 'ann',
      note: '',
    });
    expect(identityOf(asked({ euid: 4711 }))).toMatchObject({ by: 'self', uid: 4711, name: '4711' });
  });

  it('can’t become another user', () => {
    expect(() => identityOf(asked({ euid: 1000, user: 'nobody' }))).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
