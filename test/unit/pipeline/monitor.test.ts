import { describe, expect, it } from 'vitest';
import { LIVE_LIMITS } from '../../../src/aggregate/aggregator.ts';
import type { PacketBatch } from '../../../src/capture/batch.ts';
import { CounterTracker } from '../../../src/capture/devices/counters.ts';
import { DIRECTION, LINK, TCP_FLAG } from '../../../src/net/numbers.ts';
import { FakeSource, type MonitorSetup, monitorOver } from '../../support/fake-source.ts';
import { aggregate, arp, ethernet, ipv4, macsec, nullLink, snap, tcp, udp, wireless } from '../../support/frames.ts';

const T0 = 1_700_000_000_000;
const { IN, OUT } = DIRECTION;
const out = (payload = '') => ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, tcp({}, payload)));
const back = (payload = '') =>
  ethernet({}, ipv4({ src: '192.0.2.9', dst: '10.0.0.1' }, tcp({ sport: 443, dport: 40_000 }, payload)));

function run(source: FakeSource, setup: MonitorSetup = {}) {
  const parts = monitorOver(source, setup);
  for (let batch = source.read(); batch !== null; batch = source.read()) parts.monitor.ingest(batch, 0, batch.count);
  const tick = () => parts.monitor.tick(T0 + 1000, 1000, [], LIVE_LIMITS);
  return { ...parts, tick };
}

