// Events: what happened, told once, with what it happened to. Plain data; words are put together by whoever shows them.

import type { FlowRow } from './snapshot.ts';

/** What happened. */
export const EVENT_KINDS = [
  'start',
  'new app',
  'new domain',
  'opened',
  'closed',
  'gap',
  'warning',
  'interface',
  'fallback',
  'recording',
  'export',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Many flows that opened or closed, told together. It goes on while they do: then the event is renewed under its id. */
export interface FlowBurst {
  /** Flows of one app, or of one reason for having none; of many apps; or flows that were too many to be listed. */
  readonly of: 'app' | 'others' | 'unlisted';
  /** Why there is no app; null where there is one, or many. */
  readonly reason: string | null;
  readonly count: number;
  /** Name or address of the remote end where all have the same. */
  readonly host: string | null;
  /** Remote ends told apart, at most MOST_HOSTS. */
  readonly hosts: number;
  /** When the first was noticed, epoch ms; the event's time is that of the last. */
  readonly since: number;
  /** What those that closed had moved. */
  readonly rxBytes: number;
  readonly txBytes: number;
}

/** One thing that happened. Text is outside text: nobody has cleaned it. */
export interface NetEvent {
  /** Unique within a run. */
  readonly id: string;
  /** Epoch ms; that of the tick that noticed it. */
  readonly time: number;
  readonly kind: EventKind;
  /** What to say beyond the fields; empty where they say all. */
  readonly text: string;
  readonly app: string | null;
  readonly domain: string | null;
  readonly interface: string | null;
  /** The flow it is about, as it was then. */
  readonly flow: FlowRow | null;
  /** Flows that are told together; null for all else. */
  readonly burst: FlowBurst | null;
}
