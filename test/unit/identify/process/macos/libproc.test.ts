import { describe, expect, it } from 'vitest';
import { pathsBy } from '../../../../../src/identify/process/macos/libproc.ts';

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
