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

/** What of a movement counts. @param uncounted of its totals; RX, TX, RX packets, TX packets @param countsNow whether what moved last does */
export function less(m: Movement, uncounted: ArrayLike<number>, countsNow: boolean, into: Movement): Movement {
  into.rx = countsNow ? m.rx : 0;
  into.tx = countsNow ? m.tx : 0;
  into.rxp = countsNow ? m.rxp : 0;
  into.txp = countsNow ? m.txp : 0;
  into.rxTotal = m.rxTotal - (uncounted[0] ?? 0);
  into.txTotal = m.txTotal - (uncounted[1] ?? 0);
  into.rxpTotal = m.rxpTotal - (uncounted[2] ?? 0);
  into.txpTotal = m.txpTotal - (uncounted[3] ?? 0);
  into.first = m.first;
  into.last = m.last;
  return into;
}

/** A movement seen from its other end. */
export function turned(m: Movement, into: Movement): Movement {
  into.rx = m.tx;
  into.tx = m.rx;
  into.rxp = m.txp;
  into.txp = m.rxp;
  into.rxTotal = m.txTotal;
  into.txTotal = m.rxTotal;
  into.rxpTotal = m.txpTotal;
  into.txpTotal = m.rxpTotal;
  into.first = m.first;
  into.last = m.last;
  return into;
}

/** A movement of which all was received: neither end is this machine. */
export function received(m: Movement, into: Movement): Movement {
  into.rx = m.rx + m.tx;
  into.rxp = m.rxp + m.txp;
  into.rxTotal = m.rxTotal + m.txTotal;
  into.rxpTotal = m.rxpTotal + m.txpTotal;
  into.tx = into.txp = into.txTotal = into.txpTotal = 0;
  into.first = m.first;
  into.last = m.last;
  return into;
}

/** A record of nothing. */
export function movement(): Movement {
  return { rx: 0, tx: 0, rxp: 0, txp: 0, rxTotal: 0, txTotal: 0, rxpTotal: 0, txpTotal: 0, first: 0, last: 0 };
}
