// The writer and the reader of captures as a pair: whatever a hostile file says is written anew, and that reads back as the same frames, without a
// malformed block. Its seeds include what the writer made itself.

import { PacketBatch } from '../../../src/capture/batch.ts';
import { PcapngReader } from '../../../src/capture/file/pcapng.ts';
import { InterfaceTable } from '../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../src/capture/process-names.ts';
import type { CapturedProcess } from '../../../src/capture/source.ts';
import { decode } from '../../../src/decode/decode.ts';
import { Packet } from '../../../src/decode/packet.ts';
import type { KeptFlow } from '../../../src/model/packets.ts';
import type { NameSource, Process } from '../../../src/model/terms.ts';
import { DIRECTION, LINK } from '../../../src/net/numbers.ts';
import { CaptureSection, type SectionFrame } from '../../../src/packets/capture-section.ts';
import { Framing } from '../../../src/packets/framing.ts';
import { PcapngEncoder } from '../../../src/packets/pcapng-encoder.ts';
import { type Block, pcapngFile } from '../capture-writer.ts';
import { bytesOf, ethernet, ipv4, nullLink, ppp, udp } from '../frames.ts';
import { type FuzzTarget, hold } from './target.ts';

const MOST_FRAMES = 256;
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/;
const PACKET = ipv4({ src: '10.0.0.1', dst: '192.0.2.9' }, udp({ sport: 40_000, dport: 53 }, 'question'));
const REMOTE = Int32Array.of(0, 0, 0xffff, 0x01020304);

/** Link types that the writer makes of others, and two packets to compare. */
const MADE: readonly number[] = [LINK.ETHERNET, LINK.LINUX_SLL];
const PACKETS = [new Packet(), new Packet()] as const;

/** A capture as a reader has it. */
class Capture {
  readonly interfaces = new InterfaceTable();
  readonly processes = new ProcessTable();
  readonly reader = new PcapngReader(this.interfaces, this.processes);
  readonly batch: PacketBatch;

  /** @param batch an old one, to be filled anew */
  constructor(bytes: Uint8Array, from: number, to: number, batch: PacketBatch) {
    this.batch = batch;
    batch.bytes = bytes;
    batch.count = 0;
    for (let at = from; ; ) {
      const { count } = this.batch;
      const next = this.reader.fill(this.batch, at, to);
      if (next === at && this.batch.count === count) break;
      at = next;
    }
  }

  process(column: Uint16Array, i: number): CapturedProcess | null {
    const index = column[i] as number;
    return index === 0 ? null : (this.processes.processes[index] as CapturedProcess);
  }
}

/** What a hostile capture says of a frame, as the program would hand it to the writer if it checked nothing. */
function flowOf(hostile: Capture, i: number): KeptFlow {
  const host = hostile.reader.recorded.find(({ frame }) => frame === i);
  const owner = ownerOf(hostile.process(hostile.batch.process, i));
  return {
    ...{ serial: i + 1, app: owner?.name ?? null, owner, reason: null, pid: owner?.pid ?? null, exe: null, user: null },
    onBehalfOf: ownerOf(hostile.process(hostile.batch.effective, i)),
    ...{
      peerApp: null,
      peer: owner,
      peerPid: null,
      name: host?.name ?? null,
      nameSource: (host?.source ?? 'none') as NameSource,
    },
    ...{ host: '', domain: null, category: host?.name ?? null, application: null, country: null, asn: null },
    ...{ local: { address: '', port: 0 }, remote: { address: '', port: 0 }, remoteWords: REMOTE, protocol: 'udp' },
    ...{ direction: i % 2 === 0 ? 'transit' : 'outbound', interface: '' },
    ...{ process: owner, peerProcess: owner, asked: null, ja4: null, ja4s: null, closed: false },
  };
}

function ownerOf(captured: CapturedProcess | null): Process | null {
  if (captured === null) return null;
  const { pid, name, exe = null, user = null, script = null, unit = null } = captured;
  return { ...NOBODY, pid, name, exe, user, script, unit };
}

const NOBODY: Process = {
  ...{
    id: 0,
    pid: -1,
    name: '',
    exe: null,
    uid: null,
    user: null,
    parentPid: null,
    startedAt: null,
    script: null,
    unit: null,
    container: null,
    publisher: null,
  },
  ...{ command: null, ancestors: [], origin: null, session: null, terminal: null, app: 0 },
};

function frameOf({ batch }: Capture, i: number): SectionFrame {
  const [offset, captured, wire] = [batch.offset[i], batch.captured[i], batch.wire[i]] as [number, number, number];
  const [time, iface, direction] = [batch.time[i], batch.iface[i], batch.direction[i]] as [number, number, number];
  return { offset, captured, wire, time, iface, direction, isSent: direction !== DIRECTION.IN, row: i, serial: i + 1 };
}

/** Writes what a capture holds. @returns the length of what is in the encoder */
function write(hostile: Capture, encoder: PcapngEncoder): void {
  encoder.length = 0;
  const section = new CaptureSection(encoder, {
    interfaces: hostile.interfaces.interfaces,
    flowOf: (row) => flowOf(hostile, row),
    wants: () => true,
    framing: new Framing({ interfaces: hostile.interfaces.interfaces, driver: 'libpcap', namesProcesses: false }),
    ...{ system: 'test', application: 'test', comment: '', namesProcesses: true },
  });
  for (let i = 0; i < hostile.batch.count; i++)
    hold(section.write(encoder, hostile.batch.bytes, frameOf(hostile, i), i), 'there is no room');
  section.end(encoder, { bySystem: 3, byInterface: null });
}

