import { rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { procAt } from '../../../../../../src/identify/process/linux/procfs/proc.ts';
import { SocketInodes } from '../../../../../../src/identify/process/linux/procfs/socket-inodes.ts';
import { fakeRoot } from '../../../../../support/fake-edges.ts';

/** A /proc with processes and the sockets that they hold. */
function proc(processes: Record<number, readonly (number | string)[]>): string {
  const files: Record<string, string> = { 'net/tcp': '', uptime: '1' };
  for (const [pid, links] of Object.entries(processes)) {
    files[`${pid}/stat`] = '';
    for (const [fd, target] of links.entries())
      files[`${pid}/fd/${fd}`] = `-> ${typeof target === 'number' ? `socket:[${target}]` : target}`;
  }
  return fakeRoot(files);
}

function walk(inodes: SocketInodes, ...wanted: number[]): void {
  for (const inode of wanted) inodes.want(inode);
  while (!inodes.step(1000));
}

describe('SocketInodes', () => {
  it('finds the process that holds a socket, and remembers sockets that it passed', () => {
    const inodes = new SocketInodes(procAt(proc({ 10: ['/dev/null', 500], 20: ['pipe:[500]', 600, 700], 30: [] })));
    walk(inodes, 500);
    expect([inodes.owner(500), inodes.owner(600), inodes.owner(999)]).toEqual([10, 20, undefined]);
    expect(inodes.walking).toBe(false);
  });

  it('reads the newest process first, and stops when everything is found', () => {
    const inodes = new SocketInodes(procAt(proc({ 10: [500], 20: [600], 30: [700] })));
    walk(inodes, 600);
    expect([inodes.owner(700), inodes.owner(600), inodes.owner(500)]).toEqual([30, 20, undefined]);
  });

  it('reads processes first that held sockets before', () => {
    const folder = proc({ 10: [500], 30: [700] });
    const inodes = new SocketInodes(procAt(folder));
    walk(inodes, 500);
    symlinkSync('socket:[501]', `${folder}/10/fd/9`);
    symlinkSync('socket:[501]', `${folder}/30/fd/9`);
    walk(inodes, 501);
    expect(inodes.owner(501)).toBe(10);
  });

  it('works in slices', () => {
    const inodes = new SocketInodes(procAt(proc({ 1: [101], 2: [102], 3: [103] })));
    inodes.want(101);
    const turns = [inodes.step(0), inodes.walking, inodes.step(0), inodes.step(0)];
    expect([turns, inodes.owner(101)]).toEqual([[false, true, false, true], 1]);
  });

  it('forgets an owner on request, and finds another holder of the socket', () => {
    const folder = proc({ 10: [500], 20: [500] });
    const inodes = new SocketInodes(procAt(folder));
    walk(inodes, 500);
    expect(inodes.owner(500)).toBe(20);
    rmSync(`${folder}/20`, { recursive: true });
    inodes.forget(500);
    walk(inodes, 500);
    expect(inodes.owner(500)).toBe(10);
  });

  it('knows which sockets a process holds now', () => {
    const folder = proc({ 10: [500, '/dev/null', 600], 20: [] });
    const inodes = new SocketInodes(procAt(folder));
    walk(inodes, 500);
    unlinkSync(`${folder}/10/fd/0`);
    expect([10, 20, 99].map((pid) => inodes.heldBy(pid))).toEqual([new Set([600]), new Set(), new Set()]);
  });

  it('gives up on a process with too many descriptors for the time', () => {
    const endless = {
      ...procAt('/nonexistent'),
      *sockets() {
        for (let inode = 1; ; inode++) yield inode;
      },
    };
    expect(new SocketInodes(endless).heldBy(10)).toBeNull();
  });

  it('survives files that vanish while it reads, and a broken /proc', () => {
    const folder = proc({ 10: [500], 20: [600] });
    unlinkSync(`${folder}/20/fd/0`);
    rmSync(`${folder}/20/fd`, { recursive: true });
    const inodes = new SocketInodes(procAt(folder));
    walk(inodes, 500, 600);
    expect([inodes.owner(500), inodes.owner(600)]).toEqual([10, undefined]);
    const none = new SocketInodes(procAt('/nonexistent'));
    walk(none, 1);
    expect(none.owner(1)).toBeUndefined();
  });
});
