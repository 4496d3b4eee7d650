// Names and addresses as the user wants them: names or addresses, services or ports, or nothing of either for a screenshot.

import { type Endpoint, isInferred, type NameSource } from '../../model/terms.ts';
import { serviceName } from '../../net/services.ts';
import { cut, drawable } from '../text/cells.ts';
import type { CellContext } from './column.ts';

/** Outside text as it may be drawn. */
export function shown(text: string, context: Pick<CellContext, 'glyphs'>): string {
  return drawable(text, context.glyphs);
}

/** Outside text that privacy mode hides. */
export function hidden(text: string, context: Pick<CellContext, 'glyphs' | 'privacy'>): string {
  return context.privacy ? context.glyphs.masked.repeat(6) : drawable(text, context.glyphs);
}

/** A hardware address; privacy mode leaves the three bytes that tell its vendor. */
export function macText(mac: string, context: CellContext): string {
  const masked = context.glyphs.masked.repeat(2);
  return context.privacy ? [...mac.split(':').slice(0, 3), masked, masked, masked].join(':') : mac;
}

/** Stands before a name that the traffic did not tell itself, and before an owner that only its address tells. */
export const INFERRED = '~';
/** Stands before a name that a flow inside of a tunnel asked for: others may be in it, too. */
export const INSIDE = '>';

/** A name as a cell of a table, its beginning cut where it is too long: a name that is inferred from the address is marked. */
export function nameCell(text: string, source: NameSource, width: number, context: CellContext): string {
  const mark = isInferred(source) ? INFERRED : source === 'inner' ? INSIDE : '';
  const isMarked = mark !== '' && context.names && !context.privacy;
  return isMarked ? `${mark}${cut(text, width - 1, context.glyphs, 'start')}` : text;
}

/** `host:port` of a remote end, IPv6 in brackets. */
export function endpointText(end: Endpoint, host: string | null, protocol: string, context: CellContext): string {
  const port = end.port === 0 && protocol !== 'tcp' && protocol !== 'udp' ? '' : `:${portText(end.port, protocol, context)}`;
  if (context.privacy) return `${context.glyphs.masked.repeat(6)}${port}`;
  if (context.names && host !== null && host !== '') return `${drawable(host, context.glyphs)}${port}`;
  const address = drawable(end.address, context.glyphs);
  return address.includes(':') && port !== '' ? `[${address}]${port}` : `${address}${port}`;
}

/** A port as a number, or as a service where it has a name and names are asked for. */
export function portText(port: number, protocol: string, context: CellContext): string {
  return (context.services ? serviceName(protocol, port) : null) ?? String(port);
}
