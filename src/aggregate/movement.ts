// What a flow moved since it was booked last. One record, used again for every flow.

/** What a flow moved, and all it ever did. Reused. */
export interface Movement {
  rx: number;
  tx: number;
  rxp: number;
  txp: number;
  rxTotal: number;
  txTotal: number;
  rxpTotal: number;
  txpTotal: number;
  first: number;
  last: number;
}

/** A record of nothing. */
export function movement(): Movement {
  return { rx: 0, tx: 0, rxp: 0, txp: 0, rxTotal: 0, txTotal: 0, rxpTotal: 0, txpTotal: 0, first: 0, last: 0 };
}
