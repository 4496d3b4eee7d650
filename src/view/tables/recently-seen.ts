// Apps and domains seen for the first time within ten minutes; tables mark them as new.

import { type NetEvent, RECENT_MS, type Snapshot } from '../../model/snapshot.ts';

/** Names of apps and domains. */
export interface RecentlySeen {
  readonly apps: ReadonlySet<string>;
  readonly domains: ReadonlySet<string>;
}

/** Nothing is new. */
export const NOTHING_RECENT: RecentlySeen = { apps: new Set(), domains: new Set() };

const firstSeenEvents = new WeakMap<readonly NetEvent[], readonly NetEvent[]>();

/** What is new at the time of a snapshot. */
export function recentlySeenOf({ events, time }: Snapshot): RecentlySeen {
  let seen = firstSeenEvents.get(events);
  if (seen === undefined) {
    seen = events.filter(({ kind }) => kind === 'new app' || kind === 'new domain');
    firstSeenEvents.set(events, seen);
  }
  if (seen.length === 0) return NOTHING_RECENT;
  const apps = new Set<string>();
  const domains = new Set<string>();
  for (const event of seen) {
    if (Math.abs(time - event.time) > RECENT_MS) continue; // a clock that was set back makes nothing new for ever
    if (event.kind === 'new app' && event.app !== null) apps.add(event.app);
    if (event.kind === 'new domain' && event.domain !== null) domains.add(event.domain);
  }
  return { apps, domains };
}
