// What a system counted for a socket, and how it is asked for all of them. Types and the states that matter.

/** One socket as it stands; overwritten by the next. */
export interface SocketCount {
  /** Own address, four words, then the other's. */
  readonly words: Int32Array;
  ownPort: number;
  otherPort: number;
  /** PROTOCOL number. */
  protocol: number;
  /** Tells this socket from any other of its time. */
  cookie: number | string;
  /** TCP_* of Linux: 1 established, 7 gone (told once), 10 listening. */
  state: number;
  /** Payload bytes since the socket was made. */
  rxBytes: number;
  txBytes: number;
  /** Segments since then; 0 where the system does not tell. */
  rxSegments: number;
  txSegments: number;
  /** Who holds it, and whether no other could; null where that is asked elsewhere. */
  process: { readonly pid: number; readonly name: string; readonly exact: boolean } | null;
  /** Interface it goes through; null where the system does not tell. */
  interface: string | null;
}

export const TCP_CLOSE = 7;
export const TCP_LISTEN = 10;

/** Whoever tells the counts. */
export interface SocketCounts {
  /** As the header and the JSON name it. */
  readonly driver: 'sock_diag' | 'nettop';
  /** Askings for which a socket that was not told is remembered: 1 where a cookie never comes back. */
  readonly lingers: number;
  /** Why not all is told; empty when all is well. */
  readonly note: string;
  /**
   * Hands each socket to `each`, those that listen first where the source can tell.
   *
   * @returns false where there is nothing new to tell
   */
  ask(each: (count: SocketCount) => void): boolean;
  close(): void;
}

/** A count to be filled. */
export function emptyCount(protocol: number): SocketCount {
  return {
    words: new Int32Array(8),
    ownPort: 0,
    otherPort: 0,
    protocol,
    cookie: 0,
    state: 0,
    rxBytes: 0,
    txBytes: 0,
    rxSegments: 0,
    txSegments: 0,
    process: null,
    interface: null,
  };
}
