// Parses the sockets and owners that `lsof -F` lists. It neither runs lsof nor matches flows.

import { PROTOCOL } from '../../../net/numbers.ts';
import { sanitize } from '../../../net/text.ts';
import { type SocketEnd, type SocketRecord, socketEnd } from '../socket-table.ts';

/** Arguments for lsof: Internet sockets only, numeric, without warnings. */
export const LSOF_ARGUMENTS: readonly string[] = ['-nP', '-w', '-i4', '-i6', '-F', 'pcuPnTt'];

/** One socket of one process. */
export interface LsofRecord extends SocketRecord {
  /** LISTEN, ESTABLISHED ...; null without a state (UDP). */
  readonly state: string | null;
}

/** Most sockets kept. */
const MAX_SOCKETS = 65_536;
/** Longer lines are skipped. Sockets' lines are far shorter. */
const LONGEST_LINE = 1024;

const PROTOCOLS = new Map<string, number>([
  ['TCP', PROTOCOL.TCP],
  ['UDP', PROTOCOL.UDP],
  ['UDPLITE', PROTOCOL.UDPLITE],
  ['SCTP', PROTOCOL.SCTP],
  ['ICMP', PROTOCOL.ICMP],
  ['ICMPV6', PROTOCOL.ICMPV6],
]);

/** The record being read. Output is a process set followed by its file sets; a `p` or `f` line ends the previous record. */
interface Pending {
  pid: number;
  name: string;
  uid: number | null;
  family: 4 | 6;
  protocol: number | null;
  ends: string | null;
  state: string | null;
}

/**
 * Parses the output of `lsof` with LSOF_ARGUMENTS. It ignores other fields.
 *
 * A socket that a process holds through several descriptors (dup) is returned once.
 */
export function parseLsof(text: string): LsofRecord[] {
  const records: LsofRecord[] = [];
  const seen = new Set<string>();
  const at: Pending = { pid: -1, name: '', uid: null, family: 4, protocol: null, ends: null, state: null };
  const flush = (): void => {
    if (at.pid >= 0 && at.protocol !== null && at.ends !== null && records.length < MAX_SOCKETS) {
      const key = `${at.pid} ${at.protocol} ${at.family} ${at.ends} ${at.state}`;
      const record = seen.has(key) ? null : recordOf(at, at.protocol, at.ends);
      seen.add(key);
      if (record !== null) records.push(record);
    }
    at.family = 4;
    at.protocol = null;
    at.ends = null;
    at.state = null;
  };
  for (const line of text.split('\n')) {
    if (line.length < 2 || line.length > LONGEST_LINE) {
      if (line.startsWith('f')) flush();
      continue;
    }
    const value = line.slice(1);
    switch (line[0]) {
      case 'p':
        flush();
        at.pid = /^\d{1,10}$/.test(value) ? Number(value) : -1;
        at.name = '';
        at.uid = null;
        break;
      case 'c':
        at.name = unescapeName(value);
        break;
      case 'u':
        at.uid = /^-?\d{1,10}$/.test(value) ? Number(value) >>> 0 : null;
        break;
      case 'f':
        flush();
        break;
      case 't':
        at.family = value === 'IPv6' ? 6 : 4;
        break;
      case 'P':
        at.protocol = PROTOCOLS.get(value.toUpperCase()) ?? null;
        break;
      case 'n':
        at.ends = value;
        break;
      case 'T':
        if (value.startsWith('ST=')) at.state = sanitize(value.slice(3, 32));
        break;
    }
  }
  flush();
  return records;
}

function recordOf(at: Pending, protocol: number, ends: string): LsofRecord | null {
  const arrow = ends.indexOf('->');
  const local = parseEnd(arrow < 0 ? ends : ends.slice(0, arrow));
  const remote = arrow < 0 ? null : parseEnd(ends.slice(arrow + 2));
  if (local === null || (arrow >= 0 && remote === null)) return null;
  const { pid, name, uid, family, state } = at;
  return { pid, name, uid, protocol, family, local, remote, state };
}

/** `*:*`, `*:5353`, `127.0.0.1:80`, `[::1]:631`. */
function parseEnd(text: string): SocketEnd | null {
  const colon = text.lastIndexOf(':');
  if (colon < 0) return null;
  const host = text.slice(0, colon);
  return socketEnd(host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host, text.slice(colon + 1));
}

/** Decodes lsof's escapes: `\xNN` for bytes that the locale can't print, `\\`, and `\n` and the like for control characters, which it drops. */
function unescapeName(text: string): string {
  if (!text.includes('\\')) return sanitize(text);
  const bytes: Buffer[] = [];
  for (const part of text.split(/(\\x[0-9a-fA-F]{2}|\\[\\bfnrt])/)) {
    if (part === '\\\\') bytes.push(Buffer.from('\\'));
    else if (/^\\x[0-9a-fA-F]{2}$/.test(part)) bytes.push(Buffer.from([Number.parseInt(part.slice(2), 16)]));
    else if (!/^\\[bfnrt]$/.test(part)) bytes.push(Buffer.from(part));
  }
  return sanitize(Buffer.concat(bytes).toString('utf8'));
}
