import { describe, expect, it } from 'vitest';
import { systemClipboard } from '../../../src/app/clipboard.ts';
import type { RunLimits } from '../../../src/system/edges.ts';
import { systemEdges } from '../../../src/system/programs.ts';
import { fakeEdges } from '../../support/fake-edges.ts';

const PS = 'ps -axww -o pid=,ppid=,uid=,tty=,lstart=,comm=';
const START = 'Sun Nov  2 10:00:00 2025';
const line = (pid: number, ppid: number, comm: string) => `${pid} ${ppid} 501 ${START} ${comm}`;
const AT_THE_MAC = [line(1, 0, '/sbin/launchd'), line(300, 1, '/System/Applications/Terminal.app/Contents/MacOS/Terminal')];
const OVER_SSH = [line(1, 0, '/sbin/launchd'), line(200, 1, '/usr/sbin/sshd'), line(300, 200, 'sshd-session: ann [priv]')];

function clipboardOf(ancestors: readonly string[], euid = 501, status = 0) {
  const stdout = [...ancestors, line(400, 300, '-zsh'), line(500, 400, 'node')].join('\n');
  const edges = fakeEdges({ platform: 'darwin', euid, programs: { [PS]: { stdout }, pbcopy: { status } } });
  const inputs: (string | undefined)[] = [];
  const run = (path: string, args: readonly string[], limits: RunLimits) => {
    if (path === '/usr/bin/pbcopy') inputs.push(limits.input);
    return edges.run(path, args, limits);
  };
  return { copy: systemClipboard({ ...edges, run }, {}, 500), inputs };
}

describe('the clipboard of a Mac', () => {
  it('takes the text where the user sits at it', async () => {
    const { copy, inputs } = clipboardOf(AT_THE_MAC);
    expect([await copy?.('a\tü'), inputs]).toEqual([true, ['a\tü']]);
  });

  it.each([
    ['over SSH, though sudo hides that', OVER_SSH, 501],
    ['for root', AT_THE_MAC, 0],
  ])('is left to the terminal %s', async (_, ancestors, euid) => {
    const { copy, inputs } = clipboardOf(ancestors, euid);
    expect([await copy?.('x'), inputs]).toEqual([false, []]);
  });

  it('is no more than a try', async () => {
    expect(await clipboardOf(AT_THE_MAC, 501, 1).copy?.('x')).toBe(false);
  });

  it('does not exist on Linux, nor where the terminal is known to be elsewhere', () => {
    expect(systemClipboard(fakeEdges({ platform: 'linux' }), {})).toBeNull();
    expect(systemClipboard(fakeEdges({ platform: 'darwin' }), { SSH_TTY: '/dev/ttys001' })).toBeNull();
  });
});

describe('a program with standard input', () => {
  it('reads all of it, in its own encoding, and need not', async () => {
    const edges = systemEdges({ pbcopy: '/bin/cat' });
    const input = 'ü\t'.repeat(100_000);
    expect((await edges.run('/bin/cat', [], { timeoutMs: 10_000, maxBytes: 1 << 20, input })).stdout).toBe(input);
    const idle = await edges.run('/bin/sh', ['-c', 'exit 3'], { timeoutMs: 10_000, maxBytes: 1 << 20, input });
    expect(idle.status).toBe(3);
  });
});
