import { describe, expect, it } from 'vitest';
import { Users } from '../../../../src/identify/process/users.ts';
import { fakeRoot } from '../../../support/fake-edges.ts';

describe('Users', () => {
  it('names users by number, and numbers those without a name', () => {
    const passwd =
      'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:\ntwin:x:1000:1::/:\n##comment\nbad:x:nan:0\nev\u001b[31mil:x:7:7::/:\n';
    const users = new Users(`${fakeRoot({ passwd })}/passwd`);
    expect([0, 1000, 5, 7, null].map((uid) => users.name(uid))).toEqual(['root', 'ann', '5', 'ev[31mil', null]);
  });

  it('numbers all where there is no file', () => {
    expect(new Users('/nonexistent').name(3)).toBe('3');
  });
});
