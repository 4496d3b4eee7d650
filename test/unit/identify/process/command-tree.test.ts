import { describe, expect, it } from 'vitest';
import { CommandTree } from '../../../../src/identify/process/command-tree.ts';

const process = (pid: number, startedAt: number | null = null, above: readonly number[] = [], id = 0) => ({
  id,
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
    expect([10, 11, 12, 13].map((pid) => tree.membership(process(pid)))).toEqual(new Array(4).fill('lineage'));
    expect(tree.begun).toBe(4);
    expect(tree.membership(process(14))).toBe(null);
  });

  it('tells a pid that was used again from the process that had it', () => {
    const tree = new CommandTree();
    tree.begin(10);
    tree.born(11, 10, 1_000_000);
    tree.born(11, 1, 9_000_000);
    tree.born(12, 11, 9_001_000);
    expect(tree.membership(process(11, 1_000_000))).toBe('lineage');
    expect(tree.membership(process(11, 9_000_000))).toBe(null);
    expect(tree.membership(process(12, 9_001_000))).toBe(null);
    expect(tree.hasPid(11)).toBe(false);
    tree.born(11, 10, 20_000_000); // and back
    expect([tree.membership(process(11, 20_000_000)), tree.hasPid(11)]).toEqual(['lineage', true]);
  });

  it('tells two that had a pid within a second by those above them', () => {
    const tree = new CommandTree();
    tree.begin(10);
    tree.born(11, 10, 5000);
    tree.born(11, 1, 5000);
    expect(tree.membership(process(11, 5000, [1, 10]))).toBe('lineage');
    expect(tree.membership(process(11, 5000, [1]))).toBe(null);
    expect(tree.membership(process(10, 2000, [1]))).toBe('lineage');
  });

  it('takes a process by those above it where nobody announces one', () => {
    const tree = new CommandTree();
    tree.begin(10);
    expect(tree.membership(process(12, 2000, [1, 10, 11]))).toBe('lineage');
    expect(tree.membership(process(12, 2000, [1, 9, 11]))).toBe(null);
    expect(tree.isTold).toBe(false);
  });

  it('has a process whose sockets the kernel marked, whoever started it, and no other with its pid', () => {
    const tree = new CommandTree({ id: 7n, level: 1 });
    tree.begin(10);
    tree.marked(3);
    expect(tree.membership(process(99, 5000, [], 3))).toBe('cgroup');
    expect(tree.membership(process(99, 6000, [], 4))).toBe(null);
    expect(tree.membership(process(12, 2000, [10], 5))).toBe('lineage');
  });
});
