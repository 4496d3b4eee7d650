// How well hosts and interfaces answer, measured from what passes anyway: round trips, segments sent again, connections that failed. And what is
// clearly wrong, as data: the view puts it into words.

/** Round trips between this machine and remote ends, ms; told to within 3 %. */
export interface RoundTrips {
  readonly medianMs: number;
  /** 95 % were at most this long. */
  readonly highMs: number;
  /** 10 % were at most this long. */
  readonly lowMs: number;
  readonly samples: number;
}

/** What TCP told in a range of time. */
export interface Figures {
  /** null without a measurement. */
  readonly roundTrips: RoundTrips | null;
  /** Segments with payload, both directions. */
  readonly segments: number;
  /** Of these, those that this machine sent again, and those that the other end did. */
  readonly sentAgain: number;
  readonly receivedAgain: number;
  /** Connections that this machine opened and the other end answered, refused, or left unanswered for seconds. */
  readonly answered: number;
  readonly refused: number;
  readonly unanswered: number;
  /** Connections that the other end reset before either had finished. */
  readonly reset: number;
}

/** How well one host answers, or many do. */
export interface Quality {
  /** Over the last half to whole minute of packets. */
  readonly recent: Figures;
  /** Since the start. */
  readonly all: Figures;
  /** Shortest round trip since the start, ms; null without a measurement. */
  readonly leastMs: number | null;
}

/** How well an interface's remote ends answer: those in its own network, and all others. null without TCP. */
export interface Ends {
  readonly near: Quality | null;
  readonly far: Quality | null;
}

/** How good a radio link is, as the system says it for nothing. */
export interface LinkQuality {
  /** dBm; null if the system doesn't say. */
  readonly signal: number | null;
  /** Of the best that the driver knows, 0 to 1; null if it doesn't say. */
  readonly share: number | null;
  /** What it can send now, Mbit/s; null if the system doesn't say. */
  readonly rate: number | null;
  /** Too weak for comfort. */
  readonly isWeak: boolean;
}

/** What is clearly wrong. Shares are of segments, 0 to 1; times in ms. */
export type Diagnosis =
  | {
      /** No host beyond the local network answers: so many connections in a row. */
      readonly kind: 'nothing answers';
      readonly interface: string;
      readonly count: number;
      readonly near: NearEnd | null;
      readonly link: LinkQuality | null;
    }
  | {
      readonly kind: 'everything loses';
      readonly interface: string;
      readonly share: number;
      readonly hosts: number;
      readonly near: NearEnd | null;
      readonly link: LinkQuality | null;
    }
  | {
      readonly kind: 'everything is slow';
      readonly interface: string;
      readonly ms: number;
      /** At their best; null if it was never much better. */
      readonly leastMs: number | null;
      readonly hosts: number;
      readonly near: NearEnd | null;
      readonly link: LinkQuality | null;
    }
  | { readonly kind: 'names are slow'; readonly resolver: string; readonly ms: number }
  | {
      /** Of so many questions in the last minute. */
      readonly kind: 'names fail';
      readonly resolver: string;
      readonly failed: number;
      readonly unanswered: number;
      readonly of: number;
    }
  | {
      readonly kind: 'host is slow';
      readonly host: string;
      readonly ms: number;
      readonly leastMs: number;
      readonly othersMs: number;
    }
  | { readonly kind: 'host loses'; readonly host: string; readonly share: number; readonly othersShare: number }
  | { readonly kind: 'host refuses'; readonly host: string; readonly count: number }
  | { readonly kind: 'host is silent'; readonly host: string; readonly count: number }
  | { readonly kind: 'host resets'; readonly host: string; readonly count: number; readonly of: number };

/** The local network meanwhile. */
export interface NearEnd {
  readonly ms: number | null;
  readonly share: number;
  /** It is as bad as what lies behind it. */
  readonly isBad: boolean;
}
