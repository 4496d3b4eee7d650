// What detectors find and how they are called. A detector is a small class with bounded memory; it neither delivers nor decides whether to.

import type { Alert, AlertKind, Severity } from '../model/alert.ts';
import type { WatchedTick, WatchFlow } from '../model/watch.ts';
import { sanitize } from '../net/text.ts';

/** Whom an alert is about. Texts are sanitised. */
export type Subject = Pick<Alert, 'app' | 'exe' | 'pid' | 'user' | 'host' | 'domain'>;

/** A subject that nothing is known of. */
export const NOBODY: Subject = { app: null, exe: null, pid: null, user: null, host: null, domain: null };

/** Something worth an alert. */
export interface Finding {
  readonly kind: AlertKind;
  /** Name of the user's rule; absent for what no rule found. */
  readonly rule?: string;
  /** The kind's own unless given. */
  readonly severity?: Severity;
  readonly subject: Subject;
  /** While it is the same cause, nothing more is raised. */
  readonly cause: string;
  /** For how long after the last finding the cause is the same, ms. */
  readonly quietMs: number;
  readonly text: string;
  readonly details: readonly string[];
  /** True if it only means something to somebody who knows what is usual: held while that is being learnt. */
  readonly needsBaseline: boolean;
}

/** Takes what a detector finds. */
export type Report = (finding: Finding) => void;

/** One way of finding something. The watchman calls what is there. */
export interface Detector {
  met?(flow: WatchFlow): void;
  began?(flow: WatchFlow): void;
  renamed?(flow: WatchFlow, app: number, host: number): void;
  answered?(flow: WatchFlow): void;
  left?(flow: WatchFlow): void;
  asked?(flow: WatchFlow): void;
  moved?(flow: WatchFlow): void;
  sent?(app: string, bytes: number): void;
  tick?(now: WatchedTick): void;
}

/** What a subject is made of. */
export type SubjectFacts = Pick<WatchFlow, 'app' | 'process' | 'exe' | 'pid' | 'user' | 'host' | 'domain'>;

/** The subject of a flow. */
export function subjectOf(flow: SubjectFacts): Subject {
  return {
    app: clean(flow.app),
    exe: clean(flow.process?.exe ?? flow.exe),
    pid: flow.pid,
    user: clean(flow.user),
    host: sanitize(flow.host),
    domain: clean(flow.domain),
  };
}

function clean(text: string | null): string | null {
  return text === null ? null : sanitize(text);
}
