// Labels of launchd's jobs by pid, from `launchctl list`: to a user it lists the jobs of that user alone, apps among them.

import { sanitize } from '../../../net/text.ts';
import { ChildPoll } from '../../../system/child-poll.ts';
import type { Edges } from '../../../system/edges.ts';

const LAUNCHCTL = '/bin/launchctl';
const PAUSE_MS = 5000;
const LIMITS = { timeoutMs: 2000, maxBytes: 1 << 20 };
const MAX_JOBS = 8192;
const LONGEST = 128;
/** An app that a user opened: the label ends with numbers of this run of it. */
const APP = /^application\.([\w.-]+?)(?:\.\d+)+$/;

/** Runs launchctl when it is asked to, at most every five seconds. */
export class LaunchdJobs {
  readonly #poll: ChildPoll;

  constructor(edges: Edges) {
    this.#poll = new ChildPoll(edges, { path: LAUNCHCTL, pauseMs: PAUSE_MS, limits: LIMITS });
  }

  /** Whether `ask` may be called. @param now monotonic ms */
  isReady(now: number): boolean {
    return this.#poll.isReady(now);
  }

  /** @param then gets labels by pid; it isn't called if launchctl fails */
  ask(then: (labels: ReadonlyMap<number, string>) => void): void {
    this.#poll.start({
      args: ['list'],
      read: ({ stdout }) => {
        then(parseJobs(stdout));
        return null;
      },
      failed: () => {},
    });
  }

  close(): void {
    this.#poll.close();
  }
}

/** Parses lines of `PID<tab>status<tab>label`; a job that doesn't run has a hyphen for its pid. */
export function parseJobs(text: string): ReadonlyMap<number, string> {
  const labels = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [, pid, label] = /^(\d{1,10})\t-?\d+\t(\S.*)$/.exec(line) ?? [];
    if (pid === undefined || label === undefined || labels.size >= MAX_JOBS) continue;
    const clean = sanitize(label).slice(0, LONGEST);
    labels.set(Number(pid), APP.exec(clean)?.[1] ?? clean);
  }
  return labels;
}
