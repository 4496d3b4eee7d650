// Sends closed connections to a collector of IPFIX. Nothing answers there: over TCP a batch counts as taken when the connection ended without an error,
// over UDP when it left this machine.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { IpfixEncoder } from '../../export/ipfix.ts';
import { reasonOf } from '../../model/errors.ts';
import type { PushPlan } from '../../model/export.ts';
import type { ExportBatch } from '../../model/export-batch.ts';
import { type Clock, systemClock } from '../../system/clock.ts';
import { DELIVERED, failed, type Outcome } from '../delivery.ts';
import type { EngineSender } from './engine-queue.ts';

/** A datagram that no network between breaks up. */
const DATAGRAM_BYTES = 1400;
const MESSAGE_BYTES = 65_535;
/** Datagrams in a row: more would be lost in the collector's own queue. */
const BURST = 16;
const BURST_PAUSE_MS = 10;
/** In which a collector's machine says that nobody listens. */
const REFUSAL_MS = 100;
/** Names are sent again so often over UDP: RFC 7011 has no number for them, and ten minutes for templates. */
const NAMES_MS = 10 * 60_000;
const LONGEST_MS = 15_000;
/** A collector need not end its side of a connection. */
const LINGER_MS = 2000;

/** A collector. */
export class IpfixSender implements EngineSender {
  readonly engine = 'ipfix';
  readonly #host: string;
  readonly #port: number;
  readonly #isUdp: boolean;
  readonly #clock: Clock;
  readonly #longestMs: number;
  /** Over UDP its sequence numbers go on; null before the first batch. */
  #encoder: IpfixEncoder | null = null;
  /** When our elements were last named over UDP, epoch ms. */
  #namedAt = Number.NEGATIVE_INFINITY;

  constructor({ url }: Pick<PushPlan, 'url'>, clock: Clock = systemClock, longestMs = LONGEST_MS) {
    const { protocol, hostname, port } = new URL(url);
    this.#host = hostname.replace(/^\[(.*)\]$/, '$1');
    this.#port = Number(port);
    this.#isUdp = protocol === 'udp:';
    this.#clock = clock;
    this.#longestMs = longestMs;
  }

  async send({ flows, hostId }: ExportBatch): Promise<Outcome> {
    if (flows.length === 0) return DELIVERED;
    this.#encoder = this.#isUdp ? this.#encoder : null; // a connection counts from 0 again
    this.#encoder ??= new IpfixEncoder(Number.parseInt(hostId.slice(-8), 16), this.#isUdp ? DATAGRAM_BYTES : MESSAGE_BYTES);
    const encoder = this.#encoder;
    const now = this.#clock.now();
    const isNamed = !this.#isUdp || now - this.#namedAt > NAMES_MS;
    if (isNamed) this.#namedAt = now;
    const messages = [encoder.templates(now, isNamed), ...encoder.flows(flows, now)];
    try {
      await (this.#isUdp ? this.#datagrams(messages) : this.#stream(messages));
      return DELIVERED;
    } catch (thrown) {
      return failed(reasonOf(thrown), true);
    }
  }

  async #datagrams(messages: readonly Buffer[]): Promise<void> {
    const socket = createSocket({ type: this.#host.includes(':') ? 'udp6' : 'udp4' });
    try {
      const failure = new Promise<never>((_, reject) => socket.on('error', reject));
      await Promise.race([this.#sendAll(socket, messages), failure]);
    } finally {
      socket.close();
    }
  }

  /** Through a socket that is connected: so it hears when nobody listens at that port. */
  async #sendAll(socket: UdpSocket, messages: readonly Buffer[]): Promise<void> {
    await new Promise<void>((resolve) => socket.connect(this.#port, this.#host, resolve));
    for (const [i, message] of messages.entries()) {
      await new Promise<void>((resolve, reject) => socket.send(message, (error) => (error === null ? resolve() : reject(error))));
      if (i % BURST === BURST - 1) await sleep(BURST_PAUSE_MS);
    }
    await sleep(REFUSAL_MS);
  }

  #stream(messages: readonly Buffer[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: this.#host, port: this.#port });
      const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), this.#longestMs);
      let linger: NodeJS.Timeout | null = null;
      socket.once('error', reject);
      socket.once('close', (hasFailed) => {
        clearTimeout(timer);
        if (linger !== null) clearTimeout(linger);
        if (!hasFailed) resolve();
      });
      socket.once('finish', () => {
        linger = setTimeout(() => socket.destroy(), LINGER_MS);
      });
      socket.resume();
      for (const message of messages) socket.write(message);
      socket.end();
    });
  }
}
