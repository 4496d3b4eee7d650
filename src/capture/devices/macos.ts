// Finds macOS's interfaces and default route with `netstat -ibn` and `route -n get`.

import type { Edges } from '../../system/edges.ts';
import { interfaceKind } from './kind.ts';
import type { FoundDevice } from './linux.ts';

/** Both answer within milliseconds; longer on a machine that is waking up. */
const LIMITS = { timeoutMs: 3000, maxBytes: 1 << 20 };
/** Most rows read of netstat's table. */
const MAX_INTERFACES = 512;

/** A `<Link#N>` row of `netstat -ibn`. Each interface has one; the counters in all other rows repeat it. */
export interface NetstatRow {
  readonly name: string;
  readonly index: number;
  /** netstat marks an interface that is down with a star. */
  readonly up: boolean;
  readonly rxPackets: number;
  readonly rxBytes: number;
  readonly txPackets: number;
  readonly txBytes: number;
  /** Receive plus transmit errors; null on releases that don't print them. */
  readonly errors: number | null;
}

/** The kernel's limit is shorter, but its allowed characters vary. */
const PRINTABLE = /^[!-~]{1,64}$/;

/**
 * Parses the output of `netstat -ibn`.
 *
 * It counts columns from the right, by the header's words, because the address column is empty for lo0 and utun, and newer systems append
 * columns.
 */
export function parseNetstat(text: string): NetstatRow[] {
  const lines = text.split('\n');
  const header = (lines[0] ?? '').trim().split(/\s+/);
  const fromRight = (word: string): number => header.length - header.indexOf(word);
  if (!['Ipkts', 'Ibytes', 'Opkts', 'Obytes'].every((word) => header.includes(word))) return [];
  const rows: NetstatRow[] = [];
  const seen = new Set<string>();
  for (const line of lines.slice(1)) {
    const part = line.trim().split(/\s+/);
    // netstat cuts the column at nine characters: <Link#100> loses its bracket.
    const link = /^<Link#(\d+)>?$/.exec(part[2] ?? '');
    const marked = part[0] ?? '';
    const name = marked.replace(/\*$/, '');
    if (link === null || !PRINTABLE.test(name) || rows.length >= MAX_INTERFACES) continue;
    const at = (word: string): number => Number(part[part.length - fromRight(word)]);
    const errors = header.includes('Ierrs') && header.includes('Oerrs') ? at('Ierrs') + at('Oerrs') : Number.NaN;
    const row: NetstatRow = {
      name,
      index: Number(link[1]),
      up: name === marked,
      rxPackets: at('Ipkts'),
      rxBytes: at('Ibytes'),
      txPackets: at('Opkts'),
      txBytes: at('Obytes'),
      errors: Number.isSafeInteger(errors) && errors >= 0 ? errors : null,
    };
    const whole = [row.rxPackets, row.rxBytes, row.txPackets, row.txBytes].every(
      (value) => Number.isSafeInteger(value) && value >= 0,
    );
    if (!whole || seen.has(name)) continue;
    seen.add(name);
    rows.push(row);
  }
  return rows;
}

/**
 * Runs netstat.
 *
 * @returns `whole` is false if it failed or stopped in the middle, as it does when an interface vanishes
 */
export async function netstatRows(edges: Edges): Promise<{ readonly rows: NetstatRow[]; readonly whole: boolean }> {
  const { stdout, status, cut } = await edges.run(edges.paths.netstat, ['-ibn'], LIMITS);
  const rows = parseNetstat(stdout);
  return { rows, whole: status === 0 && cut === null && rows.length > 0 };
}

/** Interfaces that netstat lists, including those that are down, and any others that `os.networkInterfaces()` knows. */
export async function macDevices(edges: Edges): Promise<FoundDevice[]> {
  const known = edges.networkInterfaces();
  const rows = (await netstatRows(edges)).rows.filter(({ name }) => !isTap(name));
  const listed = new Set(rows.map((row) => row.name));
  const found = rows.map((row) => device(row.name, row.index, row.up, known[row.name] === undefined ? null : true));
  // networkInterfaces() has only interfaces that are up, running and have an address.
  for (const name of Object.keys(known)) if (!listed.has(name)) found.push(device(name, 0, true, true));
  return found;
}

function device(name: string, index: number, up: boolean, running: boolean | null): FoundDevice {
  return { name, index, up, running: up ? running : false, kind: interfaceKind(name), linkType: linkTypeOf(name) };
}

/** Taps that libpcap created, including ours: they only mirror other interfaces. */
function isTap(name: string): boolean {
  return /^(pktap|iptap|droptap)\d/.test(name);
}

/** Link type of a plain capture by name (xnu, bsd/net). A system VPN's utun may be RAW instead. */
function linkTypeOf(name: string): string | null {
  if (/^(lo|utun|gif|stf|pdp_ip)\d/.test(name)) return 'NULL';
  if (/^ipsec\d/.test(name)) return 'RAW';
  if (/^ppp\d/.test(name)) return 'PPP';
  if (/^(en|awdl|llw|ap|bridge|vmenet|anpi|vlan|bond|feth|p2p)\d/.test(name)) return 'EN10MB';
  return null;
}

/** The interface in the output of `route -n get`; null when offline. The exit status says nothing. */
export function parseRouteGet(text: string): string | null {
  return /^\s*interface: ([!-~]{1,64})\s*$/m.exec(text)?.[1] ?? null;
}

/** The interface of the default route; see `defaultInterface`. */
export async function macDefaultInterface(edges: Edges): Promise<string | null> {
  for (const target of [['default'], ['-inet6', 'default'], ['1.1.1.1']]) {
    const result = await edges.run(edges.paths.route, ['-n', 'get', ...target], LIMITS);
    const name = parseRouteGet(result.stdout);
    if (name !== null && interfaceKind(name) !== 'loopback') return name;
  }
  return null;
}
