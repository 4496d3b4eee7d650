// Reads what follows a ClientHello over TCP: the server's hello, before TLS 1.3 its certificate too, alerts in clear text, and the record that
// ends the handshake. What TLS encrypts it doesn't guess at.

import type { Packet } from '../../decode/packet.ts';
import { u8, u16 } from '../../net/bytes.ts';
import { type Context, PHASE_OF, payloadSequence, sessionOf } from '../context.ts';
import { type Pending, WAIT } from '../pending.ts';
import { certificateNames } from './certificate.ts';
import { HANDSHAKE_HEADER_BYTES, handshakeLength, Messages, RECORD, RECORD_HEADER_BYTES, startsServerHello } from './records.ts';
import { readServerHello } from './server-hello.ts';

const TLS_1_3 = 0x0304;
const CERTIFICATE = 11;
/** Length of all certificates, then of the first. */
const CERTIFICATE_HEADER_BYTES = 6;
/** Most records looked at in a packet, and packets of a flow from its first on. */
const MAX_RECORDS = 16;
const MAX_PACKETS = 48;

/** `needed` of a pending answer whose hello was reported. */
const TOLD = 1;

/** Reads answers. Each method returns whether the flow's next packet is wanted. */
export class StreamAnswers {
  readonly #context: Context;
  readonly #messages = new Messages();

  constructor(context: Context) {
    this.#context = context;
  }

  /** Begins to wait for the answer to a hello that was just reported. @returns false if nobody asks */
  await(flow: number): boolean {
    if (this.#context.talk === null) return this.#context.done(flow);
    this.#context.setPhase(flow, PHASE_OF.OFFERED);
    return true;
  }

  /** Reads a packet of a flow in one of the phases from OFFERED on. */
  read(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    if (context.count(flow) > MAX_PACKETS) return context.done(flow);
    const at = packet.payloadOffset;
    const end = at + packet.payloadCaptured;
    if (context.phase(flow) === PHASE_OF.OFFERED && startsServerHello(bytes, at, end)) {
      this.#messages.unwrap(bytes, at, end, context.handshake);
      const isTold = this.#tellHello(flow, time);
      if (packet.payloadCaptured < packet.payloadBytes || this.#isAll()) {
        if (!isTold) return context.done(flow);
        this.#goOn(flow, fromOpener);
        return this.#follow(flow, packet, bytes, fromOpener, time);
      }
      const pending = context.open(flow, WAIT.ANSWER, packet, fromOpener, time);
      pending.needed = isTold ? TOLD : 0;
      pending.reassembly.add(0, bytes, at, packet.payloadCaptured);
      return true;
    }
    return this.#follow(flow, packet, bytes, fromOpener, time);
  }

  /** Reads another packet of a flow in the middle of an answer. */
  resume(pending: Pending, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const { flow, reassembly } = pending;
    // The other end goes on only when it has the whole answer, so we missed the rest.
    if (fromOpener !== pending.fromOpener) return this.#finish(pending) && this.#follow(flow, packet, bytes, fromOpener, time);
    const offset = (payloadSequence(packet) - pending.base) | 0;
    const isAdded = reassembly.add(offset, bytes, packet.payloadOffset, packet.payloadCaptured);
    this.#messages.unwrap(reassembly.bytes, 0, reassembly.contiguous, this.#context.handshake);
    const isCut = packet.payloadCaptured < packet.payloadBytes || reassembly.contiguous === reassembly.bytes.length;
    if (isAdded && !isCut && !this.#isAll() && !this.#context.isLate(pending, time)) return true;
    return this.#finish(pending) && this.#follow(flow, packet, bytes, fromOpener, time);
  }

  /** Reports what is there, complete or not, and goes on with the handshake's end. */
  finish(pending: Pending): void {
    this.#finish(pending);
  }

  #finish(pending: Pending): boolean {
    const { flow, fromOpener, reassembly, needed, since } = pending;
    const context = this.#context;
    this.#messages.unwrap(reassembly.bytes, 0, reassembly.contiguous, context.handshake);
    context.close(pending);
    if (needed !== TOLD && !this.#tellHello(flow, since)) return context.done(flow);
    this.#goOn(flow, fromOpener);
    return true;
  }

  /** Whether hello and certificate are all in the scratch, or never will be. */
  #isAll(): boolean {
    const { handshake, serverHello } = this.#context;
    const { length, isOver } = this.#messages;
    if (isOver) return true;
    if (endOfMessage(handshake, 0, length) > length) return false;
    const end = this.#readHello();
    if (end < 0) return true;
    if (serverHello.version === TLS_1_3) return true; // the certificate is encrypted
    return end < length && (u8(handshake, end) !== CERTIFICATE || endOfMessage(handshake, end, length) <= length);
  }

  /** Reads the hello in the scratch. @returns the offset after it; -1 if it isn't all there, or contradicts itself */
  #readHello(): number {
    const { handshake, serverHello } = this.#context;
    const { length } = this.#messages;
    const end = endOfMessage(handshake, 0, length);
    return end <= length && readServerHello(handshake, HANDSHAKE_HEADER_BYTES, end, serverHello) ? end : -1;
  }

