// Targets that read packets: decoding, inspection, capture files, and the whole pipeline.

import { END_LIMITS } from '../../../src/aggregate/aggregator.ts';
import { DnsLog } from '../../../src/aggregate/dns/dns-log.ts';
import { PacketBatch } from '../../../src/capture/batch.ts';
import { isPcap, PCAP_HEADER_BYTES, PcapReader, readPcapHeader } from '../../../src/capture/file/pcap.ts';
import { PcapngReader } from '../../../src/capture/file/pcapng.ts';
import { isSnoop, SNOOP_HEADER_BYTES, SnoopReader } from '../../../src/capture/file/snoop.ts';
import { InterfaceTable } from '../../../src/capture/interface-names.ts';
import { ProcessTable } from '../../../src/capture/process-names.ts';
import { Decoder } from '../../../src/decode/decode.ts';
import { Packet } from '../../../src/decode/packet.ts';
import type { FlowTable } from '../../../src/flow/flow-table.ts';
import { Categories } from '../../../src/identify/category/categories.ts';
import { Inspector } from '../../../src/inspect/inspector.ts';
import type { ServerChoice } from '../../../src/inspect/talk.ts';
import type { DnsExchanges } from '../../../src/model/dns.ts';
import type { TlsOffer } from '../../../src/model/talk.ts';
import type { ProcessDirectory } from '../../../src/model/terms.ts';
import { u32 } from '../../../src/net/bytes.ts';
import { PROTOCOL } from '../../../src/net/numbers.ts';
import { FakeSource, monitorOver } from '../fake-source.ts';
import { CAPTURES, FRAMES, PAYLOADS } from './seeds.ts';
import { type FuzzTarget, hold } from './target.ts';
import { written } from './written-target.ts';

