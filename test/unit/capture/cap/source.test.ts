import { rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openCap } from '../../../../src/capture/cap/source.ts';
import { DriverUnavailable } from '../../../../src/capture/errors.ts';
import type { CaptureRequest, PacketSource } from '../../../../src/capture/source.ts';
import { NetmonError } from '../../../../src/model/errors.ts';
import { FakeChild, fakeCapSpawn } from '../../../support/fake-cap.ts';
import { type FakeSystem, fakeEdges, sysfs } from '../../../support/fake-edges.ts';

const FILES = {
  ...sysfs('eth0', { ifindex: 2, flags: '0x1003', type: 1, operstate: 'up', 'device/vendor': '1' }),
  ...sysfs('tun0', { ifindex: 3, flags: '0x1003', type: 65534, operstate: 'up', tun_flags: '0x1001' }),
};
const REQUEST: CaptureRequest = { interfaces: ['eth0'], bpf: null, bufferBytes: 8 << 20 };

function clockAt(): { now(): number; monotonic(): number; time: number } {
  const clock = { time: 0, now: () => clock.time, monotonic: () => clock.time };
  return clock;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Lets the children write what was pushed, and their streams deliver it. */
async function settle(children: readonly FakeChild[] = []): Promise<void> {
  for (const child of children) child.flush();
  for (let i = 0; i < 6; i++) await turn();
}

async function open(answers: (string | Error | null)[], request = REQUEST, system: FakeSystem = {}) {
  const { spawn, children } = fakeCapSpawn(...answers);
  const clock = clockAt();
  const edges = fakeEdges({ files: FILES, spawn, ...system });
  const source = await openCap(request, edges, clock, { script: '/cap-child.js', startMs: 5000 });
  return { source, children, clock, edges };
}
async function failure(answers: (string | Error | null)[], request = REQUEST, system: FakeSystem = {}): Promise<NetmonError> {
  const thrown: unknown = await open(answers, request, system).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(thrown instanceof NetmonError)) throw new Error(`expected a NetmonError, got ${String(thrown)}`);
  return thrown;
}
const frame = (length: number, fill: number) => new Uint8Array(length).fill(fill);

describe('openCap', () => {
  it('gives frames as a batch', async () => {
    const { source, children, edges } = await open(['ETHERNET'], { ...REQUEST, bpf: 'tcp' });
    expect(edges.ran[0]).toMatch(/ --no-warnings \/cap-child\.js eth0 tcp 16777216$/);
    expect(source.interfaces).toEqual([{ name: 'eth0', kind: 'physical', link: 1, deliversTwice: false }]);
    expect(source.startsPrograms).toBe(true);
    expect([source.driver, source.state, source.note, source.namesProcesses, source.read()]).toEqual([
      'cap',
      'open',
      '',
      false,
      null,
    ]);
    children[0]?.capture?.push(frame(60, 1));
    children[0]?.capture?.push(frame(1500, 2));
    await settle(children);
    const batch = source.read();
    expect(batch?.count).toBe(2);
    expect([...(batch?.captured.subarray(0, 2) ?? [])]).toEqual([60, 160]);
    expect([...(batch?.wire.subarray(0, 2) ?? [])]).toEqual([60, 1500]);
    expect([batch?.time[0], batch?.link[1], batch?.iface[1], batch?.direction[0], batch?.process[0]]).toEqual([
      1_700_000_000_123.25, 1, 0, 0, 0,
    ]);
    expect(batch?.bytes[batch.offset[1] ?? 0]).toBe(2);
    expect(source.read()).toBeNull();
    expect(source.stats()).toEqual({ received: 2, droppedByKernel: null, droppedByInterface: null, shed: 0, malformed: 0 });
    source.close();
    expect(children[0]?.killed).toBe('SIGKILL');
    expect([source.state, source.read()]).toEqual(['ended', null]);
  });

  it('discards what came before it begins', async () => {
    const { source, children } = await open(['ETHERNET']);
    children[0]?.capture?.push(frame(60, 1));
    await settle(children);
    source.begin?.();
    children[0]?.capture?.push(frame(60, 2));
    await settle(children);
    const batch = source.read();
    expect([batch?.count, batch?.bytes[batch.offset[0] ?? 0]]).toEqual([1, 2]);
    source.close();
  });

  it('blocks the child when nobody reads, and loses nothing that it wrote', async () => {
    const { source, children } = await open(['ETHERNET']);
    const total = 20_000;
    for (let i = 0; i < total; i++) children[0]?.capture?.push(frame(160, i & 255));
    await settle(children);
    let count = 0;
    for (let i = 0; i < 200 && count < total; i++) {
      for (let batch = source.read(); batch !== null; batch = source.read()) count += batch.count;
      await turn();
    }
    expect(count).toBe(total);
    source.close();
  });

  it('captures each interface in its own process, and splits the ring', async () => {
    const { source, children } = await open(['ETHERNET', 'RAW'], { ...REQUEST, interfaces: ['eth0', 'tun0'] });
    expect(source.interfaces.map((i) => [i.name, i.kind, i.link])).toEqual([
      ['eth0', 'physical', 1],
      ['tun0', 'tunnel', 101],
    ]);
    expect(source.bufferBytes).toBe(16 << 20);
    expect(children.map((child) => child.capture?.opened?.[2])).toEqual([8 << 20, 8 << 20]);
    children[0]?.capture?.push(frame(60, 1));
    children[1]?.capture?.push(frame(60, 1));
    await settle(children);
    const seen = [source.read(), source.read()].map((batch) => batch?.iface[0]);
    expect([...seen].sort()).toEqual([0, 1]);
    source.close();
  });

  it('takes the default interface when none is named', async () => {
    const route = 'h\neth0\t00000000\t0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n';
    const { source } = await open(['ETHERNET'], { ...REQUEST, interfaces: [] }, { files: { ...FILES, 'proc/net/route': route } });
    expect(source.interfaces[0]?.name).toBe('eth0');
    source.close();
    expect((await failure(['ETHERNET'], { ...REQUEST, interfaces: [] })).message).toBe('there is no default route');
  });
});

