import { afterEach, describe, expect, it } from 'vitest';
import { DriverUnavailable } from '../../../../src/capture/errors.ts';
import { type Instruction, readProgram, writeProgram } from '../../../../src/capture/libpcap/bpf-assembler.ts';
import { FULL_BYTES, snapProgram, WHOLE_BYTES } from '../../../../src/capture/libpcap/snap-program.ts';
import { openLibpcap } from '../../../../src/capture/libpcap/source.ts';
import type { CaptureRequest, PacketSource } from '../../../../src/capture/source.ts';
import { DIRECTION, LINK } from '../../../../src/net/numbers.ts';
import { framesOf } from '../../../support/capture-reader.ts';
import { joined, pktapHeader } from '../../../support/capture-writer.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { type FakeSystem, fakeEdges, sysfs } from '../../../support/fake-edges.ts';
import { type FakeDevice, FakeLibpcap, fakeDevice } from '../../../support/fake-libpcap.ts';
import { ethernet, ipv4, sll2, tcp } from '../../../support/frames.ts';

const frame = ethernet({}, ipv4({}, tcp({}, 'hello')));
const MIB = 1 << 20;

/** A program that keeps this many bytes of every frame. */
const keep = (bytes: number) => [{ code: 0x06, jt: 0, jf: 0, k: bytes }];

const LINUX: Record<string, string> = {
  ...sysfs('lo', { ifindex: 1, type: 772, flags: '0x9' }),
  ...sysfs('eth0', { ifindex: 2, type: 1, flags: '0x1003', 'device/x': '' }),
  ...sysfs('eth1', { ifindex: 3, type: 1, flags: '0x1003', 'device/x': '' }),
};

let open: PacketSource | null = null;
afterEach(() => {
  open?.close();
  open = null;
});

interface Setup {
  request?: Partial<CaptureRequest>;
  system?: FakeSystem;
  pktap?: boolean;
}

function setUp(devices: Record<string, FakeDevice>, { request = {}, system = {}, pktap = false }: Setup = {}) {
  const calls = new FakeLibpcap(devices, pktap);
  const edges = fakeEdges({ platform: 'linux', files: LINUX, ...system });
  const clock = new FakeClock();
  const asked: CaptureRequest = { interfaces: ['eth0'], bpf: null, bufferBytes: 16 * MIB, ...request };
  return { calls, edges, clock, open: async () => (open = await openLibpcap(asked, edges, clock, calls)), begun };

  /** Opens the source and reads once. */
  async function begun(): Promise<PacketSource> {
    open = await openLibpcap(asked, edges, clock, calls);
    open.read();
    return open;
  }
}

function drain(source: PacketSource) {
  const all = [];
  for (let batch = source.read(); batch !== null; batch = source.read())
    all.push(...framesOf(batch, source.interfaces, source.processes));
  return all;
}

