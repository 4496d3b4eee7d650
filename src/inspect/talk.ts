// What inspection tells about how a flow is spoken: hellos, certificates, requests. Inspect calls this interface; identify/talk implements it.

import type { TlsOffer } from '../model/talk.ts';

/** What a server's hello says. */
export interface ServerChoice {
  readonly version: number;
  /** Number of the cipher suite. */
  readonly cipher: number;
  /** Application protocol; null if none was chosen in clear text. Outside text. */
  readonly protocol: string | null;
  /** It took a pre-shared key, so it resumes a session of TLS 1.3. */
  readonly isKeyed: boolean;
  /** It only asks for another client hello. */
  readonly isRetry: boolean;
  readonly ja4s: string;
}

/**
 * Receives what is found, once per fact, a few times per flow. `flow` is the number that the caller gave the inspector, times are epoch ms.
 *
 * A `session` is the hash of a session ID, 0 if there is none. Before TLS 1.3 a server that repeats the client's resumes the session.
 */
export interface TalkFindings {
  /** A client's hello. */
  offered(flow: number, offer: TlsOffer, session: number, time: number): void;
  /** A server's hello. */
  answered(flow: number, choice: ServerChoice, session: number, time: number): void;
  /** Names in the server's certificate: outside text. @param isCut whether there may be more */
  certified(flow: number, names: readonly string[], isCut: boolean): void;
  /** The handshake is over. */
  secured(flow: number, time: number): void;
  /** An alert in clear text (RFC 8446 section 6). */
  alerted(flow: number, code: number, fromOpener: boolean): void;
  /** A first request of HTTP/1. @param segment the first of its path, null if it has none: outside text */
  requested(flow: number, method: string, segment: string | null, time: number): void;
  /** The answer to that request. */
  responded(flow: number, status: number, time: number): void;
}