describe('openCap, when it fails', () => {
  it('says that the package is missing, and lets other drivers be tried', async () => {
    const error = await failure([null]);
    expect([error instanceof DriverUnavailable, error.message]).toEqual([true, 'the package cap is not installed']);
  });

  it.each([
    ['socket: Operation not permitted', 'permission'],
    ["can't parse filter expression: syntax error", 'bad-filter'],
    ['No such device exists', 'no-device'],
    ['That device is not up', 'no-device'],
  ])('explains %j', async (text, code) => {
    const error = await failure([new Error(text)], { ...REQUEST, bpf: 'x y', interfaces: ['eth7'] });
    expect([error.code, error instanceof DriverUnavailable]).toEqual([code, false]);
  });

  it('refuses a link type that is not decoded', async () => {
    const error = await failure(['IEEE802_11_RADIO']);
    expect(error.message).toBe("can't capture on eth0: link type IEEE802_11_RADIO is not decoded");
  });

  it('kills a child that says nothing', async () => {
    const child = new FakeChild();
    const edges = fakeEdges({ files: FILES, spawn: () => child.asChild() });
    await expect(openCap(REQUEST, edges, clockAt(), { script: '/x', startMs: 20 })).rejects.toThrow(
      'the process of cap did not start',
    );
    expect(child.killed).toBe('SIGKILL');
  });

  it('reports the last words of a child that died', async () => {
    const child = new FakeChild();
    const edges = fakeEdges({ files: FILES, spawn: () => child.asChild() });
    child.stderr.write('Error: \u001b[31mbroken\n');
    setImmediate(() => setImmediate(() => child.die(1, null)));
    await expect(openCap(REQUEST, edges, clockAt(), { script: '/x', startMs: 5000 })).rejects.toThrow(
      'did not start: Error: [31mbroken',
    );
  });
});

describe('the death of the child', () => {
  const aborted = async (source: PacketSource, child: FakeChild | undefined) => {
    child?.stderr.write("node: ../src/binding.cc:190: Assertion `status == 0' failed.\n");
    await settle();
    child?.die(null, 'SIGABRT');
    await settle();
    return source.read();
  };

  it('gives what it had written, waits, and starts another when the interface is up', async () => {
    const { source, children, clock } = await open(['ETHERNET']);
    children[0]?.capture?.push(frame(60, 1));
    children[0]?.flush();
    expect((await aborted(source, children[0]))?.count).toBe(1);
    expect(source.read()).toBeNull();
    expect([source.state, source.note]).toEqual([
      'waiting',
      expect.stringMatching(/^eth0 went down, or its capture ended .*Assertion/),
    ]);
    expect(children.length).toBe(1);
    clock.time = 1001;
    source.read();
    expect(children.length).toBe(2);
    await settle(children);
    expect([source.state, source.note, source.interfaces.length]).toEqual(['open', '', 1]);
    children[1]?.capture?.push(frame(60, 1));
    await settle(children);
    expect(source.read()?.count).toBe(1);
    expect(source.stats().received).toBe(2);
    source.close();
  });

  it('waits for an interface that is down, but not for one that is gone', async () => {
    const { source, children, clock, edges } = await open(['ETHERNET']);
    writeFileSync(`${edges.paths.sys}/class/net/eth0/flags`, '0x1002\n');
    await aborted(source, children[0]);
    clock.time = 5000;
    source.read();
    expect([source.state, source.note, children.length]).toEqual(['waiting', 'eth0 is down; waiting for it', 1]);
    rmSync(`${edges.paths.sys}/class/net/eth0`, { recursive: true });
    clock.time = 10_000;
    source.read();
    expect([source.state, source.note]).toEqual(['waiting', 'eth0 is gone']);
    clock.time = 21_000;
    source.read();
    expect([source.state, children.length]).toEqual(['lost', 1]);
    source.close();
  });

  it('is tried again ever more slowly while it dies at once', async () => {
    const { source, children, clock } = await open(['ETHERNET', new Error('That device is not up')]);
    await aborted(source, children[0]);
    const starts: number[] = [];
    for (clock.time = 0; clock.time < 40_000; clock.time += 500) {
      const before = children.length;
      source.read();
      if (children.length > before) starts.push(clock.time);
      await settle();
    }
    expect(starts).toEqual([1000, 3500, 8000, 16_500, 27_000, 37_500]);
    expect(source.note).toContain('That device is not up');
    source.close();
  });

  it('is forced when it writes an invalid record', async () => {
    const { source, children, clock } = await open(['ETHERNET']);
    children[0]?.stdout.write(Buffer.alloc(64, 0xff));
    await settle();
    expect(source.read()).toBeNull();
    expect([children[0]?.killed, source.stats().malformed]).toEqual(['SIGKILL', 1]);
    await settle();
    clock.time = 1001;
    source.read();
    await settle();
    expect([children.length, source.state]).toEqual([2, 'open']);
    source.close();
  });

  it('keeps the count of frames it shed', async () => {
    const { source, children, clock } = await open(['ETHERNET']);
    children[0]?.stderr.write('netmon-cap shed 41\nnetmon-cap shed 99999999999999999999\n');
    await aborted(source, children[0]);
    clock.time = 1001;
    source.read();
    await settle();
    children[1]?.stderr.write('netmon-cap shed 1\n');
    await settle();
    expect(source.stats()).toMatchObject({ shed: 42, received: 42, droppedByKernel: null });
    source.close();
  });
});
