// When an app first reached its domains, looked up by name. Made once for each answer: an app may have thousands of domains.

import type { HistoryAnswer, HistoryState } from './state.ts';

/** First times of one app. Epoch ms. */
export interface FirstTimes {
  /** The first of all; null where there is none. */
  readonly app: number | null;
  readonly domains: ReadonlyMap<string, number>;
  /** True where it may have reached more. */
  readonly isCut: boolean;
}

const made = new WeakMap<HistoryAnswer, FirstTimes>();

/** First times of the app whose page is open; null while they are not known. */
export function firstTimes({ page, slots }: HistoryState): FirstTimes | null {
  const answer = slots.first?.answer;
  if (answer?.kind !== 'first-seen' || answer.app !== page?.name) return null;
  const known = made.get(answer);
  if (known !== undefined) return known;
  let first: number | null = null;
  for (const { time } of answer.domains) if (first === null || time < first) first = time;
  const times = { app: first, domains: new Map(answer.domains.map(({ domain, time }) => [domain, time])), isCut: answer.isCut };
  made.set(answer, times);
  return times;
}
