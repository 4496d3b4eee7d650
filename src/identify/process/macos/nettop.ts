// Parses the sockets and owners that `nettop -L 1` lists. It neither runs nettop nor matches flows.

import { PROTOCOL } from '../../../net/numbers.ts';
import { sanitize } from '../../../net/text.ts';
import { type SocketEnd, type SocketRecord, socketEnd } from '../socket-table.ts';

/** One sample as CSV, raw numbers, addresses not resolved. Never use `-L 0`: on a pipe it spins. */
export const NETTOP_ARGUMENTS: readonly string[] = ['-L', '1', '-x', '-n'];
/** Selects columns. Some versions refuse `-J` and exit with NETTOP_USAGE. */
export const NETTOP_COLUMNS: readonly string[] = ['-J', 'interface,state,bytes_in,bytes_out'];
/** Exit status of a nettop that doesn't know an option (EX_USAGE). */
export const NETTOP_USAGE = 64;

/** One flow of one process. */
export interface NettopRecord extends SocketRecord {
  readonly interface: string | null;
  /** Established, Listen ...; null without a state. */
  readonly state: string | null;
  /** Bytes since the flow began; null where the column is missing. */
  readonly rxBytes: number | null;
  readonly txBytes: number | null;
}

/** A parsed list. */
export interface NettopReport {
  /** Column names, without the empty ones (the one of processes and flows, and the trailing one); empty if no header was found. */
  readonly columns: readonly string[];
  readonly processes: number;
  readonly records: readonly NettopRecord[];
}

const MAX_RECORDS = 65_536;
const MAX_LINES = 200_000;
/** Rows are about a hundred characters long. */
const LONGEST_LINE = 1024;
/** What a pseudo-terminal echoes before the first line. */
const ECHO = /^(?:\^D|[\u0000-\u001f\u007f])+/;
const FLOW = /^(tcp|udp|quic)([46]?) (\S+)<->(\S+)$/;
/** A process row: a name, which may contain dots and spaces, a dot, and the pid. */
const PROCESS_ROW = /^(.*)\.(\d{1,10})$/;

/** Indices of the columns, found by name because they differ by version. */
interface Columns {
  readonly count: number;
  readonly name: number;
  readonly interface: number;
  readonly state: number;
  readonly rx: number;
  readonly tx: number;
}

/**
 * Parses the output of `nettop` with NETTOP_ARGUMENTS, with or without NETTOP_COLUMNS.
 *
 * A flow belongs to the process row above it. After an unreadable row, flows are skipped until the next process.
 */
export function parseNettop(text: string): NettopReport {
  let columns: Columns | null = null;
  let header = '';
  let names: readonly string[] = [];
  let owner: { pid: number; name: string } | null = null;
  let processes = 0;
  const records: NettopRecord[] = [];
  for (const raw of text.split('\n', MAX_LINES)) {
    const line = raw.replace(ECHO, '').trimEnd();
    if (line === '' || raw.length > LONGEST_LINE) continue;
    if (line === header) continue;
    const fields = fieldsOf(line);
    if (columns === null) {
      columns = headerOf(fields);
      if (columns === null) continue;
      header = line;
      names = fields.map(sanitize).filter((field) => field !== '');
      continue;
    }
    const name = nameField(fields, columns);
    const flow = flowOf(name);
    if (flow === null) {
      owner = processOf(name);
      if (owner !== null) processes++;
    } else if (owner !== null && records.length < MAX_RECORDS) {
      records.push({
        ...owner,
        uid: null,
        ...flow,
        interface: textField(fields[columns.interface]),
        state: textField(fields[columns.state]),
        rxBytes: countField(fields[columns.rx]),
        txBytes: countField(fields[columns.tx]),
      });
    }
  }
  return { columns: names, processes, records };
}

/** Sorts by bytes: if several processes share an unconnected port, the busiest is the likeliest owner, and the last match wins. */
export function busiestLast(records: readonly NettopRecord[]): readonly NettopRecord[] {
  const bytes = ({ rxBytes, txBytes }: NettopRecord) => (rxBytes ?? 0) + (txBytes ?? 0);
  return records.toSorted((a, b) => bytes(a) - bytes(b));
}

/** Finds the columns in the header row; null if the row isn't one. The header has a column without a name, and names that no row contains. */
function headerOf(fields: readonly string[]): Columns | null {
  const at = (name: string) => fields.indexOf(name);
  if (at('bytes_in') < 0 && at('interface') < 0) return null;
  const name = at('');
  if (name < 0 || name === fields.length - 1) return null;
  return { count: fields.length, name, interface: at('interface'), state: at('state'), rx: at('bytes_in'), tx: at('bytes_out') };
}

/** The name column. If the row has too many fields, the name contained unquoted commas: joins them again. */
function nameField(fields: string[], columns: Columns): string {
  const surplus = fields.length - columns.count;
  if (surplus > 0) fields.splice(columns.name, surplus + 1, fields.slice(columns.name, columns.name + surplus + 1).join(','));
  return fields[columns.name] ?? '';
}

function processOf(text: string): { pid: number; name: string } | null {
  const match = PROCESS_ROW.exec(text);
  if (match === null) return null;
  const pid = Number(match[2]);
  if (pid > 0x7fff_ffff) return null;
  const name = sanitize(match[1] as string).trimEnd();
  return { pid, name: name === '' ? `pid ${pid}` : name };
}

function flowOf(text: string): Pick<NettopRecord, 'protocol' | 'family' | 'local' | 'remote'> | null {
  const match = FLOW.exec(text);
  if (match === null) return null;
  const [, kind, digit, near, far] = match as unknown as readonly [string, string, string, string, string];
  // IPv6 ends are ADDRESS.PORT, because the address itself has colons.
  const family = digit === '6' || (digit === '' && near.split(':').length > 2) ? 6 : 4;
  const local = endOf(near, family);
  const remote = endOf(far, family);
  if (local === null || remote === null) return null;
  const connected = remote.words !== null || remote.port !== 0;
  return { protocol: kind === 'tcp' ? PROTOCOL.TCP : PROTOCOL.UDP, family, local, remote: connected ? remote : null };
}

function endOf(text: string, family: 4 | 6): SocketEnd | null {
  const split = text.lastIndexOf(family === 6 ? '.' : ':');
  return split < 0 ? null : socketEnd(text.slice(0, split), text.slice(split + 1));
}

function textField(field: string | undefined): string | null {
  const text = sanitize(field ?? '');
  return text === '' ? null : text;
}

function countField(field: string | undefined): number | null {
  return field !== undefined && /^\d{1,15}$/.test(field) ? Number(field) : null;
}

/** Fields of a CSV line (RFC 4180). Quotes are optional; a doubled quote inside quotes is one quote. */
function fieldsOf(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const letter = line[i] as string;
    if (quoted && letter === '"' && line[i + 1] === '"') field += line[++i];
    else if (letter === '"' && (quoted || field === '')) quoted = !quoted;
    else if (letter === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += letter;
  }
  fields.push(field);
  return fields;
}
