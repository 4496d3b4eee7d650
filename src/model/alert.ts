// Alerts: what the watch tells a person, as plain data. The JSON form is a contract (schema/json-lines.schema.json).

import type { OfMachine } from './machines.ts';

/** What an alert can be about. */
export const ALERT_KINDS = [
  'new-app',
  'new-domain',
  'new-country',
  'new-network',
  'new-inbound',
  'upload',
  'beacon',
  'scan',
  'dns-tunnel',
  'policy',
  'threshold',
  'budget',
  'capture-loss',
  'recorder-stopped',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** From least to most. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Why an alert stays on the screen and in history, and goes nowhere else; `null` if it is delivered. */
export const HELD = ['learning', 'muted', 'no history'] as const;
export type Held = (typeof HELD)[number] | null;

/** One alert. Texts are sanitised. */
export interface Alert extends OfMachine {
  /** Unique across runs and machines: whoever gets it twice can tell by this. */
  readonly id: string;
  /** Time of the tick that raised it, epoch ms. */
  readonly time: number;
  readonly kind: AlertKind;
  /** Name of the user's rule that raised it. History has it in the sentence alone. */
  readonly rule?: string;
  readonly severity: Severity;
  readonly app: string | null;
  /** Path of the process. */
  readonly exe: string | null;
  readonly pid: number | null;
  readonly user: string | null;
  /** Name or address of the remote end. */
  readonly host: string | null;
  readonly domain: string | null;
  /** One plain sentence. */
  readonly text: string;
  /** What was seen, and what would have been expected: a line each. */
  readonly details: readonly string[];
  /** File with the packets that show it; null if none were kept. */
  readonly evidence: string | null;
  readonly held: Held;
}

/** What a mute knows the other end by: its domain, else its name or address. Without it, one mute of an address would be one of all. */
export function placeOfAlert({ domain, host }: Pick<Alert, 'domain' | 'host'>): string | null {
  return domain ?? host;
}

/** Silences alerts that fit everything it names. */
export interface Mute {
  /** null fits any. */
  readonly kind: AlertKind | null;
  /** Name of a rule; null fits any, and what no rule raised. */
  readonly rule: string | null;
  readonly app: string | null;
  /** Or the host, where an alert has no domain: see `placeOfAlert`. */
  readonly domain: string | null;
  /** Epoch ms; null is for good. */
  readonly until: number | null;
}

/** Whether a mute silences an alert at a time, epoch ms. */
export function silences(
  { kind, rule, app, domain, until }: Mute,
  alert: Pick<Alert, 'kind' | 'rule' | 'app' | 'domain' | 'host'>,
  time: number,
): boolean {
  return (
    (until === null || time < until) &&
    (kind === null || kind === alert.kind) &&
    (rule === null || rule === alert.rule) &&
    (app === null || app === alert.app) &&
    (domain === null || domain === placeOfAlert(alert))
  );
}

/** What became of an alert that was to be delivered. */
export interface AlertDelivery {
  /** The alert's id. */
  readonly id: string;
  /** Where to: `desktop`, `webhook` ... */
  readonly sink: string;
  /** Epoch ms. */
  readonly time: number;
  /** Why it failed for good; null if it arrived. */
  readonly failure: string | null;
}

/** An alert in history, and what became of it. */
export interface RecordedAlert extends Alert {
  readonly deliveries: readonly Omit<AlertDelivery, 'id'>[];
}

/** Asks history for the newest alerts of [from, to), epoch ms. */
export interface AlertQuery {
  readonly from: number;
  readonly to: number;
  /** Name of an app as it is shown; null is all. */
  readonly app: string | null;
  readonly most: number;
}

/** An alert as it is written as JSON: by `--json`, and for hooks and webhooks. Schema 1 (schema/json-lines.schema.json) fixes what the fields mean. */
export function alertFields(alert: Alert) {
  const { id, time, kind, severity, app, exe, pid, user, host, domain, text, details, evidence, held } = alert;
  const when = new Date(time).toISOString();
  return {
    type: 'alert',
    schema: 1,
    id,
    time: when,
    kind,
    severity,
    app,
    exe,
    pid,
    user,
    host,
    domain,
    text,
    details,
    evidence,
    held,
  };
}
