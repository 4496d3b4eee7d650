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
}
