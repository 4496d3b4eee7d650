import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../../src/filter/filter.ts';
import { Categories } from '../../../src/identify/category/categories.ts';
import { type KeptFlow, RING_BYTES } from '../../../src/model/packets.ts';
import { DIRECTION } from '../../../src/net/numbers.ts';
import type { Kept } from '../../../src/packets/kept-flows.ts';
import { KeptFrame } from '../../../src/packets/packet-ring.ts';
import { type FakeFrame, FakeSource, monitorOver } from '../../support/fake-source.ts';
import { ethernet, ipv4, tcp, udp } from '../../support/frames.ts';

const T0 = 1_700_000_000_000;
const { IN, OUT } = DIRECTION;
const request = (host: string, sport = 40_000) =>
  ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, tcp({ sport, dport: 80 }, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)));
const toPort = (sport: number, payload = '') =>
  ethernet({}, ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, udp({ sport, dport: 9999 }, payload)));

/** A monitor that keeps frames of a capture that names processes. */
function keeping(...frames: FakeFrame[]) {
  const source = new FakeSource();
  source.namesProcesses = true;
  source.processes.push({ pid: 10, name: 'curl' }, { pid: 20, name: 'server' });
  const naming = new Categories({ Testing: ['example.com'] });
  const { monitor, flows } = monitorOver(source, { keep: { bytes: RING_BYTES.least, forMs: null }, naming });
  const kept = monitor.kept as Kept;
  const ingest = (...more: FakeFrame[]) => {
    source.push(...more);
    for (let batch = source.read(); batch !== null; batch = source.read()) monitor.ingest(batch, 0, batch.count);
  };
  ingest(...frames);
  /** The flow of each frame that is kept. */
  const known = (): (KeptFlow | null)[] => {
    const found: (KeptFlow | null)[] = [];
    const frame = new KeptFrame();
    for (let at = kept.ring.oldest; at < kept.ring.end; ) {
      at = kept.ring.read(at, frame);
      found.push(kept.flows.of(frame.row, frame.serial));
    }
    return found;
  };
  const removeAll = () => {
    for (let row = 0; row < flows.rows; row++) if (flows.isLive(row)) flows.remove(row);
  };
  return { kept, ingest, known, removeAll, flows };
}

describe('KeptFlows', () => {
  it('knows a flow the same when it is in the table and after it left', () => {
    const { known, removeAll, ingest } = keeping({ data: request('api.example.com'), time: T0, direction: OUT, process: 1 });
    const [live] = known();
    expect(live).toMatchObject({
      app: 'curl',
      pid: 10,
      peerApp: null,
      name: 'api.example.com',
      nameSource: 'http',
      host: 'api.example.com',
      domain: 'example.com',
      category: 'Testing',
      application: 'http',
      local: { address: '10.0.0.1', port: 40_000 },
      remote: { address: '192.0.2.9', port: 80 },
      protocol: 'tcp',
      direction: 'outbound',
      interface: 'eth0',
    });
    removeAll();
    expect(known()).toEqual([{ ...live, closed: true }]);
    // Another flow in the same row is told apart by its number.
    ingest({ data: request('other.test'), time: T0 + 1, direction: OUT });
    expect(known().map((flow) => flow?.host)).toEqual(['api.example.com', 'other.test']);
  });

  it('has both owners of a flow within this machine', () => {
    const local = ethernet({}, ipv4({ src: '10.0.0.1', dst: '10.0.0.1' }, udp({ sport: 1111, dport: 2222 }, 'x')));
    const { known, removeAll } = keeping(
      { data: local, time: T0, direction: OUT, process: 1 },
      { data: local, time: T0 + 1, direction: IN, process: 2 },
    );
    removeAll();
    for (const flow of known()) expect(flow).toMatchObject({ app: 'curl', pid: 10, peerApp: 'server', peerPid: 20 });
  });

  it('is what a filter can ask', () => {
    const { known, removeAll } = keeping({ data: request('api.example.com'), time: T0, direction: OUT, process: 1 });
    const filter = (text: string) => {
      const result = compileFilter(text);
      if (!result.ok) throw new Error(result.message);
      return known().map((flow) => flow !== null && result.filter.matches(flow));
    };
    removeAll();
    for (const text of [
      'closed',
      'app=curl',
      'pid=10',
      'host:example',
      'domain=example.com',
      'port:80',
      'addr=192.0.2.9',
      'net:192.0.2.0/24',
    ])
      expect([text, ...filter(text)]).toEqual([text, true]);
    for (const text of ['app=wget', 'port:81', 'net:10.1.0.0/16', 'dir:inbound'])
      expect([text, ...filter(text)]).toEqual([text, false]);
  });

  it('forgets a flow that left when its frames are gone, and never copies one that has none', () => {
    const { kept, known, removeAll, ingest } = keeping({ data: toPort(1000), time: T0 });
    removeAll();
    const [first] = known();
    const serial = first?.serial ?? 0;
    // More than the ring holds of another flow.
    for (let i = 0; i < 1000; i++) ingest({ data: toPort(2000, 'x'.repeat(1200)), time: T0 + i });
    expect(kept.flows.of(0, serial)).not.toBeNull();
    for (let i = 0; i < 16; i++) kept.flows.sweep();
    expect(kept.flows.of(0, serial)).toBeNull();
    expect(known().every((flow) => flow?.local.port === 2000)).toBe(true);
    expect(kept.flows.forgotten).toBe(0);
  });

  it('tells flows apart of which the same is known', () => {
    const frames = Array.from({ length: 300 }, (_, i) => ({ data: toPort(1000 + i), time: T0 + i, direction: OUT, process: 1 }));
    const { known, removeAll } = keeping(...frames);
    removeAll();
    expect(known().map((flow) => [flow?.app, flow?.local.port])).toEqual(frames.map((_, i) => ['curl', 1000 + i]));
  });

  it('knows nothing of a frame without addresses', () => {
    const { known } = keeping({ data: ethernet({ type: 0x88cc }, 'lldp'), time: T0 });
    expect(known()).toEqual([null]);
  });
});
