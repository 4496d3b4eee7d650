// What reading packets tells about flows and addresses. A border: inspect calls it, whoever names flows implements it.

/** How an address got its name on the wire. */
export type AnswerKind = 'dns' | 'mdns' | 'llmnr' | 'netbios' | 'dhcp';

/** The ends of a flow inside of a tunnel: two addresses of four words each, and ports. */
export interface InnerEnds {
  readonly protocol: number;
  readonly words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/**
 * Told on the packet clock, once per fact; implementations keep it cheap and bounded. `flow` is the number the inspector was given.
 *
 * Names are lower case, without a final dot, of printable characters, checked for the form of a host name where the protocol asks for one.
 */
export interface Findings {
  /** The name that the flow's opener asked for: TLS and QUIC SNI, HTTP Host or authority. `ech` where it is only the outer name of an encrypted hello. */
  serverName(flow: number, source: 'tls' | 'quic' | 'http', name: string, ech: boolean): void;
  /** What the flow speaks, by its content: https, quic, dns, ssh ... */
  application(flow: number, application: string): void;
  /**
   * An answer that gives `name` this address, seen in `flow`.
   *
   * @param words four words of an address at `at` (net/address); valid during the call only
   * @param ttl seconds
   */
  answer(flow: number, kind: AnswerKind, name: string, words: Int32Array, at: number, ttl: number): void;
  /**
   * A flow inside of a tunnel's flow; absent where nobody wants to know. Told once for the first one that is seen, once more for one that told the name it asked for.
   *
   * @param inner as one of its packets has them, valid during the call only
   */
  inside?(flow: number, inner: InnerEnds, name: string | null): void;
  /** The name of an address as a reverse look-up on the wire told it. */
  pointer(flow: number, name: string, words: Int32Array, at: number, ttl: number): void;
}
