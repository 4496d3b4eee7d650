// Decoded packets made directly, for tests of what comes after the decoder.

import { Packet } from '../../src/decode/packet.ts';
import { parseAddress } from '../../src/net/address.ts';
import { PROTOCOL, TCP_FLAG } from '../../src/net/numbers.ts';

export interface PacketFields {
  src?: string;
  dst?: string;
  sport?: number;
  dport?: number;
  protocol?: number;
  /** Network-layer bytes; 40 and the payload by default. */
  bytes?: number;
  payload?: number;
  /** Letters of TCP flags: S A F R P. */
  flags?: string;
  seq?: number;
  ack?: number;
  timestamps?: readonly [value: number, echo: number];
  tunnel?: Packet['tunnel'];
  group?: boolean;
}

const FLAGS: Record<string, number> = {
  S: TCP_FLAG.SYN,
  A: TCP_FLAG.ACK,
  F: TCP_FLAG.FIN,
  R: TCP_FLAG.RST,
  P: TCP_FLAG.PSH,
};

/** A packet with these fields; its frame is 14 bytes longer than its network layer. */
export function packet(fields: PacketFields = {}): Packet {
  const made = new Packet();
  const { src = '10.0.0.1', dst = '192.0.2.80', payload = 0, bytes = 40 + payload, protocol = PROTOCOL.TCP } = fields;
  for (const [text, at] of [
    [src, 0],
    [dst, 4],
  ] as const) {
    if (!parseAddress(text, made.words, at)) throw new Error(`no address: ${text}`);
  }
  made.hasAddresses = true;
  made.protocol = protocol;
  const hasPorts = protocol === PROTOCOL.TCP || protocol === PROTOCOL.UDP;
  made.sourcePort = fields.sport ?? (hasPorts ? 40_000 : 0);
  made.destinationPort = fields.dport ?? (hasPorts ? 443 : 0);
  made.networkBytes = bytes;
  made.frameBytes = bytes + 14;
  made.payloadBytes = payload;
  made.networkOffset = 14;
  made.transportOffset = 34;
  made.tcpFlags = [...(fields.flags ?? 'A')].reduce((bits, letter) => bits | (FLAGS[letter] ?? 0), 0);
  made.sequence = (fields.seq ?? 0) | 0;
  made.acknowledgement = (fields.ack ?? 0) | 0;
  if (fields.timestamps !== undefined) {
    made.hasTimestamps = true;
    made.timestampValue = fields.timestamps[0] | 0;
    made.timestampEcho = fields.timestamps[1] | 0;
  }
  made.tunnel = fields.tunnel ?? 0;
  made.groupAddressed = fields.group ?? false;
  return made;
}

/** The same packet's answer: ends turned round. */
export function reply(fields: PacketFields = {}): Packet {
  const { src = '10.0.0.1', dst = '192.0.2.80' } = fields;
  const there = packet(fields);
  return packet({ ...fields, src: dst, dst: src, sport: there.destinationPort, dport: there.sourcePort });
}

/** The packet, captured at `time` (epoch ms). */
export function timed(made: Packet, time: number): Packet {
  made.time = time;
  return made;
}

/** Addresses as the localizer takes them. */
export function addresses(...texts: readonly string[]): Int32Array {
  const words = new Int32Array(texts.length * 4);
  for (const [i, text] of texts.entries()) parseAddress(text, words, i * 4);
  return words;
}