const NAME = /^(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
const JA4 = /^[tqd](1[0-3]|s[23]|d[123]|00)[di]\d{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/;
const JA4S = /^[tqd](1[0-3]|s[23]|d[123]|00)\d\d[0-9A-Za-z]{2}_[0-9a-f]{4}_[0-9a-f]{12}$/;
const isSafe = (text: string): boolean => text.length <= 255 && !/[\u0000-\u001f\u007f-\u009f]/.test(text);
const PORTS = [53, 67, 68, 80, 123, 137, 443, 546, 853, 1900, 5353, 5355, 40_000] as const;
const PENDING_FLOWS = 64;

function decoding({ link, frames }: (typeof FRAMES)[number]): FuzzTarget {
  const decoder = new Decoder();
  const packet = new Packet();
  return {
    name: `decode-${link}`,
    seeds: frames,
    weight: 3,
    run(bytes, from, to) {
      const captured = to - from;
      const wire = captured + (captured % 3) * 100;
      decoder.decode(bytes, from, captured, wire, link, packet);
      hold(packet.networkBytes >= 0 && packet.networkBytes <= wire, 'network bytes');
      hold(packet.payloadCaptured >= 0 && packet.payloadCaptured <= packet.payloadBytes, 'captured payload');
      hold(packet.payloadBytes <= packet.networkBytes, 'payload');
      hold(
        packet.payloadCaptured === 0 || (packet.payloadOffset >= from && packet.payloadOffset + packet.payloadCaptured <= to),
        'where',
      );
    },
  };
}

function inspection(): FuzzTarget {
  const named = (name: string): void => hold(NAME.test(name), `no name: ${JSON.stringify(name)}`);
  const findings = {
    serverName: (_: number, __: string, name: string) => named(name),
    application: (_: number, application: string) =>
      hold(/^[a-z0-9.+-]{1,24}$/.test(application), `no application: ${application}`),
    answer: (_: number, __: string, name: string) => named(name),
    pointer: (_: number, name: string) => named(name),
  };
  const talk = {
    offered: (_: number, { ja4 }: TlsOffer) => hold(ja4 === null || JA4.test(ja4), `no fingerprint: ${ja4}`),
    answered: (_: number, { ja4s }: ServerChoice) => hold(JA4S.test(ja4s), `no fingerprint: ${ja4s}`),
    certified: (_: number, names: readonly string[]) => hold(names.length <= 16 && names.every(isSafe), 'names'),
    secured: () => {},
    alerted: () => {},
    requested: (_: number, method: string, segment: string | null) => hold(isSafe(method) && isSafe(segment ?? ''), 'request'),
    responded: (_: number, status: number) => hold(status > 100 && status < 1000, `no status: ${status}`),
  };
  const inspector = new Inspector(findings, talk, { pendingFlows: PENDING_FLOWS });
  const packet = new Packet();
  const questions = questionsOf(inspector.exchanges);
  let count = 0;
  return {
    name: 'inspect',
    seeds: PAYLOADS,
    weight: 6,
    run(bytes, from, to) {
      if (to === from) return;
      count++;
      // What varies comes from the case itself, so that a kept one does the same again, whatever ran before it.
      const first = bytes[from] as number;
      const last = bytes[to - 1] as number;
      const flow = last & 127;
      packet.protocol = first & 1 ? PROTOCOL.UDP : PROTOCOL.TCP;
      packet.sourcePort = PORTS[(last >> 3) % PORTS.length] as number;
      packet.destinationPort = PORTS[(first ^ last) % PORTS.length] as number;
      packet.sequence = (last << 4) - 500;
      packet.payloadOffset = from;
      packet.payloadCaptured = to - from;
      packet.payloadBytes = to - from + (last === 7 ? 500 : 0);
      if ((count & 31) === 0) {
        questions.log.flowLeaves(flow);
        inspector.forget(flow);
      }
      inspector.packet(flow, packet, bytes, (first & 2) === 0, count);
      if ((count & 255) === 0) questions.check(count);
    },
    check: () => {
      hold(inspector.waiting <= PENDING_FLOWS, 'pending flows');
      questions.check(count);
    },
  };
}

/** Rows made of what inspection matched: each question ends once, none is lost, and every text is safe. */
function questionsOf(exchanges: DnsExchanges): { readonly log: DnsLog; check(now: number): void } {
  const flows = { owner: () => -1, awaitsOwner: () => false, reason: () => null, direction: () => 0, interface: () => 0 };
  const log = new DnsLog({
    ...{ exchanges, flows: flows as unknown as FlowTable, directory: {} as ProcessDirectory },
    ...{ interfaceName: () => 'en0', domainOf: () => null, onBehalfOf: null },
  });
  let ended = 0;
  const check = (now: number): void => {
    const part = log.tick(now);
    ended += part.ended.length;
    hold(ended + part.waiting.length + part.missed === part.count, 'questions');
    for (const row of [...part.ended, ...part.waiting]) {
      hold(isSafe(row.name) && row.answer.split('\n').every(isSafe), 'texts of a question');
      hold(row.tookMs === null || row.tookMs >= 0, 'time of an answer');
      hold((row.result === 'waiting' || row.result === 'no answer') === (row.tookMs === null), 'result');
    }
    for (const { questions, answered, failed, missing, unanswered } of part.resolvers)
      hold(questions === answered + unanswered && failed + missing <= answered, 'resolver');
  };
  return { log, check };
}

function captures(): FuzzTarget {
  return {
    name: 'captures',
    seeds: CAPTURES,
    weight: 1,
    run(bytes, from, to) {
      const interfaces = new InterfaceTable();
      const processes = new ProcessTable();
      const header = to - from >= PCAP_HEADER_BYTES && isPcap(bytes, from) ? readPcapHeader(bytes, from) : null;
      const asSnoop = isSnoop(bytes.subarray(from, to), 0) && u32(bytes, from + 8) === 2;
      const reader =
        header !== null
          ? new PcapReader(header, interfaces, processes)
          : asSnoop
            ? new SnoopReader(bytes, from, 'snoop', interfaces)
            : new PcapngReader(interfaces, processes);
      const batch = new PacketBatch(8, bytes);
      let at = from + (header !== null ? PCAP_HEADER_BYTES : asSnoop ? SNOOP_HEADER_BYTES : 0);
      // Each turn uses bytes or gives frames: there are no more turns than bytes.
      for (let turns = to - from + 2; ; turns--) {
        hold(turns > 0, 'it does not end');
        batch.count = 0;
        const next = reader.fill(batch, at, to);
        hold(next >= at && next <= to, `it went from ${at} to ${next}`);
        for (let i = 0; i < batch.count; i++) {
          const offset = batch.offset[i] as number;
          const captured = batch.captured[i] as number;
          hold(offset >= from && offset + captured <= to, 'a frame outside of the file');
          hold((batch.wire[i] as number) >= captured, 'shorter on the wire');
          hold((batch.iface[i] as number) < interfaces.interfaces.length, 'an interface that is not there');
          hold((batch.process[i] as number) < processes.processes.length, 'a process that is not there');
        }
        if (next === at && batch.count === 0) return;
        at = next;
      }
    },
  };
}

/** Frames through decode, flows, names and totals; the sums are compared now and then. */
function pipeline(): FuzzTarget {
  const source = new FakeSource('libpcap', ['eth0']);
  const { monitor } = monitorOver(source, { naming: new Categories() });
  const batch = new PacketBatch(1, new Uint8Array(0));
  let time = 1_700_000_000_000;
  const check = (): void => {
    const { total, flows, apps, hosts, interfaces, flowCount } = monitor.tick(time, 1000, [], END_LIMITS);
    const bytes = (rows: readonly { rxBytes: number; txBytes: number }[]) =>
      rows.reduce((sum, row) => sum + row.rxBytes + row.txBytes, 0);
    hold(flows.length === flowCount && flowCount <= 4096, 'flows');
    hold(bytes(interfaces) === bytes([total]), 'interfaces and total');
    hold(bytes(hosts) === bytes([total]), 'hosts and total');
    hold(bytes(apps) >= bytes([total]), 'apps and total');
    hold(bytes(flows) <= bytes([total]), 'flows and total');
    monitor.flows.expire(time);
    time += 60_000;
  };
  return {
    name: 'pipeline',
    seeds: FRAMES[0]?.frames ?? [],
    weight: 4,
    run(bytes, from, to) {
      batch.bytes = bytes;
      batch.offset[0] = from;
      batch.captured[0] = to - from;
      batch.wire[0] = to - from;
      batch.time[0] = ++time;
      batch.link[0] = 1;
      batch.count = 1;
      monitor.ingest(batch, 0, 1);
    },
    check,
  };
}

/** All of them. New ones each time: their state is their own. */
export function wireTargets(): FuzzTarget[] {
  return [...FRAMES.map(decoding), inspection(), captures(), written(), pipeline()];
}
