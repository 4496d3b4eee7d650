import { describe, expect, it } from 'vitest';
import { tomlLines } from '../../../../src/cli/config/config-file.ts';

describe('tomlLines', () => {
  it('finds keys past everything that looks like one', () => {
    const text = [
      '# a = 1', // 1
      'a = """', // 2
      'b = 2', // 3
      '[c]"""""', // 4: two quotes inside, then the end
      "d = '''", // 5
      "x' # ]", // 6
      "'''", // 7
      'e = [ # a comment with ] and "', // 8
      '  "]", [1, 2],', // 9
      ']', // 10
      'f.g."h.i" = 1', // 11
      'j = { k = { l = 1 } } # trailing', // 12
      '', // 13
      '[m . "n o"]', // 14
      'p = "#"', // 15
      'q.r = 1', // 16
      '[[s]]', // 17
      't = 1', // 18
      'u = "\\"[" # "', // 19
      "'v' = 2", // 20
      '"w" = 3', // 21
    ];
    for (const newline of ['\n', '\r\n']) {
      const lines = tomlLines(text.join(newline));
      const at = (...path: string[]) => lines.lineOf(path);
      expect([at('a'), at('d'), at('e'), at('f'), at('f', 'g', 'h.i')]).toEqual([2, 5, 8, 11, 11]);
      expect([at('j', 'k', 'l'), at('m'), at('m', 'n o'), at('m', 'n o', 'p'), at('m', 'n o', 'q', 'r')]).toEqual([
        12, 14, 14, 15, 16,
      ]);
      expect([at('s'), at('s', 't'), at('s', 'u'), at('s', 'v'), at('s', 'w')]).toEqual([17, 18, 19, 20, 21]);
      expect([at('b'), at('c'), at('none'), at('e', '2')]).toEqual([1, 1, 1, 8]);
    }
  });
});
