import { describe, expect, it } from 'vitest';
import { Users } from '../../../../src/identify/process/directory.ts';
import { macUsers, parseUsers } from '../../../../src/identify/process/macos/users.ts';
import { fakeEdges, fakeRoot } from '../../../support/fake-edges.ts';

describe('macUsers', () => {
  const text =
    '_amavisd              83\nanna                  501\nnobody                -2\nroot                  0\nalias                 501\nno number\n\n';

  it('asks the local directory of a Mac for users that no file lists', async () => {
    const edges = fakeEdges({ platform: 'darwin', programs: { 'dscl . -list /Users UniqueID': { stdout: text } } });
    const users = new Users('/nonexistent', await macUsers(edges));
    expect([83, 501, 4294967294, 7].map((uid) => users.name(uid))).toEqual(['_amavisd', 'anna', 'nobody', '7']);
  });

  it('prefers the file', () => {
    const passwd = 'root:*:0:0:System Administrator:/var/root:/bin/sh\n';
    const users = new Users(`${fakeRoot({ passwd })}/passwd`, parseUsers('toor 0\nanna 501\n'));
    expect([users.name(0), users.name(501)]).toEqual(['root', 'anna']);
  });

  it('knows none if the directory fails, and asks no program on Linux', async () => {
    expect((await macUsers(fakeEdges({ platform: 'darwin' }))).size).toBe(0);
    const linux = fakeEdges();
    expect([(await macUsers(linux)).size, linux.ran]).toEqual([0, []]);
  });
});

describe('Users', () => {
  it('names users by number, and numbers those without a name', () => {
    const passwd =
      'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:\ntwin:x:1000:1::/:\n##comment\nbad:x:nan:0\nev\u001b[31mil:x:7:7::/:\n';
    const users = new Users(`${fakeRoot({ passwd })}/passwd`);
    expect([0, 1000, 5, 7, null].map((uid) => users.name(uid))).toEqual(['root', 'ann', '5', 'ev[31mil', null]);
  });

  it('numbers all without a file', () => {
    expect(new Users('/nonexistent').name(3)).toBe('3');
  });
});
