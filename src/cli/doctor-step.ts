// One step of the doctor: what it is called, how it is asked, how long it may take. Types and the stopwatch; asks nothing itself.

import { NetmonError, reasonOf } from '../errors.ts';

/** What a step found. */
export interface Finding {
  readonly result: 'ok' | 'no' | 'skipped';
  readonly detail: string;
  /** What to type; only with `no`. */
  readonly wayOut?: string | null;
}

/** One thing to find out. */
export interface Step {
  readonly name: string;
  ask(): Promise<Finding> | Finding;
}

/** Findings: it works; it does not, with what to type; it was not asked, and why. */
export const ok = (detail: string): Finding => ({ result: 'ok', detail });
export const no = (detail: string, wayOut: string | null = null): Finding => ({ result: 'no', detail, wayOut });
export const skipped = (detail: string): Finding => ({ result: 'skipped', detail });

/**
 * Asks a step, for `limitMs` at the most. It never throws: a failure is a finding.
 *
 * What hangs goes on hanging behind it; only the report does not wait for it.
 */
export async function answerOf(step: Step, limitMs: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve(no(`no answer within ${limitMs / 1000} s: it hangs`)), limitMs);
  });
  try {
    return await Promise.race([Promise.resolve().then(() => step.ask()), late]);
  } catch (thrown) {
    return no(reasonOf(thrown), thrown instanceof NetmonError ? thrown.hint : null);
  } finally {
    clearTimeout(timer);
  }
}
