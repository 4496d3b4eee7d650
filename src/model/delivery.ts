// How alerts reach people outside of this program: what the user asked for, and how far it got.

import type { AlertDelivery, Mute } from './alert.ts';

/** Ways out of the program that the messenger serves, in the order in which they are listed. */
export const CHANNELS = ['desktop', 'command', 'webhook', 'syslog'] as const;
export type Channel = (typeof CHANNELS)[number];

/** How an alert shows in the terminal itself: not at all, by a bell, or by a notification in the form that the terminal takes or in a named one. */
export const TERMINAL_NOTICES = ['off', 'bell', 'notify', 'osc9', 'osc777', 'osc99'] as const;
export type TerminalNotice = (typeof TERMINAL_NOTICES)[number];

/** What a webhook's receiver takes. */
export const WEBHOOK_FORMATS = ['json', 'ntfy', 'slack', 'discord'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** A webhook. */
export interface WebhookPlan {
  /** http or https. It may be a secret. */
  readonly url: string;
  readonly format: WebhookFormat;
  /** Sent as a bearer token; null for none. */
  readonly token: string | null;
  /** PEM file with the certificates to trust besides Node's; null for none. */
  readonly ca: string | null;
}

/** Hours in which only critical alerts are delivered: minutes after midnight, local time. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
}

/** When alerts are delivered. */
export interface PacingPlan {
  readonly quiet: QuietHours | null;
  /** So many messages in this time. */
  readonly most: number;
  readonly perMs: number;
}

/** What the user asked the messenger for. */
export interface DeliveryPlan extends PacingPlan {
  readonly desktop: boolean;
  /** Program with its arguments; empty for none. */
  readonly command: readonly string[];
  readonly webhook: WebhookPlan | null;
  readonly syslog: boolean;
  /** Folder of the outbox; null keeps it in memory. */
  readonly folder: string | null;
}

/** What the user asked for. */
export interface NotifyOptions {
  readonly terminal: TerminalNotice;
  /** Of the terminal; the plan has the same. */
  readonly pacing: PacingPlan;
  /** null if nothing leaves the program. */
  readonly plan: DeliveryPlan | null;
}

/** What alerts wait for besides another try: the end of quiet hours, or the rate. */
export const HOLDS = ['quiet', 'rate'] as const;
export type Hold = (typeof HOLDS)[number];

/** How far a channel got. */
export interface ChannelStatus {
  readonly channel: Channel;
  /** Alerts delivered in this run. */
  readonly delivered: number;
  /** Alerts that wait: for the end of quiet hours, for the rate, or for another try. */
  readonly waiting: number;
  /** Alerts that were given up. */
  readonly lost: number;
  /** Why the last try failed; null if it didn't. */
  readonly failure: string | null;
  /** Why alerts wait although nothing failed; null if they don't. */
  readonly hold: Hold | null;
  /** When what waits is tried next, epoch ms; null if nothing waits for a time. */
  readonly next: number | null;
}

/** The messenger as the program sees it. */
export interface MessengerStatus {
  /** It runs, and has dropped its rights. */
  readonly isReady: boolean;
  /** Host of the webhook; null without one. */
  readonly host: string | null;
  /** User as which it runs; empty until it is ready. */
  readonly user: string;
  /** What is wrong with it, or what it can't keep; empty if nothing. */
  readonly note: string;
  readonly channels: readonly ChannelStatus[];
  /** Another run of this user records, and delivers the same alerts: this one leaves them to it. */
  readonly isLeft: boolean;
  /** What became of the latest alerts, by their ids. */
  readonly outcomes: ReadonlyMap<string, readonly AlertDelivery[]>;
}

/** What the user set about alerts, and how far they got, as of a tick. */
export interface WatchStatus {
  /** null if alerts go nowhere beyond the screen. */
  readonly delivery: MessengerStatus | null;
  readonly mutes: readonly Mute[];
}