/** What the writer makes of an honest capture: a seed. */
const OWN: Uint8Array = (() => {
  const encoder = new PcapngEncoder(1 << 20);
  const data = Uint8Array.from({ length: 60 }, (_, i) => i);
  const told = { code: 0x8e01, value: Buffer.from('\u0006www.example.com') };
  const described = [3, 0x8e01, 0x8e02, 0x8e03].map((code) => ({ code, value: `/usr/bin/${code}` }));
  const blocks: Block[] = [
    { block: 'section' },
    { block: 'interface', name: 'eth0' },
    { block: 'interface', name: 'lo' },
    { block: 'process', pid: 42, name: 'python3', options: described },
    { block: 'packet', data, ticks: 1_700_000_000_000_000n, direction: 'out', process: 0, options: [told] },
    { block: 'packet', interface: 1, data, ticks: 1_700_000_000_100_000n, direction: 'in', process: 0, effective: 0 },
  ];
  const file = pcapngFile(blocks);
  write(new Capture(file, 0, file.length, new PacketBatch(MOST_FRAMES, file)), encoder);
  return encoder.bytes.slice(0, encoder.length);
})();

/** A capture of several link types, which becomes one of Ethernet alone. */
const MIXED = pcapngFile([
  { block: 'section' },
  { block: 'interface', name: 'tun0', link: LINK.RAW },
  { block: 'interface', name: 'eth0' },
  { block: 'interface', name: 'ppp0', link: LINK.PPP },
  { block: 'interface', name: 'utun1', link: LINK.NULL },
  { block: 'packet', data: bytesOf(PACKET), ticks: 1_700_000_000_000_000n },
  { block: 'packet', interface: 1, data: ethernet({}, PACKET), ticks: 1_700_000_000_100_000n },
  { block: 'packet', interface: 2, data: ppp(PACKET), ticks: 1_700_000_000_200_000n },
  { block: 'packet', interface: 3, data: nullLink(2, PACKET), ticks: 1_700_000_000_300_000n },
]);

/** The pair. */
export function written(): FuzzTarget {
  const encoder = new PcapngEncoder(4 << 20);
  const [before, after] = [new PacketBatch(MOST_FRAMES, encoder.bytes), new PacketBatch(MOST_FRAMES, encoder.bytes)];
  return {
    name: 'written',
    seeds: [OWN, MIXED],
    weight: 1,
    run(bytes, from, to) {
      const hostile = new Capture(bytes, from, to, before);
      const { count } = hostile.batch;
      if (count === 0) return;
      write(hostile, encoder);
      const read = new Capture(encoder.bytes, 0, encoder.length, after);
      const { reader, batch } = read;
      hold(reader.malformed === 0 && reader.broken === null, `not read: ${reader.broken ?? 'malformed'}`);
      hold(batch.count === count, `${batch.count} frames of ${count}`);
      for (let i = 0; i < count; i++) {
        const [was, is] = [frameOf(hostile, i), frameOf(read, i)];
        const isReframed = hostile.batch.link[i] !== batch.link[i] && batch.link[i] !== LINK.RAW;
        if (isReframed) hold(saysTheSame(hostile.batch, read.batch, i), 'another packet');
        else {
          hold(was.captured === is.captured && was.wire === is.wire, 'another length');
          hold(same(bytes, was.offset, encoder.bytes, is.offset, was.captured), 'other bytes');
        }
        hold(Math.abs(was.time - is.time) <= Math.max(was.time * 2 ** -52, 0.001), `${is.time} for ${was.time}`);
        hold(!isReframed || MADE.includes(batch.link[i] as number), 'another link type');
        const isLoopback = hostile.interfaces.interfaces[was.iface]?.kind === 'loopback';
        const direction = isLoopback ? DIRECTION.OUT : i % 2 === 0 ? was.direction : was.isSent ? DIRECTION.OUT : DIRECTION.IN;
        hold(is.direction === direction, 'another direction');
        const [owner, again] = [hostile.process(hostile.batch.process, i), read.process(batch.process, i)];
        hold(again === null || again.pid === owner?.pid, 'another process');
        hold(again === null || !CONTROLS.test(Object.values(again).join('')), 'a control character');
      }
    },
  };
}

/** Whether the same is read from a frame whose link header is another. */
function saysTheSame(was: PacketBatch, is: PacketBatch, i: number): boolean {
  const [a, b] = PACKETS;
  for (const [batch, packet] of [
    [was, a],
    [is, b],
  ] as const) {
    const [offset, captured, wire] = [batch.offset[i], batch.captured[i], batch.wire[i]] as [number, number, number];
    decode(batch.bytes, offset, captured, wire, batch.link[i] as number, packet);
  }
  if (!a.hasAddresses) return true;
  return (
    b.hasAddresses &&
    a.words.every((word, at) => word === b.words[at]) &&
    a.sourcePort === b.sourcePort &&
    a.destinationPort === b.destinationPort &&
    a.protocol === b.protocol &&
    a.payloadCaptured === b.payloadCaptured
  );
}

function same(a: Uint8Array, at: number, b: Uint8Array, bt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[at + i] !== b[bt + i]) return false;
  return true;
}
