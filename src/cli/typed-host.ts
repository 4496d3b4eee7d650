// A host as a person types it: a name, an address, either with a port, or a URL. It looks nothing up.

import { domainToASCII } from 'node:url';
import { NetmonError } from '../model/errors.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import { quoted } from '../net/quote.ts';

/** What was typed. */
export interface TypedHost {
  /** The name in ASCII and lower case, as DNS has it, without a full stop; null for an address. */
  readonly name: string | null;
  /** The address, four words; null for a name. */
  readonly address: Int32Array | null;
  readonly port: number | null;
}

/** @throws NetmonError `usage` for what is no host. @param command for the hint */
export function typedHost(typed: string, command: string): TypedHost {
  const { name, port } = parts(typed);
  const address = new Int32Array(4);
  if (parseAddress(name, address)) return { name: null, address, port };
  const ascii = domainToASCII(name).replace(/\.$/, '');
  if (ascii === '' || ascii.length > 253)
    throw new NetmonError('usage', `${quoted(typed)} is not a host`, `type for example: netmon-tui ${command} example.com`);
  return { name: ascii, address: null, port };
}

/** The name or the address as text. */
export function hostText({ name, address }: TypedHost): string {
  return name ?? formatAddress(address as Int32Array);
}

/** Host and port of what was typed. */
function parts(typed: string): { name: string; port: number | null } {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(typed)) {
    const url = URL.canParse(typed) ? new URL(typed) : null;
    const name = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
    return { name, port: url === null || url.port === '' ? null : Number(url.port) };
  }
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(typed);
  if (match === null || Number(match[3]) > 65_535) return { name: typed, port: null };
  return { name: (match[1] ?? match[2]) as string, port: Number(match[3]) };
}
