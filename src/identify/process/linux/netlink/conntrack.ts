// Reads the kernel's address translations (/proc/net/nf_conntrack): from the tuple on the wire to the tuple of the socket behind it.

import { closeSync, openSync, readSync } from 'node:fs';
import { parseAddress } from '../../../../net/address.ts';
import { ECHO, ECHO_PORT, echoOf, PROTOCOL } from '../../../../net/numbers.ts';
import { CpuBudget } from '../../cpu-budget.ts';
import { SocketTable } from '../../socket-table.ts';

/** Most bytes read of the table: about twenty thousand connections. */
const MAX_BYTES = 4 << 20;
/** Shortest pause between reads, below the quarter second after which a flow is looked up again. */
const MIN_PAUSE_MS = 200;
/** Reading takes at most a twentieth of the time. */
const REST = 20;
const PROTOCOLS = new Map<string, number>([
  ['tcp', PROTOCOL.TCP],
  ['udp', PROTOCOL.UDP],
  ['udplite', PROTOCOL.UDPLITE],
  ['icmp', PROTOCOL.ICMP],
  ['icmpv6', PROTOCOL.ICMPV6],
]);
/** `ipv4 2 tcp 6 431999 ESTABLISHED src=A dst=B sport=1 dport=2 src=C dst=D sport=3 dport=4 [ASSURED] ...` */
const LINE =
  /^ipv[46]\s+\d+\s+(\w+)\s+\d+ .*?src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+) .*?src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)/;
/** A ping has these in place of ports: `src=A dst=B type=8 code=0 id=1 src=C dst=D type=0 code=0 id=2`. */
const ECHO_ENDS = /\btype=(\d+) code=\d+ id=(\d+)/g;

/** A socket's two ends. */
export interface Ends {
  /** Own address, four words, then the other's. */
  readonly words: Int32Array;
  readonly ownPort: number;
  readonly otherPort: number;
}

/** Address translations. It reads the table only when a flow asks, for at most a twentieth of the time. */
export class Conntrack {
  readonly #path: string;
  readonly #table = new SocketTable();
  #inner: Ends[] = [];
  readonly #readings = new CpuBudget(REST, MIN_PAUSE_MS);
  /** Only root may open the table, so we open it before dropping root and reread it from the start. */
  #descriptor: number | null;

  /** @param proc `/proc` */
  constructor(proc: string) {
    this.#path = `${proc}/net/nf_conntrack`;
    this.#descriptor = opened(this.#path);
  }

  /**
   * Ends of the socket behind a flow; null if the flow isn't translated. `ends` holds the local address at `at`, then the remote one.
   * @param now monotonic ms
   */
  behind(protocol: number, ends: Int32Array, at: number, localPort: number, remotePort: number, now: number): Ends | null {
    if (this.#readings.isDue(now)) {
      this.#readings.measure(() => this.#read());
      this.#readings.pause(now);
    }
    if (this.#inner.length === 0) return null;
    const index = this.#table.find(protocol, ends, at, localPort, at + 4, remotePort);
    return index === 0 || this.#table.match !== 'exact' ? null : (this.#inner[index - 1] as Ends);
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #read(): void {
    this.#table.clear();
    this.#inner = [];
    this.#descriptor ??= opened(this.#path);
    const text = this.#descriptor === null ? '' : firstBytes(this.#descriptor);
    for (const line of text.split('\n')) this.#add(line);
  }

  #add(text: string): void {
    const line = text.includes(' icmp') ? withPorts(text) : text;
    const found = LINE.exec(line);
    const protocol = found === null ? undefined : PROTOCOLS.get(found[1] as string);
    if (found === null || protocol === undefined) return;
    const [, , source, destination, sport, dport, replySource, replyDestination, replySport, replyDport] =
      found as unknown as string[];
    if (source === replyDestination && destination === replySource && sport === replyDport && dport === replySport) return;
    // On the wire the reply goes to the translated source; the socket belongs to the opener.
    this.#translate(protocol, replyDestination, replySource, replyDport, replySport, source, destination, sport, dport);
    // On the wire the request goes to the translated destination; the socket belongs to the responder.
    this.#translate(protocol, destination, source, dport, sport, replySource, replyDestination, replySport, replyDport);
  }

  #translate(protocol: number, ...outerThenInner: (string | undefined)[]): void {
    const [local = '', remote = '', localPort, remotePort, own = '', other = '', ownPort, otherPort] = outerThenInner;
    const outer = new Int32Array(8);
    const words = new Int32Array(8);
    if (
      !parseAddress(local, outer, 0) ||
      !parseAddress(remote, outer, 4) ||
      !parseAddress(own, words, 0) ||
      !parseAddress(other, words, 4)
    )
      return;
    this.#inner.push({ words, ownPort: Number(ownPort), otherPort: Number(otherPort) });
    this.#table.add(protocol, outer, 0, Number(localPort), outer, 4, Number(remotePort), this.#inner.length);
  }
}

/** Rewrites a ping's line with the ports that we give its flow. */
function withPorts(line: string): string {
  const protocol = line.startsWith('ipv4') ? PROTOCOL.ICMP : PROTOCOL.ICMPV6;
  return line.replace(ECHO_ENDS, (_, type: string, identifier: string) =>
    echoOf(protocol, Number(type)) === ECHO.REQUEST
      ? `sport=${identifier} dport=${ECHO_PORT}`
      : `sport=${ECHO_PORT} dport=${identifier}`,
  );
}

/** @returns null if this kernel translates nothing or we may not read the table */
function opened(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    return null;
  }
}

function firstBytes(descriptor: number): string {
  try {
    const chunks: Buffer[] = [];
    for (let at = 0; at < MAX_BYTES; ) {
      const chunk = Buffer.alloc(Math.min(MAX_BYTES - at, 1 << 16));
      const read = readSync(descriptor, chunk, 0, chunk.length, at);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      at += read;
    }
    return Buffer.concat(chunks).toString('latin1');
  } catch {
    return '';
  }
}
