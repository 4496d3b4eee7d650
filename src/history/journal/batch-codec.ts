// Encodes a HistoryBatch as JSON and back: each text once, numbers in rows. A journal may be forged: decoding checks everything.

import type { HistoryBatch, HistoryEntry, LoggedFlow } from '../../model/history-batch.ts';
import { ATTRIBUTIONS, FLOW_DIRECTIONS, NAME_SOURCES } from '../../model/terms.ts';

/**
 * `m` minute, `u` flows that the log lacks, `s` texts.
 *
 * `e`, 14 numbers an entry: app, reason, exe, host, domain, category, interface, protocol (1 + place in `s`, 0 is null), direction (place
 * in FLOW_DIRECTIONS), RX and TX bytes, RX and TX packets, flows.
 *
 * `f`, 23 numbers a flow: start, end - start, protocol, local address, port, remote address, port, direction, interface, app, reason, exe,
 * pid + 1, attribution, host, name source, domain, application, category, RX and TX bytes, RX and TX packets.
 */
interface Coded {
  readonly m: number;
  readonly u: number;
  readonly s: readonly string[];
  readonly e: readonly number[];
  readonly f: readonly number[];
}

const ENTRY = 14;
const FLOW = 23;
/** UTF-16 units of a text; the sanitiser cuts at the same length. */
const LONGEST_TEXT = 512;

/** Texts by their first use, each once. */
class Texts {
  readonly list: string[] = [];
  readonly #places = new Map<string, number>();

  place(text: string | null): number {
    if (text === null) return 0;
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.list.push(text.slice(0, LONGEST_TEXT));
    this.#places.set(text, place);
    return place;
  }
}

/** The batch as JSON. */
export function encodeBatch(batch: HistoryBatch): string {
  const texts = new Texts();
  const at = (text: string | null) => texts.place(text);
  const e: number[] = [];
  for (const entry of batch.entries) {
    e.push(at(entry.app), at(entry.reason), at(entry.exe), at(entry.host), at(entry.domain), at(entry.category));
    e.push(at(entry.interface), at(entry.protocol), FLOW_DIRECTIONS.indexOf(entry.direction));
    e.push(entry.rxBytes, entry.txBytes, entry.rxPackets, entry.txPackets, entry.flows);
  }
  const f: number[] = [];
  for (const flow of batch.flows) {
    f.push(flow.start, flow.end - flow.start, at(flow.protocol), at(flow.localAddress), flow.localPort);
    f.push(at(flow.remoteAddress), flow.remotePort, FLOW_DIRECTIONS.indexOf(flow.direction), at(flow.interface));
    f.push(at(flow.app), at(flow.reason), at(flow.exe), (flow.pid ?? -1) + 1, ATTRIBUTIONS.indexOf(flow.attribution));
    f.push(at(flow.host), NAME_SOURCES.indexOf(flow.nameSource), at(flow.domain), at(flow.application), at(flow.category));
    f.push(flow.rxBytes, flow.txBytes, flow.rxPackets, flow.txPackets);
  }
  const coded: Coded = { m: batch.minute, u: batch.unlogged, s: texts.list, e, f };
  return JSON.stringify(coded);
}

/** Decodes what `encodeBatch` made; null for any other text. */
export function decodeBatch(text: string): HistoryBatch | null {
  const coded = parsed(text);
  if (coded === null) return null;
  const { m: minute, u: unlogged, e, f } = coded;
  const entries: HistoryEntry[] = [];
  for (let at = 0; at < e.length; at += ENTRY) entries.push(entryAt(coded, at));
  const flows: LoggedFlow[] = [];
  for (let at = 0; at < f.length; at += FLOW) flows.push(flowAt(coded, at));
  return { minute, entries, flows, unlogged };
}

function parsed(text: string): Coded | null {
  let value: Partial<Record<keyof Coded, unknown>> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return null;
  }
  const { m, u, s, e, f } = value ?? {};
  const isNumber = (one: unknown) => typeof one === 'number' && Number.isFinite(one);
  const isRows = (list: unknown, width: number) => Array.isArray(list) && list.length % width === 0 && list.every(isNumber);
  const isTexts = Array.isArray(s) && s.every((one) => typeof one === 'string' && one.length <= LONGEST_TEXT);
  return isNumber(m) && isNumber(u) && isTexts && isRows(e, ENTRY) && isRows(f, FLOW) ? (value as unknown as Coded) : null;
}

function entryAt({ s, e }: Coded, at: number): HistoryEntry {
  const number = (column: number) => e[at + column] as number;
  const text = (column: number) => s[number(column) - 1] ?? null;
  return {
    app: text(0),
    reason: text(1),
    exe: text(2),
    host: text(3),
    domain: text(4),
    category: text(5),
    interface: text(6) ?? '',
    protocol: text(7) ?? '',
    direction: FLOW_DIRECTIONS[number(8)] ?? 'transit',
    rxBytes: number(9),
    txBytes: number(10),
    rxPackets: number(11),
    txPackets: number(12),
    flows: number(13),
  };
}

function flowAt({ s, f }: Coded, at: number): LoggedFlow {
  const number = (column: number) => f[at + column] as number;
  const text = (column: number) => s[number(column) - 1] ?? null;
  return {
    start: number(0),
    end: number(0) + number(1),
    protocol: text(2) ?? '',
    localAddress: text(3) ?? '',
    localPort: number(4),
    remoteAddress: text(5) ?? '',
    remotePort: number(6),
    direction: FLOW_DIRECTIONS[number(7)] ?? 'transit',
    interface: text(8) ?? '',
    app: text(9),
    reason: text(10),
    exe: text(11),
    pid: number(12) === 0 ? null : number(12) - 1,
    attribution: ATTRIBUTIONS[number(13)] ?? 'none',
    host: text(14),
    nameSource: NAME_SOURCES[number(15)] ?? 'none',
    domain: text(16),
    application: text(17),
    category: text(18),
    rxBytes: number(19),
    txBytes: number(20),
    rxPackets: number(21),
    txPackets: number(22),
  };
}
