// The rewriting of blessed's output draws exactly the same cells, with fewer bytes.

import xterm, { type IBufferCell } from '@xterm/headless';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TerminalOutput } from '../../../src/tui/terminal-output.ts';

const piece = fc.oneof(
  fc.constantFrom(
    '\x1b[m',
    '\x1b[C',
    '\x1b[3;1H',
    '\x1b[2;7H',
    '\x1b[5C',
    '\x1b7',
    '\x1b8',
    '\x1b[?25l',
    '\x1b(B',
    '\x1b[2J',
    '\x1b[H',
  ),
  fc
    .tuple(
      fc.subarray(['1', '4', '5', '7', '8']),
      fc.constantFrom([], ['41'], ['48;5;99'], ['104']),
      fc.constantFrom([], ['31'], ['38;5;200'], ['97']),
    )
    .map(([flags, bg, fg]) => `\x1b[${[...flags, ...bg, ...fg].join(';')}m`),
  fc.constantFrom('text', '日本', ' ', 'x1;2m', '8;5;20'),
);

/** Frames as blessed writes them: each begins and ends with the terminal's own pen. */
const frames = fc.array(
  fc.array(piece, { maxLength: 25 }).map((pieces) => `\x1b7${pieces.join('')}\x1b[m\x1b8\x1b[m`),
  { minLength: 1, maxLength: 3 },
);

/** xterm answers with the bit that it happened to keep a flag in: for an underline one of two. */
function flags(cell: IBufferCell | undefined): string {
  return [cell?.isBold(), cell?.isUnderline(), cell?.isInverse(), cell?.isBlink(), cell?.isInvisible()]
    .map((flag) => (flag ? 1 : 0))
    .join('');
}

async function cells(output: string): Promise<string> {
  const terminal = new xterm.Terminal({ cols: 30, rows: 6, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write(output, done));
  const out: string[] = [];
  for (let y = 0; y < 6; y++)
    for (let x = 0; x < 30; x++) {
      const cell = terminal.buffer.active.getLine(y)?.getCell(x);
      out.push(
        `${cell?.getChars()} ${cell?.getFgColorMode()}/${cell?.getFgColor()} ${cell?.getBgColorMode()}/${cell?.getBgColor()} ${flags(cell)}`,
      );
    }
  terminal.dispose();
  return out.join('\n');
}

describe('rewrite', () => {
  test('draws the same', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (writes) => {
        const output = new TerminalOutput();
        const rewritten = writes.map((write) => output.rewrite(write)).join('');
        expect(await cells(rewritten)).toBe(await cells(writes.join('')));
      }),
      { numRuns: 150 },
    );
  });

  test('drops what changes nothing', () => {
    const output = new TerminalOutput();
    expect(output.rewrite('\x1b[12;1H\x1b[12;48H\x1b[38;5;99mab\x1b[1C\x1b[m\x1b[38;5;99mc\x1b[m')).toBe(
      '\x1b[12;48H\x1b[38;5;99mab\x1b[Cc\x1b[m',
    );
    expect(output.rewrite('\x1b[1;38;5;99ma\x1b[m\x1b[38;5;99mb\x1b[m')).toBe('\x1b[1;38;5;99ma\x1b[0;38;5;99mb\x1b[m');
    expect(output.rewrite('plain 38;5;99m text')).toBe('plain 38;5;99m text');
    expect(output.rewrite('')).toBe('');
  });
});

describe('numberOf', () => {
  test('a colour of the table is itself, any other takes a slot that no colour in use has', () => {
    const output = new TerminalOutput();
    expect(output.numberOf(0x87d7ff)).toBe(117);
    expect(output.numberOf(0x080808)).toBe(232);
    const slot = output.numberOf(0x123456);
    expect(output.numberOf(0x123456)).toBe(slot);
    expect(slot).not.toBe(117);
    expect(output.rewrite(`\x1b[48;5;117;38;5;${slot}mx\x1b[m`)).toBe('\x1b[48;5;117;38;2;18;52;86mx\x1b[m');
    output.clear();
    expect(output.rewrite(`\x1b[38;5;${slot}mx\x1b[m`)).toBe(`\x1b[38;5;${slot}mx\x1b[m`);
  });

  test('more colours than there are slots share the last', () => {
    const output = new TerminalOutput();
    const numbers = new Set(Array.from({ length: 600 }, (_, i) => output.numberOf(0x010101 + i * 977)));
    expect(Math.max(...numbers)).toBe(255);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(16);
  });
});
