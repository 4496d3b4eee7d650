// Entry point of the process in which the package `cap` captures. Once its interface is open, it becomes the user that its last argument names,
// and keeps CAP_NET_RAW at most.

import { runCapChild } from '../capture/cap/child.ts';
import type { Identity } from '../system/accounts.ts';
import { confirmDropped, credentialsOf, dropPrivileges, libcCalls } from './drop.ts';

/** Loads what dropping needs. @param rights the user as JSON @returns drops privileges, synchronously */
async function prepare(rights: string): Promise<() => void> {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const identity = JSON.parse(rights) as Identity;
  const [credentials, calls] = [credentialsOf(), await libcCalls(platform)];
  return () => {
    const status = dropPrivileges({ platform, identity, keep: ['net_raw'], starts: false }, credentials, calls);
    if (status.dropped && platform === 'linux') confirmDropped(identity, { main: ['net_raw'], others: [] }, false);
  };
}

void runCapChild(prepare);
