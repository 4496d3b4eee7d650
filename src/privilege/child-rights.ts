// For a child that captures: drops its privileges once its interface is open, and keeps CAP_NET_RAW at most.

import type { Identity } from '../system/accounts.ts';
import { confirmDropped, credentialsOf, dropPrivileges, libcCalls } from './drop.ts';

/** URL of this module, with the user that the child becomes. */
export function childRights(identity: Identity): string {
  return `${new URL('./child-rights.js', import.meta.url).href}?${new URLSearchParams({ as: JSON.stringify(identity) })}`;
}

/** Loads what dropping needs. @param url from `childRights` @returns drops privileges, synchronously */
export async function prepare(url: string): Promise<() => void> {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const identity = JSON.parse(new URL(url).searchParams.get('as') ?? '') as Identity;
  const [credentials, calls] = [credentialsOf(), await libcCalls(platform)];
  return () => {
    const status = dropPrivileges({ platform, identity, keep: ['net_raw'], starts: false }, credentials, calls);
    if (status.dropped && platform === 'linux') confirmDropped(identity, { main: ['net_raw'], others: [] }, false);
  };
}
