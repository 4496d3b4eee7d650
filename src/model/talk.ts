// How a connection is spoken, as the clear text of its first packets tells. Plain data; for the screen and for filters.

/** What was seen of a connection's handshakes and of its first request. An object never changes once made. */
export interface Talk {
  /** null if no TLS was seen. */
  readonly tls: TlsTalk | null;
  /** null if no HTTP was seen. */
  readonly http: HttpTalk | null;
}

/** A handshake of TLS, DTLS or QUIC. Versions are as on the wire: 0x0304 is TLS 1.3, 0xfefd DTLS 1.2. */
export interface TlsTalk {
  /** What the client offers; null if its hello was not seen. */
  readonly offer: TlsOffer | null;
  /** What the server chose; null if its hello was not seen. */
  readonly answer: TlsAnswer | null;
  /** Names in the server's certificate, its subject's first; null if no certificate was seen: TLS 1.3 encrypts it. Outside text. */
  readonly names: readonly string[] | null;
  /** There may be more names: the capture has not all of the certificate, or there are more than are kept. */
  readonly namesAreCut: boolean;
  /** Number of an alert in clear text, and whether the end that opened the connection sent it; null if there was none. */
  readonly alert: { readonly code: number; readonly fromOpener: boolean } | null;
  /** From the client's hello to the server's, ms; null if one is missing. */
  readonly answerMs: number | null;
  /** From the client's hello to the last message that shows that the handshake is over, ms; null if that was not seen. */
  readonly handshakeMs: number | null;
}

/** A client's hello. */
export interface TlsOffer {
  readonly over: 'tcp' | 'quic' | 'udp';
  /** Highest version. */
  readonly version: number;
  /** Application protocols, the preferred first. Outside text. */
  readonly protocols: readonly string[];
  /** It has an encrypted hello inside, or a GREASE imitation of one, which nobody can tell apart. */
  readonly ech: boolean;
  /** null if the hello was cut. */
  readonly ja4: string | null;
}

/** A server's hello. */
export interface TlsAnswer {
  readonly version: number;
  /** Number of the cipher suite. */
  readonly cipher: number;
  /** Application protocol; null if none was chosen, and always in TLS 1.3, which encrypts it. Outside text. */
  readonly protocol: string | null;
  /** It resumes an earlier session. */
  readonly resumed: boolean;
  /** It first asked for another client hello. */
  readonly retried: boolean;
  readonly ja4s: string;
}

/** The first request in clear text, and its answer. */
export interface HttpTalk {
  readonly method: string;
  /** The first segment of the path, without what follows a `?`; null if there is none. Outside text, and private. */
  readonly segment: string | null;
  /** null until it is answered. */
  readonly status: number | null;
  /** From the request to its answer, ms. */
  readonly answerMs: number | null;
}
