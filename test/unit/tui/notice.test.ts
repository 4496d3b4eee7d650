// Notifications through the terminal: what each is sent, and that no text from outside gets out of its sequence.

import { Terminal } from '@xterm/headless';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noticeMaker } from '../../../src/tui/notice.ts';

const send = (env: Record<string, string>, text = 'curl reached x.', setting: Parameters<typeof noticeMaker>[0] = 'notify') =>
  noticeMaker(setting, env)?.('netmon-tui', text) ?? null;
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a terminal', () => {
  it.each([
    [
      { TERM: 'xterm-kitty' },
      `\x1b]99;i=netmon-tui:e=1:d=0:p=title;${base64('netmon-tui')}\x1b\\\x1b]99;i=netmon-tui:e=1:d=1:p=body;${base64('curl reached x.')}\x1b\\`,
    ],
    [{ TERM: 'foot' }, '\x1b]777;notify;netmon-tui;curl reached x.\x1b\\'],
    [{ TERM: 'rxvt-unicode-256color' }, '\x1b]777;notify;netmon-tui;curl reached x.\x1b\\'],
    [{ TERM: 'xterm-ghostty' }, '\x1b]777;notify;netmon-tui;curl reached x.\x1b\\'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'WezTerm' }, '\x1b]777;notify;netmon-tui;curl reached x.\x1b\\'],
    [{ TERM: 'xterm-256color', TERM_PROGRAM: 'iTerm.app' }, '\x1b]9;netmon-tui: curl reached x.\x1b\\'],
    [{ TERM: 'xterm-256color', LC_TERMINAL: 'iTerm2' }, '\x1b]9;netmon-tui: curl reached x.\x1b\\'],
    [{ TERM: 'xterm-256color' }, '\x07'],
    [{ TERM: 'linux' }, '\x07'],
    [{}, '\x07'],
    [{ TERM: 'tmux-256color', LC_TERMINAL: 'iTerm2' }, '\x1bPtmux;\x1b\x1b]9;netmon-tui: curl reached x.\x1b\x1b\\\x1b\\\x07'],
    [{ TERM: 'screen', TMUX: '/tmp/tmux-0/default,1,0' }, '\x07'],
  ] as const)('with %j gets what it understands', (env, sequence) => expect(send(env)).toBe(sequence));

  it('gets what the user says, whatever it is', () => {
    expect(send({ TERM: 'xterm-kitty' }, 'x', 'off')).toBeNull();
    expect(send({ TERM: 'xterm-kitty' }, 'x', 'bell')).toBe('\x07');
    expect(send({ TERM: 'xterm' }, 'x', 'osc9')).toBe('\x1b]9;netmon-tui: x\x1b\\');
    expect(send({ TERM: 'screen', TMUX: 'x' }, 'x', 'osc777')).toBe(
      '\x1bPtmux;\x1b\x1b]777;notify;netmon-tui;x\x1b\x1b\\\x1b\\\x07',
    );
  });
});

describe('text from outside', () => {
  it('stays inside: a terminal draws nothing, and rings nothing', async () => {
    const terminal = new Terminal({ cols: 40, rows: 4, allowProposedApi: true });
    let bells = 0;
    terminal.onBell(() => bells++);
    const seen: string[] = [];
    for (const code of [9, 777, 99]) terminal.parser.registerOscHandler(code, (data) => seen.push(data) > 0);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 600 }),
        fc.constantFrom('osc9' as const, 'osc777' as const, 'osc99' as const),
        async (text, form) => {
          seen.length = 0;
          const sequence = send({ TERM: 'xterm' }, `${text}\x07\x1b\\\x9c`, form) as string;
          await new Promise<void>((resolve) => terminal.write(sequence, resolve));
          expect(seen).toHaveLength(form === 'osc99' ? 2 : 1);
          expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe('');
          expect(terminal.buffer.active.cursorX).toBe(0);
          expect(sequence.length).toBeLessThan(1600);
        },
      ),
      { numRuns: 100 },
    );
    expect(bells).toBe(0);
    terminal.dispose();
  });

  it('can add no field, and no lines', () => {
    expect(send({ TERM: 'foot' }, 'a;b\nc')).toBe('\x1b]777;notify;netmon-tui;a,b c\x1b\\');
  });
});
