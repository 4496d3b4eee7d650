// The protocol between the program and its messenger: JSON lines of bounded length, alerts one way, acknowledgements the other. Each side checks
// everything that it reads; a line that doesn't fit is dropped.

import { ALERT_KINDS, type alertFields, SEVERITIES } from '../model/alert.ts';
import { CHANNELS, type Channel, type ChannelStatus, type DeliveryPlan, HOLDS } from '../model/delivery.ts';
import { ENGINES, type EngineStatus, type ExportPlan, PUSH_ENGINES, type PushEngine, type Refused } from '../model/export.ts';
import type { ExportBatch } from '../model/export-batch.ts';
import { METRICS, type MetricName, type MetricSample, type MetricSet } from '../model/metrics.ts';
import { sanitize } from '../net/text.ts';
import type { Identity } from '../system/accounts.ts';
import { NO_DEBUGGER } from '../system/edges.ts';
import { type ChildCommand, childCommand } from '../system/own-files.ts';

/** An alert in its JSON form. */
export type AlertFields = ReturnType<typeof alertFields>;

/** The first line to the messenger: who it becomes, and what it does. It comes through the pipe because arguments are public. */
export interface Orders {
  readonly identity: Identity;
  /** null delivers no alerts. */
  readonly plan: DeliveryPlan | null;
  /** null exports nothing. */
  readonly exports: ExportPlan | null;
  /** Address of the user's session bus; null if none is known. */
  readonly bus: string | null;
}

/** An acknowledgement. */
export type Answer =
  /** Rights are dropped. */
  | { readonly type: 'ready'; readonly user: string; readonly note: string }
  /** It can't work, and ends. */
  | { readonly type: 'refused'; readonly reason: string }
  /** A channel is done with an alert. `failure` says why it gave it up; null if it was delivered. */
  | { readonly type: 'done'; readonly id: string; readonly channel: Channel; readonly failure: string | null }
  | { readonly type: 'status'; readonly note: string; readonly channels: readonly ChannelStatus[] }
  | { readonly type: 'engines'; readonly engines: readonly EngineStatus[] }
  /** An engine has a batch, but for what it refused. */
  | { readonly type: 'taken'; readonly engine: PushEngine; readonly token: string; readonly refused: Refused | null }
  /** A try to send a batch failed; the next one is at `next`, epoch ms. */
  | {
      readonly type: 'held';
      readonly engine: PushEngine;
      readonly token: string;
      readonly failure: string;
      readonly next: number;
    };

/** How the messenger is started, by the program and by itself. */
export function messengerCommand(): ChildCommand {
  return childCommand('messenger', [NO_DEBUGGER, '--max-old-space-size=48', '--max-semi-space-size=1'], []);
}

/** Rows of a batch for an engine. */
export const BATCH_ROWS = 500;
/** Longest line to the messenger, bytes: a batch whose every text is as long as texts get. */
export const LONGEST_ORDER = 16 << 20;
/** Longest answer, bytes. */
export const LONGEST_ANSWER = 8 * 1024;
const LONGEST_ID = 128;
const MOST_DETAILS = 64;
const MOST_SAMPLES = 4096;

/** Splits a stream into lines. Holds at most one line. */
export class LineReader {
  readonly #longest: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** @returns false if a line is too long; the rest of the stream is then useless */
  take(chunk: Buffer, each: (line: string) => void): boolean {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10)) {
      if (end > this.#longest) return false;
      each(bytes.toString('utf8', 0, end));
      bytes = bytes.subarray(end + 1);
    }
    this.#rest = Buffer.from(bytes);
    return bytes.length <= this.#longest;
  }
}

/** One line of the protocol. */
export function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** The alert in a line; null if it is none. Texts are sanitised once more. */
export function alertIn(line: string): AlertFields | null {
  const value = parsed(line);
  if (value?.['type'] !== 'alert' || value['schema'] !== 1) return null;
  const { id, time, kind, severity, pid, details, held } = value;
  const known = { kind: ALERT_KINDS.find((one) => one === kind), severity: SEVERITIES.find((one) => one === severity) };
  if (!isId(id) || known.kind === undefined || known.severity === undefined || typeof value['text'] !== 'string') return null;
  if (typeof time !== 'string' || time.length > 30 || !Number.isFinite(Date.parse(time))) return null;
  if (!Array.isArray(details) || details.length > MOST_DETAILS || !details.every((one) => typeof one === 'string')) return null;
  const words = (['app', 'exe', 'user', 'host', 'domain', 'evidence'] as const).map((name) => [name, textOrNull(value[name])]);
  return {
    ...(Object.fromEntries(words) as Pick<AlertFields, 'app' | 'exe' | 'user' | 'host' | 'domain' | 'evidence'>),
    type: 'alert',
    schema: 1,
    id,
    time,
    kind: known.kind,
    severity: known.severity,
    pid: countOf(pid),
    text: sanitize(value['text']),
    details: details.map(sanitize),
    held: held === 'learning' || held === 'muted' || held === 'no history' ? held : null,
  };
}

