import { describe, expect, it } from 'vitest';
import { procAt } from '../../../../../../src/identify/process/linux/procfs/proc.ts';
import { readProcess } from '../../../../../../src/identify/process/linux/procfs/process.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';

const stat = (comm: string) => `7 (${comm}) S 42 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1 18446744073709551615\n`;
const STATUS = 'Name:\tx\nUid:\t1000\t33\t1000\t1000\nGid:\t1\t1\t1\t1\n';

const read = (files: Record<string, string>) =>
  readProcess(procAt(fakeRoot(Object.fromEntries(Object.entries(files).map(([name, text]) => [`7/${name}`, text])))), 7);

describe('readProcess', () => {
  it('reads name, executable, effective user, parent and start time', () => {
    expect(read({ stat: stat('curl'), status: STATUS, exe: '-> /usr/bin/curl-8' })).toMatchObject({
      pid: 7,
      name: 'curl-8',
      exe: '/usr/bin/curl-8',
      uid: 33,
      parentPid: 42,
      startTime: 987_654,
    });
  });

  it('separates names with blanks and parentheses from the rest', () => {
    expect(read({ stat: stat('a) R 9 (b') })).toMatchObject({
      name: 'a) R 9 (b',
      parentPid: 42,
      startTime: 987_654,
      exe: null,
      uid: null,
    });
  });

  it('keeps names in any script, and strips what could move a cursor', () => {
    expect(read({ stat: stat('Música') })?.name).toBe('Música');
    expect(read({ stat: stat('x\u001b]0;y') })?.name).toBe('x]0;y');
  });

  it('recognises an executable that was replaced while it runs', () => {
    expect(read({ stat: stat('node'), exe: '-> /opt/node (deleted)' })).toMatchObject({ name: 'node', exe: '/opt/node' });
  });

  it('is null for a process that is gone', () => {
    expect(readProcess(procAt('/nonexistent'), 7)).toBeNull();
  });
});