describe('Linux', () => {
  it('configures, activates, then filters, and reads frames', async () => {
    const eth0 = fakeDevice(LINK.ETHERNET);
    const { calls, open } = setUp({ eth0 });
    const source = await open();
    expect(calls.calls.map((call) => call.split(' ')[0])).toEqual([
      'create',
      'snaplen',
      'buffer',
      'timeout',
      'activate',
      'nonblock',
      'filter',
      'filter',
      'dump',
    ]);
    expect(calls.calls).toContain(`snaplen eth0 ${WHOLE_BYTES}`);
    expect(readProgram(calls.programs[0] as Buffer)).toEqual(snapProgram(LINK.ETHERNET));
    expect(source.read()).toBeNull();
    eth0.frames.push({ data: frame, time: 1_700_000_000_123.5 }, { data: frame.subarray(0, 40), wire: 1500 });
    expect(drain(source)).toMatchObject([
      { interface: 'eth0', wire: frame.length, link: LINK.ETHERNET, time: 1_700_000_000_123.5, direction: 0, process: null },
      { wire: 1500 },
    ]);
    expect(source).toMatchObject({ driver: 'libpcap', namesProcesses: false, state: 'open', note: '', bufferBytes: 16 * MIB });
  });

  it('asks for no more frames than fit at full size', async () => {
    const eth0 = fakeDevice(LINK.ETHERNET);
    const { calls, begun } = setUp({ eth0 });
    const source = await begun();
    const large = new Uint8Array(WHOLE_BYTES);
    eth0.frames.push(...Array.from({ length: 600 }, () => ({ data: large })));
    let frames = 0;
    for (let batch = source.read(); batch !== null; batch = source.read()) frames += batch.count;
    expect(frames).toBe(600);
    expect(calls.limit).toBeGreaterThan(100);
  });

  it('keeps every byte if whole packets are asked for', async () => {
    const eth0 = fakeDevice(LINK.ETHERNET);
    const { calls, begun } = setUp({ eth0 }, { request: { wholePackets: true } });
    const source = await begun();
    expect(calls.calls).toContain(`snaplen eth0 ${FULL_BYTES}`);
    expect(calls.programs.map(readProgram)).toContainEqual(keep(FULL_BYTES));
    expect(source.snapLength).toEqual({ bulk: FULL_BYTES, whole: FULL_BYTES });
    const large = new Uint8Array(FULL_BYTES);
    eth0.frames.push(...Array.from({ length: 100 }, () => ({ data: large })));
    let frames = 0;
    for (let batch = source.read(); batch !== null; batch = source.read()) frames += batch.count;
    expect(frames).toBe(100);
  });

  it('shares the ring, and reads all interfaces in turn', async () => {
    const eth0 = fakeDevice(LINK.ETHERNET);
    const eth1 = fakeDevice(LINK.RAW_DLT);
    const { calls, begun } = setUp({ eth0, eth1 }, { request: { interfaces: ['eth0', 'eth1'] } });
    const source = await begun();
    expect(calls.calls.filter((call) => call.startsWith('buffer'))).toEqual([`buffer eth0 ${8 * MIB}`, `buffer eth1 ${8 * MIB}`]);
    expect(source.bufferBytes).toBe(16 * MIB);
    eth0.frames.push({ data: frame }, { data: frame });
    eth1.frames.push({ data: frame.subarray(14) });
    expect(drain(source).map((each) => `${each.interface} ${each.link}`)).toEqual(['eth0 1', 'eth0 1', 'eth1 12']);
  });

  it('gives every ring at least the size that loses nothing', async () => {
    const { calls, open } = setUp({ eth0: fakeDevice(1) }, { request: { bufferBytes: 1000 } });
    const source = await open();
    expect(calls.calls).toContain(`buffer eth0 ${4 * MIB}`);
    expect(source.bufferBytes).toBe(4 * MIB);
  });

  it.each([
    [20, ['eth0'], 50],
    [16, ['eth0', 'eth1'], 125],
    [16, ['eth0', 'eth1', 'eth0', 'eth1', 'eth0'], 250],
  ])('%i MiB over %j hold four seconds in blocks of 256 KiB that are each closed after %i ms', async (mib, interfaces, ms) => {
    const devices = { eth0: fakeDevice(1), eth1: fakeDevice(1) };
    const { calls, open } = setUp(devices, { request: { interfaces, bufferBytes: mib * MIB } });
    const source = await open();
    const ring = Math.max(4, mib / interfaces.length) * MIB;
    expect((ring / (256 * 1024)) * ms).toBeGreaterThanOrEqual(4000);
    expect(calls.calls.filter((call) => call.startsWith('timeout'))).toEqual(interfaces.map((name) => `timeout ${name} ${ms}`));
    expect(source.delayMs).toBe(ms);
  });

  it('takes no frame, and counts none as lost, before the first read', async () => {
    const eth0 = fakeDevice(1, { stat: { recv: 3, drop: 0, ifdrop: 0 } });
    const { calls, open } = setUp({ eth0 });
    const source = await open();
    expect(calls.programs.map(readProgram)).toEqual([snapProgram(1), keep(0)]);
    eth0.frames.push({ data: frame }); // arrived before the filter was set
    eth0.stat = { recv: 900, drop: 700, ifdrop: 2 };
    expect(source.stats()).toMatchObject({ received: 0, droppedByKernel: 0, droppedByInterface: 0 });
    expect(source.read()).toBeNull();
    expect(calls.programs.map(readProgram)).toEqual([snapProgram(1), keep(0), snapProgram(1)]);
    eth0.frames.push({ data: frame });
    expect(drain(source)).toHaveLength(1);
    eth0.stat = { recv: 907, drop: 705, ifdrop: 2 };
    expect(source.stats()).toMatchObject({ received: 7, droppedByKernel: 5, droppedByInterface: 0 });
  });

  it('assigns cooked frames of `any` by the interface number and direction in them', async () => {
    const any = fakeDevice(LINK.LINUX_SLL);
    const { calls, begun } = setUp({ any }, { request: { interfaces: ['any'] } });
    const source = await begun();
    expect(calls.calls).toContain(`set_datalink any ${LINK.LINUX_SLL2}`);
    const cooked = (interfaceIndex: number, packetType: number) => ({
      data: sll2({ interfaceIndex, packetType }, ipv4({}, tcp({}))),
    });
    any.frames.push(cooked(2, 4), cooked(1, 0), cooked(2, 0), cooked(99, 1), cooked(0x7fffffff, 0), cooked(99, 1));
    expect(drain(source).map((each) => `${each.interface} ${each.direction}`)).toEqual([
      `eth0 ${DIRECTION.OUT}`,
      `lo ${DIRECTION.IN}`,
      `eth0 ${DIRECTION.IN}`,
      `#99 ${DIRECTION.IN}`,
      `#2147483647 ${DIRECTION.IN}`,
      `#99 ${DIRECTION.IN}`,
    ]);
  });

  it('asks the kernel for the name of each interface once, even for many interfaces with high numbers', async () => {
    const any = fakeDevice(LINK.LINUX_SLL);
    const { calls, begun } = setUp({ any }, { request: { interfaces: ['any'] } });
    const source = await begun();
    const numbers = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1000 + i : 100_000 + i));
    for (const number of numbers) calls.interfaceNames.set(number, `veth${number}`);
    calls.calls.length = 0;
    const cooked = (interfaceIndex: number) => ({ data: sll2({ interfaceIndex }, ipv4({}, tcp({}))) });
    for (let round = 0; round < 3; round++) any.frames.push(...numbers.map(cooked));
    expect(drain(source).map((each) => each.interface)).toEqual(
      [...numbers, ...numbers, ...numbers].map((each) => `veth${each}`),
    );
    expect(calls.calls).toEqual(numbers.map((each) => `name ${each}`));
  });

  it('takes the default route if none is named, and says if there is none', async () => {
    const route =
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth1\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n';
    const files = { ...LINUX, 'proc/net/route': route };
    const { open } = setUp({ eth1: fakeDevice(1) }, { request: { interfaces: [] }, system: { files } });
    expect((await open()).interfaces.map(({ name }) => name)).toEqual(['eth1']);
    const none = setUp({}, { request: { interfaces: [] } });
    await expect(none.open()).rejects.toMatchObject({ code: 'no-device', message: expect.stringContaining('default route') });
  });

  it("puts the user's filter before its own", async () => {
    const { calls, open } = setUp({ eth0: fakeDevice(1) }, { request: { bpf: 'tcp' } });
    const user = [
      { code: 0x06, jt: 0, jf: 0, k: 262_144 },
      { code: 0x06, jt: 0, jf: 0, k: 0 },
    ];
    calls.compiled = writeProgram(user);
    await open();
    expect(calls.calls).toContain('compile eth0 tcp');
    const program = readProgram(calls.programs[0] as Buffer);
    expect(program.slice(0, 2)).toEqual([{ code: 0x05, jt: 0, jf: 0, k: 1 }, user[1]]);
    expect(program.slice(2)).toEqual(snapProgram(1));
  });
});

