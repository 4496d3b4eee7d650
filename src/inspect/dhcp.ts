// Reads DHCP (RFC 2131) for the names that machines give themselves and the addresses that they get or keep.

import { V4_MAPPED } from '../net/address.ts';
import { i32, u8, u32 } from '../net/bytes.ts';
import type { Findings } from './context.ts';
import { hostName, hostNameOfLabels } from './host-name.ts';

const FIXED_BYTES = 240;
const COOKIE = 0x63825363;
const CLIENT_ADDRESS = 12;
const YOUR_ADDRESS = 16;
const OPTION = { PAD: 0, HOST_NAME: 12, REQUESTED: 50, LEASE: 51, TYPE: 53, FQDN: 81, END: 255 } as const;
const MESSAGE = { REQUEST: 3, ACK: 5, INFORM: 8 } as const;
const MAX_OPTIONS = 128;
/** An hour, if the message names no lease. */
const LEASE_SECONDS = 3600;
/** Bytes before the name in option 81: flags and two deprecated ones (RFC 4702 section 2). */
const FQDN_HEADER = 3;
const FQDN_WIRE_FORM = 4;

/** Reads messages. Create one and reuse it. */
export class DhcpReader {
  readonly #findings: Findings;
  readonly #words = new Int32Array([0, 0, V4_MAPPED, 0]);

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Reads a message. @returns false if it isn't DHCP */
  read(flow: number, bytes: Uint8Array, start: number, end: number): boolean {
    const operation = start < end ? u8(bytes, start) : 0;
    if (end - start < FIXED_BYTES || (operation !== 1 && operation !== 2) || i32(bytes, start + 236) !== COOKIE) return false;
    let type = 0;
    let name: string | null = null;
    let requested = 0;
    let lease = LEASE_SECONDS;
    let at = start + FIXED_BYTES;
    for (let i = 0; i < MAX_OPTIONS && at + 1 < end; i++) {
      const option = u8(bytes, at);
      if (option === OPTION.END) break;
      if (option === OPTION.PAD) {
        at++;
        continue;
      }
      const from = at + 2;
      const size = u8(bytes, at + 1);
      const to = from + size;
      if (to > end) break;
      if (option === OPTION.TYPE && size === 1) type = u8(bytes, from);
      else if (option === OPTION.REQUESTED && size === 4) requested = i32(bytes, from);
      else if (option === OPTION.LEASE && size === 4) lease = Math.min(u32(bytes, from), 0x7fffffff);
      else if (option === OPTION.HOST_NAME) name ??= hostName(bytes, from, to);
      else if (option === OPTION.FQDN && size > FQDN_HEADER) name = qualified(bytes, from, to) ?? name;
      at = to;
    }
    if (name === null) return true;
    let address = 0;
    if (type === MESSAGE.ACK) address = i32(bytes, start + YOUR_ADDRESS) || i32(bytes, start + CLIENT_ADDRESS);
    // A client that requests the address it had or was offered usually names itself; the server's answer rarely repeats the name.
    else if (type === MESSAGE.REQUEST || type === MESSAGE.INFORM) address = i32(bytes, start + CLIENT_ADDRESS) || requested;
    if (address === 0 || address === -1) return true;
    this.#words[3] = address;
    this.#findings.answer(flow, 'dhcp', name, this.#words, 0, lease);
    return true;
  }
}

/** Name in option 81: DNS labels, or plain text in the older form. */
function qualified(bytes: Uint8Array, from: number, to: number): string | null {
  const at = from + FQDN_HEADER;
  if ((u8(bytes, from) & FQDN_WIRE_FORM) === 0) return hostName(bytes, at, to);
  const end = u8(bytes, to - 1) === 0 ? to - 1 : to;
  return hostNameOfLabels(bytes.subarray(at, end), end - at);
}