describe('Monitor', () => {
  it('counts packets, frame bytes and what could not be decoded', () => {
    const source = new FakeSource();
    source.counters = { received: 9, droppedByKernel: 3, droppedByInterface: 4, shed: 5, malformed: 6 };
    const broken = ethernet({}, ipv4({ version: 5 }, tcp({})));
    source.push(
      { data: out('hello'), time: T0 },
      { data: back('world!'), time: T0 + 1 },
      { data: out('x'.repeat(1400)).subarray(0, 160), wire: 1454 },
      { data: out().subarray(0, 40), wire: 54 },
      { data: broken },
      { data: ethernet({ type: 0x88cc }, 'lldp') },
      { data: ethernet({}, arp('10.0.0.1', '10.0.0.2')) },
    );
    const { tick } = run(source);
    const { capture, total, flows } = tick();
    expect(capture).toMatchObject({
      driver: 'libpcap',
      interfaces: ['eth0'],
      attribution: 'none',
      packets: 7,
      frameBytes: 59 + 60 + 1454 + 54 + broken.length + 18 + 42,
      dropped: 7,
      shed: 5,
      undecoded: 2 + 6,
      truncated: 1,
      malformed: 1 + 6,
      unsupported: 1,
      fallbacks: [{ driver: 'cap', reason: 'not built' }],
      file: null,
      note: '',
    });
    expect(total).toMatchObject({ rxBytes: 46, txBytes: 45 + 1440 + 40 + 28, rxPackets: 1 });
    expect(flows.map((flow) => flow.protocol).sort()).toEqual(['arp', 'tcp']);
  });

  it('has no captured share for an interface that was gone for a while, even when it is back', () => {
    const source = Object.assign(new FakeSource('libpcap', ['en0', 'en5']), { active: ['en0', 'en5'] });
    const tracker = new CounterTracker('darwin');
    const { tick } = run(source, { tracker });
    const counted = (bytes: number) => {
      const zero = { rxPackets: 0, txPackets: 0, rxDropped: null, txDropped: null, errors: null };
      const reading = { ...zero, rxBytes: bytes, txBytes: 0 };
      tracker.update(new Map(['en0', 'en5'].map((name) => [name, reading])));
      return Object.fromEntries(tick().interfaces.map(({ interface: name, counterBytes }) => [name, counterBytes]));
    };
    expect([counted(0), counted(50)]).toEqual([
      { en0: 0, en5: 0 },
      { en0: 50, en5: 50 },
    ]);
    source.active = ['en0'];
    expect(counted(60)).toEqual({ en0: 60, en5: null });
    source.active = ['en0', 'en5'];
    expect(counted(90)).toEqual({ en0: 90, en5: null });
  });

  it('says which frames of a file it didn’t read, and in a live capture what the user misses', () => {
    const lldp = { data: ethernet({ type: 0x88cc }, 'lldp') };
    const frames = [
      { data: out(), link: 189 },
      { data: out(), link: 189 },
      { data: out(), link: 147 },
      { data: ethernet({}, macsec(ipv4({}, tcp({})), 0x2c)) },
      lldp,
      lldp,
      lldp,
      { data: out().subarray(0, 20) },
      { data: ethernet({}, ipv4({ version: 5 }, tcp({}))) },
    ];
    const note = (replay: boolean, pushed: typeof frames) => {
      const source = new FakeSource(replay ? 'file' : 'libpcap');
      source.push(...pushed);
      return run(source, { replay }).tick().capture.note;
    };
    expect(note(true, frames)).toBe(
      '9 frames not read: 3 LLDP, 2 of link type 189 (USB), 1 of link type 147, 1 encrypted (MACsec), 2 others',
    );
    expect(note(true, frames.slice(7))).toBe('2 frames not read: 1 truncated before their addresses, 1 malformed');
    expect(note(true, frames.slice(0, 1))).toBe('1 frame not read: 1 of link type 189 (USB)');
    expect(note(true, [{ data: out() }])).toBe('');
    // A live count would change the note every second, and unrelated frames don't matter.
    expect(note(false, frames)).toBe("can't read frames: of link type 189 (USB), of link type 147, encrypted (MACsec)");
    expect(note(false, [lldp])).toBe('');
  });

  it('limits the number of frame kinds', () => {
    const source = new FakeSource('file');
    source.push(...Array.from({ length: 200 }, (_, i) => ({ data: ethernet({ type: 0x9100 + 1 + i }, 'x') })));
    source.push(...Array.from({ length: 200 }, (_, i) => ({ data: ethernet({ type: 0x9100 + 1 + i }, 'x') })));
    const { capture } = run(source, { replay: true }).tick();
    expect(capture.note).toMatch(/^400 frames not read: 274 of another kind, 2 EtherType 0x9101, /);
    expect(capture.unsupported).toBe(400);
  });

  it('counts every packet of an 802.11 frame that holds several', () => {
    const inner = (size: number) => ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, udp({}, 'x'.repeat(size)));
    const frame = wireless({ control: 0x88, quality: 0x80 }, aggregate(...Array.from({ length: 150 }, (_, i) => inner(i))));
    const source = new FakeSource('file', []);
    source.interfaces.push({ name: 'file', kind: 'physical', link: LINK.IEEE802_11, deliversTwice: false });
    source.push({ data: frame, link: LINK.IEEE802_11 }, { data: wireless({}, snap(inner(7))), link: LINK.IEEE802_11, time: 5 });
    const { capture, total } = run(source, { replay: true }).tick();
    expect(total).toMatchObject({ txPackets: 151, txBytes: 151 * 28 + (150 * 149) / 2 + 7 });
    expect(capture).toMatchObject({ packets: 151, frameBytes: frame.length + 24 + 8 + 28 + 7, note: '' });
  });

  it("doesn't know drops if the driver doesn't", () => {
    const source = new FakeSource();
    expect(run(source).tick().capture.dropped).toBeNull();
    source.counters = { ...source.counters, droppedByInterface: 2 };
    expect(run(source).tick().capture.dropped).toBe(2);
  });

  it('handles part of a batch', () => {
    const source = new FakeSource();
    source.push({ data: out() }, { data: out() }, { data: out() });
    const { monitor } = monitorOver(source);
    const batch = source.read() as PacketBatch;
    monitor.ingest(batch, 1, 2);
    expect(monitor.tick(0, 1, [], LIVE_LIMITS).capture.packets).toBe(1);
  });

  it('counts a loopback packet once that PKTAP delivers twice, and learns both owners', () => {
    const source = new FakeSource('libpcap', []);
    source.namesProcesses = true;
    source.interfaces.push(source.named('lo0', true), source.named('en0'));
    source.processes.push({ pid: 10, name: 'client' }, { pid: 20, name: 'server' });
    const ends = { src: '127.0.0.1', dst: '127.0.0.1' };
    const syn = { data: nullLink(2, ipv4(ends, tcp({ sport: 4000, dport: 80, flags: TCP_FLAG.SYN }))), link: LINK.NULL };
    const answer = {
      data: nullLink(2, ipv4(ends, tcp({ sport: 80, dport: 4000, flags: TCP_FLAG.SYN | TCP_FLAG.ACK }, 'hello'))),
      link: LINK.NULL,
    };
    source.push(
      { ...syn, direction: OUT, process: 1 },
      { ...syn, direction: IN, process: 2 },
      { ...answer, direction: OUT, process: 2 },
      { ...answer, direction: IN, process: 1 },
    );
    const { tick } = run(source);
    const { capture, total, apps, flows } = tick();
    expect(capture).toMatchObject({ packets: 2, attribution: 'pktap' });
    expect(total).toMatchObject({ txBytes: 40, rxBytes: 45, unownedBytes: 0 });
    expect(flows).toMatchObject([{ direction: 'local', app: 'client', pid: 10, peerApp: 'server', peerPid: 20 }]);
    expect(apps.map((app) => [app.app, app.rxBytes, app.txBytes])).toEqual([
      ['client', 45, 40],
      ['server', 40, 45],
    ]);
  });

  it('sums the total by the kinds of interfaces', () => {
    const source = new FakeSource('libpcap', ['utun4', 'en0']);
    source.push({ data: out('a'), iface: 0 }, { data: out('abc'), iface: 1 });
    expect(run(source).tick().total.txBytes).toBe(43);
    const named = new FakeSource('libpcap', ['utun4', 'en0']);
    named.push({ data: out('a'), iface: 0 }, { data: out('abc'), iface: 1 });
    expect(run(named, { named: ['utun4', 'en0'] }).tick().total.txBytes).toBe(84);
  });

  it('learns interfaces that appear later', () => {
    const source = new FakeSource('libpcap', ['en0']);
    source.push({ data: out('a') });
    const { monitor, tick } = run(source);
    source.interfaces.push(source.named('utun9'));
    source.push({ data: out('abc'), iface: 1 });
    const batch = source.read() as PacketBatch;
    monitor.ingest(batch, 0, batch.count);
    const { interfaces, total } = tick();
    expect(interfaces.map((each) => [each.interface, each.kind, each.isCounted, each.txBytes])).toEqual([
      ['en0', 'physical', true, 41],
      ['utun9', 'tunnel', false, 43],
    ]);
    expect(total.txBytes).toBe(41);
  });

  it('compares the counters of interfaces with captured bytes', () => {
    const tracker = new CounterTracker('linux');
    const reading = (rxBytes: number, txBytes: number) =>
      new Map([['eth0', { rxBytes, txBytes, rxPackets: 1, txPackets: 1, rxDropped: 5, txDropped: null, errors: 2 }]]);
    tracker.update(reading(1000, 2000));
    tracker.update(reading(1060, 2059));
    const source = new FakeSource();
    source.push({ data: out('hello') }, { data: back('world!') });
    const { monitor, tick } = run(source, { tracker });
    expect(monitor.capturedBytes()).toEqual(new Map([['eth0', { rxBytes: 60, txBytes: 59 }]]));
    const { capture, interfaces } = tick();
    expect(interfaces).toMatchObject([{ frameBytes: 119, counterBytes: 119, counterDropped: 0, counterErrors: 0 }]);
    expect(capture).toMatchObject({ frameBytes: 119, interfaceBytes: 119, interfaceDropped: 0 });
    const two = new FakeSource('libpcap', ['eth0', 'eth1']);
    expect(run(two, { tracker }).tick().capture).toMatchObject({ interfaceBytes: null, interfaceDropped: null });
  });

  it('compares captured bytes with the counters of counted interfaces, not of tunnels', () => {
    const tracker = new CounterTracker('darwin');
    const reading = (rxBytes: number, txBytes: number) => ({
      ...{ rxBytes, txBytes, rxPackets: 1, txPackets: 1, rxDropped: null, txDropped: null, errors: 0 },
    });
    // A utun that counts received bytes twice. The program sent 41 bytes and received 46.
    const counters = (en0: [number, number], utun4: [number, number]) =>
      new Map([
        ['en0', reading(...en0)],
        ['utun4', reading(...utun4)],
      ]);
    tracker.update(counters([1000, 500], [0, 0]));
    tracker.update(counters([1060, 559], [92, 41]));
    const frames = [
      { data: out('hello') },
      { data: back('world!') },
      { data: nullLink(2, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, tcp({}, 'a'))), link: LINK.NULL, iface: 1 },
    ];
    const source = new FakeSource('libpcap', ['en0', 'utun4']);
    source.push(...frames);
    const { capture, interfaces } = run(source, { tracker }).tick();
    expect(capture).toMatchObject({
      frameBytes: 119 + 41,
      countedFrameBytes: 119,
      countedInterfaceBytes: 119,
      interfaceBytes: null,
    });
    expect(interfaces.map(({ interface: name, counterBytes }) => [name, counterBytes])).toEqual([
      ['en0', 119],
      ['utun4', null],
    ]);
  });

  it('says why the captured share is unknown if a counter stands still, as on macOS 27', () => {
    const tracker = new CounterTracker('darwin');
    const reading = (txBytes: number) =>
      new Map([['en0', { rxBytes: 7, txBytes, rxPackets: 1, txPackets: 1, rxDropped: null, txDropped: null, errors: 0 }]]);
    const source = new FakeSource('libpcap', ['en0']);
    source.push({ data: out('hello') });
    tracker.update(reading(0));
    const { monitor, tick } = run(source, { tracker });
    expect(tick().capture).toMatchObject({ countedInterfaceBytes: 0, countedNote: '' });
    tracker.update(reading(1000), new Map([['en0', { rxBytes: 300_000, txBytes: 1000 }]]));
    const { capture } = monitor.tick(2000, 1000, [], LIVE_LIMITS);
    expect(capture).toMatchObject({
      countedInterfaceBytes: null,
      countedNote: 'en0: the receive counter stands still while packets arrive',
    });
  });

  it('counts loopback as its own counters do: each packet once, without the added header', () => {
    const tracker = new CounterTracker('linux');
    const reading = (bytes: number) =>
      new Map([['lo', { rxBytes: bytes, txBytes: bytes, rxPackets: 1, txPackets: 1, rxDropped: 0, txDropped: 0, errors: 0 }]]);
    tracker.update(reading(1000));
    tracker.update(reading(1045));
    const source = new FakeSource('libpcap', ['lo']);
    source.push({ data: out('hello') });
    expect(run(source, { tracker }).tick().interfaces).toMatchObject([{ frameBytes: 45, counterBytes: 45, txBytes: 45 }]);
  });

  it('gives fragments the ports of the first one', () => {
    const source = new FakeSource();
    const whole = udp({ sport: 1000, dport: 2000 }, 'x'.repeat(64));
    const ends = { src: '10.0.0.1', dst: '192.0.2.9', id: 77, protocol: 17 };
    source.push(
      { data: ethernet({}, ipv4({ ...ends, flags: 1 }, whole.bytes.subarray(0, 40))) },
      { data: ethernet({}, ipv4({ ...ends, fragmentOffset: 5 }, whole.bytes.subarray(40))) },
    );
    expect(run(source).tick().flows).toMatchObject([{ txPackets: 2, local: { port: 1000 }, remote: { port: 2000 } }]);
  });
});

