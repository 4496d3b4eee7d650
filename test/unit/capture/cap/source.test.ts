import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());
const turn = () => new Promise((resolve) => setImmediate(resolve));
/** Lets the children write what was pushed, and their streams deliver it. */
async function settle(children: readonly FakeChild[] = []): Promise<void> {
  for (const child of children) child.flush();
  for (let i = 0; i < 6; i++) await turn();
}

async function open(answers: (string | Error | null)[], request = REQUEST, system: FakeSystem = {}) {
  const { spawn, children } = fakeCapSpawn(...answers);
  const edges = fakeEdges({ files: FILES, spawn, ...system });
  const source = await openCap(request, edges, clock);
  return { source, children, edges };
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
    expect(edges.ran[0]).toMatch(/ --no-warnings \S+\/cap-child\.js eth0 tcp 16777216 auto$/);
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
    const opening = expect(openCap(REQUEST, edges, clock)).rejects.toThrow(
      'the process of cap did not start: it was not ready after 10 s',
    );
    await settle();
    vi.advanceTimersByTime(10_000);
    await opening;
    expect(child.killed).toBe('SIGKILL');
  });

  it('reports the last words of a child that died', async () => {
    const child = new FakeChild();
    const edges = fakeEdges({ files: FILES, spawn: () => child.asChild() });
    child.stderr.write('Error: \u001b[31mbroken\n');
    setImmediate(() => setImmediate(() => child.die(1, null)));
    await expect(openCap(REQUEST, edges, clock)).rejects.toThrow('did not start: Error: [31mbroken');
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
  const pass = async (ms: number, children: readonly FakeChild[] = []) => {
    vi.advanceTimersByTime(ms);
    await settle(children);
  };

  it('gives what it had written, waits, and starts another when the interface is up', async () => {
    const { source, children } = await open(['ETHERNET']);
    children[0]?.capture?.push(frame(60, 1));
    children[0]?.flush();
    expect((await aborted(source, children[0]))?.count).toBe(1);
    expect(source.read()).toBeNull();
    expect([source.state, source.note]).toEqual(['waiting', expect.stringMatching(/^cap on eth0 ended .*Assertion.* in 1 s$/)]);
    expect(children.length).toBe(1);
    await pass(1000, children);
    expect(children.length).toBe(2);
    expect([source.state, source.note, source.interfaces.length]).toEqual(['open', '', 1]);
    children[1]?.capture?.push(frame(60, 1));
    await settle(children);
    expect(source.read()?.count).toBe(1);
    expect(source.stats().received).toBe(2);
    source.close();
  });

  it('gives an interface that comes back with another link type an entry of its own', async () => {
    const { source, children } = await open(['ETHERNET', 'RAW']);
    await aborted(source, children[0]);
    await pass(1000, children);
    children[1]?.capture?.push(frame(60, 1));
    await settle(children);
    expect([source.read()?.iface[0], source.interfaces.map(({ name, link }) => [name, link])]).toEqual([
      1,
      [
        ['eth0', 1],
        ['eth0', 101],
      ],
    ]);
    source.close();
  });

  it('waits for an interface that is down, starting nothing', async () => {
    const { source, children, edges } = await open(['ETHERNET']);
    writeFileSync(`${edges.paths.sys}/class/net/eth0/flags`, '0x1002\n');
    await aborted(source, children[0]);
    for (let second = 0; second < 20; second++) {
      expect([source.state, source.note, children.length]).toEqual(['waiting', 'eth0 is down; waiting for it', 1]);
      await pass(1000);
    }
    writeFileSync(`${edges.paths.sys}/class/net/eth0/flags`, '0x1003\n');
    await pass(1000);
    expect([source.state, source.note, children.length]).toEqual(['open', '', 2]);
    source.close();
  });

  it('waits for one that is gone only while another goes on', async () => {
    const { source, children, edges } = await open(['ETHERNET', 'RAW'], { ...REQUEST, interfaces: ['eth0', 'tun0'] });
    rmSync(`${edges.paths.sys}/class/net/eth0`, { recursive: true });
    await aborted(source, children[0]);
    expect([source.state, source.note]).toEqual(['open', 'eth0 is gone']);
    rmSync(`${edges.paths.sys}/class/net/tun0`, { recursive: true });
    await aborted(source, children[1]);
    expect([source.state, children.length]).toEqual(['lost', 2]);
    source.close();
  });

  it('is tried again ever more slowly while it dies at once', async () => {
    const { source, children } = await open(['ETHERNET', new Error('That device is not up')]);
    await aborted(source, children[0]);
    const starts: number[] = [];
    for (let time = 500; time < 40_000; time += 500) {
      const before = children.length;
      await pass(500);
      if (children.length > before) starts.push(time);
    }
    expect(starts).toEqual([1000, 3000, 8000, 18_000, 28_000, 38_000]);
    expect(source.note).toContain('interface eth0 is down');
    source.close();
  });

  it('is tried again when the system has no process to spare', async () => {
    const { spawn, children } = fakeCapSpawn('ETHERNET');
    let refuse = false;
    const edges = fakeEdges({
      files: FILES,
      spawn: (path, args) => {
        if (refuse) throw new Error('spawn ENOMEM');
        return spawn(path, args);
      },
    });
    const source = await openCap(REQUEST, edges, clock);
    refuse = true;
    await aborted(source, children[0]);
    await pass(1000);
    expect([source.state, source.note]).toEqual(['waiting', 'cap on eth0 ended (spawn ENOMEM): starting it again in 2 s']);
    refuse = false;
    await pass(2000);
    expect([source.state, children.length]).toEqual(['open', 2]);
    source.close();
  });

  it('is forced when it writes an invalid record', async () => {
    const { source, children } = await open(['ETHERNET']);
    children[0]?.stdout.write(Buffer.alloc(64, 0xff));
    await settle();
    expect(source.read()).toBeNull();
    expect([children[0]?.killed, source.stats().malformed]).toEqual(['SIGKILL', 1]);
    await settle();
    await pass(1000);
    expect([children.length, source.state]).toEqual([2, 'open']);
    source.close();
  });

  it('keeps the count of frames it dropped', async () => {
    const { source, children } = await open(['ETHERNET']);
    children[0]?.stderr.write('cap: 41 packets dropped by netmon-tui\n');
    await aborted(source, children[0]);
    await pass(1000);
    children[1]?.stderr.write('cap: 1 packets dropped by netmon-tui\n');
    await settle();
    expect(source.stats()).toMatchObject({ shed: 42, received: 42, droppedByKernel: null });
    source.close();
  });
});