describe('failures', () => {
  it.each<[string, Partial<FakeDevice>, Partial<CaptureRequest>, object]>([
    ['no permission', { activate: -8 }, {}, { code: 'permission' }],
    ['down', { activate: -9, error: 'That device is not up' }, {}, { code: 'no-device', message: 'interface eth0 is down' }],
    ['a bad filter', { error: 'syntax error in filter expression' }, { bpf: 'tcp prot' }, { code: 'bad-filter' }],
    ['a filter that can not be set', { refusesFilter: true, error: 'out of memory' }, {}, { code: 'no-device' }],
  ])('%s closes the handle and says so', async (_name, device, request, expected) => {
    const { calls, open } = setUp({ eth0: fakeDevice(1, device) }, { request });
    await expect(open()).rejects.toMatchObject(expected);
    expect(calls.open).toEqual([]);
  });

  it('of one interface among several closes all', async () => {
    const { calls, open } = setUp({ eth0: fakeDevice(1) }, { request: { interfaces: ['eth0', 'eth1'] } });
    await expect(open()).rejects.toMatchObject({ code: 'no-device' });
    expect(calls.open).toEqual([]);
  });
});

describe('an interface that goes away', () => {
  it('is lost if it no longer exists and was the only one', async () => {
    const device = fakeDevice(1);
    const { calls, begun } = setUp({ gone0: device }, { request: { interfaces: ['gone0'] } });
    const source = await begun();
    device.stat.recv = 7;
    device.failure = 'The interface disappeared';
    expect(source.read()).toBeNull();
    expect(source).toMatchObject({ state: 'lost', note: 'gone0: The interface disappeared' });
    expect(calls.open).toEqual([]);
    expect(source.stats()).toMatchObject({ received: 7 });
  });

  it('is waited for while it exists, and opened again', async () => {
    const eth0 = fakeDevice(LINK.ETHERNET, { failure: 'The interface went down' });
    const { clock, open } = setUp({ eth0 });
    const source = await open();
    source.read();
    expect(source).toMatchObject({ state: 'waiting', note: 'eth0: The interface went down' });
    delete eth0.failure;
    eth0.activate = -9;
    eth0.error = 'That device is not up';
    clock.pass(2001);
    source.read();
    expect(source).toMatchObject({ state: 'waiting', note: 'eth0: interface eth0 is down' });
    eth0.activate = 0;
    clock.pass(1000);
    expect(source.read()).toBeNull();
    clock.pass(1000);
    source.read();
    expect(source).toMatchObject({ state: 'open', note: '' });
    source.read();
    eth0.frames.push({ data: frame });
    expect(drain(source)).toHaveLength(1);
    expect(source.interfaces).toHaveLength(1);
  });

  it('does not stop the others, and comes back', async () => {
    const eth0 = fakeDevice(1);
    const eth1 = fakeDevice(1);
    const { calls, clock, begun } = setUp({ eth0, eth1 }, { request: { interfaces: ['eth0', 'eth1'] } });
    const source = await begun();
    eth1.stat = { recv: 5, drop: 1, ifdrop: 0 };
    eth1.failure = 'The interface disappeared';
    eth0.frames.push({ data: frame });
    expect(drain(source)).toHaveLength(1);
    expect(source).toMatchObject({ state: 'open', note: 'eth1: The interface disappeared' });
    expect(calls.open).toEqual(['eth0']);
    delete eth1.failure;
    eth1.stat = { recv: 0, drop: 0, ifdrop: 0 };
    clock.pass(2001);
    source.read();
    expect(source.note).toBe('');
    expect(calls.open).toEqual(['eth0', 'eth1']);
    source.read();
    eth1.stat = { recv: 2, drop: 0, ifdrop: 0 };
    expect(source.stats()).toMatchObject({ received: 7, droppedByKernel: 1 });
  });
});

