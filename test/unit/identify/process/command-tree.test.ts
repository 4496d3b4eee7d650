import { describe, expect, it } from 'vitest';
import { CommandTree } from '../../../../src/identify/process/command-tree.ts';

const process = (pid: number, startedAt: number | null = null, above: readonly number[] = []) => ({
  pid,
  startedAt,
  ancestors: above.map((each) => ({ pid: each, name: '', startedAt: null })),
});

describe('the tree of a command', () => {
  it('has what it started, whatever became of those between', () => {
    const tree = new CommandTree();
    tree.begin(10);
    tree.born(11, 10, 1000);
    tree.born(12, 11, 2000); // then 11 ends, and init adopts 12
    tree.born(13, 12, 3000);
    expect([10, 11, 12, 13].map((pid) => tree.has(process(pid)))).toEqual([true, true, true, true]);
    expect(tree.begun).toBe(4);
    expect(tree.has(process(14))).toBe(false);
  });

  it('tells a pid that was used again from the process that had it', () => {
    const tree = new CommandTree();
    tree.begin(10);
    tree.born(11, 10, 1_000_000);
    tree.born(11, 1, 9_000_000);
    tree.born(12, 11, 9_001_000);
    expect(tree.has(process(11, 1_000_000))).toBe(true);
    expect(tree.has(process(11, 9_000_000))).toBe(false);
    expect(tree.has(process(12, 9_001_000))).toBe(false);
    expect(tree.hasPid(11)).toBe(false);
    tree.born(11, 10, 20_000_000); // and back
    expect([tree.has(process(11, 20_000_000)), tree.hasPid(11)]).toEqual([true, true]);
  });

  it('takes a process by those above it where nobody announces one', () => {
    const tree = new CommandTree();
    tree.begin(10);
    expect(tree.has(process(12, 2000, [1, 10, 11]))).toBe(true);
    expect(tree.has(process(12, 2000, [1, 9, 11]))).toBe(false);
    expect(tree.isTold).toBe(false);
  });
});
