import { describe, expect, it } from 'vitest';
import { parentsBy, pathsBy } from '../../../../../src/identify/process/macos/libproc.ts';

describe('pathsBy', () => {
  const answer = (text: string, length = Buffer.byteLength(text)) =>
    pathsBy((_pid, buffer, bytes) => {
      expect([buffer.length, bytes]).toEqual([4096, 4096]);
      buffer.write(text);
      return length;
    })(1);

  it('reads the path that the kernel wrote, with blanks and letters of any script', () => {
    const path = '/Applications/Übersetzer Pro.app/Contents/MacOS/Übersetzer';
    expect(answer(path)).toBe(path);
    expect(answer('/bin/ls\0/rest', 8)).toBe('/bin/ls');
    expect(answer('/tmp/\u001b[31mx')).toBe('/tmp/[31mx');
  });

  it('knows nothing about a process that is gone, or from an impossible answer', () => {
    expect([answer('', 0), answer('', -1), answer('/bin/ls', 4097), answer('ls')]).toEqual([null, null, null, null]);
  });

  it('forgets what an earlier answer left in the buffer', () => {
    const answers = ['/usr/libexec/a-long-name', '/bin/ls'];
    const pathOf = pathsBy((_pid, buffer) => buffer.write(answers.shift() as string));
    expect([pathOf(1), pathOf(2)]).toEqual(['/usr/libexec/a-long-name', '/bin/ls']);
  });
});

describe('parentsBy', () => {
  /** struct proc_bsdshortinfo, as a process of these would have it. */
  const kernel = (known: Record<number, readonly [parent: number, comm: string]>, length = 64) =>
    parentsBy((pid, flavor, _argument, buffer, bytes) => {
      expect([flavor, buffer.length, bytes]).toEqual([13, 64, 64]);
      const found = known[pid];
      if (found === undefined) return 0;
      buffer.fill(0xff);
      buffer.writeUInt32LE(pid, 0);
      buffer.writeUInt32LE(found[0], 4);
      buffer.fill(0, 16, 32);
      buffer.write(found[1], 16, 16, 'utf8');
      return length;
    });

  it('reads parent and name, at their full length too, and strips what could move a cursor', () => {
    const of = kernel({ 7: [501, 'zsh'], 8: [7, 'Google Chrome He'], 9: [1, '\u001b[2Jx'] });
    expect([of(7), of(8), of(9)]).toEqual([
      { parent: 501, name: 'zsh' },
      { parent: 7, name: 'Google Chrome He' },
      { parent: 1, name: '[2Jx' },
    ]);
  });

  it('knows nothing about a process that is gone, or from an answer of another length', () => {
    expect([kernel({})(7), kernel({ 7: [1, 'a'] }, 56)(7), kernel({ 7: [1, 'a'] }, -1)(7)]).toEqual([null, null, null]);
  });
});
