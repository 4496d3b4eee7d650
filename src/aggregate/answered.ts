// Whether the end that a flow was opened to let it in.

import { FLOW_DIRECTION } from '../flow/direction.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { FLOW_STATE } from '../flow/tcp.ts';
import { PROTOCOL } from '../net/numbers.ts';

/** True once a TCP connection was accepted, or packets of another protocol went both ways. */
export function isAnswered(flows: FlowTable, row: number): boolean {
  if (flows.protocol(row) !== PROTOCOL.TCP) return flows.rxPackets(row) > 0 && flows.txPackets(row) > 0;
  const state = flows.state(row);
  // Only a handshake gives a reset connection a round-trip time.
  if (state === FLOW_STATE.RESET) return flows.rtt(row) > 0;
  return state >= (flows.direction(row) === FLOW_DIRECTION.OUTBOUND ? FLOW_STATE.SYN_RECEIVED : FLOW_STATE.ESTABLISHED);
}