/** The metrics in a line; null if it has none. Texts are sanitised once more. */
export function metricsIn(line: string): MetricSet | null {
  const value = parsed(line);
  if (value?.['type'] !== 'metrics') return null;
  const { time, samples } = value;
  if (countOf(time) === null || !Array.isArray(samples) || samples.length > MOST_SAMPLES) return null;
  return { time: time as number, samples: samples.map(sampleIn).filter((one) => one !== null) };
}

function sampleIn(sample: unknown): MetricSample | null {
  if (!isObject(sample)) return null;
  const { metric, labels, value, count } = sample;
  if (typeof metric !== 'string' || !Object.hasOwn(METRICS, metric) || !Array.isArray(labels)) return null;
  const name = metric as MetricName;
  if (labels.length !== METRICS[name].labels.length || !labels.every((one) => typeof one === 'string')) return null;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return null;
  const known = { metric: name, labels: labels.map(sanitize), value };
  return METRICS[name].type === 'summary' ? { ...known, count: countOf(count) ?? 0 } : known;
}

/** The batch in a line; null if it is none. What its rows hold is checked where they are encoded: each cell has a type there. */
export function batchIn(line: string): ExportBatch | null {
  const value = parsed(line);
  if (value?.['type'] !== 'batch') return null;
  const { engine: name, token, hostId, hostName, until, minutes, flows, alerts } = value;
  const engine = PUSH_ENGINES.find((one) => one === name);
  const isRows = (rows: unknown): rows is never[] => Array.isArray(rows) && rows.length <= BATCH_ROWS && rows.every(isObject);
  if (engine === undefined || !isId(token) || !isId(hostId) || countOf(until) === null) return null;
  if (!isRows(minutes) || !isRows(flows) || !isRows(alerts)) return null;
  return { engine, token, hostId, hostName: textOrNull(hostName), until: until as number, minutes, flows, alerts };
}

/** The answer in a line; null if it is none. */
export function answerIn(line: string): Answer | null {
  const value = parsed(line);
  const text = (name: string): string => textOrNull(value?.[name]) ?? '';
  switch (value?.['type']) {
    case 'ready':
      return { type: 'ready', user: text('user'), note: text('note') };
    case 'refused':
      return { type: 'refused', reason: text('reason') };
    case 'done': {
      const channel = channelOf(value['channel']);
      if (!isId(value['id']) || channel === undefined) return null;
      return { type: 'done', id: value['id'], channel, failure: textOrNull(value['failure']) };
    }
    case 'status': {
      const { channels } = value;
      if (!Array.isArray(channels) || channels.length > CHANNELS.length) return null;
      return { type: 'status', note: text('note'), channels: channels.map(channelIn).filter((one) => one !== null) };
    }
    case 'engines': {
      const { engines } = value;
      if (!Array.isArray(engines) || engines.length > ENGINES.length) return null;
      return { type: 'engines', engines: engines.map(engineIn).filter((one) => one !== null) };
    }
    case 'taken':
    case 'held': {
      const engine = PUSH_ENGINES.find((one) => one === value['engine']);
      const { token } = value;
      if (engine === undefined || !isId(token)) return null;
      if (value['type'] === 'taken') return { type: 'taken', engine, token, refused: refusedIn(value['refused']) };
      return { type: 'held', engine, token, failure: text('failure'), next: countOf(value['next']) ?? 0 };
    }
    default:
      return null;
  }
}

function engineIn(value: unknown): EngineStatus | null {
  if (!isObject(value)) return null;
  const engine = ENGINES.find((one) => one === value['engine']);
  const [sent, waiting] = [countOf(value['sent']), countOf(value['waiting'])];
  if (engine === undefined || sent === null || waiting === null) return null;
  return {
    engine,
    to: textOrNull(value['to']) ?? '',
    acknowledged: countOf(value['acknowledged']),
    sent,
    waiting,
    behindSince: countOf(value['behindSince']),
    failure: textOrNull(value['failure']),
    refused: refusedIn(value['refused']),
    deleted: null, // the program itself finds that out
    next: countOf(value['next']),
  };
}

function refusedIn(value: unknown): Refused | null {
  const count = isObject(value) ? countOf(value['count']) : null;
  return count === null ? null : { count, why: textOrNull((value as { why?: unknown }).why) ?? '' };
}

function channelIn(value: unknown): ChannelStatus | null {
  if (!isObject(value)) return null;
  const channel = channelOf(value['channel']);
  const [delivered, waiting, lost] = [countOf(value['delivered']), countOf(value['waiting']), countOf(value['lost'])];
  if (channel === undefined || delivered === null || waiting === null || lost === null) return null;
  const hold = HOLDS.find((one) => one === value['hold']) ?? null;
  return { channel, delivered, waiting, lost, failure: textOrNull(value['failure']), hold, next: countOf(value['next']) };
}

function channelOf(value: unknown): Channel | undefined {
  return CHANNELS.find((one) => one === value);
}

/** The object in a line of JSON; null if there is none. */
export function parsed(line: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(line) as unknown;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value may be an alert's id: printable ASCII, bounded. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_ID && /^[\x21-\x7e]+$/.test(value);
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? sanitize(value) : null;
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
