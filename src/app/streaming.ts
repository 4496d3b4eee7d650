// `netmon-tui stream`: this machine's snapshots for another one that shows them. The line is standard input and output, so whoever started it, ssh as
// a rule, decides who may read it. Orders that make no sense end it.

import type { Readable, Writable } from 'node:stream';
import { LineReader } from '../messenger/protocol.ts';
import type { HistoryAnswer, HistoryQuestion } from '../model/history.ts';
import type { PacketPage } from '../model/packet-page.ts';
import type { FlowRow, Gap, Snapshot } from '../model/snapshot.ts';
import type { Output } from '../output/output.ts';
import { StreamEncoder } from '../stream/encoder.ts';
import { commonVersion, greeting, MESSAGE, MessageWriter, matchedPayload, VERSIONS } from '../stream/messages.ts';
import { LONGEST_ORDER, type MatchAsk, type Order, orderIn, replyPayload } from '../stream/orders.ts';
import type { Clock } from '../system/clock.ts';

/** Rows of a snapshot; of flows some more than are sent, so that those at the edge stay. */
const LIMITS = { apps: 200, hosts: 300, flows: 300 };
const SENT = { flows: 200, branches: 400 };
/** While more bytes than this wait for the line, frames are left out: the next one has what they had. */
const UNREAD_BYTES = 128 * 1024;
/** How long the end waits for the line, ms. */
const END_MS = 1000;

/** What the line asks of the run. */
export interface StreamHandlers {
  ask(id: number, question: HistoryQuestion): void;
  watchPackets(flow: string): void;
  /** Has snapshots hold what a filter matches; null for none. @returns false if it isn't one */
  match(ask: MatchAsk | null): boolean;
  /** The last packets of the connection that is watched. */
  packetPage(): PacketPage | null;
}

/** The other end of the line, and what to do when it is gone. */
export interface StreamParts {
  readonly input: Readable;
  readonly output: Writable;
  /** Version of the program. */
  readonly program: string;
  /** See Greeting. */
  readonly machine: string | null;
  readonly clock: Clock;
  /** Called once, when nobody reads any more. */
  readonly onClosed: () => void;
}

/** Sends what changed, as fast as the line takes it. */
export class Streaming implements Output {
  readonly wantsEvents = false;
  readonly limits = LIMITS;
  readonly #parts: StreamParts;
  readonly #encoder = new StreamEncoder(SENT);
  readonly #writer = new MessageWriter();
  #handlers: StreamHandlers | null = null;
  #isSpoken = false;
  #isClosed = false;
  #watched: string | null = null;
  #matched: { readonly id: number; readonly text: string; readonly encoder: StreamEncoder } | null = null;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** Greets, and obeys from now on: root has been dropped. */
  listen(handlers: StreamHandlers): void {
    this.#handlers = handlers;
    const { input, output, program, machine } = this.#parts;
    const reader = new LineReader(LONGEST_ORDER);
    output.on('error', () => this.#close());
    input.on('error', () => this.#close());
    input.once('end', () => this.#close());
    input.on('data', (chunk: Buffer) => {
      try {
        if (!this.#isClosed && !reader.take(chunk, (line) => this.#obey(orderIn(line)))) this.#close();
      } catch {
        this.#close(); // whoever sends such orders is no netmon-tui
      }
    });
    output.write(greeting(program, machine));
  }

  sample(snapshot: Snapshot): void {
    const { output } = this.#parts;
    if (!this.#isSpoken || this.#isClosed || output.writableLength > UNREAD_BYTES) return;
    output.write(this.#writer.message(MESSAGE.FRAME, this.#encoder.frame(snapshot)));
    this.#sendMatched(snapshot);
    if (this.#watched !== null) this.#sendPackets();
  }

  opened(_flow: FlowRow): void {}

  closed(_flow: FlowRow): void {}

  gap(_gap: Gap): void {}

  /** Waits until the line has taken what was written, for a moment. */
  end(): Promise<void> {
    const { output } = this.#parts;
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, END_MS);
      output.end(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Answers a question. */
  answer(id: number, answer: HistoryAnswer): void {
    this.#reply({ type: 'history', id, answer });
  }

  #obey(order: Order): void {
    if (order.type === 'speak') {
      if (this.#isSpoken || commonVersion({ versions: [order.version, order.version] }) !== VERSIONS[1])
        throw new Error('another version');
      this.#isSpoken = true;
      this.#parts.output.write(this.#writer.message(MESSAGE.SCHEMA, this.#encoder.schema()));
    } else if (!this.#isSpoken) throw new Error('it has to say what it speaks');
    else if (order.type === 'want') this.#encoder.want(order.tables);
    else if (order.type === 'echo') this.#reply({ type: 'echo', id: order.id, time: this.#parts.clock.now() });
    else if (order.type === 'history') this.#handlers?.ask(order.id, order.question);
    else if (order.type === 'match') this.#match(order.ask);
    else {
      this.#watched = order.flow;
      if (order.flow === null) return;
      this.#handlers?.watchPackets(order.flow);
      this.#sendPackets();
    }
  }

  #match(ask: MatchAsk | null): void {
    const isTaken = this.#handlers?.match(ask) === true;
    this.#matched = ask !== null && isTaken ? { id: ask.id, text: ask.text, encoder: new StreamEncoder(SENT) } : null;
  }

  #sendMatched({ matching, ...snapshot }: Snapshot): void {
    if (this.#matched === null || matching === null || matching.text !== this.#matched.text) return;
    const { id, encoder } = this.#matched;
    const {
      total,
      apps,
      hosts,
      categories,
      interfaces,
      branches,
      flows,
      flowCount,
      encryptedDns: encrypted,
      completeSince,
    } = matching;
    const rows = { total, apps, hosts, categories, interfaces, branches, flows, flowCount };
    const dns = { ...snapshot.dns, encrypted };
    const alone = { ...snapshot, ...rows, dns, matching: null, events: [], alerts: [] };
    this.#parts.output.write(
      this.#writer.message(MESSAGE.MATCHED, matchedPayload({ id, completeSince, frame: encoder.frame(alone) })),
    );
  }

  #sendPackets(): void {
    this.#reply({ type: 'packets', page: this.#handlers?.packetPage() ?? null });
  }

  #reply(reply: Parameters<typeof replyPayload>[0]): void {
    if (!this.#isClosed) this.#parts.output.write(this.#writer.message(MESSAGE.REPLY, replyPayload(reply)));
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.onClosed();
  }
}