  /** Reports the hello in the scratch. @returns whether there is one */
  #tellHello(flow: number, time: number): boolean {
    const { handshake, serverHello, known, talk } = this.#context;
    if (talk === null || this.#readHello() < 0) return false;
    const session = sessionOf(handshake, serverHello.sessionFrom, serverHello.sessionTo);
    talk.answered(flow, known.choice('tcp', handshake, serverHello), session, time);
    return true;
  }

  /** Reports the certificate in the scratch, behind a hello that was reported, and waits for what the hello makes the next step. */
  #goOn(flow: number, fromOpener: boolean): void {
    const context = this.#context;
    const { handshake, serverHello: hello } = context;
    const { length } = this.#messages;
    const end = this.#readHello();
    if (hello.isRetry) context.setPhase(flow, PHASE_OF.OFFERED);
    else if (hello.version === TLS_1_3) context.setPhase(flow, fromOpener ? PHASE_OF.AWAITS_OTHER : PHASE_OF.AWAITS_OPENER);
    else {
      context.setPhase(flow, PHASE_OF.AWAITS_BOTH);
      const first = end + HANDSHAKE_HEADER_BYTES + CERTIFICATE_HEADER_BYTES;
      if (first >= length || u8(handshake, end) !== CERTIFICATE) return;
      const { names, isCut } = certificateNames(handshake, first, length);
      if (names.length > 0) context.talk?.certified(flow, names, isCut);
    }
  }

  /** Looks at the heads of a packet's records: an alert ends the handshake early, a change of keys in time. */
  #follow(flow: number, packet: Packet, bytes: Uint8Array, fromOpener: boolean, time: number): boolean {
    const context = this.#context;
    const end = packet.payloadOffset + packet.payloadCaptured;
    let at = packet.payloadOffset;
    for (let record = 0; record < MAX_RECORDS && at + RECORD_HEADER_BYTES <= end; record++) {
      const type = u8(bytes, at);
      const size = u16(bytes, at + 3);
      if (type < RECORD.CHANGE_CIPHER || type > RECORD.APPLICATION_DATA || u8(bytes, at + 1) !== 3) break;
      if (type === RECORD.ALERT && size === 2 && at + RECORD_HEADER_BYTES + 2 <= end) {
        context.talk?.alerted(flow, u8(bytes, at + RECORD_HEADER_BYTES + 1), fromOpener);
        return context.done(flow);
      }
      if (type === RECORD.CHANGE_CIPHER || type === RECORD.APPLICATION_DATA) {
        const phase = context.phase(flow);
        const awaited = fromOpener ? PHASE_OF.AWAITS_OPENER : PHASE_OF.AWAITS_OTHER;
        if (phase === awaited || (phase === PHASE_OF.AWAITS_BOTH && type === RECORD.APPLICATION_DATA)) {
          context.talk?.secured(flow, time);
          return context.done(flow);
        }
        if (phase === PHASE_OF.AWAITS_BOTH) context.setPhase(flow, fromOpener ? PHASE_OF.AWAITS_OTHER : PHASE_OF.AWAITS_OPENER);
      }
      at += RECORD_HEADER_BYTES + size;
    }
    return true;
  }
}

/** End of the handshake message at `at`; beyond `length` if it is not all there. */
function endOfMessage(bytes: Uint8Array, at: number, length: number): number {
  return at + HANDSHAKE_HEADER_BYTES > length ? length + 1 : at + HANDSHAKE_HEADER_BYTES + handshakeLength(bytes, at);
}
