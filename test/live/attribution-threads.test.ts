// BPF programs in this kernel. The report of a socket names the program's main thread, whichever of its threads made the socket.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ATTACH, loadBpfCalls, PROGRAM as PROGRAM_TYPE } from '../../src/identify/process/linux/ebpf/calls.ts';
import { loadPrograms } from '../../src/identify/process/linux/ebpf/loader.ts';
import { REPORT } from '../../src/identify/process/linux/ebpf/socket-programs.ts';
import { sayObstacle } from '../support/traffic/obstacle.ts';

const reason = sayObstacle('live test of sockets that a thread makes');
const PR_SET_NAME = 15;
/** A program called `program`, of which a thread called `thread` makes a socket and sends once. */
const PROGRAM = `
const { isMainThread, Worker } = require('node:worker_threads');
const name = (text) => require(${JSON.stringify(createRequire(import.meta.url).resolve('koffi'))}).load('libc.so.6').func('int prctl(int, const char*)')(${PR_SET_NAME}, text);
name(isMainThread ? 'program' : 'thread');
if (isMainThread) new Worker(__filename);
else {
  const socket = require('node:dgram').createSocket('udp4');
  socket.send('x', 9, '127.0.0.1', () => socket.close());
}
`;

it.skipIf(reason !== null)('a socket that a thread made is reported under the name of its program', () => {
  const programs = loadPrograms(loadBpfCalls(), '/proc', '/sys');
  try {
    const folder = mkdtempSync(join(tmpdir(), 'nmt-thread-'));
    const path = join(folder, 'program.cjs');
    writeFileSync(path, PROGRAM);
    const child = spawnSync(process.execPath, [path], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(child.stderr).toBe('');
    const names: string[] = [];
    programs.ring.drain((at) => {
      const { bytes } = programs.ring;
      if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + REPORT.OWNER + 4, true) !== child.pid) return;
      names.push(
        Buffer.from(bytes.slice(at + REPORT.COMM, at + REPORT.COMM + 16))
          .toString('latin1')
          .replace(/\0.*/s, ''),
      );
    }, 16_384);
    expect(names).toEqual(['program']);
  } finally {
    programs.close();
  }
});

it.skipIf(reason !== null)("a program that the kernel refuses is refused in the verifier's words", () => {
  const exitWithoutResult = Buffer.from([0x95, 0, 0, 0, 0, 0, 0, 0]);
  expect(() => loadBpfCalls().loadProgram(PROGRAM_TYPE.CGROUP_SKB, ATTACH.INGRESS, exitWithoutResult, 'refused')).toThrow(
    /^program refused: .*R0 !read_ok/,
  );
});