describe('counters', () => {
  it('continue when 32-bit ones wrap', async () => {
    const eth0 = fakeDevice(1);
    const { begun } = setUp({ eth0 });
    const source = await begun();
    eth0.stat = { recv: 0xfffffff0, drop: 3, ifdrop: 0xffffffff };
    expect(source.stats()).toMatchObject({ received: 0xfffffff0, droppedByKernel: 3, droppedByInterface: 0xffffffff });
    eth0.stat = { recv: 0x10, drop: 4, ifdrop: 1 };
    expect(source.stats()).toMatchObject({
      received: 0x1_0000_0010,
      droppedByKernel: 4,
      droppedByInterface: 0x1_0000_0001,
      shed: 0,
      malformed: 0,
    });
  });
});

describe('macOS', () => {
  const pktap = (data: Uint8Array, fields: Parameters<typeof pktapHeader>[0]) => ({ data: joined(pktapHeader(fields), data) });
  const mac = (euid: number): FakeSystem => ({
    platform: 'darwin',
    files: {},
    euid,
    programs: { 'route -n get default': { stdout: '   route to: default\n  interface: en0\n' } },
  });
  const DEFAULT = 'pktap,en,utun,ipsec,ppp,lo0';

  it('opens PKTAP over all interfaces, requested before activation, and unwraps its frames', async () => {
    const device = fakeDevice(LINK.PKTAP_DLT);
    const { calls, begun } = setUp({ [DEFAULT]: device }, { request: { interfaces: [] }, system: mac(0), pktap: true });
    const source = await begun();
    const order = calls.calls.map((call) => call.split(' ')[0]);
    expect(order.indexOf('want_pktap')).toBeLessThan(order.indexOf('activate'));
    expect(calls.calls).toContain(`snaplen ${DEFAULT} 2204`);
    expect(calls.programs.map(readProgram)).toEqual([keep(2204), keep(0), keep(2204)]);
    device.frames.push(
      pktap(frame, { name: 'en0', direction: 'out', pid: 42, comm: 'curl' }),
      pktap(frame, { name: 'utun4', link: 0, direction: 'in', pid: -1, effectivePid: 7, effectiveComm: 'vpn' }),
      { data: new Uint8Array(20) },
    );
    expect(drain(source)).toMatchObject([
      { interface: 'en0', link: 1, wire: frame.length, direction: DIRECTION.OUT, process: 'curl:42', effective: null },
      { interface: 'utun4', link: 0, direction: DIRECTION.IN, process: null, effective: 'vpn:7' },
    ]);
    expect(source).toMatchObject({ namesProcesses: true, snapLength: { bulk: 2048, whole: 2048 } });
    expect(source.stats().malformed).toBe(1);
  });

  it('gives the one PKTAP handle the whole ring, however many interfaces it covers', async () => {
    const device = fakeDevice(LINK.PKTAP_DLT);
    const request = { interfaces: ['en0', 'utun4', 'lo0'] };
    const { calls, open } = setUp({ 'pktap,en0,utun4,lo0': device }, { request, system: mac(0), pktap: true });
    const source = await open();
    expect(calls.calls).toContain(`buffer pktap,en0,utun4,lo0 ${16 * MIB}`);
    expect(source.bufferBytes).toBe(16 * MIB);
  });

  it('reports the size of the ring that the kernel granted', async () => {
    const devices = { [DEFAULT]: fakeDevice(LINK.PKTAP_DLT) };
    const { calls, open } = setUp(devices, { request: { interfaces: [] }, system: mac(0), pktap: true });
    calls.bufferSize = () => MIB / 2;
    expect((await open()).bufferBytes).toBe(MIB / 2);
  });

  it('takes all interfaces for `any`', async () => {
    const { calls, open } = setUp(
      { 'pktap,all': fakeDevice(LINK.PKTAP_DLT) },
      { request: { interfaces: ['any'] }, system: mac(0), pktap: true },
    );
    await open();
    expect(calls.open).toEqual(['pktap,all']);
  });

  it('opens the plain interface without root, and says why', async () => {
    const devices = { [DEFAULT]: fakeDevice(149, { activate: -8 }), en0: fakeDevice(1) };
    const { calls, open } = setUp(devices, { request: { interfaces: [] }, system: mac(501), pktap: true });
    const source = await open();
    expect(calls.open).toEqual(['en0']);
    expect(source).toMatchObject({
      namesProcesses: false,
      state: 'open',
      note: expect.stringContaining('without root there is no PKTAP'),
    });
    expect(calls.programs.map(readProgram)).toEqual([snapProgram(1), keep(0)]);
  });

  it('keeps that note after an interface comes back', async () => {
    const en0 = fakeDevice(1);
    const devices = { [DEFAULT]: fakeDevice(149, { activate: -8 }), en0 };
    const { clock, open } = setUp(devices, { request: { interfaces: [] }, system: mac(501), pktap: true });
    const source = await open();
    const { note } = source;
    en0.failure = 'The interface disappeared';
    source.read();
    expect(source).toMatchObject({ state: 'waiting', note: 'en0: The interface disappeared' });
    delete en0.failure;
    clock.pass(2001);
    source.read();
    expect(source).toMatchObject({ state: 'open', note });
  });

  it('is lost if the interface can’t be opened again', async () => {
    const devices: Record<string, FakeDevice> = { [DEFAULT]: fakeDevice(149) };
    const { clock, open } = setUp(devices, { request: { interfaces: [] }, system: mac(0), pktap: true });
    const source = await open();
    (devices[DEFAULT] as FakeDevice).failure = 'The interface disappeared';
    source.read();
    delete devices[DEFAULT];
    clock.pass(2001);
    source.read();
    expect([source.state, source.note]).toEqual(['lost', `${DEFAULT}: The interface disappeared`]);
  });

  it('applies a capture filter to what is inside PKTAP frames, and counts what matched', async () => {
    const device = fakeDevice(LINK.PKTAP_DLT);
    const request = { interfaces: [], bpf: 'greater 59' };
    const { calls, begun } = setUp({ [DEFAULT]: device }, { request, system: mac(0), pktap: true });
    // ld len; jge #59; ret 1; ret 0
    const [yes, no] = [1, 0].map((k) => ({ code: 0x06, jt: 0, jf: 0, k })) as [Instruction, Instruction];
    calls.compiled = writeProgram([{ code: 0x80, jt: 0, jf: 0, k: 0 }, { code: 0x35, jt: 0, jf: 1, k: 59 }, yes, no]);
    const source = await begun();
    device.stat = { recv: 3, drop: 0, ifdrop: 0 };
    // The kernel filters nothing, as it would read the PKTAP header.
    expect(calls.programs.map(readProgram)).toEqual([keep(2204), keep(0), keep(2204)]);
    expect(calls.calls.filter((call) => call.startsWith('compile'))).toEqual(
      [1, 0, 12, 9].map((link) => `compile dead-${link} greater 59`),
    );
    expect(calls.open).toEqual([DEFAULT]);
    device.frames.push(
      pktap(frame.subarray(0, 50), { pid: 1, comm: 'a' }),
      pktap(frame, { pid: 42, comm: 'curl' }),
      pktap(frame.subarray(0, 50), { pid: 1, comm: 'a' }),
    );
    expect(drain(source)).toMatchObject([{ process: 'curl:42', wire: frame.length }]);
    expect(source.stats().received).toBe(1);
  });

  it('refuses a bad capture filter before anything is opened', async () => {
    const request = { interfaces: [], bpf: 'garbage in' };
    const { calls, open } = setUp({ [DEFAULT]: fakeDevice(149) }, { request, system: mac(0), pktap: true });
    await expect(open()).rejects.toMatchObject({ code: 'bad-filter' });
    expect([calls.open, calls.calls.some((call) => call.startsWith('create'))]).toEqual([[], false]);
  });

  it('captures the plain interface without root, where a capture filter works', async () => {
    const devices = { [DEFAULT]: fakeDevice(149), en0: fakeDevice(1) };
    const request = { interfaces: [], bpf: 'tcp' };
    const { calls, open } = setUp(devices, { request, system: mac(501), pktap: true });
    calls.compiled = writeProgram([{ code: 0x06, jt: 0, jf: 0, k: 262_144 }]);
    expect((await open()).note).toMatch(/without root there is no PKTAP/);
    expect([calls.open, calls.calls.includes('compile en0 tcp')]).toEqual([['en0'], true]);
  });

  it('is unavailable to root if the kernel provides no PKTAP headers', async () => {
    const { calls, open } = setUp({ [DEFAULT]: fakeDevice(1) }, { request: { interfaces: [] }, system: mac(0), pktap: true });
    await expect(open()).rejects.toBeInstanceOf(DriverUnavailable);
    expect(calls.open).toEqual([]);
  });

  it('opens plain interfaces with a library without PKTAP', async () => {
    const { calls, open } = setUp({ en0: fakeDevice(1) }, { request: { interfaces: [] }, system: mac(0) });
    const source = await open();
    expect(calls.open).toEqual(['en0']);
    expect(source.namesProcesses).toBe(false);
  });
});
