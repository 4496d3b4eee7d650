import { beforeEach, describe, expect, it } from 'vitest';
import { decode } from '../../../src/decode/decode.ts';
import { Packet } from '../../../src/decode/packet.ts';
import { Neighbours } from '../../../src/identify/place/neighbours.ts';
import { formatAddress } from '../../../src/net/address.ts';
import { LINK } from '../../../src/net/numbers.ts';
import { Inspection } from '../../../src/pipeline/inspection.ts';
import { ethernet, ipv4, tcp, udp } from '../../support/frames.ts';
import { Naming } from '../../support/naming.ts';
import { cryptoFrame, helloMessage, quicInitial, tlsHello, tlsRecords } from '../../support/payloads.ts';
import { answerMessage, changeOfKeys } from '../../support/talk.ts';

const SERVER = '203.0.113.9';
const SYN = 2;
const PUSH = 0x18;

let m: Naming;
let inspection: Inspection;
beforeEach(() => {
  m = new Naming();
  inspection = new Inspection(m.flows, m.names);
});

/** Handles a frame as the monitor does. @returns the flow's row */
function take(frame: Uint8Array): number {
  const packet = new Packet();
  decode(frame, 0, frame.length, frame.length, LINK.ETHERNET, packet);
  packet.time = m.time;
  const row = m.flows.touch(packet, 0, 0);
  if (packet.payloadCaptured > 0) inspection.packet(row, packet, frame, m.flows.lastSent);
  return row;
}

/** Ends a batch. */
function endBatch(): void {
  for (let i = 0; i < m.flows.newCount; i++) inspection.admit(m.flows.newRows[i] as number);
  m.flows.clearNew();
}

interface Ends {
  readonly sport?: number;
  readonly dport?: number;
  readonly seq?: number;
}
const sent = (payload: Uint8Array | string, flags: number, { sport = 50_000, dport = 443, seq = 1 }: Ends = {}) =>
  ethernet({}, ipv4({ src: '10.0.0.1', dst: SERVER }, tcp({ sport, dport, seq, flags }, payload)));
const received = (payload: Uint8Array | string, flags: number, { sport = 50_000, dport = 443, seq = 1 }: Ends = {}) =>
  ethernet({}, ipv4({ src: SERVER, dst: '10.0.0.1' }, tcp({ sport, dport, seq, flags }, payload)));

describe('inspection', () => {
  it('names a flow by its hello, even if it spans batches', () => {
    const hello = tlsHello({ name: 'www.example.com', keyBytes: 1216 });
    const row = take(sent('', SYN, { seq: 0 }));
    endBatch();
    take(sent(hello.subarray(0, 700), PUSH));
    endBatch();
    expect(m.names.nameOf(row)).toBe(-1);
    take(sent(hello.subarray(700), PUSH, { seq: 701 }));
    expect(m.told(row)).toBe('www.example.com tls');
    expect([m.names.applicationOf(row), m.names.applicationSource(row)]).toEqual(['https', 'content']);
    expect(m.flows.isRead(row)).toBe(false); // the server's hello is to come
  });

  it('learns how a flow is spoken until its handshake is over', () => {
    const hello = tlsHello({ name: 'www.example.com' });
    const row = take(sent(hello, PUSH));
    take(received(tlsRecords(answerMessage({ keyed: true })), PUSH, { sport: 443, dport: 50_000 }));
    expect(m.flows.isRead(row)).toBe(false);
    take(sent(changeOfKeys(), PUSH, { seq: 1 + hello.length }));
    expect(m.flows.isRead(row)).toBe(true);
    expect(m.names.talkOf(row)?.tls).toMatchObject({ answer: { version: 0x0304, resumed: true }, names: null });
    expect(m.names.talkOf(row)?.tls?.handshakeMs).not.toBeNull();
  });

  it('reads the next flow in a row even if its first packet came in an earlier batch', () => {
    const first = take(sent('', SYN, { seq: 0 }));
    take(sent(tlsHello({ name: 'first.example' }), PUSH));
    endBatch();
    m.flows.remove(first);
    const second = take(sent('', SYN, { seq: 0, sport: 50_001 }));
    endBatch();
    expect(second).toBe(first);
    take(sent(tlsHello({ name: 'second.example' }), PUSH, { sport: 50_001 }));
    expect(m.told(second)).toBe('second.example tls');
  });

  it('starts the look-up of devices behind the remote ends of new flows', () => {
    const met: string[] = [];
    class Listening extends Neighbours {
      override meet(words: Int32Array, at: number): void {
        met.push(formatAddress(words, at));
      }
    }
    inspection = new Inspection(m.flows, m.names, new Listening(null));
    take(sent('', SYN, { seq: 0 }));
    take(sent('hello', PUSH));
    expect(met).toEqual([]);
    endBatch();
    take(sent('again', PUSH));
    endBatch();
    expect(met).toEqual([SERVER]);
  });

  it('doesn’t join the start of one flow to the end of the next', () => {
    const hello = tlsHello({ name: 'www.example.com', keyBytes: 1216 });
    const row = take(sent('', SYN, { seq: 0 }));
    take(sent(hello.subarray(0, 700), PUSH));
    endBatch();
    m.flows.remove(row);
    expect(take(sent('', SYN, { seq: 0, sport: 50_001 }))).toBe(row);
    endBatch();
    take(sent(hello.subarray(700), PUSH, { sport: 50_001, seq: 701 }));
    expect(m.names.nameOf(row)).toBe(-1);
  });

  it('reads a remote opener, and doesn’t take the name for the opener’s own', () => {
    const row = take(received('', SYN, { seq: 0 }));
    endBatch();
    take(received(tlsHello({ name: 'our.example.com', alpn: ['h2'] }), PUSH));
    expect(m.told(row)).toBe('(the other end opened it, and named this machine)');
    expect([m.names.applicationOf(row), m.names.applicationSource(row)]).toEqual(['https', 'content']);
  });

  it('reads QUIC and DNS, and names flows that begin in the same batch', () => {
    const question = { src: '10.0.0.53', dst: '10.0.0.1' };
    const hello = quicInitial(cryptoFrame(0, helloMessage({ name: 'quic.example', alpn: ['h3'] })));
    const quic = take(ethernet({}, ipv4({ src: '10.0.0.1', dst: SERVER }, udp({ sport: 50_001, dport: 443 }, hello))));
    const plain = take(sent('', SYN, { sport: 50_002 }));
    const answer = Uint8Array.from(
      Buffer.from('000181800001000100000000036473740765786d61706c6503636f6d0000010001c00c000100010000003c0004cb007109', 'hex'),
    );
    const dns = take(ethernet({}, ipv4(question, udp({ sport: 53, dport: 40_001 }, answer))));
    endBatch();
    expect([m.told(quic), m.told(plain)]).toEqual(['quic.example quic', 'dst.exmaple.com dns']);
    expect(m.names.applicationOf(dns)).toBe('dns');
  });
});
