import { describe, expect, it } from 'vitest';
import { wrapCells, wrapWords } from '../../../../src/view/text/cells.ts';

describe('words', () => {
  it('stay whole where they fit', () => {
    expect(wrapWords('the history file is not there', 12)).toEqual(['the history', 'file is not', 'there']);
    expect(wrapWords('', 12)).toEqual([]);
    expect(wrapWords('  27 B/s  10.0.0.1 udp', 12)).toEqual(['  27 B/s', '10.0.0.1 udp']);
  });

  it('wider than a line are cut by cells, and the next goes on behind', () => {
    expect(wrapWords('in /home/ann/history now', 8)).toEqual(['in', '/home/an', 'n/histor', 'y now']);
  });

  it('count two cells for a wide letter', () => {
    expect(wrapWords('日本 日本', 5)).toEqual(['日本', '日本']);
    expect(wrapCells('日本日', 5)).toEqual(['日本', '日']);
  });
});
