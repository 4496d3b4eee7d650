// The lock of a history: one writer. Types only; who may call the system makes one (system/file-lock.ts).

import type { FileOwner } from '../system/files.ts';

/** A lock that is held until it is released, or its process ends in whatever way. */
export interface HeldLock {
  release(): void;
}

/** Taken, or held by another process whose pid is known or not. */
export type LockResult = { readonly held: HeldLock } | { readonly held: null; readonly pid: number | null };

/** Takes the lock on a path without waiting. @throws NetmonError `history`, or what the system says */
export type TakeLock = (path: string, owner: FileOwner) => LockResult;
