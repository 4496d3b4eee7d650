import { describe, expect, it } from 'vitest';
import { PS_ARGUMENTS, parsePs } from '../../../../../src/identify/process/macos/ps.ts';
import { systemEdges } from '../../../../../src/system/programs.ts';

describe('parsePs', () => {
  it('reads full paths with blanks, as macOS prints them', () => {
    const text = `    1     0     0 /sbin/launchd
  793   501   501 ?? Tue Nov  3 22:01:07 2026     /Applications/Google Chrome.app/Contents/Frameworks/Google Chrome Framework.framework/Versions/131.0/Helpers/Google Chrome Helper.app/Contents/MacOS/Google Chrome Helper
  800     1    -2 -                            (zombie)
  801     1 4294967294 ttys003 Sat Jan 31 09:59:00 2026 -zsh
`;
    const listed = parsePs(text);
    expect(listed[3]?.text).toBe('-zsh');
    expect(listed.map(({ text: _, ...rest }) => rest)).toEqual([
      { pid: 1, ppid: 0, uid: 0, exe: '/sbin/launchd', name: 'launchd', startedAt: null, terminal: null },
      {
        pid: 793,
        ppid: 501,
        uid: 501,
        exe: expect.stringMatching(/^\/Applications\/.*Helper$/),
        name: 'Google Chrome Helper',
        startedAt: Date.UTC(2026, 10, 3, 22, 1, 7),
        terminal: null,
      },
      { pid: 800, ppid: 1, uid: 4294967294, exe: null, name: '(zombie)', startedAt: null, terminal: null },
      {
        pid: 801,
        ppid: 1,
        uid: 4294967294,
        exe: null,
        name: '-zsh',
        startedAt: Date.UTC(2026, 0, 31, 9, 59),
        terminal: 'ttys003',
      },
    ]);
  });

  it('skips malformed lines and strips control characters', () => {
    expect(
      parsePs('PID PPID\n\n 1 2\n 1 2 3 \u001b[31mx\u0007\n99999999999 1 1 x\n 4 1 0 Foo Xyz 99 99:99:99 2026 y\n').map(
        ({ text: _, ...rest }) => rest,
      ),
    ).toEqual([
      { pid: 1, ppid: 2, uid: 3, exe: null, name: '[31mx', startedAt: null, terminal: null },
      { pid: 4, ppid: 1, uid: 0, exe: null, name: 'y', startedAt: null, terminal: null },
    ]);
  });

  it('finds this very process in the text of the real ps', async ({ skip }) => {
    const edges = systemEdges();
    const result = await edges.run(edges.paths.ps, PS_ARGUMENTS, { timeoutMs: 10_000, maxBytes: 4 << 20 });
    if (result.failure !== null) return skip(`ps could not be run (${result.failure})`);
    expect(parsePs(result.stdout).find((record) => record.pid === process.pid)).toMatchObject({
      ppid: process.ppid,
      uid: process.getuid?.(),
      startedAt: expect.any(Number),
    });
  });
});
