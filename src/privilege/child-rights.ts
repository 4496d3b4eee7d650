// For a child that captures: what it was started with is given up once its interface is open, for CAP_NET_RAW at the most.

import type { Identity } from '../system/accounts.ts';
import { confirmDropped, credentialsOf, dropPrivileges, libcCalls } from './drop.ts';

/** This module for a child that is to become somebody. */
export function childRights(identity: Identity): string {
  return `${new URL('./child-rights.js', import.meta.url).href}?${new URLSearchParams({ as: JSON.stringify(identity) })}`;
}

/** Loads what it takes. @param url of `childRights` @returns gives up, at once */
export async function prepare(url: string): Promise<() => void> {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const identity = JSON.parse(new URL(url).searchParams.get('as') ?? '') as Identity;
  const [credentials, calls] = [credentialsOf(), await libcCalls(platform)];
  return () => {
    const status = dropPrivileges({ platform, identity, keep: ['net_raw'], starts: false }, credentials, calls);
    if (status.dropped && platform === 'linux') confirmDropped(identity, { main: ['net_raw'], others: [] }, false);
  };
}
