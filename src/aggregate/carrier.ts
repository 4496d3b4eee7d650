// Flows in which a tunnel travels. Judged by what they speak, once a tunnel interface of this machine was seen to carry anything.

import type { FlowTable } from '../flow/flow-table.ts';
import * as L from '../flow/layout.ts';
import { PROTOCOL } from '../net/numbers.ts';

/** IKE with UDP-encapsulated ESP, OpenVPN, WireGuard, L2TP: ports of tunnels that have no mark of their own. */
const PORTS = [500, 4500, 1194, 51820, 1701];
const PROTOCOLS: readonly number[] = [PROTOCOL.ESP, PROTOCOL.AH, PROTOCOL.GRE, PROTOCOL.IPIP, PROTOCOL.IPV6];

/** True for a flow that looks like the outside of a tunnel: its label, its protocol, or the port of a tunnel. */
export function isCarrier(flows: FlowTable, row: number): boolean {
  const base = row * L.INTS;
  if ((((flows.ints[base + L.STATE] as number) >>> 8) & 0xff) !== 0) return true;
  const protocol = (flows.ints[base + L.PROTOCOL_INTERFACE] as number) & 0xffff;
  if (PROTOCOLS.includes(protocol)) return true;
  const ports = flows.ints[base + L.PORTS] as number;
  return (
    (protocol === PROTOCOL.UDP || protocol === PROTOCOL.TCP) && (PORTS.includes(ports & 0xffff) || PORTS.includes(ports >>> 16))
  );
}