describe('the last packets of one flow', () => {
  const frames = [
    { data: out('one'), time: T0 },
    { data: back('three'), time: T0 + 1 },
    { data: ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.10' }, udp({ sport: 1, dport: 53 }))), time: T0 + 2 },
  ];
  const lengths = (snapshot: ReturnType<ReturnType<typeof run>['tick']>) =>
    snapshot.packets?.packets.map((each) => each.payloadBytes);

  it('are in snapshots from the moment they are asked for', () => {
    const source = new FakeSource();
    source.push(...frames);
    const { monitor, tick } = run(source);
    const { packets, flows } = tick();
    expect(packets).toBeNull();
    const id = flows.find((flow) => flow.protocol === 'tcp')?.id ?? '';
    monitor.watchPackets(id);
    expect(tick().packets).toEqual({ flow: id, packets: [], dropped: 0 });
    source.push({ data: out('seventh'), time: T0 + 3 }, ...frames.slice(2));
    const batch = source.read() as PacketBatch;
    monitor.ingest(batch, 0, batch.count);
    expect(lengths(tick())).toEqual([7]);
    monitor.watchPackets(id);
    expect(lengths(tick())).toEqual([7]);
  });

  it('are those that a ring still has, too, and of no flow that is gone', () => {
    const source = new FakeSource();
    source.push(...frames);
    const { monitor, tick } = run(source, { keep: { bytes: 1e6, forMs: null } });
    const ids = tick().flows.map(({ id, protocol }) => [protocol, id] as const);
    monitor.watchPackets(new Map(ids).get('tcp') ?? '');
    const { packets } = tick();
    expect(packets?.packets.map(({ time, isSent, payloadBytes }) => [time, isSent, payloadBytes])).toEqual([
      [T0, true, 3],
      [T0 + 1, false, 5],
    ]);
    monitor.watchPackets('99999');
    monitor.watchPackets('look-ups of curl');
    expect(tick().packets).toBe(packets);
  });
});
